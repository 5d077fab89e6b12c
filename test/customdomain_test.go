package test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/apigatewayaccount"
	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
)

func domain() customdomain.Props {
	return customdomain.Props{Name: "api.example.com", Zone: "example.com", ZoneID: "Z0123456789ABCDEFGHIJ"}
}

// onDomain declares an API below each base path of one domain.
func onDomain(p customdomain.Props, basePaths ...string) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		d := customdomain.New(stack, "Domain", p)
		status := gofunction.New(stack, "Status", gofunction.Props{Package: statusPackage})
		for i, basePath := range basePaths {
			restapi.New(stack, "API"+string(rune('A'+i)), restapi.Props{
				Domain:   d,
				BasePath: basePath,
				Routes:   restapi.Routes{"GET /status": {Access: access.Public("health check"), Target: status}},
			})
		}
	}
}

func TestCustomDomain(t *testing.T) {
	template := declare(t, onDomain(domain(), ""))
	d := only(t, template, "AWS::ApiGateway::DomainName")
	if got := text(t, d); !strings.Contains(got, `"DomainName":"api.example.com"`) || !strings.Contains(got, `"SecurityPolicy":"TLS_1_2"`) ||
		!strings.Contains(got, `"Types":["REGIONAL"]`) || !strings.Contains(got, `"RegionalCertificateArn":{"Ref":"DomainCertificate`) {
		t.Errorf("the domain is %s", got)
	}
	certificate := only(t, template, "AWS::CertificateManager::Certificate")
	if got := text(t, certificate["DomainValidationOptions"]); certificate["ValidationMethod"] != "DNS" || got != `[{"DomainName":"api.example.com","HostedZoneId":"Z0123456789ABCDEFGHIJ"}]` {
		t.Errorf("the certificate is validated by %v, %s", certificate["ValidationMethod"], got)
	}
	kinds := map[string]bool{}
	for _, record := range ofType(template, "AWS::Route53::RecordSet") {
		p := record["Properties"].(object)
		kinds[p["Type"].(string)] = true
		target := text(t, p["AliasTarget"])
		if p["Name"] != "api.example.com." || p["HostedZoneId"] != "Z0123456789ABCDEFGHIJ" ||
			!strings.Contains(target, `"RegionalDomainName"]`) || !strings.Contains(target, `"RegionalHostedZoneId"]`) {
			t.Errorf("a record %s", text(t, p))
		}
	}
	if len(kinds) != 2 || !kinds["A"] || !kinds["AAAA"] {
		t.Errorf("records of the types %v", kinds)
	}
	mapping := only(t, template, "AWS::ApiGateway::BasePathMapping")
	if _, below := mapping["BasePath"]; below || !strings.Contains(text(t, mapping["Stage"]), "DeploymentStage") {
		t.Errorf("the mapping is %s", text(t, mapping))
	}
	// What hangs on the domain would be bypassed on the execute-api host.
	if only(t, template, "AWS::ApiGateway::RestApi")["DisableExecuteApiEndpoint"] != true {
		t.Error("the execute-api host is on")
	}
}

// The execute-api host is switched off only by a deployment, so there has to
// be a new one with a domain.
func TestCustomDomainDeploys(t *testing.T) {
	with, without := declare(t, func(stack awscdk.Stack) {
		s := newShop(stack)
		s.props.Domain = customdomain.New(stack, "Domain", domain())
		restapi.New(stack, "API", s.props)
	}), declare(t, declareShop(unchanged))
	if deployment(t, with) == deployment(t, without) {
		t.Error("the execute-api host is switched off and nothing is deployed")
	}
	if _, set := only(t, without, "AWS::ApiGateway::RestApi")["DisableExecuteApiEndpoint"]; set {
		t.Error("an API without a domain cannot be called")
	}
}

func TestCustomDomainIsShared(t *testing.T) {
	template := declare(t, onDomain(domain(), "v1", "v2"))
	var paths []string
	for _, mapping := range ofType(template, "AWS::ApiGateway::BasePathMapping") {
		paths = append(paths, mapping["Properties"].(object)["BasePath"].(string))
	}
	slices.Sort(paths)
	if !slices.Equal(paths, []string{"v1", "v2"}) || len(ofType(template, "AWS::ApiGateway::DomainName")) != 1 {
		t.Errorf("base paths %v", paths)
	}
}

func TestCustomDomainProblems(t *testing.T) {
	with := func(change func(*customdomain.Props)) func(awscdk.Stack) {
		p := domain()
		change(&p)
		return onDomain(p, "")
	}
	tests := []struct {
		name    string
		declare func(awscdk.Stack)
		want    string
	}{
		{"nothing", with(func(p *customdomain.Props) { *p = customdomain.Props{} }), "Shop/Domain: no Name; write a domain name such as example.com\nno Zone; write a domain name such as example.com\nno ZoneID, and the stack's account or Region is open"},
		{"outside the zone", with(func(p *customdomain.Props) { p.Name = "api.example.org" }), `Shop/Domain: Name "api.example.org" is not in the zone "example.com"`},
		{"a wildcard", with(func(p *customdomain.Props) { p.Name = "*.example.com" }), `Name "*.example.com" has a wildcard`},
		{"an id with its path", with(func(p *customdomain.Props) { p.ZoneID = "/hostedzone/Z1" }), `ZoneID is "/hostedzone/Z1"; write it without /hostedzone/`},
		{"no id", with(func(p *customdomain.Props) { p.ZoneID = "example" }), `ZoneID is "example"; Route 53's start with Z`},
		{"a look-up without an account", with(func(p *customdomain.Props) { p.ZoneID = "" }), "write the ZoneID, or set both in the stack's Env"},
		{"the whole domain, then a part", onDomain(domain(), "", "v1"), `Shop/APIB: BasePath "v1" of api.example.com is blocked by Shop/APIA, which has the whole domain`},
		{"a part, then the whole domain", onDomain(domain(), "v1", ""), `Shop/APIB: no BasePath, and Shop/APIA has "v1" of api.example.com`},
		{"a part twice", onDomain(domain(), "v1", "v1"), `Shop/APIB: BasePath "v1" of api.example.com is taken by Shop/APIA`},
		{"two parts", onDomain(domain(), "v1/orders"), `BasePath is "v1/orders"; write one part of a path`},
		{"a malformed part", onDomain(domain(), "v 1"), `BasePath is "v 1"; at most 300 letters`},
		{"a part of nothing", declareShop(func(s *shop) { s.props.BasePath = "v1" }), "Shop/API: BasePath without a Domain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, tt.declare); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}

// A look-up takes what the CDK CLI found once from the context, and asks for it
// where there is nothing.
func TestCustomDomainLookup(t *testing.T) {
	const key = "hosted-zone:account=111122223333:domainName=example.com:region=eu-west-1"
	for _, found := range []bool{true, false} {
		app := newApp(t)
		if found {
			app.Node().SetContext(jsii.String(key), map[string]any{"Id": "/hostedzone/Z0FOUND", "Name": "example.com."})
		}
		stack := awscdk.NewStack(app, jsii.String("Shop"), &awscdk.StackProps{Env: &awscdk.Environment{
			Account: jsii.String("111122223333"), Region: jsii.String("eu-west-1"),
		}})
		p := domain()
		p.ZoneID = ""
		onDomain(p, "")(stack)
		assembly := app.Synth(nil)
		var missing []string
		if asked := assembly.Manifest().Missing; asked != nil {
			for _, m := range *asked {
				missing = append(missing, *m.Key)
			}
		}
		if found != (len(missing) == 0) || !found && !slices.Equal(missing, []string{key}) {
			t.Errorf("found %v: asks for %v", found, missing)
		}
		template := text(t, assembly.GetStackByName(jsii.String("Shop")).Template())
		if found && strings.Count(template, `"HostedZoneId":"Z0FOUND"`) != 3 {
			t.Error("the zone that was found is not used for the certificate and both records")
		}
	}
}

func TestAPIGatewayAccount(t *testing.T) {
	template := declare(t, func(stack awscdk.Stack) { apigatewayaccount.New(stack, "Account", apigatewayaccount.Props{}) })
	if got := text(t, only(t, template, "AWS::ApiGateway::Account")["CloudWatchRoleArn"]); !strings.Contains(got, `"AccountRole`) {
		t.Errorf("the role is %s", got)
	}
	role := only(t, template, "AWS::IAM::Role")
	if got := text(t, role["AssumeRolePolicyDocument"]); !strings.Contains(got, `"Principal":{"Service":"apigateway.amazonaws.com"}`) {
		t.Errorf("the role may be assumed: %s", got)
	}
	if got := text(t, role["ManagedPolicyArns"]); !strings.Contains(got, ":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs") {
		t.Errorf("the role may do %s", got)
	}
	for id, r := range template["Resources"].(object) {
		if resource := r.(object); resource["DeletionPolicy"] != "Retain" || resource["UpdateReplacePolicy"] != "Retain" {
			t.Errorf("%s is deleted with its stack", id)
		}
	}
	if n := len(slices.Collect(maps.Keys(template["Resources"].(object)))); n != 2 {
		t.Errorf("%d resources", n)
	}
}
