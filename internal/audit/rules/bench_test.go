package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
)

func modelsOf(t testing.TB, template string) []*assembly.Model {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.json")
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	models, err := a.Models("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return models
}

// The work of every rule grows with the routes, and not with routes times
// grants: four times as many take about four times the memory, where each with
// each would take sixteen times.
func TestWorkGrowsWithRoutes(t *testing.T) { // not in parallel: it counts what is allocated
	for _, form := range [][2]string{{"v1/GET", "GET"}, {"*/GET", "GET"}, {"v1/*", "ANY"}} {
		takes := func(n int) map[string]float64 {
			models := modelsOf(t, signedOf(n, 4, form[0], form[1]))
			out := map[string]float64{}
			for _, rule := range rules.All {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := audit.Run(models, []audit.Rule{rule}, audit.Options{Now: time.Now()}); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				out[rule.ID] = float64(after.TotalAlloc - before.TotalAlloc)
			}
			return out
		}
		few, many := takes(100), takes(400)
		for _, rule := range rules.All {
			if many[rule.ID] > 8*few[rule.ID]+100_000 {
				t.Errorf("%v: %s takes %.0f bytes for 100 routes, %.0f for 400", form, rule.ID, few[rule.ID], many[rule.ID])
			}
		}
	}
}

// BenchmarkThousandRoutes applies every rule to an API of 1,000 routes: as one
// body, as a tree of methods, and with a grant for each. The model is read
// beforehand.
func BenchmarkThousandRoutes(b *testing.B) {
	for name, template := range map[string]string{
		"body": bodyOf(1000), "tree": treeOf(1000), "signed": signedOf(1000, 1, "v1/GET", "GET"), "signed on any stage": signedOf(1000, 20, "*/GET", "GET"),
		"signed by any method": signedOf(1000, 20, "v1/*", "ANY"),
	} {
		b.Run(name, func(b *testing.B) {
			models := modelsOf(b, template)
			if len(models) != 1 || len(models[0].RestAPIs[0].Routes) != 1000 {
				b.Fatalf("not the 1,000 routes: %v", models[0].NotUnderstood)
			}
			for b.Loop() {
				if _, err := audit.Run(models, rules.All, audit.Options{Now: time.Now()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const poolAndStage = `
	"Users": {"Type": "AWS::Cognito::UserPool"},
	"Website": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Users"}, "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["orders/read"]}},
	"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "v1"}},
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]},
		"Policies": [{"PolicyName": "call", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/v1/GET/items-1/*"}]}}]}},`

func bodyOf(n int) string {
	var paths []string
	for i := range n {
		security := `"security": [{"users": ["orders/read"]}], `
		if i%10 == 0 {
			security = ""
		}
		paths = append(paths, fmt.Sprintf(`"/items-%d/{id}": {"get": {%s"responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}`, i, security))
	}
	return `{"Resources": {` + poolAndStage + `"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop", "Body": {"openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
		"components": {"securitySchemes": {"users": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
			"x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [{"Fn::GetAtt": ["Users", "Arn"]}]}}}},
		"paths": {` + strings.Join(paths, ", ") + `}}}}}}`
}

func treeOf(n int) string {
	var out strings.Builder
	out.WriteString(`{"Resources": {` + poolAndStage + `"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}}`)
	out.WriteString(`, "Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "API"}, "Name": "users", "Type": "COGNITO_USER_POOLS", "IdentitySource": "method.request.header.Authorization", "ProviderARNs": [{"Fn::GetAtt": ["Users", "Arn"]}]}}`)
	for i := range n {
		authorization := `"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Authorizer"}, "AuthorizationScopes": ["orders/read"]`
		if i%10 == 0 {
			authorization = `"AuthorizationType": "AWS_IAM"`
		}
		fmt.Fprintf(&out, `, "R%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "items-%d"}}`, i, i)
		fmt.Fprintf(&out, `, "M%d": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "R%d"}, "HttpMethod": "GET", %s, "Integration": {"Type": "MOCK"}}}`, i, i, authorization)
	}
	return out.String() + `}}`
}

// signedOf has n routes with AWS_IAM, each granted by its own ARN, which begins
// with a stage and a method, to one of some roles.
func signedOf(n, roles int, start, method string) string {
	var out strings.Builder
	grants := make([][]string, roles)
	out.WriteString(`{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}},
		"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "v1"}}`)
	for i := range n {
		fmt.Fprintf(&out, `, "R%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "r%d"}}`, i, i)
		fmt.Fprintf(&out, `, "V%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Ref": "R%d"}, "PathPart": "{id}"}}`, i, i)
		fmt.Fprintf(&out, `, "M%d": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "V%d"}, "HttpMethod": "%s", "AuthorizationType": "AWS_IAM", "Integration": {"Type": "MOCK"}}}`, i, i, method)
		grants[i%roles] = append(grants[i%roles], fmt.Sprintf(`{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${API}/%s/r%d/*"}}`, start, i))
	}
	for i, own := range grants {
		fmt.Fprintf(&out, `, "Role%d": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]},
			"Policies": [{"PolicyName": "call", "PolicyDocument": {"Statement": [%s]}}]}}`, i, strings.Join(own, ", "))
	}
	return out.String() + `}}`
}
