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
		"groupConfiguration": {"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null}, "scopes": SCOPES},
	"response": {"claimsAndScopeOverrideDetails": null}}`

func call(t *testing.T, claims, userAttributes string) map[string]any {
	t.Helper()
	return callScopes(t, claims, "", userAttributes, `["orders/read"]`)
}

func callScopes(t *testing.T, claims, sdkScopes, userAttributes, scopes string) map[string]any {
	t.Helper()
	trigger, err := parse(claims, sdkScopes)
	if err != nil {
		t.Fatal(err)
	}
	var e events.CognitoEventUserPoolsPreTokenGenV2_0
	if err := json.Unmarshal([]byte(strings.NewReplacer("ATTRIBUTES", userAttributes, "SCOPES", scopes).Replace(event)), &e); err != nil {
		t.Fatal(err)
	}
	answer, err := trigger.handle(t.Context(), e)
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

// Scopes are added to the tokens of sign-ins by the user pool's API alone.
func TestSDKScopes(t *testing.T) {
	t.Parallel()
	const admin = `"aws.cognito.signin.user.admin"`
	tests := []struct{ name, sdkScopes, scopes, want string }{
		{"by the API", "orders/read web/use", `[` + admin + `]`, `["orders/read","web/use"]`},
		{"on the pages, where the client may ask for it", "orders/read", `["openid", ` + admin + `]`, `["orders/read"]`},
		{"on the pages", "orders/read", `["openid", "orders/write"]`, `null`},
		{"another scope that begins alike", "orders/read", `["aws.cognito.signin.user.admin2", "aws.cognito.signin"]`, `null`},
		{"no scopes", "orders/read", `[]`, `null`},
		{"no word on scopes", "orders/read", `null`, `null`},
		{"nothing to add", "", `[` + admin + `]`, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			claims := ""
			if tt.sdkScopes == "" {
				claims = "name"
			}
			access := callScopes(t, claims, tt.sdkScopes, `{"name": "Ann"}`, tt.scopes)["accessTokenGeneration"].(map[string]any)
			got, err := json.Marshal(access["scopesToAdd"])
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want || access["scopesToSuppress"] != nil {
				t.Errorf("the access token gets %s and loses %v, want %s", got, access["scopesToSuppress"], tt.want)
			}
		})
	}
	both := callScopes(t, "name", "orders/read", `{"name": "Ann"}`, `[`+admin+`]`)["accessTokenGeneration"]
	if got, want := both, any(map[string]any{
		"claimsToAddOrOverride": map[string]any{"name": "Ann"}, "claimsToSuppress": nil, "scopesToAdd": []any{"orders/read"}, "scopesToSuppress": nil,
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("claims and scopes together are %v, want %v", got, want)
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
	for _, tt := range []struct{ claims, scopes, want string }{
		{"", "", "neither ACCESS_TOKEN_CLAIMS nor SDK_SCOPES is set"},
		{",", "", "ACCESS_TOKEN_CLAIMS is"},
		{"email,", "orders/read", "ACCESS_TOKEN_CLAIMS is"},
		{"email,,name", "", "ACCESS_TOKEN_CLAIMS is"},
		{"", " ", "SDK_SCOPES is"},
		{"email", "orders/read ", "SDK_SCOPES is"},
		{"", "orders/read  web/use", "SDK_SCOPES is"},
	} {
		err := run(func(name string) string {
			return map[string]string{"ACCESS_TOKEN_CLAIMS": tt.claims, "SDK_SCOPES": tt.scopes}[name]
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q, %q: %v", tt.claims, tt.scopes, err)
		}
	}
}
