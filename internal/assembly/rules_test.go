package assembly_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authconfig"
)

// Gatewright's own Lambda authorizer says what it takes, in its asset and its
// environment. Of another's, and of one that cannot be read, nothing is known.
func TestRulesOfTheAuthorizer(t *testing.T) {
	t.Parallel()
	rules, err := authconfig.Rules{Routes: []authconfig.Route{
		{Method: "GET", Path: "/ruled", Key: &authconfig.Key{Scopes: []string{"a/b"}}, Tokens: []authconfig.Token{
			{Scopes: []string{"web/use"}, Clients: []string{"website", "other"}}, {Scopes: []string{"a/b"}, AnyClient: true}}},
	}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const pools = `"[{\"issuer\": \"https://issuer\", \"clients\": {\"website\": \"id-of-website\"}}]"`
	const customers = `"{\"table\": \"Customers\", \"prefix\": \"gw\", \"tag\": \"dev\"}"`
	ruled := &assembly.CallerRules{Key: []string{"a/b"}, Tokens: []assembly.TokenRule{
		{Scopes: []string{"web/use"}, Clients: []string{"website"}, ClientIDs: []string{"id-of-website"}}, {Scopes: []string{"a/b"}, Issuers: []string{"https://issuer"}},
	}}
	if got := ruled.Scopes(); !reflect.DeepEqual(got, []string{"a/b", "web/use"}) {
		t.Errorf("scopes %q", got)
	}
	for name, tt := range map[string]struct {
		pkg, rules, pools, customers string
		want, other                  *assembly.CallerRules
		listed                       string
	}{
		"ours":                {authconfig.Package, string(rules), pools, customers, ruled, &assembly.CallerRules{}, ""},
		"another's":           {"example.com/authorizer", string(rules), pools, customers, nil, nil, ""},
		"no rules":            {authconfig.Package, "", pools, customers, nil, nil, "the rules of the authorizer callers cannot be read"},
		"malformed rules":     {authconfig.Package, "{}", pools, customers, nil, nil, "the rules of the authorizer callers are not understood"},
		"malformed pools":     {authconfig.Package, string(rules), `"null"`, customers, nil, nil, "the user pools of the authorizer callers are not understood"},
		"no customers":        {authconfig.Package, string(rules), pools, `""`, nil, nil, "the customers of the authorizer callers are not understood: CUSTOMERS is set where"},
		"malformed customers": {authconfig.Package, string(rules), pools, `"{}"`, nil, nil, "the customers of the authorizer callers are not understood: CUSTOMERS: the table"},
		"unresolved pools":    {authconfig.Package, string(rules), `{"Fn::ImportValue": "x"}`, customers, nil, nil, "the user pools of the authorizer callers are not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, filepath.Join(dir, "manifest.json"), `{"artifacts": {
				"S": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1", "displayName": "S", "properties": {"templateFile": "S.json"}, "dependencies": ["A"]},
				"A": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}}}}`)
			put(t, filepath.Join(dir, "S.assets.json"), `{"files": {"h": {"source": {"path": "asset.h", "packaging": "zip"},
				"destinations": {"d": {"objectKey": "h.zip"}}}}}`)
			if err := os.Mkdir(filepath.Join(dir, "asset.h"), 0o700); err != nil {
				t.Fatal(err)
			}
			if tt.rules != "" {
				put(t, filepath.Join(dir, "asset.h", authconfig.FileName), tt.rules)
			}
			operation := `{"get": {"responses": {}, "security": [{"callers": []}], "x-amazon-apigateway-integration": {"type": "mock"}}}`
			put(t, filepath.Join(dir, "S.json"), `{"Resources": {
				"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
					"components": {"securitySchemes": {"callers": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "custom",
						"x-amazon-apigateway-authorizer": {"type": "request", "identitySource": "method.request.header.Authorization", "authorizerResultTtlInSeconds": 0,
							"authorizerUri": {"Fn::Sub": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations"}}}}},
					"paths": {"/ruled": `+operation+`, "/forgotten": `+operation+`}}}},
				"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}},
				"Fn": {"Type": "AWS::Lambda::Function", "Metadata": {"gatewright:function": {"module": "m", "version": "", "package": "`+tt.pkg+`"}},
					"Properties": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"S3Bucket": "b", "S3Key": "h.zip"}, "Environment": {"Variables": {"USER_POOLS": `+tt.pools+`, "CUSTOMERS": `+tt.customers+`}}}}}}`)
			m, err := model(t, dir, "S")
			if err != nil {
				t.Fatal(err)
			}
			forgotten, route := m.RestAPIs[0].Routes[0].Authorization, m.RestAPIs[0].Routes[1].Authorization
			if !reflect.DeepEqual(route.Rules, tt.want) || !reflect.DeepEqual(forgotten.Rules, tt.other) {
				t.Errorf("read %+v and %+v", route.Rules, forgotten.Rules)
			}
			var kept *assembly.Customers
			if tt.want != nil {
				kept = &assembly.Customers{Table: "Customers", Prefix: "gw", Tag: "dev"}
			}
			if got := m.RestAPIs[0].Customers; !reflect.DeepEqual(got, kept) {
				t.Errorf("customers %+v", got)
			}
			if tt.listed != "" && !lists(m, tt.listed, false) {
				t.Errorf("listed %v", m.NotUnderstood)
			}
		})
	}
}
