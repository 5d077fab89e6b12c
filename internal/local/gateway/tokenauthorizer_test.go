package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// byToken is an authorizer of type TOKEN over the header Authorization.
func byToken(ttl time.Duration, validation string) assembly.Authorization {
	return assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: &assembly.Authorizer{
		ID: "auth01", Name: "gatewright", Type: assembly.AuthorizerToken, FunctionARN: callersARN, Header: "Authorization", Validation: validation, CacheTTL: ttl,
	}}
}

func TestTokenAuthorizer(t *testing.T) {
	t.Parallel()
	unauthorized := "authorizer: Unauthorized"
	for name, test := range map[string]struct {
		output, functionError string
		status                int
		body, reason          string
	}{
		"allow":            {says("Allow", callARN, ""), "", 200, "ok", "authorizer"},
		"deny":             {says("Deny", callARN, ""), "", 403, explicitBody, "authorizer: an explicit deny"},
		"another method":   {says("Allow", callARN+"/x", ""), "", 403, deniedBody, "authorizer: no statement of its policy allows the call"},
		"Unauthorized":     {`{"errorMessage":"Unauthorized"}`, "Unhandled", 401, unauthorizedBody, unauthorized},
		"another error":    {`{"errorMessage":"planted-secret"}`, "Unhandled", 500, internalBody, "authorizer error"},
		"no policy":        {`{"principalId":"u1"}`, "", 500, misanswered, "malformed answer of the authorizer: no policyDocument"},
		"a bare true":      {`true`, "", 500, misanswered, "malformed answer of the authorizer: not a JSON object"},
		"of an HTTP API's": {`{"isAuthorized":true}`, "", 500, misanswered, "malformed answer of the authorizer: isAuthorized is malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &twoFunctions{}
			f.authorizer.output, f.authorizer.functionError = test.output, test.functionError
			g := serveCustom(t, f, proxy("GET", "/v1/session", byToken(0, "")))
			w := g.get("/v1/session", "Bearer planted-token")
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.body)
			}
			if ran := f.calls() > 0; ran != (test.status == 200) || f.authorizer.calls() != 1 {
				t.Errorf("the backend ran: %v; the authorizer ran %d times", ran, f.authorizer.calls())
			}
			if reason := g.line(t)["reason"]; reason != test.reason {
				t.Errorf("logged reason %q, want %q", reason, test.reason)
			}
			if strings.Contains(w.Body.String()+g.logged.String(), "planted") {
				t.Error("the token, or the authorizer's text, shows")
			}
		})
	}
}

// The function gets the whole value of its header and the method's ARN, and
// nothing else of the request.
func TestTokenAuthorizerEvent(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Allow", "*", `,"context":{"plan":"gold"}`)
	auth := byToken(0, "")
	auth.Authorizer.Header = "X-Key"
	g := serveCustom(t, f, proxy("POST", "/v1/notes/{id}", auth))
	r := httptest.NewRequest(http.MethodPost, "/v1/notes/a%2Fb?q=1", strings.NewReader("planted body"))
	r.Header.Set("x-key", "Basic  a:b==, c")
	r.Header.Set("Authorization", "of no interest")
	if w := g.do(r); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	want := map[string]any{
		"type": "TOKEN", "authorizationToken": "Basic  a:b==, c", "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:api123/dev/POST/v1/notes/a%2Fb",
	}
	if asked := f.authorizer.event(t); !reflect.DeepEqual(asked, want) {
		t.Errorf("the authorizer is asked %v; want %v", asked, want)
	}
	context := f.event(t)["requestContext"].(map[string]any)["authorizer"].(map[string]any)
	if context["plan"] != "gold" || context["principalId"] != "u1" {
		t.Errorf("the backend sees %v", context)
	}
}

// A token that cannot be right is refused without a call of the function.
func TestTokenAuthorizerIsNotAsked(t *testing.T) {
	t.Parallel()
	const missing = "no identity source method.request.header.Authorization"
	const differs = "the token does not match the authorizer's IdentityValidationExpression"
	for name, test := range map[string]struct {
		validation string
		sent       []string
		reason     string // why the authorizer is not asked; empty where it is
	}{
		"any token":              {"", []string{"x"}, ""},
		"no header":              {"", nil, missing},
		"an empty header":        {"", []string{""}, missing},
		"an empty match":         {".*", []string{""}, missing},
		"two headers":            {"", []string{"x", "x"}, "more than one token"},
		"two, one of them empty": {"", []string{"", "x"}, "more than one token"},
		"matches":                {`^Bearer [-0-9a-zA-Z\.]*$`, []string{"Bearer planted.a-b"}, ""},
		"matches, no anchors":    {`Bearer .+`, []string{"Bearer planted"}, ""},
		"one of several":         {`planted|planted-token`, []string{"planted-token"}, ""},
		"lazy":                   {`p.*?`, []string{"planted"}, ""},
		"differs":                {`^Bearer [-0-9a-zA-Z\.]*$`, []string{"Basic planted"}, differs},
		"another case":           {`Bearer .+`, []string{"bearer planted"}, differs},
		"more before":            {`Bearer .+`, []string{"x Bearer planted"}, differs},
		"more after":             {`[a-z]+`, []string{"planted 1"}, differs},
		"more around the last":   {`^a|b$`, []string{"planted b"}, differs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &twoFunctions{}
			f.authorizer.output = says("Allow", callARN, "")
			g := serveCustom(t, f, proxy("GET", "/v1/session", byToken(time.Minute, test.validation)))
			r := httptest.NewRequest(http.MethodGet, "/v1/session", nil)
			if test.sent != nil {
				r.Header["Authorization"] = test.sent
			}
			w := g.do(r)
			if test.reason == "" {
				if w.Code != 200 || f.authorizer.calls() != 1 {
					t.Errorf("got %d; the authorizer ran %d times", w.Code, f.authorizer.calls())
				}
				return
			}
			check(t, w, 401, unauthorizedBody, "UnauthorizedException")
			if reason := g.line(t)["reason"]; reason != test.reason || f.authorizer.calls()+f.calls() != 0 {
				t.Errorf("reason %q, want %q; the authorizer ran %d times", reason, test.reason, f.authorizer.calls())
			}
			if strings.Contains(g.logged.String(), "planted") {
				t.Error("the token is in the log")
			}
		})
	}
}

// The cache is by token; what went wrong is not in it.
func TestTokenAuthorizerCache(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	auth := byToken(time.Minute, "")
	c := testConfig(proxy("GET", "/v1/session", auth))
	now := testNow
	c.Now = func() time.Time { return now }
	g := serveWith(t, c, f)
	expect := func(token string, status, asked int) {
		t.Helper()
		if w := g.get("/v1/session", token); w.Code != status || f.authorizer.calls() != asked {
			t.Errorf("%s: %d, want %d; the authorizer ran %d times, want %d", token, w.Code, status, f.authorizer.calls(), asked)
		}
	}
	f.authorizer.output = `{"principalId":"u1"}`
	expect("a", 500, 1)
	expect("a", 500, 2)
	f.authorizer.output, f.authorizer.functionError = `{"errorMessage":"Unauthorized"}`, "Unhandled"
	expect("a", 401, 3)
	expect("a", 401, 4)
	f.authorizer.output, f.authorizer.functionError, f.authorizer.err = "", "", errThrottled
	expect("a", 500, 5)
	f.authorizer.output, f.authorizer.err = says("Allow", callARN, ""), nil
	expect("a", 200, 6)
	expect("a", 200, 6)
	expect("Bearer a", 200, 7) // another token
	f.authorizer.output = says("Deny", callARN, "")
	now = now.Add(time.Minute - 1)
	expect("a", 200, 7)
	now = now.Add(1)
	expect("a", 403, 8)
	expect("a", 403, 8)
	for i := range 3 * maxCached {
		g.get("/v1/session", fmt.Sprint(i))
	}
	if held := len(g.authorizers[auth.Authorizer].cache.answers); held > maxCached {
		t.Errorf("%d answers are held", held)
	}
}

func TestNewRefusesTokenAuthorizers(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*assembly.Authorizer){
		"names no function": func(a *assembly.Authorizer) { a.FunctionARN = "" },
		"a role that invokes its function is not checked":       func(a *assembly.Authorizer) { a.Credentials = "arn:role" },
		`"X Key" is no header name`:                             func(a *assembly.Authorizer) { a.Header = "X Key" },
		`"" is no header name`:                                  func(a *assembly.Authorizer) { a.Header = "" },
		"the IdentityValidationExpression is not understood":    func(a *assembly.Authorizer) { a.Validation = "(?=a)" },
		`a Lambda authorizer of type "OTHER" is not understood`: func(a *assembly.Authorizer) { a.Type = "OTHER" },
		`a Lambda authorizer of type "" is not understood`:      func(a *assembly.Authorizer) { a.Type = "" },
	} {
		auth := byToken(0, "")
		change(auth.Authorizer)
		c := testConfig(proxy("GET", "/a", auth))
		c.Functions = &fakeFunctions{}
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "GET /a (dev/Api/API): authorizer gatewright: ") && !strings.Contains(err.Error(), "names no function") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
}
