package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape names the members of an OpenAPI object that may stand in a body
// (OpenAPI Specification 3.0.3, section 4.7, and 2.0), and API Gateway's
// extensions that are read there.
type shape struct {
	keys       []string
	extensions []string
}

// versionNames says what stands where in a version of OpenAPI.
type versionNames struct {
	swagger bool
	schemes string // path of the security schemes
	schemas string // path of the schemas

	document, pathItem, operation, scheme shape
}

var methodKeys = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var (
	documentExtensions = []string{
		extensionBinaryMediaTypes, extensionCompression, extensionDocumentation, extensionGatewayResponses,
		extensionImportExport, extensionKeySource, extensionPolicy, extensionValidator, extensionValidators,
	}
	operationExtensions = []string{extensionAuth, extensionIntegration, extensionValidator}
	schemeExtensions    = []string{extensionAuthType, extensionAuthorizer}

	openAPI3 = versionNames{
		schemes:  "components.securitySchemes",
		schemas:  "components.schemas",
		document: shape{[]string{"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"}, documentExtensions},
		pathItem: shape{[]string{"summary", "description", "parameters", "servers"}, nil},
		operation: shape{
			[]string{"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses", "deprecated", "security", "servers"},
			operationExtensions,
		},
		scheme: shape{[]string{"type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl"}, schemeExtensions},
	}
	swagger2 = versionNames{
		swagger: true,
		schemes: "securityDefinitions",
		schemas: "definitions",
		document: shape{
			[]string{"swagger", "info", "host", "basePath", "schemes", "consumes", "produces", "paths", "definitions", "parameters", "responses", "securityDefinitions", "security", "tags", "externalDocs"},
			append([]string{extensionEndpoint}, documentExtensions...),
		},
		pathItem: shape{[]string{"parameters"}, nil},
		operation: shape{
			[]string{"tags", "summary", "description", "externalDocs", "operationId", "consumes", "produces", "parameters", "responses", "schemes", "deprecated", "security"},
			operationExtensions,
		},
		scheme: shape{[]string{"type", "description", "name", "in", "flow", "authorizationUrl", "tokenUrl", "scopes"}, schemeExtensions},
	}
)

func versionNamesOf(body map[string]any) versionNames {
	if text(body["swagger"]) == "2.0" {
		return swagger2
	}
	return openAPI3
}

// checkKeys reports every member that is not read as it is written. The
// libraries below take names in any case, API Gateway does not: a "SECURITY"
// protects nothing. And an extension may close what would be open, wherever it
// stands.
func (b *bodyReader) checkKeys() {
	b.checkShape(b.at, b.body, b.names.document, "paths", "components", "securityDefinitions", "servers")
	for path, value := range members(b.body["paths"]) {
		at, item := b.at+".paths."+path, members(value)
		operations := slices.DeleteFunc(slices.Collect(maps.Keys(item)), func(key string) bool { return !isOperation(key) })
		b.checkShape(at, item, b.names.pathItem, operations...)
		for _, key := range operations {
			b.checkShape(at+"."+key, members(item[key]), b.names.operation)
		}
	}
	for i, server := range list(b.body["servers"]) {
		b.checkShape(fmt.Sprintf("%s.servers[%d]", b.at, i), members(server), shape{[]string{"url", "description", "variables"}, []string{extensionEndpoint}})
	}
	b.checkSchemes(members(b.body["securityDefinitions"]))
	for name, component := range members(b.body["components"]) {
		if name == "securitySchemes" {
			b.checkSchemes(members(component))
			continue
		}
		b.checkNoExtensions(b.at+".components."+name, component)
		if name == "requestBodies" || name == "parameters" {
			b.checkCase(b.at+".components."+name, component)
		}
	}
}

// requestKeys decide about requests in parameters and bodies of requests.
// Schemas below them are read apart.
var requestKeys = []string{"$ref", "content", "in", "name", "required", "schema"}

// checkCase reports a member whose name is one of those in another case only.
func (b *bodyReader) checkCase(at string, value any) {
	for i, member := range list(value) {
		b.checkCase(fmt.Sprintf("%s[%d]", at, i), member)
	}
	for key, member := range members(value) {
		switch {
		case slices.Contains(requestKeys, key):
		case slices.Contains(requestKeys, strings.ToLower(key)):
			b.problem(at, "%s is not understood; it is spelled %s", key, strings.ToLower(key))
		}
		if key != "schema" && !slices.Contains(proseKeys, key) {
			b.checkCase(at+"."+key, member)
		}
	}
}

func (b *bodyReader) checkSchemes(schemes map[string]any) {
	for name, value := range schemes {
		b.checkShape(b.at+"."+b.names.schemes+"."+name, members(value), b.names.scheme)
	}
}

func isOperation(key string) bool {
	return key == extensionAnyMethod || slices.Contains(methodKeys, key)
}

func members(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

func list(value any) []any {
	elements, _ := value.([]any)
	return elements
}

// checkShape checks an object's own members, and that no extension hides below
// those that are not checked elsewhere.
func (b *bodyReader) checkShape(at string, object map[string]any, s shape, elsewhere ...string) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		switch {
		case slices.Contains(elsewhere, key), slices.Contains(s.extensions, key):
		case slices.Contains(s.keys, key):
			b.checkNoExtensions(at+"."+key, object[key])
			if key == "requestBody" || key == "parameters" {
				b.checkCase(at+"."+key, object[key])
			}
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
