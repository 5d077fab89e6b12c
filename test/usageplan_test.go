package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/usageplan"
)

// limitOrders asks for a key on a route of the user pools' authorizer and on one
// of the Lambda authorizer.
func limitOrders(s *shop) {
	withCart("website")(s)
	for _, pattern := range []string{"GET /orders", cart} {
		changeRoute(pattern, func(r *restapi.Route) { r.APIKeyRequired = true })(s)
	}
}

// declarePlan declares the shop's API, whose routes ask for keys, and a plan of it.
func declarePlan(s *shop, stack awscdk.Stack, change func(*usageplan.Props)) *usageplan.UsagePlan {
	p := usageplan.Props{
		APIs: []*restapi.RestAPI{restapi.New(stack, "API", s.props)}, Keys: []string{"acme"}, RateLimit: 10, BurstLimit: 20,
		Quota: usageplan.Quota{Limit: 1000, Period: awsapigateway.Period_MONTH},
	}
	change(&p)
	return usageplan.New(stack, "Limits", p)
}

func declareLimits(change func(*usageplan.Props)) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		s := newShop(stack)
		limitOrders(s)
		declarePlan(s, stack, change)
	}
}

func TestUsagePlan(t *testing.T) {
	template := declare(t, declareLimits(func(p *usageplan.Props) { p.Keys = []string{"acme", "globex"} }))
	plan := only(t, template, "AWS::ApiGateway::UsagePlan")
	for property, want := range map[string]string{
		"Throttle": `{"BurstLimit":20,"RateLimit":10}`, "Quota": `{"Limit":1000,"Period":"MONTH"}`,
	} {
		if got := text(t, plan[property]); got != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
	if stages := plan["ApiStages"].([]any); len(stages) != 1 || !strings.Contains(text(t, stages), `"Stage":{"Ref":"APIDeploymentStagelive`) {
		t.Errorf("the plan is of %s", text(t, stages))
	}
	var names []string
	for _, key := range ofType(template, "AWS::ApiGateway::ApiKey") {
		p := key["Properties"].(object)
		names = append(names, p["Name"].(string))
		if p["Value"] != nil || p["Enabled"] != true {
			t.Errorf("the key is %s", text(t, p))
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"acme", "globex"}) || len(ofType(template, "AWS::ApiGateway::UsagePlanKey")) != 2 {
		t.Errorf("keys %v", names)
	}
	paths, requirements := document(t, template)["paths"].(object), map[string]string{
		"/orders": `[{"UserPool":["orders/read"]},{"api_key":[]}]`, "/cart": `[{"gatewright":[]},{"api_key":[]}]`, "/orders/{id}": `[{"UserPool":["orders/read","orders/write"]}]`,
	}
	for path, want := range requirements {
		if got := text(t, paths[path].(object)["get"].(object)["security"]); got != want {
			t.Errorf("%s asks for %s, want %s", path, got, want)
		}
	}
	if open := paths["/orders"].(object)["options"].(object)["security"]; open != nil {
		t.Errorf("the preflight asks for %s", text(t, open))
	}
}

// A key's resources do not depend on the other keys.
func TestUsagePlanKeysStayThemselves(t *testing.T) {
	resources := func(keys ...string) (all []string) {
		template := declare(t, declareLimits(func(p *usageplan.Props) { p.Keys = keys }))
		for _, kind := range []string{"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlanKey"} {
			for id, resource := range ofType(template, kind) {
				all = append(all, id+" "+text(t, resource["Properties"]))
			}
		}
		return all
	}
	two, one := resources("acme", "globex"), resources("globex")
	if len(two) != 4 || len(one) != 2 || !slices.Contains(two, one[0]) || !slices.Contains(two, one[1]) {
		t.Errorf("%v, then %v", two, one)
	}
}

func TestUsagePlanProblems(t *testing.T) {
	change := func(change func(*usageplan.Props)) func(awscdk.Stack) { return declareLimits(change) }
	tests := []struct {
		name     string
		declared func(awscdk.Stack)
		want     string
	}{
		{"no limit", change(func(p *usageplan.Props) { p.RateLimit, p.BurstLimit, p.Quota = 0, 0, usageplan.Quota{} }), "Shop/Limits: no limit; set RateLimit and BurstLimit, a Quota, or both"},
		{"quota alone", change(func(p *usageplan.Props) { p.RateLimit, p.BurstLimit = 0, 0 }), ""},
		{"rate alone", change(func(p *usageplan.Props) { p.BurstLimit = 0 }), "RateLimit is 10 requests a second and BurstLimit 0 at once; set both, because 0 lets none through"},
		{"burst alone", change(func(p *usageplan.Props) { p.RateLimit = 0 }), "RateLimit is 0 requests a second and BurstLimit 20 at once; set both"},
		{"negative quota", change(func(p *usageplan.Props) { p.Quota.Limit = -1 }), `Quota is -1 requests in each "MONTH"`},
		{"long key", change(func(p *usageplan.Props) { p.Keys = []string{strings.Repeat("k", 65)} }), "1 to 64 letters, digits and . _ -"},
		{"longest key", change(func(p *usageplan.Props) { p.Keys = []string{strings.Repeat("k", 64)} }), ""},
		{"negative", change(func(p *usageplan.Props) { p.BurstLimit = -1 }), "RateLimit is 10 requests a second and BurstLimit -1 at once; neither can be negative"},
		{"no period", change(func(p *usageplan.Props) { p.Quota.Period = "" }), `Quota is 1000 requests in each ""; at least 1, and DAY, WEEK or MONTH`},
		{"unknown period", change(func(p *usageplan.Props) { p.Quota.Period = "YEAR" }), `Quota is 1000 requests in each "YEAR"`},
		{"period of nothing", change(func(p *usageplan.Props) { p.Quota.Limit = 0 }), `Quota is 0 requests in each "MONTH"`},
		{"several at once", change(func(p *usageplan.Props) { p.APIs, p.Keys, p.RateLimit = nil, nil, -1 }),
			"Shop/Limits: no APIs; a plan limits those that it names\nno Keys; without one nobody may call the routes that ask for it\nRateLimit is -1"},
		{"nil API", change(func(p *usageplan.Props) { p.APIs[0] = nil }), "APIs[0] is nil"},
		{"an API twice", change(func(p *usageplan.Props) { p.APIs = append(p.APIs, p.APIs[0]) }), "APIs[1] Shop/API/API: a second time"},
		{"malformed key", change(func(p *usageplan.Props) { p.Keys = []string{"a/b"} }), `Keys[0] is "a/b"; 1 to 64 letters, digits and . _ -`},
		{"a key twice", change(func(p *usageplan.Props) { p.Keys = []string{"acme", "acme"} }), `Keys[1] "acme": a second time`},
		{"nothing to limit", func(stack awscdk.Stack) { declarePlan(newShop(stack), stack, func(*usageplan.Props) {}) }, "APIs[0] Shop/API/API: no route asks for a key, so nothing would be limited; set APIKeyRequired on one"},
		{"public route", declareShop(changeRoute("GET /status", func(r *restapi.Route) { r.APIKeyRequired = true })), "Shop/API: GET /status: APIKeyRequired on a public route"},
		{"customers' header", declareShop(func(s *shop) {
			withKeys(access.Key("orders/read"))(s)
			s.props.KeyHeader = true
			changeRoute(report, func(r *restapi.Route) { r.APIKeyRequired = true })(s)
		}), "Shop/API: GET /report: APIKeyRequired together with KeyHeader"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := problem(t, tt.declared)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Served from its template, a route wants the key and the token.
func TestUsagePlanServed(t *testing.T) {
	app := newApp(t)
	stack := newStack(app, "Shop")
	declareLimits(func(p *usageplan.Props) {
		p.RateLimit, p.BurstLimit, p.Quota.Limit = 1000, 1000, 3
	})(stack)
	app.Synth(nil)
	r := startRuntime(t, "--assembly", *app.Outdir())
	key := header("x-api-key", r.APIKeys[0].Value)
	token := bearer(r.forge(t, r.header(), with(r.claims(), "scope", "orders/read")))
	tests := []struct {
		name, path string
		options    []option
		status     int
		body       string
	}{
		{"token alone", "/orders", []option{token}, 403, `{"message":"Forbidden"}`},
		{"token and a wrong key", "/orders", []option{token, header("x-api-key", strings.Repeat("x", 40))}, 403, `{"message":"Forbidden"}`},
		{"key alone", "/orders", []option{key}, 401, unauthorized},
		{"key alone, of the Lambda authorizer", "/cart", []option{key}, 401, unauthorized},
		{"another client", "/cart", []option{token, key}, 403, explicitDeny},
		{"both", "/orders", []option{token, key}, 200, "ok"},
		{"no key asked for", "/orders/7", []option{token}, 200, "ok"},
		{"second", "/orders", []option{token, key}, 200, "ok"},
		{"third", "/orders", []option{token, key}, 200, "ok"},
		{"over the quota", "/orders", []option{token, key}, 429, "Limit Exceeded"},
	}
	for _, tt := range tests {
		if got := call(t, "GET", r.API+tt.path, tt.options...); got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.body)
		}
	}
}
