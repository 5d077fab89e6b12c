package authn

import (
	"slices"
	"strings"
	"time"
)

// Values of [Token].Use, the token_use claim.
const (
	UseAccess = "access"
	UseID     = "id"
)

// Token is what a verified token says. Only [Verifier.Verify] makes one.
type Token struct {
	Use      string // "access" or "id"
	Issuer   string
	Subject  string
	ClientID string   // client_id of an access token, aud of an ID token
	Username string   // empty for a client_credentials token
	Scopes   []string // in the token's order; access tokens only
	Groups   []string // cognito:groups
	ID       string   // jti

	IssuedAt time.Time
	Expires  time.Time

	// Payload is the verified claims object as the token carries it: one JSON
	// object, valid UTF-8, bounded depth, no member twice.
	Payload []byte
}

// HasAnyScope reports whether the token carries at least one of scopes, byte
// for byte. It is false for no scopes and for no token.
func (t *Token) HasAnyScope(scopes []string) bool {
	return t != nil && slices.ContainsFunc(scopes, func(scope string) bool {
		return slices.Contains(t.Scopes, scope)
	})
}

// readToken checks the claims of payload, whose iss is this issuer's, and
// returns them as a Token, which nobody may see before the signature has
// matched.
func (c *Config) readToken(claims *object, payload []byte) (*Token, error) {
	t := &Token{
		Use:      claims.str("token_use"),
		Issuer:   c.Issuer,
		Subject:  claims.str("sub"),
		Groups:   claims.strings("cognito:groups"),
		ID:       claims.str("jti"),
		IssuedAt: claims.seconds("iat"),
		Expires:  claims.seconds("exp"),
		Payload:  payload,
	}
	// One string, or the claim is of the wrong type: a list of audiences would
	// name others beside us. An access token may carry one, for a resource.
	notBefore, audience := claims.seconds("nbf"), claims.str("aud")
	ok := true
	switch t.Use {
	case UseAccess:
		t.ClientID, t.Username = claims.str("client_id"), claims.str("username")
		t.Scopes, ok = splitScopes(claims.str("scope"))
	case UseID:
		t.ClientID, t.Username = audience, claims.str("cognito:username")
	}
	now := c.Now()
	switch latest := now.Add(c.Skew); {
	case t.Use != UseAccess && t.Use != UseID:
		return nil, refuse(ReasonTokenUse)
	case !ok || claims.wrongType || t.Expires.IsZero() || t.Subject == "" || t.ClientID == "":
		return nil, refuse(ReasonClaims)
	case !now.Before(t.Expires): // from that second on, RFC 7519 section 4.1.4
		return nil, refuse(ReasonExpired)
	case notBefore.After(latest) || t.IssuedAt.After(latest):
		return nil, refuse(ReasonNotYetValid)
	}
	return t, nil
}

// splitScopes splits a scope claim at its single spaces (RFC 6749 section 3.3).
// An absent or empty claim holds no scope.
func splitScopes(claim string) ([]string, bool) {
	if claim == "" {
		return nil, true
	}
	scopes := make([]string, 0, strings.Count(claim, " ")+1)
	for scope := range strings.SplitSeq(claim, " ") {
		if scope == "" || strings.ContainsFunc(scope, notInScope) {
			return nil, false
		}
		scopes = append(scopes, scope)
	}
	return scopes, true
}

func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
