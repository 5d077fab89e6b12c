package restapi_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
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
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	users := userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders", "write": "Order"}}},
		Clients: []userpool.Client{
			userpool.Browser{Name: "website", Scopes: []string{"orders/read", "orders/write"}, Callbacks: []string{"https://shop.example.com/callback"}},
			userpool.Machine{Name: "billing", Scopes: []string{"orders/read", "orders/write"}},
		},
	})
	restapi.New(stack, "API", restapi.Props{
		UserPools: []*userpool.UserPool{users},
		Origins:   []string{"https://shop.example.com"},
		Routes: restapi.Routes{
			"GET /status":      {Access: access.Public("health check"), Target: orders},
			"GET /orders":      {Access: access.Scopes("orders/read"), Target: orders},
			"GET /orders/{id}": {Access: access.Scopes("orders/read"), Target: orders},
			"POST /orders": {
				Access: access.Scopes("orders/write").From("website"),
				Target: orders,
				Body: restapi.Body{Name: "Order", Schema: map[string]any{
					"type":                 "object",
					"properties":           map[string]any{"article": map[string]any{"type": "string", "maxLength": 40}},
					"required":             []string{"article"},
					"additionalProperties": false,
				}},
				Throttle: restapi.Throttle{Rate: 10, Burst: 20},
			},
		},
	})
	app.Synth(nil)
}
