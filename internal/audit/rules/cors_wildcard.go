package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var corsWildcard = audit.Rule{
	ID:       "cors-wildcard",
	Severity: audit.Warning,
	Title:    "Pages of every origin may call the API",
	Why: "With Access-Control-Allow-Origin * any page may call the API from a visitor's browser and read the answers. Where the " +
		"users of a website sign in, the origins are known, and any other page that gets hold of a token can use it. " +
		"What counts are preflights and answers of integrations, where the stage has a public client with a web callback, or " +
		"where credentials are allowed besides. Gateway responses may carry *: they say nothing but that a call was refused.",
	Fix: "Name the website's origins (in the CDK: defaultCorsPreflightOptions.allowOrigins), and send the matching one from the function.",
	Source: audit.Source{
		Title: "CORS for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		website := hasWebsite(m)
		for _, api := range m.RestAPIs {
			var names []string
			for _, route := range api.Routes {
				if anyOrigin(route) && (website || slices.Contains(headerValues(route, allowCredentials), "true")) {
					names = append(names, route.Method+" "+route.Path)
				}
			}
			if len(names) > 0 {
				r.Find(api.Place, "every origin is allowed by %s", someOf(names))
			}
		}
		for _, api := range m.HTTPAPIs {
			if website && slices.ContainsFunc(api.CORSOrigins, func(origin string) bool { return slices.Contains(anyOrigins, origin) }) {
				r.Find(api.Place, "every origin is allowed by its CORS configuration")
			}
		}
	},
}

// anyOrigins are the values of AllowOrigins that every origin of a scheme fits
// ("Configure CORS for HTTP APIs in API Gateway").
var anyOrigins = []string{"*", "https://*", "http://*"}
