package apigatewayaccount_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/apigatewayaccount"
)

func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Account"), nil)
	apigatewayaccount.New(stack, "Account", apigatewayaccount.Props{})
	app.Synth(nil)
}
