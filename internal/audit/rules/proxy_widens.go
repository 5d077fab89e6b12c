package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var proxyWidens = audit.Rule{
	ID:       "proxy-widens",
	Severity: audit.Error,
	Title:    "A catch-all route that opens what a stricter one guards",
	Why: "A request takes the most specific route of its path and method. Where GET /admin asks for a token and ANY /{proxy+} does not, " +
		"POST /admin takes the open one, and the backend behind it may serve it all the same. What counts is ANY, $default or a greedy " +
		"route that asks for less (nothing, only a key, or the same authorizer for no scope or for any of more scopes) than a " +
		"route below it whose other methods fall to it. A greedy GET does not count, because it opens what is read on purpose, and " +
		"neither do MOCK answers, which reach no backend. Where the two have different backends, it is a warning.",
	Fix: "Give the guarded path ANY with the same authorizer, and its own {proxy+} below, or guard the catch-all.",
	Source: audit.Source{
		Title: "Set up a proxy integration with a proxy resource, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		routes := map[string][]route{}
		for _, route := range routesOf(m) {
			routes[route.API] = append(routes[route.API], route)
		}
		for _, api := range apisOf(m) {
			for _, wide := range routes[api.ID] {
				if wide.Integration.Type == assembly.IntegrationMock || !catchesAll(wide) {
					continue
				}
				same, other := widened(wide, routes[api.ID])
				if len(same) > 0 {
					r.Find(wide.Place, "%s asks for less than %s, whose other methods it takes", wide.Name, someOf(same))
				}
				if len(other) > 0 {
					r.FindAs(audit.Warning, wide.Place, "%s asks for less than %s of another backend, whose other methods it takes", wide.Name, someOf(other))
				}
			}
		}
	},
}

// asks orders what routes ask for: nothing, a key, and a proof of who is calling.
func asks(r route) int {
	switch {
	case r.Type != assembly.AuthorizationNone:
		return 2
	case r.APIKeyRequired:
		return 1
	default:
		return 0
	}
}

// asksLess reports whether a route takes callers whom another one refuses, and
// refuses none that it takes but for the kind of token. It reports so of nothing
// that is not known.
func asksLess(wide, r route) bool {
	if wide.Type == "" || r.Type == "" || wide.ScopesUnknown || r.ScopesUnknown {
		return false
	}
	if asks(wide) != 2 || asks(r) != 2 {
		return asks(wide) < asks(r)
	}
	if !r.takesTokens() || wide.Authorizer != r.Authorizer || len(wide.Scopes) > 0 && len(wide.Scopes) <= len(r.Scopes) {
		return false
	}
	return len(r.Scopes) > 0 && (len(wide.Scopes) == 0 || !slices.ContainsFunc(r.Scopes, func(scope string) bool { return !slices.Contains(wide.Scopes, scope) }))
}

func methodAndPath(r route) (method, path string) {
	if r.Name == "$default" {
		return "ANY", "/{default+}"
	}
	method, path, _ = strings.Cut(r.Name, " ")
	return method, path
}

func catchesAll(r route) bool {
	method, path := methodAndPath(r)
	return method == "ANY" || strings.HasSuffix(path, "+}") && method != "GET" && method != "HEAD" && method != "OPTIONS"
}

// widened returns the routes whose path, with another method, falls to a wider
// one that asks for less: those of the same backend, and of another.
func widened(wide route, all []route) (same, other []string) {
	wideMethod, _ := methodAndPath(wide)
	for _, r := range all {
		method, _ := methodAndPath(r)
		switch {
		case r.Name == wide.Name || method == wideMethod:
		case !takesPath(wide, r) || !asksLess(wide, r) || caught(r, wide, all):
		case backend(wide) == backend(r):
			same = append(same, r.Name)
		default:
			other = append(other, r.Name)
		}
	}
	return same, other
}

// caught reports whether ANY between a guarded route and a wider one takes the
// other methods.
func caught(guarded, wide route, all []route) bool {
	return slices.ContainsFunc(all, func(r route) bool {
		method, path := methodAndPath(r)
		_, widePath := methodAndPath(wide)
		return method == "ANY" && path != widePath && takesPath(r, guarded) && takesPath(wide, r)
	})
}

// takesPath reports whether the path of a route matches all that another's does.
func takesPath(wide, r route) bool {
	_, widePath := methodAndPath(wide)
	_, path := methodAndPath(r)
	if wide.Name == "$default" || path == widePath || r.Name == "$default" || !strings.Contains(widePath, "{") {
		return wide.Name == "$default" || path == widePath
	}
	widths, parts := strings.Split(widePath, "/"), strings.Split(path, "/")
	for i, width := range widths {
		switch {
		case strings.HasSuffix(width, "+}"):
			return len(parts) > i && parts[i] != ""
		case i >= len(parts) || strings.HasSuffix(parts[i], "+}"):
			return false
		case width != parts[i] && (!strings.HasPrefix(width, "{") || parts[i] == ""):
			return false
		}
	}
	return len(widths) == len(parts)
}

// backend names what answers a route: a function, an HTTP server, or an action
// of AWS.
func backend(r route) string {
	if _, address, ok := strings.Cut(r.Integration.URI, "://"); ok {
		host, _, _ := strings.Cut(address, "/")
		return host
	}
	return cmp.Or(r.Integration.FunctionARN, r.Integration.URI)
}
