package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var methodWithoutScopes = audit.Rule{
	ID:       "method-without-scopes",
	Severity: audit.Warning,
	Title:    "A method that asks for no scope",
	Why: "A Cognito authorizer on a method without scopes takes ID tokens, and no access tokens. An ID token says who " +
		"signed in, for the app that asked; it is not limited to what that app may do, and every client of the pool gets " +
		"one. The JWT authorizer of an HTTP API without scopes takes both kinds.",
	Fix: "Define a scope on a resource server of the pool, allow it to the clients that need it, and name it in " +
		"AuthorizationScopes (in the CDK: authorizationScopes). Callers then send access tokens.",
	Source: audit.Source{
		Title: "Integrate a REST API with an Amazon Cognito user pool, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, route := range routesOf(m) {
			if !route.takesTokens() || len(route.Scopes) > 0 || route.ScopesUnknown {
				continue
			}
			accepts := "takes ID tokens and no access tokens"
			if route.Type == assembly.AuthorizerJWT {
				accepts = "takes any token of its audiences, ID tokens too"
			}
			r.Find(route.Place, "%s names no scope, so it %s", route.Name, accepts)
		}
	},
}
