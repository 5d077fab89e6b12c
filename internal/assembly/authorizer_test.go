package assembly_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// readAuthorizer reads one AWS::ApiGateway::Authorizer that no method uses.
func readAuthorizer(t *testing.T, properties, metadata string) (assembly.Authorizer, *assembly.Model) {
	t.Helper()
	m := read(t, [2]string{"Api", template(
		`"API": {"Type": "AWS::ApiGateway::RestApi", "Metadata": {"gatewright:cached": {"A": "the API says so"}}, "Properties": {"Name": "shop"}}`,
		`"Stage": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}`,
		strings.ReplaceAll(`"A": {"Type": "AWS::ApiGateway::Authorizer", "Metadata": `+metadata+`, "Properties": {"RestApiId": {"Ref": "API"}, "Name": "A", `+properties+`}}`, "URI", authorizerURI))})
	if len(m.RestAPIs[0].Authorizers) != 1 {
		t.Fatalf("read %+v", m.RestAPIs[0])
	}
	a := *m.RestAPIs[0].Authorizers[0]
	a.Place, a.Name = assembly.Place{}, ""
	return a, m
}

func TestAuthorizers(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:eu-west-1:111122223333:function:callers"
	const reason = "the API says so"
	tests := map[string]struct {
		properties, metadata string
		want                 assembly.Authorizer
	}{
		"Cognito": {`"Type": "COGNITO_USER_POOLS", "ProviderARNs": ["arn:a", "arn:b"], "AuthorizerResultTtlInSeconds": 5`, `{}`,
			assembly.Authorizer{Type: "COGNITO_USER_POOLS", ProviderARNs: []string{"arn:a", "arn:b"}, Header: "Authorization", CacheReason: reason}},
		"token": {`"Type": "TOKEN", "AuthorizerUri": "URI", "IdentitySource": "method.request.header.X-Key", "IdentityValidationExpression": "^k.*$"`, `{}`,
			assembly.Authorizer{Type: "TOKEN", Header: "X-Key", FunctionARN: function, Validation: "^k.*$", CacheTTL: 5 * time.Minute, CacheReason: reason}},
		"token by default": {`"Type": "TOKEN", "AuthorizerUri": "URI", "AuthorizerCredentials": "arn:role", "AuthorizerResultTtlInSeconds": 0`, `{"gatewright:cached": "its own reason"}`,
			assembly.Authorizer{Type: "TOKEN", Header: "Authorization", FunctionARN: function, Credentials: "arn:role", CacheReason: "its own reason"}},
		"request": {`"Type": "REQUEST", "AuthorizerUri": "URI", "AuthorizerResultTtlInSeconds": "3600",
				"IdentitySource": "method.request.header.Authorization, method.request.querystring.q,context.identity.sourceIp,stageVariables.v"`, `{}`,
			assembly.Authorizer{Type: "REQUEST", FunctionARN: function, CacheTTL: time.Hour, CacheReason: reason, IdentitySources: []string{
				"method.request.header.Authorization", "method.request.querystring.q", "context.identity.sourceIp", "stageVariables.v"}}},
		"request without sources": {`"Type": "REQUEST", "AuthorizerUri": "URI"`, `{}`,
			assembly.Authorizer{Type: "REQUEST", FunctionARN: function, CacheTTL: 5 * time.Minute, CacheReason: reason}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, m := readAuthorizer(t, test.properties, test.metadata)
			if got.ID == "" {
				t.Error("no id")
			}
			got.ID = ""
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if err := m.Servable(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnsupportedAuthorizers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ properties, want string }{
		"type":                {`"Type": "JWT"`, `an authorizer of type "JWT" is not understood`},
		"no pools":            {`"Type": "COGNITO_USER_POOLS"`, "a Cognito authorizer names its user pools"},
		"pool on AWS only":    {`"Type": "COGNITO_USER_POOLS", "ProviderARNs": [{"Fn::ImportValue": "x"}]`, "no stack of this stage exports"},
		"audience":            {`"Type": "COGNITO_USER_POOLS", "ProviderARNs": ["arn:a"], "IdentityValidationExpression": "x"`, "not understood on a Cognito authorizer"},
		"token elsewhere":     {`"Type": "TOKEN", "AuthorizerUri": "URI", "IdentitySource": "method.request.querystring.t"`, `the IdentitySource "method.request.querystring.t" is not understood`},
		"no header":           {`"Type": "COGNITO_USER_POOLS", "ProviderARNs": ["arn:a"], "IdentitySource": "method.request.header."`, "is not understood"},
		"expression":          {`"Type": "TOKEN", "AuthorizerUri": "URI", "IdentityValidationExpression": "(?=a)"`, "the IdentityValidationExpression is not understood"},
		"source":              {`"Type": "REQUEST", "AuthorizerUri": "URI", "IdentitySource": "method.request.body.x"`, `the IdentitySource "method.request.body.x" is not understood`},
		"no function":         {`"Type": "REQUEST", "AuthorizerUri": "arn:aws:sqs:eu-west-1:1:q"`, "names no Lambda function"},
		"function by a stage": {`"Type": "REQUEST", "AuthorizerUri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:${stageVariables.f}/invocations"`, "names no Lambda function"},
		"cached too long":     {`"Type": "TOKEN", "AuthorizerUri": "URI", "AuthorizerResultTtlInSeconds": 3601`, "is no number of seconds up to an hour"},
		"cached backwards":    {`"Type": "TOKEN", "AuthorizerUri": "URI", "AuthorizerResultTtlInSeconds": -1`, "is no number of seconds up to an hour"},
		"property":            {`"Type": "TOKEN", "AuthorizerUri": "URI", "Open": true`, "property Open is not understood"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, m := readAuthorizer(t, test.properties, `{}`); !lists(m, test.want, true) {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
		})
	}
}
