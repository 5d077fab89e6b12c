package assembly

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// dialect is what a schema is written in.
type dialect struct {
	keywords []string // that decide without holding a schema, or describe
	holders  []string // whose value is a schema or a list of them
	maps     []string // whose value holds schemas by name
	dropped  []string // that mean nothing once the schema stands alone
}

// draft04 keywords decide without holding a schema (JSON Schema draft-04).
var draft04 = []string{
	"$ref", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties",
	"maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "type",
	"uniqueItems", "default", "description", "title",
}

// What else could decide is a problem: "nullable" and "discriminator" mean
// something in OpenAPI only, "const" and "if" in later drafts.
var (
	openAPISchema = dialect{
		keywords: slices.Concat(draft04, []string{"deprecated", "example", "externalDocs", "readOnly", "writeOnly", "xml"}),
		holders:  []string{"additionalProperties", "allOf", "anyOf", "items", "not", "oneOf"},
		maps:     []string{"properties"},
	}
	modelSchema = dialect{
		keywords: draft04,
		holders:  []string{"additionalItems", "additionalProperties", "allOf", "anyOf", "items", "not", "oneOf"},
		maps:     []string{"definitions", "patternProperties", "properties"},
		dropped:  []string{"$schema", "id"},
	}
)

const definitionPrefix = "#/definitions/"

// schemaReader moves every schema that another refers to into that one.
type schemaReader struct {
	*reader
	dialect     dialect
	definitions map[string]any
}

// bundle returns a schema with all that it refers to.
func (s *schemaReader) bundle(at string, schema any) json.RawMessage {
	if len(s.definitions) > 0 {
		schema = map[string]any{"allOf": []any{schema}, "definitions": s.definitions}
	}
	data, err := json.Marshal(schema)
	if err != nil {
		s.problem(at, "%v", err)
	}
	return data
}

// walk returns a copy of a schema with its references turned, and reports every
// keyword that is not understood. It goes into schemas only, never into values.
func (s *schemaReader) walk(at string, value any, refer func(at, ref string) string) any {
	switch v := value.(type) {
	case Unknown:
		s.problem(v.At, "%s", v.Reason)
		return false // which no value passes
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.walk(at, v[i], refer)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			place := at + "." + name
			switch {
			case name == "$ref":
				ref, _ := v[name].(string)
				out[name] = refer(at, ref)
			case slices.Contains(s.dialect.maps, name):
				schemas := map[string]any{}
				for member, schema := range members(v[name]) {
					schemas[member] = s.walk(place+"."+member, schema, refer)
				}
				out[name] = schemas
			case slices.Contains(s.dialect.holders, name):
				out[name] = s.walk(place, v[name], refer)
			case slices.Contains(s.dialect.dropped, name):
			case slices.Contains(s.dialect.keywords, name) || strings.HasPrefix(name, "x-"):
				if u, ok := firstUnknown(v[name]); ok {
					s.problem(u.At, "%s", u.Reason)
				}
				out[name] = withoutUnknown(v[name])
			default:
				s.problem(place, "the keyword is not understood")
				out[name] = withoutUnknown(v[name])
			}
		}
		return out
	default:
		return value // true or false, of additionalProperties
	}
}

// Models that every API has ("Data models for REST APIs").
var builtInModels = map[string]any{
	"Empty": map[string]any{"type": "object", "title": "Empty Schema"},
	"Error": map[string]any{"type": "object", "title": "Error Schema", "properties": map[string]any{"message": map[string]any{"type": "string"}}},
}

// modelAt is a model's schema and where it is declared.
type modelAt struct {
	at     string
	name   string
	schema any
}

// readModels reads the models of an API. Methods name them by Ref, and other
// models by URL.
func (t *treeReader) readModels() {
	t.models = map[string]modelAt{}
	for name, schema := range builtInModels {
		t.models[name] = modelAt{t.api.Path, name, schema}
	}
	for _, d := range t.of(typeModel, t.api.ID) {
		d.only([]string{"ContentType", "Description", "Name", "RestApiId", "Schema"})
		m := modelAt{d.at + ".Schema", d.ref, d.values["Schema"]}
		if source, ok := m.schema.(string); ok {
			value, err := decodeJSON([]byte(source))
			if err != nil {
				t.problem(m.at, "the schema is no JSON")
			}
			m.schema = value
		}
		t.models[m.name] = m
		if name := d.text("Name"); name != "" {
			t.models[name] = m
		}
	}
}

// model returns the schema of a model with all that it refers to.
func (t *treeReader) model(at, name string) json.RawMessage {
	m, known := t.models[name]
	if !known {
		t.problem(at, "no model of the API is named %q", name)
		return nil
	}
	s := &schemaReader{reader: t.reader, dialect: modelSchema, definitions: map[string]any{}}
	return s.bundle(at, map[string]any{"$ref": t.define(s, m)})
}

// define brings a model in, once, and returns the reference to it.
func (t *treeReader) define(s *schemaReader, m modelAt) string {
	own := definitionPrefix + m.name
	if _, done := s.definitions[m.name]; done {
		return own
	}
	s.definitions[m.name] = nil // a model may refer to itself
	s.definitions[m.name] = s.walk(m.at, m.schema, func(at, ref string) string {
		if pointer, ok := strings.CutPrefix(ref, "#"); ok && (pointer == "" || strings.HasPrefix(pointer, "/")) {
			return own + pointer
		}
		name, pointer, _ := strings.Cut(strings.TrimPrefix(ref, "https://apigateway.amazonaws.com/restapis/"+t.api.ID+"/models/"), "#")
		other, known := t.models[name]
		if !known || name == ref {
			s.problem(at, "the reference %q is not understood", ref)
			return ref
		}
		return t.define(s, other) + pointer
	})
	return own
}
