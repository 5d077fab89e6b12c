package test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/stacks"
)

// pinned are the logical ids of what users would lose, by the stack's name as
// CloudFormation has it. It replaces a resource whose logical id changes, or that
// moves to another stack: a new, empty one is created, and the old one, with its
// users or its data, is no longer the stage's. A new resource is added here; a
// line is changed only together with a plan to move the data.
var pinned = map[string]pin{
	"dev-Identity/UsersPoolBFC35D3B":       {"AWS::Cognito::UserPool", usersPool},
	"dev-Identity/CustomersTable68815F0F":  {"AWS::DynamoDB::Table", customersTable},
	"dev-Api/NotesTableD0D0D2F1":           {"AWS::DynamoDB::Table", notesTable},
	"prod-Identity/UsersPoolBFC35D3B":      {"AWS::Cognito::UserPool", usersPool},
	"prod-Identity/CustomersTable68815F0F": {"AWS::DynamoDB::Table", customersTable},
	"prod-Api/NotesTableD0D0D2F1":          {"AWS::DynamoDB::Table", notesTable},
}

// pin is a resource's type and its properties that only a new resource can have
// otherwise.
type pin struct{ kind, replacing string }

// The properties that only a new resource can have otherwise, as they are; null
// stands for one that is not set. CloudFormation replaces a table for their sake
// ("Update requires: Replacement") and refuses to change a pool's (Amazon Cognito,
// "Settings you can't change"). Of a table's attributes those of its key stand
// here: an index may bring others.
const (
	usersPool  = `{"AliasAttributes":null,"UsernameAttributes":["email"],"UsernameConfiguration":{"CaseSensitive":false}}`
	notesTable = `{"AttributeDefinitions":[{"AttributeName":"owner","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"}],` +
		`"ImportSourceSpecification":null,"KeySchema":[{"AttributeName":"owner","KeyType":"HASH"},{"AttributeName":"id","KeyType":"RANGE"}],` +
		`"LocalSecondaryIndexes":null,"TableName":null}`
	customersTable = `{"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],` +
		`"ImportSourceSpecification":null,"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],` +
		`"LocalSecondaryIndexes":null,"TableName":null}`
)

func TestDataIsNotReplaced(t *testing.T) {
	kinds := []string{"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}
	app := newApp(t)
	for _, stage := range stages(t) {
		stacks.New(app, stage)
	}
	found := map[string]string{}
	for stack, template := range stacksByName(t, app) {
		for _, kind := range kinds {
			for id, resource := range ofType(template, kind) {
				at := stack + "/" + id
				found[at] = kind
				if known, ok := pinned[at]; ok {
					checkReplacing(t, at, known, resource["Properties"].(object))
				}
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(pinned)) {
		if found[at] != pinned[at].kind {
			t.Errorf("DATA LOSS: %s %s is gone or has another stack or logical id; a deployment would leave it behind "+
				"and begin with an empty one. Restore the stack's name and the construct's id and path", pinned[at].kind, at)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(found)) {
		if _, ok := pinned[at]; !ok {
			t.Errorf("%s %s holds data and is not pinned; add it to pinned", found[at], at)
		}
	}
}

// stacksByName returns the template of each stack of each stage by the name that
// CloudFormation gives it.
func stacksByName(t *testing.T, app awscdk.App) map[string]object {
	t.Helper()
	templates := map[string]object{}
	for _, nested := range *app.Synth(nil).NestedAssemblies() {
		for _, stack := range *nested.NestedAssembly().Stacks() {
			var template object
			if err := json.Unmarshal(readFile(t, *stack.TemplateFullPath()), &template); err != nil {
				t.Fatal(err)
			}
			templates[*stack.StackName()] = template
		}
	}
	return templates
}

func checkReplacing(t *testing.T, at string, known pin, properties object) {
	t.Helper()
	var want object
	if err := json.Unmarshal([]byte(known.replacing), &want); err != nil {
		t.Fatalf("%s: %v", known.kind, err)
	}
	got := object{}
	for name := range want {
		got[name] = properties[name]
	}
	if keys, table := want["AttributeDefinitions"]; table {
		got["AttributeDefinitions"] = definitions(keys, properties["AttributeDefinitions"])
	}
	if text(t, got) != text(t, want) {
		t.Errorf("%s: DATA LOSS: that takes a new, empty one: %s, want %s", at, text(t, got), text(t, want))
	}
}

// definitions are those of a table's attributes that have the names of keys, in
// the order of these.
func definitions(keys, all any) []any {
	var found []any
	for _, key := range keys.([]any) {
		for _, attribute := range all.([]any) {
			if attribute.(object)["AttributeName"] == key.(object)["AttributeName"] {
				found = append(found, attribute)
			}
		}
	}
	return found
}
