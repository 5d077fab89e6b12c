package report

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
)

// asked is what a route asks of a token.
type asked struct {
	scopes    []string // any one suffices
	jwt       bool     // of an HTTP API's authorizer
	audiences []string // clients whose tokens that one takes

	open        bool // there may be more scopes, or some where there seem to be none
	anyAudience bool // there may be more audiences
}

// known reports whether what is written of it is enough to say that a token is
// taken: a route that seems to have no scope takes other tokens if it has one.
func (r asked) known() bool { return !r.open || len(r.scopes) > 0 }

// takes reports whether a client can obtain a token that a route takes.
// Cognito authorizers take ID tokens where a route has no scopes; what a
// trigger adds to a token is not counted. The more a client may do, and the more
// scopes a route with any takes, the sooner it can.
func (r asked) takes(c assembly.UserPoolClient) bool {
	if r.jwt && !slices.Contains(r.audiences, c.ID) {
		return false
	}
	users := c.OAuth && (slices.Contains(c.Flows, "code") || slices.Contains(c.Flows, "implicit"))
	machine := c.OAuth && c.HasSecret && slices.Contains(c.Flows, "client_credentials")
	direct := slices.ContainsFunc(c.AuthFlows, func(flow string) bool { return flow != "ALLOW_REFRESH_TOKEN_AUTH" })
	if len(r.scopes) == 0 {
		return direct || users && (r.jwt || slices.Contains(c.Scopes, "openid")) || r.jwt && machine
	}
	return direct && slices.Contains(r.scopes, adminScope) ||
		(users || machine) && slices.ContainsFunc(r.scopes, func(scope string) bool { return slices.Contains(c.Scopes, scope) })
}

// atMost is what a route may ask for, in favour of a client, as far as it is not
// known.
func (r asked) atMost(c assembly.UserPoolClient) asked {
	if r.open {
		r.scopes = slices.Concat(r.scopes, c.Scopes, []string{adminScope})
	}
	if r.anyAudience {
		r.audiences = append(slices.Clone(r.audiences), c.ID)
	}
	return r
}

// grantProperties say which tokens a client obtains.
var grantProperties = []string{"AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes", "ExplicitAuthFlows", "GenerateSecret"}

// atMost is a client as it may be where some of it is not known.
func (b *builder) atMost(c assembly.UserPoolClient, by asked) assembly.UserPoolClient {
	open := func(property string) bool { return !b.model.Known(c.Place, property) }
	c.OAuth = c.OAuth || open("AllowedOAuthFlowsUserPoolClient")
	c.HasSecret = c.HasSecret || open("GenerateSecret")
	if open("AllowedOAuthFlows") {
		c.Flows = []string{"client_credentials", "code", "implicit"}
	}
	if open("AllowedOAuthScopes") {
		c.Scopes = slices.Concat(c.Scopes, by.scopes, []string{"openid", adminScope})
	}
	if open("ExplicitAuthFlows") {
		c.AuthFlows = append(slices.Clone(c.AuthFlows), "ALLOW_USER_SRP_AUTH")
	}
	return c
}
