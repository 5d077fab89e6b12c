package assembly

import (
	"bytes"
	"encoding/json"
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
	slices.SortFunc(required, compareParameters)
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
		s := &schemaReader{reader: b.reader, dialect: openAPISchema, definitions: map[string]any{}}
		out[strings.ToLower(contentType)] = s.bundle(place, b.schema(s, place, media.Schema))
	}
	return out
}

const componentPrefix = "#/components/schemas/"

func (b *bodyReader) schema(s *schemaReader, at string, ref *openapi3.SchemaRef) any {
	data, err := json.Marshal(ref)
	if err != nil {
		b.problem(at, "%v", err)
		return nil
	}
	value, err := decodeJSON(data)
	if err != nil {
		b.problem(at, "%v", err)
		return nil
	}
	return s.walk(at, value, func(at, ref string) string {
		name, ok := strings.CutPrefix(ref, componentPrefix)
		if !ok || strings.Contains(name, "/") {
			b.problem(at, "the reference %q is not understood", ref)
			return ref
		}
		if _, done := s.definitions[name]; !done {
			s.definitions[name] = nil // a component may refer to itself
			// The loader has found every reference's target.
			s.definitions[name] = b.schema(s, b.at+"."+b.names.schemas+"."+name, b.doc.Components.Schemas[name])
		}
		return definitionPrefix + name
	})
}

// decodeJSON decodes JSON; numbers keep their text, as those of a template do.
func decodeJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}
