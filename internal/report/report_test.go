package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

func load(t *testing.T, path string) *report.Report {
	t.Helper()
	a, err := assembly.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report.New(m)
}

// Each template of testdata has its report beside it, in every format.
func TestGolden(t *testing.T) {
	t.Parallel()
	templates, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatal(templates, err)
	}
	for _, path := range templates {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			r := load(t, path)
			for extension, write := range map[string]func(io.Writer) error{
				"txt":  func(w io.Writer) error { return r.Text(w, report.TextOptions{}) },
				"json": r.JSON,
				"md":   r.Markdown,
			} {
				var out bytes.Buffer
				if err := write(&out); err != nil {
					t.Fatal(err)
				}
				compare(t, strings.TrimSuffix(path, "yaml")+extension, out.Bytes())
			}
		})
	}
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if bytes.Contains(got, []byte("planted")) {
		t.Error("the report shows a key's value")
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and read the difference. Got:\n%s", golden, got)
	}
}

// The JSON form is what docs/reference/report.schema.json says.
func TestSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/reference/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	reports, err := filepath.Glob("testdata/*.json")
	if err != nil || len(reports) == 0 {
		t.Fatal(reports, err)
	}
	for _, path := range reports {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The schema knows every member of the form, so a new one cannot be forgotten
// there.
func TestSchemaIsComplete(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/reference/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any `json:"properties"`
		Defs       map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for _, of := range []any{report.Report{}, report.Stage{}, report.Caller{}, report.API{}, report.Route{}, report.Access{}, report.Limit{}, report.Validation{}, report.Target{}, report.Problem{}} {
		kind := reflect.TypeOf(of)
		properties := schema.Properties
		if kind != reflect.TypeFor[report.Report]() {
			properties = schema.Defs[strings.ToLower(kind.Name())].Properties
		}
		members := 0
		for i := range kind.NumField() {
			if !kind.Field(i).IsExported() {
				continue // no part of the JSON
			}
			members++
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if properties[name] == nil {
				t.Errorf("%s.%s is not in the schema", kind.Name(), name)
			}
		}
		if len(properties) != members {
			t.Errorf("%s has %d members, the schema %d", kind.Name(), members, len(properties))
		}
	}
}

// What routes may stand behind is said before the routes that are known.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	m := shop(1)
	for hides, want := range map[bool]string{
		false: "Stage dev   eu-west-1, account 111122223333\n\nREST",
		true:  "Stage dev   eu-west-1, account 111122223333\nIncomplete   1 part of the template not understood: there may be more routes and\n             callers. See the end.\n\nREST",
	} {
		m.NotUnderstood = []assembly.Problem{{Path: "dev/Loop", Text: "a loop", Decides: true, Hides: hides}}
		var text, markdown bytes.Buffer
		if err := errors.Join(report.New(m).Text(&text, report.TextOptions{}), report.New(m).Markdown(&markdown)); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text.String(), want) || strings.Contains(markdown.String(), "**Incomplete:** 1 part of the template") != hides {
			t.Errorf("hides %t: %s%s", hides, text.String()[:160], markdown.String()[:160])
		}
	}
}

// No line is wider than asked for, however many callers there are.
func TestWidth(t *testing.T) {
	t.Parallel()
	r := load(t, "testdata/shop.yaml")
	for _, width := range []int{60, 80, 132, 200} {
		var out bytes.Buffer
		if err := r.Text(&out, report.TextOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("width %d: %q", width, line)
			}
		}
	}
}

// What a template's texts hold never steers a terminal.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	m := shop(2)
	m.RestAPIs[0].Name = "shop\x1b]0;title\x07\x9b2J\r\x1b[5m"
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		if err := report.New(m).Text(&out, report.TextOptions{Colour: colour}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if strings.ContainsAny(text, "\x07\u009b\r") || strings.Contains(text, "\x1b]") || strings.Contains(text, "\x1b[") != colour {
			t.Errorf("colour %t: %q", colour, text)
		}
	}
}

// shop has n routes of every kind, six clients, guests and roles.
func shop(n int) *assembly.Model {
	m := &assembly.Model{Stage: "dev", Region: "eu-west-1", Account: "111122223333"}
	place := func(path string) assembly.Place {
		return assembly.Place{Stack: "Api", LogicalID: path, Path: "dev/" + path}
	}
	pool := &assembly.UserPool{Place: place("Users"), ARN: "arn:pool", Issuer: "https://issuer"}
	for i := range 6 {
		pool.Clients = append(pool.Clients, assembly.UserPoolClient{
			Place: place(fmt.Sprint("Client", i)), ID: fmt.Sprint(i), OAuth: true, Flows: []string{"code"}, Scopes: []string{fmt.Sprint("orders/", i)},
		})
	}
	m.UserPools = []*assembly.UserPool{pool}
	for i := range 20 {
		m.Roles = append(m.Roles, &assembly.Role{
			Place: place(fmt.Sprint("Role", i)), ARN: fmt.Sprint("arn:aws:iam::111122223333:role/r", i),
			Policies: []assembly.Policy{{Statements: []iam.Statement{{
				Effect: iam.Allow, Actions: []string{"execute-api:Invoke"},
				Resources: []string{fmt.Sprintf("arn:aws:execute-api:*:*:abc/*/GET/r%d*", i), fmt.Sprintf("arn:aws:execute-api:*:*:abc/live/*/r%d/*", i)},
			}}}},
		})
	}
	api := &assembly.RestAPI{Place: place("API"), ID: "abc", Name: "shop", Region: m.Region, Account: m.Account, Stages: []assembly.APIStage{{Name: "live"}, {Name: "test"}}}
	users := &assembly.Authorizer{Place: place("API"), Name: "Users", Type: assembly.AuthorizerCognito, ProviderARNs: []string{pool.ARN}}
	for i := range n {
		r := assembly.Route{Place: place("API"), Method: "GET", Path: fmt.Sprintf("/r%d/{id}", i), Integration: assembly.Integration{Type: assembly.IntegrationMock}}
		switch i % 3 {
		case 0:
			r.Authorization = assembly.Authorization{Type: assembly.AuthorizationCognito, Scopes: []string{fmt.Sprint("orders/", i%6)}, Authorizer: users}
		case 1:
			r.Authorization = assembly.Authorization{Type: assembly.AuthorizationIAM}
		default:
			r.Authorization = assembly.Authorization{Type: assembly.AuthorizationNone}
		}
		api.Routes = append(api.Routes, r)
	}
	m.RestAPIs = []*assembly.RestAPI{api}
	return m
}

// callers returns who may call a route, with "?" behind whom only on conditions.
func callers(r report.Route) []string {
	out := []string{}
	for _, a := range r.Access {
		caller := a.Caller
		if a.Conditional {
			caller += "?"
		}
		out = append(out, strings.Join(append([]string{caller}, a.Stages...), " in "))
	}
	return out
}

// Who holds which token may call which route.
func TestTokens(t *testing.T) {
	t.Parallel()
	client := func(name string, change func(*assembly.UserPoolClient)) assembly.UserPoolClient {
		c := assembly.UserPoolClient{Place: assembly.Place{Path: name}, ID: name, AuthFlows: []string{"ALLOW_REFRESH_TOKEN_AUTH"}}
		change(&c)
		return c
	}
	pool := &assembly.UserPool{Place: assembly.Place{Path: "Users"}, ARN: "arn:pool", Issuer: "https://issuer", Clients: []assembly.UserPoolClient{
		client("site", func(c *assembly.UserPoolClient) {
			c.OAuth, c.Flows, c.Scopes = true, []string{"code"}, []string{"openid", "orders/read"}
		}),
		client("blind", func(c *assembly.UserPoolClient) {
			c.OAuth, c.Flows, c.Scopes = true, []string{"implicit"}, []string{"orders/read"}
		}),
		client("machine", func(c *assembly.UserPoolClient) {
			c.OAuth, c.HasSecret, c.Flows, c.Scopes = true, true, []string{"client_credentials"}, []string{"orders/read", "orders/write"}
		}),
		client("keyless", func(c *assembly.UserPoolClient) {
			c.OAuth, c.Flows, c.Scopes = true, []string{"client_credentials"}, []string{"orders/read"}
		}),
		client("off", func(c *assembly.UserPoolClient) {
			c.Flows, c.Scopes = []string{"code"}, []string{"openid", "orders/read"}
		}),
		client("direct", func(c *assembly.UserPoolClient) { c.AuthFlows = []string{"ALLOW_USER_SRP_AUTH"} }),
	}}
	cognito := &assembly.Authorizer{Type: assembly.AuthorizerCognito, ProviderARNs: []string{"arn:pool"}}
	foreign := &assembly.Authorizer{Type: assembly.AuthorizerCognito, ProviderARNs: []string{"arn:aws:cognito-idp:eu-west-1:1:userpool/theirs"}}
	jwt := &assembly.Authorizer{Type: assembly.AuthorizerJWT, Issuer: "https://issuer", Audiences: []string{"site", "machine"}}
	tests := []struct {
		name string
		assembly.Authorization
		want []string
	}{
		{"a scope", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"orders/read"}}, []string{"client:site", "client:blind", "client:machine"}},
		{"one of two scopes", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"orders/write", "stock/write"}}, []string{"client:machine"}},
		{"nobody's scope", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"orders/admin"}}, []string{}},
		{"the administrative scope", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"aws.cognito.signin.user.admin"}}, []string{"client:direct"}},
		{"an ID token", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito}, []string{"client:site", "client:direct"}},
		{"another pool", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: foreign}, []string{"issuer:arn:aws:cognito-idp:eu-west-1:1:userpool/theirs?"}},
		{"no authorizer", assembly.Authorization{Type: "COGNITO_USER_POOLS"}, []string{"issuer?"}},
		{"a JWT", assembly.Authorization{Type: "JWT", Authorizer: jwt}, []string{"client:site", "client:machine"}},
		{"a JWT with a scope", assembly.Authorization{Type: "JWT", Authorizer: jwt, Scopes: []string{"orders/write"}}, []string{"client:machine"}},
		{"a JWT of others", assembly.Authorization{Type: "JWT", Authorizer: &assembly.Authorizer{Type: assembly.AuthorizerJWT, Issuer: "https://theirs"}}, []string{"issuer:https://theirs?"}},
		{"a Lambda authorizer", assembly.Authorization{Type: "CUSTOM", Authorizer: &assembly.Authorizer{Name: "Callers", Place: assembly.Place{Path: "API"}}}, []string{"authorizer:API:Callers?"}},
		{"nothing", assembly.Authorization{Type: "NONE"}, []string{"anyone"}},
		{"what is not understood", assembly.Authorization{}, []string{"anyone?"}},
		{"no pool that is known", assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: &assembly.Authorizer{Type: assembly.AuthorizerCognito}}, []string{"issuer?"}},
		{"a JWT of nobody knows whom", assembly.Authorization{Type: "JWT", Authorizer: &assembly.Authorizer{Type: assembly.AuthorizerJWT}}, []string{"issuer?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &assembly.Model{UserPools: []*assembly.UserPool{pool}, RestAPIs: []*assembly.RestAPI{{Routes: []assembly.Route{{Method: "GET", Path: "/", Authorization: tt.Authorization}}}}}
			if got := callers(report.New(m).Stages[0].APIs[0].Routes[0]); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Where a template leaves a client or a route open, the client may call on
// conditions. What is known of it stays.
func TestUnknown(t *testing.T) {
	t.Parallel()
	place := func(path string) assembly.Place { return assembly.Place{Path: path} }
	client := assembly.UserPoolClient{Place: place("C"), ID: "c", OAuth: true, HasSecret: true, Flows: []string{"code"}, Scopes: []string{"orders/read"}}
	without := func(change func(*assembly.UserPoolClient)) assembly.UserPoolClient { c := client; change(&c); return c }
	cognito := &assembly.Authorizer{Place: place("A"), Type: assembly.AuthorizerCognito, ProviderARNs: []string{"arn:pool"}}
	jwt := &assembly.Authorizer{Place: place("A"), Type: assembly.AuthorizerJWT, Issuer: "https://issuer"}
	read := assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"orders/read"}}
	write := assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"orders/write"}}
	admin := assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito, Scopes: []string{"aws.cognito.signin.user.admin"}}
	tests := []struct {
		name    string
		client  assembly.UserPoolClient
		asks    assembly.Authorization
		at      string // place of what is not known
		unknown string
		want    []string
	}{
		{"nothing", client, write, "", "", []string{}},
		{"a scope", client, write, "C", "AllowedOAuthScopes", []string{"client:C?"}},
		{"another scope", client, read, "C", "AllowedOAuthScopes", []string{"client:C"}},
		{"its flows", without(func(c *assembly.UserPoolClient) { c.Flows = nil }), read, "C", "AllowedOAuthFlows", []string{"client:C?"}},
		{"its flows, without the scope", without(func(c *assembly.UserPoolClient) { c.Flows = nil }), write, "C", "AllowedOAuthFlows", []string{}},
		{"whether it has flows", without(func(c *assembly.UserPoolClient) { c.OAuth = false }), read, "C", "AllowedOAuthFlowsUserPoolClient", []string{"client:C?"}},
		{"whether it has a secret", without(func(c *assembly.UserPoolClient) { c.HasSecret, c.Flows = false, []string{"client_credentials"} }), read, "C", "GenerateSecret", []string{"client:C?"}},
		{"its sign-ins", client, admin, "C", "ExplicitAuthFlows", []string{"client:C?"}},
		{"a scope of the route", client, write, "R", "AuthorizationScopes", []string{"client:C?"}},
		{"another scope of the route", client, read, "R", "AuthorizationScopes", []string{"client:C"}},
		{"every scope of the route", client, assembly.Authorization{Type: "COGNITO_USER_POOLS", Authorizer: cognito}, "R", "AuthorizationScopes", []string{"client:C?"}},
		{"a pool", client, write, "A", "ProviderARNs", []string{"issuer?"}},
		{"whose client another is", client, write, "S", "UserPoolId", []string{"issuer?"}},
		{"the audience", client, assembly.Authorization{Type: "JWT", Authorizer: jwt, Scopes: []string{"orders/read"}}, "A", "JwtConfiguration", []string{"client:C?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &assembly.Model{
				UserPools: []*assembly.UserPool{{Place: place("Users"), ARN: "arn:pool", Issuer: "https://issuer", Clients: []assembly.UserPoolClient{tt.client}}},
				RestAPIs:  []*assembly.RestAPI{{Routes: []assembly.Route{{Place: place("R"), Method: "GET", Path: "/", Authorization: tt.asks}}}},
				Resources: []*assembly.Resource{{Place: place("S"), Type: "AWS::Cognito::UserPoolClient"}},
				Unknown:   map[assembly.Place][]string{place(tt.at): {tt.unknown}},
			}
			if got := callers(report.New(m).Stages[0].APIs[0].Routes[0]); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Gatewright's own Lambda authorizer says whose tokens it takes.
func TestRules(t *testing.T) {
	t.Parallel()
	m := shop(1)
	route := &m.RestAPIs[0].Routes[0]
	for name, tt := range map[string]struct {
		rules   *assembly.CallerRules
		want    []string
		clients []string
	}{
		"not known":         {nil, []string{"authorizer:dev/API:Users?"}, nil},
		"nobody":            {&assembly.CallerRules{}, []string{}, nil},
		"one of two":        {tokens(assembly.TokenRule{Scopes: []string{"orders/1", "orders/2"}, Clients: []string{"b"}, ClientIDs: []string{"1"}}), []string{"client:dev/Client1"}, []string{"b"}},
		"without the scope": {tokens(assembly.TokenRule{Scopes: []string{"orders/2"}, Clients: []string{"b"}, ClientIDs: []string{"1"}}), []string{}, []string{"b"}},
		"any client":        {tokens(assembly.TokenRule{Scopes: []string{"orders/1"}, Issuers: []string{m.UserPools[0].Issuer}}), []string{"client:dev/Client1"}, nil},
		"another issuer's":  {tokens(assembly.TokenRule{Scopes: []string{"orders/1"}, Issuers: []string{"https://other"}}), []string{}, nil},
		"customers":         {&assembly.CallerRules{Key: []string{"orders/1"}}, []string{"customer"}, nil},
		"customers, or one": {&assembly.CallerRules{Key: []string{"x/y"}, Tokens: []assembly.TokenRule{{Scopes: []string{"orders/1"}, Clients: []string{"b"}, ClientIDs: []string{"1"}}}}, []string{"customer", "client:dev/Client1"}, []string{"b"}},
	} {
		route.Authorization = assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: route.Authorization.Authorizer, Rules: tt.rules}
		got := report.New(m).Stages[0].APIs[0].Routes[0]
		if list := callers(got); !reflect.DeepEqual(list, tt.want) || !reflect.DeepEqual(got.Clients, tt.clients) {
			t.Errorf("%s: %v, %v", name, list, got.Clients)
		}
		if tt.rules != nil && !reflect.DeepEqual(got.KeyScopes, tt.rules.Key) {
			t.Errorf("%s: keys with %v", name, got.KeyScopes)
		}
		asked := map[string]string{
			"not known": "what its Lambda authorizer decides", "nobody": "what nobody has: its Lambda authorizer has no rule for it",
			"any client": "an access token with scope orders/1,", "one of two": "an access token with any scope of orders/1, orders/2, of the client b,",
			"customers": "a customer's key with scope orders/1,", "customers, or one": "an access token with scope orders/1, of the client b, or a customer's key with scope x/y,",
		}[name]
		var text strings.Builder
		if err := report.New(m).Text(&text, report.TextOptions{Width: 300}); err != nil || !strings.Contains(text.String(), "asks for     "+asked) {
			t.Errorf("%s: got %s, %v", name, text.String(), err)
		}
	}
}

func tokens(rule assembly.TokenRule) *assembly.CallerRules {
	return &assembly.CallerRules{Tokens: []assembly.TokenRule{rule}}
}

// A key is asked for besides, and makes a caller only where nothing else is
// asked.
func TestKeys(t *testing.T) {
	t.Parallel()
	m := shop(3)
	for i := range m.RestAPIs[0].Routes {
		m.RestAPIs[0].Routes[i].APIKeyRequired = true
	}
	on := func(stage string) []assembly.UsagePlanStage {
		return []assembly.UsagePlanStage{{APIID: "abc", Stage: stage, Throttles: map[string]assembly.Throttle{"GET /r2/{id}": {}}}}
	}
	open := on("live")
	open[0].Throttles = nil
	tests := map[string]struct {
		plan           assembly.UsagePlan
		enabled        bool
		token, keyOnly []string
	}{
		"a key on a plan":           {assembly.UsagePlan{Stages: open, KeyIDs: []string{"k"}}, true, []string{"client:dev/Client0"}, []string{"key"}},
		"a disabled key":            {assembly.UsagePlan{Stages: open, KeyIDs: []string{"k"}}, false, []string{"client:dev/Client0?"}, []string{"key?"}},
		"no key yet":                {assembly.UsagePlan{Stages: open}, true, []string{"client:dev/Client0?"}, []string{"key?"}},
		"another stage":             {assembly.UsagePlan{Stages: on("other"), KeyIDs: []string{"k"}}, true, []string{}, []string{}},
		"a stage that is not known": {assembly.UsagePlan{KeyIDs: []string{"k"}}, true, []string{"client:dev/Client0?"}, []string{"key?"}},
		"a quota of nothing":        {assembly.UsagePlan{Stages: open, KeyIDs: []string{"k"}, Quota: &assembly.Quota{Period: "DAY"}}, true, []string{}, []string{}},
		"nothing a second":          {assembly.UsagePlan{Stages: open, KeyIDs: []string{"k"}, Throttle: &assembly.Throttle{Burst: 1}}, true, []string{}, []string{}},
		"nothing of a method":       {assembly.UsagePlan{Stages: on("live"), KeyIDs: []string{"k"}}, true, []string{"client:dev/Client0"}, []string{}},
	}
	m.Unknown = map[assembly.Place][]string{{Path: "dev/Open"}: {"ApiStages"}}
	for name, test := range tests {
		m.APIKeys = []*assembly.APIKey{{ID: "k", Enabled: test.enabled}}
		test.plan.Place = assembly.Place{Path: "dev/Basic/Resource"}
		if name == "a stage that is not known" {
			test.plan.Place = assembly.Place{Path: "dev/Open"}
		}
		m.UsagePlans = []*assembly.UsagePlan{&test.plan}
		routes := report.New(m).Stages[0].APIs[0].Routes
		if got := callers(routes[0]); !reflect.DeepEqual(got, test.token) || !routes[0].KeyRequired {
			t.Errorf("%s: a token and a key: %v", name, got)
		}
		if got := callers(routes[2]); !reflect.DeepEqual(got, test.keyOnly) {
			t.Errorf("%s: a key alone: %v", name, got)
		}
		if limits := routes[2].Limits; !strings.Contains(name, "stage") && (len(limits) != 1 || limits[0].Name != "Basic") {
			t.Errorf("%s: limits %v", name, limits)
		}
	}
}

// What policies say of signed calls, with every request of a route in mind.
func TestSigned(t *testing.T) {
	t.Parallel()
	const here = "111122223333"
	invoke := func(resource string) iam.Statement {
		return iam.Statement{Effect: iam.Allow, Actions: []string{"execute-api:Invoke"}, Resources: []string{"arn:aws:execute-api:eu-west-1:" + here + ":" + resource}}
	}
	everybody := map[string][]string{"*": {"*"}}
	tests := []struct {
		name         string
		method, path string
		account      string
		own, policy  []iam.Statement
		want         []string
	}{
		{"allowed", "GET", "/orders/{id}", here, []iam.Statement{invoke("abc/*/GET/orders/*")}, nil, []string{"role:R", "signed?"}},
		{"in one stage", "GET", "/orders/{id}", here, []iam.Statement{invoke("abc/live/GET/orders/*")}, nil, []string{"role:R in live", "signed?"}},
		{"one order", "GET", "/orders/{id}", here, []iam.Statement{invoke("abc/*/GET/orders/7")}, nil, []string{"role:R?", "signed?"}},
		{"one method of all", "ANY", "/orders", here, []iam.Statement{invoke("abc/*/GET/orders")}, nil, []string{"role:R?", "signed?"}},
		{"below a greedy path", "GET", "/files/{path+}", here, []iam.Statement{invoke("abc/*/GET/files/a/b")}, nil, []string{"role:R?", "signed?"}},
		{"deeper than the path", "GET", "/orders/{id}", here, []iam.Statement{invoke("abc/live/GET/orders/7/lines")}, nil, []string{"signed?"}},
		{"another route", "GET", "/orders", here, []iam.Statement{invoke("abc/*/GET/stock")}, nil, []string{"signed?"}},
		{"denied", "GET", "/orders", here, []iam.Statement{invoke("abc/*"), {Effect: iam.Deny, Actions: []string{"*"}, Resources: []string{"*"}}}, nil, []string{"signed?"}},
		{"over TLS", "GET", "/", here, []iam.Statement{
			invoke("abc/*"),
			{Effect: iam.Deny, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}}},
		}, nil, []string{"role:R", "signed?"}},
		{"by the API's policy", "GET", "/", here, nil, []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Principals: everybody}}, []string{"role:R", "signed?"}},
		{"from another account, by its own", "GET", "/", "999988887777", []iam.Statement{invoke("abc/*")}, nil, []string{"signed?"}},
		{"from another account, by both", "GET", "/", "999988887777", []iam.Statement{invoke("abc/*")},
			[]iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Principals: everybody}}, []string{"role:R", "signed?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &assembly.Model{
				Region: "eu-west-1", Account: here,
				Roles: []*assembly.Role{{Place: assembly.Place{Path: "R"}, ARN: "arn:aws:iam::" + tt.account + ":role/r", Policies: []assembly.Policy{{Statements: tt.own}}}},
				RestAPIs: []*assembly.RestAPI{{
					Region: "eu-west-1", Account: here,
					ID: "abc", Stages: []assembly.APIStage{{Name: "live"}, {Name: "test"}}, Policy: tt.policy,
					Routes: []assembly.Route{{Method: tt.method, Path: tt.path, Authorization: assembly.Authorization{Type: "AWS_IAM"}}},
				}},
			}
			if got := callers(report.New(m).Stages[0].APIs[0].Routes[0]); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A guest signs as a role that nobody else is.
func TestGuests(t *testing.T) {
	t.Parallel()
	m := shop(2)
	m.IdentityPools = []*assembly.IdentityPool{{Place: assembly.Place{Path: "dev/Visitors"}, Guests: true, GuestRoleARN: m.Roles[1].ARN}}
	if got, want := callers(report.New(m).Stages[0].APIs[0].Routes[1]), []string{"guest:dev/Visitors", "signed?"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	m.IdentityPools[0].Guests = false
	if got, want := callers(report.New(m).Stages[0].APIs[0].Routes[1]), []string{"role:dev/Role1", "signed?"}; !reflect.DeepEqual(got, want) {
		t.Errorf("without guests: got %v, want %v", got, want)
	}
}

// An API's policy bounds those who do not sign, too.
func TestResourcePolicy(t *testing.T) {
	t.Parallel()
	everything := func(effect string, conditions map[string]map[string][]string) iam.Statement {
		return iam.Statement{Effect: effect, Actions: []string{"*"}, Resources: []string{"*"}, Principals: map[string][]string{"*": {"*"}}, Conditions: conditions}
	}
	office := map[string]map[string][]string{"NotIpAddress": {"aws:SourceIp": {"192.0.2.0/24"}}}
	for name, tt := range map[string]struct {
		policy []iam.Statement
		want   []string
	}{
		"none":         {nil, []string{"anyone"}},
		"open":         {[]iam.Statement{everything(iam.Allow, nil)}, []string{"anyone"}},
		"one network":  {[]iam.Statement{everything(iam.Allow, nil), everything(iam.Deny, office)}, []string{"anyone?"}},
		"closed":       {[]iam.Statement{everything(iam.Allow, nil), everything(iam.Deny, nil)}, []string{}},
		"says nothing": {[]iam.Statement{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := shop(3)
			m.RestAPIs[0].Policy = tt.policy
			if got := callers(report.New(m).Stages[0].APIs[0].Routes[2]); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Ids are the same each time and unique, so that two reports can be compared.
func TestIDs(t *testing.T) {
	t.Parallel()
	first, again := load(t, "testdata/shop.yaml"), load(t, "testdata/shop.yaml")
	if !reflect.DeepEqual(first, again) {
		t.Error("the same template gave two reports")
	}
	var ids []string
	for _, c := range first.Stages[0].Callers {
		ids = append(ids, c.ID)
	}
	for _, api := range first.Stages[0].APIs {
		ids = append(ids, api.ID)
		for _, r := range api.Routes {
			ids = append(ids, api.ID+" "+r.ID)
		}
	}
	slices.Sort(ids)
	if n := len(ids); len(slices.Compact(ids)) != n {
		t.Error("an id stands twice")
	}
}

// signed has n routes with AWS_IAM, each granted by its own ARN to one of some
// roles.
func signed(n, roles int, grant, method string) *assembly.Model {
	m := &assembly.Model{Stage: "dev", Region: "eu-west-1", Account: "111122223333"}
	api := &assembly.RestAPI{ID: "abc", Name: "shop", Region: m.Region, Account: m.Account, Stages: []assembly.APIStage{{Name: "live"}}}
	for i := range roles {
		m.Roles = append(m.Roles, &assembly.Role{
			Place: assembly.Place{Path: fmt.Sprint("Role", i)}, ARN: fmt.Sprint("arn:aws:iam::111122223333:role/r", i), Policies: []assembly.Policy{{}},
		})
	}
	for i := range n {
		api.Routes = append(api.Routes, assembly.Route{Method: method, Path: fmt.Sprintf("/r%d/{id}", i), Authorization: assembly.Authorization{Type: assembly.AuthorizationIAM}})
		own := &m.Roles[i%roles].Policies[0]
		own.Statements = append(own.Statements, iam.Statement{
			Effect: iam.Allow, Actions: []string{"execute-api:Invoke"}, Resources: []string{"arn:aws:execute-api:eu-west-1:111122223333:abc/" + fmt.Sprintf(grant, i)},
		})
	}
	m.RestAPIs = []*assembly.RestAPI{api}
	return m
}

// The work grows with the routes, and not with routes times grants: four times
// as many take about four times the memory, where each with each would take
// sixteen times.
func TestWorkGrowsWithRoutes(t *testing.T) { // not in parallel: it counts what is allocated
	for _, form := range [][2]string{{"live/GET/r%d/*", "GET"}, {"*/GET/r%d/*", "GET"}, {"live/*/r%d/*", "ANY"}} {
		for _, roles := range []int{1, 20} {
			takes := func(n int) float64 {
				m := signed(n, roles, form[0], form[1])
				if got := report.New(m).Stages[0].APIs[0].Routes[n-1].Access; len(got) != 2 {
					t.Fatalf("%v: the last route lets %v pass", form, got)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				report.New(m)
				runtime.ReadMemStats(&after)
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			if few, many := takes(100), takes(400); many > 8*few {
				t.Errorf("%v, %d roles: %.0f bytes for 100 routes, %.0f for 400", form, roles, few, many)
			}
		}
	}
}

// BenchmarkReport is of 1,000 routes: the matrix and all three formats.
func BenchmarkReport(b *testing.B) {
	m := shop(1000)
	for b.Loop() {
		r := report.New(m)
		for _, err := range []error{r.Text(io.Discard, report.TextOptions{}), r.JSON(io.Discard), r.Markdown(io.Discard)} {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
