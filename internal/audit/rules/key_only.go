package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var keyOnly = audit.Rule{
	ID:       "key-only",
	Severity: audit.Error,
	Title:    "An API key as the only protection",
	Why: "API Gateway's keys say which usage plan a call counts for. They do not expire, anyone who may see the plan can read them, " +
		"a key opens every API of its plans, and an account has 10,000 of them. AWS asks not to use them for " +
		"authentication or authorization. What counts is a method of authorization type NONE that requires a key.",
	Fix: "Put an authorizer on the method, and keep the key for the plan's limits alone.",
	Source: audit.Source{
		Title: "Usage plans and API keys for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, route := range routesOf(m) {
			if route.Type == assembly.AuthorizationNone && route.APIKeyRequired {
				r.Find(route.Place, "whoever has an API key may call %s; nothing else is asked for", route.Name)
			}
		}
	},
}
