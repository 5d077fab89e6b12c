package rules

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var preflightAuthorized = audit.Rule{
	ID:       "preflight-authorized",
	Severity: audit.Error,
	Title:    "A preflight behind an authorizer",
	Why: "A browser sends a preflight without credentials. Where OPTIONS asks for a token, a signature or a key, every preflight is " +
		"refused, and no page of another origin can call the path at all. What counts are methods OPTIONS, and ANY on a path " +
		"without OPTIONS in an API that answers preflights elsewhere. An HTTP API with a CORS configuration answers them " +
		"itself, but not where a route ANY or $default with an authorizer takes them first.",
	Fix: "Give the path an OPTIONS method of authorization type NONE, without a key (in the CDK: defaultCorsPreflightOptions does); " +
		"for $default of an HTTP API, that is OPTIONS /{proxy+}.",
	Source: audit.Source{
		Title: "CORS for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range m.RestAPIs {
			cors := hasCORS(api)
			for _, route := range api.Routes {
				kind := route.Authorization.Type
				asks := kind != assembly.AuthorizationNone && kind != "" || route.APIKeyRequired
				if asks && (route.Method == "OPTIONS" || route.Method == "ANY" && cors && !hasRoute(api, "OPTIONS", route.Path)) {
					r.Find(route.Place, "%s %s answers preflights and asks for a credential, which no preflight has", route.Method, route.Path)
				}
			}
		}
		for _, api := range m.HTTPAPIs {
			for _, route := range api.Routes {
				if route.AuthorizationType != assembly.AuthorizationNone && route.AuthorizationType != "" && takesPreflights(api, route.Key) {
					r.Find(route.Place, "%s answers preflights and asks for a credential, which no preflight has", route.Key)
				}
			}
		}
	},
}

// takesPreflights reports whether preflights reach a route of an HTTP API
// ("Configure CORS for HTTP APIs in API Gateway").
func takesPreflights(api *assembly.HTTPAPI, key string) bool {
	method, path, _ := strings.Cut(key, " ")
	switch {
	case method == "OPTIONS":
		return true
	case len(api.CORSOrigins) == 0:
		return false
	case key == "$default":
		return !slices.ContainsFunc(api.Routes, func(r assembly.HTTPRoute) bool {
			path, options := strings.CutPrefix(r.Key, "OPTIONS /{")
			return options && strings.HasSuffix(path, "+}") && !strings.Contains(path, "/")
		})
	}
	return method == "ANY" && !slices.ContainsFunc(api.Routes, func(r assembly.HTTPRoute) bool { return r.Key == "OPTIONS "+path })
}

func hasRoute(api *assembly.RestAPI, method, path string) bool {
	return slices.ContainsFunc(api.Routes, func(r assembly.Route) bool { return r.Method == method && r.Path == path })
}
