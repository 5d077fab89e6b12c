package rules

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var adminScopeSignup = audit.Rule{
	ID:       "admin-scope-signup",
	Severity: audit.Error,
	Title:    "Anyone who signs up may request an administrative scope",
	Why: "Cognito grants scopes to clients, not to users: whoever signs in with a client gets what the client may request." +
		" In a pool where anyone may sign up, an administrative scope on a client of users makes everyone an " +
		"administrator. A scope counts where its last part is or begins with admin, manage, operator, root or superuser, " +
		"or ends with admin behind a colon, a dot or a hyphen.",
	Fix: "Give administration to a client of its own in a pool without self sign-up, to a machine client, or to IAM; or " +
		"check a group of the user.",
	Source: audit.Source{
		Title: "Scopes, M2M, and resource servers, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, pool := range m.UserPools {
			for _, c := range pool.Clients {
				for _, scope := range c.Scopes {
					if pool.SelfSignUp && m.Known(pool.Place, "AdminCreateUserConfig") && hasUsers(c) && isCustom(scope) && isAdministrative(scope) {
						r.Find(c.Place, "anyone may sign up, and then get %q through the client %s", scope, nameOf(c))
					}
				}
			}
		}
	},
}

var (
	administrative     = []string{"admin", "manage", "operator", "root", "superuser"}
	administrativeEnds = []string{":admin", ".admin", "-admin"}
)

func isAdministrative(scope string) bool {
	name := strings.ToLower(scope[strings.LastIndex(scope, "/")+1:])
	return slices.ContainsFunc(administrative, func(word string) bool { return strings.HasPrefix(name, word) }) ||
		slices.ContainsFunc(administrativeEnds, func(end string) bool { return strings.HasSuffix(name, end) })
}
