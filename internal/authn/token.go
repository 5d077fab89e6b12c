package authn

import "time"

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
