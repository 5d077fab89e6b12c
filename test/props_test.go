package test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/apigatewayaccount"
	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/usageplan"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

// Each field of each Props changes the template; a new field needs a row here. A
// row changes its field and nothing else, so what it names stands in the app
// before: a construct that only the row declares would be the change.

func TestRestAPIProps(t *testing.T) {
	// Declared with each app.
	var (
		other *gofunction.Function
		staff *userpool.UserPool
		web   *customdomain.Domain
		trade *customers.Customers
	)
	on := func(pattern string, change func(*restapi.Route)) func(*shop) { return changeRoute(pattern, change) }
	coupon := func(p restapi.Parameter) func(*shop) {
		return on("POST /orders", func(r *restapi.Route) { r.Query = restapi.Query{"coupon": p} })
	}
	changes := map[string]func(*shop){
		"Routes.Access":            on("GET /orders", func(r *restapi.Route) { r.Access = access.Scopes("orders/write") }),
		"Routes.Target":            on("GET /orders", func(r *restapi.Route) { r.Target = other }),
		"Routes.Throttle.Rate":     on("GET /orders", func(r *restapi.Route) { r.Throttle.Rate = 5 }),
		"Routes.Throttle.Burst":    on("GET /orders", func(r *restapi.Route) { r.Throttle.Burst = 7 }),
		"Routes.Body.Name":         on("POST /orders", func(r *restapi.Route) { r.Body.Name = "Purchase" }),
		"Routes.Body.Schema":       on("POST /orders", func(r *restapi.Route) { r.Body.Schema["additionalProperties"] = true }),
		"Routes.Body.ContentType":  on("POST /orders", func(r *restapi.Route) { r.Body.ContentType = "application/merge-patch+json" }),
		"Routes.APIKeyRequired":    on("GET /orders", func(r *restapi.Route) { r.APIKeyRequired = true }),
		"Routes.Query.Required":    coupon(restapi.Parameter{Required: true}),
		"Routes.Query.Description": coupon(restapi.Parameter{Description: "A discount"}),
		"UserPools":                func(s *shop) { s.props.UserPools = append(s.props.UserPools, staff) },
		"Customers":                func(s *shop) { s.props.Customers = trade },
		"KeyHeader":                func(s *shop) { s.props.KeyHeader = true },
		"AuthorizerConcurrency":    func(s *shop) { s.props.AuthorizerConcurrency = 5 },
		"Name":                     func(s *shop) { s.props.Name = "orders" },
		"Description":              func(s *shop) { s.props.Description = "Orders" },
		"Tags":                     func(s *shop) { s.props.Tags = map[string]string{"team": "shop"} },
		"Origins":                  func(s *shop) { s.props.Origins = nil },
		"AllowHeaders":             func(s *shop) { s.props.AllowHeaders = []string{"X-Request-Id"} },
		"Domain":                   func(s *shop) { s.props.Domain = web },
		"BasePath":                 func(s *shop) { s.props.Domain, s.props.BasePath = web, "v1" },
		"StageName":                func(s *shop) { s.props.StageName = "v1" },
		"RateLimit":                func(s *shop) { s.props.RateLimit = 5 },
		"BurstLimit":               func(s *shop) { s.props.BurstLimit = 7 },
		"AccessLog.Off":            func(s *shop) { s.props.AccessLog.Off = true },
		"AccessLog.Retention":      func(s *shop) { s.props.AccessLog.Retention = awslogs.RetentionDays_ONE_YEAR },
		"Tracing":                  func(s *shop) { s.props.Tracing = true },
		"MinCompressionBytes":      func(s *shop) { s.props.MinCompressionBytes = 1000 },
	}
	app := func(change func(*shop)) string {
		return text(t, declare(t, declareShop(func(s *shop) {
			stack := awscdk.Stack_Of(s.users.Pool)
			other = gofunction.New(stack, "Other", gofunction.Props{Package: statusPackage})
			staff = userpool.New(stack, "Staff", users())
			web = customdomain.New(stack, "Domain", domain())
			trade = customers.New(stack, "Trade", customers.Props{})
			withKeys(access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")))(s)
			on("POST /orders", orderBody)(s)
			coupon(restapi.Parameter{})(s)
			change(s)
		})))
	}
	eachField[restapi.Props](t, changes, unchanged, app)
	// Below a base path, the API is another one than at the root of its domain.
	if app(changes["Domain"]) == app(changes["BasePath"]) {
		t.Error("BasePath changes nothing")
	}
}

func TestUserPoolProps(t *testing.T) {
	eachField[userpool.Props](t, map[string]func(*userpool.Props){
		"ResourceServers.ID":         func(p *userpool.Props) { p.ResourceServers[1].ID = "https://store.example.com" },
		"ResourceServers.Scopes":     func(p *userpool.Props) { p.ResourceServers[0].Scopes["erase"] = "Erase orders" },
		"ResourceServers.FirstParty": func(p *userpool.Props) { p.ResourceServers[1].FirstParty = true },
		"Clients":                    func(p *userpool.Props) { p.Clients = nil },
		"AccessTokenLifetime":        func(p *userpool.Props) { p.AccessTokenLifetime = time.Hour },
		"IDTokenLifetime":            func(p *userpool.Props) { p.IDTokenLifetime = time.Hour },
		"AccessTokenClaims":          func(p *userpool.Props) { p.AccessTokenClaims = []string{"email"} },
		"SDKScopes":                  func(p *userpool.Props) { p.SDKScopes = []string{"orders/read"} },
		"Password.MinLength":         func(p *userpool.Props) { p.Password.MinLength = 20 },
		"Password.Require":           func(p *userpool.Props) { p.Password.Require = userpool.Digits },
		"Password.History":           func(p *userpool.Props) { p.Password.History = 5 },
		"MFA":                        func(p *userpool.Props) { p.MFA = userpool.MFAOptional },
		"SelfSignUp":                 func(p *userpool.Props) { p.SelfSignUp = true },
		"DomainPrefix":               func(p *userpool.Props) { p.DomainPrefix = "shop" },
		"RemovalPolicy":              func(p *userpool.Props) { p.RemovalPolicy = awscdk.RemovalPolicy_DESTROY },
	}, asIs, func(change func(*userpool.Props)) string {
		return text(t, declare(t, declareUsers(func(p *userpool.Props) {
			everyKind(p)
			p.Clients = append(p.Clients, sdkApp)
			change(p)
		})))
	})
}

func TestUserPoolImportProps(t *testing.T) {
	app := func(change func(*userpool.ImportProps)) string { return text(t, declare(t, declareImport(change))) }
	byID := func(id string) func(*userpool.ImportProps) {
		return func(p *userpool.ImportProps) { p.ARN, p.ID = "", id }
	}
	eachField[userpool.ImportProps](t, map[string]func(*userpool.ImportProps){
		"ARN":     func(p *userpool.ImportProps) { p.ARN += "J" },
		"ID":      byID("eu-west-1_AbCdEfGhI"),
		"Domain":  func(p *userpool.ImportProps) { p.Domain = "login.example.com" },
		"Scopes":  func(p *userpool.ImportProps) { p.Scopes = []string{"orders/read"} },
		"Clients": func(p *userpool.ImportProps) { p.Clients["website"] = "2example23456789" },
	}, func(*userpool.ImportProps) {}, app)
	// An id takes the ARN's place, so its row changes both.
	if app(byID("eu-west-1_AbCdEfGhI")) == app(byID("eu-west-1_JiHgFeDcB")) {
		t.Error("ID changes nothing")
	}
}

// clientFields changes each field of a kind of client.
func clientFields[Kind userpool.Client](t *testing.T, base Kind, changes map[string]func(*Kind)) {
	t.Helper()
	eachField[Kind](t, changes, func(*Kind) {}, func(change func(*Kind)) string {
		client := base
		change(&client)
		return text(t, declare(t, declareUsers(func(p *userpool.Props) { p.Clients = []userpool.Client{client} })))
	})
}

func TestClientFields(t *testing.T) {
	home, openID := []string{"https://shop.example.com/home"}, []string{"openid"}
	clientFields(t, userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}}, map[string]func(*userpool.Machine){
		"Name":   func(c *userpool.Machine) { c.Name = "batch" },
		"Scopes": func(c *userpool.Machine) { c.Scopes = []string{"orders/write"} },
	})
	clientFields(t, website, map[string]func(*userpool.Browser){
		"Name":                 func(c *userpool.Browser) { c.Name = "shop" },
		"Scopes":               func(c *userpool.Browser) { c.Scopes = openID },
		"Callbacks":            func(c *userpool.Browser) { c.Callbacks = home },
		"Logouts":              func(c *userpool.Browser) { c.Logouts = home },
		"RefreshTokenLifetime": func(c *userpool.Browser) { c.RefreshTokenLifetime = time.Hour },
		"SRP":                  func(c *userpool.Browser) { c.SRP = true },
	})
	clientFields(t, app, map[string]func(*userpool.Mobile){
		"Name":                 func(c *userpool.Mobile) { c.Name = "shop" },
		"Scopes":               func(c *userpool.Mobile) { c.Scopes = openID },
		"Callbacks":            func(c *userpool.Mobile) { c.Callbacks = home },
		"Logouts":              func(c *userpool.Mobile) { c.Logouts = home },
		"RefreshTokenLifetime": func(c *userpool.Mobile) { c.RefreshTokenLifetime = time.Hour },
		"SRP":                  func(c *userpool.Mobile) { c.SRP = true },
	})
	clientFields(t, office, map[string]func(*userpool.Server){
		"Name":                 func(c *userpool.Server) { c.Name = "shop" },
		"Scopes":               func(c *userpool.Server) { c.Scopes = openID },
		"Callbacks":            func(c *userpool.Server) { c.Callbacks = home },
		"Logouts":              func(c *userpool.Server) { c.Logouts = home },
		"RefreshTokenLifetime": func(c *userpool.Server) { c.RefreshTokenLifetime = time.Hour },
	})
}

func TestCustomDomainProps(t *testing.T) {
	eachField[customdomain.Props](t, map[string]func(*customdomain.Props){
		"Name":   func(p *customdomain.Props) { p.Name = "www.example.com" },
		"Zone":   func(p *customdomain.Props) { p.Zone = "eu.example.com" },
		"ZoneID": func(p *customdomain.Props) { p.ZoneID = "Z9" },
	}, func(*customdomain.Props) {}, func(change func(*customdomain.Props)) string {
		p := customdomain.Props{Name: "api.eu.example.com", Zone: "example.com"}
		change(&p)
		app := newApp(t)
		onDomain(p, "")(awscdk.NewStack(app, jsii.String("Shop"), &awscdk.StackProps{Env: &awscdk.Environment{
			Account: jsii.String("111122223333"), Region: jsii.String("eu-west-1"),
		}}))
		return text(t, synth(t, app)) + manifests(t, *app.Outdir())
	})
}

// A scope of the customers' own is one that a route may ask a key for.
func TestCustomersProps(t *testing.T) {
	eachField[customers.Props](t, map[string]func(*customers.Props){
		"KeyPrefix":     func(p *customers.Props) { p.KeyPrefix = "shop" },
		"StageTag":      func(p *customers.Props) { p.StageTag = "prod" },
		"Scopes":        func(p *customers.Props) { p.Scopes = append(p.Scopes, "orders/import") },
		"RemovalPolicy": func(p *customers.Props) { p.RemovalPolicy = awscdk.RemovalPolicy_DESTROY },
	}, func(*customers.Props) {}, func(change func(*customers.Props)) string {
		return text(t, declare(t, func(stack awscdk.Stack) {
			p := customers.Props{Scopes: []string{"orders/export"}}
			change(&p)
			keyed(stack, customers.New(stack, "Customers", p), restapi.Props{})
		}))
	})
}

func TestUsagePlanProps(t *testing.T) {
	var other *restapi.RestAPI // declared with each app
	eachField[usageplan.Props](t, map[string]func(*usageplan.Props){
		"APIs":         func(p *usageplan.Props) { p.APIs = append(p.APIs, other) },
		"Keys":         func(p *usageplan.Props) { p.Keys = append(p.Keys, "globex") },
		"RateLimit":    func(p *usageplan.Props) { p.RateLimit = 5 },
		"BurstLimit":   func(p *usageplan.Props) { p.BurstLimit = 7 },
		"Quota.Limit":  func(p *usageplan.Props) { p.Quota.Limit = 9 },
		"Quota.Period": func(p *usageplan.Props) { p.Quota.Period = awsapigateway.Period_DAY },
	}, func(*usageplan.Props) {}, func(change func(*usageplan.Props)) string {
		return text(t, declare(t, func(stack awscdk.Stack) {
			s := newShop(stack)
			limitOrders(s)
			other = restapi.New(stack, "Other", s.props)
			declarePlan(s, stack, change)
		}))
	})
}

// The setting has no fields; the first one needs a row, too.
func TestAPIGatewayAccountProps(t *testing.T) {
	if names := fields(reflect.TypeFor[apigatewayaccount.Props]()); len(names) != 0 {
		t.Errorf("nothing changes %v", names)
	}
}

func TestGoFunctionProps(t *testing.T) {
	eachField[gofunction.Props](t, map[string]func(*gofunction.Props){
		"Package":             func(p *gofunction.Props) { p.Package = "../lambdas/whoami" },
		"Description":         func(p *gofunction.Props) { p.Description = "status" },
		"Environment":         func(p *gofunction.Props) { p.Environment = map[string]string{"MODE": "b"} },
		"MemoryMB":            func(p *gofunction.Props) { p.MemoryMB = 512 },
		"Timeout":             func(p *gofunction.Props) { p.Timeout = 20 * time.Second },
		"LogRetention":        func(p *gofunction.Props) { p.LogRetention = awslogs.RetentionDays_ONE_YEAR },
		"ReservedConcurrency": func(p *gofunction.Props) { p.ReservedConcurrency = 5 },
		"Files":               func(p *gofunction.Props) { p.Files = map[string][]byte{"rates.json": []byte("{}")} },
	}, func(*gofunction.Props) {}, func(change func(*gofunction.Props)) string {
		return text(t, declare(t, declareFunction(change)))
	})
}

// Each key of a stage file changes the templates or where they go.
func TestStageKeys(t *testing.T) {
	domain := func(zone, zoneID, api string) func(*stagefile.Stage) {
		return func(s *stagefile.Stage) { s.Domain = &stagefile.Domain{Zone: zone, ZoneID: zoneID, API: api} }
	}
	eachField[stagefile.Stage](t, map[string]func(*stagefile.Stage){
		"Name":                 func(s *stagefile.Stage) { s.Name = "other" },
		"Region":               func(s *stagefile.Stage) { s.Region = "eu-central-1" },
		"Account":              func(s *stagefile.Stage) { s.Account = "444455556666" },
		"Origins":              func(s *stagefile.Stage) { s.Origins = append(s.Origins, "https://www.example.com") },
		"Callbacks":            func(s *stagefile.Stage) { s.Callbacks = []string{"https://shop.example.com/other"} },
		"Logouts":              func(s *stagefile.Stage) { s.Logouts = []string{"https://shop.example.com/"} },
		"MobileCallbacks":      func(s *stagefile.Stage) { s.MobileCallbacks = []string{"com.example.shop:/callback"} },
		"SelfSignUp":           func(s *stagefile.Stage) { s.SelfSignUp = true },
		"TokenLifetime":        func(s *stagefile.Stage) { s.TokenLifetime = time.Hour },
		"RefreshTokenLifetime": func(s *stagefile.Stage) { s.RefreshTokenLifetime = 48 * time.Hour },
		"Retain":               func(s *stagefile.Stage) { s.Retain = false },
		"Throttle.Rate":        func(s *stagefile.Stage) { s.Throttle.Rate = 7 },
		"Throttle.Burst":       func(s *stagefile.Stage) { s.Throttle.Burst = 7 },
		"LogRetentionDays":     func(s *stagefile.Stage) { s.LogRetentionDays = 7 },
		"Domain.Zone":          domain("eu.example.com", "", "api.eu.example.com"),
		"Domain.ZoneID":        domain("example.com", "Z2", "api.eu.example.com"),
		"Domain.API":           domain("example.com", "", "www.example.com"),
	}, func(*stagefile.Stage) {}, func(change func(*stagefile.Stage)) string {
		s := aStage()
		s.Callbacks = []string{"https://shop.example.com/callback"}
		domain("example.com", "", "api.eu.example.com")(&s)
		change(&s)
		app := newApp(t)
		stacks.New(app, s)
		return text(t, synth(t, app)) + manifests(t, *app.Outdir())
	})
}

// manifests is what an assembly says beside its templates: the accounts and
// Regions that its stacks go to, and the hosted zones to look up.
func manifests(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"manifest.json", filepath.Join("assembly-*", "manifest.json")} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for line := range strings.Lines(string(readFile(t, file))) {
				if strings.Contains(line, `"environment"`) || strings.Contains(line, `"key": "hosted-zone:`) {
					all.WriteString(line)
				}
			}
		}
	}
	if all.Len() == 0 {
		t.Fatalf("no stack in %s", dir)
	}
	return all.String()
}
