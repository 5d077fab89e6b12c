// Command first-question is an API as its author believed it protected: a
// custom domain, a user pool and an authorizer.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Question"), nil)
	items := awslambda.NewFunction(stack, jsii.String("Items"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_PYTHON_3_13(), Handler: jsii.String("index.handler"),
		Code: awslambda.Code_FromInline(jsii.String("def handler(event, context):\n    return {'statusCode': 200, 'body': '[]'}\n")),
	})
	users := awscognito.NewUserPool(stack, jsii.String("Users"), &awscognito.UserPoolProps{})
	users.AddClient(jsii.String("Client"), &awscognito.UserPoolClientOptions{
		GenerateSecret: jsii.Bool(true),
		AuthFlows:      &awscognito.AuthFlow{UserPassword: jsii.Bool(true)},
		OAuth:          &awscognito.OAuthSettings{Scopes: &[]awscognito.OAuthScope{awscognito.OAuthScope_OPENID()}},
	})
	certificate := awscertificatemanager.Certificate_FromCertificateArn(stack, jsii.String("Certificate"), jsii.String("arn:aws:acm:eu-west-1:111122223333:certificate/x"))
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), &awsapigateway.RestApiProps{
		DomainName: &awsapigateway.DomainNameOptions{DomainName: jsii.String("api.example.com"), Certificate: certificate},
		DefaultCorsPreflightOptions: &awsapigateway.CorsOptions{
			AllowOrigins: awsapigateway.Cors_ALL_ORIGINS(),
			AllowMethods: awsapigateway.Cors_DEFAULT_HEADERS(),
		},
	})
	awsapigateway.NewCfnAuthorizer(stack, jsii.String("Authorizer"), &awsapigateway.CfnAuthorizerProps{
		RestApiId: api.RestApiId(), Name: jsii.String("users"), Type: jsii.String("COGNITO_USER_POOLS"),
		IdentitySource: jsii.String("method.request.header.Authorization"), ProviderArns: &[]any{users.UserPoolArn()},
	})
	integration := awsapigateway.NewLambdaIntegration(items, nil)
	resource := api.Root().AddResource(jsii.String("items"), nil)
	resource.AddMethod(jsii.String("GET"), integration, nil)
	resource.AddMethod(jsii.String("POST"), integration, nil)
	app.Synth(nil)
}
