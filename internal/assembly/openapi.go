package assembly

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// The extensions that are read ("OpenAPI extensions for API Gateway"). Any
// other x-amazon-apigateway-* is a problem: it may close what would be open.
const (
	extensionAnyMethod        = "x-amazon-apigateway-any-method"
	extensionAuth             = "x-amazon-apigateway-auth"
	extensionAuthorizer       = "x-amazon-apigateway-authorizer"
	extensionAuthType         = "x-amazon-apigateway-authtype"
	extensionBinaryMediaTypes = "x-amazon-apigateway-binary-media-types"
	extensionCompression      = "x-amazon-apigateway-minimum-compression-size"
	extensionEndpoint         = "x-amazon-apigateway-endpoint-configuration"
	extensionGatewayResponses = "x-amazon-apigateway-gateway-responses"
	extensionIntegration      = "x-amazon-apigateway-integration"
	extensionKeySource        = "x-amazon-apigateway-api-key-source"
	extensionPolicy           = "x-amazon-apigateway-policy"
	extensionValidator        = "x-amazon-apigateway-request-validator"
	extensionValidators       = "x-amazon-apigateway-request-validators"
)

// Extensions that decide nothing about a request.
const (
	extensionDocumentation = "x-amazon-apigateway-documentation"
	extensionImportExport  = "x-amazon-apigateway-importexport-version"
)

// bodyReader reads one OpenAPI body into an API.
type bodyReader struct {
	*reader
	api   *RestAPI
	at    string
	body  map[string]any // as the template has it, resolved
	doc   *openapi3.T    // the same, as OpenAPI 3.0
	names versionNames

	any        map[string]*openapi3.Operation // of any method, by path
	validators map[string]Validator
	schemes    map[string]securityScheme
}

func (b *bodyReader) read() {
	b.readDocument()
	b.readValidators()
	b.readSchemes()
	decodeExtension(b, b.at, b.doc.Extensions, extensionGatewayResponses, func(v map[string]gatewayResponse) {
		for name, response := range v {
			b.api.GatewayResponses[name] = response.model(b, b.at+"."+extensionGatewayResponses+"."+name)
		}
	})
	if b.doc.Paths == nil {
		return
	}
	for _, path := range b.doc.Paths.InMatchingOrder() {
		b.readPath(path, b.doc.Paths.Value(path))
	}
}

// readDocument reads what the body says about the API as a whole. What a
// property of the API says, too, is the API's.
func (b *bodyReader) readDocument() {
	if b.api.Name == "" && b.doc.Info != nil {
		b.api.Name = b.doc.Info.Title
	}
	decodeExtension(b, b.at, b.doc.Extensions, extensionKeySource, func(source string) {
		b.api.APIKeySource = cmp.Or(b.api.APIKeySource, strings.ToUpper(source))
	})
	decodeExtension(b, b.at, b.doc.Extensions, extensionBinaryMediaTypes, func(types []string) {
		if b.api.BinaryMediaTypes == nil {
			b.api.BinaryMediaTypes = types
		}
	})
	decodeExtension(b, b.at, b.doc.Extensions, extensionCompression, func(size int) {
		if b.api.Compression == nil && size >= 0 {
			b.api.Compression = &Compression{MinimumBytes: size}
		}
	})
	b.readEndpoint(b.at, b.doc.Extensions)
	for i, server := range b.doc.Servers {
		b.readEndpoint(b.at+".servers["+strconv.Itoa(i)+"]", server.Extensions)
	}
}

// readEndpoint reads x-amazon-apigateway-endpoint-configuration, which stands in
// a server of OpenAPI 3.0 and at the top of Swagger 2.0.
func (b *bodyReader) readEndpoint(at string, extensions map[string]any) {
	decodeExtension(b, at, extensions, extensionEndpoint, func(v struct {
		Disabled     bool     `json:"disableExecuteApiEndpoint"`
		VPCEndpoints []string `json:"vpcEndpointIds"`
	}) {
		b.api.ExecuteAPIDisabled = b.api.ExecuteAPIDisabled || v.Disabled
	})
}

func (b *bodyReader) readPath(path string, item *openapi3.PathItem) {
	operations := item.Operations()
	if op := b.any[path]; op != nil {
		operations["ANY"] = op
	}
	for _, method := range slices.Sorted(maps.Keys(operations)) {
		key := strings.ToLower(method)
		if method == "ANY" {
			key = extensionAnyMethod
		}
		op, place := operations[method], b.at+".paths."+path+"."+key
		route := Route{
			Place:           b.api.Place,
			Method:          method,
			Path:            path,
			ResourceID:      fake(lower, 6, b.api.ID, path),
			OperationName:   op.OperationID,
			Integration:     Integration{Unsupported: place + ": the operation has no " + extensionIntegration},
			ResponseHeaders: declaredHeaders(op.Responses),
		}
		if path == "/" {
			route.ResourceID = fake(lower, 10, b.api.ID, "/")
		}
		if !isMethod(method) {
			b.problem(place, "the method %s is not understood", method)
		}
		b.authorize(place, op, &route)
		// The resolved body says more about what is unknown than the document.
		if raw, ok := members(members(members(b.body["paths"])[path])[key])[extensionIntegration]; ok {
			route.Integration = readIntegration(raw, place+"."+extensionIntegration)
		}
		b.readValidation(place, &route, op, item.Parameters)
		b.api.Routes = append(b.api.Routes, route)
	}
}

// declaredHeaders returns the headers of each response that has a status.
func declaredHeaders(responses *openapi3.Responses) map[int][]string {
	out := map[int][]string{}
	for code, response := range responses.Map() {
		status, err := strconv.Atoi(code)
		if err != nil || response.Value == nil {
			continue
		}
		out[status] = slices.Sorted(maps.Keys(response.Value.Headers))
	}
	return out
}

type gatewayResponse struct {
	StatusCode         numeral           `json:"statusCode"`
	ResponseParameters map[string]string `json:"responseParameters"`
	ResponseTemplates  map[string]string `json:"responseTemplates"`
}

func (g gatewayResponse) model(b *bodyReader, at string) GatewayResponse {
	out := GatewayResponse{Parameters: g.ResponseParameters, Templates: g.ResponseTemplates}
	if g.StatusCode != "" {
		status, err := strconv.Atoi(string(g.StatusCode))
		if err != nil || status < 200 || status > 599 {
			b.problem(at, "statusCode %s is no HTTP status", g.StatusCode)
		}
		out.StatusCode = status
	}
	return out
}

// decodeExtension reads an extension strictly: a member that T does not know
// is a problem.
func decodeExtension[T any](b *bodyReader, at string, extensions map[string]any, name string, use func(T)) {
	raw, ok := extensions[name]
	if !ok {
		return
	}
	var value T
	if member := misspelled(raw, reflect.TypeFor[T]()); member != "" {
		b.problem(at+"."+name, "unknown field %q", member)
		return
	}
	if err := reencode(raw, &value); err != nil {
		b.problem(at+"."+name, "%v", err)
		return
	}
	use(value)
}

func reencode(raw, into any) error {
	data, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// misspelled returns a member whose name is a field's only in another case: the
// decoder takes it, and API Gateway does not.
func misspelled(raw any, into reflect.Type) string {
	switch into.Kind() {
	case reflect.Slice:
		for _, member := range list(raw) {
			if name := misspelled(member, into.Elem()); name != "" {
				return name
			}
		}
	case reflect.Map:
		for _, member := range members(raw) {
			if name := misspelled(member, into.Elem()); name != "" {
				return name
			}
		}
	case reflect.Struct:
		fields := map[string]reflect.Type{}
		for _, field := range reflect.VisibleFields(into) {
			fields[field.Tag.Get("json")] = field.Type
		}
		for name, member := range members(raw) {
			field, known := fields[name]
			if !known {
				return name
			}
			if name := misspelled(member, field); name != "" {
				return name
			}
		}
	}
	return ""
}
