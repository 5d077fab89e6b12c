package caller_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
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
				Kind: caller.KindUser, Subject: "u1", Client: "c1", Scopes: []string{"notes/read", "notes/write"},
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
