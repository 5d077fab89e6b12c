package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var tokenRevocation = audit.Rule{
	ID:       "token-revocation",
	Severity: audit.Warning,
	Title:    "Refresh tokens that cannot be revoked",
	Why: "With EnableTokenRevocation false a stolen refresh token works until it expires: signing out does not end it, and" +
		" the revocation endpoint refuses it.",
	Fix: "Remove EnableTokenRevocation, or set it to true (in the CDK: enableTokenRevocation).",
	Source: audit.Source{
		Title: "Ending user sessions with token revocation, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if !c.Revokes && m.Known(c.Place, "EnableTokenRevocation") {
				r.Find(c.Place, "refresh tokens of the client %s cannot be revoked (EnableTokenRevocation is false)", nameOf(c))
			}
		}
	},
}
