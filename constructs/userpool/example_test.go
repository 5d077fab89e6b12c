package userpool_test

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/userpool"
)

func Example() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{
			ID:     "orders",
			Scopes: userpool.Scopes{"read": "Read orders", "write": "Change orders"},
		}},
		Clients: []userpool.Client{
			userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}},
		},
		AccessTokenLifetime: 30 * time.Minute,
	})
	app.Synth(nil)
}
