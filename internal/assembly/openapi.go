package assembly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// The extensions that are read ("OpenAPI extensions for API Gateway"). Any
// other x-amazon-apigateway-* is a problem: it may close what would be open.
const (
	extensionAnyMethod        = "x-amazon-apigateway-any-method"
	extensionAuthorizer       = "x-amazon-apigateway-authorizer"
	extensionAuthType         = "x-amazon-apigateway-authtype"
	extensionGatewayResponses = "x-amazon-apigateway-gateway-responses"
	extensionIntegration      = "x-amazon-apigateway-integration"
	extensionValidator        = "x-amazon-apigateway-request-validator"
	extensionValidators       = "x-amazon-apigateway-request-validators"
)

// bodyReader reads one OpenAPI body into an API.
type bodyReader struct {
	*reader
	api *RestAPI
	at  string
	doc *openapi3.T

	validators map[string]Validator
}

func loadOpenAPI(data []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("not an OpenAPI 3.0 document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return nil, fmt.Errorf("OpenAPI version %q is not understood; API Gateway takes 3.0", doc.OpenAPI)
	}
	return doc, nil
}

func (b *bodyReader) read() {
	if len(b.doc.Security) > 0 {
		b.problem(b.at+".security", "a requirement for the whole API is not understood; put it on each operation")
	}
	authorizers := b.authorizers()
	b.readValidators()
	b.api.GatewayResponses = map[string]GatewayResponse{}
	decodeExtension(b, b.at, b.doc.Extensions, extensionGatewayResponses, func(v map[string]gatewayResponse) {
		for name, response := range v {
			b.api.GatewayResponses[name] = response.model(b, b.at+"."+extensionGatewayResponses+"."+name)
		}
	})
	if b.doc.Paths == nil {
		return
	}
	for _, path := range b.doc.Paths.InMatchingOrder() {
		b.readPath(path, b.doc.Paths.Value(path), authorizers)
	}
}

func (b *bodyReader) readPath(path string, item *openapi3.PathItem, authorizers map[string]Authorization) {
	at := b.at + ".paths." + path
	operations := item.Operations()
	if raw, ok := item.Extensions[extensionAnyMethod]; ok {
		var op openapi3.Operation
		if err := reencode(raw, &op); err != nil {
			b.problem(at+"."+extensionAnyMethod, "%v", err)
			return
		}
		operations["ANY"] = &op
	}
	for _, method := range slices.Sorted(maps.Keys(operations)) {
		op := operations[method]
		place := at + "." + strings.ToLower(method)
		route := Route{
			Method:        method,
			Path:          path,
			ResourceID:    fake(lower, 6, b.api.ID, path),
			OperationName: op.OperationID,
			Authorization: b.authorization(place, op, authorizers),
			Integration:   Integration{Unsupported: "the operation has no " + extensionIntegration},
		}
		if path == "/" {
			route.ResourceID = fake(lower, 10, b.api.ID, "/")
		}
		if raw, ok := op.Extensions[extensionIntegration]; ok {
			route.Integration = readIntegration(raw, place+"."+extensionIntegration)
		}
		b.readValidation(place, &route, op, item.Parameters)
		b.api.Routes = append(b.api.Routes, route)
	}
}

// authorizers reads the security schemes by name.
func (b *bodyReader) authorizers() map[string]Authorization {
	out := map[string]Authorization{}
	if b.doc.Components == nil {
		return out
	}
	for name, ref := range b.doc.Components.SecuritySchemes {
		at := b.at + ".components.securitySchemes." + name
		scheme := ref.Value
		authType, _ := scheme.Extensions[extensionAuthType].(string)
		switch strings.ToLower(authType) {
		case "awssigv4":
			out[name] = Authorization{Type: AuthorizationIAM}
		case "cognito_user_pools":
			authorizer := &Authorizer{Name: name, Type: AuthorizationCognito, Header: scheme.Name}
			decodeExtension(b, at, scheme.Extensions, extensionAuthorizer, func(v struct {
				Type         string   `json:"type"`
				ProviderARNs []string `json:"providerARNs"`
			}) {
				authorizer.ProviderARNs = v.ProviderARNs
				if v.Type != "cognito_user_pools" {
					b.problem(at, "an authorizer of type %q is not understood", v.Type)
				}
			})
			if scheme.Type != "apiKey" || scheme.In != "header" || scheme.Name == "" || len(authorizer.ProviderARNs) == 0 {
				b.problem(at, "a Cognito authorizer takes its token from a header and names its user pools")
			}
			out[name] = Authorization{Type: AuthorizationCognito, Authorizer: authorizer}
		default:
			b.problem(at, "authorizers of type %q are not understood", cmp.Or(authType, scheme.Type))
		}
	}
	return out
}

// authorization reads what an operation asks of its caller. Anything but
// exactly one known requirement, or none, admits nobody.
func (b *bodyReader) authorization(at string, op *openapi3.Operation, authorizers map[string]Authorization) Authorization {
	if op.Security == nil || len(*op.Security) == 0 {
		return Authorization{Type: AuthorizationNone}
	}
	if len(*op.Security) > 1 || len((*op.Security)[0]) != 1 {
		b.problem(at+".security", "exactly one requirement with one scheme is understood")
		return Authorization{}
	}
	for name, scopes := range (*op.Security)[0] {
		authorization, known := authorizers[name]
		if !known {
			b.problem(at+".security", "no understood security scheme is named %q", name)
		}
		authorization.Scopes = slices.Clone(scopes)
		return authorization
	}
	return Authorization{}
}

type integration struct {
	Type                string                         `json:"type"`
	HTTPMethod          string                         `json:"httpMethod"`
	URI                 string                         `json:"uri"`
	PassthroughBehavior string                         `json:"passthroughBehavior"`
	TimeoutInMillis     int                            `json:"timeoutInMillis"`
	RequestTemplates    map[string]string              `json:"requestTemplates"`
	Responses           map[string]integrationResponse `json:"responses"`
}

type integrationResponse struct {
	StatusCode         json.Number       `json:"statusCode"`
	ResponseParameters map[string]string `json:"responseParameters"`
	ResponseTemplates  map[string]string `json:"responseTemplates"`
}

// defaultTimeout of an integration ("Amazon API Gateway quotas").
const defaultTimeout = 29 * time.Second

var lambdaURI = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations$`)

// readIntegration reads what answers a route. What is not understood of it
// leaves the route unserved, and no other.
func readIntegration(raw any, at string) Integration {
	var i integration
	if err := reencode(raw, &i); err != nil {
		return Integration{Unsupported: fmt.Sprintf("%s: %v", at, err)}
	}
	out := Integration{
		Type:                strings.ToUpper(i.Type),
		Timeout:             defaultTimeout,
		PassthroughBehavior: cmp.Or(strings.ToUpper(i.PassthroughBehavior), "WHEN_NO_MATCH"),
		RequestTemplates:    i.RequestTemplates,
	}
	if i.TimeoutInMillis > 0 {
		out.Timeout = time.Duration(i.TimeoutInMillis) * time.Millisecond
	}
	switch out.Type {
	case IntegrationLambdaProxy:
		if arn := lambdaURI.FindStringSubmatch(i.URI); arn != nil {
			out.FunctionARN = arn[1]
		} else {
			out.Unsupported = fmt.Sprintf("%s: the uri %q names no Lambda function", at, i.URI)
		}
	case IntegrationMock:
	default:
		out.Unsupported = fmt.Sprintf("%s: integrations of type %q are not served", at, i.Type)
	}
	for _, pattern := range slices.Sorted(maps.Keys(i.Responses)) {
		response := i.Responses[pattern]
		status, err := strconv.Atoi(response.StatusCode.String())
		if err != nil {
			out.Unsupported = fmt.Sprintf("%s.responses.%s: malformed statusCode", at, pattern)
		}
		if pattern == "default" {
			pattern = ""
		}
		out.Responses = append(out.Responses, IntegrationResponse{
			SelectionPattern: pattern,
			StatusCode:       status,
			Parameters:       response.ResponseParameters,
			Templates:        response.ResponseTemplates,
		})
	}
	return out
}

type gatewayResponse struct {
	StatusCode         json.Number       `json:"statusCode"`
	ResponseParameters map[string]string `json:"responseParameters"`
	ResponseTemplates  map[string]string `json:"responseTemplates"`
}

func (g gatewayResponse) model(b *bodyReader, at string) GatewayResponse {
	out := GatewayResponse{Parameters: g.ResponseParameters, Templates: g.ResponseTemplates}
	if g.StatusCode != "" {
		status, err := strconv.Atoi(g.StatusCode.String())
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
