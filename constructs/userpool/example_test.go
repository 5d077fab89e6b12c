package userpool_test

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
)

func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	users := userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{
			ID:     "orders",
			Scopes: userpool.Scopes{"read": "Read orders", "write": "Change orders"},
		}},
		Clients: []userpool.Client{
			userpool.Browser{
				Name:      "website",
				Scopes:    []string{"openid", "email", "orders/read", "orders/write"},
				Callbacks: []string{"https://shop.example.com/callback", "http://localhost:4013/callback"},
				Logouts:   []string{"https://shop.example.com/"},
			},
			userpool.Mobile{
				Name:      "app",
				Scopes:    []string{"openid", "orders/read"},
				Callbacks: []string{"com.example.shop:/callback"},
			},
			userpool.Server{
				Name:      "office",
				Scopes:    []string{"openid", "orders/write"},
				Callbacks: []string{"https://office.example.com/callback"},
			},
			userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}},
		},
		AccessTokenLifetime: 30 * time.Minute,
		AccessTokenClaims:   []string{"email"},
		MFA:                 userpool.MFAOptional,
		Password:            userpool.PasswordPolicy{MinLength: 16, Require: userpool.AnyCharacters},
	})
	// The CDK's own objects are the way to what Props does not name, and the
	// CloudFormation resource is the way to what they do not name either.
	users.Pool.AddGroup(jsii.String("Staff"), &awscognito.UserPoolGroupOptions{GroupName: jsii.String("staff")})
	users.Pool.Node().DefaultChild().(awscognito.CfnUserPool).SetEmailVerificationSubject(jsii.String("Your code for the shop"))
	app.Synth(nil)
}

// An app that signs its users in itself, as SDKs do, and whose access tokens
// carry scopes nevertheless.
func Example_sdk() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders"}, FirstParty: true}},
		Clients: []userpool.Client{userpool.Mobile{
			Name: "android", Scopes: []string{"openid", "orders/read"}, SRP: true,
			Callbacks: []string{"com.example.shop:/callback"},
		}},
		SDKScopes:         []string{"orders/read"},
		AccessTokenClaims: []string{"email"},
	})
	app.Synth(nil)
}

func ExampleImport() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	users := userpool.Import(stack, "Users", userpool.ImportProps{
		ARN:     "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI",
		Scopes:  []string{"orders/read", "orders/write"},
		Clients: map[string]string{"website": "1example23456789"},
	})
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	restapi.New(stack, "API", restapi.Props{
		UserPools: []*userpool.UserPool{users},
		Routes:    restapi.Routes{"GET /orders": {Access: access.Scopes("orders/read"), Target: orders}},
	})
	app.Synth(nil)
}
