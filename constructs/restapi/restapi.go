// Package restapi declares a REST API on Amazon API Gateway from its routes,
// each with the rule that says who may call it and the target that answers.
//
//	restapi.New(stack, "API", restapi.Props{
//		UserPools: []*userpool.UserPool{users},
//		Origins:   []string{"https://shop.example.com"},
//		Routes: restapi.Routes{
//			"GET /status": {Access: access.Public("health check"), Target: orders},
//			"GET /orders": {Access: access.Scopes("orders/read"), Target: orders},
//		},
//	})
//
// A route without a rule, an unknown scope or two paths that conflict are
// errors that name the route. The whole API is one OpenAPI body, so it stays
// within CloudFormation's limits at any number of routes, and every change of
// it is deployed.
package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
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
	Routes Routes
	// UserPools are the pools whose access tokens the API takes. Default:
	// none; then a route with access.Scopes is an error.
	UserPools []*userpool.UserPool
	// Origins are the web origins whose pages may call the API, as browsers
	// send them: "https://shop.example.com". At most one so far. Default:
	// none; then browsers refuse to show any page an answer.
	Origins []string
	// StageName is API Gateway's name for what is deployed: the first part of
	// the path below the execute-api host, 1 to 128 letters, digits, hyphens
	// and underscores. Default: "live".
	StageName string
	// RateLimit is how many requests a second the whole stage takes, steadily;
	// more are answered 429. API Gateway applies it as a target, not as an
	// exact bound. Default: 100. Negative is an error.
	RateLimit float64
	// BurstLimit is how many requests may come at once beyond the rate.
	// Default: 200. Negative is an error.
	BurstLimit int
}

// Routes holds routes by pattern: "GET /orders/{id}". A pattern is a method, a
// space and a path; {id} stands for one part of a path and {rest+} for all
// that remain.
type Routes map[string]Route

// Route says who may call and what answers.
type Route struct {
	Access access.Rule
	Target Target
}

// RestAPI is a deployed REST API.
type RestAPI struct {
	// API and Stage are the CDK's objects.
	API   awsapigateway.SpecRestApi
	Stage awsapigateway.Stage
}

// New declares the API. It panics with an error that names the construct and
// holds every problem of every route where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *RestAPI {
	this := constructs.NewConstruct(scope, jsii.String(id))
	p = p.withDefaults()
	name := *awscdk.Stack_Of(this).StackName() + "-" + id
	body, err := p.body(name)
	if err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	api := awsapigateway.NewSpecRestApi(this, jsii.String("API"), &awsapigateway.SpecRestApiProps{
		ApiDefinition: awsapigateway.ApiDefinition_FromInline(body),
		// One role per account and Region writes API Gateway's logs; an API
		// must not replace it as a side effect.
		CloudWatchRole: jsii.Bool(false),
		DeployOptions: &awsapigateway.StageOptions{
			StageName:            jsii.String(p.StageName),
			ThrottlingRateLimit:  jsii.Number(p.RateLimit),
			ThrottlingBurstLimit: jsii.Number(p.BurstLimit),
		},
		EndpointTypes:  &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		FailOnWarnings: jsii.Bool(true),
		RestApiName:    jsii.String(name),
	})
	api.LatestDeployment().AddToLogicalId(awscdk.Lazy_Any(createOnly(p), nil))
	if reasons := p.publicReasons(); len(reasons) > 0 {
		resource := api.Node().DefaultChild().(awsapigateway.CfnRestApi)
		resource.AddMetadata(jsii.String(MetadataKey), reasons)
	}
	arn := *api.ArnForExecuteApi(jsii.String("*"), jsii.String("/*"), jsii.String(p.StageName))
	for _, target := range p.targets() {
		target.AllowInvoke(this, arn)
	}
	return &RestAPI{API: api, Stage: api.DeploymentStage()}
}

// body writes the OpenAPI document as the CDK takes it.
func (p Props) body(title string) (map[string]any, error) {
	spec := apispec.Spec{Title: title, Routes: map[string]apispec.Route{}, Origins: p.Origins}
	for _, pool := range p.UserPools {
		if pool == nil {
			continue // validate reports it
		}
		spec.UserPools = append(spec.UserPools, pool.ARN())
		spec.Scopes = append(spec.Scopes, pool.Scopes()...)
	}
	for pattern, route := range p.Routes {
		r := apispec.Route{Access: route.Access}
		if route.Target != nil {
			r.Integration = route.Target.Integration()
		}
		spec.Routes[pattern] = r
	}
	document, err := spec.Document()
	if err := errors.Join(p.validate(), err); err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(document, &body); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document back: %w", err)
	}
	return body, nil
}

func (p Props) withDefaults() Props {
	p.Routes, p.UserPools = maps.Clone(p.Routes), slices.Clone(p.UserPools)
	if p.StageName == "" {
		p.StageName = DefaultStageName
	}
	if p.RateLimit == 0 {
		p.RateLimit = DefaultRateLimit
	}
	if p.BurstLimit == 0 {
		p.BurstLimit = DefaultBurstLimit
	}
	return p
}

var stagePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

func (p Props) validate() error {
	var problems []error
	for i, pool := range p.UserPools {
		if pool == nil {
			problems = append(problems, fmt.Errorf("UserPools[%d] is nil", i))
		}
	}
	if !stagePattern.MatchString(p.StageName) {
		problems = append(problems, fmt.Errorf("StageName is %q; 1 to 128 letters, digits, hyphens and underscores", p.StageName))
	}
	if p.RateLimit < 0 {
		problems = append(problems, fmt.Errorf("RateLimit is %g requests a second; it cannot be negative", p.RateLimit))
	}
	if p.BurstLimit < 0 {
		problems = append(problems, fmt.Errorf("BurstLimit is %d requests; it cannot be negative", p.BurstLimit))
	}
	return errors.Join(problems...)
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
