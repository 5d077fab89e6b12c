package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var scopeUnused = audit.Rule{
	ID:       "scope-unused",
	Severity: audit.Warning,
	Title:    "A client may request a scope that no route uses",
	Why: "A scope that opens nothing today is forgotten, and opens something on the day a route begins to use its name. It" +
		" counts only where routes take tokens of the client's pool, and no Lambda authorizer could be the one that asks " +
		"for the scope.",
	Fix: "Remove the scope from the client, or use it on the routes that it is meant for. A scope that a function itself " +
		"checks is a reason to suppress this.",
	Source: audit.Source{
		Title: "Scopes, M2M, and resource servers, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		used := map[string]bool{}
		audited := map[*assembly.UserPool]bool{}
		for _, route := range routesOf(m) {
			if route.Type == assembly.AuthorizationCustom && route.Rules == nil || route.Type == "" || route.ScopesUnknown {
				return // its function may ask for any scope, or nobody knows what asks for which
			}
			if route.Rules != nil {
				for _, scope := range route.Rules.Scopes() {
					used[scope] = true
				}
			}
			for _, scope := range route.Scopes {
				used[scope] = true
			}
			pools, _ := route.pools(m)
			for _, pool := range pools {
				audited[pool] = true
			}
		}
		for _, pool := range m.UserPools {
			for _, c := range pool.Clients {
				for _, scope := range c.Scopes {
					if audited[pool] && c.OAuth && defines(pool, scope) && !used[scope] {
						r.Find(c.Place, "the client %s may request %q, and no route asks for it", nameOf(c), scope)
					}
				}
			}
		}
	},
}
