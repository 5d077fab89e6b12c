package authn

import (
	"context"
	"crypto/rsa"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	sessionARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/dev/GET/v1/session"
	clientID   = "3n4b5urk1ft4fl3mg5e62d9ado"
	secondPool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Second000"
)

func sessionRequest(authorization ...string) Request {
	return Request{MethodARN: sessionARN, Method: "GET", Resource: "/v1/session", Authorization: texts(authorization)}
}

func texts(list []string) [][]byte {
	var out [][]byte
	for _, text := range list {
		out = append(out, []byte(text))
	}
	return out
}

func route(resource string, rules ...TokenRule) Route {
	return Route{Method: "GET", Resource: resource, Tokens: rules}
}

func testAuthorizer(t *testing.T, keys KeySource) *Authorizer {
	t.Helper()
	second, err := NewVerifier(Config{Issuer: secondPool, Keys: keys, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAuthorizer(AuthorizerConfig{
		Routes: []Route{
			route("/v1/session", TokenRule{Scopes: []string{"notes/read", "web/use"}, Clients: []string{"website", "mobile"}}),
			route("/v1/mobile", TokenRule{Scopes: []string{"notes/read"}, Clients: []string{"mobile"}}),
			route("/v1/readonly", TokenRule{Scopes: []string{"notes/readonly", "notes"}, Clients: []string{"website"}}),
			route("/v1/nobody", TokenRule{}),
			route("/v1/nothing"),
			route("/v1/unscoped", TokenRule{Clients: []string{"website"}}),
			route("/v1/unscoped/any", TokenRule{AnyClient: true}),
			route("/v1/any", TokenRule{Scopes: []string{"notes/read"}, AnyClient: true}),
			route("/v1/either", TokenRule{Scopes: []string{"notes/read"}, Clients: []string{"mobile"}}, TokenRule{Scopes: []string{"notes/write"}, Clients: []string{"website"}}),
			route("/v1/neither", TokenRule{Scopes: []string{"x/y"}, Clients: []string{"website"}}, TokenRule{Scopes: []string{"notes/read"}, Clients: []string{"mobile"}}),
			{Method: "GET", Resource: "/v1/keys", Key: []string{"notes/read"}},
		},
		Pools: []Pool{
			{Verifier: newVerifier(t, keys), Clients: map[string]string{clientID: "website"}},
			{Verifier: second, Clients: map[string]string{"mobileid": "mobile"}},
		},
		Customers: noCustomers{}, Keys: testFormat, Now: testNow,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDecide(t *testing.T) {
	t.Parallel()
	good := "Bearer " + sign(t, accessHeader, accessPayload)
	claim := func(name, text string) string {
		return "Bearer " + sign(t, accessHeader, with(accessPayload, name, text))
	}
	second := func(client string) string {
		return "Bearer " + sign(t, accessHeader, with(with(accessPayload, "iss", `"`+secondPool+`"`), "client_id", `"`+client+`"`))
	}
	to := func(resource, authorization string) Request {
		r := sessionRequest(authorization)
		r.Resource, r.MethodARN = resource, strings.Replace(sessionARN, "/v1/session", resource, 1)
		return r
	}
	wildcard := sessionRequest(good)
	wildcard.MethodARN += "*"
	inQuery := sessionRequest(good)
	inQuery.CredentialInQuery = true
	tests := []struct {
		name    string
		request Request
		outcome Outcome
		reason  Reason
	}{
		{"good", sessionRequest(good), Allowed, ReasonAllowed},
		{"scheme in another case", sessionRequest("bEARER" + good[6:]), Allowed, ReasonAllowed},
		{"of the second pool", sessionRequest(second("mobileid")), Allowed, ReasonAllowed},
		{"first pool's client id in the second", sessionRequest(second(clientID)), Forbidden, ReasonClient},
		{"none", sessionRequest(), Unauthorized, ReasonNoCredential},
		{"two", sessionRequest(good, good), Unauthorized, ReasonCredential},
		{"in the query, too", inQuery, Unauthorized, ReasonCredential},
		{"wildcard in the ARN", wildcard, Unauthorized, ReasonMethodARN},
		{"empty", sessionRequest(""), Unauthorized, ReasonCredential},
		{"no scheme", sessionRequest(good[7:]), Unauthorized, ReasonCredential},
		{"Basic", sessionRequest("Basic YTpi"), Unauthorized, ReasonKeyForm},
		{"another scheme", sessionRequest("Digest YTpi"), Unauthorized, ReasonCredential},
		{"Bearer alone", sessionRequest("Bearer"), Unauthorized, ReasonCredential},
		{"Bearer and nothing", sessionRequest("Bearer "), Unauthorized, ReasonMalformed},
		{"two spaces", sessionRequest("Bearer " + good[6:]), Unauthorized, ReasonMalformed},
		{"two in one", sessionRequest(good + ", " + good), Unauthorized, ReasonMalformed},
		{"tampered", sessionRequest(good[:len(good)-4] + "AAAA"), Unauthorized, ReasonSignature},
		{"a third issuer", sessionRequest(claim("iss", `"https://example.com"`)), Unauthorized, ReasonIssuer},
		{"ID token", sessionRequest("Bearer " + sign(t, accessHeader, idPayload)), Unauthorized, ReasonNotAccess},
		{"unknown client", sessionRequest(claim("client_id", `"x"`)), Forbidden, ReasonClient},
		{"client's name for its id", sessionRequest(claim("client_id", `"website"`)), Forbidden, ReasonClient},
		{"another route's client", to("/v1/mobile", good), Forbidden, ReasonClient},
		{"other scopes", to("/v1/readonly", good), Forbidden, ReasonScope},
		{"no scope", sessionRequest(claim("scope", `""`)), Forbidden, ReasonScope},
		{"a rule that admits nobody", to("/v1/nobody", good), Forbidden, ReasonClient},
		{"a route without rules", to("/v1/nothing", good), Forbidden, ReasonRoute},
		{"any client", to("/v1/any", claim("client_id", `"x"`)), Allowed, ReasonAllowed},
		{"any client without the scope", to("/v1/any", claim("scope", `"notes/write"`)), Forbidden, ReasonScope},
		{"any client, no scopes", to("/v1/unscoped/any", good), Forbidden, ReasonScope},
		{"the second of two rules", to("/v1/either", good), Allowed, ReasonAllowed},
		{"one rule's client and another's scope", to("/v1/either", claim("scope", `"notes/read"`)), Forbidden, ReasonScope},
		{"none of two rules", to("/v1/neither", good), Forbidden, ReasonScope},
		{"a route for keys alone", to("/v1/keys", good), Forbidden, ReasonRoute},
		{"a rule without scopes", to("/v1/unscoped", good), Forbidden, ReasonScope},
		{"no rule", to("/v1/other", good), Forbidden, ReasonRoute},
		{"no rule and no token", to("/v1/other", ""), Unauthorized, ReasonCredential},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := testAuthorizer(t, KeySet{testKeyID: &testKey(t).PublicKey}).Decide(t.Context(), test.request)
			if d.Outcome != test.outcome || d.Reason != test.reason {
				t.Errorf("%v, %q; want %v, %q", d.Outcome, d.Reason, test.outcome, test.reason)
			}
			if known := d.Outcome == Allowed || d.Outcome == Forbidden; known != (d.Identity.Subject != "") {
				t.Errorf("%v with %+v", d.Outcome, d.Identity)
			}
		})
	}
}

func TestDecideSaysWho(t *testing.T) {
	t.Parallel()
	const user = "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11"
	a := testAuthorizer(t, KeySet{testKeyID: &testKey(t).PublicKey})
	for payload, want := range map[string]Identity{
		accessPayload:  {Kind: KindUser, Subject: user, Username: user, ClientID: clientID, Client: "website", Scopes: []string{"openid", "notes/read", "notes/write"}},
		machinePayload: {Kind: KindClient, Subject: clientID, ClientID: clientID, Client: "website", Scopes: []string{"notes/read"}},
	} {
		d := a.Decide(t.Context(), sessionRequest("Bearer "+sign(t, accessHeader, payload)))
		if !reflect.DeepEqual(d.Identity, want) {
			t.Errorf("got  %+v\nwant %+v", d.Identity, want)
		}
	}
}

// noKeys is a key source that has not been able to read any.
type noKeys struct{}

func (noKeys) Key(context.Context, string) (*rsa.PublicKey, error) {
	return nil, fmt.Errorf("x: %w", ErrNoKeys)
}

func TestDecideWithoutKeys(t *testing.T) {
	t.Parallel()
	a := testAuthorizer(t, noKeys{})
	good := sign(t, accessHeader, accessPayload)
	for authorization, want := range map[string]Outcome{"Bearer " + good: Undecided, "Bearer x" + good: Unauthorized} {
		if d := a.Decide(t.Context(), sessionRequest(authorization)); d.Outcome != want {
			t.Errorf("%v, %q; want %v", d.Outcome, d.Reason, want)
		}
	}
}

func TestZeroDecisionsRefuse(t *testing.T) {
	t.Parallel()
	var d Decision
	if d.Outcome == Allowed || d.Outcome != Forbidden {
		t.Errorf("the zero Decision is %v", d.Outcome)
	}
	if d := new(Authorizer).Decide(t.Context(), sessionRequest("Bearer "+sign(t, accessHeader, accessPayload))); d.Outcome == Allowed {
		t.Error("the zero Authorizer allows")
	}
}

func TestNewAuthorizer(t *testing.T) {
	t.Parallel()
	pool := Pool{testVerifier(t), map[string]string{clientID: "website"}}
	x := route("/x", TokenRule{Scopes: []string{"a/b"}, Clients: []string{"website"}})
	keys := Route{Method: "GET", Resource: "/x", Key: []string{"a/b"}}
	pools := []Pool{pool}
	tests := []struct {
		name   string
		config AuthorizerConfig
		want   string
	}{
		{"complete", AuthorizerConfig{Routes: []Route{x}, Pools: pools}, ""},
		{"keys alone", AuthorizerConfig{Routes: []Route{keys}, Customers: noCustomers{}, Keys: testFormat}, ""},
		{"no verifier", AuthorizerConfig{Routes: []Route{x}, Pools: []Pool{pool, {}}}, "authn: pool 1 has no verifier"},
		{"zero verifier", AuthorizerConfig{Pools: []Pool{{Verifier: &Verifier{}}}}, "authn: pool 0 has no verifier"},
		{"issuer twice", AuthorizerConfig{Routes: []Route{x}, Pools: []Pool{pool, pool}}, "authn: two pools of the issuer " + testIssuer},
		{"route twice", AuthorizerConfig{Routes: []Route{x, x}, Pools: pools}, "authn: two rules for GET /x"},
		{"unknown client", AuthorizerConfig{Routes: []Route{route("/x", TokenRule{Clients: []string{"web"}})}, Pools: pools}, `authn: GET /x: no user pool has a client called "web"`},
		{"empty name", AuthorizerConfig{Routes: []Route{route("/x", TokenRule{Clients: []string{""}})}, Pools: []Pool{{testVerifier(t), map[string]string{"x": ""}}}}, `authn: GET /x: no user pool has a client called ""`},
		{"tokens without a pool", AuthorizerConfig{Routes: []Route{route("/x", TokenRule{AnyClient: true})}}, "authn: GET /x: takes tokens, but there is no user pool"},
		{"keys without customers", AuthorizerConfig{Routes: []Route{keys}, Pools: pools}, "authn: GET /x: takes keys, but there are no customers"},
		{"customers without a format", AuthorizerConfig{Routes: []Route{keys}, Customers: noCustomers{}},
			"key prefix \"\"; 1 to 16 lower-case letters and digits, a letter first\nstage tag \"\"; 1 to 16 letters and digits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewAuthorizer(test.config)
			if got := fmt.Sprint(err); got != test.want && (test.want != "" || err != nil) {
				t.Errorf("got %s; want %s", got, test.want)
			}
		})
	}
}

func TestNamesCall(t *testing.T) {
	t.Parallel()
	const base = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/dev/"
	tests := []struct {
		arn, method, resource string
		want                  bool
	}{
		{base + "GET/v1/session", "GET", "/v1/session", true},
		{base + "GET/v1/session/", "GET", "/v1/session", true},
		{"arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:a1/p/GET/x", "GET", "/x", true},
		{base + "GET/", "GET", "/", true},
		{base + "GET/v1/notes/7", "GET", "/v1/notes/{id}", true},
		{base + "GET/v1/notes/a:b%2fc", "GET", "/v1/notes/{id}", true},
		{base + "GET/v1/notes/7/tags", "GET", "/v1/notes/{id}/tags", true},
		{base + "GET/files/a/b", "GET", "/files/{path+}", true},
		{base + "GET/v1/notes/a$b", "GET", "/v1/notes/{id}", true},
		{base + "GET/files/", "GET", "/files/{path+}", false},
		{base + "GET/v1/notes/", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/7/tags", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/7", "GET", "/v1/notes/{id}/tags", false},
		{base + "GET/v1/sessions", "GET", "/v1/session", false},
		{base + "GET/v1/session//", "GET", "/v1/session", false},
		{base + "GET/v1//session", "GET", "/v1/session", false},
		{base + "GET/v1", "GET", "/v1/session", false},
		{base + "GET/v12/session", "GET", "/v1/session", false},
		{base + "GET/v1/session", "GET", "/", false},
		{base + "POST/v1/session", "GET", "/v1/session", false},
		{base + "GET", "GET", "/", false},
		{base + "GET/v1/notes/*", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/?", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/${aws:username}", "GET", "/v1/notes/{id}", false},
		{base + `GET/v1/notes/"`, "GET", "/v1/notes/{id}", false},
		{base + `GET/v1/notes/\`, "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/a b", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/é", "GET", "/v1/notes/{id}", false},
		{base + "GET/v1/notes/a\n", "GET", "/v1/notes/{id}", false},
		{base + "*/v1/session", "*", "/v1/session", false},
		{base + "GET/v1/notes/" + strings.Repeat("a", maxARNBytes-len(base)-len("GET/v1/notes/")), "GET", "/v1/notes/{id}", true},
		{base + "GET/v1/notes/" + strings.Repeat("a", maxARNBytes+1-len(base)-len("GET/v1/notes/")), "GET", "/v1/notes/{id}", false},
		{"arn:aws:lambda:eu-west-1:123456789012:a1b2c3/dev/GET/x", "GET", "/x", false},
		{"execute-api:eu-west-1:123456789012:a1b2c3/dev/GET/x", "GET", "/x", false},
		{"*", "GET", "/x", false},
		{"", "", "", false},
	}
	for _, test := range tests {
		if got := namesCall(test.arn, test.method, test.resource); got != test.want {
			t.Errorf("%s as %s %s: %v", test.arn, test.method, test.resource, got)
		}
	}
}
