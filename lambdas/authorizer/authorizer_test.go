package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// The client that authntest's tokens are issued to, by the name of the rules.
const (
	clientID  = "3n4b5urk1ft4fl3mg5e62d9ado"
	methodARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/dev/GET/v1/session"
)

// issuer is a user pool's address as a real server.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	reads  int
}

// newIssuer serves the JWK Set of authntest's key.
func newIssuer(tb testing.TB) *issuer {
	tb.Helper()
	i := &issuer{}
	i.serve(authntest.JWKS(authntest.JWK(authntest.KeyID, &authntest.Key(tb).PublicKey)))
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.reads++
		answer := i.answer
		i.mu.Unlock()
		if r.Method != http.MethodGet || r.URL.Path != "/pool/.well-known/jwks.json" || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" {
			tb.Errorf("%s %s", r.Method, r.URL)
		}
		answer(w, r)
	}))
	tb.Cleanup(i.Close)
	return i
}

func (i *issuer) set(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *issuer) serve(jwks string) {
	i.set(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(jwks)) })
}

func (i *issuer) readTimes() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.reads
}

// clock is a clock that tests put forward.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var testRules = authconfig.Rules{Routes: []authconfig.Route{
	{Method: "GET", Path: "/v1/session", Tokens: []authconfig.Token{{Scopes: []string{"notes/read", "web/use"}, Clients: []string{"website"}}}},
	{Method: "GET", Path: "/v1/mobile", Tokens: []authconfig.Token{{Scopes: []string{"notes/read"}, Clients: []string{"mobile"}}}},
	{Method: "GET", Path: "/v1/readonly", Tokens: []authconfig.Token{{Scopes: []string{"notes/readonly", "notes"}, Clients: []string{"website"}}}},
	{Method: "GET", Path: "/v1/notes/{id}", Tokens: []authconfig.Token{{Scopes: []string{"notes/read"}, Clients: []string{"website"}}}},
	{Method: "GET", Path: "/v1/either", Tokens: []authconfig.Token{{Scopes: []string{"notes/read"}, AnyClient: true}}, Key: &authconfig.Key{Scopes: []string{"notes/read"}}},
	{Method: "GET", Path: "/v1/write", Key: &authconfig.Key{Scopes: []string{"notes/write"}}},
	{Method: "GET", Path: "/v1/files/{path+}", Tokens: []authconfig.Token{{Scopes: []string{"notes/read"}, Clients: []string{"website"}}}},
}}

// table is a source of customers that counts its reads, and can be broken.
type table struct {
	mu       sync.Mutex
	customer *authn.Customer
	answer   func(ctx context.Context) error // nil for none
	reads    int
	store    authn.CustomerSource // answers in its place; nil for none
}

func (t *table) Customer(ctx context.Context, id string) (*authn.Customer, error) {
	t.mu.Lock()
	t.reads++
	customer, answer := t.customer, t.answer
	t.mu.Unlock()
	if t.store != nil {
		return t.store.Customer(ctx, id)
	}
	if answer != nil {
		if err := answer(ctx); err != nil {
			return nil, err
		}
	}
	if customer.ID != id {
		return nil, authn.ErrNoCustomer
	}
	return customer, nil
}

func (t *table) readTimes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads
}

// change replaces the customer: what was read stays as it was.
func (t *table) change(change func(*authn.Customer)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := *t.customer
	changed.Keys = slices.Clone(changed.Keys)
	change(&changed)
	t.customer = &changed
}

func (t *table) set(answer func(ctx context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answer = answer
}

var keyFormat = authn.KeyFormat{Prefix: "gw", Tag: "dev"}

const customerID = "Q7pk2mXtWc0a"

// stand is a handler with its issuer, its table, its clock, its log and its
// metrics. key is of the one customer, with notes/read.
type stand struct {
	*handler
	issuer  *issuer
	table   *table
	key     authn.NewKey
	clock   *clock
	log     *lockedBuffer
	numbers *lockedBuffer
}

// newStand returns a handler that trusts two pools: authntest's, which is a
// server of this test, and another. changes are to the rules' file.
func newStand(tb testing.TB, changes ...func(rules string) string) *stand {
	tb.Helper()
	s := &stand{issuer: newIssuer(tb), clock: &clock{now: authntest.Now()}, log: &lockedBuffer{}, numbers: &lockedBuffer{}, key: keyFormat.NewKey(customerID)}
	s.table = &table{customer: &authn.Customer{
		ID: customerID, Status: authn.StatusActive, Plan: "gold", Scopes: []string{"notes/read", "notes/write"},
		Keys: []authn.CustomerKey{{ID: s.key.ID, Digest: s.key.Digest, Scopes: []string{"notes/read"}}},
	}}
	rules, err := testRules.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	for _, change := range changes {
		rules = []byte(change(string(rules)))
	}
	pools, err := json.Marshal([]authconfig.UserPool{
		{Issuer: authntest.Issuer, Clients: map[string]string{"website": clientID}},
		{Issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Second000", Clients: map[string]string{"mobile": "mobileid"}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.handler, err = newHandler(config{
		rules: rules, userPools: string(pools), now: s.clock.Now, transport: redirected{s.issuer.URL},
		log: slog.New(slog.NewJSONHandler(s.log, nil)), metrics: &metrics{out: s.numbers, function: "authorizer", now: s.clock.Now},
		customers: `{"table":"Customers","prefix":"gw","tag":"dev"}`,
		source:    func(string) (authn.CustomerSource, error) { return s.table, nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// ownTransport is not the default one, of which each httptest.Server that a test
// closes closes connections.
var ownTransport = &http.Transport{DisableKeepAlives: true}

// redirected sends to a test's server what is meant for a user pool.
type redirected struct{ to string }

func (t redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || !strings.HasSuffix(r.URL.Path, "/.well-known/jwks.json") {
		return nil, fmt.Errorf("a request to %s", r.URL)
	}
	sent := r.Clone(r.Context())
	sent.URL.Scheme, sent.URL.Host, sent.URL.Path = "http", strings.TrimPrefix(t.to, "http://"), "/pool/.well-known/jwks.json"
	return ownTransport.RoundTrip(sent)
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

// newEvent is a browser's call of GET /v1/session.
func newEvent(authorization ...string) events.APIGatewayCustomAuthorizerRequestTypeRequest {
	headers := map[string][]string{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip, deflate, br, zstd"}, "Accept-Language": {"en-GB,en;q=0.9"},
		"Host": {"api.example.com"}, "Origin": {"https://www.example.com"}, "Referer": {"https://www.example.com/"},
		"Sec-Ch-Ua": {`"Chromium";v="140", "Not=A?Brand";v="24"`}, "Sec-Ch-Ua-Mobile": {"?0"}, "Sec-Fetch-Mode": {"cors"},
		"Sec-Fetch-Site": {"same-site"}, "User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
		"X-Amzn-Trace-Id": {"Root=1-66e6f2c1-0b5a5c6a7b1d2e3f4a5b6c7d"}, "X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Port": {"443"}, "X-Forwarded-Proto": {"https"},
	}
	if len(authorization) > 0 {
		headers["Authorization"] = authorization
	}
	single := map[string]string{}
	for name, values := range headers {
		single[name] = values[len(values)-1]
	}
	return events.APIGatewayCustomAuthorizerRequestTypeRequest{
		Type: "REQUEST", MethodArn: methodARN, Resource: "/v1/session", Path: "/v1/session", HTTPMethod: "GET",
		Headers: single, MultiValueHeaders: headers,
		RequestContext: events.APIGatewayCustomAuthorizerRequestTypeRequestContext{
			Path: "/v1/session", AccountID: "123456789012", ResourceID: "abc123", Stage: "dev", RequestID: "1b0f3a0e-5f6b-4c1d-9e2f-3a4b5c6d7e8f",
			ResourcePath: "/v1/session", HTTPMethod: "GET", APIID: "a1b2c3",
			Identity: events.APIGatewayCustomAuthorizerRequestTypeRequestIdentity{SourceIP: "198.51.100.7"},
		},
	}
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// goodToken is genuine, current, and of the website.
func goodToken(tb testing.TB) string {
	tb.Helper()
	return authntest.Sign(tb, authntest.AccessHeader, authntest.AccessPayload)
}

// accessWith is a genuine access token with one claim changed.
func accessWith(tb testing.TB, name, text string) string {
	tb.Helper()
	return authntest.Sign(tb, authntest.AccessHeader, authntest.With(authntest.AccessPayload, name, text))
}
