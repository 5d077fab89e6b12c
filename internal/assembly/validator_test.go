package assembly_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// validated is an API with a body, a query parameter and models that refer to
// each other and to themselves.
const validated = `"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop", "Body": {
	"openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
	"x-amazon-apigateway-request-validators": {"All": {"validateRequestBody": true, "validateRequestParameters": true}, "Parameters": {"validateRequestParameters": true}},
	"components": {"schemas": {
		"Note": {"type": "object", "required": ["title"], "additionalProperties": false, "properties": {
			"title": {"type": "string", "minLength": 1, "maxLength": 200, "example": {"nullable": true}},
			"$ref": {"type": "string"}, "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}}}},
		"Tag": {"type": "object", "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Tag"}}},
		"Unused": {"type": "string", "nullable": true}}},
	"paths": {"/notes/{id}": {
		"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "limit", "in": "query", "required": true, "schema": {"type": "string"}}],
		"get": {"responses": {}, "x-amazon-apigateway-request-validator": "Parameters",
			"parameters": [{"name": "limit", "in": "query", "schema": {"type": "string"}}, {"name": "q", "in": "query", "required": true, "schema": {"type": "string"}},
				{"name": "X-Id", "in": "header", "required": true, "schema": {"type": "string"}}],
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}},
		"put": {"responses": {}, "x-amazon-apigateway-request-validator": "All",
			"requestBody": {"content": {"Application/JSON": {"schema": {"$ref": "#/components/schemas/Note"}}, "text/csv": {"schema": {"type": "string", "maxLength": 5}}, "image/png": {}}}},
		"post": {"responses": {}, "parameters": [{"name": "session", "in": "cookie", "required": true, "schema": {"type": "string"}}],
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Unused"}}}}}
	}}}}},
	"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}}},
  "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "API"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "live"}}`

func TestValidation(t *testing.T) {
	t.Parallel()
	api := onlyAPI(t, template(validated))
	get, post, put := api.Routes[0], api.Routes[1], api.Routes[2]
	if !reflect.DeepEqual(get.Validator, &assembly.Validator{Parameters: true}) || get.Models != nil {
		t.Errorf("GET has %+v, %s", get.Validator, get.Models)
	}
	if want := []assembly.Parameter{{Name: "X-Id", In: "header"}, {Name: "id", In: "path"}, {Name: "q", In: "query"}}; !reflect.DeepEqual(get.RequiredParameters, want) {
		t.Errorf("GET requires %v", get.RequiredParameters)
	}
	if want := []assembly.Parameter{{Name: "id", In: "path"}, {Name: "limit", In: "query"}}; !reflect.DeepEqual(put.RequiredParameters, want) {
		t.Errorf("PUT requires %v", put.RequiredParameters)
	}
	bodies := onlyAPI(t, template(strings.Replace(validated, `"validateRequestBody": true, "validateRequestParameters": true`, `"validateRequestBody": true`, 1))).Routes[2]
	if bodies.RequiredParameters != nil || len(bodies.Models) != 2 {
		t.Errorf("a validator of bodies has %+v", bodies)
	}
	// Without a validator nothing is checked, so nothing of it is read.
	if post.Validator != nil || post.RequiredParameters != nil || post.Models != nil {
		t.Errorf("POST has %+v", post)
	}
	if len(put.Models) != 2 || !jsonEqual(put.Models["text/csv"], `{"type": "string", "maxLength": 5}`) {
		t.Errorf("PUT has the models %s", put.Models)
	}
	if got := put.Models["application/json"]; !jsonEqual(got, `{"allOf": [{"$ref": "#/definitions/Note"}], "definitions": {
		"Note": {"type": "object", "required": ["title"], "additionalProperties": false, "properties": {
			"title": {"type": "string", "minLength": 1, "maxLength": 200, "example": {"nullable": true}},
			"$ref": {"type": "string"}, "tags": {"type": "array", "items": {"$ref": "#/definitions/Tag"}}}},
		"Tag": {"type": "object", "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/definitions/Tag"}}}}}`) {
		t.Errorf("the model is %s", got)
	}
}

func jsonEqual(got json.RawMessage, want string) bool {
	var a, b any
	return json.Unmarshal(got, &a) == nil && json.Unmarshal([]byte(want), &b) == nil && reflect.DeepEqual(a, b)
}

// The API's validator holds for operations that name none.
func TestValidatorOfTheAPI(t *testing.T) {
	t.Parallel()
	whole := strings.Replace(validated, `"paths": {`, `"x-amazon-apigateway-request-validator": "Parameters", "paths": {`, 1)
	api := onlyAPI(t, template(strings.Replace(whole, `"in": "cookie"`, `"in": "header"`, 1)))
	post, put := api.Routes[1], api.Routes[2]
	if post.Validator == nil || post.Validator.Body || len(post.RequiredParameters) != 3 || put.Validator == nil || !put.Validator.Body {
		t.Errorf("POST has %+v, PUT %+v", post.Validator, put.Validator)
	}
	_, err := model(t, write(t, [2]string{"Api", template(strings.Replace(validated, `"paths": {`, `"x-amazon-apigateway-request-validator": "All", "paths": {`, 1))}), "")
	for _, want := range []string{"post.parameters.session: a required parameter in a cookie", "schemas.Unused.nullable: the keyword is not understood"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestUnsupportedValidation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ old, with, want string }{
		"unknown validator":  {`"x-amazon-apigateway-request-validator": "All"`, `"x-amazon-apigateway-request-validator": "Al"`, `no request validator is named "Al"`},
		"unknown member":     {`"validateRequestBody": true`, `"validateRequestHeaders": true`, "validateRequestHeaders"},
		"foreign keyword":    {`"minLength": 1`, `"const": 1`, "schemas.Note.properties.title.const: the keyword is not understood"},
		"discriminator":      {`"required": ["title"]`, `"discriminator": {"propertyName": "title"}`, "schemas.Note.discriminator: the keyword"},
		"inline nullable":    {`"maxLength": 5`, `"nullable": true`, "content.text/csv.schema.nullable: the keyword"},
		"nested in a holder": {`"additionalProperties": false`, `"not": {"anyOf": [{"if": {}}]}`, "schemas.Note.not.anyOf.if: the keyword"},
		"deep reference":     {`"items": {"$ref": "#/components/schemas/Tag"}`, `"items": {"$ref": "#/components/schemas/Tag/properties/name"}`, `the reference "#/components/schemas/Tag/properties/name" is not understood`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(validated, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			_, err := model(t, write(t, [2]string{"Api", template(strings.Replace(validated, test.old, test.with, 1))}), "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// What stands for any method is checked like every other operation: its
// references are followed, and one that leads nowhere is a problem.
func TestValidationOfAnyMethod(t *testing.T) {
	t.Parallel()
	with := func(operation string) string {
		components := `"components": {"requestBodies": {"N": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}},
			"parameters": {"P": {"name": "q", "in": "query", "required": true, "schema": {"type": "string"}}},`
		path := `"paths": {"/any": {"x-amazon-apigateway-any-method": {"responses": {}, "x-amazon-apigateway-request-validator": "All", ` + operation + `}}, `
		return template(strings.NewReplacer(`"components": {`, components, `"paths": {`, path).Replace(validated))
	}
	route := onlyAPI(t, with(`"requestBody": {"$ref": "#/components/requestBodies/N"}, "parameters": [{"$ref": "#/components/parameters/P"}]`)).Routes[0]
	if route.Method != "ANY" || len(route.RequiredParameters) != 1 || route.RequiredParameters[0].Name != "q" || len(route.Models) != 1 {
		t.Errorf("read %+v", route)
	}
	for operation, want := range map[string]string{
		`"requestBody": {"$ref": "#/components/requestBodies/Nope"}`:                                          "Nope",
		`"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nope"}}}}`: "Nope",
		`"parameters": [{"$ref": "#/components/parameters/Nope"}]`:                                            "Nope",
		`"requestBody": {"CONTENT": {"application/json": {"schema": {"type": "object"}}}}`:                    "CONTENT is not understood; it is spelled content",
		`"requestBody": {"content": {"application/json": {"SCHEMA": {"type": "object"}}}}`:                    "SCHEMA is not understood; it is spelled schema",
		`"parameters": [{"name": "q", "in": "query", "REQUIRED": true, "schema": {"type": "string"}}]`:        "REQUIRED is not understood; it is spelled required",
	} {
		if _, err := model(t, write(t, [2]string{"Api", with(operation)}), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	shouted := strings.Replace(template(validated), "validateRequestParameters", "VALIDATEREQUESTPARAMETERS", 1)
	if _, err := model(t, write(t, [2]string{"Api", shouted}), ""); err == nil || !strings.Contains(err.Error(), `unknown field "VALIDATEREQUESTPARAMETERS"`) {
		t.Errorf("a validator in another case: %v", err)
	}
	policy := strings.Replace(template(validated), `"openapi": "3.0.1",`, `"openapi": "3.0.1", "X-Amazon-ApiGateway-Policy": {},`, 1)
	if _, err := model(t, write(t, [2]string{"Api", policy}), ""); err == nil || !strings.Contains(err.Error(), "X-Amazon-ApiGateway-Policy is not understood") {
		t.Errorf("an extension in another case: %v", err)
	}
}
