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
	for _, client := range machines {
		clients = append(clients, map[string]any{
			"name":   client.Name,
			"id":     *i.users.Clients[client.Name].UserPoolClientId(),
			"flows":  []string{"client_credentials"},
			"scopes": client.Scopes,
		})
	}
	description := map[string]any{
		"stage":    s.Name,
		"region":   *stack.Region(),
		"account":  *stack.Account(),
		"api":      api.URL(),
		"auth":     i.users.BaseURL(),
		"apiId":    *api.API.RestApiId(),
		"apiStage": *api.Stage.StageName(),
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
