package apispec

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/access"
)

// Headers of the CORS protocol (Fetch standard, "CORS protocol").
const (
	allowOrigin   = "Access-Control-Allow-Origin"
	allowMethods  = "Access-Control-Allow-Methods"
	allowHeaders  = "Access-Control-Allow-Headers"
	exposeHeaders = "Access-Control-Expose-Headers"
	maxAge        = "Access-Control-Max-Age"
	vary          = "Vary"
)

// requestHeaders are what pages may send to every API: the credential, and
// what a body and a conditional request need.
var requestHeaders = []string{"Authorization", "Content-Type", "If-Match", "If-None-Match"}

// exposedHeaders are what pages may read of an answer; caller.CORS exposes the
// same.
const exposedHeaders = "WWW-Authenticate,Retry-After,ETag"

// preflightSeconds is how long a browser may remember a preflight's answer.
const preflightSeconds = "600"

const preflightMethod = "OPTIONS"

// preflights returns one route for each path, which answers OPTIONS without a
// backend and without an authorizer: a browser sends no credential with it.
func (s Spec) preflights(routes []route) []route {
	var out []route
	for i, r := range routes {
		if i > 0 && routes[i-1].path == r.path {
			continue // routes come sorted by path
		}
		out = append(out, route{
			Route:   Route{Integration: s.preflightIntegration(r.path, routes)},
			pattern: preflightMethod + " " + r.path,
			method:  preflightMethod,
			path:    r.path,
			params:  r.params,
		})
	}
	return out
}

// preflightIntegration answers with the path's methods. One origin stands in
// the answer whoever asks; of several, a template picks the one that asks.
func (s Spec) preflightIntegration(path string, routes []route) map[string]any {
	var methods []string
	for _, r := range routes {
		if r.path == path {
			methods = append(methods, r.method)
		}
	}
	values := map[string]string{
		allowMethods: strings.Join(methods, ","),
		allowHeaders: strings.Join(slices.Concat(requestHeaders, s.Headers), ","),
		maxAge:       preflightSeconds,
	}
	answer := map[string]any{"statusCode": "204"}
	if len(s.Origins) == 1 {
		values[allowOrigin] = s.Origins[0]
	} else {
		answer["responseTemplates"] = map[string]string{"application/json": s.originTemplate()}
	}
	mapped := map[string]string{}
	for name, value := range values {
		mapped["method.response.header."+name] = quote(value)
	}
	answer["responseParameters"] = mapped
	return map[string]any{
		"type":                "mock",
		"passthroughBehavior": "when_no_match",
		"requestTemplates":    map[string]string{"application/json": `{"statusCode":204}`},
		"responses":           map[string]any{"default": answer},
	}
}

// originTemplate names the request's own origin where it is allowed, and none
// otherwise ("Override your API's request and response parameters and status
// codes", Amazon API Gateway). [CheckOrigin] leaves nothing in an origin that
// could end a quoted text.
func (s Spec) originTemplate() string {
	var conditions []string
	for _, origin := range s.Origins {
		conditions = append(conditions, `$origin == "`+origin+`"`)
	}
	return `#set($origin = $input.params().header.get("Origin"))
#if($origin == "")#set($origin = $input.params().header.get("origin"))#end
#if(` + strings.Join(conditions, " || ") + `)
#set($context.responseOverride.header.` + allowOrigin + ` = $origin)
#set($context.responseOverride.header.` + vary + ` = "Origin")
#end
`
}

// preflightResponses declares the headers: API Gateway maps a header only
// where the method's response names it.
func (s Spec) preflightResponses() map[string]response {
	names := []string{allowOrigin, allowMethods, allowHeaders, maxAge}
	if len(s.Origins) > 1 {
		names = append(names, vary)
	}
	declared := map[string]header{}
	for _, name := range names {
		declared[name] = header{Schema: schema{"string"}}
	}
	return map[string]response{"204": {Description: "CORS preflight.", Headers: declared}}
}

// gatewayResponses shapes the answers that API Gateway makes itself. A
// specific one replaces the default of its class whole, so each repeats the
// CORS headers: without them a browser hides the error from its page. A gateway
// response cannot choose among origins, so with several any page may read an
// error; it has no credential with it and says nothing about a resource.
func (s Spec) gatewayResponses() map[string]gatewayResponse {
	responses := map[string]gatewayResponse{}
	cors := map[string]string{}
	if len(s.Origins) > 0 {
		origin := "*"
		if len(s.Origins) == 1 {
			origin = s.Origins[0]
		}
		cors[gatewayHeader(allowOrigin)] = quote(origin)
		cors[gatewayHeader(exposeHeaders)] = quote(exposedHeaders)
		responses["DEFAULT_4XX"] = gatewayResponse{Parameters: cors}
		responses["DEFAULT_5XX"] = gatewayResponse{Parameters: cors}
	}
	if challenge := s.challenge(); challenge != "" {
		parameters := map[string]string{gatewayHeader("WWW-Authenticate"): quote(challenge)}
		for name, value := range cors {
			parameters[name] = value
		}
		responses["UNAUTHORIZED"] = gatewayResponse{StatusCode: 401, Parameters: parameters}
	}
	return responses
}

// challenge names the schemes that the API takes, as a 401 has to (RFC 6750
// section 3, RFC 7617 section 2). It is the union over all routes: a gateway
// response is one for the whole API.
func (s Spec) challenge() string {
	switch {
	case s.takes(access.KindKey):
		return `Bearer, Basic realm="` + s.realm() + `", charset="UTF-8"`
	case s.takes(access.KindScopes):
		return "Bearer"
	default:
		return ""
	}
}

// realm is the API's title, without what would end a quoted text of HTTP or of
// API Gateway.
func (s Spec) realm() string {
	plain := func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"'\`, r) {
			return '-'
		}
		return r
	}
	return strings.Map(plain, s.Title)
}

func gatewayHeader(name string) string { return "gatewayresponse.header." + name }

// quote writes a static value as API Gateway's parameter mappings take it.
func quote(value string) string { return "'" + value + "'" }
