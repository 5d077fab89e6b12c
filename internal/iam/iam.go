// Package iam verifies requests that are signed with AWS Signature Version 4
// ("Signature Version 4 for API requests", IAM user guide).
//
// It takes the header and the query (presigned) form, and is stricter than AWS
// where AWS is lenient:
//
//   - the path counts as it was sent: dot segments and double slashes are
//     never folded, so a signature for /b does not fit /a/../b;
//   - host and every X-Amz-* header must be signed;
//   - the time stamp is X-Amz-Date; a Date header does not replace it;
//   - a body must be hashed, except for Amazon S3, which knows UNSIGNED-PAYLOAD;
//   - whatever may stand once is refused when it stands twice.
//
// # Order of checks
//
// Syntax of the signature, signed headers, Region and service, clock, body hash,
// access key, session token, signature, and only then the credential's expiry,
// so that nobody but its holder learns of that.
//
//	verifier, err := iam.NewVerifier(iam.Config{
//		Credentials: store,
//		Region:      "eu-west-1",
//		Service:     func(service string) bool { return service == "execute-api" },
//	})
//	...
//	caller, err := verifier.Verify(request, body)
//	if err != nil {
//		return refuse(err)
//	}
//
// It also reads policy documents and decides by them: [ParsePolicy] fails where
// a document holds what IAM does not define, and [Evaluate] never allows by
// what it cannot decide.
package iam

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Credential is an AWS access key and who signs with it. It prints and logs
// without its secrets.
type Credential struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // empty for a long-term key
	Principal       string    // ARN of who signs with it
	Expires         time.Time // from then on it is refused; zero for never
}

var (
	_ fmt.Formatter  = Credential{}
	_ slog.LogValuer = Credential{}
)

// Format writes the access key id and the principal, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "access key %s of %s", c.AccessKeyID, c.Principal)
}

// LogValue returns what Format writes.
func (c Credential) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// CredentialStore finds a credential by access key id, a string that anyone may
// have chosen.
type CredentialStore interface {
	Credential(accessKeyID string) (Credential, bool)
}

// Code is an error code as AWS's query protocol names it ("Common Errors" in
// each service's API reference).
type Code string

// Codes of an [Error].
const (
	MissingAuthenticationToken Code = "MissingAuthenticationToken" // not signed
	IncompleteSignature        Code = "IncompleteSignature"        // malformed, or a part is missing
	InvalidClientTokenID       Code = "InvalidClientTokenId"       // nobody's key, or not its session token
	SignatureDoesNotMatch      Code = "SignatureDoesNotMatch"      // another request, place or secret
	RequestExpired             Code = "RequestExpired"             // signed too long ago, or ahead of time
	ExpiredToken               Code = "ExpiredToken"               // the credential is past its expiry
)

// Exception returns the code's name in the JSON protocols and in API Gateway's
// x-amzn-ErrorType header.
func (c Code) Exception() string {
	switch c {
	case InvalidClientTokenID:
		return "UnrecognizedClientException"
	case SignatureDoesNotMatch, RequestExpired:
		return "InvalidSignatureException"
	default:
		return string(c) + "Exception"
	}
}

// Status returns the HTTP status that AWS documents for the code.
func (c Code) Status() int {
	if c == IncompleteSignature || c == RequestExpired {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// Error is a refusal. Its text holds nothing of the request.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// CodeOf returns the code of a refusal, or "" if err is none.
func CodeOf(err error) Code {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

func refuse(code Code, message string) error { return &Error{code, message} }
