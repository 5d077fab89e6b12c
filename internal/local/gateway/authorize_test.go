package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
)

func TestCognitoAuthorizer(t *testing.T) {
	t.Parallel()
	scoped := cognito("notes/read", "notes/write")
	tests := map[string]struct {
		auth   assembly.Authorization
		tokens []string
		status int
		reason string
	}{
		"one scope":            {scoped, []string{"Bearer access-read"}, 200, "token"},
		"another scope":        {scoped, []string{"Bearer access-write"}, 200, "token"},
		"bare token":           {scoped, []string{"access-read"}, 200, "token"},
		"lower-case bearer":    {scoped, []string{"bearer access-read"}, 401, "token: signature"},
		"two spaces":           {scoped, []string{"Bearer  access-read"}, 401, "token: signature"},
		"none":                 {scoped, nil, 401, "no token"},
		"empty":                {scoped, []string{""}, 401, "no token"},
		"garbage":              {scoped, []string{"Bearer x.y.z"}, 401, "token: signature"},
		"no scope in it":       {scoped, []string{"access-none"}, 401, "no scope of the method"},
		"scopes nearly":        {scoped, []string{"access-near"}, 401, "no scope of the method"},
		"ID token with scopes": {scoped, []string{"id"}, 401, "not an access token"},
		"ID token without":     {anyID, []string{"id"}, 200, "token"},
		"access token without": {anyID, []string{"access-read"}, 401, "not an ID token, on a method without scopes"},
		"two headers":          {scoped, []string{"access-read", "access-read"}, 401, "more than one token"},
		"nil without an error": {scoped, []string{"nothing"}, 401, "token refused"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, testConfig(proxy("GET", "/v1/whoami", test.auth)))
			r := httptest.NewRequest(http.MethodGet, "/v1/whoami", nil)
			r.Header["Authorization"] = test.tokens
			w := g.do(r)
			if test.status == 401 {
				check(t, w, 401, unauthorizedBody, "UnauthorizedException")
			}
			if ran := g.functions.calls() > 0; w.Code != test.status || ran != (test.status == 200) {
				t.Errorf("got %d, function ran: %v", w.Code, ran)
			}
			if reason := g.line(t)["reason"]; reason != test.reason {
				t.Errorf("logged reason %q, want %q", reason, test.reason)
			}
		})
	}
}

func TestAuthorizerTakesItsOwnHeader(t *testing.T) {
	t.Parallel()
	auth := cognito("notes/read")
	auth.Authorizer.Header = "x-token"
	g := serve(t, testConfig(proxy("GET", "/a", auth)))
	r := httptest.NewRequest(http.MethodGet, "/a", nil)
	r.Header.Set("Authorization", "access-read")
	check(t, g.do(r), 401, unauthorizedBody, "UnauthorizedException")
	r.Header.Set("X-Token", "access-read")
	if w := g.do(r); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
}

// failing refuses every token for a reason.
type failing struct{ err error }

func (f failing) Verify(context.Context, string) (*authn.Token, error) { return nil, f.err }

func TestSeveralUserPools(t *testing.T) {
	t.Parallel()
	auth := cognito("notes/read")
	auth.Authorizer.ProviderARNs = []string{"first", poolARN, "third"}
	c := testConfig(proxy("GET", "/a", auth))
	c.Verifiers["first"] = failing{&authn.Error{Reason: authn.ReasonIssuer}}
	c.Verifiers["third"] = failing{errors.New("planted-secret")}
	g := serve(t, c)
	if w := g.get("/a", "access-read"); w.Code != 200 {
		t.Errorf("the second pool's token: %d", w.Code)
	}
	g.logged.Reset()
	check(t, g.get("/a", "x"), 401, unauthorizedBody, "UnauthorizedException")
	if reason := g.line(t)["reason"]; reason != "token: signature" {
		t.Errorf("reason %q", reason)
	}
	c = testConfig(proxy("GET", "/a", cognito("notes/read")))
	c.Verifiers[poolARN] = failing{errors.New("planted-secret")}
	g = serve(t, c)
	g.get("/a", "x")
	if reason := g.line(t)["reason"]; reason != "token refused" {
		t.Errorf("reason %q", reason)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	got := claims(accessToken("notes/read", "notes/write"))
	want := map[string]string{
		"exp": "Sat Nov 21 03:05:00 UTC 2026", "iat": "Sat Nov 21 02:05:00 UTC 2026", "auth_time": "1718636404",
		"cognito:groups": "group-a,group-b", "email_verified": "true", "version": "2", "scope": "notes/read notes/write",
		"odd": "a\r\nb\"c", "nested": `{"a":1}`, "nothing": "null", "sub": "client-1", "client_id": "client-1", "token_use": "access",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := claims(&authn.Token{Payload: []byte("[]")}); len(got) != 0 {
		t.Errorf("claims of a payload that is no object: %v", got)
	}
}

// TestUnsigned covers methods of type AWS_IAM and routes that do not exist.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	const (
		required = "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
		date     = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
		signed   = "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=00"
		denied   = `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********0000:api123/dev/GET/signed"}`
	)
	hash := func(header string) string {
		sum := sha256.Sum256([]byte(header))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	invalid := func(header string) string {
		return "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '" + hash(header) + "'."
	}
	lacks := func(what, header string) string {
		return what + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hash(header)
	}
	tests := map[string]struct {
		authorization, date, query string
		message                    string // of an incomplete signature
		unknown, known             string // else: body for an unknown route, for an AWS_IAM method
	}{
		"no header":       {unknown: missingBody, known: missingBody},
		"bearer":          {authorization: "Bearer planted-secret", message: invalid("Bearer planted-secret")},
		"bare token":      {authorization: "planted-secret", message: lacks(required+date, "planted-secret")},
		"with a date":     {authorization: "planted-secret", date: "x", message: lacks(required, "planted-secret")},
		"Basic, padded":   {authorization: "Basic planted==", message: lacks(required+date, "Basic planted==")},
		"equal sign":      {authorization: "planted=secret x", message: "Authorization header must begin with the algorithm name, which cannot include an equal-sign"},
		"signed":          {authorization: signed, date: "20261121T020500Z", unknown: missingBody, known: denied},
		"signed, no date": {authorization: signed, message: lacks(date, signed)},
		"presigned":       {query: "?X-Amz-Signature=00", unknown: missingBody, known: denied},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for path, body := range map[string]string{"/signed": test.known, "/unknown": test.unknown} {
				g := serve(t, testConfig(proxy("GET", "/signed", signedOnly)))
				r := httptest.NewRequest(http.MethodGet, path+test.query, nil)
				if test.authorization != "" {
					r.Header.Set("Authorization", test.authorization)
				}
				r.Header.Set("X-Amz-Date", test.date)
				w := g.do(r)
				errorType := "MissingAuthenticationTokenException"
				if body == denied {
					errorType = "AccessDeniedException"
				}
				if test.message != "" {
					body, errorType = `{"message":"`+test.message+`"}`, "IncompleteSignatureException"
				}
				check(t, w, 403, body, errorType)
				if g.functions.calls() != 0 || strings.Contains(w.Body.String()+g.logged.String(), "planted") {
					t.Error("the function ran, or the credential shows")
				}
			}
		})
	}
}
