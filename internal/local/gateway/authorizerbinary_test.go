package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
	"github.com/gatewright/gatewright/internal/customers"
	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/functions"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// websiteID is the client that authntest's tokens are issued to.
const websiteID = "3n4b5urk1ft4fl3mg5e62d9ado"

// deployed is the stage's real authorizer as a process, before a fake backend, with
// an issuer and a table of customers as servers.
type deployed struct {
	*testGateway
	runner *functions.Runner
	logs   *lockedBuffer

	issuer *httptest.Server
	reads  atomic.Int32                     // of its JWK Set
	broken atomic.Pointer[http.HandlerFunc] // answers for it instead; nil where it is whole
	jwks   atomic.Pointer[string]

	aws      *httptest.Server
	endpoint *awsapi.Endpoint // behind it
	gets     atomic.Int32     // of customers
	fault    atomic.Pointer[http.HandlerFunc]
	store    *customers.Store
	invokes  atomic.Int32 // of the authorizer
}

// Name and form of the customers' table.
const customersTable = "Customers"

var keyFormat = authn.KeyFormat{Prefix: "gw", Tag: "dev"}

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
	d.invokes.Add(1)
	result, err := d.runner.Invoke(ctx, arn, payload)
	return result.Payload, result.FunctionError, err
}

// deploy builds and runs lambdas/authorizer with rules for GET /v1/session and
// GET /v1/notes/{id}, which take notes/read of the website, for GET /v1/mobile,
// which does not take the website, for GET /v1/orders, which takes tokens of any
// client and keys with notes/read, and for GET /v1/write, which takes keys with
// notes/write. changes are to the rules.
func deploy(t *testing.T, changes ...func(*authconfig.Rules)) *deployed {
	t.Helper()
	d := &deployed{logs: &lockedBuffer{}}
	d.serveJWKS(authntest.JWK(authntest.KeyID, &authntest.Key(t).PublicKey))
	d.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.reads.Add(1)
		if broken := d.broken.Load(); broken != nil {
			(*broken)(w, r)
			return
		}
		_, _ = w.Write([]byte(*d.jwks.Load()))
	}))
	t.Cleanup(d.issuer.Close)

	tokens := func(client string) []authconfig.Token {
		return []authconfig.Token{{Scopes: []string{"notes/read"}, Clients: []string{client}}}
	}
	declared := authconfig.Rules{Routes: []authconfig.Route{
		{Method: "GET", Path: "/v1/session", Tokens: tokens("website")}, {Method: "GET", Path: "/v1/notes/{id}", Tokens: tokens("website")},
		{Method: "GET", Path: "/v1/mobile", Tokens: tokens("mobile")},
		{Method: "GET", Path: "/v1/orders", Tokens: []authconfig.Token{{Scopes: []string{"notes/read"}, AnyClient: true}}, Key: &authconfig.Key{Scopes: []string{"notes/read"}}},
		{Method: "GET", Path: "/v1/write", Key: &authconfig.Key{Scopes: []string{"notes/write"}}},
	}}
	for _, change := range changes {
		change(&declared)
	}
	rules, err := declared.Encode()
	if err != nil {
		t.Fatal(err)
	}
	pools, err := json.Marshal([]authconfig.UserPool{{Issuer: d.issuer.URL, Clients: map[string]string{"website": websiteID, "mobile": "m"}}})
	if err != nil {
		t.Fatal(err)
	}
	d.start(t, rules, map[string]string{
		authconfig.EnvUserPools: string(pools), authconfig.EnvCustomers: `{"table":"` + customersTable + `","prefix":"gw","tag":"dev"}`,
	}, d.serveTable(t))
	auth := custom(0, header)
	if declared.KeyHeader {
		auth = custom(0) // as apispec has it: all identity sources must be there
	}
	c := testConfig(proxy("GET", "/v1/session", auth), proxy("GET", "/v1/notes/{id}", auth), proxy("GET", "/v1/mobile", auth), proxy("GET", "/v1/unruled", auth),
		proxy("GET", "/v1/orders", auth), proxy("GET", "/v1/write", auth), proxy("GET", "/v1/signed", signedOnly))
	c.API.GatewayResponses["UNAUTHORIZED"] = assembly.GatewayResponse{StatusCode: 401, Parameters: map[string]string{"gatewayresponse.header.WWW-Authenticate": `'` + challenge + `'`}}
	c.Functions = d
	d.testGateway = serve(t, c)
	d.functions = &fakeFunctions{}
	return d
}

const challenge = `Bearer, Basic realm="shop", charset="UTF-8"`

func (d *deployed) serveJWKS(keys ...string) {
	jwks := authntest.JWKS(keys...)
	d.jwks.Store(&jwks)
}

// start runs the authorizer with the rules in its asset.
func (d *deployed) start(t *testing.T, rules []byte, environment map[string]string, credentials []string) {
	t.Helper()
	asset := t.TempDir()
	if rules != nil {
		if err := os.WriteFile(filepath.Join(asset, authconfig.FileName), rules, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const module = "github.com/gatewright/gatewright"
	var err error
	d.runner, err = functions.New(functions.Config{
		AppDir: "../../..", CacheDir: t.TempDir(), Region: "eu-west-1", Log: slog.New(slog.NewJSONHandler(d.logs, nil)),
		Environment: func(*assembly.Function) []string { return credentials },
		Authorizes:  func(arn string) bool { return arn == callersARN },
		Functions: []*assembly.Function{{
			Name: "authorizer", ARN: callersARN, Runtime: "provided.al2023", Handler: "bootstrap", Timeout: authorizerTimeout, ReservedConcurrency: -1,
			Source: &assembly.FunctionSource{Module: module, Package: module + "/lambdas/authorizer"}, CodeDir: asset, Environment: environment,
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
}

// serveTable serves a table of customers that wants signatures, and returns the
// environment of a role that may read it.
func (d *deployed) serveTable(t *testing.T) []string {
	t.Helper()
	kept, err := tables.New([]*assembly.Table{{Name: customersTable, Attributes: map[string]string{"id": "S"}, Key: assembly.TableKey{Hash: "id"}, OnDemand: true}})
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::000000000000:role/authorizer"
	endpoint, err := awsapi.New(awsapi.Config{
		Account: "000000000000", Region: "eu-west-1", Services: map[string]awsapi.Service{"dynamodb": kept},
		Policies: func(string) ([]iam.Statement, string) {
			return []iam.Statement{{Effect: iam.Allow, Actions: []string{"dynamodb:GetItem"}, Resources: []string{"arn:aws:dynamodb:eu-west-1:000000000000:table/" + customersTable}}}, ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.endpoint = endpoint
	d.aws = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") && strings.Contains(r.Header.Get("Authorization"), "Credential=ASIA") {
			d.gets.Add(1)
			if fault := d.fault.Load(); fault != nil {
				(*fault)(w, r)
				return
			}
		}
		endpoint.ServeHTTP(w, r)
	}))
	t.Cleanup(d.aws.Close)
	operator, function := endpoint.Operator(), endpoint.RoleCredential(role)
	d.store = customers.NewStore(dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(d.aws.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: operator.SecretAccessKey}, nil
		}),
	}), customersTable)
	return []string{
		"AWS_ENDPOINT_URL=" + d.aws.URL, "AWS_ACCESS_KEY_ID=" + function.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + function.SecretAccessKey, "AWS_SESSION_TOKEN=" + function.SessionToken,
	}
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
		{"15_not_yet_valid", "/v1/session", d.token(t, "nbf", fmt.Sprint(time.Now().Unix()+3600)), 401},
		{"15_issued_in_the_future", "/v1/session", d.token(t, "iat", fmt.Sprint(time.Now().Unix()+3600)), 401},
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
		time.Sleep(authn.DefaultCoolDown) // so that the flood may read it once
		before := d.reads.Load()
		for i := range 50 {
			w := d.get("/v1/session", "Bearer "+authntest.Sign(t, fmt.Sprintf(`{"alg":"RS256","kid":"made-up-%d"}`, i), d.claims("", "")))
			check(t, w, 401, unauthorizedBody, "UnauthorizedException")
		}
		if reads := d.reads.Load() - before; reads != 1 {
			t.Errorf("the JWK Set was read %d times", reads)
		}
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

// TestSurviveBrokenKeySetsBehindTheAuthorizer is row 22: whatever the issuer's
// address answers, known keys go on working, and a key that only such an answer
// names is not believed.
func TestSurviveBrokenKeySetsBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	other := authntest.JWKS(authntest.JWK("other", &authntest.Key(t).PublicKey))
	ways := map[string]http.HandlerFunc{
		"22_slow": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
				_, _ = io.WriteString(w, other)
			}
		},
		"22_5xx": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, other)
		},
		"22_oversized": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, other+strings.Repeat(" ", authn.MaxJWKSBytes))
		},
		"22_redirecting": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				_, _ = io.WriteString(w, other)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
	}
	stages := map[string]*deployed{}
	for name, broken := range ways {
		d := deploy(t)
		if w := d.get("/v1/session", "Bearer "+d.token(t, "", "")); w.Code != 200 {
			t.Fatalf("before: %d %s", w.Code, w.Body)
		}
		d.broken.Store(&broken)
		stages[name] = d
	}
	time.Sleep(authn.DefaultCoolDown) // then an unknown key id has the set read again
	for name, d := range stages {
		t.Run(name, func(t *testing.T) {
			unknown := "Bearer " + authntest.Sign(t, `{"alg":"RS256","kid":"other"}`, d.claims("", ""))
			check(t, d.get("/v1/session", unknown), 401, unauthorizedBody, "UnauthorizedException")
			if reads := d.reads.Load(); reads != 2 {
				t.Errorf("the JWK Set was read %d times", reads)
			}
			// A token that was never seen needs the key, and does not wait for the issuer.
			if w := d.get("/v1/session", "Bearer "+d.token(t, "jti", `"new"`)); w.Code != 200 {
				t.Errorf("a known key: %d %s", w.Code, w.Body)
			}
			check(t, d.get("/v1/session", unknown), 401, unauthorizedBody, "UnauthorizedException")
		})
	}
}

// Without any part of its configuration the function does not start, and nobody
// passes.
func TestAuthorizerBinaryIncomplete(t *testing.T) {
	t.Parallel()
	rules, err := authconfig.Rules{Routes: []authconfig.Route{{Method: "GET", Path: "/v1/session", Key: &authconfig.Key{Scopes: []string{"a/b"}}}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	credentials := []string{"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=planted"}
	kept := map[string]string{authconfig.EnvUserPools: "[]", authconfig.EnvCustomers: `{"table":"t","prefix":"gw","tag":"dev"}`}
	for name, test := range map[string]struct {
		rules       []byte
		environment map[string]string
		credentials []string
		want        string
	}{
		"39_no_rules":       {nil, kept, credentials, "rules.json"},
		"39_malformed":      {rules[:20], kept, credentials, "rules.json"},
		"39_no_pools":       {rules, map[string]string{authconfig.EnvCustomers: kept[authconfig.EnvCustomers]}, credentials, "USER_POOLS is not set"},
		"39_no_customers":   {rules, map[string]string{authconfig.EnvUserPools: "[]"}, credentials, "takes keys, but there are no customers"},
		"39_no_credentials": {rules, kept, []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, "AWS_SECRET_ACCESS_KEY is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &deployed{logs: &lockedBuffer{}}
			d.start(t, test.rules, test.environment, test.credentials)
			c := testConfig(proxy("GET", "/v1/session", custom(0, header)))
			c.Functions = d
			d.testGateway = serve(t, c)
			d.functions = &fakeFunctions{}
			check(t, d.get("/v1/session", "Bearer x.y.z"), 500, internalBody, "")
			if log := d.logs.String(); !strings.Contains(log, test.want) || strings.Contains(log, "planted") || d.functions.calls() > 0 {
				t.Errorf("the log does not say what is missing:\n%s", log)
			}
		})
	}
}
