package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
)

const (
	poolARN     = "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_Pool"
	functionARN = "arn:aws:lambda:eu-west-1:000000000000:function:notes"
)

var testNow = time.Date(2026, 11, 21, 2, 5, 0, 0, time.UTC)

// fakeFunctions answers every event with output, and remembers the events.
type fakeFunctions struct {
	mu            sync.Mutex
	payloads      [][]byte
	output        string
	functionError string
	err           error
	block         bool // until the context ends
}

func (f *fakeFunctions) Invoke(ctx context.Context, _ string, payload []byte) ([]byte, string, error) {
	f.mu.Lock()
	f.payloads = append(f.payloads, payload)
	f.mu.Unlock()
	if f.block {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	output := f.output
	if output == "" {
		output = `{"statusCode":200,"body":"ok"}`
	}
	return []byte(output), f.functionError, f.err
}

func (f *fakeFunctions) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.payloads)
}

func (f *fakeFunctions) event(t *testing.T) map[string]any {
	t.Helper()
	var e map[string]any
	if f.calls() != 1 {
		t.Fatalf("the function ran %d times, want once", f.calls())
	}
	if err := json.Unmarshal(f.payloads[0], &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// fakeVerifier knows tokens by their text.
type fakeVerifier map[string]*authn.Token

func (f fakeVerifier) Verify(_ context.Context, text string) (*authn.Token, error) {
	if token, ok := f[text]; ok {
		return token, nil
	}
	return nil, &authn.Error{Reason: authn.ReasonSignature}
}

var testTokens = fakeVerifier{
	"access-read":  accessToken("notes/read"),
	"access-write": accessToken("notes/write", "other/x"),
	"access-none":  accessToken(),
	"access-near":  accessToken("notes/readonly", "notes/rea"),
	"id":           {Use: authn.UseID, Payload: []byte(`{"token_use":"id"}`)},
	"nothing":      nil,
}

func accessToken(scopes ...string) *authn.Token {
	expires := testNow.Add(time.Hour)
	payload, _ := json.Marshal(map[string]any{
		"sub": "client-1", "client_id": "client-1", "token_use": "access", "scope": strings.Join(scopes, " "),
		"exp": expires.Unix(), "iat": testNow.Unix(), "auth_time": 1718636404, "version": 2,
		"cognito:groups": []string{"group-a", "group-b"}, "email_verified": true,
		"odd": "a\r\nb\"c", "nested": map[string]any{"a": 1}, "nothing": nil,
	})
	return &authn.Token{Use: authn.UseAccess, Scopes: scopes, Payload: payload, Expires: expires, IssuedAt: testNow}
}

func proxy(method, path string, a assembly.Authorization) assembly.Route {
	return assembly.Route{
		Method: method, Path: path, ResourceID: "res123", OperationName: "op", Authorization: a,
		Integration: assembly.Integration{Type: assembly.IntegrationLambdaProxy, FunctionARN: functionARN},
	}
}

var (
	open       = assembly.Authorization{Type: assembly.AuthorizationNone}
	signedOnly = assembly.Authorization{Type: assembly.AuthorizationIAM}
	anyID      = cognito()
)

func cognito(scopes ...string) assembly.Authorization {
	return assembly.Authorization{
		Type: assembly.AuthorizationCognito, Scopes: scopes,
		Authorizer: &assembly.Authorizer{Name: "UserPool", Type: assembly.AuthorizationCognito, ProviderARNs: []string{poolARN}},
	}
}

// testGateway is a gateway with its fakes.
type testGateway struct {
	*Gateway
	functions *fakeFunctions
	logged    *bytes.Buffer
}

func testConfig(routes ...assembly.Route) Config {
	return Config{
		API: &assembly.RestAPI{
			ID: "api123", Routes: routes, Place: assembly.Place{Path: "dev/Api/API"},
			GatewayResponses: map[string]assembly.GatewayResponse{},
		},
		Stage: assembly.APIStage{Name: "dev"}, Region: "eu-west-1", Account: "000000000000",
		MayInvoke: func(string, string) bool { return true },
		Verifiers: map[string]TokenVerifier{poolARN: testTokens},
		Now:       func() time.Time { return testNow },
		Domain:    "127.0.0.1:4010",
	}
}

func serve(t testing.TB, c Config) *testGateway {
	t.Helper()
	functions, _ := c.Functions.(*fakeFunctions)
	if c.Functions == nil {
		functions = &fakeFunctions{}
		c.Functions = functions
	}
	logged := &bytes.Buffer{}
	c.Log = slog.New(slog.NewJSONHandler(logged, nil))
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &testGateway{g, functions, logged}
}

func (g *testGateway) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// get sends a request with an Authorization header unless it is empty.
func (g *testGateway) get(target, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return g.do(r)
}

// line decodes the one log line.
func (g *testGateway) line(t *testing.T) map[string]any {
	t.Helper()
	var line map[string]any
	if err := json.Unmarshal(g.logged.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one JSON line: %q", g.logged)
	}
	return line
}

func check(t *testing.T, w *httptest.ResponseRecorder, status int, body, errorType string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body || w.Header().Get("x-amzn-ErrorType") != errorType {
		t.Errorf("got %d %s %q, want %d %s %q", w.Code, w.Body, w.Header().Get("x-amzn-ErrorType"), status, body, errorType)
	}
	if w.Header().Get("x-amzn-RequestId") == "" || w.Header().Get("x-amz-apigw-id") == "" {
		t.Error("no request id in the answer")
	}
}

const (
	internalBody     = `{"message":"Internal server error"}`
	unauthorizedBody = `{"message":"Unauthorized"}`
	missingBody      = `{"message":"Missing Authentication Token"}`
)

var errThrottled = errors.New("throttled")
