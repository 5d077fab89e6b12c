package rules

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// scopeAdmin lets a token change its user's account at Cognito itself.
const scopeAdmin = "aws.cognito.signin.user.admin"

// builtIn are Cognito's own scopes, which no resource server defines ("Scopes,
// M2M, and resource servers", Amazon Cognito).
var builtIn = []string{"openid", "email", "phone", "profile", scopeAdmin}

func isCustom(scope string) bool { return !slices.Contains(builtIn, scope) }

// defines reports whether a resource server of the pool defines a scope.
func defines(pool *assembly.UserPool, scope string) bool {
	return slices.ContainsFunc(pool.ResourceServers, func(s assembly.ResourceServer) bool { return slices.Contains(s.Scopes, scope) })
}

// mayDefine reports whether a resource server of the pool defines a scope, or
// one might of which not all is known.
func mayDefine(m *assembly.Model, pool *assembly.UserPool, scope string) bool {
	return defines(pool, scope) || anyStray(m, "AWS::Cognito::UserPoolResourceServer") ||
		slices.ContainsFunc(pool.ResourceServers, func(s assembly.ResourceServer) bool { return !m.Known(s.Place, "Identifier", "Scopes") })
}

// anyStray reports whether it is not known of some resource of a type to which
// user pool it belongs.
func anyStray(m *assembly.Model, kind string) bool {
	return slices.ContainsFunc(m.Resources, func(r *assembly.Resource) bool { return r.Type == kind && !m.Known(r.Place, "UserPoolId") })
}

// clientsOf returns the clients of every pool.
func clientsOf(m *assembly.Model) []assembly.UserPoolClient {
	var out []assembly.UserPoolClient
	for _, pool := range m.UserPools {
		out = append(out, pool.Clients...)
	}
	return out
}

// grants reports whether the client may use an OAuth flow.
func grants(c assembly.UserPoolClient, flow string) bool {
	return c.OAuth && slices.Contains(c.Flows, flow)
}

// requests reports whether the client may request a scope through OAuth.
func requests(c assembly.UserPoolClient, scope string) bool {
	return c.OAuth && len(c.Flows) > 0 && slices.Contains(c.Scopes, scope)
}

// hasUsers reports whether users sign in to the client through a browser.
func hasUsers(c assembly.UserPoolClient) bool {
	return grants(c, "code") || grants(c, "implicit")
}

// usersSignIn reports whether users sign in to the client, through a browser or
// not. A machine's client may have sign-ins as well, because they are Cognito's
// default; nobody uses them.
func usersSignIn(m *assembly.Model, c assembly.UserPoolClient) bool {
	machine := grants(c, "client_credentials") || !m.Known(c.Place, "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient")
	return hasUsers(c) || !machine && slices.ContainsFunc(c.AuthFlows, func(flow string) bool {
		return flow != "ALLOW_REFRESH_TOKEN_AUTH"
	})
}

// anyOf joins names of which any one suffices.
func anyOf(names []string) string { return `"` + strings.Join(names, `" or "`) + `"` }

// nameOf is the client's name, or its logical id where CloudFormation will make
// a name up.
func nameOf(c assembly.UserPoolClient) string {
	if strings.Contains(c.Name, "-"+c.LogicalID+"-") {
		return c.LogicalID
	}
	return c.Name
}
