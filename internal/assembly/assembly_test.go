package assembly_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// write puts an assembly of one or more stacks, by id, into a folder. Each is
// a template in JSON; a stack depends on those before it that it mentions.
func write(t testing.TB, stacks ...[2]string) string {
	t.Helper()
	dir := t.TempDir()
	artifacts := map[string]any{}
	for i, s := range stacks {
		id, template := s[0], s[1]
		put(t, filepath.Join(dir, id+".template.json"), template)
		artifacts[id] = map[string]any{
			"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1", "displayName": id,
			"dependencies": mentioned(stacks[:i], template), "properties": map[string]any{"templateFile": id + ".template.json"},
		}
	}
	manifest, err := json.Marshal(map[string]any{"version": "54.0.0", "artifacts": artifacts})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "manifest.json"), string(manifest))
	return dir
}

func mentioned(before [][2]string, template string) []string {
	var ids []string
	for _, s := range before {
		if strings.Contains(template, s[0]) {
			ids = append(ids, s[0])
		}
	}
	return ids
}

func put(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func model(t *testing.T, dir, stage string) (*assembly.Model, error) {
	t.Helper()
	a, err := assembly.Load(dir)
	if err != nil {
		return nil, err
	}
	m, err := a.Model(stage, assembly.Options{})
	if err != nil {
		return nil, err
	}
	return m, m.Servable()
}

const api = `"API": {"Type": "AWS::ApiGateway::RestApi", "Metadata": {"aws:cdk:path": "App/API", "gatewright:public": {"GET /open": "health check"}}, "Properties": {
	"Name": "shop", "Body": {
		"openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
		"components": {"securitySchemes": {"Pool": {"type": "apiKey", "name": "Authorization", "in": "header",
			"x-amazon-apigateway-authtype": "cognito_user_pools",
			"x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [POOL]}}}},
		"paths": {
			"/open": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST",
				"uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:orders/invocations"}},
				"options": {"responses": {}, "x-amazon-apigateway-integration": {"type": "mock", "responses": {
					"default": {"statusCode": "204", "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'https://shop.example.com'"}}}}}},
			"/orders/{id}": {"get": {"operationId": "order", "responses": {}, "security": [{"Pool": ["orders/read"]}],
				"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "https://example.com", "httpMethod": "GET", "requestParameters": {}}}}
		}}}},
	"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}}},
	"Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "API"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "live"}}`

func template(resources ...string) string {
	return `{"Resources": {` + strings.Join(resources, ",\n") + `}}`
}

func withPool(reference string) string { return strings.Replace(api, "POOL", reference, 1) }

const identity = `{"Resources": {
	"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
	"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}, "ClientName": "machine", "GenerateSecret": true,
		"AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["orders/read"],
		"AccessTokenValidity": 15, "TokenValidityUnits": {"AccessToken": "minutes"}}}},
	"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Pool", "Arn"]}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Pool"}}}}}`

// Both kinds of cross-stack reference lead to the same pool.
func TestCrossStackReferences(t *testing.T) {
	t.Parallel()
	for name, reference := range map[string]string{
		"export": `{"Fn::ImportValue": "Identity:Pool"}`,
		"weak":   `{"Fn::GetStackOutput": {"StackName": "Identity", "OutputName": "Arn", "Region": "eu-west-1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := model(t, write(t, [2]string{"Identity", identity}, [2]string{"Api", template(withPool(reference))}), "")
			if err != nil {
				t.Fatal(err)
			}
			if m.Stage != "Api" || len(m.RestAPIs) != 1 || len(m.UserPools) != 1 {
				t.Fatalf("read %+v", m)
			}
			if got := m.RestAPIs[0].Routes[2].Authorization.Authorizer.ProviderARNs; !reflect.DeepEqual(got, []string{m.UserPools[0].ARN}) {
				t.Errorf("the authorizer's pools are %v, want %s", got, m.UserPools[0].ARN)
			}
			if c := m.UserPools[0].Clients[0]; c.Name != "machine" || !c.HasSecret || !c.OAuth || c.AccessTokenLifetime.Minutes() != 15 || c.IDTokenLifetime.Hours() != 1 {
				t.Errorf("read the client %+v", c)
			}
		})
	}
	for name, reference := range map[string]string{
		"App/API.Body.components.securitySchemes.Pool.x-amazon-apigateway-authorizer.providerARNs[0]: no stack of this stage exports": `{"Fn::ImportValue": "Identity:Other"}`,
		"no stack of this stage is named \"Other\" in eu-west-1":                                                                      `{"Fn::GetStackOutput": {"StackName": "Other", "OutputName": "Arn"}}`,
		"stack Identity has no output \"Other\"":                                                                                      `{"Fn::GetStackOutput": {"StackName": "Identity", "OutputName": "Other"}}`,
	} {
		_, err := model(t, write(t, [2]string{"Identity", identity}, [2]string{"Api", template(withPool(reference))}), "")
		var unsupported *assembly.UnsupportedError
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", reference, err)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	m, err := model(t, write(t, [2]string{"Api", template(withPool(`"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_other"`))}), "Api")
	if err != nil {
		t.Fatal(err)
	}
	api := m.RestAPIs[0]
	open, preflight, order := api.Routes[0], api.Routes[1], api.Routes[2]
	if open.Authorization.Type != assembly.AuthorizationNone || open.PublicReason != "health check" || open.Integration.FunctionARN != "arn:aws:lambda:eu-west-1:111122223333:function:orders" {
		t.Errorf("GET /open: %+v", open)
	}
	if preflight.Method != "OPTIONS" || preflight.Integration.Type != assembly.IntegrationMock || preflight.Integration.Responses[0].StatusCode != 204 {
		t.Errorf("OPTIONS /open: %+v", preflight)
	}
	if order.Authorization.Type != assembly.AuthorizationCognito || !reflect.DeepEqual(order.Authorization.Scopes, []string{"orders/read"}) || order.OperationName != "order" {
		t.Errorf("GET /orders/{id}: %+v", order)
	}
	// An integration that is not understood leaves its route unserved, no more.
	if order.Integration.Unsupported == "" {
		t.Error("GET /orders/{id}: an http_proxy integration is served")
	}
	if got := api.CORSOrigins(); !reflect.DeepEqual(got, []string{"https://shop.example.com"}) {
		t.Errorf("the preflights allow %v", got)
	}
	if api.Stages[0].Name != "live" || api.Path != "App/API" {
		t.Errorf("read %+v", api)
	}
}

// Nothing is served from a template that holds what could decide who may call
// and is not understood.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	good := withPool(`"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_other"`)
	replace := func(old, with string) string { return template(strings.Replace(good, old, with, 1)) }
	tests := []struct{ name, template, want string }{
		{"another authorizer", replace(`"x-amazon-apigateway-authtype": "cognito_user_pools"`, `"x-amazon-apigateway-authtype": "custom"`), `an authorizer of type "COGNITO_USER_POOLS" is not understood in a scheme of type "custom"`},
		{"an API key scheme", replace(`"x-amazon-apigateway-authtype": "cognito_user_pools",`, ``), `is not understood in a scheme of type ""`},
		{"unknown scheme", replace(`"security": [{"Pool"`, `"security": [{"Other"`), `no understood security scheme is named "Other"`},
		{"two schemes at once", replace(`"security": [{"Pool": ["orders/read"]}]`, `"security": [{"Pool": ["orders/read"], "Other": []}]`), "one authorizer and an API key are understood together, no more"},
		{"alternatives", replace(`"security": [{"Pool": ["orders/read"]}]`, `"security": [{"Pool": ["orders/read"]}, {}]`), "exactly one requirement"},
		{"security of the whole API", replace(`"paths": {`, `"security": [{"Pool": []}], "paths": {`), "API Gateway ignores that of the whole document"},
		{"an audience that must match", replace(`"type": "cognito_user_pools", "providerARNs"`, `"type": "cognito_user_pools", "identityValidationExpression": "x", "providerARNs"`), "IdentityValidationExpression is not understood on a Cognito authorizer"},
		{"request validator", replace(`"operationId": "order"`, `"operationId": "order", "x-amazon-apigateway-request-validator": "all"`), `no request validator is named "all"`},
		{"method's own authorization", replace(`"operationId": "order"`, `"operationId": "order", "x-amazon-apigateway-auth": {"type": "AWS_IAM"}`), `the type "AWS_IAM" is not understood beside security`},
		{"another authorization", replace(`"security": [{"Pool": ["orders/read"]}]`, `"x-amazon-apigateway-auth": {"type": "CUSTOM"}`), `the type "CUSTOM" is not understood; NONE and AWS_IAM are`},
		{"policy in the body", replace(`"openapi"`, `"x-amazon-apigateway-policy": {}, "openapi"`), "x-amazon-apigateway-policy: a resource policy is not evaluated yet"},
		{"policy of the API", replace(`"Name": "shop"`, `"Name": "shop", "Policy": {}`), "App/API.Policy: a resource policy is not evaluated yet"},
		{"Swagger", replace(`"openapi": "3.0.1"`, `"openapi": "3.1.0"`), `OpenAPI version "3.1.0" is not understood`},
		{"a body that is no document", replace(`"Body": {`, `"Body": "x", "Other": {`), "Body is not an OpenAPI document"},
		{"a private domain", template(good, `"Domain": {"Type": "AWS::ApiGateway::DomainNameV2", "Properties": {}}`), "AWS::ApiGateway::DomainNameV2 is not understood"},
		{"a firewall", template(good, `"WAF": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {}}`), "AWS::WAFv2::WebACLAssociation is not understood"},
		{"a regional firewall", template(good, `"WAF": {"Type": "AWS::WAFRegional::WebACLAssociation", "Properties": {}}`), "AWS::WAFRegional::WebACLAssociation is not understood"},
		{"a private endpoint", replace(`"Name": "shop"`, `"Name": "shop", "EndpointConfiguration": {"Types": ["PRIVATE"]}`), `endpoints of type "PRIVATE" are not served`},
		{"an included resource", template(good, `"Fn::Transform": {"Name": "AWS::Include"}`), "Fn::Transform is not understood"},
		{"an included operation", replace(`"operationId": "order"`, `"operationId": "order", "Fn::Transform": {"Name": "AWS::Include"}`), "Fn::Transform beside other keys is not understood"},
		{"security that is null", replace(`"security": [{"Pool": ["orders/read"]}]`, `"security": null`), "null has no place in a template"},
		{"an extension of a server", replace(`"paths": {`, `"servers": [{"url": "/", "x-amazon-apigateway-auth": {}}], "paths": {`), "x-amazon-apigateway-auth is not understood"},
		{"an extension of a parameter", replace(`"operationId": "order"`, `"operationId": "order", "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "x-amazon-apigateway-any": 1}]`), "x-amazon-apigateway-any is not understood"},
		{"an extension of a path", replace(`"/open": {`, `"/open": {"x-amazon-apigateway-other": 1, `), "x-amazon-apigateway-other is not understood"},
		{"an extension of a scheme", replace(`"in": "header",`, `"in": "header", "x-amazon-apigateway-other": 1,`), "x-amazon-apigateway-other is not understood"},
		{"security in capitals", replace(`"security": [{"Pool"`, `"SECURITY": [{"Pool"`), "SECURITY is not understood"},
		{"an extension in capitals", replace(`"operationId": "order"`, `"operationId": "order", "X-Amazon-Apigateway-Auth": {}`), "X-Amazon-Apigateway-Auth is not understood"},
		{"an authorizer of another type", replace(`"x-amazon-apigateway-authorizer": {"type": "cognito_user_pools"`, `"x-amazon-apigateway-authorizer": {"type": "request"`), `an authorizer of type "REQUEST" is not understood in a scheme of type "cognito_user_pools"`},
		{"a routing rule", template(good, `"R": {"Type": "AWS::ApiGatewayV2::RoutingRule", "Properties": {}}`), "AWS::ApiGatewayV2::RoutingRule is not understood"},
		{"a trigger", template(good, `"P": {"Type": "AWS::Cognito::UserPool", "Properties": {"LambdaConfig": {"PreTokenGenerationConfig": {"LambdaVersion": "V4_0", "LambdaArn": "arn"}}}}`), `LambdaVersion "V4_0" is not understood`},
		{"a condition", template(strings.Replace(good, `"Type": "AWS::ApiGateway::RestApi"`, `"Condition": "C", "Type": "AWS::ApiGateway::RestApi"`, 1)), "condition C depends on what is not known here"},
		{"no stage", template(strings.Replace(good, `"Properties": {"RestApiId": {"Ref": "API"}, "DeploymentId"`, `"Properties": {"RestApiId": "other", "DeploymentId"`, 1)), "no stage deploys it"},
		{"a stage of nothing", replace(`"DeploymentId": {"Ref": "Deployment"}, `, ``), "DeploymentId names no deployment of the API"},
		{"a stage of another API", replace(`Deployment", "Properties": {"RestApiId": {"Ref": "API"}}`, `Deployment", "Properties": {"RestApiId": "other"}`), "DeploymentId names no deployment of the API"},
		{"a deployment with a canary", replace(`Deployment", "Properties": {`, `Deployment", "Properties": {"DeploymentCanarySettings": {}, `), "property DeploymentCanarySettings is not understood"},
		{"an endpoint behind a network", replace(`"Name": "shop"`, `"Name": "shop", "EndpointConfiguration": {"Types": ["REGIONAL"], "VpcEndpointIds": ["v"]}`), "property VpcEndpointIds is not understood"},
		{"import parameters", replace(`"Name": "shop"`, `"Name": "shop", "Parameters": {"basepath": "prepend"}`), `basepath "prepend" is not understood`},
		{"a transform", `{"Transform": "AWS::Serverless-2016-10-31", "Resources": {` + good + `}}`, "Transform AWS::Serverless-2016-10-31 is not understood"},
		{"a response that is no status", replace(`"paths": {`, `"x-amazon-apigateway-gateway-responses": {"UNAUTHORIZED": {"statusCode": 42}}, "paths": {`), "statusCode 42 is no HTTP status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := model(t, write(t, [2]string{"Api", tt.template}), "")
			var unsupported *assembly.UnsupportedError
			if !errors.As(err, &unsupported) {
				t.Fatalf("got %v, want an UnsupportedError", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %q in it", err, tt.want)
			}
			if unsupported.ExitCode() != 4 {
				t.Errorf("exit code %d", unsupported.ExitCode())
			}
		})
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	pool := `"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_other"`
	two := write(t, [2]string{"ShopA", template(withPool(pool))}, [2]string{"ShopB", template(withPool(pool))})
	tests := []struct{ name, dir, stage, want string }{
		{"by name", two, "ShopB", ""},
		{"several", two, "", "has several stages; name one with --stage: ShopA, ShopB"},
		{"unknown", two, "C", `has no stage "C"; it has ShopA, ShopB`},
		{"no assembly", t.TempDir(), "", "is no cloud assembly: it has no manifest.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := model(t, tt.dir, tt.stage)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var input *assembly.InputError
			if !errors.As(err, &input) || !strings.Contains(err.Error(), tt.want) || input.ExitCode() != 2 {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}

	m, err := model(t, two, "ShopA")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "", "shop": "", "API": "", "other": `has no API "other"; it has shop`} {
		_, err := m.ChooseAPI(name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("ChooseAPI(%q): %v", name, err)
		}
	}
}

// A stack that depends on the API's may close it, so it is read too.
func TestDependentStacksAreRead(t *testing.T) {
	t.Parallel()
	good := withPool(`"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_other"`)
	dir := write(t, [2]string{"Shop", template(good)}, [2]string{"Firewall", `{"Resources": {
		"WAF": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"ResourceArn": {"Fn::ImportValue": "Shop:Stage"}}}}}`})
	if _, err := model(t, dir, ""); err == nil || !strings.Contains(err.Error(), "AWS::WAFv2::WebACLAssociation is not understood") {
		t.Errorf("the firewall of another stack is ignored: %v", err)
	}
}

// A permission grants what it says on conditions that hold, and else nothing.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	tests := []struct {
		name, properties string
		want             bool
	}{
		{"by name", `"FunctionName": {"Ref": "Fn"}`, true},
		{"by ARN", `"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]}`, true},
		{"by partial ARN", `"FunctionName": "111122223333:function:orders"`, true},
		{"of another function", `"FunctionName": "stock"`, false},
		{"own account", `"FunctionName": "orders", "SourceAccount": {"Ref": "AWS::AccountId"}`, true},
		{"another account", `"FunctionName": "orders", "SourceAccount": "999999999999"`, false},
		{"an organization", `"FunctionName": "orders", "PrincipalOrgID": "o-1"`, false},
		{"a token", `"FunctionName": "orders", "EventSourceToken": "t"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := model(t, write(t, [2]string{"S", `{"Resources": {
				"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "orders", "Role": "r"}},
				"P": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", ` + tt.properties + `}}}}`}), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := m.MayInvoke(function, "apigateway.amazonaws.com", "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/x"); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A permission is as wide as it says and no wider.
func TestMayInvoke(t *testing.T) {
	t.Parallel()
	const function, service = "arn:aws:lambda:eu-west-1:111122223333:function:orders", "apigateway.amazonaws.com"
	source := func(path string) string { return "arn:aws:execute-api:eu-west-1:111122223333:abc/" + path }
	tests := []struct {
		name       string
		permission assembly.Permission
		source     string
		want       bool
	}{
		{"whole stage", assembly.Permission{Action: "lambda:InvokeFunction", Principal: service, SourceARN: source("live/*/*")}, source("live/GET/v1/notes"), true},
		{"another stage", assembly.Permission{Action: "lambda:InvokeFunction", Principal: service, SourceARN: source("live/*/*")}, source("test/GET/v1/notes"), false},
		{"one method", assembly.Permission{Action: "lambda:InvokeFunction", Principal: service, SourceARN: source("live/GET/v1")}, source("live/POST/v1"), false},
		{"any source", assembly.Permission{Action: "lambda:InvokeFunction", Principal: service}, source("live/GET/v1"), true},
		{"another service", assembly.Permission{Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com"}, source("live/GET/v1"), false},
		{"another action", assembly.Permission{Action: "lambda:GetFunction", Principal: service}, source("live/GET/v1"), false},
		{"a star within one part of the ARN", assembly.Permission{Action: "lambda:*", Principal: service, SourceARN: "arn:aws:execute-api:*:abc/live/GET/v1"}, source("live/GET/v1"), false},
		{"one character", assembly.Permission{Action: "lambda:*", Principal: service, SourceARN: source("live/G?T/v1")}, source("live/GET/v1"), true},
		{"too short", assembly.Permission{Action: "lambda:*", Principal: service, SourceARN: source("live/GET/v1*x")}, source("live/GET/v1"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.permission.FunctionARN = function
			m := &assembly.Model{Permissions: []assembly.Permission{tt.permission}}
			if got := m.MayInvoke(function, service, tt.source); got != tt.want {
				t.Errorf("got %v", got)
			}
			if m.MayInvoke(function+"2", service, tt.source) {
				t.Error("covers another function")
			}
		})
	}
}

// Stacks of one stage may stand in several Regions; an API's is its own, and
// the stage's is that of its first API.
func TestRegions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := func(name, region, after string) string {
		return `"` + name + `": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/` + region + `", "displayName": "` + name +
			`", "properties": {"templateFile": "` + name + `.json"}, "dependencies": [` + after + `]}`
	}
	put(t, filepath.Join(dir, "manifest.json"), `{"artifacts": {`+stack("Data", "us-east-1", "")+`, `+
		stack("East", "eu-north-1", `"Data"`)+`, `+stack("West", "eu-west-1", `"East"`)+`}}`)
	put(t, filepath.Join(dir, "Data.json"), `{"Resources": {"A": {"Type": "T"}}}`)
	put(t, filepath.Join(dir, "East.json"), template(withPool(anyPool)))
	put(t, filepath.Join(dir, "West.json"), template(withPool(anyPool)))
	m, err := model(t, dir, "West")
	if err != nil {
		t.Fatal(err)
	}
	regions := []string{m.Region}
	for _, api := range m.RestAPIs {
		regions = append(regions, api.Region, api.Account)
	}
	if want := []string{"eu-north-1", "eu-north-1", "111122223333", "eu-west-1", "111122223333"}; !reflect.DeepEqual(regions, want) {
		t.Errorf("got %v, want %v", regions, want)
	}
}
