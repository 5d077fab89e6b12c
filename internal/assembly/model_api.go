package assembly

import (
	"encoding/json"
	"time"

	"github.com/gatewright/gatewright/internal/iam"
)

// RestAPI is an AWS::ApiGateway::RestApi and what hangs on it.
type RestAPI struct {
	Place
	ID   string
	Name string

	Region  string // of its stack, which need not be that of the stage's other stacks
	Account string

	Stages           []APIStage
	Routes           []Route                    // by path, then method
	Authorizers      []*Authorizer              // every one declared, by name, whether a route uses it or not
	GatewayResponses map[string]GatewayResponse // by response type, e.g. "UNAUTHORIZED"
	BinaryMediaTypes []string

	EndpointTypes []string        // "EDGE" (the default), "REGIONAL" or "PRIVATE"
	APIKeySource  string          // "HEADER" (the default) or "AUTHORIZER"
	Policy        []iam.Statement // the resource policy; nil for none

	// ExecuteAPIDisabled is set where the execute-api host answers 403.
	ExecuteAPIDisabled bool

	// Compression says which answers are compressed; nil for none.
	Compression *Compression

	// Domains are the ways to it through custom domains, by name and base path.
	Domains []Domain

	// Customers are whose keys Gatewright's own Lambda authorizer takes; nil where
	// it takes none.
	Customers *Customers
}

// Compression of answers for clients that accept it.
type Compression struct {
	MinimumBytes int // of a body, 0 for any
}

// Domain is a way to a stage through a custom domain
// (AWS::ApiGateway::BasePathMapping).
type Domain struct {
	Name     string // "api.example.com"
	BasePath string // "v1", without slashes; empty where the domain's root is the API's
	Stage    string // name of the API's stage
}

// DomainName is an AWS::ApiGateway::DomainName.
type DomainName struct {
	Place
	Name           string // "api.example.com"
	SecurityPolicy string // "TLS_1_0", "TLS_1_2", …; empty where the template has none
	EndpointTypes  []string
	MutualTLS      bool // a truststore says which client certificates are taken
}

// APIStage is an AWS::ApiGateway::Stage, or one that a Deployment makes.
type APIStage struct {
	Place
	Name      string
	Variables map[string]string

	// Default are the settings of every method that has none of its own.
	Default MethodSettings
	// Methods are the settings of single methods, by method and path:
	// "GET /v1/notes"; of an HTTP API, by the route's key.
	Methods map[string]MethodSettings
	// AccessLog says where and how requests are logged; nil for nowhere.
	AccessLog *AccessLog
	// Tracing is set where AWS X-Ray samples requests.
	Tracing bool
}

// MethodSettings is a MethodSetting of a stage.
type MethodSettings struct {
	// Throttle bounds each method for itself; nil leaves the stage's default,
	// or the account's.
	Throttle     *Throttle
	LoggingLevel string // "OFF", "ERROR" or "INFO"; empty where unset
	DataTrace    bool   // whole requests and answers are logged
}

// Settings returns what holds for a route of the API: each setting of its own,
// else the stage's default.
func (s *APIStage) Settings(method, path string) MethodSettings {
	own, ok := s.Methods[method+" "+path]
	if !ok {
		return s.Default
	}
	if own.Throttle == nil {
		own.Throttle = s.Default.Throttle
	}
	if own.LoggingLevel == "" {
		own.LoggingLevel = s.Default.LoggingLevel
	}
	return own
}

// Throttle is a token bucket. With a rate or a burst of 0 it refuses everything.
type Throttle struct {
	Rate  float64 // requests a second
	Burst int     // requests at once
}

// AccessLog is a stage's AccessLogSetting.
type AccessLog struct {
	DestinationARN string // a log group or a delivery stream
	Format         string // one line, with $context variables
}

// Route is one method of one path.
type Route struct {
	Place         Place  // of the AWS::ApiGateway::Method, or of the API whose body it stands in
	Method        string // upper case; "ANY" stands for every method that has no route of its own
	Path          string // "/v1/notes/{id}", "/files/{proxy+}"
	ResourceID    string // id of the path's node, as requestContext.resourceId shows it
	OperationName string // OpenAPI operationId; may be empty
	Authorization Authorization
	// APIKeyRequired is set where a request needs an API key of a usage plan of
	// the stage.
	APIKeyRequired bool
	Integration    Integration
	PublicReason   string // why anyone may call it, from Metadata; never decides anything

	// Validator says what of a request is checked before the integration; nil
	// checks nothing.
	Validator *Validator
	// RequiredParameters are what a request must carry where Validator checks
	// parameters.
	RequiredParameters []Parameter
	// Models hold a JSON Schema (draft-04) for each declared content type, with
	// every reference within the schema itself. They are read where Validator
	// checks bodies.
	Models map[string]json.RawMessage
	// ResponseHeaders are the names of the headers that the method declares for
	// each status; a MOCK integration sends no other.
	ResponseHeaders map[int][]string
}

// Validator is a request validator of an API.
type Validator struct {
	Body       bool
	Parameters bool
}

// Parameter is a required request parameter.
type Parameter struct {
	Name string
	In   string // "query", "header" or "path"
}

// Authorization types as AWS::ApiGateway::Method names them.
const (
	AuthorizationNone    = "NONE"
	AuthorizationCognito = "COGNITO_USER_POOLS"
	AuthorizationIAM     = "AWS_IAM"
	AuthorizationCustom  = "CUSTOM"
)

// Authorization is what a route asks of its caller. Its zero value admits
// nobody: only the type "NONE" is open.
type Authorization struct {
	Type       string
	Scopes     []string    // any one suffices
	Authorizer *Authorizer // set for COGNITO_USER_POOLS and CUSTOM

	// Rules are what Gatewright's own Lambda authorizer asks for; nil where
	// another decides, or its rules are not known. The gateway asks the function.
	Rules *CallerRules
}

// Authorizer types.
const (
	AuthorizerCognito = "COGNITO_USER_POOLS"
	AuthorizerToken   = "TOKEN"
	AuthorizerRequest = "REQUEST"
	AuthorizerJWT     = "JWT" // of HTTP APIs
)

// Authorizer is an API Gateway authorizer.
type Authorizer struct {
	Place               // of the AWS::ApiGateway::Authorizer, or of the API whose body it stands in
	ID           string // of a REST API's; made up where a body declares it
	Name         string
	Type         string   // "COGNITO_USER_POOLS", "TOKEN" or "REQUEST"
	ProviderARNs []string // user pools, for COGNITO_USER_POOLS
	Header       string   // the header that carries the token; "Authorization" by default

	// Of a Lambda authorizer:
	FunctionARN     string
	Credentials     string        // role that API Gateway calls it as; empty where a permission of the function's lets it
	IdentitySources []string      // "method.request.header.Authorization", for REQUEST
	Validation      string        // regular expression that a token must match, for TOKEN; empty for none
	CacheTTL        time.Duration // how long its answers are cached; 0 for never, 5 minutes by default
	CacheReason     string        // why they may be cached, from Metadata; never decides anything

	// Of a JWT authorizer:
	Issuer    string
	Audiences []string // client ids
}

// Integration types.
const (
	IntegrationLambdaProxy = "AWS_PROXY"
	IntegrationAWS         = "AWS"
	IntegrationHTTPProxy   = "HTTP_PROXY"
	IntegrationHTTP        = "HTTP"
	IntegrationMock        = "MOCK"
)

// Integration is what answers a route.
type Integration struct {
	Type                string // one of the above
	FunctionARN         string // where it is a Lambda function
	URI                 string // where it is anything else: an HTTP URL or an action of an AWS service
	Timeout             time.Duration
	PassthroughBehavior string                // "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES" or "NEVER"
	RequestTemplates    map[string]string     // by content type
	Responses           []IntegrationResponse // the one with an empty SelectionPattern is the default
	Unsupported         string                // why it is not served; empty where it is
}

// IntegrationResponse shapes the answer of a MOCK integration.
type IntegrationResponse struct {
	SelectionPattern string // regular expression over the integration's status; empty for the default
	StatusCode       int
	Parameters       map[string]string // "method.response.header.X" → "'static value'"
	Templates        map[string]string // by content type
}

// GatewayResponse customizes an answer that API Gateway makes itself.
type GatewayResponse struct {
	StatusCode int               // 0 keeps the type's own status
	Parameters map[string]string // "gatewayresponse.header.X" → "'static value'" or "method.request.…"
	Templates  map[string]string // by content type; nil keeps the type's own body
}

// APIKey is an AWS::ApiGateway::ApiKey.
type APIKey struct {
	Place
	ID      string
	Name    string
	Value   string // a credential; empty where API Gateway makes it up
	Enabled bool
}

// Quota is how many requests a key has in a period.
type Quota struct {
	Limit  int
	Offset int    // requests that count as made when the first period begins
	Period string // "DAY", "WEEK" or "MONTH"
}

// UsagePlan is an AWS::ApiGateway::UsagePlan with its keys.
type UsagePlan struct {
	Place
	ID       string
	Name     string
	Throttle *Throttle // of each key; nil for none
	Quota    *Quota    // of each key; nil for none
	Stages   []UsagePlanStage
	KeyIDs   []string // of the API keys on the plan
}

// UsagePlanStage is a stage of an API that a plan's keys open.
type UsagePlanStage struct {
	APIID string
	Stage string
	// Throttles of single methods replace the plan's for each key, by method and
	// path: "GET /v1/notes".
	Throttles map[string]Throttle
}

// HTTPAPI is an AWS::ApiGatewayV2::Api of protocol HTTP. It is reported and
// audited, not served.
type HTTPAPI struct {
	Place
	ID                 string
	Name               string
	Region             string // of its stack
	Account            string
	Routes             []HTTPRoute // by key
	Authorizers        []*Authorizer
	Stages             []APIStage
	CORSOrigins        []string
	CORSMethods        []string
	ExecuteAPIDisabled bool
	Domains            []Domain
}

// HTTPRoute is an AWS::ApiGatewayV2::Route.
type HTTPRoute struct {
	Place
	Key               string // "GET /notes/{id}", "ANY /{proxy+}" or "$default"
	AuthorizationType string // "NONE", "AWS_IAM", "JWT" or "CUSTOM"
	Authorizer        *Authorizer
	Scopes            []string // any one suffices
	Integration       Integration
	PublicReason      string // why anyone may call it, from Metadata; never decides anything
}
