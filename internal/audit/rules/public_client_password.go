package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var publicClientPassword = audit.Rule{
	ID:       "public-client-password",
	Severity: audit.Error,
	Title:    "A public client that takes passwords",
	Why: "With USER_PASSWORD_AUTH an app collects the user's password and sends it as it is. Without a secret, or with one that " +
		"its users have because the client is a page or an app, anyone may ask in the client's name: guessing passwords " +
		"needs nothing else, past the sign-in page with whatever protects that. A client with a secret counts where " +
		"public-client-secret counts it, so also where it has no ADMIN_USER_PASSWORD_AUTH, which is the flow for servers.",
	Fix: "Remove ALLOW_USER_PASSWORD_AUTH (in the CDK: authFlows.userPassword). Let users sign in on the pool's own page " +
		"with the code grant and PKCE, or use ALLOW_USER_SRP_AUTH.",
	Source: audit.Source{
		Title: "RFC 9700: Best Current Practice for OAuth 2.0 Security, section 2.4",
		URL:   "https://www.rfc-editor.org/rfc/rfc9700#section-2.4",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if !isPublic(m, c) || !slices.Contains(c.AuthFlows, "ALLOW_USER_PASSWORD_AUTH") {
				continue
			}
			is := "is public"
			if c.HasSecret {
				is = "looks public in spite of its secret"
			}
			r.Find(c.Place, "the client %s %s, and takes users' passwords (ALLOW_USER_PASSWORD_AUTH)", nameOf(c), is)
		}
	},
}
