package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/apigatewayaccount"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// AccountStackID is the id of the stack that [NewAccount] adds.
const AccountStackID = "Account"

// NewAccount adds the stack with API Gateway's logging role for the account and
// Region of a stage. It belongs to no stage, since all stages of that account
// and Region share the role, and its name is the same for each of them. Nothing
// in it is deleted with it.
func NewAccount(app constructs.Construct, s stagefile.Stage) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String(AccountStackID), &awscdk.StackProps{
		Description: jsii.String("Gatewright: the role with which API Gateway writes logs, one for each account and Region"),
		Env:         environment(s),
		StackName:   jsii.String("Gatewright-Account"),
	})
	apigatewayaccount.New(stack, "APIGateway", apigatewayaccount.Props{})
	return stack
}
