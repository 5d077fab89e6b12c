package cognito

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/google/uuid"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
)

const jwksPath = "/.well-known/jwks.json"

// signer signs the tokens of every pool.
type signer struct {
	key    *rsa.PrivateKey
	kid    string
	header string // encoded; Cognito's holds kid and alg, and no typ
}

// jwk is a public key as Cognito publishes it (RFC 7517).
type jwk struct {
	Alg string `json:"alg"`
	E   string `json:"e"`
	Kid string `json:"kid"`
	Kty string `json:"kty"`
	N   string `json:"n"`
	Use string `json:"use"`
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

// newSigner returns a signer with key, or with a fresh one if key is nil.
func newSigner(key *rsa.PrivateKey) (*signer, error) {
	if key == nil {
		fresh, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("cognito: make a signing key: %w", err)
		}
		key = fresh
	}
	if key.N == nil || key.N.BitLen() < authn.MinKeyBits || key.N.BitLen() > authn.MaxKeyBits || key.Validate() != nil {
		return nil, errors.New("cognito: the signing key must be a valid RSA key of 2,048 to 4,096 bits")
	}
	s := &signer{key: key}
	// The thumbprint (RFC 7638) makes the id stable for a key. Cognito's ids
	// are 32 bytes in base64 as well.
	e, n := s.numbers()
	thumbprint := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	s.kid = base64.StdEncoding.EncodeToString(thumbprint[:])
	s.header = encode([]byte(`{"kid":"` + s.kid + `","alg":"RS256"}`))
	return s, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// numbers returns exponent and modulus as a JWK holds them.
func (s *signer) numbers() (e, n string) {
	return encode(big.NewInt(int64(s.key.E)).Bytes()), encode(s.key.N.Bytes())
}

func (s *signer) jwks() jwks {
	e, n := s.numbers()
	return jwks{[]jwk{{Alg: "RS256", E: e, Kid: s.kid, Kty: "RSA", N: n, Use: "sig"}}}
}

// sign returns claims as a compact JWS with RS256.
func (s *signer) sign(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := s.header + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(signature), nil
}

// accessClaims are an access token's ("Understanding the access token", Amazon
// Cognito developer guide) without those that speak of a user.
type accessClaims struct {
	Subject  string `json:"sub"`
	TokenUse string `json:"token_use"`
	Scope    string `json:"scope"` // separated by spaces
	AuthTime int64  `json:"auth_time"`
	Issuer   string `json:"iss"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	Version  int    `json:"version"`
	ID       string `json:"jti"`
	ClientID string `json:"client_id"`
}

// accessToken signs a token for a client that acts for itself: it is its own
// subject.
func (s *Server) accessToken(c *client, scopes []string) (string, error) {
	now := s.config.Now()
	return s.signer.sign(accessClaims{
		Subject:  c.ID,
		TokenUse: "access",
		Scope:    strings.Join(scopes, " "),
		AuthTime: now.Unix(),
		Issuer:   c.pool.Issuer,
		Expires:  now.Add(c.AccessTokenLifetime).Unix(),
		IssuedAt: now.Unix(),
		Version:  2,
		ID:       uuid.NewString(),
		ClientID: c.ID,
	})
}

// newSecret returns a client secret of 255 random bits in Cognito's form: 51
// characters of base32 with digits first, in lower case.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.HexEncoding.EncodeToString(b[:]))[:51]
}

// openIDConfiguration is a pool's OpenID Provider metadata (OpenID Connect
// Discovery 1.0 section 3): Cognito's fields, as far as they are served.
type openIDConfiguration struct {
	IDTokenAlgorithms []string `json:"id_token_signing_alg_values_supported"`
	Issuer            string   `json:"issuer"`
	JWKSURI           string   `json:"jwks_uri"`
	ResponseTypes     []string `json:"response_types_supported"`
	SubjectTypes      []string `json:"subject_types_supported"`
	TokenEndpoint     string   `json:"token_endpoint,omitempty"`
	AuthMethods       []string `json:"token_endpoint_auth_methods_supported,omitempty"`
}

func (s *Server) configuration(pool *assembly.UserPool) openIDConfiguration {
	c := openIDConfiguration{
		IDTokenAlgorithms: []string{"RS256"},
		Issuer:            pool.Issuer,
		JWKSURI:           pool.Issuer + jwksPath,
		ResponseTypes:     []string{}, // no authorization endpoint
		SubjectTypes:      []string{"public"},
	}
	if pool.HasDomain() {
		c.TokenEndpoint = s.config.BaseURL + tokenPath
		c.AuthMethods = []string{"client_secret_basic", "client_secret_post"}
	}
	return c
}
