package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var userExistence = audit.Rule{
	ID:       "user-existence",
	Severity: audit.Warning,
	Title:    "A sign-in that tells who is a user",
	Why: "Unless PreventUserExistenceErrors is ENABLED, Cognito answers differently for an unknown user and for a wrong " +
		"password, so anyone can find out who has an account. CloudFormation's default is LEGACY, which tells. It counts " +
		"on clients where users sign in.",
	Fix: "Set PreventUserExistenceErrors to ENABLED (in the CDK: preventUserExistenceErrors: true).",
	Source: audit.Source{
		Title: "Managing user existence error responses, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if usersSignIn(m, c) && !c.HidesUsers && m.Known(c.Place, "PreventUserExistenceErrors") {
				r.Find(c.Place, "sign-ins through the client %s tell whether a user exists", nameOf(c))
			}
		}
	},
}
