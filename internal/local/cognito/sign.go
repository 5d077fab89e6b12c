package cognito

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/cognito/hosted"
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

// openIDConfiguration is a pool's OpenID Provider metadata (OpenID Connect
// Discovery 1.0 section 3; RFC 8414 section 2): Cognito's fields, as far as they
// are served, and those that libraries read besides.
type openIDConfiguration struct {
	AuthorizationEndpoint string   `json:"authorization_endpoint,omitempty"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported,omitempty"`
	EndSessionEndpoint    string   `json:"end_session_endpoint,omitempty"`
	GrantTypes            []string `json:"grant_types_supported,omitempty"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	Issuer                string   `json:"issuer"`
	JWKSURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	RevocationEndpoint    string   `json:"revocation_endpoint,omitempty"`
	Scopes                []string `json:"scopes_supported,omitempty"`
	SubjectTypes          []string `json:"subject_types_supported"`
	TokenEndpoint         string   `json:"token_endpoint,omitempty"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint,omitempty"`
}

func (s *Server) configuration(pool *assembly.UserPool) openIDConfiguration {
	c := openIDConfiguration{
		IDTokenAlgorithms: []string{"RS256"},
		Issuer:            pool.Issuer,
		JWKSURI:           pool.Issuer + jwksPath,
		ResponseTypes:     []string{}, // without a domain, no authorization endpoint
		SubjectTypes:      []string{"public"},
	}
	if pool.HasDomain() {
		base := s.config.BaseURL
		c.AuthorizationEndpoint = base + hosted.AuthorizePath
		c.ChallengeMethods = []string{"S256"}
		c.EndSessionEndpoint = base + hosted.LogoutPath
		c.GrantTypes = []string{"authorization_code", "refresh_token", "client_credentials"}
		c.ResponseTypes = []string{"code"}
		c.RevocationEndpoint = base + hosted.RevokePath
		c.Scopes = []string{"openid", "email", "phone", "profile"}
		c.TokenEndpoint = base + hosted.TokenPath
		c.AuthMethods = []string{"client_secret_basic", "client_secret_post", "none"}
		c.UserInfoEndpoint = base + hosted.UserInfoPath
	}
	return c
}
