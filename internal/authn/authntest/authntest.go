// Package authntest makes tokens for tests: genuine ones, and those that must
// be refused whatever stands between them and the verifier.
package authntest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client_credentials and a user token look as Cognito writes them; the key id
// holds a slash, as Cognito's do.
const (
	Issuer        = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
	KeyID         = "Q7uM40TqLd/LTKRINhBRMz3E/IvjbpA4Kna9+nsxx18="
	AccessHeader  = `{"kid":"` + KeyID + `","alg":"RS256"}`
	AccessPayload = `{"sub":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","cognito:groups":["editors"],` +
		`"iss":"` + Issuer + `","version":2,"client_id":"3n4b5urk1ft4fl3mg5e62d9ado",` +
		`"origin_jti":"0d3a8b1c-2b2f-4c3f-8a55-1f1f0c0f6b11","event_id":"7f1f2a4e-57c3-4e5e-9a38-0b2f6f7b8c9d",` +
		`"token_use":"access","scope":"openid notes/read notes/write","auth_time":1700000000,` +
		`"exp":1700003600,"iat":1700000000,"jti":"b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f1a2b",` +
		`"username":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11"}`
	MachinePayload = `{"sub":"3n4b5urk1ft4fl3mg5e62d9ado","token_use":"access","scope":"notes/read",` +
		`"auth_time":1700000000,"iss":"` + Issuer + `","exp":1700003600,"iat":1700000000,"version":2,` +
		`"jti":"b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f1a2b","client_id":"3n4b5urk1ft4fl3mg5e62d9ado"}`
	IDPayload = `{"at_hash":"x","sub":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","email_verified":true,` +
		`"iss":"https:\/\/cognito-idp.eu-west-1.amazonaws.com\/eu-west-1_AbCdEfGhI","cognito:username":"jos\u00e9",` +
		`"aud":"3n4b5urk1ft4fl3mg5e62d9ado","identities":[{"userId":"1","primary":"true"}],"token_use":"id",` +
		`"auth_time":1700000000,"exp":1700003600,"iat":1700000000,"email":"jose@example.com"}`
)

// Now lies within the life of the tokens above.
func Now() time.Time { return time.Unix(1700000100, 0) }

var generateKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// Key is the genuine signer's, called [KeyID].
func Key(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	key, err := generateKey()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// JWK is a public key as a JWK Set lists it.
func JWK(kid string, key *rsa.PublicKey) string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","alg":"RS256","kid":%q,"e":"AQAB","n":%q}`, kid, Encode(string(key.N.Bytes())))
}

// JWKS is the JWK Set of members such as [JWK]'s.
func JWKS(members ...string) string { return `{"keys":[` + strings.Join(members, ",") + `]}` }

// Encode returns text in base64url without padding.
func Encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// Sign returns a token of any header and payload with a genuine signature.
func Sign(tb testing.TB, header, payload string) string {
	tb.Helper()
	return SignSegments(tb, Encode(header)+"."+Encode(payload))
}

// SignSegments appends a genuine signature of any text at all.
func SignSegments(tb testing.TB, signed string) string {
	tb.Helper()
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, Key(tb), crypto.SHA256, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	return signed + "." + Encode(string(signature))
}

// With returns payload with one member's JSON text replaced, or removed if text
// is empty.
func With(payload, name, text string) string {
	member := regexp.MustCompile(`,?"` + name + `":("[^"]*"|\[[^\]]*\]|[^,}]*)`)
	if !member.MatchString(payload) {
		return strings.TrimSuffix(payload, "}") + `,"` + name + `":` + text + "}"
	}
	replacement := ""
	if text != "" {
		replacement = `,"` + name + `":` + text
	}
	return strings.Replace(member.ReplaceAllLiteralString(payload, replacement), "{,", "{", 1)
}
