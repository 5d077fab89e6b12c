package main

import (
	"maps"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
)

func TestHandle(t *testing.T) {
	cors = caller.CORS{"https://www.example.com", "https://app.example.com"}
	signedIn := map[string]any{
		"principalId": "u1", "kind": "user", "subject": "u1", "client": "website", "clientId": "c1", "scopes": "openid web/use",
		"username": "ada", "customer": "", "key": "", "plan": "", "integrationLatency": 3.0,
	}
	with := func(changes map[string]any) map[string]any {
		changed := maps.Clone(signedIn)
		maps.Copy(changed, changes)
		return changed
	}
	const nobody = `{"message":"nobody is signed in"}`
	tests := []struct {
		name       string
		authorizer map[string]any
		status     int
		body       string
	}{
		{"user", signedIn, 200, `{"subject":"u1","username":"ada","client":"website","scopes":["openid","web/use"]}`},
		{"no scopes", with(map[string]any{"scopes": ""}), 200, `{"subject":"u1","username":"ada","client":"website","scopes":[]}`},
		{"client", with(map[string]any{"kind": "client", "principalId": "c1", "subject": "c1", "username": ""}), 403, nobody},
		{"nobody", nil, 403, nobody},
		{"incomplete", with(map[string]any{"plan": nil}), 403, nobody},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := events.APIGatewayProxyRequest{Headers: map[string]string{"Origin": "https://app.example.com"}}
			r.RequestContext.Authorizer = test.authorizer
			got, err := handle(t.Context(), r)
			if err != nil || got.StatusCode != test.status || got.Body != test.body {
				t.Errorf("got %d %s, %v; want %d %s", got.StatusCode, got.Body, err, test.status, test.body)
			}
			if h := got.Headers; h["Access-Control-Allow-Origin"] != "https://app.example.com" || h["Content-Type"] != "application/json" || h["Cache-Control"] != "no-store" {
				t.Errorf("headers %v", h)
			}
		})
	}
}
