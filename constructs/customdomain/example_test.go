package customdomain_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
)

func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	domain := customdomain.New(stack, "Domain", customdomain.Props{
		Name:   "api.example.com",
		Zone:   "example.com",
		ZoneID: "Z0123456789ABCDEFGHIJ",
	})
	restapi.New(stack, "API", restapi.Props{
		Domain:   domain,
		BasePath: "orders", // https://api.example.com/orders/status
		Routes: restapi.Routes{
			"GET /status": {Access: access.Public("health check"), Target: orders},
		},
	})
	app.Synth(nil)
}
