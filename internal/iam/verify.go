package iam

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxSkew is how far the signer's clock may be off. API Gateway grants five
// minutes, other services up to fifteen.
const MaxSkew = 5 * time.Minute

const (
	unsignedPayload = "UNSIGNED-PAYLOAD"
	serviceS3       = "s3"
)

// Config is what a [Verifier] goes by.
type Config struct {
	// Credentials holds who may sign. Required.
	Credentials CredentialStore
	// Region is the only one that signatures may be scoped to. Required.
	Region string
	// Service reports whether signatures may be scoped to a service. Required.
	Service func(service string) bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Verifier verifies signed requests. Its zero value refuses every request. It
// is safe for concurrent use if its CredentialStore is.
type Verifier struct {
	config Config
}

// NewVerifier returns a Verifier, or an error if c lacks anything required.
func NewVerifier(c Config) (*Verifier, error) {
	if c.Credentials == nil || c.Region == "" || c.Service == nil {
		return nil, errors.New("iam: Config needs Credentials, Region and Service")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{c}, nil
}

// Verify returns the credential that r is signed with if every check of the
// package comment holds, else an [*Error]. The body is all of r's, which Verify
// does not read itself.
func (v *Verifier) Verify(r *http.Request, body []byte) (Credential, error) {
	if v == nil || v.config.Credentials == nil {
		return Credential{}, refuse(InvalidClientTokenID, "nobody may sign here")
	}
	s, err := readSignature(r)
	if err != nil {
		return Credential{}, err
	}
	if err := s.checkSignedHeaders(r); err != nil {
		return Credential{}, err
	}
	if err := v.checkScope(s); err != nil {
		return Credential{}, err
	}
	if err := s.checkTime(v.config.Now()); err != nil {
		return Credential{}, err
	}
	payload, err := s.payloadHash(r, body)
	if err != nil {
		return Credential{}, err
	}
	c, ok := v.config.Credentials.Credential(s.accessKeyID)
	if !ok || c.AccessKeyID != s.accessKeyID || c.SecretAccessKey == "" || !equal(c.SessionToken, s.token) {
		return Credential{}, refuse(InvalidClientTokenID, "The security token included in the request is invalid.")
	}
	if !equal(s.sign(s.canonicalRequest(r, payload), c.SecretAccessKey), s.value) {
		return Credential{}, refuse(SignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	if !c.Expires.IsZero() && !v.config.Now().Before(c.Expires) {
		return Credential{}, refuse(ExpiredToken, "The security token included in the request is expired.")
	}
	return c, nil
}

// ClaimedService returns the service that r's signature is scoped to, or "" if
// r has no well-formed signature. It verifies nothing: it is for shaping an
// error, and for a request that [Verifier.Verify] has passed.
func ClaimedService(r *http.Request) string {
	s, err := readSignature(r)
	if err != nil {
		return ""
	}
	return s.service
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (v *Verifier) checkScope(s *signature) error {
	switch {
	case s.date != s.stamp[:len(s.date)]:
		return refuse(SignatureDoesNotMatch, "Date in Credential scope does not match the day of X-Amz-Date.")
	case s.region != v.config.Region:
		return refuse(SignatureDoesNotMatch, "Credential should be scoped to a valid region, here "+v.config.Region+".")
	case !v.config.Service(s.service):
		return refuse(SignatureDoesNotMatch, "Credential should be scoped to the correct service.")
	}
	return nil
}

// checkTime checks when r was signed. A presigned request lasts as long as it
// says; its clock may run ahead, like any.
func (s *signature) checkTime(now time.Time) error {
	last := s.time.Add(MaxSkew)
	if s.presigned {
		last = s.time.Add(s.lifetime)
	}
	switch {
	case now.After(last):
		return refuse(RequestExpired, "Signature expired: X-Amz-Date is too long ago; check the clock.")
	case s.time.After(now.Add(MaxSkew)):
		return refuse(RequestExpired, "Signature not yet current: X-Amz-Date lies ahead; check the clock.")
	}
	return nil
}

// checkSignedHeaders refuses a header that AWS reads although nobody signed it,
// and a signed one that is not there.
func (s *signature) checkSignedHeaders(r *http.Request) error {
	if !slices.Contains(s.signedHeaders, "host") {
		return refuse(SignatureDoesNotMatch, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.signedHeaders, name) {
			return refuse(SignatureDoesNotMatch, "Every X-Amz-* header must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	for _, name := range s.signedHeaders {
		if headerValues(r, name) == nil {
			return refuse(SignatureDoesNotMatch, "A 'SignedHeader' is not in the request.")
		}
	}
	return nil
}

// payloadHash returns what the canonical request ends with: the body's hash,
// which a declared one has to equal.
func (s *signature) payloadHash(r *http.Request, body []byte) (string, error) {
	declared := slices.Clone(r.Header.Values("X-Amz-Content-Sha256"))
	if s.presigned {
		declared = append(declared, s.query.values("X-Amz-Content-Sha256")...)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	switch {
	case len(declared) > 1:
		return "", refuse(IncompleteSignature, "X-Amz-Content-Sha256 stands more than once.")
	case s.service == serviceS3 && (len(declared) == 1 && declared[0] == unsignedPayload || len(declared) == 0 && s.presigned):
		return unsignedPayload, nil
	case len(declared) == 1 && declared[0] != hash:
		return "", refuse(SignatureDoesNotMatch, "X-Amz-Content-Sha256 is not the SHA-256 of the body.")
	}
	return hash, nil
}

// sign computes the signature of a canonical request ("Create a signed AWS API
// request", IAM user guide).
func (s *signature) sign(canonicalRequest, secret string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, scopeTerminator, s.stringToSign(canonicalRequest)} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func (s *signature) stringToSign(canonicalRequest string) string {
	sum := sha256.Sum256([]byte(canonicalRequest))
	scope := strings.Join([]string{s.date, s.region, s.service, scopeTerminator}, "/")
	return strings.Join([]string{algorithm, s.stamp, scope, hex.EncodeToString(sum[:])}, "\n")
}
