package test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/authconfig"
)

const report = "GET /report"

// withKeys gives the shop customers and a route with the rule.
func withKeys(rule access.Rule) func(*shop) {
	return func(s *shop) {
		s.props.Customers = customers.New(awscdk.Stack_Of(s.users.Pool), "Customers", customers.Props{})
		s.props.Routes[report] = restapi.Route{Access: rule, Target: s.orders}
	}
}

// keyed declares an API without users, whose one route takes a key with any scope
// of the customers' own.
func keyed(stack awscdk.Stack, shop *customers.Customers, p restapi.Props) *restapi.RestAPI {
	p.Customers = shop
	p.Routes = restapi.Routes{report: {
		Access: access.Key(shop.Scopes()...),
		Target: gofunction.New(stack, "Orders", gofunction.Props{Package: statusPackage}),
	}}
	return restapi.New(stack, "API", p)
}

// either takes a token of any client or a key.
var either = access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read"))

// The table holds customers for good unless it is told otherwise, encrypted and
// with backups.
func TestCustomersTable(t *testing.T) {
	for policy, want := range map[awscdk.RemovalPolicy]string{"": "Retain", awscdk.RemovalPolicy_RETAIN: "Retain", awscdk.RemovalPolicy_DESTROY: "Delete"} {
		template := declare(t, func(stack awscdk.Stack) {
			customers.New(stack, "Customers", customers.Props{RemovalPolicy: policy})
		})
		table := only(t, template, "AWS::DynamoDB::Table")
		for property, want := range map[string]string{
			"BillingMode": `"PAY_PER_REQUEST"`, "SSESpecification": `{"SSEEnabled":true}`, "PointInTimeRecoverySpecification": `{"PointInTimeRecoveryEnabled":true}`,
			"AttributeDefinitions": `[{"AttributeName":"id","AttributeType":"S"}]`, "KeySchema": `[{"AttributeName":"id","KeyType":"HASH"}]`,
			"DeletionProtectionEnabled": text(t, want == "Retain"), "TableName": "null", "GlobalSecondaryIndexes": "null",
		} {
			if got := text(t, table[property]); got != want {
				t.Errorf("%q: %s is %s, want %s", policy, property, got, want)
			}
		}
		for _, resource := range ofType(template, "AWS::DynamoDB::Table") {
			if resource["DeletionPolicy"] != want || resource["UpdateReplacePolicy"] != want {
				t.Errorf("%q: %v, %v", policy, resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
			}
		}
	}
}

// tableStatements are the statements of a template's policies about tables.
func tableStatements(template object) []object {
	var found []object
	for _, policy := range ofType(template, "AWS::IAM::Policy") {
		for _, statement := range policy["Properties"].(object)["PolicyDocument"].(object)["Statement"].([]any) {
			if s := statement.(object); strings.Contains(fmt.Sprint(s["Action"]), "dynamodb:") {
				found = append(found, s)
			}
		}
	}
	return found
}

// The authorizer is told of the table, by name, prefix and tag, and may read one
// item of it and do nothing else.
func TestCustomersOfAuthorizer(t *testing.T) {
	template := declare(t, declareShop(withKeys(either)))
	_, function := authorizerOf(t, template)
	variables := function["Environment"].(object)["Variables"].(object)
	const table = `{"Ref":"CustomersTable68815F0F"}`
	if got, want := text(t, variables["CUSTOMERS"]), `{"Fn::Join":["",["{\"table\":\"",`+table+`,"\",\"prefix\":\"gw\",\"tag\":\"kt3xah\"}"]]}`; got != want {
		t.Errorf("CUSTOMERS is %s, want %s", got, want)
	}
	statements := tableStatements(template)
	if len(statements) != 1 || text(t, statements[0]) != `{"Action":"dynamodb:GetItem","Effect":"Allow","Resource":{"Fn::GetAtt":["CustomersTable68815F0F","Arn"]}}` {
		t.Errorf("the authorizer may %s", text(t, statements))
	}
	if got := text(t, function["ReservedConcurrentExecutions"]); got != "null" {
		t.Errorf("the authorizer's concurrency is %s", got)
	}

	template = declare(t, declareShop(withCart("website")))
	if _, function := authorizerOf(t, template); len(tableStatements(template)) > 0 || strings.Contains(text(t, function), "CUSTOMERS") {
		t.Errorf("an authorizer that takes no keys: %s", text(t, function))
	}
}

// authorizerFile synthesizes the shop and reads what stands beside the authorizer.
func authorizerFile(t *testing.T, declared func(awscdk.Stack)) (authconfig.Rules, object) {
	t.Helper()
	app := newApp(t)
	declared(newStack(app, "Shop"))
	template := synth(t, app)["Shop"]
	_, function := authorizerOf(t, template)
	asset := strings.TrimSuffix(function["Code"].(object)["S3Key"].(string), ".zip")
	rules, err := authconfig.Parse(readFile(t, filepath.Join(*app.Outdir(), "asset."+asset, authconfig.FileName)))
	if err != nil {
		t.Fatal(err)
	}
	return rules, template
}

// A route's token and key stand in one rule. A token of no client in particular is
// one of any client, and every pool is trusted.
func TestCustomersRules(t *testing.T) {
	rules, template := authorizerFile(t, declareShop(func(s *shop) {
		withKeys(either)(s)
		s.props.Routes["PUT /report"] = restapi.Route{Access: access.AnyOf(access.Scopes("orders/write").From("billing"), access.Scopes("orders/read"), access.Key("orders/read", "orders/write")), Target: s.orders}
		staff := users()
		staff.Clients = []userpool.Client{userpool.Machine{Name: "billing", Scopes: []string{"orders/write"}}}
		s.props.UserPools = append(s.props.UserPools, userpool.New(awscdk.Stack_Of(s.users.Pool), "Staff", staff))
	}))
	if got, want := text(t, rules), `{"version":2,"routes":[`+
		`{"method":"GET","path":"/report","tokens":[{"scopes":["orders/read"],"anyClient":true}],"key":{"scopes":["orders/read"]}},`+
		`{"method":"PUT","path":"/report","tokens":[{"scopes":["orders/write"],"clients":["billing"]},{"scopes":["orders/read"],"anyClient":true}],"key":{"scopes":["orders/read","orders/write"]}}]}`; got != want {
		t.Errorf("the rules are %s, want %s", got, want)
	}
	_, function := authorizerOf(t, template)
	pools := text(t, function["Environment"].(object)["Variables"].(object)["USER_POOLS"])
	if strings.Count(pools, `issuer`) != 2 || strings.Count(pools, `{\"billing\":`) != 2 {
		t.Errorf("the authorizer trusts %s", pools)
	}

	_, template = authorizerFile(t, declareShop(withKeys(either)))
	_, function = authorizerOf(t, template)
	if pools := text(t, function["Environment"].(object)["Variables"].(object)["USER_POOLS"]); strings.Count(pools, "issuer") != 1 || !strings.Contains(pools, `\"clients\":{}}]`) {
		t.Errorf("the authorizer trusts %s", pools)
	}
}

// Keys alone need no user pool, and no token is trusted.
func TestCustomersAlone(t *testing.T) {
	rules, template := authorizerFile(t, func(stack awscdk.Stack) {
		keyed(stack, customers.New(stack, "Customers", customers.Props{Scopes: []string{"orders/export"}}), restapi.Props{})
	})
	if got, want := text(t, rules), `{"version":2,"routes":[{"method":"GET","path":"/report","key":{"scopes":["orders/export"]}}]}`; got != want {
		t.Errorf("the rules are %s, want %s", got, want)
	}
	_, function := authorizerOf(t, template)
	if got := function["Environment"].(object)["Variables"].(object)["USER_POOLS"]; got != "[]" {
		t.Errorf("USER_POOLS is %v", got)
	}
	if n := len(ofType(template, "AWS::Cognito::UserPool")); n > 0 {
		t.Errorf("%d user pools", n)
	}
}

// Where keys may come in x-api-key the authorizer is asked about each request, and
// knows it. How many at once is bounded where the props say so.
func TestCustomersKeyHeader(t *testing.T) {
	for header, want := range map[bool]string{
		false: `{"authorizerResultTtlInSeconds":0,"identitySource":"method.request.header.Authorization","type":"request"}`,
		true:  `{"authorizerResultTtlInSeconds":0,"type":"request"}`,
	} {
		var api *restapi.RestAPI
		rules, template := authorizerFile(t, func(stack awscdk.Stack) {
			s := newShop(stack)
			withKeys(either)(s)
			s.props.KeyHeader, s.props.AuthorizerConcurrency = header, 7
			api = restapi.New(stack, "API", s.props)
		})
		table := api.CustomerTable()
		if delete(table, "name"); !reflect.DeepEqual(table, map[string]any{"prefix": "gw", "tag": "kt3xah", "scopes": []string{"orders/read"}, "keyHeader": header}) {
			t.Errorf("KeyHeader %v: operators read %v", header, table)
		}
		authorizer := document(t, template)["components"].(object)["securitySchemes"].(object)["gatewright"].(object)["x-amazon-apigateway-authorizer"].(object)
		delete(authorizer, "authorizerUri")
		if got := text(t, authorizer); got != want || rules.KeyHeader != header {
			t.Errorf("KeyHeader %v: the authorizer is %s, its rules say %v", header, got, rules.KeyHeader)
		}
		if _, function := authorizerOf(t, template); text(t, function["ReservedConcurrentExecutions"]) != "7" {
			t.Errorf("the authorizer's concurrency is %v", function["ReservedConcurrentExecutions"])
		}
	}
}

// An API without customers describes none.
func TestCustomerTableOfNone(t *testing.T) {
	declare(t, func(stack awscdk.Stack) {
		if table := restapi.New(stack, "API", newShop(stack).props).CustomerTable(); table != nil {
			t.Errorf("operators read %v", table)
		}
	})
}

// A 401 names what the API takes.
func TestCustomersChallenge(t *testing.T) {
	for want, change := range map[string]func(*shop){
		"'Bearer'": unchanged,
		`'Bearer, Basic realm="Shop-API", charset="UTF-8"'`: withKeys(either),
		`'Bearer, Basic realm="The -shop-", charset="UTF-8"'`: func(s *shop) {
			withKeys(access.Key("orders/read"))(s)
			s.props.Name = `The "shop"`
		},
	} {
		responses := document(t, declare(t, declareShop(change)))["x-amazon-apigateway-gateway-responses"].(object)
		if got := responses["UNAUTHORIZED"].(object)["responseParameters"].(object)["gatewayresponse.header.WWW-Authenticate"]; got != want {
			t.Errorf("the challenge is %v, want %s", got, want)
		}
	}
}

// A tag that nobody chose stays the same for a path, in every version: another
// would make all keys useless. No other path has it.
func TestCustomersStageTag(t *testing.T) {
	tag := func(stack, id string) string {
		return customers.New(newStack(newApp(t), stack), id, customers.Props{}).StageTag
	}
	if got := tag("Shop", "Customers"); got != "kt3xah" {
		t.Errorf("the tag is %s, want kt3xah; whoever has keys would lose them", got)
	}
	seen := map[string]string{}
	for _, path := range [][2]string{{"Shop", "Customers"}, {"Shop", "Partners"}, {"Test", "Customers"}} {
		got := tag(path[0], path[1])
		if len(got) != 6 || seen[got] != "" {
			t.Errorf("the tag of %v is %q", path, got)
		}
		seen[got] = path[1]
	}
}

// Operators may do to the table what the command does, and nothing else.
func TestCustomersGrantOperate(t *testing.T) {
	template := declare(t, func(stack awscdk.Stack) {
		role := awsiam.NewRole(stack, jsii.String("Support"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
		customers.New(stack, "Customers", customers.Props{}).GrantOperate(role)
	})
	statements := tableStatements(template)
	if len(statements) != 1 || text(t, statements[0]) != `{"Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Scan"],"Effect":"Allow","Resource":{"Fn::GetAtt":["CustomersTable68815F0F","Arn"]}}` {
		t.Errorf("operators may %s", text(t, statements))
	}
}

func TestCustomersProblems(t *testing.T) {
	with := func(p customers.Props) func(awscdk.Stack) {
		return func(stack awscdk.Stack) { customers.New(stack, "Customers", p) }
	}
	tests := []struct {
		name     string
		declared func(awscdk.Stack)
		want     string
	}{
		{"everything", with(customers.Props{KeyPrefix: "Shop", StageTag: "my-stage", Scopes: []string{"read", "a/b", "a/b"}, RemovalPolicy: awscdk.RemovalPolicy_SNAPSHOT}),
			"Shop/Customers: KeyPrefix is \"Shop\"; 1 to 16 lower-case letters and digits, a letter first\n" +
				"StageTag is \"my-stage\"; 1 to 16 letters and digits\n" +
				"Scopes: malformed scope \"read\"; write \"<resource server>/<name>\"\nscope \"a/b\" twice\n" +
				"RemovalPolicy is \"SNAPSHOT\"; RETAIN or DESTROY"},
		{"prefix with a digit first", with(customers.Props{KeyPrefix: "1shop"}), `KeyPrefix is "1shop"`},
		{"long prefix", with(customers.Props{KeyPrefix: strings.Repeat("a", 17)}), `KeyPrefix is "aaaaaaaaaaaaaaaaa"`},
		{"separator in a prefix", with(customers.Props{KeyPrefix: "a_b"}), `KeyPrefix is "a_b"`},
		{"separator in a tag", with(customers.Props{StageTag: "a_b"}), `StageTag is "a_b"`},
		{"nobody's customers", declareShop(func(s *shop) {
			withKeys(access.Scopes("orders/read"))(s)
		}), "Shop/API: Customers are given, but no route takes a key; write access.Key on one, or leave them out"},
		{"header for nobody", declareShop(func(s *shop) { s.props.KeyHeader = true }), "Shop/API: KeyHeader is set, but no route takes a key"},
		{"concurrency of nobody", declareShop(func(s *shop) { s.props.AuthorizerConcurrency = 1 }), "Shop/API: AuthorizerConcurrency is set, but no route needs a Lambda authorizer"},
		{"negative concurrency", declareShop(func(s *shop) {
			withKeys(either)(s)
			s.props.AuthorizerConcurrency = -1
		}), "Shop/API: AuthorizerConcurrency is -1 requests at once; it cannot be negative"},
		{"keys of nobody", declareShop(func(s *shop) {
			withKeys(either)(s)
			s.props.Customers = nil
		}), "Shop/API: GET /report: takes customers' keys, but the API has no customers"},
		{"unknown scope", declareShop(withKeys(access.Key("orders/erase"))),
			`Shop/API: GET /report: unknown scope "orders/erase" of a key; the user pools and the customers define https://stock.example.com/read, orders/read, orders/write`},
		{"several at once", declareShop(func(s *shop) {
			withKeys(access.AnyOf(access.Public("x"), access.Key("orders/erase")))(s)
			s.props.RateLimit = -1
		}), "Shop/API: RateLimit is -1 requests a second; it cannot be negative\nGET /report: AnyOf rule 1: a public route lets anyone in, whatever else it takes; write access.Public alone\nGET /report: unknown scope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := problem(t, tt.declared)
			if !strings.Contains(got, tt.want) || strings.Count(got, tt.want) != 1 {
				t.Errorf("got  %q\nwant %q in it, once", got, tt.want)
			}
		})
	}
}

// The constructs keep what they are given, and hand out what is not theirs to
// lose.
func TestCustomersAreOwn(t *testing.T) {
	scopes, rules := []string{"orders/export"}, []access.Rule{access.Scopes("orders/read"), access.Key("orders/read")}
	var api *restapi.RestAPI
	file, _ := authorizerFile(t, func(stack awscdk.Stack) {
		s := newShop(stack)
		s.props.Customers = customers.New(stack, "Customers", customers.Props{Scopes: scopes})
		scopes[0] = "orders/erase"
		s.props.Customers.Scopes()[0] = "orders/erase"
		s.props.Routes[report] = restapi.Route{Access: access.Rule{Kind: access.KindAnyOf, Any: rules}, Target: s.orders}
		s.props.Routes["GET /export"] = restapi.Route{Access: access.Key(s.props.Customers.Scopes()...), Target: s.orders}
		api = restapi.New(stack, "API", s.props)
		rules[1].Scopes[0] = "orders/write"
		rules[0] = access.Public("anyone")
		api.CustomerTable()["scopes"].([]string)[0] = "orders/erase"
	})
	if got := text(t, file.Routes[1]); got != `{"method":"GET","path":"/report","tokens":[{"scopes":["orders/read"],"anyClient":true}],"key":{"scopes":["orders/read"]}}` {
		t.Errorf("the rule is %s", got)
	}
	if got := api.CustomerTable()["scopes"]; !reflect.DeepEqual(got, []string{"orders/export", "orders/read"}) {
		t.Errorf("the API takes keys with %v", got)
	}
}
