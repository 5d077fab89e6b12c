package apispec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewright/gatewright/internal/apispec"
)

// posting is the notes API with one route's request described.
func posting(pattern string, body apispec.Body, query map[string]apispec.Parameter) apispec.Spec {
	spec := notes()
	route := spec.Routes["POST /v1/notes"]
	route.Body, route.Query = body, query
	spec.Routes[pattern] = route
	return spec
}

func problems(spec apispec.Spec) string {
	if err := spec.Validate(); err != nil {
		return err.Error()
	}
	return ""
}

func TestBody(t *testing.T) {
	t.Parallel()
	with := func(change func(*apispec.Body)) apispec.Body {
		body := note()
		change(&body)
		return body
	}
	tests := []struct {
		name    string
		pattern string
		body    apispec.Body
		want    string
	}{
		{"a model", "PUT /x", note(), ""},
		{"no model", "PUT /x", apispec.Body{}, ""},
		{"own content type", "PATCH /x", with(func(b *apispec.Body) { b.ContentType = "application/merge-patch+json" }), ""},
		{"another name for the same schema", "PUT /x", with(func(b *apispec.Body) { b.Name = "Memo" }), ""},
		{"no name", "PUT /x", with(func(b *apispec.Body) { b.Name = "" }), `PUT /x: Body.Name is ""; a model's name has letters and digits only`},
		{"a name with a hyphen", "PUT /x", with(func(b *apispec.Body) { b.Name = "new-note" }), `PUT /x: Body.Name is "new-note"; a model's name has letters and digits only`},
		{"no schema", "PUT /x", apispec.Body{Name: "Empty"}, "PUT /x: Body.Schema is empty and would take anything; write at least its type"},
		{"a content type only", "PUT /x", apispec.Body{ContentType: "text/plain"}, `PUT /x: Body.Name is ""`},
		{"any content type", "PUT /x", with(func(b *apispec.Body) { b.ContentType = "*/*" }), `PUT /x: Body.ContentType is "*/*"; write one media type in lower case without parameters, such as application/json`},
		{"content type with parameter", "PUT /x", with(func(b *apispec.Body) { b.ContentType = "application/json; charset=utf-8" }), `PUT /x: Body.ContentType is "application/json; charset=utf-8"; write one`},
		{"content type in capitals", "PUT /x", with(func(b *apispec.Body) { b.ContentType = "Application/JSON" }), `PUT /x: Body.ContentType is "Application/JSON"; write one`},
		{"no content type", "PUT /x", with(func(b *apispec.Body) { b.ContentType = "json" }), `PUT /x: Body.ContentType is "json"; write one`},
		{"on GET", "GET /x", note(), "GET /x: Body: a GET request has none (RFC 9110, section 9.3)"},
		{"on DELETE", "DELETE /x", note(), "DELETE /x: Body: a DELETE request has none"},
		{"a name with two schemas", "PUT /x", with(func(b *apispec.Body) { b.Schema = map[string]any{"type": "string"} }),
			`PUT /x: Body.Name "Note" is another schema's at POST /v1/notes; give each schema its own name`},
		{"not JSON", "PUT /x", with(func(b *apispec.Body) { b.Schema = map[string]any{"maximum": math.NaN()} }), "PUT /x: Body.Schema cannot be written as JSON: json: unsupported value: NaN"},
		{"too large", "PUT /x", apispec.Body{Name: "Long", Schema: map[string]any{"description": strings.Repeat("x", 400_000)}}, "PUT /x: Body.Schema has 400018 bytes; API Gateway takes 400000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := problems(posting(tt.pattern, tt.body, nil)); got != tt.want && (tt.want == "" || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"limit": "", "page.size": "", "$filter": "",
		"":           `GET /x: Query: malformed name ""; letters, digits and . _ $ -`,
		"filter[id]": `GET /x: Query: malformed name "filter[id]"; letters, digits and . _ $ -`,
	} {
		if got := problems(posting("GET /x", apispec.Body{}, map[string]apispec.Parameter{name: {Required: true}})); got != want {
			t.Errorf("%s: got  %q\nwant %q", name, got, want)
		}
	}
}

// Only routes that have something to check name the validator: any other would
// be answered 400 for nothing.
func TestValidator(t *testing.T) {
	t.Parallel()
	required := map[string]apispec.Parameter{"of": {Required: true}}
	optional := map[string]apispec.Parameter{"of": {}}
	for _, tt := range []struct {
		name  string
		body  apispec.Body
		query map[string]apispec.Parameter
		want  string
	}{
		{"nothing", apispec.Body{}, nil, ""},
		{"an optional parameter", apispec.Body{}, optional, ""},
		{"a required parameter", apispec.Body{}, required, "All"},
		{"a model", note(), nil, "All"},
	} {
		spec := posting("PUT /x", tt.body, tt.query)
		delete(spec.Routes, "POST /v1/notes")
		data, err := spec.Document()
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Validators map[string]any `json:"x-amazon-apigateway-request-validators"`
			Paths      map[string]map[string]struct {
				Validator string `json:"x-amazon-apigateway-request-validator"`
			} `json:"paths"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if got := doc.Paths["/x"]["put"].Validator; got != tt.want || (len(doc.Validators) > 0) != (tt.want != "") {
			t.Errorf("%s: the validator is %q of %v, want %q", tt.name, got, doc.Validators, tt.want)
		}
		if got := doc.Paths["/x"]["options"].Validator; got != "" {
			t.Errorf("%s: the preflight has the validator %q", tt.name, got)
		}
	}
}

// schemas holds schemas and the problem of each, or "" where there is none.
var schemas = []struct{ schema, want string }{
	{`{"type": "object"}`, ``},
	{`{"type": "object", "properties": {"a": {"type": "integer", "minimum": -1.5, "maximum": 1e3, "multipleOf": 0.5}}, "required": ["a"]}`, ``},
	{`{"type": "object", "minProperties": 1, "maxProperties": 1.0, "additionalProperties": {"type": "string", "pattern": "^a"}}`, ``},
	{`{"type": "array", "uniqueItems": true, "items": {"enum": ["a", 1, false, {}]}, "title": "t", "description": "d"}`, ``},

	{`{}`, `Body.Schema is empty and would take anything; write at least its type`},
	{`{"properties": {"a": {}}}`, `Body.Schema.properties.a is empty and would take anything; write at least its type`},
	{`{"properties": {}}`, `Body.Schema.properties is {}; want schemas by property name`},
	{`{"properties": {"a": true}}`, `Body.Schema.properties.a is true; want a schema`},
	{`{"type": "text"}`, `Body.Schema.type is "text"; want one of array, boolean, integer, number, object, string`},
	{`{"type": ["string", "null"]}`, `Body.Schema.type is ["string","null"]; want one of array`},
	{`{"type": "null"}`, `Body.Schema.type is "null"; want one of array`},
	{`{"items": [{"type": "string"}]}`, `Body.Schema.items is [{"type":"string"}]; want a schema`},
	{`{"additionalProperties": "no"}`, `Body.Schema.additionalProperties is "no"; want true, false or a schema`},
	{`{"additionalProperties": {}}`, `Body.Schema.additionalProperties is empty`},
	{`{"required": true}`, `Body.Schema.required is true; want a list of property names`},
	{`{"required": []}`, `Body.Schema.required is []; want a list of property names`},
	{`{"required": ["a", "a"]}`, `Body.Schema.required is ["a","a"]; want a list of property names, each once`},
	{`{"required": [1]}`, `Body.Schema.required is [1]; want a list of property names, each once`},
	{`{"enum": []}`, `Body.Schema.enum is []; want a list of values`},
	{`{"enum": ["a", null]}`, `Body.Schema.enum is ["a",null]; want a list of values, each once and none of them null`},
	{`{"enum": ["a", "a"]}`, `Body.Schema.enum is ["a","a"]; want a list of values, each once`},
	{`{"minLength": -1}`, `Body.Schema.minLength is -1; want a whole number from 0`},
	{`{"maxLength": "200"}`, `Body.Schema.maxLength is "200"; want a whole number from 0`},
	{`{"maxProperties": 1.5}`, `Body.Schema.maxProperties is 1.5; want a whole number from 0`},
	{`{"minimum": "0"}`, `Body.Schema.minimum is "0"; want a number`},
	{`{"multipleOf": 0}`, `Body.Schema.multipleOf is 0; want a number above 0`},
	{`{"uniqueItems": "yes"}`, `Body.Schema.uniqueItems is "yes"; want true or false`},
	{`{"title": 1}`, `Body.Schema.title is 1; want a text`},
	{`{"pattern": 1}`, `Body.Schema.pattern is 1; want a regular expression`},
	{`{"pattern": "^(?!a)"}`, "Body.Schema.pattern: error parsing regexp: invalid or unsupported Perl syntax: `(?!`; write it without lookaround and backreferences"},
	{`{"minLength": 3, "maxLength": 2}`, `Body.Schema: minLength is above maxLength`},
	{`{"minimum": 3, "maximum": 2.5}`, `Body.Schema: minimum is above maximum`},
	{`{"required": ["b"], "properties": {"a": {"type": "string"}}, "additionalProperties": false}`, `Body.Schema.required: "b" is not among the properties, and additional ones are refused`},
	{`{"items": {"properties": {"a": {"maxLenght": 2}}}}`, `Body.Schema.items.properties.a.maxLenght: JSON Schema draft-04 has no such keyword`},
	{`{"$schema": "http://json-schema.org/draft-04/schema#", "type": "string"}`, `Body.Schema.$schema: leave it out; schemas are JSON Schema draft-04`},
	{`{"$ref": "#/definitions/a"}`, `Body.Schema.$ref: write the schema out in its place`},
	{`{"anyOf": [{"type": "string"}]}`, `Body.Schema.anyOf: API Gateway does not import it; let the function check it`},
	{`{"type": "string", "format": "email"}`, `Body.Schema.format: validators do not agree on formats; write a pattern, or let the function check it`},
	{`{"type": "array", "maxItems": 3}`, `Body.Schema.maxItems: API Gateway does not check it; let the function do it`},
	{`{"type": "x", "minLength": -1}`, "Body.Schema.minLength is -1; want a whole number from 0\nPUT /x: Body.Schema.type is \"x\""},
}

func TestSchema(t *testing.T) {
	t.Parallel()
	for _, tt := range schemas {
		t.Run(tt.schema, func(t *testing.T) {
			t.Parallel()
			var schema map[string]any
			if err := json.Unmarshal([]byte(tt.schema), &schema); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want != "" {
				want = "PUT /x: " + want
			}
			got := problems(posting("PUT /x", apispec.Body{Name: "X", Schema: schema}, nil))
			if got != want && (want == "" || !strings.HasPrefix(got, want)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// What passes here is valid by draft-04's own schema, as an independent
// library reads it: no schema that is deployed fails to load.
func FuzzSchema(f *testing.F) {
	for _, tt := range schemas {
		f.Add(tt.schema)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schema := map[string]any{}
		if json.Unmarshal([]byte(text), &schema) != nil {
			t.Skip()
		}
		if posting("PUT /x", apispec.Body{Name: "X", Schema: schema}, nil).Validate() != nil {
			t.Skip()
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		compiler := jsonschema.NewCompiler()
		compiler.DefaultDraft(jsonschema.Draft4)
		if err := compiler.AddResource("x.json", document); err != nil {
			t.Fatal(err)
		}
		if _, err := compiler.Compile("x.json"); err != nil {
			t.Errorf("%s passes, but %v", text, err)
		}
	})
}

// Patterns that engines read alike, and those that they do not.
func TestCheckPattern(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"", "^a", "^[a-z0-9._-]{1,20}$", `^\d+(?:\.\d{2})?$`, `^(a|b)*?c+$`, `[^@]+@[^@]+\.[a-z]{2,}`, `^\w\b\W\D$`, `^[\d\-\]]+$`, `\/\\`, "^é$", `^[^"\\<&]*$`, "[&a&]",
	} {
		if err := apispec.CheckPattern(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	for _, pattern := range []string{
		"(", "^(?!a)", `(a)\1`, "^[[:digit:]]+$", `\A[0-9]+\z`, "(?i)^abc$", `^\Qa.b\E$`, "(?P<x>a)", "(?<x>a)", `\x{41}`, `\pN`, `\p{L}`, "[a&&b]", `[\pN]`, `\s`, `\a`, "a++",
	} {
		if apispec.CheckPattern(pattern) == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}
