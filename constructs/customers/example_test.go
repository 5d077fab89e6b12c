package customers_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
)

// Customers whose tools send a fixed header, on an API without users.
func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	shop := customers.New(stack, "Customers", customers.Props{
		KeyPrefix: "shop",
		StageTag:  "prod",
		Scopes:    []string{"orders/read"},
	})
	shop.GrantOperate(awsiam.Role_FromRoleName(stack, jsii.String("Support"), jsii.String("support"), nil))
	restapi.New(stack, "API", restapi.Props{
		Customers: shop,
		Routes: restapi.Routes{
			"GET /status": {Access: access.Public("health check"), Target: orders},
			"GET /orders": {Access: access.Key("orders/read"), Target: orders},
		},
	})
	app.Synth(nil)
}
