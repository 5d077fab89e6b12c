package apispec

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/access"
)

// The parts of OpenAPI 3.0.1 that an API needs. Maps are encoded with sorted
// keys, so a document's bytes follow from its Spec alone.
type (
	document struct {
		OpenAPI          string                          `json:"openapi"`
		Info             info                            `json:"info"`
		Paths            map[string]map[string]operation `json:"paths"`
		Components       *components                     `json:"components,omitempty"`
		Validators       map[string]validator            `json:"x-amazon-apigateway-request-validators,omitempty"`
		GatewayResponses map[string]gatewayResponse      `json:"x-amazon-apigateway-gateway-responses,omitempty"`
	}
	info struct {
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
		Version     string `json:"version"`
	}
	operation struct {
		OperationID string                `json:"operationId"`
		Parameters  []parameter           `json:"parameters,omitempty"`
		RequestBody *requestBody          `json:"requestBody,omitempty"`
		Security    []map[string][]string `json:"security,omitempty"`
		Responses   map[string]response   `json:"responses"`
		Validator   string                `json:"x-amazon-apigateway-request-validator,omitempty"`
		Integration map[string]any        `json:"x-amazon-apigateway-integration"`
	}
	parameter struct {
		Name        string `json:"name"`
		In          string `json:"in"`
		Required    bool   `json:"required"`
		Description string `json:"description,omitempty"`
		Schema      schema `json:"schema"`
	}
	requestBody struct {
		Required bool               `json:"required"`
		Content  map[string]content `json:"content"`
	}
	content struct {
		Schema reference `json:"schema"`
	}
	reference struct {
		Ref string `json:"$ref"`
	}
	validator struct {
		Body       bool `json:"validateRequestBody"`
		Parameters bool `json:"validateRequestParameters"`
	}
	response struct {
		Description string            `json:"description"`
		Headers     map[string]header `json:"headers,omitempty"`
	}
	header struct {
		Schema schema `json:"schema"`
	}
	schema struct {
		Type string `json:"type"`
	}
	components struct {
		Schemas         map[string]json.RawMessage `json:"schemas,omitempty"`
		SecuritySchemes map[string]securityScheme  `json:"securitySchemes,omitempty"`
	}
	securityScheme struct {
		Type       string      `json:"type"`
		Name       string      `json:"name"`
		In         string      `json:"in"`
		AuthType   string      `json:"x-amazon-apigateway-authtype,omitempty"`
		Authorizer *authorizer `json:"x-amazon-apigateway-authorizer,omitempty"`
	}
	authorizer struct {
		Type           string   `json:"type"`
		ProviderARNs   []string `json:"providerARNs,omitempty"`
		URI            string   `json:"authorizerUri,omitempty"`
		IdentitySource string   `json:"identitySource,omitempty"`
		TTL            *int     `json:"authorizerResultTtlInSeconds,omitempty"` // seconds; left out, API Gateway takes 300
	}
	gatewayResponse struct {
		StatusCode int               `json:"statusCode,omitempty"`
		Parameters map[string]string `json:"responseParameters,omitempty"`
	}
)

// Names of the security schemes. Those of the user pools' own authorizer and of
// the Lambda authorizer are the authorizers' names, too; the third asks for one of
// API Gateway's keys.
const (
	schemeUserPool = "UserPool"
	schemeLambda   = "gatewright"
	schemeAPIKey   = "api_key"
)

// paths writes each route, and beside it the preflight of its path.
func (s Spec) paths(routes []route) map[string]map[string]operation {
	if len(s.Origins) > 0 {
		routes = append(routes, s.preflights(routes)...)
	}
	paths := map[string]map[string]operation{}
	ids := operationIDs(routes)
	for i, r := range routes {
		if paths[r.path] == nil {
			paths[r.path] = map[string]operation{}
		}
		op := operation{
			OperationID: ids[i],
			Parameters:  parameters(r),
			RequestBody: r.requestBody(),
			Responses:   map[string]response{"200": {Description: "The target's answer."}},
			Integration: r.Integration,
		}
		if r.method == preflightMethod {
			op.Responses = s.preflightResponses()
		} else {
			op.Security = security(r.Route)
		}
		if r.validated() {
			op.Validator = validatorName
		}
		paths[r.path][strings.ToLower(r.method)] = op
	}
	return paths
}

func parameters(r route) []parameter {
	var out []parameter
	for _, name := range r.params {
		out = append(out, parameter{Name: name, In: "path", Required: true, Schema: schema{"string"}})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		p := r.Query[name]
		out = append(out, parameter{Name: name, In: "query", Required: p.Required, Description: p.Description, Schema: schema{"string"}})
	}
	return out
}

// security turns a route's rule into OpenAPI's terms. A route with no security is
// open, so only a public one has none. An API key stands in a requirement of its
// own: API Gateway writes a method that asks for both so when it exports it, and
// so does AWS SAM. To OpenAPI these would be alternatives; API Gateway has none.
func security(r Route) []map[string][]string {
	var asks []map[string][]string
	switch {
	case r.Access.Kind == access.KindPublic:
		return nil
	case r.Access.Kind == access.KindScopes && !NeedsAuthorizer(r.Access):
		asks = append(asks, map[string][]string{schemeUserPool: slices.Clone(r.Access.Scopes)})
	default:
		asks = append(asks, map[string][]string{schemeLambda: {}})
	}
	if r.APIKeyRequired {
		asks = append(asks, map[string][]string{schemeAPIKey: {}})
	}
	return asks
}

// NeedsAuthorizer reports whether a Lambda authorizer decides about a rule: the
// one of the user pools tells scopes apart, and nothing else.
func NeedsAuthorizer(rule access.Rule) bool {
	return rule.Kind == access.KindKey || rule.Kind == access.KindAnyOf || rule.Kind == access.KindScopes && len(rule.Clients) > 0
}

func (s Spec) components(models map[string]json.RawMessage) *components {
	schemes := map[string]securityScheme{}
	for _, r := range s.Routes {
		if r.APIKeyRequired {
			schemes[schemeAPIKey] = securityScheme{Type: "apiKey", Name: keyHeader, In: "header"}
		}
		switch {
		case r.Access.Kind == access.KindPublic:
		case NeedsAuthorizer(r.Access):
			schemes[schemeLambda] = bearer("custom", s.lambdaAuthorizer())
		default:
			schemes[schemeUserPool] = bearer("cognito_user_pools", authorizer{
				Type:         "cognito_user_pools",
				ProviderARNs: slices.Clone(s.UserPools),
			})
		}
	}
	if len(schemes) == 0 && len(models) == 0 {
		return nil
	}
	return &components{Schemas: models, SecuritySchemes: schemes}
}

// keyHeader holds one of API Gateway's keys. A scheme of that name without an
// authorizer makes a method ask for one ("Configure a method to use API keys with
// an OpenAPI definition").
const keyHeader = "x-api-key"

// bearer is a scheme whose credential comes in the Authorization header.
func bearer(authType string, a authorizer) securityScheme {
	return securityScheme{Type: "apiKey", Name: "Authorization", In: "header", AuthType: authType, Authorizer: &a}
}

// lambdaAuthorizer is asked about each request anew, so that a revocation bites
// and an answer about one route never counts for another. Without the header it
// is not asked: API Gateway answers 401 itself ("x-amazon-apigateway-authorizer
// object"; "Use API Gateway Lambda authorizers"). Where a key may come in another
// header, it is always asked, because all identity sources must be there.
func (s Spec) lambdaAuthorizer() authorizer {
	a := authorizer{Type: "request", URI: s.AuthorizerURI, TTL: new(int)}
	if !s.KeyHeader {
		a.IdentitySource = "method.request.header.Authorization"
	}
	return a
}

// takes reports whether some route takes callers of a kind.
func (s Spec) takes(kind access.Kind) bool {
	for _, r := range s.Routes {
		for _, rule := range r.Access.Alternatives() {
			if rule.Kind == kind {
				return true
			}
		}
	}
	return false
}

// operationIDs names each route in camel case: getV1NotesId. Where two routes
// would share a name, both get a suffix made from their pattern, so that a
// name never depends on the order of routes.
func operationIDs(routes []route) []string {
	ids := make([]string, len(routes))
	count := map[string]int{}
	for i, r := range routes {
		ids[i] = camelCase(r.method, r.path)
		count[ids[i]]++
	}
	for i, r := range routes {
		if count[ids[i]] > 1 {
			sum := fnv.New32a()
			_, _ = sum.Write([]byte(r.pattern))
			ids[i] = fmt.Sprintf("%s%08x", ids[i], sum.Sum32())
		}
	}
	return ids
}

var words = regexp.MustCompile(`[a-zA-Z0-9]+`)

func camelCase(method, path string) string {
	id := strings.ToLower(method)
	for _, word := range words.FindAllString(path, -1) {
		id += strings.ToUpper(word[:1]) + word[1:]
	}
	return id
}
