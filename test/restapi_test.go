package test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
)

// A target needs nothing of restapi.
var _ restapi.Target = (*gofunction.Function)(nil)

// shop is a stack with an API and what its routes need.
type shop struct {
	users  *userpool.UserPool
	orders *gofunction.Function
	props  restapi.Props
}

func newShop(stack awscdk.Stack) *shop {
	s := &shop{
		users:  userpool.New(stack, "Users", users()),
		orders: gofunction.New(stack, "Orders", gofunction.Props{Package: statusPackage}),
	}
	s.props = restapi.Props{
		UserPools: []*userpool.UserPool{s.users},
		Origins:   []string{"https://shop.example.com"},
		Routes: restapi.Routes{
			"GET /status":      {Access: access.Public("health check"), Target: s.orders},
			"GET /orders":      {Access: access.Scopes("orders/read"), Target: s.orders},
			"POST /orders":     {Access: access.Scopes("orders/write"), Target: s.orders},
			"GET /orders/{id}": {Access: access.Scopes("orders/read", "orders/write"), Target: s.orders},
		},
	}
	return s
}

func declareShop(change func(*shop)) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		s := newShop(stack)
		change(s)
		restapi.New(stack, "API", s.props)
	}
}

func unchanged(*shop) {}

func TestRestAPI(t *testing.T) {
	template := declare(t, declareShop(unchanged))
	api := only(t, template, "AWS::ApiGateway::RestApi")
	if got := text(t, api["EndpointConfiguration"]); got != `{"Types":["REGIONAL"]}` {
		t.Errorf("the endpoint is %s", got)
	}
	if api["FailOnWarnings"] != true {
		t.Error("the definition is imported with warnings")
	}
	// One logging role per account and Region: never a side effect of an API.
	if n := len(ofType(template, "AWS::ApiGateway::Account")); n != 0 {
		t.Errorf("%d API Gateway accounts", n)
	}
	if got := text(t, only(t, template, "AWS::ApiGateway::Stage")["MethodSettings"]); !strings.Contains(got, `"ThrottlingBurstLimit":200,"ThrottlingRateLimit":100`) {
		t.Errorf("the stage's throttle is %s", got)
	}
	// Four routes, one function, one permission, for this API and stage.
	permission := only(t, template, "AWS::Lambda::Permission")
	if got := text(t, permission["SourceArn"]); !strings.HasSuffix(got, `"/live/*/*"]]}`) || !strings.Contains(got, ":execute-api:") {
		t.Errorf("the function may be invoked for %s", got)
	}
	paths := api["Body"].(object)["paths"].(object)
	for path, item := range paths {
		for method, op := range item.(object) {
			_, protected := op.(object)["security"]
			if open := method == "options" || path == "/status"; protected == open {
				t.Errorf("%s %s: protected is %v", method, path, protected)
			}
		}
	}
}

// The authorizer takes the tokens of every pool that the API names.
func TestRestAPITakesTokensOfEachPool(t *testing.T) {
	template := declare(t, declareShop(func(s *shop) {
		staff := userpool.New(awscdk.Stack_Of(s.users.Pool), "Staff", users())
		s.props.UserPools = append(s.props.UserPools, staff)
	}))
	schemes := document(t, template)["components"].(object)["securitySchemes"].(object)
	got := text(t, schemes["UserPool"].(object)["x-amazon-apigateway-authorizer"].(object)["providerARNs"])
	if want := `[{"Fn::GetAtt":["UsersPoolBFC35D3B","Arn"]},{"Fn::GetAtt":["StaffPool8CA90F24","Arn"]}]`; got != want {
		t.Errorf("the authorizer takes tokens of %s, want those of %s", got, want)
	}
}

func deployment(t *testing.T, template object) string {
	t.Helper()
	ids := slices.Collect(maps.Keys(ofType(template, "AWS::ApiGateway::Deployment")))
	if len(ids) != 1 {
		t.Fatalf("deployments %v, want one", ids)
	}
	return ids[0]
}

// Every change of what callers see makes a new deployment; nothing else does.
func TestRestAPIDeploysEveryChange(t *testing.T) {
	before := deployment(t, declare(t, declareShop(unchanged)))
	if again := deployment(t, declare(t, declareShop(unchanged))); again != before {
		t.Errorf("the same API is deployed as %s and %s", before, again)
	}
	resource := func(s *shop) awscognito.CfnUserPool {
		return s.users.Pool.Node().DefaultChild().(awscognito.CfnUserPool)
	}
	for name, change := range map[string]func(*shop){
		"a route more": func(s *shop) {
			s.props.Routes["PUT /orders"] = restapi.Route{Access: access.Scopes("orders/write"), Target: s.orders}
		},
		"another scope": func(s *shop) {
			s.props.Routes["GET /orders"] = restapi.Route{Access: access.Scopes("orders/write"), Target: s.orders}
		},
		"a gateway response": func(s *shop) { s.props.Origins = []string{"https://www.example.com"} },
		"a pool replaced":    func(s *shop) { resource(s).SetUsernameAttributes(jsii.Strings("phone_number")) },
		"a function replaced": func(s *shop) {
			s.orders.Function.Node().DefaultChild().(awslambda.CfnFunction).SetFunctionName(jsii.String("orders"))
		},
	} {
		if deployment(t, declare(t, declareShop(change))) == before {
			t.Errorf("%s is not deployed", name)
		}
	}
	for name, change := range map[string]func(*shop){
		"a function's memory": func(s *shop) {
			s.orders.Function.Node().DefaultChild().(awslambda.CfnFunction).SetMemorySize(jsii.Number(512))
		},
		"a pool's password policy": func(s *shop) { resource(s).SetUserPoolName(jsii.String("customers")) },
	} {
		if deployment(t, declare(t, declareShop(change))) != before {
			t.Errorf("%s deploys the API anew", name)
		}
	}
}

// An escape hatch that replaces a pool after the API was declared still counts.
func TestRestAPIDeploysLateReplacement(t *testing.T) {
	template := func(late bool) object {
		return declare(t, func(stack awscdk.Stack) {
			s := newShop(stack)
			restapi.New(stack, "API", s.props)
			if late {
				s.users.Pool.Node().DefaultChild().(awscognito.CfnUserPool).SetUsernameAttributes(jsii.Strings("phone_number"))
			}
		})
	}
	if deployment(t, template(false)) == deployment(t, template(true)) {
		t.Error("the pool is replaced and the API is not deployed")
	}
}

func TestRestAPIProblems(t *testing.T) {
	route := func(pattern string, rule access.Rule) func(*shop) {
		return func(s *shop) { s.props.Routes[pattern] = restapi.Route{Access: rule, Target: s.orders} }
	}
	tests := []struct {
		name   string
		change func(*shop)
		want   string
	}{
		{"no rule", route("GET /x", access.Rule{}), `Shop/API: GET /x: no access rule; write access.Public("why") if anyone may call it`},
		{"no target", func(s *shop) { s.props.Routes["GET /x"] = restapi.Route{Access: access.Public("test")} }, "GET /x: no target"},
		{"unknown scope", route("GET /x", access.Scopes("orders/erase")), `GET /x: unknown scope "orders/erase"`},
		{"no user pool", func(s *shop) { s.props.UserPools = nil }, "GET /orders: asks for a scope, but the API has no user pool"},
		{"nil user pool", func(s *shop) { s.props.UserPools = append(s.props.UserPools, nil) }, "UserPools[1] is nil"},
		{"no routes", func(s *shop) { s.props.Routes = nil }, "the API has no routes"},
		{"reserved path", route("GET /ping", access.Public("test")), "API Gateway reserves the path /ping"},
		{"malformed stage name", func(s *shop) { s.props.StageName = "v1/beta" }, `StageName is "v1/beta"`},
		{"negative rate", func(s *shop) { s.props.RateLimit = -1 }, "RateLimit is -1 requests a second"},
		{"negative burst", func(s *shop) { s.props.BurstLimit = -1 }, "BurstLimit is -1 requests"},
		{"malformed origin", func(s *shop) { s.props.Origins = []string{"*"} }, `origin "*" has a wildcard`},
		{"every problem at once", func(s *shop) {
			route("GET /x", access.Rule{})(s)
			s.props.RateLimit = -1
		}, "RateLimit is -1 requests a second; it cannot be negative\nGET /x: no access rule"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareShop(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}

// Props are read, never written, and not read again when the app is synthesized.
func TestRestAPIKeepsItsOwnProps(t *testing.T) {
	template := func(late bool) object {
		return declare(t, func(stack awscdk.Stack) {
			s := newShop(stack)
			p := &s.props
			p.AllowHeaders, p.Tags = []string{"X-Request-Id"}, map[string]string{"team": "shop"}
			scopes, query, body := []string{"orders/write"}, restapi.Query{"coupon": {}}, order()
			p.Routes["POST /orders"] = restapi.Route{Access: access.Rule{Kind: access.KindScopes, Scopes: scopes}, Target: s.orders, Query: query, Body: body}
			restapi.New(stack, "API", *p)
			if p.StageName != "" || len(p.Routes) != 4 {
				t.Errorf("the construct changed its caller's props to %+v", *p)
			}
			if late {
				clear(p.Routes)
				p.UserPools[0] = nil
				p.Origins[0], p.AllowHeaders[0], p.Tags["team"] = "https://www.example.com", "X-Other", "office"
				scopes[0], query["other"] = "orders/read", restapi.Parameter{Required: true}
				body.Schema["properties"].(map[string]any)["article"].(map[string]any)["maxLength"] = 1
				delete(body.Schema, "required")
			}
		})
	}
	if before, after := template(false), template(true); text(t, before) != text(t, after) {
		t.Error("what the caller changed later counts")
	}
}
