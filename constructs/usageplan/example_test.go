package usageplan_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/usageplan"
	"github.com/gatewright/gatewright/constructs/userpool"
)

// Two partners, each with a token of its own client and a key that limits it.
func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	partners := userpool.New(stack, "Partners", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders"}}},
		Clients: []userpool.Client{
			userpool.Machine{Name: "acme", Scopes: []string{"orders/read"}},
			userpool.Machine{Name: "globex", Scopes: []string{"orders/read"}},
		},
	})
	api := restapi.New(stack, "API", restapi.Props{
		UserPools: []*userpool.UserPool{partners},
		Routes: restapi.Routes{
			"GET /orders": {Access: access.Scopes("orders/read"), Target: orders, APIKeyRequired: true},
		},
	})
	usageplan.New(stack, "Limits", usageplan.Props{
		APIs:       []*restapi.RestAPI{api},
		Keys:       []string{"acme", "globex"},
		RateLimit:  10,
		BurstLimit: 20,
		Quota:      usageplan.Quota{Limit: 100_000, Period: awsapigateway.Period_MONTH},
	})
	app.Synth(nil)
}
