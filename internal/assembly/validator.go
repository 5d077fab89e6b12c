package assembly

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// readValidators reads the API's request validators by name
// ("x-amazon-apigateway-request-validators object").
func (b *bodyReader) readValidators() {
	b.validators = map[string]Validator{}
	decodeExtension(b, b.at, b.doc.Extensions, extensionValidators, func(declared map[string]struct {
		Body       bool `json:"validateRequestBody"`
		Parameters bool `json:"validateRequestParameters"`
	}) {
		for name, v := range declared {
			b.validators[name] = Validator{Body: v.Body, Parameters: v.Parameters}
		}
	})
}

// readValidation reads what a route's validator checks. An operation's own
// validator replaces the API's ("x-amazon-apigateway-request-validator
// property").
func (b *bodyReader) readValidation(at string, route *Route, op *openapi3.Operation, shared openapi3.Parameters) {
	name, declared := op.Extensions[extensionValidator]
	if !declared {
		name, declared = b.doc.Extensions[extensionValidator]
	}
	if !declared {
		return
	}
	text, _ := name.(string)
	validator, known := b.validators[text]
	if !known {
		b.problem(at+"."+extensionValidator, "no request validator is named %q", text)
		return
	}
	route.Validator = &validator
	if validator.Parameters {
		route.RequiredParameters = b.requiredParameters(at, op.Parameters, shared)
	}
	if validator.Body && op.RequestBody != nil && op.RequestBody.Value != nil {
		route.Models = b.models(at+".requestBody", op.RequestBody.Value.Content)
	}
}

// requiredParameters returns the required parameters by place and name; an
// operation's replace those of its path.
func (b *bodyReader) requiredParameters(at string, own, shared openapi3.Parameters) []Parameter {
	var required []Parameter
	for _, ref := range slices.Concat(own, shared) {
		p := ref.Value
		if ref := own.GetByInAndName(p.In, p.Name); ref != nil && ref != p || !p.Required {
			continue
		}
		if !slices.Contains([]string{openapi3.ParameterInQuery, openapi3.ParameterInHeader, openapi3.ParameterInPath}, p.In) {
			b.problem(at+".parameters."+p.Name, "a required parameter in a %s is not understood", p.In)
			continue
		}
		required = append(required, Parameter{Name: p.Name, In: p.In})
	}
	slices.SortFunc(required, func(a, b Parameter) int {
		return cmp.Or(strings.Compare(a.In, b.In), strings.Compare(a.Name, b.Name))
	})
	return slices.Compact(required)
}

// models returns the schema of each content type.
func (b *bodyReader) models(at string, content openapi3.Content) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for contentType, media := range content {
		if media == nil || media.Schema == nil {
			continue
		}
		place := at + ".content." + contentType + ".schema"
		bundle := &bundler{bodyReader: b, definitions: map[string]any{}}
		schema := bundle.schema(place, media.Schema)
		if len(bundle.definitions) > 0 {
			schema = map[string]any{"allOf": []any{schema}, "definitions": bundle.definitions}
		}
		data, err := json.Marshal(schema)
		if err != nil {
			b.problem(place, "%v", err)
		}
		out[strings.ToLower(contentType)] = data
	}
	return out
}

// bundler moves the components that a schema refers to into the schema.
type bundler struct {
	*bodyReader
	definitions map[string]any
}

const (
	componentPrefix  = "#/components/schemas/"
	definitionPrefix = "#/definitions/"
)

func (b *bundler) schema(at string, ref *openapi3.SchemaRef) any {
	data, err := json.Marshal(ref)
	if err != nil {
		b.problem(at, "%v", err)
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		b.problem(at, "%v", err)
		return nil
	}
	return b.walk(at, value)
}

// Keywords of JSON Schema draft-04 that decide without holding a schema, and
// those of OpenAPI that describe. What else could decide is a problem:
// "nullable" and "discriminator" mean something in OpenAPI only.
var (
	schemaKeywords = []string{
		"$ref", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties",
		"maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "type",
		"uniqueItems",
		"default", "deprecated", "description", "example", "externalDocs", "readOnly", "title", "writeOnly", "xml",
	}
	schemaHolders = []string{"additionalProperties", "allOf", "anyOf", "items", "not", "oneOf"}
)

// walk returns a schema with its references turned, and reports every keyword
// that is not understood. It goes into schemas only, never into values.
func (b *bundler) walk(at string, value any) any {
	schema, ok := value.(map[string]any)
	if !ok {
		if list, isList := value.([]any); isList {
			for i := range list {
				list[i] = b.walk(at, list[i])
			}
		}
		return value // true or false, of additionalProperties
	}
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		place := at + "." + name
		switch {
		case name == "$ref":
			schema[name] = b.definition(at, schema[name])
		case name == "properties":
			properties, _ := schema[name].(map[string]any)
			for property, member := range properties {
				properties[property] = b.walk(place+"."+property, member)
			}
		case slices.Contains(schemaHolders, name):
			schema[name] = b.walk(place, schema[name])
		case !slices.Contains(schemaKeywords, name) && !strings.HasPrefix(name, "x-"):
			b.problem(place, "the keyword is not understood")
		}
	}
	return schema
}

// definition brings a component in, once, and returns the reference to it.
func (b *bundler) definition(at string, ref any) string {
	text, _ := ref.(string)
	name, ok := strings.CutPrefix(text, componentPrefix)
	if !ok || strings.Contains(name, "/") {
		b.problem(at, "the reference %q is not understood", text)
		return text
	}
	if _, done := b.definitions[name]; !done {
		b.definitions[name] = nil // a component may refer to itself
		// The loader has found every reference's target.
		b.definitions[name] = b.schema(b.at+".components.schemas."+name, b.doc.Components.Schemas[name])
	}
	return definitionPrefix + name
}
