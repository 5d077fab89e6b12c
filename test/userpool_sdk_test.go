package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/assembly"
)

// sdkApp signs its users in itself.
var sdkApp = userpool.Mobile{
	Name: "sdk", Scopes: []string{"openid", "orders/read", "orders/write"}, Callbacks: []string{"com.example.shop:/callback"}, SRP: true,
}

// An app that signs users in itself proves a password without sending it, and
// refreshes as SDKs do; no client is allowed more.
func TestSRP(t *testing.T) {
	page := website
	page.SRP = true
	clients := clientsByName(declare(t, declareUsers(func(p *userpool.Props) {
		p.Clients = []userpool.Client{sdkApp, page, app, office}
	})))
	for name, want := range map[string]string{
		"sdk":     `["ALLOW_USER_SRP_AUTH","ALLOW_REFRESH_TOKEN_AUTH"]`,
		"website": `["ALLOW_USER_SRP_AUTH","ALLOW_REFRESH_TOKEN_AUTH"]`,
		"app":     `["ALLOW_CUSTOM_AUTH"]`,
		"office":  `["ALLOW_REFRESH_TOKEN_AUTH"]`,
	} {
		if got := text(t, clients[name]["ExplicitAuthFlows"]); got != want {
			t.Errorf("%s signs users in by %s, want %s", name, got, want)
		}
		// Cognito refuses a client with both.
		rotates := clients[name]["RefreshTokenRotation"] != nil
		if rotates != (name == "app") {
			t.Errorf("%s rotates refresh tokens: %v", name, rotates)
		}
	}
	for _, name := range []string{"sdk", "website"} {
		for property, want := range map[string]string{
			"GenerateSecret": `false`, "AllowedOAuthFlows": `["code"]`, "EnableTokenRevocation": `true`, "PreventUserExistenceErrors": `"ENABLED"`,
		} {
			if got := text(t, clients[name][property]); got != want {
				t.Errorf("%s: %s is %s, want %s", name, property, got, want)
			}
		}
	}
}

// The trigger is told scopes and no client: it could not be without a circle.
func TestSDKScopes(t *testing.T) {
	for name, tt := range map[string]struct {
		claims []string
		want   string
	}{
		"scopes alone": {nil, `{"Variables":{"SDK_SCOPES":"orders/read orders/write"}}`},
		"with claims":  {[]string{"email"}, `{"Variables":{"ACCESS_TOKEN_CLAIMS":"email","SDK_SCOPES":"orders/read orders/write"}}`},
	} {
		template := declare(t, declareUsers(func(p *userpool.Props) {
			p.Clients = append(p.Clients, sdkApp)
			p.SDKScopes, p.AccessTokenClaims = []string{"orders/read", "orders/write"}, tt.claims
		}))
		if got := text(t, only(t, template, "AWS::Lambda::Function")["Environment"]); got != tt.want {
			t.Errorf("%s: the function is told %s, want %s", name, got, tt.want)
		}
		trigger := text(t, only(t, template, "AWS::Cognito::UserPool")["LambdaConfig"])
		if !strings.Contains(trigger, `"LambdaVersion":"V2_0"`) {
			t.Errorf("%s: the trigger is %s", name, trigger)
		}
	}
	if n := len(ofType(declare(t, declareUsers(func(p *userpool.Props) { p.Clients = append(p.Clients, sdkApp) })), "AWS::Lambda::Function")); n != 0 {
		t.Errorf("SRP alone declares %d functions", n)
	}
}

// The local runtime reads such a client.
func TestSRPIsUnderstood(t *testing.T) {
	stack := newStack(newApp(t), "Shop")
	declareUsers(func(p *userpool.Props) {
		p.Clients = append(p.Clients, sdkApp)
		p.SDKScopes = []string{"orders/read"}
	})(stack)
	read, err := assembly.Load(*awscdk.App_Of(stack).(awscdk.App).Synth(nil).Directory())
	if err != nil {
		t.Fatal(err)
	}
	model, err := read.Model("Shop", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range model.UserPools[0].Clients {
		if srp := slices.Contains(client.AuthFlows, "ALLOW_USER_SRP_AUTH"); srp != (client.Name == "sdk") || srp && client.RotatesRefreshTokens {
			t.Errorf("read the client %+v", client)
		}
	}
}

// A claim that decides about a tenant is not its user's to write.
func TestCustomClaimsAreNotUsersToWrite(t *testing.T) {
	for claim, restricted := range map[string]bool{"custom:tenant": true, "name": false} {
		clients := clientsByName(declare(t, declareUsers(func(p *userpool.Props) {
			everyKind(p)
			p.Clients = append(p.Clients, sdkApp)
			p.AccessTokenClaims = []string{claim}
		})))
		for name, client := range clients {
			writes := text(t, client["WriteAttributes"])
			if (writes != "null") != (restricted && name != "billing") || strings.Contains(writes, "custom:") {
				t.Errorf("%s as a claim: users of %s write %s", claim, name, writes)
			}
			if writes != "null" && !strings.Contains(writes, `"email"`) {
				t.Errorf("%s: nobody signs up without an address: %s", name, writes)
			}
		}
	}
}

// Scopes for our own apps stand out in the template, and no machine has one.
func TestFirstParty(t *testing.T) {
	template := declare(t, declareUsers(func(p *userpool.Props) {
		p.ResourceServers[0].FirstParty = true
		p.Clients = []userpool.Client{website, app, office, userpool.Machine{Name: "m", Scopes: []string{"https://stock.example.com/read"}}}
	}))
	for _, resource := range ofType(template, "AWS::Cognito::UserPoolResourceServer") {
		metadata, _ := resource["Metadata"].(object)
		own := resource["Properties"].(object)["Identifier"] == "orders"
		if marked := metadata[userpool.FirstPartyMetadataKey] == true; marked != own {
			t.Errorf("%v is marked: %v", resource["Properties"], marked)
		}
	}
}

func TestSDKProblems(t *testing.T) {
	sdk := func(change func(*userpool.Mobile), scopes ...string) func(*userpool.Props) {
		return func(p *userpool.Props) {
			c := sdkApp
			change(&c)
			p.Clients, p.SDKScopes = []userpool.Client{website, c}, scopes
		}
	}
	same := func(*userpool.Mobile) {}
	firstParty := func(machine ...string) func(*userpool.Props) {
		return func(p *userpool.Props) {
			p.ResourceServers[0].FirstParty = true
			p.Clients = []userpool.Client{userpool.Machine{Name: "billing", Scopes: machine}}
		}
	}
	tests := []struct {
		name   string
		change func(*userpool.Props)
		want   string
	}{
		{"a machine's first-party scope", firstParty("https://stock.example.com/read", "orders/read"),
			`Shop/Users: Clients[0] "billing": scope "orders/read" is first-party, for apps through which users sign in; give the machine another`},
		{"scopes for no SDK", func(p *userpool.Props) { p.SDKScopes = []string{"orders/read"} }, "Shop/Users: SDKScopes: no client has SRP"},
		{"unknown scope", sdk(same, "orders/erase"), `SDKScopes[0]: unknown scope "orders/erase"; the resource servers define ["https://`},
		{"a user's scope", sdk(same, "openid"), `SDKScopes[0]: unknown scope "openid"`},
		{"a scope that the client may not ask for", sdk(func(c *userpool.Mobile) { c.Scopes = []string{"orders/read"} }, "orders/read", "orders/write"),
			`SDKScopes[1] "orders/write": the client "sdk" may not ask for it; add it to its Scopes`},
		{"scope twice", sdk(same, "orders/read", "orders/read"), `SDKScopes[1] "orders/read": twice`},
		{"nil client", func(p *userpool.Props) {
			sdk(same, "orders/read")(p)
			p.Clients = append(p.Clients, nil)
		}, "Clients[2]: nil"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareUsers(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
	for _, fine := range []func(*userpool.Props){firstParty("https://stock.example.com/read"), sdk(same, "orders/write", "orders/read")} {
		if got := problem(t, declareUsers(fine)); got != "" {
			t.Error(got)
		}
	}
}
