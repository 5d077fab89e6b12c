package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var scopeUndefined = audit.Rule{
	ID:       "scope-undefined",
	Severity: audit.Error,
	Title:    "A scope that no resource server defines",
	Why: "A custom scope exists where a resource server of the user pool defines it. A client that asks for another is " +
		"refused when it is deployed, and a method that wants another is one that nobody can call; often it is a typing " +
		"error, or only the scope's name without the resource server's identifier. Cognito's own scopes (openid, email, " +
		"phone, profile and aws.cognito.signin.user.admin) need no resource server. Methods count only where every pool " +
		"of their authorizer is in what is audited.",
	Fix: "Write the scope as the resource server defines it, identifier/name, or define it.",
	Source: audit.Source{
		Title: "Scopes, M2M, and resource servers, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, pool := range m.UserPools {
			for _, c := range pool.Clients {
				for _, scope := range c.Scopes {
					if isCustom(scope) && !mayDefine(m, pool, scope) {
						r.Find(c.Place, "the client %s may request %q, which no resource server of its pool defines", nameOf(c), scope)
					}
				}
			}
		}
		for _, route := range routesOf(m) {
			pools, all := route.pools(m)
			for _, scope := range route.Scopes {
				defined := slices.ContainsFunc(pools, func(pool *assembly.UserPool) bool { return mayDefine(m, pool, scope) })
				if all && isCustom(scope) && !defined {
					r.Find(route.Place, "%s wants the scope %q, which no resource server of its pool defines", route.Name, scope)
				}
			}
		}
	},
}
