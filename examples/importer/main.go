// Command importer is another team's CDK app that uses Gatewright's constructs:
// an API on their own domain. Its orders want an access token; one order a token or a
// customer's key; its receipt a token of the website. Anyone may read its status.
// It is a module of its own, as theirs would be.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
	status := gofunction.New(stack, "Status", gofunction.Props{Package: "github.com/gatewright/gatewright/lambdas/status"})
	users := userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{ID: "orders", Scopes: userpool.Scopes{"read": "Read orders"}}},
		Clients: []userpool.Client{
			userpool.Browser{Name: "website", Scopes: []string{"orders/read"}, Callbacks: []string{"https://shop.example.com/callback"}},
			userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}},
		},
	})
	restapi.New(stack, "API", restapi.Props{
		UserPools: []*userpool.UserPool{users},
		Customers: customers.New(stack, "Customers", customers.Props{}),
		Domain:    customdomain.New(stack, "Domain", customdomain.Props{Name: "api.example.com", Zone: "example.com", ZoneID: "Z0123456789ABCDEFGHIJ"}),
		Origins:   []string{"https://shop.example.com"},
		Routes: restapi.Routes{
			"GET /status":              {Access: access.Public("health check"), Target: status},
			"GET /orders":              {Access: access.Scopes("orders/read"), Target: orders},
			"GET /orders/{id}":         {Access: access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")), Target: orders},
			"GET /orders/{id}/receipt": {Access: access.Scopes("orders/read").From("website"), Target: orders},
		},
	})
	app.Synth(nil)
}
