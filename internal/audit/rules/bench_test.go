package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
)

// BenchmarkThousandRoutes applies every rule to an API of 1,000 routes as one
// body, and as a tree of methods. The model is read beforehand.
func BenchmarkThousandRoutes(b *testing.B) {
	for name, template := range map[string]string{"body": bodyOf(1000), "tree": treeOf(1000)} {
		b.Run(name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "shop.json")
			if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
				b.Fatal(err)
			}
			a, err := assembly.Load(file)
			if err != nil {
				b.Fatal(err)
			}
			models, err := a.Models("", assembly.Options{})
			if err != nil {
				b.Fatal(err)
			}
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
