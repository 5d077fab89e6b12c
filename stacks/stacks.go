// Package stacks says what a stage is made of: an Identity stack with the user
// pool, which outlives everything else, and an Api stack with the API and its
// functions.
package stacks

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/stagefile"
)

// New adds a stage's stacks to the app. It panics with an error where the
// stage cannot be declared.
func New(app constructs.Construct, s stagefile.Stage) awscdk.Stage {
	stage := awscdk.NewStage(app, jsii.String(s.Name), &awscdk.StageProps{Env: &awscdk.Environment{
		Account: optional(s.Account),
		Region:  jsii.String(s.Region),
	}})
	identity := newIdentity(stage, s.TokenLifetime)
	newAPI(stage, s, identity)
	return stage
}

func newIdentity(stage awscdk.Stage, tokenLifetime time.Duration) *identity {
	stack := awscdk.NewStack(stage, jsii.String("Identity"), &awscdk.StackProps{
		Description: jsii.String("Gatewright: who callers are"),
	})
	return declareIdentity(stack, tokenLifetime)
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

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return jsii.String(text)
}
