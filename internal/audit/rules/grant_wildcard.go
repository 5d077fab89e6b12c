package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var grantWildcard = audit.Rule{
	ID:       "grant-wildcard",
	Severity: audit.Error,
	Title:    "A role that may call every API",
	Why: "An Allow of execute-api:Invoke on every resource lets the role call each method with AWS_IAM of each API in the account, " +
		"also of those that come later. What counts is the resource *, and an ARN of execute-api whose API is a wildcard, " +
		"or that ends in one before it comes to the API.",
	Fix: "Name the API, the stage, the method and the path: arn:aws:execute-api:region:account:api-id/stage/GET/path " +
		"(in the CDK: method.GrantExecute or api.ArnForExecuteApi).",
	Source: audit.Source{
		Title: "Control access for invoking an API, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, g := range grantsOf(m) {
			if everyAPI(g.Resource) {
				r.Find(g.Place, "the role %s may call every API: %s", g.Role.LogicalID, g.Resource)
			}
		}
	},
}
