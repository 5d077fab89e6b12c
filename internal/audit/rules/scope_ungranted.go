package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var scopeUngranted = audit.Rule{
	ID:       "scope-ungranted",
	Severity: audit.Error,
	Title:    "A method whose scopes no client may request",
	Why: "A caller needs an access token with one of the method's scopes, and Cognito gives it only to clients that may " +
		"request that scope through OAuth. Where no client of the pools may, nobody can call the method. It counts only " +
		"where every pool of the authorizer is in what is audited, with all its clients, and no client's scopes or flows are " +
		"left open. Where a trigger of the pool may " +
		"add scopes to users' tokens, the finding is a warning.",
	Fix: "Allow one of the scopes to a client (AllowedOAuthScopes, with AllowedOAuthFlowsUserPoolClient set), or correct " +
		"the scope that the method names. A client that is made elsewhere is a reason to suppress this.",
	Source: audit.Source{
		Title: "Scopes, M2M, and resource servers, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, route := range routesOf(m) {
			pools, all := route.pools(m)
			if !all || len(route.Scopes) == 0 || route.ScopesUnknown || anyStray(m, "AWS::Cognito::UserPoolClient") ||
				slices.ContainsFunc(route.Scopes, func(scope string) bool { return grantable(m, scope, route, pools) }) {
				continue
			}
			severity := audit.Error
			if slices.ContainsFunc(pools, changesTokens) {
				severity = audit.Warning
			}
			r.FindAs(severity, route.Place, "%s wants the scope %s, which no client may request", route.Name, anyOf(route.Scopes))
		}
	},
}

// grantable reports whether a client of the pools may get a scope into a token
// that the route takes, as far as is known. Sign-ins without OAuth get one scope
// only.
func grantable(m *assembly.Model, scope string, r route, pools []*assembly.UserPool) bool {
	for _, pool := range pools {
		for _, c := range pool.Clients {
			taken := r.Type != assembly.AuthorizerJWT || slices.Contains(r.Authorizer.Audiences, c.ID) || !m.Known(r.Authorizer.Place, "JwtConfiguration")
			open := !m.Known(c.Place, "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes") ||
				scope == scopeAdmin && !m.Known(c.Place, "ExplicitAuthFlows")
			if taken && (open || requests(c, scope) || scope == scopeAdmin && usersSignIn(m, c)) {
				return true
			}
		}
	}
	return false
}

// changesTokens reports whether a function may add scopes to users' tokens.
func changesTokens(pool *assembly.UserPool) bool {
	_, changes := pool.Triggers["PreTokenGenerationConfig"]
	return changes
}
