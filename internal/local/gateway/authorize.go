package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
)

// prepareAuthorization finds what decides about a route's callers, or says why
// the route's authorization is not understood.
func (r *route) prepareAuthorization(g *Gateway) (err error) {
	if r.Authorization.Type == assembly.AuthorizationCustom {
		r.authorizer, err = g.lambdaAuthorizer(r.Authorization.Authorizer)
		return err
	}
	r.verifiers, err = g.verifiers(r.Authorization)
	return err
}

// verifiers returns what verifies the tokens of a route.
func (g *Gateway) verifiers(a assembly.Authorization) ([]TokenVerifier, error) {
	switch a.Type {
	case assembly.AuthorizationNone, assembly.AuthorizationIAM:
		return nil, nil
	case assembly.AuthorizationCognito:
	default:
		return nil, fmt.Errorf("authorization of type %q is not served", a.Type)
	}
	if a.Authorizer == nil || a.Authorizer.Type != assembly.AuthorizationCognito || len(a.Authorizer.ProviderARNs) == 0 {
		return nil, errors.New("a Cognito authorizer names its user pools; this one does not")
	}
	if a.Authorizer.Validation != "" {
		return nil, fmt.Errorf("authorizer %s: the IdentityValidationExpression of a Cognito authorizer is not applied yet", a.Authorizer.Name)
	}
	if header := a.Authorizer.Header; header != "" && !validHeaderName(header) {
		return nil, fmt.Errorf("authorizer %s: %q is no header name", a.Authorizer.Name, header)
	}
	var verifiers []TokenVerifier
	for _, arn := range a.Authorizer.ProviderARNs {
		v := g.config.Verifiers[arn]
		if v == nil {
			return nil, fmt.Errorf("authorizer %s: the user pool %s is not served", a.Authorizer.Name, arn)
		}
		verifiers = append(verifiers, v)
	}
	return verifiers, nil
}

// authorize asks the route's authorizer. Only a route of type NONE is open, and
// every reason for a 401 gets the same answer.
func (c *call) authorize() *failure {
	switch c.route.Authorization.Type {
	case assembly.AuthorizationNone:
		c.reason = "public"
		return nil
	case assembly.AuthorizationCognito:
		token, reason := c.verifyToken()
		if token == nil {
			return &failure{kind: unauthorized, reason: reason}
		}
		c.authorizer = map[string]any{"claims": claims(token)}
		c.reason = "token"
		return nil
	case assembly.AuthorizationCustom:
		return c.askAuthorizer()
	default:
		return c.unsigned()
	}
}

// verifyToken returns the verified token of the request, or why there is none.
// A method with scopes takes access tokens that carry any of them; one without
// takes ID tokens only ("Control access to REST APIs using Amazon Cognito user
// pools" [doc]).
func (c *call) verifyToken() (*authn.Token, string) {
	header := c.route.Authorization.Authorizer.Header
	if header == "" {
		header = "Authorization"
	}
	sent := c.request.Header.Values(header)
	if len(sent) > 1 {
		return nil, "more than one token" // which one counts is not known; so none does
	}
	if len(sent) == 0 || sent[0] == "" {
		return nil, "no token"
	}
	// A bare token is taken as well [meas].
	token, err := c.verifyAny(strings.TrimPrefix(sent[0], "Bearer "))
	scopes := c.route.Authorization.Scopes
	switch {
	case err != nil:
		return nil, refusal(err)
	case token == nil:
		return nil, "token refused"
	case len(scopes) == 0 && token.Use != authn.UseID:
		return nil, "not an ID token, on a method without scopes"
	case len(scopes) > 0 && token.Use != authn.UseAccess:
		return nil, "not an access token"
	case len(scopes) > 0 && !token.HasAnyScope(scopes):
		return nil, "no scope of the method"
	}
	return token, ""
}

// verifyAny returns what the first user pool that knows the token says of it.
func (c *call) verifyAny(text string) (token *authn.Token, err error) {
	for _, v := range c.route.verifiers {
		var next error
		if token, next = v.Verify(c.request.Context(), text); next == nil {
			return token, nil
		}
		// Of several pools, the one that issued the token has the better reason.
		if err == nil || authn.ReasonOf(err) == authn.ReasonIssuer {
			err = next
		}
	}
	return nil, err
}

// refusal says why in words of ours: another error's text might quote.
func refusal(err error) string {
	if reason := authn.ReasonOf(err); reason != "" {
		return "token: " + string(reason)
	}
	return "token refused"
}

// claimTimeLayout is how exp and iat arrive: "Tue Nov 21 02:05:00 UTC 2026" [meas].
const claimTimeLayout = "Mon Jan 02 15:04:05 UTC 2006"

// claims renders a token's claims as API Gateway hands them on: all as strings,
// exp and iat as dates, lists joined with commas, other numbers and booleans as
// the token writes them [meas], and so objects [?].
func claims(token *authn.Token) map[string]string {
	var raw map[string]json.RawMessage
	if json.Unmarshal(token.Payload, &raw) != nil {
		return map[string]string{}
	}
	out := make(map[string]string, len(raw))
	for name, value := range raw {
		out[name] = claim(value)
	}
	if _, ok := out["exp"]; ok {
		out["exp"] = token.Expires.UTC().Format(claimTimeLayout)
	}
	if _, ok := out["iat"]; ok {
		out["iat"] = token.IssuedAt.UTC().Format(claimTimeLayout)
	}
	return out
}

func claim(raw json.RawMessage) string {
	var text string
	var list []json.RawMessage
	switch {
	case raw[0] == '"' && json.Unmarshal(raw, &text) == nil:
		return text
	case raw[0] == '[' && json.Unmarshal(raw, &list) == nil:
		items := make([]string, len(list))
		for i, item := range list {
			items[i] = claim(item)
		}
		return strings.Join(items, ",")
	default:
		return string(raw)
	}
}
