package assembly_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// pool is a stack with a pool that has one trigger configuration, and a client
// with further properties.
func pool(lambdaConfig, client string) string {
	return `{"Resources": {
		"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "pretoken", "Role": "r"}},
		"Pool": {"Type": "AWS::Cognito::UserPool", "Metadata": {"aws:cdk:path": "App/Users/Pool"}, "Properties": {"LambdaConfig": ` + lambdaConfig + `}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}` + client + `}}}}`
}

func readPool(t *testing.T, template string) (*assembly.UserPool, error) {
	t.Helper()
	m, err := model(t, write(t, [2]string{"Identity", template}), "")
	if err != nil {
		return nil, err
	}
	return m.UserPools[0], nil
}

// A trigger of version 2 leaves machines' tokens alone; nothing is known of
// what any other does.
func TestTriggers(t *testing.T) {
	t.Parallel()
	const arn = `"LambdaArn": {"Fn::GetAtt": ["Fn", "Arn"]}`
	tests := []struct{ name, config, function, problem string }{
		{"none", `{}`, "", ""},
		{"version 2", `{"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", ` + arn + `}}`, "arn:aws:lambda:eu-west-1:111122223333:function:pretoken", ""},
		{"version 3", `{"PreTokenGenerationConfig": {"LambdaVersion": "V3_0", ` + arn + `}}`, "", `App/Users/Pool.LambdaConfig.PreTokenGenerationConfig: LambdaVersion "V3_0" is not understood`},
		{"no version", `{"PreTokenGenerationConfig": {` + arn + `}}`, "", `LambdaVersion "" is not understood`},
		{"no object", `{"PreTokenGenerationConfig": "V2_0"}`, "", "PreTokenGenerationConfig is not an object"},
		{"version 1", `{"PreTokenGeneration": "arn"}`, "", "App/Users/Pool: LambdaConfig is not understood with PreTokenGeneration"},
		{"another beside it", `{"PreSignUp": "arn", "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", ` + arn + `}}`, "", "LambdaConfig is not understood with PreSignUp"},
		{"migration", `{"UserMigration": "arn"}`, "", "LambdaConfig is not understood with UserMigration"},
		{"no text", `"arn"`, "", "LambdaConfig is not an object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readPool(t, pool(tt.config, ""))
			if tt.problem == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got.PreTokenFunctionARN != tt.function {
					t.Errorf("the trigger is %q, want %q", got.PreTokenFunctionARN, tt.function)
				}
				return
			}
			var unsupported *assembly.UnsupportedError
			if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("got  %v\nwant %q in it", err, tt.problem)
			}
		})
	}
}

func TestSignInClient(t *testing.T) {
	t.Parallel()
	got, err := readPool(t, pool(`{}`, `, "ClientName": "website", "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"],
		"AllowedOAuthScopes": ["openid", "orders/read"], "CallbackURLs": ["https://shop.example.com/callback"], "LogoutURLs": ["https://shop.example.com/"],
		"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30},
		"AccessTokenValidity": 15, "IdTokenValidity": 20, "RefreshTokenValidity": 720,
		"TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "minutes"}`))
	if err != nil {
		t.Fatal(err)
	}
	client := got.Clients[0]
	client.Place, client.ID = assembly.Place{}, ""
	want := assembly.UserPoolClient{
		Name: "website", OAuth: true, Flows: []string{"code"}, Scopes: []string{"openid", "orders/read"},
		Callbacks: []string{"https://shop.example.com/callback"}, Logouts: []string{"https://shop.example.com/"}, RotatesRefreshTokens: true,
		AccessTokenLifetime: 15 * time.Minute, IDTokenLifetime: 20 * time.Minute, RefreshTokenLifetime: 12 * time.Hour,
	}
	if !reflect.DeepEqual(client, want) {
		t.Errorf("got  %+v\nwant %+v", client, want)
	}
}

// What a client leaves out is Cognito's default.
func TestClientDefaults(t *testing.T) {
	t.Parallel()
	for name, rotation := range map[string]string{"left out": "", "off": `, "RefreshTokenRotation": {"Feature": "DISABLED"}`} {
		got, err := readPool(t, pool(`{}`, rotation))
		if err != nil {
			t.Fatal(err)
		}
		if client := got.Clients[0]; client.RotatesRefreshTokens || client.HasSecret || client.OAuth || client.RefreshTokenLifetime != 30*24*time.Hour {
			t.Errorf("%s: %+v", name, client)
		}
	}
}
