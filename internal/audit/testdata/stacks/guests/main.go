// Command guests lets visitors without a sign-in call an API, and more of it
// than was meant.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Guests"), nil)
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), nil)
	backend := awsapigateway.NewHttpIntegration(jsii.String("https://backend.example.com/photos"), nil)
	signed := &awsapigateway.MethodOptions{AuthorizationType: awsapigateway.AuthorizationType_IAM}
	photos := api.Root().AddResource(jsii.String("photos"), nil)
	photos.AddMethod(jsii.String("GET"), backend, signed)
	photos.AddResource(jsii.String("{id}"), nil).AddResource(jsii.String("owner"), nil).AddMethod(jsii.String("DELETE"), backend, signed)

	visitors := awscognito.NewCfnIdentityPool(stack, jsii.String("Visitors"), &awscognito.CfnIdentityPoolProps{AllowUnauthenticatedIdentities: jsii.Bool(true)})
	allow := func(resource *string) *map[string]awsiam.PolicyDocument {
		return &map[string]awsiam.PolicyDocument{"calls": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
			Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions: jsii.Strings("execute-api:Invoke"), Resources: &[]*string{resource},
			})},
		})}
	}
	guest := awsiam.NewRole(stack, jsii.String("Guest"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewWebIdentityPrincipal(jsii.String("cognito-identity.amazonaws.com"), nil),
		InlinePolicies: allow(api.ArnForExecuteApi(nil, nil, nil)),
	})
	awsiam.NewRole(stack, jsii.String("Partner"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewAccountPrincipal(jsii.String("444455556666")), InlinePolicies: allow(jsii.String("*")),
	})
	awscognito.NewCfnIdentityPoolRoleAttachment(stack, jsii.String("Roles"), &awscognito.CfnIdentityPoolRoleAttachmentProps{
		IdentityPoolId: visitors.Ref(), Roles: map[string]*string{"unauthenticated": guest.RoleArn()},
	})
	app.Synth(nil)
}
