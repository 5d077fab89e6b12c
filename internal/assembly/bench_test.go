package assembly_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// BenchmarkModel reads a tree of 1,000 methods.
func BenchmarkModel(b *testing.B) {
	var tree strings.Builder
	for i := range 1000 {
		_, _ = fmt.Fprintf(&tree, `"R%[1]d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "r%[1]d"}},
			"M%[1]d": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "R%[1]d"}, "HttpMethod": "GET", "AuthorizationType": "NONE",
				"Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":apigateway:", {"Ref": "AWS::Region"}, ":lambda:path/2015-03-31/functions/", {"Fn::GetAtt": ["Fn", "Arn"]}, "/invocations"]]}}}},
			"P%[1]d": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]},
				"SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${API}/live/GET/r%[1]d"}}},`, i)
	}
	dir := write(b, [2]string{"S", template(tree.String() + `"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}},
		"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "r"}},
		"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}}},
		"Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "API"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "live"}}`)})
	for b.Loop() {
		a, err := assembly.Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		m, err := a.Model("", assembly.Options{})
		if err != nil || len(m.RestAPIs) != 1 || len(m.RestAPIs[0].Routes) != 1000 {
			b.Fatalf("%v, %v", m, err)
		}
	}
}
