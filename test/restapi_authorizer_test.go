package test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authconfig"
)

const cart = "GET /cart"

// withCart adds a route for named clients, and the pool's clients of every kind.
func withCart(clients ...string) func(*shop) {
	return withRule(access.Scopes("orders/read").From(clients...))
}

func withRule(rule access.Rule) func(*shop) {
	return func(s *shop) {
		stack := awscdk.Stack_Of(s.users.Pool)
		p := users()
		everyKind(&p)
		s.users = userpool.New(stack, "Everybody", p)
		s.props.UserPools = []*userpool.UserPool{s.users}
		s.props.Routes[cart] = restapi.Route{Access: rule, Target: s.orders}
	}
}

// authorizerOf returns the properties of the template's authorizer.
func authorizerOf(t *testing.T, template object) (id string, properties object) {
	t.Helper()
	for id, function := range ofType(template, "AWS::Lambda::Function") {
		source := function["Metadata"].(object)[gofunction.MetadataKey].(object)
		if source["package"] == "github.com/gatewright/gatewright/lambdas/authorizer" {
			return id, function["Properties"].(object)
		}
	}
	t.Fatal("no function is the Lambda authorizer")
	return "", nil
}

// A route of named clients is the Lambda authorizer's; the others stay with the
// user pools' own.
func TestLambdaAuthorizer(t *testing.T) {
	template := declare(t, declareShop(withCart("website", "app")))
	id, function := authorizerOf(t, template)
	doc := document(t, template)
	scheme := doc["components"].(object)["securitySchemes"].(object)["gatewright"].(object)
	authorizer := scheme["x-amazon-apigateway-authorizer"].(object)
	uri := text(t, authorizer["authorizerUri"])
	delete(authorizer, "authorizerUri")
	if got, want := text(t, scheme), `{"in":"header","name":"Authorization","type":"apiKey","x-amazon-apigateway-authorizer":`+
		`{"authorizerResultTtlInSeconds":0,"identitySource":"method.request.header.Authorization","type":"request"},"x-amazon-apigateway-authtype":"custom"}`; got != want {
		t.Errorf("the authorizer is %s, want %s", got, want)
	}
	if !strings.Contains(uri, `:lambda:path/2015-03-31/functions/",{"Fn::GetAtt":["`+id+`","Arn"]},"/invocations"`) {
		t.Errorf("the authorizer's URI is %s", uri)
	}
	for path, want := range map[string]string{
		"/cart": `[{"gatewright":[]}]`, "/orders": `[{"UserPool":["orders/read"]}]`, "/orders/{id}": `[{"UserPool":["orders/read","orders/write"]}]`, "/status": `null`,
	} {
		if got := text(t, doc["paths"].(object)[path].(object)["get"].(object)["security"]); got != want {
			t.Errorf("%s asks for %s, want %s", path, got, want)
		}
	}
	for name, want := range map[string]string{"MemorySize": "512", "Timeout": "10"} {
		if got := text(t, function[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if template := declare(t, declareShop(unchanged)); strings.Contains(text(t, template), "authorizers/") || len(ofType(template, "AWS::Lambda::Function")) != 1 {
		t.Error("an API whose rules name no clients has a Lambda authorizer")
	}
}

// This API calls the function as an authorizer, and nobody else calls it.
func TestLambdaAuthorizerPermission(t *testing.T) {
	template := declare(t, declareShop(withCart("website")))
	id, _ := authorizerOf(t, template)
	var api string
	for api = range ofType(template, "AWS::ApiGateway::RestApi") {
	}
	var sources []string
	for _, permission := range ofType(template, "AWS::Lambda::Permission") {
		if p := permission["Properties"].(object); strings.Contains(text(t, p["FunctionName"]), id) {
			if p["Principal"] != "apigateway.amazonaws.com" || p["Action"] != "lambda:InvokeFunction" {
				t.Errorf("%s may be called by %s", id, text(t, p))
			}
			sources = append(sources, text(t, p["SourceArn"]))
		}
	}
	if len(sources) != 1 || !strings.Contains(sources[0], `:execute-api:eu-west-1:",{"Ref":"AWS::AccountId"},":",{"Ref":"`+api+`"},"/authorizers/*"`) {
		t.Errorf("the authorizer is called for %s", sources)
	}
}

// The rules stand in the function's code, the ids of the clients that they name,
// and no secret, in its environment.
func TestLambdaAuthorizerRules(t *testing.T) {
	app := newApp(t)
	var s *shop
	stack := newStack(app, "Shop")
	declareShop(func(shop *shop) {
		s = shop
		withCart("website", "app")(s)
		s.props.Routes["PUT /cart/{item}"] = restapi.Route{Access: access.Scopes("orders/write").From("office"), Target: s.orders}
	})(stack)
	template := synth(t, app)["Shop"]
	_, function := authorizerOf(t, template)
	asset := strings.TrimSuffix(function["Code"].(object)["S3Key"].(string), ".zip")
	content := readFile(t, filepath.Join(*app.Outdir(), "asset."+asset, authconfig.FileName))
	rules, err := authconfig.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, rules.Routes), `[{"method":"GET","path":"/cart","tokens":[{"scopes":["orders/read"],"clients":["website","app"]}]},`+
		`{"method":"PUT","path":"/cart/{item}","tokens":[{"scopes":["orders/write"],"clients":["office"]}]}]`; got != want {
		t.Errorf("the rules are %s, want %s", got, want)
	}
	read, err := assembly.Load(*app.Outdir())
	if err != nil {
		t.Fatal(err)
	}
	model, err := read.Model("Shop", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var environment string
	for _, f := range model.Functions {
		if value, ok := f.Environment[authconfig.EnvUserPools]; ok {
			environment = value
		}
	}
	pools, err := authconfig.ParseUserPools(environment)
	if err != nil || len(pools) != 1 || len(pools[0].Clients) != 3 {
		t.Fatalf("%s: %v", environment, err)
	}
	for _, pool := range model.UserPools {
		for _, client := range pool.Clients {
			id, trusted := pools[0].Clients[client.Name]
			if pool.Issuer != pools[0].Issuer {
				continue // the shop's other pool
			}
			if trusted && id != client.ID || trusted == (client.Name == "billing") {
				t.Errorf("the client %s is trusted as %q", client.Name, id)
			}
		}
	}
	if env := text(t, function["Environment"]); strings.Contains(strings.ToLower(env), "secret") {
		t.Errorf("the environment is %s", env)
	}
}

// Another rule is another function and another deployment; so is another client.
func TestLambdaAuthorizerDeploysEveryChange(t *testing.T) {
	code := func(template object) string {
		_, function := authorizerOf(t, template)
		return text(t, function["Code"])
	}
	before := declare(t, declareShop(withCart("website")))
	for name, change := range map[string]func(*shop){
		"a client more":    withCart("website", "app"),
		"another client":   withCart("app"),
		"another scope":    withRule(access.Scopes("orders/read", "orders/write").From("website")),
		"no client at all": withRule(access.Scopes("orders/read")),
		"another such route": func(s *shop) {
			withCart("website")(s)
			s.props.Routes["GET /checkout"] = s.props.Routes[cart]
		},
	} {
		after := declare(t, declareShop(change))
		if deployment(t, after) == deployment(t, before) {
			t.Errorf("%s is not deployed", name)
		}
		if name != "no client at all" && code(after) == code(before) {
			t.Errorf("%s does not change the function's code", name)
		}
	}
	if again := declare(t, declareShop(withCart("website"))); deployment(t, again) != deployment(t, before) || code(again) != code(before) {
		t.Error("the same API is deployed anew")
	}
}

// Of an imported pool's clients nobody knows what they may ask for; a name that
// two pools have stands for both.
func TestLambdaAuthorizerPools(t *testing.T) {
	template := declare(t, declareShop(func(s *shop) {
		withCart("website", "office", "partner")(s)
		stack := awscdk.Stack_Of(s.users.Pool)
		s.props.UserPools = append(s.props.UserPools, userpool.Import(stack, "Partners", userpool.ImportProps{
			ARN:     "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI",
			Scopes:  []string{"orders/read"},
			Clients: map[string]string{"partner": "1example23456789", "other": "2example23456789", "office": "3example23456789"},
		}))
	}))
	_, function := authorizerOf(t, template)
	env := text(t, function["Environment"])
	if !strings.Contains(env, `{"Ref":"AWS::URLSuffix"},"/eu-west-1_AbCdEfGhI\",\"clients\":{\"office\":\"3example23456789\",\"partner\":\"1example23456789\"}}]"`) ||
		strings.Count(env, "issuer") != 2 {
		t.Errorf("the function trusts %s", env)
	}
}

func TestLambdaAuthorizerProblems(t *testing.T) {
	tests := []struct {
		name   string
		change func(*shop)
		want   string
	}{
		{"unknown client", withCart("website", "shopfront"), `Shop/API: GET /cart: unknown client "shopfront"; the user pools have app, billing, office, website`},
		{"a client without the scope", withCart("office"), `Shop/API: GET /cart: client "office" may ask for none of the scopes, only for orders/write; give it one or leave it out`},
		{"no client", withCart(), `GET /cart: From needs the names of app clients, such as "website"`},
		{"a client twice", withCart("website", "website"), `GET /cart: client "website" twice`},
		{"public from a client", withRule(access.Public("x").From("website")), "GET /cart: a public route takes every client"},
		{"unknown scope", withRule(access.Scopes("orders/erase").From("website")), `GET /cart: unknown scope "orders/erase"`},
		{"another problem", func(s *shop) {
			withCart("website")(s)
			s.props.RateLimit = -1
		}, "Shop/API: RateLimit is -1 requests a second"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := problem(t, declareShop(tt.change))
			if !strings.Contains(got, tt.want) || strings.Count(got, tt.want) != 1 {
				t.Errorf("got  %q\nwant %q in it, once", got, tt.want)
			}
		})
	}
}

// The construct hands its function out, and keeps its rules.
func TestLambdaAuthorizerIsOwn(t *testing.T) {
	var api *restapi.RestAPI
	clients := []string{"website"}
	template := declare(t, func(stack awscdk.Stack) {
		s := newShop(stack)
		withRule(access.Rule{Kind: access.KindScopes, Scopes: []string{"orders/read"}, Clients: clients})(s)
		api = restapi.New(stack, "API", s.props)
		clients[0] = "nobody"
		api.Authorizer.Function.AddEnvironment(jsii.String("MODE"), jsii.String("b"), nil)
	})
	if _, function := authorizerOf(t, template); !strings.Contains(text(t, function), `"MODE":"b"`) {
		t.Error("the function that is handed out is another")
	}
	declare(t, func(stack awscdk.Stack) { api = restapi.New(stack, "API", newShop(stack).props) })
	if api.Authorizer != nil {
		t.Error("an API whose rules name no clients hands out an authorizer")
	}
}
