package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// notesActions is all that lambdas/notes does with its table.
var notesActions = []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}

// noteBody is a note as callers send it. lambdas/notes checks the same again,
// because API Gateway checks declared content types only.
var noteBody = restapi.Body{
	Name: "Note",
	Schema: map[string]any{
		"type": "object",
		"properties": map[string]any{
			"title": map[string]any{"type": "string", "minLength": 1, "maxLength": 200},
			"text":  map[string]any{"type": "string", "maxLength": 10_000},
		},
		"required":             []string{"title"},
		"additionalProperties": false,
	},
}

// declareNotes declares the notes' table and the function that answers for it.
func declareNotes(stack constructs.Construct, s stagefile.Stage) *gofunction.Function {
	table := awsdynamodb.NewTable(stack, jsii.String("NotesTable"), &awsdynamodb.TableProps{
		// Each caller's notes are a partition of their own, in the order of
		// their ids, which begin with the time.
		PartitionKey:       &awsdynamodb.Attribute{Name: jsii.String("owner"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:            &awsdynamodb.Attribute{Name: jsii.String("id"), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:        awsdynamodb.BillingMode_PAY_PER_REQUEST,
		DeletionProtection: jsii.Bool(s.Retain),
		Encryption:         awsdynamodb.TableEncryption_AWS_MANAGED,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: removal(s),
	})
	function := gofunction.New(stack, "Notes", gofunction.Props{
		Package:      "github.com/gatewright/gatewright/lambdas/notes",
		Description:  "/v1/notes: each caller's own notes",
		Environment:  map[string]string{"TABLE": *table.TableName(), "ORIGINS": strings.Join(s.Origins, " ")},
		LogRetention: logRetention(s.LogRetentionDays),
	})
	table.Grant(function.Role, *jsii.Strings(notesActions...)...)
	return function
}

// noteRoutes are the routes on notes, for tokens and for customers' keys. Reading
// takes either scope, as one who may change a note learns what it says.
func noteRoutes(notes *gofunction.Function) restapi.Routes {
	read := access.AnyOf(access.Scopes(notesRead, notesWrite), access.Key(notesRead, notesWrite))
	write := access.AnyOf(access.Scopes(notesWrite), access.Key(notesWrite))
	return restapi.Routes{
		"GET /v1/notes": {Access: read, Target: notes, Query: restapi.Query{
			"cursor": {Description: "next of the page before"},
			"limit":  {Description: "notes on a page, 1 to 100; 20 without it"},
		}},
		"POST /v1/notes":        {Access: write, Target: notes, Body: noteBody},
		"GET /v1/notes/{id}":    {Access: read, Target: notes},
		"PUT /v1/notes/{id}":    {Access: write, Target: notes, Body: noteBody},
		"DELETE /v1/notes/{id}": {Access: write, Target: notes},
	}
}
