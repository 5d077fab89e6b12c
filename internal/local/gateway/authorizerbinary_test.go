package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn/authntest"
	"github.com/gatewright/gatewright/internal/local/functions"
)

// websiteID is the client that authntest's tokens are issued to.
const websiteID = "3n4b5urk1ft4fl3mg5e62d9ado"

// deployed is the stage's real authorizer as a process, before a fake backend.
type deployed struct {
	*testGateway
	runner *functions.Runner
	issuer *httptest.Server
	reads  atomic.Int32
	broken atomic.Bool
	logs   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (d *deployed) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	if arn != callersARN {
		return d.functions.Invoke(ctx, arn, payload)
	}
	result, err := d.runner.Invoke(ctx, arn, payload)
	return result.Payload, result.FunctionError, err
}

// deploy builds and runs lambdas/authorizer with rules for GET /v1/session and
// GET /v1/notes/{id}, which take notes/read of the website, and for GET
// /v1/mobile, which does not take the website.
func deploy(t *testing.T) *deployed {
	t.Helper()
	d := &deployed{logs: &lockedBuffer{}}
	jwks := authntest.JWKS(authntest.JWK(authntest.KeyID, &authntest.Key(t).PublicKey))
	d.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if d.reads.Add(1); d.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte(jwks))
	}))
	t.Cleanup(d.issuer.Close)

	tokens := func(client string) []authconfig.Token {
		return []authconfig.Token{{Scopes: []string{"notes/read"}, Clients: []string{client}}}
	}
	rules, err := authconfig.Rules{Routes: []authconfig.Route{
		{Method: "GET", Path: "/v1/session", Tokens: tokens("website")}, {Method: "GET", Path: "/v1/notes/{id}", Tokens: tokens("website")},
		{Method: "GET", Path: "/v1/mobile", Tokens: tokens("mobile")},
	}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	asset, cache := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(asset, authconfig.FileName), rules, 0o600); err != nil {
		t.Fatal(err)
	}
	pools, err := json.Marshal([]authconfig.UserPool{{Issuer: d.issuer.URL, Clients: map[string]string{"website": websiteID, "mobile": "m"}}})
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/gatewright/gatewright"
	d.runner, err = functions.New(functions.Config{
		AppDir: "../../..", CacheDir: cache, Region: "eu-west-1", Log: slog.New(slog.NewJSONHandler(d.logs, nil)),
		Functions: []*assembly.Function{{
			Name: "authorizer", ARN: callersARN, Runtime: "provided.al2023", Handler: "bootstrap", Timeout: authorizerTimeout, ReservedConcurrency: -1,
			Source: &assembly.FunctionSource{Module: module, Package: module + "/lambdas/authorizer"}, CodeDir: asset,
			Environment: map[string]string{authconfig.EnvUserPools: string(pools)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	auth := custom(0, header)
	c := testConfig(proxy("GET", "/v1/session", auth), proxy("GET", "/v1/notes/{id}", auth), proxy("GET", "/v1/mobile", auth), proxy("GET", "/v1/unruled", auth))
	c.Functions = d
	d.testGateway = serve(t, c)
	d.functions = &fakeFunctions{}
	return d
}

// claims are those of a current access token of the website, one changed.
func (d *deployed) claims(name, text string) string {
	now := time.Now().Unix()
	payload := authntest.With(authntest.AccessPayload, "iss", `"`+d.issuer.URL+`"`)
	for claim, at := range map[string]int64{"exp": now + 3600, "iat": now, "auth_time": now} {
		payload = authntest.With(payload, claim, fmt.Sprint(at))
	}
	if name != "" {
		payload = authntest.With(payload, name, text)
	}
	return payload
}

func (d *deployed) token(t *testing.T, name, text string) string {
	t.Helper()
	return authntest.Sign(t, authntest.AccessHeader, d.claims(name, text))
}

// TestSurviveBehindTheAuthorizer sends what the request path must survive
// through the gateway and the process of lambdas/authorizer. Package
// lambdas/authorizer has all of it in one process.
func TestSurviveBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	good := d.token(t, "", "")
	rows := []struct {
		name, target, token string
		status              int
	}{
		{"46_no_credential", "/v1/session", "", 401},
		{"00_good", "/v1/session", good, 200},
		{"01_alg_none", "/v1/session", authntest.Encode(`{"alg":"none","kid":"`+authntest.KeyID+`"}`) + "." + authntest.Encode(d.claims("", "")) + ".", 401},
		{"03_lower_case_alg", "/v1/session", authntest.Sign(t, `{"alg":"rs256","kid":"`+authntest.KeyID+`"}`, d.claims("", "")), 401},
		{"05_unknown_crit", "/v1/session", authntest.Sign(t, `{"alg":"RS256","crit":["x"],"x":1,"kid":"`+authntest.KeyID+`"}`, d.claims("", "")), 401},
		{"07_embedded_key", "/v1/session", authntest.EmbeddedKeys(t, d.issuer.URL)[0].Text, 401},
		{"09_kid_with_a_path", "/v1/session", authntest.Sign(t, `{"alg":"RS256","kid":"../../etc/passwd"}`, d.claims("", "")), 401},
		{"10_padding", "/v1/session", good + "==", 401},
		{"11_four_segments", "/v1/session", good + ".x", 401},
		{"12_ten_kilobytes_of_dots", "/v1/session", strings.Repeat(".", 10<<10), 401},
		{"13_duplicate_exp", "/v1/session", authntest.Sign(t, authntest.AccessHeader, strings.TrimSuffix(d.claims("", ""), "}")+`,"exp":9999999999}`), 401},
		{"14_exp_as_a_text", "/v1/session", d.token(t, "exp", `"9999999999"`), 401},
		{"15_expired", "/v1/session", d.token(t, "exp", fmt.Sprint(time.Now().Unix()-1)), 401},
		{"16_another_issuer", "/v1/session", d.token(t, "iss", `"`+authntest.Issuer+`"`), 401},
		{"17_id_token", "/v1/session", d.token(t, "token_use", `"id","aud":"`+websiteID+`"`), 401},
		{"18_another_client", "/v1/mobile", good, 403},
		{"18_unknown_client", "/v1/session", d.token(t, "client_id", `"x"`), 403},
		{"19_missing_scope", "/v1/session", d.token(t, "scope", `"notes/readonly"`), 403},
		{"20_deep_json", "/v1/session", authntest.Sign(t, authntest.AccessHeader, `{"x":`+strings.Repeat("[", 5000)), 401},
		{"34_credential_in_the_query", "/v1/session?access_token=" + good + "&Authorization=" + good, "", 401},
		{"34_beside_the_header", "/v1/session?access_token=x", good, 401},
		{"40_no_rule", "/v1/unruled", good, 403},
		{"41_path_variable", "/v1/notes/7", good, 200},
		{"44_wildcard", "/v1/notes/*", good, 401},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ran := d.functions.calls()
			authorization := ""
			if row.token != "" {
				authorization = "Bearer " + row.token
			}
			w := d.get(row.target, authorization)
			if w.Code != row.status || (d.functions.calls() > ran) != (row.status == 200) {
				t.Errorf("got %d %s, want %d; log\n%s", w.Code, w.Body, row.status, d.logs.String())
			}
			if row.status == 401 && w.Body.String() != unauthorizedBody || row.status == 403 && w.Body.String() != explicitBody {
				t.Errorf("got %s", w.Body)
			}
		})
	}
	t.Run("08_unknown_kid_flood", func(t *testing.T) {
		for i := range 50 {
			w := d.get("/v1/session", "Bearer "+authntest.Sign(t, fmt.Sprintf(`{"alg":"RS256","kid":"made-up-%d"}`, i), d.claims("", "")))
			check(t, w, 401, unauthorizedBody, "UnauthorizedException")
		}
		// One process; at most one look-up in ten seconds.
		if reads := d.reads.Load(); reads > 3 {
			t.Errorf("the JWK Set was read %d times", reads)
		}
	})
	t.Run("22_broken_jwks_endpoint", func(t *testing.T) {
		d.broken.Store(true)
		if w := d.get("/v1/session", "Bearer "+good); w.Code != 200 {
			t.Errorf("a known key: %d", w.Code)
		}
		check(t, d.get("/v1/session", "Bearer "+authntest.Sign(t, `{"alg":"RS256","kid":"other"}`, d.claims("", ""))), 401, unauthorizedBody, "UnauthorizedException")
	})
	t.Run("33_two_authorization_headers", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodGet, "/v1/session", nil)
		r.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + good}
		check(t, d.do(r), 401, unauthorizedBody, "UnauthorizedException")
	})
	if all := d.logs.String() + d.logged.String(); strings.Contains(all, good[len(good)-40:]) || strings.Contains(all, good[:60]) {
		t.Error("a token is in a log")
	}
	d.functions.mu.Lock()
	defer d.functions.mu.Unlock()
	var event struct {
		RequestContext struct{ Authorizer map[string]any }
	}
	if err := json.Unmarshal(d.functions.payloads[0], &event); err != nil {
		t.Fatal(err)
	}
	a := event.RequestContext.Authorizer
	if a["kind"] != "user" || a["client"] != "website" || a["clientId"] != websiteID || a["scopes"] != "openid notes/read notes/write" || a["principalId"] != a["subject"] {
		t.Errorf("the backend sees %v", a)
	}
}

// Without its rules the function does not start, and nobody passes.
func TestAuthorizerBinaryWithoutRules(t *testing.T) {
	t.Parallel()
	const module = "github.com/gatewright/gatewright"
	logs := &lockedBuffer{}
	runner, err := functions.New(functions.Config{
		AppDir: "../../..", CacheDir: t.TempDir(), Region: "eu-west-1", Log: slog.New(slog.NewJSONHandler(logs, nil)),
		Functions: []*assembly.Function{{
			Name: "authorizer", ARN: callersARN, Runtime: "provided.al2023", ReservedConcurrency: -1, Timeout: authorizerTimeout,
			Source: &assembly.FunctionSource{Module: module, Package: module + "/lambdas/authorizer"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = runner.Close(context.Background()) }()
	c := testConfig(proxy("GET", "/v1/session", custom(0, header)))
	d := &deployed{runner: runner}
	c.Functions = d
	d.testGateway = serve(t, c)
	check(t, d.get("/v1/session", "Bearer x.y.z"), 500, internalBody, "")
	if !strings.Contains(logs.String(), "rules.json") {
		t.Errorf("the log does not say what is missing:\n%s", logs.String())
	}
}
