// Package stacks says what a stage is made of: an Identity stack with the user
// pool, which outlives everything else, and an Api stack with the API and its
// functions.
package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/stagefile"
)

// New adds a stage's stacks to the app. It panics with an error where the
// stage cannot be declared.
func New(app constructs.Construct, s stagefile.Stage) awscdk.Stage {
	stage := awscdk.NewStage(app, jsii.String(s.Name), &awscdk.StageProps{Env: environment(s)})
	identity := newIdentity(stage, s)
	newAPI(stage, s, identity)
	return stage
}

// environment is the account and Region that a stage file names. An account
// that is left open is that of whoever deploys.
func environment(s stagefile.Stage) *awscdk.Environment {
	env := &awscdk.Environment{Region: jsii.String(s.Region)}
	if s.Account != "" {
		env.Account = jsii.String(s.Account)
	}
	return env
}

func newIdentity(stage awscdk.Stage, s stagefile.Stage) *identity {
	stack := awscdk.NewStack(stage, jsii.String("Identity"), &awscdk.StackProps{
		Description: jsii.String("Gatewright: who callers are"),
	})
	return declareIdentity(stack, s)
}

func newAPI(stage awscdk.Stage, s stagefile.Stage, i *identity) {
	stack := awscdk.NewStack(stage, jsii.String("Api"), &awscdk.StackProps{
		Description: jsii.String("Gatewright: what callers may call"),
	})
	// Weak references lock no stack to another: an export that somebody
	// imports can be neither changed nor removed.
	awscdk.CrossStackReferences_Of(stack).Consume(awscdk.ReferenceStrength_WEAK)
	api := declareAPI(stack, s, i)
	output(stack, s, i, api)
}
