package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var authorizerUnattached = audit.Rule{
	ID:       "authorizer-unattached",
	Severity: audit.Error,
	Title:    "An authorizer that no method uses",
	Why: "Declaring an authorizer protects nothing: each method names the one that decides about its callers. " +
		"One that no method names looks like protection in the code and is none.",
	Fix: "Name the authorizer on each method that it is meant for (in the CDK: authorizer and authorizationType in the method's options, " +
		"or in defaultMethodOptions of the API), or remove it.",
	Source: audit.Source{
		Title: "Integrate a REST API with an Amazon Cognito user pool, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		used := map[*assembly.Authorizer]bool{}
		open := map[string]bool{} // APIs with a method that may use any
		for _, route := range routesOf(m) {
			used[route.Authorizer] = true
			asks := route.Type != assembly.AuthorizationNone && route.Type != assembly.AuthorizationIAM
			open[route.API] = open[route.API] || asks && route.Authorizer == nil
		}
		for _, api := range apisOf(m) {
			for _, authorizer := range api.Authorizers {
				if !used[authorizer] && !open[api.ID] {
					r.Find(authorizer.Place, "no method uses the authorizer %s, so it protects nothing", authorizer.Name)
				}
			}
		}
	},
}
