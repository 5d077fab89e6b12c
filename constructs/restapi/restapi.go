// Package restapi declares a REST API on Amazon API Gateway from its routes,
// each with the rule that says who may call it and the target that answers.
//
//	restapi.New(stack, "API", restapi.Props{
//		UserPools: []*userpool.UserPool{users},
//		Customers: customers.New(stack, "Customers", customers.Props{}),
//		Origins:   []string{"https://shop.example.com"},
//		Routes: restapi.Routes{
//			"GET /status": {Access: access.Public("health check"), Target: orders},
//			"GET /orders": {Access: access.Scopes("orders/read"), Target: orders},
//			"PUT /orders": {Access: access.Scopes("orders/write").From("website"), Target: orders},
//			"GET /report": {Access: access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")), Target: orders},
//		},
//	})
//
// A route without a rule, an unknown scope, two paths that conflict or a model
// that API Gateway would not apply are errors that name the route. The whole
// API is one OpenAPI body, so it stays within CloudFormation's limits at any
// number of routes, and every change of it is deployed.
package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/apispec"
)

// MetadataKey is where an API's template says why its public routes are
// public, by route.
const MetadataKey = "gatewright:public"

// Defaults of [Props].
const (
	DefaultStageName  = "live"
	DefaultRateLimit  = 100
	DefaultBurstLimit = 200
)

// Props describes an API.
type Props struct {
	// Routes are the API's routes by pattern. At least one.
	//
	// Where a rule names clients, access.Scopes(…).From(…), takes keys, access.Key,
	// or several kinds of caller, access.AnyOf, a function of this module decides
	// about its route as a Lambda authorizer; it is built with the app. A client
	// that no pool has, one that may ask for none of the rule's scopes, and keys
	// without Customers are errors.
	Routes Routes
	// UserPools are the pools whose access tokens the API takes. Default:
	// none; then a route with access.Scopes is an error. A nil pool is an error.
	// A name of a client that several pools have stands for each of them.
	UserPools []*userpool.UserPool
	// Customers are whose static keys the API takes, as a bearer token and as HTTP
	// Basic. Default: none; then a route with access.Key is an error. Customers
	// that no route takes a key of are an error, too.
	Customers *customers.Customers
	// KeyHeader lets customers send their keys in x-api-key, too. The Lambda
	// authorizer is then asked about each request, also about one without any
	// credential, at its price. Default: false. Without a route that takes keys it
	// is an error.
	KeyHeader bool
	// AuthorizerConcurrency is how many requests the Lambda authorizer may decide
	// about at once, as gofunction's ReservedConcurrency; more are answered 500.
	// Default: 0, no bound of its own. Negative, or any without a route that it
	// decides about, is an error.
	AuthorizerConcurrency int
	// Name is the API's name in the console and in reports; it need not be
	// unique. Default: the stack's name, a hyphen and the construct's id.
	Name string
	// Description says what the API is for. Default: none.
	Description string
	// Tags are put on the API, its stage and its log, at most 50. Default:
	// none. A key or value that AWS would refuse is an error.
	Tags map[string]string

	// Origins are the web origins whose pages may call the API, as browsers
	// send them: "https://shop.example.com". Default: none; then browsers
	// refuse to show any page an answer. A wildcard, or a spelling that no
	// browser sends, is an error.
	//
	// Preflights and API Gateway's own errors carry the CORS headers; a
	// function puts them on its answers with caller.CORS. With several
	// origins any page may read API Gateway's own errors, because a gateway
	// response cannot choose among them. No answer ever allows credentials:
	// tokens travel in Authorization, not in cookies.
	Origins []string
	// AllowHeaders are the request headers that those pages may send beside
	// Authorization, Content-Type, If-Match and If-None-Match. Default: none.
	// A wildcard, a name twice, or any without Origins is an error.
	AllowHeaders []string

	// Domain is the custom domain that the API answers on. The execute-api host
	// is then switched off and answers 403 to everything, because whatever
	// hangs on the domain would be bypassed there. Default: none; then the API
	// answers on the execute-api host, below the stage's name.
	Domain *customdomain.Domain
	// BasePath is the first part of the path on the domain, by which several
	// APIs share it: one part, without slashes, at most 300 letters, digits
	// and $ - _ . + ! * ' ( ). Default: none; then the API has the whole
	// domain. One that is taken, and one without a Domain, is an error.
	BasePath string

	// StageName is API Gateway's name for what is deployed: the first part of
	// the path below the execute-api host, 1 to 128 letters, digits, hyphens
	// and underscores. Another is an error. Default: "live".
	StageName string
	// RateLimit is how many requests a second each route takes, steadily,
	// unless it has a Throttle of its own; more are answered 429. API Gateway
	// applies it to each method of the stage, as a target and not as an exact
	// bound ("Throttle requests to your REST APIs for better throughput").
	// Default: 100. Negative is an error.
	RateLimit float64
	// BurstLimit is how many requests may come to a route at once beyond the
	// rate; more are answered 429. Default: 200. Negative is an error.
	BurstLimit int
	// AccessLog describes the log of requests. Default: on, kept for one
	// month; the deployment fails where the account has no logging role.
	AccessLog AccessLog
	// Tracing sends a trace of sampled requests to AWS X-Ray, with their URL,
	// address and user agent, at X-Ray's price. Default: false.
	Tracing bool
	// MinCompressionBytes is the size in bytes from which answers are
	// compressed for clients that accept it, and compressed bodies are
	// understood: 1 to 10,485,760. Negative or more is an error. Default: 0, no
	// compression. No binary media type is declared for it: "*/*" would break
	// the preflights.
	MinCompressionBytes int
}

// RestAPI is a deployed REST API.
type RestAPI struct {
	// API, Stage and AccessLog are the CDK's objects. AccessLog is nil where
	// it is off.
	API       awsapigateway.SpecRestApi
	Stage     awsapigateway.Stage
	AccessLog awslogs.LogGroup
	// Authorizer is the Lambda authorizer; nil where no rule needs one.
	Authorizer *gofunction.Function

	url            string
	customers      *customers.Customers // nil for none
	keyScopes      []string
	keyHeader      bool
	requiresAPIKey bool
}

// CustomerTable describes to the gatewright command where the API's customers are,
// what their keys look like, which scopes some route takes of a key, and whether
// keys may come in x-api-key: "customerTable" of the stack output "Gatewright". It
// is nil for an API without customers, and holds no secret.
func (a *RestAPI) CustomerTable() map[string]any {
	if a.customers == nil {
		return nil
	}
	return map[string]any{
		"name": *a.customers.Table.TableName(), "prefix": a.customers.KeyPrefix, "tag": a.customers.StageTag,
		"scopes": slices.Clone(a.keyScopes), "keyHeader": a.keyHeader,
	}
}

// RequiresAPIKey reports whether a route asks for one of API Gateway's keys.
func (a *RestAPI) RequiresAPIKey() bool { return a.requiresAPIKey }

// New declares the API. It panics with an error that names the construct and
// holds every problem of every route where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *RestAPI {
	this := constructs.NewConstruct(scope, jsii.String(id))
	p = p.withDefaults()
	if p.Name == "" {
		p.Name = *awscdk.Stack_Of(this).StackName() + "-" + id
	}
	body, authorizer, err := p.body(this)
	if err := errors.Join(p.reserve(this), err); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	log := p.declareAccessLog(this)
	api := awsapigateway.NewSpecRestApi(this, jsii.String("API"), &awsapigateway.SpecRestApiProps{
		ApiDefinition: awsapigateway.ApiDefinition_FromInline(body),
		// One role per account and Region writes API Gateway's logs; an API
		// must not replace it as a side effect.
		CloudWatchRole:            jsii.Bool(false),
		DeployOptions:             p.stageOptions(log),
		DisableExecuteApiEndpoint: p.executeAPIDisabled(),
		EndpointTypes:             &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		FailOnWarnings:            jsii.Bool(true),
		MinCompressionSize:        p.minCompression(),
		RestApiName:               jsii.String(p.Name),
	})
	api.LatestDeployment().AddToLogicalId(awscdk.Lazy_Any(createOnly(p, authorizer), nil))
	p.describe(this, api.Node().DefaultChild().(awsapigateway.CfnRestApi))
	arn := *api.ArnForExecuteApi(jsii.String("*"), jsii.String("/*"), jsii.String(p.StageName))
	for _, target := range p.targets() {
		target.AllowInvoke(this, arn)
	}
	a := &RestAPI{
		API: api, Stage: api.DeploymentStage(), AccessLog: log,
		customers: p.Customers, keyScopes: p.keyScopes(), keyHeader: p.KeyHeader, requiresAPIKey: p.requiresAPIKey(),
	}
	if authorizer != nil {
		authorizer.allowInvoke(this, api)
		a.Authorizer = authorizer.function
	}
	a.mapDomain(this, p)
	return a
}

// body writes the OpenAPI document as the CDK takes it. It declares the Lambda
// authorizer where a rule needs it and nothing is wrong; else that is nil.
func (p Props) body(this constructs.Construct) (map[string]any, *authorizer, error) {
	spec := p.spec()
	var decides *authorizer
	if p.needsAuthorizer() {
		spec.AuthorizerURI = "not known before it is declared"
		if err := errors.Join(p.validate(), spec.Validate()); err != nil {
			return nil, nil, err
		}
		declared, err := p.declareAuthorizer(this)
		if err != nil {
			return nil, nil, err
		}
		decides, spec.AuthorizerURI = declared, declared.uri()
	}
	document, err := spec.Document()
	if err := errors.Join(p.validate(), err); err != nil {
		return nil, nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(document, &body); err != nil {
		return nil, nil, fmt.Errorf("read the OpenAPI document back: %w", err)
	}
	return body, decides, nil
}

func (p Props) spec() apispec.Spec {
	spec := apispec.Spec{
		Title:       p.Name,
		Description: p.Description,
		Routes:      map[string]apispec.Route{},
		Origins:     p.Origins,
		Headers:     p.AllowHeaders,
		Clients:     p.clientScopes(),
		KeyHeader:   p.KeyHeader,
	}
	if p.Customers != nil {
		spec.Customers, spec.KeyScopes = true, p.Customers.Scopes()
	}
	for _, pool := range p.UserPools {
		if pool == nil {
			continue // validate reports it
		}
		spec.UserPools = append(spec.UserPools, pool.ARN())
		spec.Scopes = append(spec.Scopes, pool.Scopes()...)
	}
	integrations := map[Target]map[string]any{}
	for _, target := range p.targets() {
		if target != nil {
			integrations[target] = target.Integration()
		}
	}
	for pattern, route := range p.Routes {
		spec.Routes[pattern] = route.spec(integrations[route.Target])
	}
	return spec
}

func (p Props) minCompression() awscdk.Size {
	if p.MinCompressionBytes == 0 {
		return nil
	}
	return awscdk.Size_Bytes(jsii.Number(p.MinCompressionBytes))
}

// describe adds what is said about the API and decides nothing.
func (p Props) describe(this constructs.Construct, resource awsapigateway.CfnRestApi) {
	if p.Description != "" {
		resource.SetDescription(jsii.String(p.Description))
	}
	if reasons := p.publicReasons(); len(reasons) > 0 {
		resource.AddMetadata(jsii.String(MetadataKey), reasons)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		awscdk.Tags_Of(this).Add(jsii.String(key), jsii.String(p.Tags[key]), nil)
	}
}

func (p Props) publicReasons() map[string]string {
	reasons := map[string]string{}
	for pattern, route := range p.Routes {
		if route.Access.Kind == access.KindPublic {
			reasons[pattern] = route.Access.Reason
		}
	}
	return reasons
}

// requiresAPIKey reports whether a route asks for one of API Gateway's keys.
func (p Props) requiresAPIKey() bool {
	for _, route := range p.Routes {
		if route.APIKeyRequired {
			return true
		}
	}
	return false
}

// targets returns each target once, in the order of the first route that has it.
func (p Props) targets() []Target {
	var targets []Target
	for _, pattern := range slices.Sorted(maps.Keys(p.Routes)) {
		if target := p.Routes[pattern].Target; !slices.Contains(targets, target) {
			targets = append(targets, target)
		}
	}
	return targets
}
