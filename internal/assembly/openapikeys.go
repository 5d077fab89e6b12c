package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape names the members of an OpenAPI object that may stand in a body
// (OpenAPI Specification 3.0.3, section 4.7), and API Gateway's extensions that
// are read there.
type shape struct {
	keys       []string
	extensions []string
}

var (
	documentShape = shape{
		[]string{"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"},
		[]string{extensionGatewayResponses, extensionValidator, extensionValidators},
	}
	pathItemShape = shape{
		[]string{"summary", "description", "parameters", "servers", "get", "put", "post", "delete", "options", "head", "patch", "trace"},
		[]string{extensionAnyMethod},
	}
	operationShape = shape{
		[]string{"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses", "deprecated", "security", "servers"},
		[]string{extensionIntegration, extensionValidator},
	}
	schemeShape = shape{
		[]string{"type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl"},
		[]string{extensionAuthType, extensionAuthorizer},
	}
)

// checkKeys reports every member that is not read as it is written. The
// libraries below take names in any case, API Gateway does not: a "SECURITY"
// protects nothing. And an extension may close what would be open, wherever it
// stands.
func (b *bodyReader) checkKeys(body map[string]any) {
	b.checkShape(b.at, body, documentShape, "paths", "components")
	for path, item := range members(body["paths"]) {
		at := b.at + ".paths." + path
		item, _ := item.(map[string]any)
		operations := slices.DeleteFunc(slices.Collect(maps.Keys(item)), func(key string) bool { return !isOperation(key) })
		b.checkShape(at, item, pathItemShape, operations...)
		for _, key := range operations {
			operation, _ := item[key].(map[string]any)
			b.checkShape(at+"."+key, operation, operationShape)
		}
	}
	for name, component := range members(body["components"]) {
		at := b.at + ".components." + name
		if name != "securitySchemes" {
			b.checkNoExtensions(at, component)
			continue
		}
		for scheme, value := range members(component) {
			value, _ := value.(map[string]any)
			b.checkShape(at+"."+scheme, value, schemeShape)
		}
	}
}

func isOperation(key string) bool {
	return key == extensionAnyMethod || slices.Contains([]string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}, key)
}

func members(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// checkShape checks an object's own members, and that no extension hides below
// those that are not checked elsewhere.
func (b *bodyReader) checkShape(at string, object map[string]any, s shape, elsewhere ...string) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		switch {
		case slices.Contains(elsewhere, key), slices.Contains(s.extensions, key):
		case slices.Contains(s.keys, key):
			b.checkNoExtensions(at+"."+key, object[key])
		case !strings.HasPrefix(key, "x-") || isExtension(key):
			b.problem(at, "%s is not understood", key)
		}
	}
}

// checkNoExtensions reports every extension of API Gateway below a value.
func (b *bodyReader) checkNoExtensions(at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if isExtension(key) {
				b.problem(at, "%s is not understood", key)
			}
			b.checkNoExtensions(at+"."+key, v[key])
		}
	case []any:
		for i, element := range v {
			b.checkNoExtensions(fmt.Sprintf("%s[%d]", at, i), element)
		}
	}
}

func isExtension(key string) bool {
	return strings.HasPrefix(strings.ToLower(key), "x-amazon-apigateway-")
}
