package assembly_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// bodied is an API whose body is given, with a stage.
func bodied(body string) string {
	return template(`"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": `+strings.ReplaceAll(body, "URI", authorizerURI)+`}}`,
		`"Stage": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}`)
}

const openAPI = `{"openapi": "3.0.1", "info": {"title": "shop", "version": {"Fn::ImportValue": "x"}},
	"x-amazon-apigateway-api-key-source": "HEADER", "x-amazon-apigateway-binary-media-types": ["image/png"], "x-amazon-apigateway-minimum-compression-size": 10,
	"x-amazon-apigateway-documentation": {}, "x-amazon-apigateway-importexport-version": "1.0",
	"servers": [{"url": "/", "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true}}],
	"components": {"securitySchemes": {
		"key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
		"iam": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
		"pool": {"type": "apiKey", "in": "header", "name": "X-Token", "x-amazon-apigateway-authtype": "cognito_user_pools",
			"x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": ["arn:a"], "authorizerResultTtlInSeconds": 5}},
		"token": {"type": "apiKey", "in": "header", "name": "X-Key", "x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": "URI", "identityValidationExpression": "k.*", "authorizerResultTtlInSeconds": 0, "authorizerCredentials": "arn:role"}},
		"request": {"type": "apiKey", "in": "header", "name": "Unused", "x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": {"type": "request", "authorizerUri": "URI", "identitySource": "method.request.header.a,context.stage"}}}},
	"paths": {
		"/a": {"get": {"security": [{"pool": ["a/read"], "key": []}], "responses": {"200": {"description": "", "headers": {"ETag": {"schema": {"type": "string"}}}}, "default": {"description": ""}}, "x-amazon-apigateway-integration": {"type": "mock"}},
			"put": {"security": [{"iam": []}], "responses": {}}, "post": {"security": [{"key": []}], "responses": {}}},
		"/b": {"get": {"security": [{"token": []}], "responses": {}}, "put": {"security": [{"request": []}], "responses": {}}, "post": {"x-amazon-apigateway-auth": {"type": "none"}, "security": [], "responses": {}},
			"patch": {"x-amazon-apigateway-auth": {"type": "aws_iam"}, "responses": {}},
			"x-amazon-apigateway-any-method": {"security": [{"request": []}], "responses": {}, "x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": {"Fn::ImportValue": "x"}}}}}}`

// The same in Swagger 2.0.
const swagger = `{"swagger": "2.0", "info": {"title": "shop", "version": "1"}, "basePath": "/ignored", "schemes": ["https"],
	"x-amazon-apigateway-api-key-source": "HEADER", "x-amazon-apigateway-binary-media-types": ["image/png"], "x-amazon-apigateway-minimum-compression-size": 10,
	"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true},
	"securityDefinitions": {SCHEMES},
	"paths": {PATHS}}`

func asSwagger() string {
	_, schemes, _ := strings.Cut(openAPI, `"securitySchemes": {`)
	schemes, paths, _ := strings.Cut(schemes, "}},\n\t\"paths\": {")
	paths = strings.NewReplacer(`{"schema": {"type": "string"}}`, `{"type": "string"}`).Replace(strings.TrimSuffix(paths, "}}"))
	return strings.NewReplacer("SCHEMES", schemes, "PATHS", paths).Replace(swagger)
}

func TestBodies(t *testing.T) {
	t.Parallel()
	// An API key beside an authorizer, as API Gateway exports it and AWS SAM writes it.
	exported := strings.NewReplacer(`[{"pool": ["a/read"], "key": []}]`, `[{"pool": ["a/read"]}, {"key": []}]`)
	for name, body := range map[string]string{
		"OpenAPI 3.0": openAPI, "Swagger 2.0": asSwagger(), "exported": exported.Replace(openAPI), "Swagger 2.0, key first": strings.Replace(asSwagger(), `[{"pool": ["a/read"], "key": []}]`, `[{"key": []}, {"pool": ["a/read"]}]`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := read(t, [2]string{"Api", bodied(body)})
			if err := m.Servable(); err != nil {
				t.Fatal(err)
			}
			api := m.RestAPIs[0]
			if api.Name != "shop" || api.APIKeySource != "HEADER" || !reflect.DeepEqual(api.BinaryMediaTypes, []string{"image/png"}) || !api.ExecuteAPIDisabled ||
				api.Compression == nil || api.Compression.MinimumBytes != 10 || len(api.Authorizers) != 3 {
				t.Errorf("read %+v", api)
			}
			pool, request, token := api.Authorizers[0], api.Authorizers[1], api.Authorizers[2]
			const function = "arn:aws:lambda:eu-west-1:111122223333:function:callers"
			for _, check := range []struct{ got, want *assembly.Authorizer }{
				{pool, &assembly.Authorizer{Name: "pool", Type: "COGNITO_USER_POOLS", ProviderARNs: []string{"arn:a"}, Header: "X-Token"}},
				{request, &assembly.Authorizer{Name: "request", Type: "REQUEST", FunctionARN: function, CacheTTL: 5 * time.Minute, IdentitySources: []string{"method.request.header.a", "context.stage"}}},
				{token, &assembly.Authorizer{Name: "token", Type: "TOKEN", FunctionARN: function, Credentials: "arn:role", Header: "X-Key", Validation: "k.*"}},
			} {
				if check.want.Place, check.want.ID = api.Place, check.got.ID; check.got.ID == "" || !reflect.DeepEqual(check.got, check.want) {
					t.Errorf("got  %+v\nwant %+v", check.got, check.want)
				}
			}
			wants := []struct {
				route string
				asks  assembly.Authorization
				key   bool
			}{
				{"GET /a", assembly.Authorization{Type: "COGNITO_USER_POOLS", Scopes: []string{"a/read"}, Authorizer: pool}, true},
				{"POST /a", assembly.Authorization{Type: "NONE"}, true},
				{"PUT /a", assembly.Authorization{Type: "AWS_IAM", Scopes: []string{}}, false},
				{"ANY /b", assembly.Authorization{Type: "CUSTOM", Scopes: []string{}, Authorizer: request}, false},
				{"GET /b", assembly.Authorization{Type: "CUSTOM", Scopes: []string{}, Authorizer: token}, false},
				{"PATCH /b", assembly.Authorization{Type: "AWS_IAM"}, false},
				{"POST /b", assembly.Authorization{Type: "NONE"}, false},
				{"PUT /b", assembly.Authorization{Type: "CUSTOM", Scopes: []string{}, Authorizer: request}, false},
			}
			for i, want := range wants {
				got := api.Routes[i]
				if got.Method+" "+got.Path != want.route || !reflect.DeepEqual(got.Authorization, want.asks) || got.APIKeyRequired != want.key || got.Place != api.Place {
					t.Errorf("got  %s %s %+v %v\nwant %+v", got.Method, got.Path, got.Authorization, got.APIKeyRequired, want)
				}
			}
			if want := map[int][]string{200: {"ETag"}}; !reflect.DeepEqual(api.Routes[0].ResponseHeaders, want) {
				t.Errorf("GET /a declares %v", api.Routes[0].ResponseHeaders)
			}
			if i := api.Routes[3].Integration; i.Type != "AWS_PROXY" || !strings.Contains(i.Unsupported, "no stack of this stage exports") && !strings.HasPrefix(name, "Swagger 2.0") {
				t.Errorf("ANY /b answers %+v", i)
			}
		})
	}
}

func TestUnsupportedBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ old, with, want string }{
		"alternatives":        {`[{"pool": ["a/read"], "key": []}]`, `[{"pool": ["a/read"]}, {"key": []}, {"iam": []}]`, "exactly one requirement is understood"},
		"nothing or a key":    {`[{"pool": ["a/read"], "key": []}]`, `[{"key": []}, {}]`, "exactly one requirement is understood"},
		"nothing or a token":  {`[{"pool": ["a/read"], "key": []}]`, `[{}]`, "exactly one requirement is understood"},
		"two authorizers":     {`[{"pool": ["a/read"], "key": []}]`, `[{"pool": [], "token": []}]`, "one authorizer and an API key are understood together"},
		"unknown scheme":      {`[{"pool": ["a/read"], "key": []}]`, `[{"other": [], "key": []}]`, `no understood security scheme is named "other"`},
		"security on AWS":     {`[{"pool": ["a/read"], "key": []}]`, `[{"pool": [{"Fn::ImportValue": "x"}]}]`, "no stack of this stage exports"},
		"key's header":        {`"name": "x-api-key"`, `"name": "X-API-KEY"`, `authorizers of type "apiKey" are not understood`},
		"key in a query":      {`"in": "header", "name": "x-api-key"`, `"in": "query", "name": "x-api-key"`, `authorizers of type "apiKey" are not understood`},
		"OAuth":               {`{"type": "apiKey", "in": "header", "name": "x-api-key"}`, `{"type": "oauth2", "flows": {}}`, `authorizers of type "oauth2" are not understood`},
		"reserved type":       {`"x-amazon-apigateway-authtype": "custom"`, `"x-amazon-apigateway-authtype": "awsOther"`, `in a scheme of type "awsOther"`},
		"Cognito as custom":   {`"x-amazon-apigateway-authtype": "cognito_user_pools"`, `"x-amazon-apigateway-authtype": "custom"`, `in a scheme of type "custom"`},
		"version of payloads": {`"type": "token", `, `"type": "token", "authorizerPayloadFormatVersion": "2.0", `, "authorizerPayloadFormatVersion"},
		"pools on AWS":        {`["arn:a"]`, `[{"Fn::ImportValue": "x"}]`, "no stack of this stage exports"},
		"whole document":      {`"paths": {`, `"security": [{"iam": []}], "paths": {"/open": {"get": {"responses": {}}},`, "/open.get: it has no security of its own"},
		"extension":           {`"x-amazon-apigateway-documentation"`, `"x-amazon-apigateway-cors"`, "x-amazon-apigateway-cors is not understood"},
		"endpoint":            {`"disableExecuteApiEndpoint"`, `"disable"`, `unknown field "disable"`},
		"policy":              {`"x-amazon-apigateway-documentation": {}`, `"x-amazon-apigateway-policy": {"Statement": []}`, "a resource policy is not evaluated yet"},
		"method":              {`"put": {"security": [{"iam": []}]`, `"trace": {"security": [{"iam": []}]`, "the method TRACE is not understood"},
		"paths on AWS":        {`"/b": {`, `"/c": {"Fn::ImportValue": "x"}, "/b": {`, "no stack of this stage exports"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(openAPI, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			m := read(t, [2]string{"Api", bodied(strings.Replace(openAPI, test.old, test.with, 1))})
			if !lists(m, test.want, true) {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
			for _, r := range m.RestAPIs[0].Routes {
				if r.Method == "GET" && r.Path == "/a" && r.Authorization.Type == assembly.AuthorizationNone {
					t.Errorf("GET /a is open")
				}
				if name == "two authorizers" && r.Method == "GET" && r.Path == "/a" && (r.Authorization.Type != "" || r.Authorization.Authorizer != nil) {
					t.Errorf("GET /a asks for one of two: %+v", r.Authorization)
				}
			}
		})
	}
}

// Swagger 2.0 is converted; what decides is not lost on the way.
func TestSwaggerValidation(t *testing.T) {
	t.Parallel()
	const body = `{"swagger": "2.0", "info": {"title": "shop", "version": "1"}, "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": true, "validateRequestParameters": true}},
		"x-amazon-apigateway-request-validator": "all",
		"definitions": {"Note": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "maxLength": 5}, "tag": {"$ref": "#/definitions/Tag"}}}, "Tag": {"type": "string", "enum": ["a"]}},
		"paths": {"/notes": {"parameters": [{"name": "q", "in": "query", "required": true, "type": "string"}],
			"post": {"parameters": [{"name": "Note", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Note"}}], "responses": {}},
			"x-amazon-apigateway-any-method": {"parameters": [{"name": "X-Id", "in": "header", "required": true, "type": "string"}], "responses": {}}}}}`
	m := read(t, [2]string{"Api", bodied(body)})
	if err := m.Servable(); err != nil {
		t.Fatal(err)
	}
	any, post := m.RestAPIs[0].Routes[0], m.RestAPIs[0].Routes[1]
	if want := []assembly.Parameter{{Name: "X-Id", In: "header"}, {Name: "q", In: "query"}}; !reflect.DeepEqual(any.RequiredParameters, want) {
		t.Errorf("ANY requires %v", any.RequiredParameters)
	}
	if want := []assembly.Parameter{{Name: "q", In: "query"}}; !reflect.DeepEqual(post.RequiredParameters, want) {
		t.Errorf("POST requires %v", post.RequiredParameters)
	}
	if got := post.Models["application/json"]; !jsonEqual(got, `{"allOf": [{"$ref": "#/definitions/Note"}], "definitions": {"Tag": {"type": "string", "enum": ["a"]},
		"Note": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "maxLength": 5}, "tag": {"$ref": "#/definitions/Tag"}}}}}`) {
		t.Errorf("the model is %s", got)
	}
	for with, want := range map[string]string{
		`{"name": "f", "in": "formData", "type": "string"}, {"name": "X-Id"`:        "parameters in formData are not understood",
		`{"name": "a", "in": "body"}, {"name": "b", "in": "body"}, {"name": "X-Id"`: "multiple body parameters cannot exist",
	} {
		m := read(t, [2]string{"Api", bodied(strings.Replace(body, `{"name": "X-Id"`, with, 1))})
		if !lists(m, want, true) {
			t.Errorf("got %v, want %q", m.NotUnderstood, want)
		}
	}
}

// A body may lie in an asset, in JSON or YAML.
func TestBodyInAsset(t *testing.T) {
	t.Parallel()
	const located = `"BodyS3Location": {"Bucket": "assets", "Key": "KEY"}`
	const included = `"Body": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": {"Fn::Join": ["", ["s3://assets/", "KEY"]]}}}}`
	const stage = `"Stage": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}`
	const yaml = "openapi: 3.0.1\ninfo: {title: shop, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok, headers: {ETag: {schema: {type: string}}}}\n"
	tests := map[string]struct{ body, key, file, want string }{
		"JSON":    {located, "a.json", strings.ReplaceAll(asSwagger(), "URI", authorizerURI), ""},
		"YAML":    {located, "a.json", yaml, ""},
		"include": {included, "a.json", yaml, ""},
		"nothing": {located, "b.json", "{}", "no asset of the assembly is the OpenAPI document"},
		"text":    {located, "a.json", "- a", "Body is not an OpenAPI document"},
		"missing": {included, "b.json", "{}", "b.json"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, [2]string{"Api", template(`"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {`+strings.Replace(test.body, "KEY", test.key, 1)+`}}`, stage)})
			put(t, filepath.Join(dir, "definition"), test.file)
			put(t, filepath.Join(dir, "Api.assets.json"), `{"files": {"h": {"source": {"path": "definition", "packaging": "file"}, "destinations": {"d": {"bucketName": "assets", "objectKey": "a.json"}}}}}`)
			put(t, filepath.Join(dir, "manifest.json"), `{"version": "54.0.0", "artifacts": {
				"Api": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1", "dependencies": ["Api.assets"], "properties": {"templateFile": "Api.template.json"}},
				"Api.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Api.assets.json"}}}}`)
			a, err := assembly.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			m, err := a.Model("", assembly.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if test.want != "" && !lists(m, test.want, true) || test.want == "" && (m.Servable() != nil || !reflect.DeepEqual(m.RestAPIs[0].Routes[0].ResponseHeaders[200], []string{"ETag"})) {
				t.Errorf("got %v, %+v", m.NotUnderstood, m.RestAPIs[0].Routes)
			}
		})
	}
}

// What is null or unknown where an object is due is a problem and no panic.
func TestBodyWithHoles(t *testing.T) {
	t.Parallel()
	const integration = `"x-amazon-apigateway-integration": {"type": "mock"}`
	for name, body := range map[string]string{
		"unknown server":    `{"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "servers": [{"Fn::If": ["C", {"url": "https://a"}, {"url": "https://b"}]}], "paths": {"/a": {"get": {"responses": {}, ` + integration + `}}}}`,
		"unknown parameter": `{"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {"parameters": [{"Fn::If": ["C", {"name": "q", "in": "query", "type": "string"}, {"name": "r", "in": "query", "type": "string"}]}], "responses": {}, ` + integration + `}}}}`,
	} {
		template := `{"Parameters": {"P": {"Type": "String"}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}, "Resources": {
			"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop", "Body": ` + body + `}},
			"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}}}`
		if _, err := model(t, write(t, [2]string{"Api", template}), ""); err == nil || !strings.Contains(err.Error(), "condition C depends on what is not known here") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"server":    `{"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "servers": [null], "paths": {}}`,
		"parameter": `{"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {"parameters": [null], "responses": {}}}}}`,
		"path":      `{"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": null}}`,
	} {
		template := `{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop", "Body": ` + body + `}},
			"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}}}`
		if _, err := model(t, write(t, [2]string{"Api", template}), ""); err == nil {
			t.Errorf("a null %s is served", name)
		}
	}
}
