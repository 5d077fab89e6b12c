package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var methodOpen = audit.Rule{
	ID:       "method-open",
	Severity: audit.Error,
	Title:    "A method that anyone may call and that states no reason",
	Why: "A method of authorization type NONE and without an API key is open to the whole internet. That is right for a " +
		"health check and wrong for most else, and the template does not tell one from the other. MOCK answers to " +
		"OPTIONS, which are CORS preflights, do not count.",
	Fix: "Put an authorizer on the method, or say why it is open: in Metadata \"gatewright:public\", a text on the method " +
		"(or on a route of an HTTP API), or an object of \"METHOD /path\" and reason on the RestApi.",
	Source: audit.Source{
		Title: "Control and manage access to REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, route := range routesOf(m) {
			if route.Type == assembly.AuthorizationNone && !route.APIKeyRequired && route.PublicReason == "" {
				r.Find(route.Place, "anyone may call %s, and nothing says why", route.Name)
			}
		}
	},
}
