package test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/constructs/userpool"
)

func users() userpool.Props {
	return userpool.Props{
		ResourceServers: []userpool.ResourceServer{
			{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders", "write": "Change orders"}},
			{ID: "https://stock.example.com", Scopes: userpool.Scopes{"read": "Read stock"}},
		},
		Clients: []userpool.Client{userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}}},
	}
}

func declareUsers(change func(*userpool.Props)) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		p := users()
		change(&p)
		userpool.New(stack, "Users", p)
	}
}

func asIs(*userpool.Props) {}

func TestUserPoolIsSafeByDefault(t *testing.T) {
	template := declare(t, declareUsers(asIs))
	pool := only(t, template, "AWS::Cognito::UserPool")
	for name, want := range map[string]string{
		"AdminCreateUserConfig":  `{"AllowAdminCreateUserOnly":true}`,
		"DeletionProtection":     `"ACTIVE"`,
		"UsernameAttributes":     `["email"]`,
		"UsernameConfiguration":  `{"CaseSensitive":false}`,
		"AccountRecoverySetting": `{"RecoveryMechanisms":[{"Name":"verified_email","Priority":1}]}`,
	} {
		if got := text(t, pool[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, resource := range ofType(template, "AWS::Cognito::UserPool") {
		if resource["DeletionPolicy"] != "Retain" || resource["UpdateReplacePolicy"] != "Retain" {
			t.Error("the pool goes with its stack")
		}
	}
}

func TestUserPoolMachineClient(t *testing.T) {
	template := declare(t, declareUsers(asIs))
	client := only(t, template, "AWS::Cognito::UserPoolClient")
	for name, want := range map[string]string{
		"AccessTokenValidity":             `15`,
		"AllowedOAuthFlows":               `["client_credentials"]`,
		"AllowedOAuthFlowsUserPoolClient": `true`,
		"AllowedOAuthScopes":              `["orders/read"]`,
		"ClientName":                      `"billing"`,
		"EnableTokenRevocation":           `true`,
		"ExplicitAuthFlows":               `["ALLOW_REFRESH_TOKEN_AUTH"]`,
		"GenerateSecret":                  `true`,
		"PreventUserExistenceErrors":      `"ENABLED"`,
		"TokenValidityUnits":              `{"AccessToken":"minutes"}`,
		"CallbackURLs":                    `null`,
	} {
		if got := text(t, client[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	// Cognito refuses a client whose scopes are not defined yet.
	for _, resource := range ofType(template, "AWS::Cognito::UserPoolClient") {
		waits := text(t, resource["DependsOn"])
		if !strings.Contains(waits, "ResourceServerorders") || strings.Contains(waits, "stock") {
			t.Errorf("the client waits for %s, want the resource server of its scopes alone", waits)
		}
	}
	for _, banned := range []string{"example.com/callback", `"https://example.com"`, "implicit", "aws.cognito.signin.user.admin"} {
		if strings.Contains(text(t, template), banned) {
			t.Errorf("%s appears in the template", banned)
		}
	}
}

// The default prefix follows from the stack's id: nobody else can have it, and
// it stays as long as the stack does.
func TestUserPoolDomainPrefix(t *testing.T) {
	prefix := text(t, only(t, declare(t, declareUsers(asIs)), "AWS::Cognito::UserPoolDomain")["Domain"])
	if !strings.Contains(prefix, `{"Fn::Select":[2,{"Fn::Split":["/",{"Ref":"AWS::StackId"}]}]}`) {
		t.Errorf("the prefix %s does not follow from the stack's id", prefix)
	}
	two := declare(t, func(stack awscdk.Stack) {
		userpool.New(stack, "Users", users())
		userpool.New(stack, "Staff", users())
	})
	seen := map[string]bool{}
	for _, domain := range ofType(two, "AWS::Cognito::UserPoolDomain") {
		seen[text(t, domain["Properties"].(object)["Domain"])] = true
	}
	if len(seen) != 2 {
		t.Error("two pools of one stack share a prefix")
	}
}

// Each field of Props changes the template.
func TestUserPoolProblems(t *testing.T) {
	machine := func(name string, scopes ...string) func(*userpool.Props) {
		return func(p *userpool.Props) { p.Clients = append(p.Clients, userpool.Machine{Name: name, Scopes: scopes}) }
	}
	server := func(id string, scopes userpool.Scopes) func(*userpool.Props) {
		return func(p *userpool.Props) {
			p.ResourceServers = append(p.ResourceServers, userpool.ResourceServer{ID: id, Scopes: scopes})
		}
	}
	read := userpool.Scopes{"read": "Read"}
	tests := []struct {
		name   string
		change func(*userpool.Props)
		want   string
	}{
		{"unknown scope", machine("m", "orders/erase"), `Shop/Users: Clients[1] "m": unknown scope "orders/erase"; the resource servers define ["https://stock.example.com/read" "orders/read" "orders/write"]`},
		{"administrative scope", machine("m", "aws.cognito.signin.user.admin"), `unknown scope "aws.cognito.signin.user.admin"`},
		{"no scopes", machine("m"), `Clients[1] "m": 0 scopes; Cognito takes 1 to 50`},
		{"no name", machine("", "orders/read"), `Clients[1] "": malformed Name`},
		{"name twice", machine("billing", "orders/read"), `Clients[1] "billing": Name twice`},
		{"nil client", func(p *userpool.Props) { p.Clients = append(p.Clients, nil) }, "Clients[1]: nil"},
		{"server twice", server("orders", read), `ResourceServers[2] "orders": ID twice`},
		{"malformed server", server("or ders", read), `ResourceServers[2] "or ders": malformed ID`},
		{"server without scopes", server("x", nil), `ResourceServers[2] "x": 0 scopes`},
		{"scope with its server", server("x", userpool.Scopes{"x/read": "Read"}), `malformed scope "x/read"`},
		{"scope without a description", server("x", userpool.Scopes{"read": ""}), `scope "read" has a description of 0 characters; Cognito takes 1 to 256`},
		{"scope with a long description", server("x", userpool.Scopes{"read": strings.Repeat("é", 257)}), `scope "read" has a description of 257 characters`},
		{"lifetime too short", func(p *userpool.Props) { p.AccessTokenLifetime = time.Minute }, "AccessTokenLifetime is 1m0s; Cognito takes whole minutes from 5m to 24h"},
		{"lifetime too long", func(p *userpool.Props) { p.AccessTokenLifetime = 25 * time.Hour }, "AccessTokenLifetime is 25h0m0s"},
		{"lifetime in part minutes", func(p *userpool.Props) { p.AccessTokenLifetime = 6*time.Minute + time.Second }, "AccessTokenLifetime is 6m1s"},
		{"half a removal policy", func(p *userpool.Props) { p.RemovalPolicy = awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE }, "RemovalPolicy is RETAIN_ON_UPDATE_OR_DELETE; RETAIN or DESTROY"},
		{"malformed prefix", func(p *userpool.Props) { p.DomainPrefix = "Shop" }, `DomainPrefix is "Shop"; 1 to 63 lower-case letters`},
		{"reserved prefix", func(p *userpool.Props) { p.DomainPrefix = "my-aws-shop" }, `DomainPrefix is "my-aws-shop"; Cognito reserves the word "aws"`},
		{"every problem at once", func(p *userpool.Props) {
			machine("m", "x/y")(p)
			p.DomainPrefix = "Shop"
		}, "unknown scope \"x/y\"; the resource servers define [\"https://stock.example.com/read\" \"orders/read\" \"orders/write\"]\nDomainPrefix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareUsers(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}
