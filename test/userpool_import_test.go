package test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
)

// existing is a pool that another team declared.
func existing() userpool.ImportProps {
	return userpool.ImportProps{
		ARN:     "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEfGhI",
		Domain:  "auth.example.com",
		Scopes:  []string{"orders/write", "orders/read"},
		Clients: map[string]string{"website": "1example23456789"},
	}
}

func declareImport(change func(*userpool.ImportProps)) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		p := existing()
		change(&p)
		users := userpool.Import(stack, "Users", p)
		orders := gofunction.New(stack, "Orders", gofunction.Props{Package: statusPackage})
		restapi.New(stack, "API", restapi.Props{
			UserPools: []*userpool.UserPool{users},
			Routes:    restapi.Routes{"GET /orders": {Access: access.Scopes("orders/read"), Target: orders}},
		})
		output := func(name, value string) {
			awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: jsii.String(value)})
		}
		output("Issuer", users.Issuer())
		output("Base", "base "+users.BaseURL())
		output("Scopes", strings.Join(users.Scopes(), " "))
		for name, client := range users.Clients {
			output(name, *client.UserPoolClientId())
		}
	}
}

func TestUserPoolImport(t *testing.T) {
	template := declare(t, declareImport(func(*userpool.ImportProps) {}))
	for _, resource := range template["Resources"].(object) {
		if kind := resource.(object)["Type"].(string); strings.HasPrefix(kind, "AWS::Cognito::") {
			t.Errorf("the import declares a %s", kind)
		}
	}
	schemes := text(t, only(t, template, "AWS::ApiGateway::RestApi")["Body"].(object)["components"])
	if !strings.Contains(schemes, `"providerARNs":["`+existing().ARN+`"]`) {
		t.Errorf("the API's authorizers are %s", schemes)
	}
	for name, want := range map[string]string{
		"Issuer":  `{"Fn::Join":["",["https://cognito-idp.eu-central-1.",{"Ref":"AWS::URLSuffix"},"/eu-central-1_AbCdEfGhI"]]}`,
		"Base":    `"base https://auth.example.com"`,
		"Scopes":  `"orders/read orders/write"`,
		"website": `"1example23456789"`,
	} {
		if got := text(t, template["Outputs"].(object)[name].(object)["Value"]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// A pool of the stack's own account may be named by its id.
func TestUserPoolImportByID(t *testing.T) {
	template := declare(t, declareImport(func(p *userpool.ImportProps) { p.ARN, p.ID, p.Domain = "", "eu-west-1_AbCdEfGhI", "" }))
	want := `"providerARNs":[{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":cognito-idp:eu-west-1:",{"Ref":"AWS::AccountId"},":userpool/eu-west-1_AbCdEfGhI"]]}]`
	if got := text(t, only(t, template, "AWS::ApiGateway::RestApi")["Body"].(object)["components"]); !strings.Contains(got, want) {
		t.Errorf("the API's authorizers are %s, want %s", got, want)
	}
	if got := text(t, template["Outputs"].(object)["Base"].(object)["Value"]); got != `"base "` {
		t.Errorf("without a domain users sign in at %s", got)
	}
}

// An id that is only known when the stack is deployed is taken as it is.
func TestUserPoolImportByParameter(t *testing.T) {
	template := declare(t, func(stack awscdk.Stack) {
		parameter := awscdk.NewCfnParameter(stack, jsii.String("PoolARN"), nil)
		declareImport(func(p *userpool.ImportProps) { p.ARN = *parameter.ValueAsString() })(stack)
	})
	if got := text(t, only(t, template, "AWS::ApiGateway::RestApi")["Body"].(object)["components"]); !strings.Contains(got, `"providerARNs":[{"Ref":"PoolARN"}]`) {
		t.Errorf("the API's authorizers are %s", got)
	}
}

func TestUserPoolImportProblems(t *testing.T) {
	tests := []struct {
		name   string
		change func(*userpool.ImportProps)
		want   string
	}{
		{"neither", func(p *userpool.ImportProps) { p.ARN = "" }, "Shop/Users: neither ARN nor ID"},
		{"both", func(p *userpool.ImportProps) { p.ID = "eu-west-1_AbCdEfGhI" }, "both ARN and ID"},
		{"another service's ARN", func(p *userpool.ImportProps) { p.ARN = "arn:aws:lambda:eu-west-1:111122223333:function:x" }, "no user pool's"},
		{"two Regions", func(p *userpool.ImportProps) { p.ARN = strings.Replace(p.ARN, "eu-central-1:", "eu-west-1:", 1) }, "no user pool's"},
		{"every pool", func(p *userpool.ImportProps) { p.ARN = strings.Replace(p.ARN, "AbCdEfGhI", "*", 1) }, "no user pool's"},
		{"malformed id", func(p *userpool.ImportProps) { p.ARN, p.ID = "", "AbCdEfGhI" }, `ID is "AbCdEfGhI", no user pool's`},
		{"another Region's id", func(p *userpool.ImportProps) { p.ARN, p.ID = "", "us-east-1_AbCdEfGhI" }, "of another Region than the stack's eu-west-1; write the pool's ARN"},
		{"URL as domain", func(p *userpool.ImportProps) { p.Domain = "https://auth.example.com" }, `Domain is "https://auth.example.com"; write a host`},
		{"no scopes", func(p *userpool.ImportProps) { p.Scopes = nil }, "no Scopes"},
		{"scope without its server", func(p *userpool.ImportProps) { p.Scopes = []string{"read"} }, `Scopes[0] "read": malformed`},
		{"scope twice", func(p *userpool.ImportProps) { p.Scopes = []string{"a/b", "a/b"} }, `Scopes[1] "a/b": twice`},
		{"no client id", func(p *userpool.ImportProps) { p.Clients["website"] = "" }, `Clients "website": what follows is no client's id`},
		{"no client name", func(p *userpool.ImportProps) { p.Clients[""] = "1" }, `Clients "": malformed name`},
		{"every problem at once", func(p *userpool.ImportProps) { p.ARN, p.Scopes = "", nil }, "neither ARN nor ID; write one\nno Scopes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareImport(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}

// A route's scope must be one that the import names.
func TestUserPoolImportBoundsRoutes(t *testing.T) {
	got := problem(t, declareImport(func(p *userpool.ImportProps) { p.Scopes = []string{"orders/write"} }))
	if want := `GET /orders: unknown scope "orders/read"`; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
