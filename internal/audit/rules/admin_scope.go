package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var adminScope = audit.Rule{
	ID:       "admin-scope",
	Severity: audit.Error,
	Title:    "A client may request the scope of users' own accounts",
	Why: "A token with aws.cognito.signin.user.admin may change its user's attributes, e-mail address and second factor, " +
		"and delete the account, at Cognito itself. A token that is meant for an API should not be able to, wherever it " +
		"leaks. The CDK allows the scope unless scopes are stated.",
	Fix: "State the client's scopes without it (in the CDK: oAuth: {scopes: [...]}).",
	Source: audit.Source{
		Title: "Scopes, M2M, and resource servers, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if requests(c, scopeAdmin) {
				r.Find(c.Place, "the client %s may request %s", nameOf(c), scopeAdmin)
			}
		}
	},
}
