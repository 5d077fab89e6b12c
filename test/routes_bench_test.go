package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
)

// BenchmarkRoutes declares and synthesizes APIs of several sizes, ours and the
// CDK's own RestApi, each route protected by a user pool and answered by one
// function. `make bench` reads what it reports. Run it with -benchtime 1x: one
// declaration of 1,000 routes takes seconds in the CDK's way.
func BenchmarkRoutes(b *testing.B) {
	for _, routes := range []int{1, 100, 300, 1000} {
		b.Run(fmt.Sprintf("gatewright/%d", routes), func(b *testing.B) { benchmarkRoutes(b, routes, false, declareBody) })
		b.Run(fmt.Sprintf("cdk/%d", routes), func(b *testing.B) { benchmarkRoutes(b, routes, false, declareTree) })
	}
	// CloudFormation counts the blanks, too, with which the CDK indents.
	b.Run("compact/1000", func(b *testing.B) { benchmarkRoutes(b, 1000, true, declareBody) })
}

type declareRoutes func(stack awscdk.Stack, users *userpool.UserPool, orders *gofunction.Function, paths []string)

func declareBody(stack awscdk.Stack, users *userpool.UserPool, orders *gofunction.Function, paths []string) {
	routes := restapi.Routes{}
	for _, path := range paths {
		routes["GET /"+path] = restapi.Route{Access: access.Scopes("orders/read"), Target: orders}
	}
	restapi.New(stack, "API", restapi.Props{UserPools: []*userpool.UserPool{users}, Routes: routes})
}

func declareTree(stack awscdk.Stack, users *userpool.UserPool, orders *gofunction.Function, paths []string) {
	authorizer := awsapigateway.NewCognitoUserPoolsAuthorizer(stack, jsii.String("Authorizer"), &awsapigateway.CognitoUserPoolsAuthorizerProps{
		CognitoUserPools: &[]awscognito.IUserPool{users.Pool},
	})
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), &awsapigateway.RestApiProps{CloudWatchRole: jsii.Bool(false)})
	integration := awsapigateway.NewLambdaIntegration(orders.Function, &awsapigateway.LambdaIntegrationOptions{AllowTestInvoke: jsii.Bool(false)})
	for _, path := range paths {
		api.Root().ResourceForPath(jsii.String(path)).AddMethod(jsii.String("GET"), integration, &awsapigateway.MethodOptions{
			AuthorizationScopes: jsii.Strings("orders/read"),
			AuthorizationType:   awsapigateway.AuthorizationType_COGNITO,
			Authorizer:          authorizer,
		})
	}
}

// tooMany is how the CDK refuses a stack beyond CloudFormation's limit.
var tooMany = regexp.MustCompile(`[Nn]umber of resources in stack '[^']*': (\d+) is greater than allowed maximum of 500`)

func benchmarkRoutes(b *testing.B, routes int, compact bool, declared declareRoutes) {
	paths := make([]string, routes)
	for i := range paths {
		paths[i] = fmt.Sprintf("orders%d/{id}", i)
	}
	var define, synth time.Duration
	resources, size, refused := 0, 0, 0
	for b.Loop() {
		app := awscdk.NewApp(&awscdk.AppProps{
			Outdir:             jsii.String(b.TempDir()),
			AnalyticsReporting: jsii.Bool(false),
			Context: &map[string]any{
				"aws:cdk:bundling-stacks":                   []string{},
				"@aws-cdk/core:suppressTemplateIndentation": compact,
			},
		})
		stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
		pool := userpool.New(stack, "Users", userpool.Props{
			ResourceServers: []userpool.ResourceServer{{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders"}}},
		})
		orders := gofunction.New(stack, "Orders", gofunction.Props{Package: statusPackage})
		began := time.Now()
		declared(stack, pool, orders, paths)
		define += time.Since(began)
		began = time.Now()
		resources, size, refused = synthesized(b, app)
		synth += time.Since(began)
	}
	perRun := 1 / float64(b.N)
	b.ReportMetric(define.Seconds()*1000*perRun, "define-ms")
	b.ReportMetric(synth.Seconds()*1000*perRun, "synth-ms")
	b.ReportMetric(float64(resources), "resources")
	b.ReportMetric(float64(size), "bytes")
	b.ReportMetric(float64(refused), "refused")
}

// ofAPI reports whether a type's resources count as the API's: the log groups of
// functions do, too.
func ofAPI(kind string) bool {
	return strings.HasPrefix(kind, "AWS::ApiGateway::") || kind == "AWS::Lambda::Permission" || kind == "AWS::Logs::LogGroup"
}

// An API has as many resources at 300 routes as at one, and so never comes near
// the 500 that CloudFormation takes.
func TestRoutesAreNoResources(t *testing.T) {
	for name, rule := range map[string]access.Rule{
		"scopes": access.Scopes("orders/read"), "clients": access.Scopes("orders/read").From("billing"),
	} {
		count := func(routes int) (kinds map[string]int, api int) {
			template := declare(t, declareShop(func(s *shop) {
				s.props.Routes = restapi.Routes{}
				for i := range routes {
					s.props.Routes[fmt.Sprintf("POST /orders%d/{id}", i)] = restapi.Route{
						Access: rule, Target: s.orders, Body: order(), Query: restapi.Query{"coupon": {Required: true}}, Throttle: restapi.Throttle{Rate: 5},
					}
				}
			}))
			kinds = map[string]int{}
			for _, resource := range template["Resources"].(object) {
				kind := resource.(object)["Type"].(string)
				kinds[kind]++
				if ofAPI(kind) {
					api++
				}
			}
			return kinds, api
		}
		one, api := count(1)
		if many, _ := count(300); !maps.Equal(one, many) {
			t.Errorf("%s: one route has the resources %v, 300 routes have %v", name, one, many)
		}
		if api == 0 || api > 12 {
			t.Errorf("%s: the API has %d resources, want 12 at most", name, api)
		}
	}
}

// synthesized counts the API's resources and the template's bytes. Where the
// CDK refuses the stack, the count is the whole stack's as its error gives it.
func synthesized(b *testing.B, app awscdk.App) (resources, size, refused int) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		found := tooMany.FindStringSubmatch(fmt.Sprint(thrown))
		if found == nil {
			panic(thrown)
		}
		resources, _ = strconv.Atoi(found[1])
		size, refused = 0, 1
	}()
	file := filepath.Join(*app.Synth(nil).Directory(), "Shop.template.json")
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var template struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal(data, &template); err != nil {
		b.Fatal(err)
	}
	for _, r := range template.Resources {
		if ofAPI(r.Type) {
			resources++
		}
	}
	return resources, len(data), 0
}
