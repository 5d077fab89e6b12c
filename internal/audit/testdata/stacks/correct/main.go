// Command correct is the API of the first question, put right with the CDK's own
// constructs.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Answer"), nil)
	items := awslambda.NewFunction(stack, jsii.String("Items"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_PYTHON_3_13(), Handler: jsii.String("index.handler"),
		Code: awslambda.Code_FromInline(jsii.String("def handler(event, context):\n    return {'statusCode': 200, 'body': '[]'}\n")),
	})
	users := awscognito.NewUserPool(stack, jsii.String("Users"), &awscognito.UserPoolProps{SelfSignUpEnabled: jsii.Bool(false)})
	read := awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{ScopeName: jsii.String("read"), ScopeDescription: jsii.String("Read items")})
	server := users.AddResourceServer(jsii.String("ItemsScopes"), &awscognito.UserPoolResourceServerOptions{
		Identifier: jsii.String("items"), Scopes: &[]awscognito.ResourceServerScope{read},
	})
	users.AddClient(jsii.String("Website"), &awscognito.UserPoolClientOptions{
		GenerateSecret: jsii.Bool(false), PreventUserExistenceErrors: jsii.Bool(true), EnableTokenRevocation: jsii.Bool(true),
		AuthFlows: &awscognito.AuthFlow{UserSrp: jsii.Bool(true)},
		OAuth: &awscognito.OAuthSettings{
			Flows:        &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes:       &[]awscognito.OAuthScope{awscognito.OAuthScope_OPENID(), awscognito.OAuthScope_ResourceServer(server, read)},
			CallbackUrls: jsii.Strings("https://shop.example.com/callback"),
		},
	})
	certificate := awscertificatemanager.Certificate_FromCertificateArn(stack, jsii.String("Certificate"), jsii.String("arn:aws:acm:eu-west-1:111122223333:certificate/x"))
	calls := awslogs.NewLogGroup(stack, jsii.String("Calls"), nil)
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), &awsapigateway.RestApiProps{
		DisableExecuteApiEndpoint: jsii.Bool(true),
		DomainName: &awsapigateway.DomainNameOptions{
			DomainName: jsii.String("api.example.com"), Certificate: certificate, SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
		},
		DefaultCorsPreflightOptions: &awsapigateway.CorsOptions{
			AllowOrigins: jsii.Strings("https://shop.example.com"), AllowMethods: jsii.Strings("GET"), AllowHeaders: jsii.Strings("Authorization"),
		},
		DeployOptions: &awsapigateway.StageOptions{
			ThrottlingRateLimit: jsii.Number(50), ThrottlingBurstLimit: jsii.Number(100),
			AccessLogDestination: awsapigateway.NewLogGroupLogDestination(calls),
			AccessLogFormat: awsapigateway.AccessLogFormat_JsonWithStandardFields(&awsapigateway.JsonWithStandardFieldProps{
				Caller: jsii.Bool(true), HttpMethod: jsii.Bool(true), Ip: jsii.Bool(true), Protocol: jsii.Bool(true), RequestTime: jsii.Bool(true),
				ResourcePath: jsii.Bool(true), ResponseLength: jsii.Bool(true), Status: jsii.Bool(true), User: jsii.Bool(true),
			}),
		},
	})
	for id, kind := range map[string]awsapigateway.ResponseType{"Refused": awsapigateway.ResponseType_DEFAULT_4XX(), "Failed": awsapigateway.ResponseType_DEFAULT_5XX()} {
		api.AddGatewayResponse(jsii.String(id), &awsapigateway.GatewayResponseOptions{
			Type: kind, ResponseHeaders: &map[string]*string{"Access-Control-Allow-Origin": jsii.String("'https://shop.example.com'")},
		})
	}
	authorizer := awsapigateway.NewCognitoUserPoolsAuthorizer(stack, jsii.String("Authorizer"), &awsapigateway.CognitoUserPoolsAuthorizerProps{
		CognitoUserPools: &[]awscognito.IUserPool{users},
	})
	api.Root().AddResource(jsii.String("items"), nil).AddMethod(jsii.String("GET"), awsapigateway.NewLambdaIntegration(items, nil), &awsapigateway.MethodOptions{
		Authorizer: authorizer, AuthorizationType: awsapigateway.AuthorizationType_COGNITO, AuthorizationScopes: jsii.Strings("items/read"),
	})
	app.Synth(nil)
}
