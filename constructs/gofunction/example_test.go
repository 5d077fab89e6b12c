package gofunction_test

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/gofunction"
)

func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := gofunction.New(stack, "Orders", gofunction.Props{
		Package:     "./lambdas/orders",
		Environment: map[string]string{"CURRENCY": "EUR"},
		Timeout:     5 * time.Second,
	})
	// The CDK's own object is the way to what Props does not name.
	orders.Function.AddAlias(jsii.String("live"), nil)
	app.Synth(nil)
}
