package assembly_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// pool is a stack with a pool that has one trigger configuration, and a client
// with further properties.
func pool(lambdaConfig, client string) string {
	return `{"Resources": {
		"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "pretoken", "Role": "r"}},
		"Pool": {"Type": "AWS::Cognito::UserPool", "Metadata": {"aws:cdk:path": "App/Users/Pool"}, "Properties": {"LambdaConfig": ` + lambdaConfig + `}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}` + client + `}}}}`
}

func readPool(t *testing.T, template string) (*assembly.UserPool, error) {
	t.Helper()
	m, err := model(t, write(t, [2]string{"Identity", template}), "")
	if err != nil {
		return nil, err
	}
	return m.UserPools[0], nil
}

// The pre-token trigger has a version, which says whose tokens it changes. What
// is not run here, and could change them, is listed.
func TestTriggers(t *testing.T) {
	t.Parallel()
	const (
		arn    = `"LambdaArn": {"Fn::GetAtt": ["Fn", "Arn"]}`
		fn     = "arn:aws:lambda:eu-west-1:111122223333:function:pretoken"
		config = "PreTokenGenerationConfig"
	)
	tests := []struct {
		name, config      string
		preToken, version string
		triggers          map[string]string
		listed            string
		decides           bool
	}{
		{"none", `{}`, "", "", map[string]string{}, "", false},
		{"version 1", `{"PreTokenGenerationConfig": {"LambdaVersion": "V1_0", ` + arn + `}}`, fn, "V1_0", map[string]string{config: fn}, "", false},
		{"version 2", `{"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", ` + arn + `}}`, fn, "V2_0", map[string]string{config: fn}, "", false},
		{"version 3", `{"PreTokenGenerationConfig": {"LambdaVersion": "V3_0", ` + arn + `}}`, fn, "V3_0", map[string]string{config: fn}, "", false},
		{"no version", `{"PreTokenGenerationConfig": {` + arn + `}}`, fn, "", map[string]string{config: fn},
			`App/Users/Pool.LambdaConfig.PreTokenGenerationConfig: LambdaVersion "" is not understood; V1_0, V2_0 and V3_0 are`, true},
		{"version 1, the old way", `{"PreTokenGeneration": "arn"}`, "arn", "V1_0", map[string]string{"PreTokenGeneration": "arn"}, "", false},
		{"both ways", `{"PreTokenGeneration": "arn", "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", ` + arn + `}}`, fn, "V2_0",
			map[string]string{"PreTokenGeneration": "arn", config: fn}, "", false},
		{"before a sign-up", `{"PreSignUp": "arn"}`, "", "", map[string]string{"PreSignUp": "arn"}, "", false},
		{"migration", `{"UserMigration": "arn"}`, "", "", map[string]string{"UserMigration": "arn"},
			"App/Users/Pool: LambdaConfig.UserMigration is not run here, and could change who gets which token", false},
		{"messages", `{"CustomMessage": "arn", "KMSKeyID": "key", "CustomEmailSender": {"LambdaVersion": "V1_0", ` + arn + `}}`,
			"", "", map[string]string{"CustomMessage": "arn", "CustomEmailSender": fn}, "", false},
		{"no text", `"arn"`, "", "", map[string]string{}, "App/Users/Pool: LambdaConfig is not an object", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := read(t, [2]string{"Identity", pool(tt.config, "")})
			got := m.UserPools[0]
			if got.PreTokenFunctionARN != tt.preToken || got.PreTokenVersion != tt.version || !reflect.DeepEqual(got.Triggers, tt.triggers) {
				t.Errorf("the trigger is %q of %q, all are %v", got.PreTokenFunctionARN, got.PreTokenVersion, got.Triggers)
			}
			if want := problems(tt.listed); !reflect.DeepEqual(problemsOf(m), want) || (m.Servable() != nil) != tt.decides {
				t.Errorf("listed %q, want %q; %v", problemsOf(m), want, m.Servable())
			}
		})
	}
}

// What users are made of.
func TestUsersOfAPool(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Identity", `{"Resources": {
		"Plain": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
		"Strict": {"Type": "AWS::Cognito::UserPool", "Properties": {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"],
			"UsernameConfiguration": {"CaseSensitive": false}, "MfaConfiguration": "ON", "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
			"AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_phone_number", "Priority": 2}, {"Name": "verified_email", "Priority": 1}]},
			"Schema": [{"Name": "email", "Required": true, "Mutable": true},
				{"Name": "tier", "Mutable": false, "AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "9"}}],
			"Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": true, "TemporaryPasswordValidityDays": 1}}}},
		"Editors": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": {"Ref": "Strict"}, "GroupName": "editors", "Precedence": 0, "RoleArn": "arn:role"}},
		"Readers": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": {"Ref": "Strict"}, "Description": "who read"}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Strict"}, "AuthSessionValidity": 5,
			"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 20}, "ReadAttributes": ["email"], "WriteAttributes": ["name"]}}}}`})
	plain, strict := m.UserPools[0], m.UserPools[1]
	policy := assembly.PasswordPolicy{MinLength: 8, Lowercase: true, Uppercase: true, Numbers: true, Symbols: true, TemporaryLifetime: 7 * 24 * time.Hour}
	if plain.PasswordPolicy != policy || !plain.CaseSensitive || plain.SoftwareTokenMFA || !reflect.DeepEqual(plain.Recovery, []string{"verified_phone_number", "verified_email"}) {
		t.Errorf("by default: %+v", plain)
	}
	policy = assembly.PasswordPolicy{MinLength: 12, Numbers: true, TemporaryLifetime: 24 * time.Hour}
	if strict.PasswordPolicy != policy || strict.CaseSensitive || !strict.SoftwareTokenMFA || !reflect.DeepEqual(strict.Recovery, []string{"verified_email", "verified_phone_number"}) {
		t.Errorf("as stated: %+v", strict)
	}
	if want := []assembly.UserAttribute{
		{Name: "email", Type: "String", Required: true, Mutable: true, MaxLength: 2048}, {Name: "custom:tier", Type: "String", MinLength: 1, MaxLength: 9},
	}; !reflect.DeepEqual(strict.Attributes, want) {
		t.Errorf("the attributes are %+v", strict.Attributes)
	}
	if !reflect.DeepEqual(strict.UsernameAttributes, []string{"email"}) || !reflect.DeepEqual(strict.AutoVerified, []string{"email"}) {
		t.Errorf("the names are %v, verified are %v", strict.UsernameAttributes, strict.AutoVerified)
	}
	editors, readers := strict.Groups[0], strict.Groups[1]
	if editors.Name != "editors" || editors.Precedence != 0 || editors.RoleARN != "arn:role" || readers.Name == "" || readers.Precedence != -1 || readers.Description != "who read" {
		t.Errorf("the groups are %+v", strict.Groups)
	}
	c := strict.Clients[0]
	if c.RetryGracePeriod != 20*time.Second || c.SessionLifetime != 5*time.Minute || !reflect.DeepEqual(c.ReadAttributes, []string{"email"}) || !reflect.DeepEqual(c.WriteAttributes, []string{"name"}) {
		t.Errorf("the client is %+v", c)
	}
}

func problems(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// problemsOf returns what was not understood.
func problemsOf(m *assembly.Model) []string {
	var out []string
	for _, p := range m.NotUnderstood {
		out = append(out, p.String())
	}
	return out
}

// What a pool leaves out is Cognito's default, which lets anyone sign up.
func TestUserPool(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Identity", `{"Resources": {
		"Plain": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
		"Strict": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "strict", "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true},
			"MfaConfiguration": "OPTIONAL", "DeletionProtection": "ACTIVE"}},
		"Server": {"Type": "AWS::Cognito::UserPoolResourceServer", "Properties": {"UserPoolId": {"Ref": "Strict"}, "Identifier": "orders", "Name": "x",
			"Scopes": [{"ScopeName": "read", "ScopeDescription": "x"}]}},
		"Prefix": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"UserPoolId": {"Ref": "Strict"}, "Domain": "shop"}},
		"Host": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"UserPoolId": {"Ref": "Strict"}, "Domain": "auth.example.com", "CustomDomainConfig": {"CertificateArn": "arn"}}},
		"Foreign": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": "eu-west-1_Elsewhere"}}}}`})
	plain, strict := m.UserPools[0], m.UserPools[1]
	if !plain.SelfSignUp || plain.MFA != "OFF" || plain.DeletionProtection || plain.HasDomain() {
		t.Errorf("by default: %+v", plain)
	}
	if strict.SelfSignUp || strict.MFA != "OPTIONAL" || !strict.DeletionProtection || strict.Name != "strict" {
		t.Errorf("as stated: %+v", strict)
	}
	if strict.DomainPrefix != "shop" || strict.CustomDomain != "auth.example.com" || !strict.HasDomain() {
		t.Errorf("the domains are %q and %q", strict.DomainPrefix, strict.CustomDomain)
	}
	if want := []string{"orders/read"}; !reflect.DeepEqual(strict.ResourceServers[0].Scopes, want) {
		t.Errorf("the scopes are %v", strict.ResourceServers[0].Scopes)
	}
	if want := []string{"Identity/Foreign: its user pool is not declared here, so this client is not read"}; !reflect.DeepEqual(problemsOf(m), want) {
		t.Errorf("listed %q, want %q", problemsOf(m), want)
	}
}

// What is not known of a pool or a client is listed. Only what could admit
// somebody keeps it from being served.
func TestUnknownIdentity(t *testing.T) {
	t.Parallel()
	const secret = `{"Fn::ImportValue": "elsewhere"}`
	for name, tt := range map[string]struct {
		pool, client string
		decides      bool
	}{
		"name":        {`"UserPoolName": ` + secret, ``, false},
		"sign-up":     {`"AdminCreateUserConfig": ` + secret, ``, false},
		"triggers":    {`"LambdaConfig": ` + secret, ``, true},
		"a trigger":   {`"LambdaConfig": {"PostConfirmation": ` + secret + `}`, ``, false},
		"callbacks":   {``, `"CallbackURLs": [` + secret + `]`, false},
		"auth flows":  {``, `"ExplicitAuthFlows": ` + secret, false},
		"pool":        {``, `"UserPoolId": ` + secret, false},
		"secret":      {``, `"GenerateSecret": ` + secret, true},
		"lifetime":    {``, `"AccessTokenValidity": ` + secret, true},
		"ID lifetime": {``, `"IdTokenValidity": ` + secret, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := `"UserPoolId": {"Ref": "Pool"}`
			switch {
			case strings.Contains(tt.client, "UserPoolId"):
				client = tt.client
			case tt.client != "":
				client += ", " + tt.client
			}
			m := read(t, [2]string{"Identity", `{"Resources": {"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {` + tt.pool + `}},
				"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {` + client + `}}}}`})
			if len(m.NotUnderstood) != 1 || (m.Servable() != nil) != tt.decides {
				t.Errorf("listed %q, of which some decide: %t", problemsOf(m), m.Servable() != nil)
			}
			if name == "auth flows" && m.UserPools[0].Clients[0].AuthFlows != nil {
				t.Errorf("unknown flows count as %v", m.UserPools[0].Clients[0].AuthFlows)
			}
		})
	}
}

// A pool in which everybody needs a second factor is served if it is one that can
// be set up here, and read in any case.
func TestRequiredSecondFactor(t *testing.T) {
	t.Parallel()
	const unserved = "Identity/Pool.EnabledMfas: MFA is required and no second factor that is served (SOFTWARE_TOKEN_MFA) is enabled; add it"
	for name, tt := range map[string]struct{ properties, problem string }{
		"an app":            {`"MfaConfiguration": "ON", "EnabledMfas": ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]`, ""},
		"text messages":     {`"MfaConfiguration": "ON", "EnabledMfas": ["SMS_MFA"]`, unserved},
		"none said":         {`"MfaConfiguration": "ON"`, unserved},
		"not known":         {`"MfaConfiguration": "ON", "EnabledMfas": {"Fn::ImportValue": "elsewhere"}`, "elsewhere"},
		"optional":          {`"MfaConfiguration": "OPTIONAL", "EnabledMfas": ["SMS_MFA"]`, ""},
		"off, so of no use": {`"EnabledMfas": ["SMS_MFA"]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := read(t, [2]string{"Identity", `{"Resources": {"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {` + tt.properties + `}}}}`})
			err := m.Servable()
			if len(m.UserPools) != 1 || (err != nil) != (tt.problem != "") || err != nil && (len(m.NotUnderstood) != 1 || !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("%d pools, %v; want %q", len(m.UserPools), err, tt.problem)
			}
		})
	}
}

func TestSignInClient(t *testing.T) {
	t.Parallel()
	got, err := readPool(t, pool(`{}`, `, "ClientName": "website", "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"],
		"AllowedOAuthScopes": ["openid", "orders/read"], "CallbackURLs": ["https://shop.example.com/callback"], "LogoutURLs": ["https://shop.example.com/"],
		"ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH", "USER_PASSWORD_AUTH"], "PreventUserExistenceErrors": "ENABLED", "EnableTokenRevocation": false,
		"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30},
		"AccessTokenValidity": 15, "IdTokenValidity": 20, "RefreshTokenValidity": 720,
		"TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "minutes"}`))
	if err != nil {
		t.Fatal(err)
	}
	client := got.Clients[0]
	client.Place, client.ID = assembly.Place{}, ""
	want := assembly.UserPoolClient{
		Name: "website", OAuth: true, Flows: []string{"code"}, Scopes: []string{"openid", "orders/read"},
		Callbacks: []string{"https://shop.example.com/callback"}, Logouts: []string{"https://shop.example.com/"}, RotatesRefreshTokens: true, RetryGracePeriod: 30 * time.Second, SessionLifetime: 3 * time.Minute,
		AuthFlows: []string{"ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH"}, HidesUsers: true,
		AccessTokenLifetime: 15 * time.Minute, IDTokenLifetime: 20 * time.Minute, RefreshTokenLifetime: 12 * time.Hour,
	}
	if !reflect.DeepEqual(client, want) {
		t.Errorf("got  %+v\nwant %+v", client, want)
	}
}

// What a client leaves out is Cognito's default.
func TestClientDefaults(t *testing.T) {
	t.Parallel()
	for name, rotation := range map[string]string{"left out": "", "off": `, "ExplicitAuthFlows": [], "RefreshTokenRotation": {"Feature": "DISABLED"}`} {
		got, err := readPool(t, pool(`{}`, rotation))
		if err != nil {
			t.Fatal(err)
		}
		if client := got.Clients[0]; client.RotatesRefreshTokens || client.HasSecret || client.OAuth || client.HidesUsers || !client.Revokes || client.RefreshTokenLifetime != 30*24*time.Hour ||
			!reflect.DeepEqual(client.AuthFlows, []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}) {
			t.Errorf("%s: %+v", name, client)
		}
	}
}
