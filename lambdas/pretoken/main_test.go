package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// event is what Cognito sends, as far as the function reads it.
const event = `{
	"version": "2", "triggerSource": "TokenGeneration_HostedAuth", "region": "eu-west-1", "userPoolId": "eu-west-1_AbCdEfGhI",
	"userName": "a36036a8-9061-424d-a737-56d57dae7bc6", "callerContext": {"awsSdkVersion": "unknown", "clientId": "1example23456789"},
	"request": {"userAttributes": ATTRIBUTES,
		"groupConfiguration": {"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null}, "scopes": ["orders/read"]},
	"response": {"claimsAndScopeOverrideDetails": null}}`

func call(t *testing.T, claims, userAttributes string) map[string]any {
	t.Helper()
	names, err := parse(claims)
	if err != nil {
		t.Fatal(err)
	}
	var e events.CognitoEventUserPoolsPreTokenGenV2_0
	if err := json.Unmarshal([]byte(strings.Replace(event, "ATTRIBUTES", userAttributes, 1)), &e); err != nil {
		t.Fatal(err)
	}
	answer, err := names.handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		UserPoolID string
		Response   struct{ ClaimsAndScopeOverrideDetails map[string]any }
	}
	if err := json.Unmarshal(sent, &read); err != nil {
		t.Fatal(err)
	}
	if read.UserPoolID != e.UserPoolID {
		t.Errorf("the answer is of pool %q: Cognito wants its event back", read.UserPoolID)
	}
	return read.Response.ClaimsAndScopeOverrideDetails
}

func TestClaims(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, claims, attributes, want string }{
		{"verified address", "email", `{"sub": "1", "email": "a@example.com", "email_verified": "true"}`, `{"email":"a@example.com"}`},
		{"unverified address", "email", `{"email": "a@example.com", "email_verified": "false"}`, `{}`},
		{"address without a word on it", "email", `{"email": "a@example.com"}`, `{}`},
		{"another spelling of true", "email", `{"email": "a@example.com", "email_verified": "True"}`, `{}`},
		{"only the phone is verified", "email,phone_number", `{"email": "a@example.com", "phone_number": "+491", "phone_number_verified": "true"}`, `{"phone_number":"+491"}`},
		{"an attribute that nobody verifies", "custom:tenant", `{"custom:tenant": "acme"}`, `{"custom:tenant":"acme"}`},
		{"a mark that is not Cognito's own", "name", `{"name": "Ann", "name_verified": "false"}`, `{"name":"Ann"}`},
		{"no such attribute", "name", `{"email": "a@example.com"}`, `{}`},
		{"nothing but what is named", "name", `{"name": "Ann", "email": "a@example.com", "email_verified": "true"}`, `{"name":"Ann"}`},
		{"no user", "email", `{}`, `{}`},
		{"no attributes", "email", `null`, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			details := call(t, tt.claims, tt.attributes)
			got, err := json.Marshal(details["accessTokenGeneration"].(map[string]any)["claimsToAddOrOverride"])
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("the access token gets %s, want %s", got, tt.want)
			}
		})
	}
}

// Nothing but claims of the access token changes.
func TestLeavesTheRest(t *testing.T) {
	t.Parallel()
	details := call(t, "email", `{"email": "a@example.com", "email_verified": "true"}`)
	if got, want := details["groupOverrideDetails"], any(map[string]any{
		"groupsToOverride": []any{"staff"}, "iamRolesToOverride": []any{}, "preferredRole": nil,
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("the user's groups become %v, want %v", got, want)
	}
	access := details["accessTokenGeneration"].(map[string]any)
	id := details["idTokenGeneration"].(map[string]any)
	for name, value := range map[string]any{
		"scopes added": access["scopesToAdd"], "scopes suppressed": access["scopesToSuppress"], "claims suppressed": access["claimsToSuppress"],
		"ID claims": id["claimsToAddOrOverride"], "ID claims suppressed": id["claimsToSuppress"],
	} {
		if value != nil {
			t.Errorf("%s: %v", name, value)
		}
	}
}

// A function that lost its configuration does not start.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", ",", "email,", "email,,name"} {
		err := run(func(string) string { return list })
		if err == nil || !strings.Contains(err.Error(), "ACCESS_TOKEN_CLAIMS is") {
			t.Errorf("%q: %v", list, err)
		}
	}
}
