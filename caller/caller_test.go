package caller_test

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
	"github.com/gatewright/gatewright/internal/authconfig"
)

func request(authorizer map[string]any) events.APIGatewayProxyRequest {
	return events.APIGatewayProxyRequest{RequestContext: events.APIGatewayProxyRequestContext{Authorizer: authorizer}}
}

func Example() {
	r := request(map[string]any{"claims": map[string]any{
		"token_use": "access", "sub": "4k2", "client_id": "4k2", "scope": "notes/read notes/write",
	}})
	c := caller.From(r)
	fmt.Println(c.Kind, c.Client, c.Has("notes/write"), c.Has("notes"))
	// Output: client 4k2 true false
}

func TestFrom(t *testing.T) {
	t.Parallel()
	anyone := caller.Caller{Kind: caller.KindAnyone, Scopes: []string{}, Claims: map[string]string{}}
	tests := []struct {
		name       string
		authorizer map[string]any
		want       caller.Caller
	}{
		{"no authorizer", nil, anyone},
		{"empty authorizer", map[string]any{}, anyone},
		{
			"client_credentials",
			map[string]any{"claims": map[string]any{"token_use": "access", "sub": "c1", "client_id": "c1", "scope": "notes/read"}},
			caller.Caller{
				Kind: caller.KindClient, Subject: "c1", Client: "c1", Scopes: []string{"notes/read"},
				Claims: map[string]string{"token_use": "access", "sub": "c1", "client_id": "c1", "scope": "notes/read"},
			},
		},
		{
			"user with an access token",
			map[string]any{"claims": map[string]any{"token_use": "access", "sub": "u1", "username": "ada", "client_id": "c1", "scope": "notes/read notes/write"}},
			caller.Caller{
				Kind: caller.KindUser, Subject: "u1", Username: "ada", Client: "c1", Scopes: []string{"notes/read", "notes/write"},
				Claims: map[string]string{"token_use": "access", "sub": "u1", "username": "ada", "client_id": "c1", "scope": "notes/read notes/write"},
			},
		},
		{
			"user with an ID token has no scopes",
			map[string]any{"claims": map[string]any{"token_use": "id", "sub": "u1", "aud": "c1", "client_id": "c2"}},
			caller.Caller{
				Kind: caller.KindUser, Subject: "u1", Client: "c1", Scopes: []string{},
				Claims: map[string]string{"token_use": "id", "sub": "u1", "aud": "c1", "client_id": "c2"},
			},
		},
		{"claims without a use", map[string]any{"claims": map[string]any{"sub": "u1", "client_id": "c1"}}, anyone},
		{"claims without a subject", map[string]any{"claims": map[string]any{"token_use": "access", "client_id": "c1"}}, anyone},
		{"claims without a client", map[string]any{"claims": map[string]any{"token_use": "access", "sub": "u1"}}, anyone},
		{"claims and a principal", map[string]any{"claims": map[string]any{"token_use": "access", "sub": "u1", "client_id": "c1"}, "principalId": "u1"}, anyone},
		{"claims that are empty", map[string]any{"claims": map[string]any{}}, anyone},
		{"claims that are null", map[string]any{"claims": nil}, anyone},
		{"claims of a Lambda authorizer's context", map[string]any{"claims": `{"token_use":"access","sub":"u1","client_id":"c1"}`, "sub": "u1"}, anyone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := caller.From(request(tt.authorizer)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// lambdaContext is what API Gateway hands on from our Lambda authorizer, with
// changes; nil removes a key.
func lambdaContext(changes map[string]any) map[string]any {
	context := map[string]any{
		"principalId": "u1", "integrationLatency": 12.0, "kind": "user", "subject": "u1", "client": "website", "clientId": "c1",
		"scopes": "openid web/use", "username": "ada", "customer": "", "key": "", "plan": "",
	}
	for key, value := range changes {
		if value == nil {
			delete(context, key)
			continue
		}
		context[key] = value
	}
	return context
}

// customer are the changes that make the context a customer's, and more.
func customer(more map[string]any) map[string]any {
	changes := map[string]any{
		"principalId": "a1", "kind": "customer", "subject": "a1", "customer": "a1", "key": "k1", "plan": "gold", "client": "", "clientId": "", "username": "",
	}
	maps.Copy(changes, more)
	return changes
}

func TestFromLambdaAuthorizer(t *testing.T) {
	t.Parallel()
	anyone := caller.Caller{Kind: caller.KindAnyone, Scopes: []string{}, Claims: map[string]string{}}
	machine := map[string]any{"kind": "client", "principalId": "c1", "subject": "c1", "client": "billing", "username": ""}
	type test struct {
		name   string
		change map[string]any
		want   caller.Caller
	}
	tests := []test{
		{"user", nil, caller.Caller{
			Kind: caller.KindUser, Subject: "u1", Username: "ada", Client: "c1", ClientName: "website", Scopes: []string{"openid", "web/use"},
			Claims: map[string]string{"token_use": "access", "sub": "u1", "client_id": "c1", "scope": "openid web/use", "username": "ada"},
		}},
		{"machine", machine, caller.Caller{
			Kind: caller.KindClient, Subject: "c1", Client: "c1", ClientName: "billing", Scopes: []string{"openid", "web/use"},
			Claims: map[string]string{"token_use": "access", "sub": "c1", "client_id": "c1", "scope": "openid web/use"},
		}},
		{"without a latency", map[string]any{"integrationLatency": nil}, caller.From(request(lambdaContext(nil)))},
		{"beside claims", map[string]any{"claims": map[string]any{"token_use": "access", "sub": "u1", "client_id": "c1", "username": "ada"}}, anyone},
		{"beside claims that are a text", map[string]any{"claims": `{"sub":"u1"}`}, anyone},
		{"beside no claims", map[string]any{"claims": map[string]any{}}, anyone},
		{"another principal", map[string]any{"principalId": "u2"}, anyone},
		{"no principal", map[string]any{"principalId": nil}, anyone},
		{"an unknown kind", map[string]any{"kind": "root"}, anyone},
		{"nobody's kind", map[string]any{"kind": "anyone"}, anyone},
		{"an empty subject", map[string]any{"subject": "", "principalId": ""}, anyone},
		{"an empty client id", map[string]any{"clientId": ""}, anyone},
		{"a client that no rule names", map[string]any{"client": ""}, caller.Caller{
			Kind: caller.KindUser, Subject: "u1", Username: "ada", Client: "c1", Scopes: []string{"openid", "web/use"},
			Claims: map[string]string{"token_use": "access", "sub": "u1", "client_id": "c1", "scope": "openid web/use", "username": "ada"},
		}},
		{"customer", customer(nil), caller.Caller{
			Kind: caller.KindCustomer, Subject: "a1", Customer: "a1", Key: "k1", Plan: "gold", Scopes: []string{"openid", "web/use"}, Claims: map[string]string{},
		}},
		{"customer without a plan", customer(map[string]any{"plan": ""}), caller.Caller{
			Kind: caller.KindCustomer, Subject: "a1", Customer: "a1", Key: "k1", Scopes: []string{"openid", "web/use"}, Claims: map[string]string{},
		}},
		{"customer without a key", customer(map[string]any{"key": ""}), anyone},
		{"customer without an id", customer(map[string]any{"customer": ""}), anyone},
		{"customer that is another", customer(map[string]any{"customer": "a2"}), anyone},
		{"customer that another principal is", customer(map[string]any{"principalId": "a2"}), anyone},
		{"customer with a client id", customer(map[string]any{"clientId": "c1"}), anyone},
		{"customer with a client", customer(map[string]any{"client": "website"}), anyone},
		{"customer with a user's name", customer(map[string]any{"username": "ada"}), anyone},
		{"user with a customer", map[string]any{"customer": "a1"}, anyone},
		{"user with a key", map[string]any{"key": "k1"}, anyone},
		{"user with a plan", map[string]any{"plan": "gold"}, anyone},
		{"machine with a plan", map[string]any{"kind": "client", "principalId": "c1", "subject": "c1", "username": "", "plan": "gold"}, anyone},
		{"a user without a name", map[string]any{"username": ""}, anyone},
		{"a machine with a user's name", map[string]any{"kind": "client"}, anyone},
		{"a machine that is another client", map[string]any{"kind": "client", "username": ""}, anyone},
	}
	for _, key := range []string{"kind", "subject", "client", "clientId", "scopes", "username", "customer", "key", "plan"} {
		tests = append(tests,
			test{"no " + key, map[string]any{key: nil}, anyone},
			test{key + " that is no text", map[string]any{key: 1.0}, anyone})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := caller.From(request(lambdaContext(tt.change))); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// The keys are those that the authorizer is told to write.
func TestContextIsTheAuthorizers(t *testing.T) {
	t.Parallel()
	context := map[string]any{"principalId": "u1"}
	for key, value := range map[string]string{
		authconfig.ContextKind: authconfig.KindUser, authconfig.ContextSubject: "u1", authconfig.ContextClient: "website",
		authconfig.ContextClientID: "c1", authconfig.ContextScopes: "web/use", authconfig.ContextUsername: "ada",
		authconfig.ContextCustomer: "", authconfig.ContextKey: "", authconfig.ContextPlan: "",
	} {
		context[key] = value
	}
	c := caller.From(request(context))
	if c.Kind != caller.KindUser || c.Subject != "u1" || c.ClientName != "website" || c.Client != "c1" || !c.Has("web/use") || c.Username != "ada" {
		t.Errorf("the authorizer's context is %+v", c)
	}
	context[authconfig.ContextKind], context[authconfig.ContextUsername] = authconfig.KindClient, ""
	context[authconfig.ContextSubject], context["principalId"] = "c1", "c1"
	if c := caller.From(request(context)); c.Kind != caller.KindClient {
		t.Errorf("a machine's context is %+v", c)
	}
	for key, value := range map[string]string{
		authconfig.ContextKind: authconfig.KindCustomer, authconfig.ContextClient: "", authconfig.ContextClientID: "",
		authconfig.ContextCustomer: "c1", authconfig.ContextKey: "k1", authconfig.ContextPlan: "gold",
	} {
		context[key] = value
	}
	if c := caller.From(request(context)); c.Kind != caller.KindCustomer || c.Customer != "c1" || c.Key != "k1" || c.Plan != "gold" {
		t.Errorf("a customer's context is %+v", c)
	}
}

// Whatever a client sends, a caller that no authorizer verified is nobody.
func TestFromBelievesNothingThatTheClientSent(t *testing.T) {
	t.Parallel()
	forged := map[string]string{
		"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
		"X-User-Id":     "root", "X-Amzn-Remapped-Authorization": "root",
		"claims": `{"sub":"root"}`, "sub": "root", "x-amzn-oidc-identity": "root",
	}
	multi := map[string][]string{}
	for name, value := range forged {
		multi[name] = []string{value}
	}
	r := events.APIGatewayProxyRequest{
		Headers: forged, MultiValueHeaders: multi, QueryStringParameters: forged,
		MultiValueQueryStringParameters: multi, PathParameters: forged, Body: `{"sub":"root","claims":{"sub":"root"}}`,
	}
	if got := caller.From(r); got.Kind != caller.KindAnyone || got.Subject != "" || len(got.Claims) > 0 || len(got.Scopes) > 0 {
		t.Errorf("a client made itself %+v", got)
	}
}
