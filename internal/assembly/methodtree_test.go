package assembly_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// read returns a model with what was not understood in it.
func read(t *testing.T, stacks ...[2]string) *assembly.Model {
	t.Helper()
	a, err := assembly.Load(write(t, stacks...))
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// lists reports whether a problem or a note holds a text, and which it is.
func lists(m *assembly.Model, text string, decides bool) bool {
	for _, p := range m.NotUnderstood {
		if strings.Contains(p.String(), text) && p.Decides == decides {
			return true
		}
	}
	return false
}

// tree is an API as CDK's RestApi writes it. METHOD stands for more properties
// of GET /orders/{id}.
const tree = `
	"API": {"Type": "AWS::ApiGateway::RestApi", "Metadata": {"gatewright:public": {"ANY /": "front page"}, "gatewright:cached": {"Callers": "every minute"}}, "Properties": {"Name": "shop"}},
	"Orders": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "orders"}},
	"Order": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Ref": "Orders"}, "PathPart": "{id}"}},
	"Users": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "API"}, "Name": "Users", "Type": "COGNITO_USER_POOLS",
		"IdentitySource": "method.request.header.X-Token", "ProviderARNs": ["arn:pool"]}},
	"Callers": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "API"}, "Name": "Callers", "Type": "TOKEN",
		"IdentityValidationExpression": "Bearer .+", "AuthorizerUri": "URI"}},
	"Validator": {"Type": "AWS::ApiGateway::RequestValidator", "Properties": {"RestApiId": {"Ref": "API"}, "ValidateRequestBody": true, "ValidateRequestParameters": true}},
	"Tag": {"Type": "AWS::ApiGateway::Model", "Properties": {"RestApiId": {"Ref": "API"}, "Name": "Tag", "Schema": {"$schema": "http://json-schema.org/draft-04/schema#", "id": "tag", "type": "string"}}},
	"Order2": {"Type": "AWS::ApiGateway::Model", "Properties": {"RestApiId": {"Ref": "API"}, "Schema": {"type": "object", "properties": {
		"id": {"$ref": "#/definitions/id"}, "tag": {"$ref": {"Fn::Join": ["", ["https://apigateway.amazonaws.com/restapis/", {"Ref": "API"}, "/models/", {"Ref": "Tag"}]]}}},
		"definitions": {"id": {"type": "integer"}}}}},
	"Root": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "HttpMethod": "ANY", "AuthorizationType": "NONE",
		"Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{ statusCode: 204 }"}, "IntegrationResponses": [
			{"StatusCode": "204", "ResponseParameters": {"method.response.header.Allow": "'*'"}}, {"SelectionPattern": "4..", "StatusCode": 400}]},
		"MethodResponses": [{"StatusCode": "204", "ResponseParameters": {"method.response.header.Vary": true, "method.response.header.Allow": false}}]}},
	"Get": {"Type": "AWS::ApiGateway::Method", "Metadata": {"gatewright:public": "a reason"}, "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "Order"}, "HttpMethod": "GET",
		METHOD
		"Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "TimeoutInMillis": 5000,
			"Uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:orders:live/invocations"}}},
	"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live",
		"StageDescription": {"ThrottlingRateLimit": 5, "MethodSettings": [{"HttpMethod": "GET", "ResourcePath": "/~1orders~1{id}", "LoggingLevel": "INFO"}]}}}`

const (
	authorizerURI = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:callers/invocations"
	asUser        = `"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Users"}, "AuthorizationScopes": ["orders/read"], "ApiKeyRequired": true,`
)

// withMethod gives GET /orders/{id} more properties.
func withMethod(properties string) string {
	return strings.NewReplacer("METHOD", properties, "URI", authorizerURI).Replace(tree)
}

func TestMethodTree(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Api", template(withMethod(asUser))})
	if err := m.Servable(); err != nil {
		t.Fatal(err)
	}
	api := m.RestAPIs[0]
	if len(api.Routes) != 2 || len(api.Authorizers) != 2 || api.Authorizers[0].Name != "Callers" || api.EndpointTypes[0] != "EDGE" || api.APIKeySource != "HEADER" {
		t.Fatalf("read %+v", api)
	}
	root, get := api.Routes[0], api.Routes[1]
	if root.Method != "ANY" || root.Path != "/" || root.Authorization.Type != assembly.AuthorizationNone || root.PublicReason != "front page" || root.Place.LogicalID != "Root" {
		t.Errorf("ANY / is %+v", root)
	}
	if want := map[int][]string{204: {"Allow", "Vary"}}; !reflect.DeepEqual(root.ResponseHeaders, want) {
		t.Errorf("ANY / declares %v", root.ResponseHeaders)
	}
	want := []assembly.IntegrationResponse{
		{StatusCode: 204, Parameters: map[string]string{"method.response.header.Allow": "'*'"}}, {SelectionPattern: "4..", StatusCode: 400},
	}
	if i := root.Integration; i.Unsupported != "" || i.Type != assembly.IntegrationMock || i.RequestTemplates["application/json"] == "" || !reflect.DeepEqual(i.Responses, want) {
		t.Errorf("ANY / answers %+v", i)
	}
	if get.Path != "/orders/{id}" || !get.APIKeyRequired || get.PublicReason != "a reason" || len(get.ResourceID) != 6 ||
		get.Authorization.Authorizer != api.Authorizers[1] || !reflect.DeepEqual(get.Authorization.Scopes, []string{"orders/read"}) {
		t.Errorf("GET /orders/{id} is %+v", get)
	}
	if i := get.Integration; i.Unsupported != "" || i.FunctionARN != "arn:aws:lambda:eu-west-1:111122223333:function:orders:live" || i.Timeout != 5*time.Second || i.PassthroughBehavior != "WHEN_NO_MATCH" {
		t.Errorf("GET /orders/{id} answers %+v", i)
	}
	stage := api.Stages[0]
	if stage.Name != "live" || stage.Default.Throttle == nil || stage.Default.Throttle.Rate != 5 || stage.Methods["GET /orders/{id}"].LoggingLevel != "INFO" {
		t.Errorf("the stage is %+v", stage)
	}
}

// A resource or a method may stand in another stack than its API.
func TestMethodTreeOfTwoStacks(t *testing.T) {
	t.Parallel()
	const first = `{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}},
		"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}},
		"Outputs": {"Id": {"Value": {"Ref": "API"}, "Export": {"Name": "Shop:Id"}}, "Root": {"Value": {"Fn::GetAtt": ["API", "RootResourceId"]}, "Export": {"Name": "Shop:Root"}}}}`
	const second = `{"Resources": {
		"Stock": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Fn::ImportValue": "Shop:Id"}, "ParentId": {"Fn::ImportValue": "Shop:Root"}, "PathPart": "stock"}},
		"Get": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Fn::ImportValue": "Shop:Id"}, "ResourceId": {"Ref": "Stock"}, "HttpMethod": "GET", "AuthorizationType": "AWS_IAM"}},
		"Other": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": "abcdefghij", "ResourceId": "x", "HttpMethod": "GET", "AuthorizationType": "NONE"}}}}`
	m := read(t, [2]string{"Shop", first}, [2]string{"Stock", second})
	if len(m.RestAPIs) != 1 || len(m.RestAPIs[0].Routes) != 1 {
		t.Fatalf("read %+v", m.RestAPIs)
	}
	if r := m.RestAPIs[0].Routes[0]; r.Path != "/stock" || r.Place.Stack != "Stock" || r.Authorization.Type != assembly.AuthorizationIAM || !strings.Contains(r.Integration.Unsupported, "no Integration") {
		t.Errorf("read %+v", r)
	}
	if !lists(m, "Stock/Other: the API abcdefghij is not declared here", false) {
		t.Errorf("a method of another API: %v", m.NotUnderstood)
	}
}

// What asks of a caller is never read as less than it is.
func TestUnsupportedMethods(t *testing.T) {
	t.Parallel()
	good := withMethod(asUser)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not there", old)
		}
		return template(strings.Replace(good, old, with, 1))
	}
	method := func(properties string) string { return template(withMethod(properties)) }
	tests := map[string]struct{ template, want string }{
		"unknown type":           {method(`"AuthorizationType": "OTHER",`), `the AuthorizationType "OTHER" is not understood`},
		"authorizer, no type":    {method(`"AuthorizerId": {"Ref": "Users"},`), `the AuthorizationType "" is not understood`},
		"type on AWS only":       {method(`"AuthorizationType": {"Fn::ImportValue": "x"},`), "no stack of this stage exports"},
		"no authorizer":          {method(`"AuthorizationType": "CUSTOM",`), "AuthorizerId names no authorizer of the API"},
		"custom by Cognito":      {method(`"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Users"},`), "CUSTOM does not go with the authorizer Users"},
		"Cognito by function":    {method(`"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Callers"},`), "does not go with the authorizer Callers"},
		"scopes on AWS only":     {method(`"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Users"}, "AuthorizationScopes": [{"Fn::ImportValue": "x"}],`), "no stack of this stage exports"},
		"key on AWS only":        {method(`"AuthorizationType": "AWS_IAM", "ApiKeyRequired": {"Fn::ImportValue": "x"},`), "no stack of this stage exports"},
		"unknown property":       {method(`"AuthorizationType": "AWS_IAM", "Open": true,`), "property Open is not understood"},
		"method":                 {replace(`"HttpMethod": "ANY"`, `"HttpMethod": "ALL"`), `the HttpMethod "ALL" is not understood`},
		"resource":               {replace(`"ResourceId": {"Ref": "Order"}`, `"ResourceId": "other"`), "ResourceId leads to no path of the API"},
		"circle":                 {replace(`"ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}`, `"ParentId": {"Ref": "Order"}`), "ResourceId leads to no path of the API"},
		"path of two parts":      {replace(`"PathPart": "{id}"`, `"PathPart": "a/b"`), `the PathPart "a/b" is not understood`},
		"declared twice":         {template(good, `"Twice": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "Order"}, "HttpMethod": "get", "AuthorizationType": "NONE"}}`), "GET /orders/{id} is declared twice"},
		"key from an authorizer": {replace(`"Name": "shop"`, `"Name": "shop", "ApiKeySourceType": "AUTHORIZER"`), `API keys from "AUTHORIZER" are not understood`},
		"clone":                  {replace(`"Name": "shop"`, `"Name": "shop", "CloneFrom": "x"`), "property CloneFrom is not understood"},
		"stage's cache":          {replace(`"ThrottlingRateLimit": 5`, `"CachingEnabled": true`), "StageDescription: a cache of answers is not understood"},
		"stage's property":       {replace(`"ThrottlingRateLimit": 5`, `"CanarySetting": {}`), "StageDescription: property CanarySetting is not understood"},
		"gateway response": {template(good, `"R": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {"RestApiId": {"Ref": "API"}, "ResponseType": "THROTTLED", "StatusCode": "42"}}`),
			"StatusCode 42 is no HTTP status"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := read(t, [2]string{"Api", test.template})
			if !lists(m, test.want, true) {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
			for _, r := range m.RestAPIs[0].Routes {
				if r.Place.LogicalID == "Get" && r.Authorization.Type == assembly.AuthorizationNone {
					t.Errorf("it is open: %+v", r.Authorization)
				}
				// Without scopes it would take ID tokens.
				if r.Place.LogicalID == "Get" && r.Authorization.Type == assembly.AuthorizationCognito && len(r.Authorization.Scopes) == 0 && r.Authorization.Authorizer != nil {
					t.Errorf("it asks for less: %+v", r.Authorization)
				}
			}
		})
	}
}

func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Api", template(withMethod(asUser),
		`"A": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {"RestApiId": {"Ref": "API"}, "ResponseType": "UNAUTHORIZED", "StatusCode": 418,
			"ResponseParameters": {"gatewayresponse.header.X": "'y'"}, "ResponseTemplates": {"application/json": "{}"}}}`,
		`"B": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {"RestApiId": {"Ref": "API"}, "ResponseType": "DEFAULT_4XX"}}`)})
	want := map[string]assembly.GatewayResponse{
		"UNAUTHORIZED": {StatusCode: 418, Parameters: map[string]string{"gatewayresponse.header.X": "'y'"}, Templates: map[string]string{"application/json": "{}"}},
		"DEFAULT_4XX":  {Parameters: map[string]string{}},
	}
	if got := m.RestAPIs[0].GatewayResponses; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestMethodValidation(t *testing.T) {
	t.Parallel()
	validate := asUser + `"RequestValidatorId": {"Ref": "Validator"}, "RequestParameters": {"method.request.querystring.q": true, "method.request.header.X-Id": "true", "method.request.path.id": false},`
	api := read(t, [2]string{"Api", template(withMethod(validate + `"RequestModels": {"Application/JSON": {"Ref": "Order2"}, "text/plain": "Tag", "text/csv": "Empty"},`))}).RestAPIs[0]
	get := api.Routes[1]
	if want := []assembly.Parameter{{Name: "X-Id", In: "header"}, {Name: "q", In: "query"}}; !reflect.DeepEqual(get.RequiredParameters, want) {
		t.Errorf("required are %v", get.RequiredParameters)
	}
	name := strings.Split(string(get.Models["application/json"]), `"$ref":"#/definitions/`)[1]
	name = name[:strings.Index(name, `"`)]
	if !jsonEqual(get.Models["application/json"], `{"allOf": [{"$ref": "#/definitions/`+name+`"}], "definitions": {"Tag": {"type": "string"}, "`+name+`": {"type": "object", "properties": {
		"id": {"$ref": "#/definitions/`+name+`/definitions/id"}, "tag": {"$ref": "#/definitions/Tag"}}, "definitions": {"id": {"type": "integer"}}}}}`) {
		t.Errorf("the model is %s", get.Models["application/json"])
	}
	if !jsonEqual(get.Models["text/plain"], `{"allOf": [{"$ref": "#/definitions/Tag"}], "definitions": {"Tag": {"type": "string"}}}`) || !strings.Contains(string(get.Models["text/csv"]), "Empty Schema") {
		t.Errorf("the models are %s", get.Models)
	}
	tests := map[string]struct{ old, with, want string }{
		"no validator":   {`{"Ref": "Validator"}`, `"other"`, "RequestValidatorId names no validator of the API"},
		"no model":       {`"MODEL"`, `"Other"`, `no model of the API is named "Other"`},
		"parameter":      {`method.request.querystring.q`, `method.request.body.q`, "the required parameter method.request.body.q is not understood"},
		"keyword":        {`{"type": "integer"}`, `{"const": 1}`, "definitions.id.const: the keyword is not understood"},
		"reference":      {`"#/definitions/id"`, `"https://example.com/schema"`, `the reference "https://example.com/schema" is not understood`},
		"AWS only":       {`{"type": "integer"}`, `{"Fn::ImportValue": "x"}`, "no stack of this stage exports"},
		"text, not JSON": {`{"$schema": "http://json-schema.org/draft-04/schema#", "id": "tag", "type": "string"}`, `"{"`, "the schema is no JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := template(withMethod(validate + `"RequestModels": {"application/json": "MODEL"},`))
			if !strings.Contains(whole, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			whole = strings.Replace(strings.Replace(whole, test.old, test.with, 1), `"MODEL"`, `{"Ref": "Order2"}`, 1)
			if m := read(t, [2]string{"Api", whole}); !lists(m, test.want, true) {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
		})
	}
}
