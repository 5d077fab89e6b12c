package gofunction

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Integration is the function's x-amazon-apigateway-integration: the whole
// request goes to the function, its answer comes back as it is ("Set up Lambda
// proxy integrations in API Gateway").
func (f *Function) Integration() map[string]any {
	uri := fmt.Sprintf("arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations",
		*awscdk.Aws_PARTITION(), *awscdk.Aws_REGION(), *f.Function.FunctionArn())
	return map[string]any{
		"type":                "aws_proxy",
		"httpMethod":          "POST",
		"uri":                 uri,
		"passthroughBehavior": "when_no_match",
	}
}

// AllowInvoke lets API Gateway call the function on behalf of the execute-api
// ARN, which names one API and stage. The permission is declared in scope,
// under an id that follows from the function's path.
func (f *Function) AllowInvoke(scope constructs.Construct, executeAPIARN string) {
	id := "Invoke" + *awscdk.Names_UniqueId(f.Function)
	f.Function.AddPermission(jsii.String(id), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		Scope:     scope,
		SourceArn: jsii.String(executeAPIARN),
	})
}

// CreateOnly returns the values whose change gives the function a new ARN
// behind an unchanged reference (AWS::Lambda::Function, "Update requires:
// Replacement").
func (f *Function) CreateOnly() []any {
	resource := f.Function.Node().DefaultChild().(awslambda.CfnFunction)
	return []any{resource.FunctionName(), resource.PackageType()}
}
