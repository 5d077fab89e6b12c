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
	description := map[string]any{
		"stage":    s.Name,
		"region":   *stack.Region(),
		"account":  *stack.Account(),
		"api":      *api.API.Url(),
		"auth":     *i.users.Domain.BaseUrl(nil),
		"apiId":    *api.API.RestApiId(),
		"apiStage": *api.Stage.StageName(),
		"userPools": []any{map[string]any{
			"id":      *pool.UserPoolId(),
			"issuer":  *pool.UserPoolProviderUrl(),
			"jwksUri": *pool.UserPoolProviderUrl() + "/.well-known/jwks.json",
			"clients": []any{map[string]any{
				"name":   machine.Name,
				"id":     *i.users.Clients[machine.Name].UserPoolClientId(),
				"flows":  []string{"client_credentials"},
				"scopes": machine.Scopes,
			}},
		}},
	}
	awscdk.NewCfnOutput(stack, jsii.String(OutputName), &awscdk.CfnOutputProps{
		Description: jsii.String("The stage as the gatewright command reads it"),
		Value:       stack.ToJsonString(description, nil),
	})
}
