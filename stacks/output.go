package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// OutputName is the stack output that describes a deployed stage to the
// gatewright command, as JSON and without secrets.
const OutputName = "Gatewright"

// output writes what the ready file of the local runtime says of a local
// stage, as far as it holds for a deployed one.
func output(stack awscdk.Stack, s stagefile.Stage, i *identity, api *restapi.RestAPI) {
	pool := i.users.Pool
	var clients []any
	for _, c := range i.clients {
		clients = append(clients, map[string]any{
			"name":      c.name,
			"id":        *i.users.Clients[c.name].UserPoolClientId(),
			"flows":     []string{c.flow},
			"scopes":    c.scopes,
			"callbacks": append([]string{}, c.callbacks...),
		})
	}
	description := map[string]any{
		"stage":         s.Name,
		"region":        *stack.Region(),
		"account":       *stack.Account(),
		"api":           api.URL(),
		"auth":          i.users.BaseURL(),
		"apiId":         *api.API.RestApiId(),
		"apiStage":      *api.Stage.StageName(),
		"customerTable": api.CustomerTable(),
		"userPools": []any{map[string]any{
			"id":      *pool.UserPoolId(),
			"issuer":  i.users.Issuer(),
			"jwksUri": i.users.Issuer() + "/.well-known/jwks.json",
			"clients": clients,
		}},
	}
	awscdk.NewCfnOutput(stack, jsii.String(OutputName), &awscdk.CfnOutputProps{
		Description: jsii.String("The stage as the gatewright command reads it"),
		Value:       stack.ToJsonString(description, nil),
	})
}
