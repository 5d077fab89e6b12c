// Package assembly reads a CDK cloud assembly (cdk.out) and resolves it into a
// model of what a stage deploys: its APIs with every route and authorizer, its
// user pools and clients, its functions and who may invoke them.
//
// Everything that Gatewright serves, reports or audits comes from this model
// and from nothing else, so none of it can agree with a declaration that the
// template does not carry.
package assembly

import (
	"encoding/json"
	"time"
)

// Model is what one stage deploys, with every reference resolved.
type Model struct {
	Stage   string // CDK Stage id, or the stack's id where there is no Stage
	Region  string // "us-east-1" where the app leaves it open
	Account string // "000000000000" where the app leaves it open

	RestAPIs    []*RestAPI
	UserPools   []*UserPool
	Functions   []*Function
	Permissions []Permission
	Tables      []*Table // by stack and logical id

	// Outputs holds the resolved stack outputs, by stack id and output name.
	Outputs map[string]map[string]string
}

// Place says where in the app a thing is declared.
type Place struct {
	Stack     string // stack id, unique within the model
	LogicalID string // CloudFormation logical id
	Path      string // construct path ("dev/Api/API/Resource"), or stack and logical id
}

// RestAPI is an AWS::ApiGateway::RestApi and what hangs on it.
type RestAPI struct {
	Place
	ID   string
	Name string

	Stages           []APIStage
	Routes           []Route                    // by path, then method
	GatewayResponses map[string]GatewayResponse // by response type, e.g. "UNAUTHORIZED"
	BinaryMediaTypes []string

	// ExecuteAPIDisabled is set where the execute-api host answers 403.
	ExecuteAPIDisabled bool

	// Compression says which answers are compressed; nil for none.
	Compression *Compression

	// Domains are the ways to it through custom domains, by name and base path.
	Domains []Domain
}

// Compression of answers for clients that accept it.
type Compression struct {
	MinimumBytes int // of a body, 0 for any
}

// Domain is an AWS::ApiGateway::BasePathMapping of an AWS::ApiGateway::DomainName.
type Domain struct {
	Name     string // "api.example.com"
	BasePath string // "v1", without slashes; empty where the domain's root is the API's
	Stage    string // name of the API's stage
}

// APIStage is an AWS::ApiGateway::Stage.
type APIStage struct {
	Place
	Name      string
	Variables map[string]string

	// Throttle bounds each method that has no throttle of its own, for itself;
	// nil leaves the account's.
	Throttle *Throttle
	// AccessLog says where and how requests are logged; nil for nowhere.
	AccessLog *AccessLog
	// Tracing is set where AWS X-Ray samples requests.
	Tracing bool
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
	Method        string // upper case; "ANY" stands for every method that has no route of its own
	Path          string // "/v1/notes/{id}", "/files/{proxy+}"
	ResourceID    string // id of the path's node, as requestContext.resourceId shows it
	OperationName string // OpenAPI operationId; may be empty
	Authorization Authorization
	Integration   Integration
	PublicReason  string // why anyone may call it, from Metadata; never decides anything

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
	// Throttle bounds the method on its own; nil leaves the stage's.
	Throttle *Throttle
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
}

// Authorizer is an API Gateway authorizer.
type Authorizer struct {
	Name         string
	Type         string   // "COGNITO_USER_POOLS", "TOKEN" or "REQUEST"
	ProviderARNs []string // user pools, for COGNITO_USER_POOLS
	Header       string   // the header that carries the token; "Authorization" by default
}

// Integration types.
const (
	IntegrationLambdaProxy = "AWS_PROXY"
	IntegrationMock        = "MOCK"
)

// Integration is what answers a route.
type Integration struct {
	Type                string // "AWS_PROXY", "MOCK", or one that is not served
	FunctionARN         string // for AWS_PROXY
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

// UserPool is an AWS::Cognito::UserPool, its domain, resource servers and clients.
type UserPool struct {
	Place
	ID     string // "eu-west-1_AbCdEfGhI"
	ARN    string
	Name   string
	Issuer string // what its tokens carry as iss

	DomainPrefix    string // empty without a domain
	ResourceServers []ResourceServer
	Clients         []UserPoolClient

	// PreTokenFunctionARN is what changes users' tokens before they are signed,
	// by an event of version 2; machines' tokens stay as they are. Empty for none.
	PreTokenFunctionARN string
}

// ResourceServer is an AWS::Cognito::UserPoolResourceServer.
type ResourceServer struct {
	Place
	Identifier string
	Scopes     []string // full names: "notes/read"
}

// UserPoolClient is an AWS::Cognito::UserPoolClient.
type UserPoolClient struct {
	Place
	ID        string
	Name      string
	HasSecret bool

	OAuth     bool     // AllowedOAuthFlowsUserPoolClient
	Flows     []string // "client_credentials", "code", "implicit"
	Scopes    []string // full names
	Callbacks []string
	Logouts   []string

	// RotatesRefreshTokens is set where each refresh token works once.
	RotatesRefreshTokens bool

	AccessTokenLifetime  time.Duration // one hour by default
	IDTokenLifetime      time.Duration // one hour by default
	RefreshTokenLifetime time.Duration // 30 days by default
}

// Function is an AWS::Lambda::Function.
type Function struct {
	Place
	Name         string
	ARN          string
	RoleARN      string
	Runtime      string // "provided.al2023"
	Handler      string
	Architecture string // "arm64" or "x86_64"
	MemoryMB     int    // 128 by default
	Timeout      time.Duration
	Environment  map[string]string

	// ReservedConcurrency bounds how many events run at once; -1 where unset.
	ReservedConcurrency int

	// Source is where to build it from; nil for a function without our metadata.
	Source *FunctionSource

	// CodeDir is the asset folder with its code; empty where the assembly has none.
	CodeDir string
}

// FunctionSource names a Go main package, independent of any machine.
type FunctionSource struct {
	Module  string // "github.com/gatewright/gatewright"
	Version string // module version; empty for the app's own module
	Package string // import path
}

// Permission is an AWS::Lambda::Permission.
type Permission struct {
	Place
	FunctionARN string
	Action      string
	Principal   string
	SourceARN   string // may hold * and ?; empty for any source
}
