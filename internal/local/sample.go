package local

import (
	"encoding/json"
	"strings"
)

// sample writes a small body that a route's model takes, for a person to
// start from. It is empty where the route declares no JSON body.
func sample(models map[string]json.RawMessage) string {
	model, ok := models["application/json"]
	if !ok {
		return ""
	}
	var schema map[string]any
	if json.Unmarshal(model, &schema) != nil {
		return ""
	}
	definitions, _ := schema["definitions"].(map[string]any)
	body, err := json.Marshal(sampler{definitions}.value(schema, "body", 0))
	if err != nil {
		return ""
	}
	return string(body)
}

// sampler knows the schemas that others refer to.
type sampler struct{ definitions map[string]any }

// maxDepth bounds a sample: a schema may refer to itself.
const maxDepth = 10

// value is the plainest one of a schema: what is required, and texts that say
// the name of their place.
func (s sampler) value(schema map[string]any, name string, depth int) any {
	if depth > maxDepth {
		return nil
	}
	if all, _ := schema["allOf"].([]any); len(all) == 1 {
		only, _ := all[0].(map[string]any)
		return s.value(only, name, depth+1)
	}
	if reference, ok := schema["$ref"].(string); ok {
		definition, _ := s.definitions[strings.TrimPrefix(reference, "#/definitions/")].(map[string]any)
		return s.value(definition, name, depth+1)
	}
	if choices, _ := schema["enum"].([]any); len(choices) > 0 {
		return choices[0]
	}
	switch schema["type"] {
	case "object":
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		object := map[string]any{}
		for _, member := range required {
			key, _ := member.(string)
			property, _ := properties[key].(map[string]any)
			object[key] = s.value(property, key, depth+1)
		}
		return object
	case "array":
		return []any{}
	case "integer", "number":
		if least, ok := schema["minimum"].(float64); ok {
			return least
		}
		return 1
	case "boolean":
		return true
	default:
		if least, ok := schema["minLength"].(float64); ok && len(name) < int(least) {
			name += strings.Repeat(".", int(least)-len(name))
		}
		return name
	}
}
