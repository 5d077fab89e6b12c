package test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/assembly"
)

const callback = "https://shop.example.com/callback"

var (
	website = userpool.Browser{Name: "website", Scopes: []string{"openid", "email", "orders/read"}, Callbacks: []string{callback}}
	app     = userpool.Mobile{Name: "app", Scopes: []string{"openid", "orders/read"}, Callbacks: []string{"com.example.shop:/callback"}}
	office  = userpool.Server{Name: "office", Scopes: []string{"orders/write"}, Callbacks: []string{callback}, Logouts: []string{"https://shop.example.com/"}}
)

// everyKind has a client of every kind.
func everyKind(p *userpool.Props) {
	p.Clients = append(p.Clients, website, app, office)
}

// clientsByName returns the properties of a template's clients.
func clientsByName(template object) map[string]object {
	clients := map[string]object{}
	for _, resource := range ofType(template, "AWS::Cognito::UserPoolClient") {
		properties := resource["Properties"].(object)
		clients[properties["ClientName"].(string)] = properties
	}
	return clients
}

// Each kind of client has exactly what its kind may have.
func TestSignInClients(t *testing.T) {
	clients := clientsByName(declare(t, declareUsers(everyKind)))
	shared := map[string]string{
		"AccessTokenValidity":             `15`,
		"IdTokenValidity":                 `15`,
		"AllowedOAuthFlows":               `["code"]`,
		"AllowedOAuthFlowsUserPoolClient": `true`,
		"EnableTokenRevocation":           `true`,
		"PreventUserExistenceErrors":      `"ENABLED"`,
		"SupportedIdentityProviders":      `["COGNITO"]`,
		"TokenValidityUnits":              `{"AccessToken":"minutes","IdToken":"minutes","RefreshToken":"minutes"}`,
	}
	// Rotation and the REFRESH_TOKEN_AUTH flow exclude each other.
	public := map[string]string{
		"GenerateSecret":       `false`,
		"ExplicitAuthFlows":    `["ALLOW_CUSTOM_AUTH"]`,
		"RefreshTokenRotation": `{"Feature":"ENABLED","RetryGracePeriodSeconds":30}`,
		"LogoutURLs":           `null`,
	}
	for name, own := range map[string]map[string]string{
		"website": {
			"AllowedOAuthScopes": `["openid","email","orders/read"]`, "CallbackURLs": `["https://shop.example.com/callback"]`, "RefreshTokenValidity": `720`,
		},
		"app": {
			"AllowedOAuthScopes": `["openid","orders/read"]`, "CallbackURLs": `["com.example.shop:/callback"]`, "RefreshTokenValidity": `43200`,
		},
		"office": {
			"AllowedOAuthScopes": `["orders/write"]`, "CallbackURLs": `["https://shop.example.com/callback"]`, "LogoutURLs": `["https://shop.example.com/"]`,
			"RefreshTokenValidity": `720`, "GenerateSecret": `true`, "ExplicitAuthFlows": `["ALLOW_REFRESH_TOKEN_AUTH"]`, "RefreshTokenRotation": `null`,
		},
	} {
		want := maps.Clone(shared)
		if own["GenerateSecret"] == "" {
			maps.Copy(want, public)
		}
		maps.Copy(want, own)
		for property, value := range want {
			if got := text(t, clients[name][property]); got != value {
				t.Errorf("%s: %s is %s, want %s", name, property, got, value)
			}
		}
	}
	if machine := clients["billing"]; machine["RefreshTokenValidity"] != nil || machine["CallbackURLs"] != nil || machine["RefreshTokenRotation"] != nil {
		t.Errorf("the machine has what is a user's: %v", machine)
	}
}

// What CDK would add by itself is nowhere, whatever is declared.
func TestUserPoolHasNoneOfCDKsDefaults(t *testing.T) {
	template := text(t, declare(t, declareUsers(func(p *userpool.Props) {
		everyKind(p)
		p.AccessTokenClaims = []string{"email"}
		p.MFA = userpool.MFARequired
		p.SelfSignUp = true
	})))
	for _, banned := range []string{
		`"https://example.com"`, "implicit", "aws.cognito.signin.user.admin", `"phone"`, "ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH",
		"SMS_MFA", "SmsConfiguration", "sns:", "LEGACY",
	} {
		if strings.Contains(template, banned) {
			t.Errorf("%s appears in the template", banned)
		}
	}
}

// A resource server may be called by a URL, its display name may not.
func TestResourceServerNames(t *testing.T) {
	for id, want := range map[string]string{"orders": "orders", "https://stock.example.com": "https---stock.example.com"} {
		for _, resource := range ofType(declare(t, declareUsers(asIs)), "AWS::Cognito::UserPoolResourceServer") {
			if p := resource["Properties"].(object); p["Identifier"] == id && p["Name"] != want {
				t.Errorf("%s is named %v, want %s", id, p["Name"], want)
			}
		}
	}
}

func TestUserPoolPasswords(t *testing.T) {
	for _, tt := range []struct {
		policy userpool.PasswordPolicy
		want   string
	}{
		{userpool.PasswordPolicy{}, `{"MinimumLength":12,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":true,"RequireUppercase":true}`},
		{userpool.PasswordPolicy{MinLength: 16, Require: userpool.AnyCharacters},
			`{"MinimumLength":16,"RequireLowercase":false,"RequireNumbers":false,"RequireSymbols":false,"RequireUppercase":false}`},
		{userpool.PasswordPolicy{MinLength: 99, Require: userpool.Lowercase | userpool.Digits, History: 24},
			`{"MinimumLength":99,"PasswordHistorySize":24,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":false,"RequireUppercase":false}`},
		{userpool.PasswordPolicy{MinLength: 6, Require: userpool.Uppercase | userpool.Symbols},
			`{"MinimumLength":6,"RequireLowercase":false,"RequireNumbers":false,"RequireSymbols":true,"RequireUppercase":true}`},
	} {
		template := declare(t, declareUsers(func(p *userpool.Props) { p.Password = tt.policy }))
		if got := text(t, only(t, template, "AWS::Cognito::UserPool")["Policies"].(object)["PasswordPolicy"]); got != tt.want {
			t.Errorf("%+v: the policy is %s, want %s", tt.policy, got, tt.want)
		}
	}
}

func TestUserPoolMFA(t *testing.T) {
	for mfa, want := range map[userpool.MFA][2]string{
		userpool.MFAOff:      {`null`, `null`},
		userpool.MFAOptional: {`"OPTIONAL"`, `["SOFTWARE_TOKEN_MFA"]`},
		userpool.MFARequired: {`"ON"`, `["SOFTWARE_TOKEN_MFA"]`},
	} {
		template := declare(t, declareUsers(func(p *userpool.Props) { p.MFA = mfa }))
		pool := only(t, template, "AWS::Cognito::UserPool")
		if got := text(t, pool["MfaConfiguration"]); got != want[0] {
			t.Errorf("%q: MFA is %s, want %s", mfa, got, want[0])
		}
		if got := text(t, pool["EnabledMfas"]); got != want[1] {
			t.Errorf("%q: second factors are %s, want %s", mfa, got, want[1])
		}
		if n := len(ofType(template, "AWS::IAM::Role")); n != 0 {
			t.Errorf("%q: %d roles, as if to send text messages", mfa, n)
		}
	}
}

// The pool calls the function, the function knows nothing of the pool: neither
// waits for the other.
func TestAccessTokenClaims(t *testing.T) {
	template := declare(t, declareUsers(func(p *userpool.Props) { p.AccessTokenClaims = []string{"email", "custom:tenant"} }))
	var poolID, functionID string
	for id := range ofType(template, "AWS::Cognito::UserPool") {
		poolID = id
	}
	for id := range ofType(template, "AWS::Lambda::Function") {
		functionID = id
	}
	arn := `{"Fn::GetAtt":["` + functionID + `","Arn"]}`
	if got, want := text(t, only(t, template, "AWS::Cognito::UserPool")["LambdaConfig"]), `{"PreTokenGenerationConfig":{"LambdaArn":`+arn+`,"LambdaVersion":"V2_0"}}`; got != want {
		t.Errorf("the triggers are %s, want %s", got, want)
	}
	// Access tokens are changed on the Essentials plan and above.
	if tier := only(t, template, "AWS::Cognito::UserPool")["UserPoolTier"]; tier != "ESSENTIALS" {
		t.Errorf("the plan is %v", tier)
	}
	if got, want := text(t, only(t, template, "AWS::Lambda::Permission")), `{"Action":"lambda:InvokeFunction","FunctionName":`+arn+
		`,"Principal":"cognito-idp.amazonaws.com","SourceArn":{"Fn::GetAtt":["`+poolID+`","Arn"]}}`; got != want {
		t.Errorf("the permission is %s, want %s", got, want)
	}
	function := only(t, template, "AWS::Lambda::Function")
	if got := text(t, function["Environment"]); got != `{"Variables":{"ACCESS_TOKEN_CLAIMS":"email,custom:tenant"}}` {
		t.Errorf("the function is told %s", got)
	}
	for _, kind := range []string{"AWS::Lambda::Function", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Logs::LogGroup"} {
		if strings.Contains(text(t, ofType(template, kind)), poolID) {
			t.Errorf("%s refers to the pool: a circle", kind)
		}
	}
}

// The local runtime reads such a pool: machines' tokens stay as they are.
func TestAccessTokenClaimsAreUnderstood(t *testing.T) {
	stack := newStack(newApp(t), "Shop")
	declareUsers(func(p *userpool.Props) {
		everyKind(p)
		p.AccessTokenClaims = []string{"email"}
	})(stack)
	dir := *awscdk.App_Of(stack).(awscdk.App).Synth(nil).Directory()
	read, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	model, err := read.Model("Shop", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool := model.UserPools[0]
	if pool.PreTokenFunctionARN != model.Functions[0].ARN {
		t.Errorf("the trigger is %q, want %s", pool.PreTokenFunctionARN, model.Functions[0].ARN)
	}
	if !model.MayInvoke(pool.PreTokenFunctionARN, "cognito-idp.amazonaws.com", pool.ARN) {
		t.Error("the pool may not call the function")
	}
	for _, client := range pool.Clients {
		want := map[string]time.Duration{"website": 12 * time.Hour, "app": 30 * 24 * time.Hour, "office": 12 * time.Hour, "billing": 30 * 24 * time.Hour}[client.Name]
		if client.RefreshTokenLifetime != want || client.RotatesRefreshTokens != slices.Contains([]string{"website", "app"}, client.Name) {
			t.Errorf("read the client %+v", client)
		}
	}
}

func TestUserPoolFeatureProblems(t *testing.T) {
	client := func(c userpool.Client) func(*userpool.Props) {
		return func(p *userpool.Props) { p.Clients = []userpool.Client{c} }
	}
	scopes := func(scopes ...string) func(*userpool.Props) {
		c := website
		c.Scopes = scopes
		return client(c)
	}
	lasting := func(d time.Duration) func(*userpool.Props) {
		c := website
		c.RefreshTokenLifetime = d
		return client(c)
	}
	claims := func(claims ...string) func(*userpool.Props) {
		return func(p *userpool.Props) { p.AccessTokenClaims = claims }
	}
	password := func(policy userpool.PasswordPolicy) func(*userpool.Props) {
		return func(p *userpool.Props) { p.Password = policy }
	}
	tests := []struct {
		name   string
		change func(*userpool.Props)
		want   string
	}{
		{"browser without callbacks", client(userpool.Browser{Name: "w", Scopes: []string{"openid"}}), `Shop/Users: Clients[0] "w": no Callbacks`},
		{"app without callbacks", client(userpool.Mobile{Name: "w", Scopes: []string{"openid"}}), `Clients[0] "w": no Callbacks`},
		{"server without callbacks", client(userpool.Server{Name: "w", Scopes: []string{"openid"}}), `Clients[0] "w": no Callbacks`},
		{"admin scope", scopes("openid", "aws.cognito.signin.user.admin"), `unknown scope "aws.cognito.signin.user.admin"`},
		{"phone scope", scopes("openid", "phone"), `unknown scope "phone"`},
		{"email without openid", scopes("email", "orders/read"), `Clients[0] "website": email and profile need openid; write it too`},
		{"no scopes", scopes(), `Clients[0] "website": 0 scopes`},
		{"a machine's user", client(userpool.Machine{Name: "m", Scopes: []string{"openid"}}), `Clients[0] "m": scope "openid" speaks of a user`},
		{"session too short", lasting(30 * time.Minute), `RefreshTokenLifetime is 30m0s; Cognito takes whole minutes from 1h to 87600h`},
		{"session too long", lasting(3651 * 24 * time.Hour), `RefreshTokenLifetime is 87624h0m0s; Cognito`},
		{"session in part minutes", lasting(time.Hour + time.Second), `RefreshTokenLifetime is 1h0m1s; Cognito`},
		{"session shorter than a token", func(p *userpool.Props) {
			lasting(time.Hour)(p)
			p.IDTokenLifetime = 2 * time.Hour
		}, `RefreshTokenLifetime is 1h0m0s, shorter than the other tokens' 2h0m0s`},
		{"ID token too short", func(p *userpool.Props) { p.IDTokenLifetime = time.Minute }, "IDTokenLifetime is 1m0s; Cognito takes whole minutes from 5m to 24h"},
		{"short password", password(userpool.PasswordPolicy{MinLength: 5}), "Password.MinLength is 5; Cognito takes 6 to 99"},
		{"long password", password(userpool.PasswordPolicy{MinLength: 100}), "Password.MinLength is 100"},
		{"any characters and digits", password(userpool.PasswordPolicy{Require: userpool.AnyCharacters | userpool.Digits}), "Password.Require holds AnyCharacters and classes"},
		{"unknown class", password(userpool.PasswordPolicy{Require: 1 << 7}), "Password.Require is 0b10000000"},
		{"long history", password(userpool.PasswordPolicy{History: 25}), "Password.History is 25"},
		{"negative history", password(userpool.PasswordPolicy{History: -1}), "Password.History is -1"},
		{"unknown MFA", func(p *userpool.Props) { p.MFA = "sms" }, `MFA is "sms"; write userpool.MFAOptional`},
		{"reserved claim", claims("email", "sub"), `AccessTokenClaims[1] "sub": reserved`},
		{"scope as a claim", claims("scope"), `AccessTokenClaims[0] "scope": reserved`},
		{"groups as a claim", claims("cognito:groups"), `AccessTokenClaims[0] "cognito:groups": reserved`},
		{"claim twice", claims("email", "email"), `AccessTokenClaims[1] "email": twice`},
		{"unknown attribute", claims("tenant"), `AccessTokenClaims[0] "tenant": no user attribute; write custom: and its name, or one of address,`},
		{"mark of another", claims("email_verified"), `AccessTokenClaims[0] "email_verified": no user attribute`},
		{"two in one", claims("name,sub"), `AccessTokenClaims[0] "name,sub": no user attribute`},
		{"two in one custom", claims("custom:a,sub"), `AccessTokenClaims[0] "custom:a,sub": no user attribute`},
		{"empty claim", claims(""), `AccessTokenClaims[0] "": no user attribute`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareUsers(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}
