package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// measureCommands runs report and audit, as whole commands, over templates with
// 1,000 routes: all open, which is the least there is to say of them, and guarded
// in every way.
func measureCommands(ctx context.Context) ([]measurement, error) {
	dir, err := os.MkdirTemp("", "gatewright-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	var out []measurement
	for _, of := range []struct{ name, template string }{
		{"1,000 routes", openRoutes(1000)}, {"1,000 routes with clients, keys and roles", guardedRoutes(1000)},
	} {
		template := filepath.Join(dir, "template.json")
		if err := os.WriteFile(template, []byte(of.template), 0o600); err != nil {
			return nil, err
		}
		for _, command := range []string{"report", "audit"} {
			m, err := measureCommand(ctx, command, template)
			if err != nil {
				return nil, err
			}
			out = append(out, atMost("gatewright "+command+", of "+of.name, m, "s", 1))
		}
	}
	return out, nil
}

func measureCommand(ctx context.Context, command, template string) (float64, error) {
	var seconds []float64
	for range starts {
		began := time.Now()
		var stdout bytes.Buffer
		cmd := exec.CommandContext(ctx, gatewright, command, template)
		cmd.Stdout = &stdout
		err := cmd.Run()
		if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
			err = nil // findings
		}
		if err != nil {
			return 0, fmt.Errorf("gatewright %s: %w", command, err)
		}
		if !bytes.Contains(stdout.Bytes(), []byte("/orders-999")) {
			return 0, fmt.Errorf("gatewright %s says nothing of the last route", command)
		}
		seconds = append(seconds, time.Since(began).Seconds())
	}
	return middle(seconds, command)
}

const apiAndStage = `{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}},
"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "v1"}}`

// openRoutes is a template of Resources and Methods, each open.
func openRoutes(n int) string {
	var b strings.Builder
	b.WriteString(apiAndStage)
	for i := range n {
		writeRoute(&b, i, `"AuthorizationType": "NONE"`)
	}
	return b.String() + "}}"
}

// guardedRoutes is a template of as many routes that ask for a token, a
// signature or a key. 20 clients may request a scope each, 20 roles have a grant
// for each route that takes signatures, and 20 keys are on a plan. The last route
// is open, for the audit to speak of.
func guardedRoutes(n int) string {
	const several = 20
	var b strings.Builder
	b.WriteString(apiAndStage + `,
"Users": {"Type": "AWS::Cognito::UserPool"},
"Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "API"}, "Name": "users", "Type": "COGNITO_USER_POOLS", "IdentitySource": "method.request.header.Authorization", "ProviderARNs": [{"Fn::GetAtt": ["Users", "Arn"]}]}},
"Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"ApiStages": [{"ApiId": {"Ref": "API"}, "Stage": "v1"}], "Quota": {"Limit": 1000, "Period": "DAY"}}}`)
	grants := make([][]string, several)
	for i := range n - 1 {
		switch i % 3 {
		case 0:
			writeRoute(&b, i, fmt.Sprintf(`"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Authorizer"}, "AuthorizationScopes": ["orders/s%d"]`, i%several))
		case 1:
			writeRoute(&b, i, `"AuthorizationType": "AWS_IAM"`)
			for role := range grants {
				grants[role] = append(grants[role], fmt.Sprintf(`{"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${API}/*/GET/orders-%d/*"}`, i))
			}
		default:
			writeRoute(&b, i, `"AuthorizationType": "NONE", "ApiKeyRequired": true`)
		}
	}
	writeRoute(&b, n-1, `"AuthorizationType": "NONE"`)
	var scopes []string
	for i, own := range grants {
		scopes = append(scopes, fmt.Sprintf(`{"ScopeName": "s%d", "ScopeDescription": "s"}`, i))
		fmt.Fprintf(&b, `,
"Client%d": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Users"}, "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"], "CallbackURLs": ["https://shop.example.com/"], "AllowedOAuthScopes": ["orders/s%d"]}},
"Key%d": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": true}},
"KeyOnPlan%d": {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {"KeyId": {"Ref": "Key%d"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}},
"Role%d": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
	"Policies": [{"PolicyName": "calls", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [%s]}]}}]}}`,
			i, i, i, i, i, i, strings.Join(own, ", "))
	}
	fmt.Fprintf(&b, `,
"Orders": {"Type": "AWS::Cognito::UserPoolResourceServer", "Properties": {"UserPoolId": {"Ref": "Users"}, "Identifier": "orders", "Name": "orders", "Scopes": [%s]}}`, strings.Join(scopes, ", "))
	return b.String() + "}}"
}

// writeRoute declares a path with a method.
func writeRoute(b *strings.Builder, i int, authorization string) {
	fmt.Fprintf(b, `,
"R%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "orders-%d"}},
"V%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Ref": "R%d"}, "PathPart": "{id}"}},
"M%d": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "V%d"}, "HttpMethod": "GET", %s, "Integration": {"Type": "MOCK"}}}`, i, i, i, i, i, i, authorization)
}
