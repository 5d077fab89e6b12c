package apispec

import "strings"

// Headers of the CORS protocol (Fetch standard, "CORS protocol").
const (
	allowOrigin   = "Access-Control-Allow-Origin"
	allowMethods  = "Access-Control-Allow-Methods"
	allowHeaders  = "Access-Control-Allow-Headers"
	exposeHeaders = "Access-Control-Expose-Headers"
	maxAge        = "Access-Control-Max-Age"
)

var preflightHeaders = []string{allowOrigin, allowMethods, allowHeaders, maxAge}

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

func (s Spec) preflightIntegration(path string, routes []route) map[string]any {
	var methods []string
	for _, r := range routes {
		if r.path == path {
			methods = append(methods, r.method)
		}
	}
	values := map[string]string{
		allowOrigin:  s.Origins[0],
		allowMethods: strings.Join(methods, ","),
		allowHeaders: "Authorization,Content-Type",
		maxAge:       preflightSeconds,
	}
	mapped := map[string]string{}
	for _, name := range preflightHeaders {
		mapped["method.response.header."+name] = quote(values[name])
	}
	return map[string]any{
		"type":                "mock",
		"passthroughBehavior": "when_no_match",
		"requestTemplates":    map[string]string{"application/json": `{"statusCode":204}`},
		"responses": map[string]any{
			"default": map[string]any{"statusCode": "204", "responseParameters": mapped},
		},
	}
}

// preflightResponses declares the headers: API Gateway maps a header only
// where the method's response names it.
func preflightResponses() map[string]response {
	declared := map[string]header{}
	for _, name := range preflightHeaders {
		declared[name] = header{Schema: schema{"string"}}
	}
	return map[string]response{"204": {Description: "CORS preflight.", Headers: declared}}
}

// gatewayResponses shapes the answers that API Gateway makes itself. A
// specific one replaces the default of its class whole, so each repeats the
// CORS headers: without them a browser hides the error from its page.
func (s Spec) gatewayResponses() map[string]gatewayResponse {
	responses := map[string]gatewayResponse{}
	cors := map[string]string{}
	if len(s.Origins) > 0 {
		cors[gatewayHeader(allowOrigin)] = quote(s.Origins[0])
		cors[gatewayHeader(exposeHeaders)] = quote("WWW-Authenticate")
		responses["DEFAULT_4XX"] = gatewayResponse{Parameters: cors}
		responses["DEFAULT_5XX"] = gatewayResponse{Parameters: cors}
	}
	if s.takesTokens() {
		// RFC 6750 section 3: a 401 names the scheme that would be taken.
		parameters := map[string]string{gatewayHeader("WWW-Authenticate"): quote("Bearer")}
		for name, value := range cors {
			parameters[name] = value
		}
		responses["UNAUTHORIZED"] = gatewayResponse{StatusCode: 401, Parameters: parameters}
	}
	return responses
}

func gatewayHeader(name string) string { return "gatewayresponse.header." + name }

// quote writes a static value as API Gateway's parameter mappings take it.
func quote(value string) string { return "'" + value + "'" }
