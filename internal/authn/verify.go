package authn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DefaultSkew is how far ahead of this clock the issuer's may run where
// [Config].Skew is zero; MaxSkew is the most that may be configured.
const (
	DefaultSkew = 10 * time.Second
	MaxSkew     = 5 * time.Minute
)

// Reason says why a token was refused. It is for logs: see the package comment.
type Reason string

// Reasons, in the order of the checks.
const (
	ReasonMalformed   Reason = "malformed"     // not three canonical segments of strict JSON
	ReasonHeader      Reason = "header"        // a parameter or a typ that is not taken
	ReasonAlgorithm   Reason = "algorithm"     // alg is not RS256
	ReasonUnknownKey  Reason = "unknown key"   // kid is no key id, or its key is unknown or too weak
	ReasonNoKeys      Reason = "no keys"       // the issuer's keys could not be read yet: nothing can be decided
	ReasonIssuer      Reason = "issuer"        // not the configured one
	ReasonTokenUse    Reason = "token use"     // neither an access nor an ID token
	ReasonClaims      Reason = "claims"        // one is missing or of the wrong type
	ReasonExpired     Reason = "expired"       // exp has come
	ReasonNotYetValid Reason = "not yet valid" // nbf or iat lies ahead
	ReasonSignature   Reason = "signature"     // does not match
)

// Error is a refusal. Its text holds nothing of the token.
type Error struct {
	Reason Reason
}

func (e *Error) Error() string { return "token refused: " + string(e.Reason) }

// ReasonOf returns the reason of a refusal, or "" if err is none.
func ReasonOf(err error) Reason {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

func refuse(reason Reason) error { return &Error{reason} }

// Config is what a [Verifier] goes by.
type Config struct {
	// Issuer is the only iss that is taken, byte for byte:
	// "https://cognito-idp.<region>.amazonaws.com/<pool id>". Required.
	Issuer string
	// Keys holds the issuer's public keys. Required.
	Keys KeySource
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Skew is how far nbf and iat may lie in the future, at most [MaxSkew].
	// Default: [DefaultSkew]. It never lengthens a token's life: exp is exact.
	Skew time.Duration
}

// Verifier verifies the tokens of one issuer. Its zero value refuses every
// token. It is safe for concurrent use if its KeySource is.
type Verifier struct {
	config Config
}

// NewVerifier returns a Verifier, or an error if c lacks the issuer or the
// keys, or if its skew is negative or above [MaxSkew].
func NewVerifier(c Config) (*Verifier, error) {
	if c.Issuer == "" {
		return nil, errors.New("authn: Config.Issuer is empty; name the user pool's issuer")
	}
	if c.Keys == nil {
		return nil, errors.New("authn: Config.Keys is nil; give the issuer's public keys")
	}
	if c.Skew < 0 || c.Skew > MaxSkew {
		return nil, fmt.Errorf("authn: Config.Skew is %v; it may be 0 (for %v) to %v", c.Skew, DefaultSkew, MaxSkew)
	}
	if c.Skew == 0 {
		c.Skew = DefaultSkew
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{c}, nil
}

// Verify returns what token says if every check of the package comment holds.
// Else it returns an [*Error] and nothing of the token.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	if v == nil || v.config.Keys == nil {
		return nil, refuse(ReasonUnknownKey)
	}
	if len(token) > MaxTokenBytes || strings.Count(token, ".") != 2 { // before it is copied
		return nil, refuse(ReasonMalformed)
	}
	verified, err := verify(ctx, []byte(token), func(issuer string) *Verifier {
		if issuer != v.config.Issuer {
			return nil
		}
		return v
	})
	if err != nil {
		return nil, err
	}
	return verified.Token, nil
}

// verifiedToken is a token with the key that its signature matched, and what that
// signed.
type verifiedToken struct {
	*Token
	signed string // header, dot, payload as sent
	kid    string
	key    *rsa.PublicKey
}

// verify picks the verifier by an iss that nobody has signed yet. It decides
// nothing but that: the token must then match a key of just that issuer.
func verify(ctx context.Context, token []byte, of func(issuer string) *Verifier) (*verifiedToken, error) {
	var j jws
	if err := j.parse(token); err != nil {
		return nil, err
	}
	var buffer [24]member
	claims, ok := parseObject(string(j.payload), buffer[:0])
	if !ok {
		return nil, refuse(ReasonMalformed)
	}
	v := of(claims.str("iss"))
	if v == nil {
		return nil, refuse(ReasonIssuer)
	}
	read, err := v.config.readToken(&claims, j.payload)
	if err != nil {
		return nil, err
	}
	key, err := j.verify(ctx, v.config.Keys)
	if err != nil {
		return nil, err
	}
	return &verifiedToken{read, string(j.signed), j.kid, key}, nil
}

// Bounds of a token. API Gateway takes 10,240 bytes of header values in all
// ("Quotas for configuring and running a REST API"), so a longer token cannot
// arrive there.
const (
	MaxTokenBytes = 10240
	MaxKeyIDBytes = 128

	maxHeaderBytes    = 1024 // kid, wholly escaped, and change
	maxSignatureBytes = MaxKeyBits / 8
	maxSignatureText  = 1 + (maxSignatureBytes*8+5)/6 // with its dot
)

// jws is a compact JWS (RFC 7515 section 3.1), taken apart but not verified.
type jws struct {
	signed    []byte // header, dot, payload as sent
	kid       string
	payload   []byte
	signature []byte
}

// parse takes token apart and checks all of it but claims and signature.
func (j *jws) parse(raw []byte) error {
	first, last := bytes.IndexByte(raw, '.'), bytes.LastIndexByte(raw, '.')
	if len(raw) > MaxTokenBytes || first == last || bytes.IndexByte(raw[first+1:last], '.') >= 0 {
		return refuse(ReasonMalformed)
	}
	header, headerOK := decodeSegment(raw[:first], maxHeaderBytes)
	payload, payloadOK := decodeSegment(raw[first+1:last], MaxTokenBytes)
	signature, signatureOK := decodeSegment(raw[last+1:], maxSignatureBytes)
	if !headerOK || !payloadOK || !signatureOK {
		return refuse(ReasonMalformed)
	}
	j.signed, j.payload, j.signature = raw[:last], payload, signature
	return j.readHeader(string(header))
}

// decodeSegment decodes canonical base64url of at most limit bytes.
func decodeSegment(segment []byte, limit int) ([]byte, bool) {
	size := base64.RawURLEncoding.DecodedLen(len(segment))
	if size > limit {
		return nil, false
	}
	decoded := make([]byte, size)
	// Strict refuses spare bits. CR and LF are skipped silently even so, and
	// show in the length.
	n, err := base64.RawURLEncoding.Strict().Decode(decoded, segment)
	return decoded, err == nil && n == size
}

func (j *jws) readHeader(text string) error {
	var buffer [3]member
	header, ok := parseObject(text, buffer[:0])
	if !ok {
		return refuse(ReasonMalformed)
	}
	for _, m := range header.members {
		if m.name != "alg" && m.name != "kid" && m.name != "typ" {
			return refuse(ReasonHeader)
		}
	}
	if header.get("alg") != (value{'"', "RS256"}) {
		return refuse(ReasonAlgorithm)
	}
	if typ := header.get("typ"); typ != (value{}) && typ != (value{'"', "JWT"}) {
		return refuse(ReasonHeader)
	}
	if j.kid = header.str("kid"); !usableKeyID(j.kid) {
		return refuse(ReasonUnknownKey)
	}
	return nil
}

// verify looks the key up and checks the signature: the only RSA work there is.
func (j *jws) verify(ctx context.Context, keys KeySource) (*rsa.PublicKey, error) {
	key, err := keys.Key(ctx, j.kid)
	if errors.Is(err, ErrNoKeys) {
		return nil, refuse(ReasonNoKeys)
	}
	if err != nil || !usableKey(key) {
		return nil, refuse(ReasonUnknownKey)
	}
	digest := sha256.Sum256(j.signed)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], j.signature) != nil {
		return nil, refuse(ReasonSignature)
	}
	return key, nil
}
