package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var implicitGrant = audit.Rule{
	ID:       "implicit-grant",
	Severity: audit.Error,
	Title:    "The implicit grant puts tokens into the address of a page",
	Why: "With the implicit grant the access token comes back in the URL, where the browser's history, scripts of the " +
		"page, and whatever the callback redirects to can read it, and nothing binds it to the app that asked. OAuth 2.1 " +
		"and the current best practice leave it out. The CDK allows it unless flows are stated.",
	Fix: "Allow the code grant only (in the CDK: oAuth: {flows: {authorizationCodeGrant: true}}), and let the app use " +
		"PKCE.",
	Source: audit.Source{
		Title: "RFC 9700: Best Current Practice for OAuth 2.0 Security, section 2.1.2",
		URL:   "https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if slices.Contains(c.Flows, "implicit") {
				r.Find(c.Place, "the client %s may use the implicit grant", nameOf(c))
			}
		}
	},
}
