// Command scopes has scopes that do not fit together, in a pool that anyone may
// join.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Scopes"), nil)
	users := awscognito.NewUserPool(stack, jsii.String("Users"), &awscognito.UserPoolProps{SelfSignUpEnabled: jsii.Bool(true)})
	scope := func(name string) awscognito.ResourceServerScope {
		return awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{ScopeName: jsii.String(name), ScopeDescription: jsii.String(name)})
	}
	read, export, admin := scope("read"), scope("export"), scope("admin")
	orders := users.AddResourceServer(jsii.String("Orders"), &awscognito.UserPoolResourceServerOptions{
		Identifier: jsii.String("orders"), Scopes: &[]awscognito.ResourceServerScope{read, export, admin},
	})
	users.AddClient(jsii.String("Website"), &awscognito.UserPoolClientOptions{
		PreventUserExistenceErrors: jsii.Bool(true), EnableTokenRevocation: jsii.Bool(false),
		AccessTokenValidity: awscdk.Duration_Hours(jsii.Number(24)),
		OAuth: &awscognito.OAuthSettings{
			Flows: &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes: &[]awscognito.OAuthScope{
				awscognito.OAuthScope_ResourceServer(orders, read), awscognito.OAuthScope_ResourceServer(orders, export), awscognito.OAuthScope_ResourceServer(orders, admin),
			},
			CallbackUrls: jsii.Strings("https://shop.example.com/callback"),
		},
	})
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), nil)
	authorizer := awsapigateway.NewCognitoUserPoolsAuthorizer(stack, jsii.String("Authorizer"), &awsapigateway.CognitoUserPoolsAuthorizerProps{
		CognitoUserPools: &[]awscognito.IUserPool{users},
	})
	backend := awsapigateway.NewHttpIntegration(jsii.String("https://backend.example.com/orders"), nil)
	for method, scope := range map[string]string{"GET": "orders/read", "PUT": "orders/write", "DELETE": "orders/admin"} {
		api.Root().AddMethod(jsii.String(method), backend, &awsapigateway.MethodOptions{
			Authorizer: authorizer, AuthorizationType: awsapigateway.AuthorizationType_COGNITO, AuthorizationScopes: jsii.Strings(scope),
		})
	}
	app.Synth(nil)
}
