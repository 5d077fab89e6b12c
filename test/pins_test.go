package test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/gatewright/gatewright/stacks"
)

// pinned are, for each stage, the logical ids of what its users would lose.
// CloudFormation replaces a resource whose logical id changes: a new, empty one
// is created, and the old one, with its users or its data, is no longer the
// stage's. A new resource is added here; a line is changed only together with a
// plan to move the data.
var pinned = map[string]map[string]string{
	"dev": {
		"UsersPoolBFC35D3B":  "AWS::Cognito::UserPool",
		"NotesTableD0D0D2F1": "AWS::DynamoDB::Table",
	},
	"prod": {
		"UsersPoolBFC35D3B":  "AWS::Cognito::UserPool",
		"NotesTableD0D0D2F1": "AWS::DynamoDB::Table",
	},
}

// replacing are the properties that only a new resource can have otherwise, as
// they are; null stands for one that is not set. CloudFormation replaces a table
// for their sake ("Update requires: Replacement") and refuses to change a pool's
// (Amazon Cognito, "Settings you can't change").
var replacing = map[string]string{
	"AWS::Cognito::UserPool": `{"AliasAttributes":null,"UsernameAttributes":["email"],"UsernameConfiguration":{"CaseSensitive":false}}`,
	"AWS::DynamoDB::Table": `{"ImportSourceSpecification":null,"KeySchema":[{"AttributeName":"owner","KeyType":"HASH"},{"AttributeName":"id","KeyType":"RANGE"}],` +
		`"LocalSecondaryIndexes":null,"TableName":null}`,
}

func TestDataIsNotReplaced(t *testing.T) {
	kinds := []string{"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}
	for _, stage := range stages(t) {
		app := newApp(t)
		stacks.New(app, stage)
		found := map[string]string{}
		for _, template := range synth(t, app) {
			for _, kind := range kinds {
				for id, resource := range ofType(template, kind) {
					found[id] = kind
					checkReplacing(t, stage.Name+"/"+id, kind, resource["Properties"].(object))
				}
			}
		}
		want := pinned[stage.Name]
		for _, id := range slices.Sorted(maps.Keys(want)) {
			if found[id] != want[id] {
				t.Errorf("stage %s: DATA LOSS: %s %s is gone or has another logical id; "+
					"a deployment would leave it behind and begin with an empty one. Restore the construct's id and path",
					stage.Name, want[id], id)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(found)) {
			if want[id] == "" {
				t.Errorf("stage %s: %s %s holds data and is not pinned; add its logical id to pinned", stage.Name, found[id], id)
			}
		}
	}
}

func checkReplacing(t *testing.T, at, kind string, properties object) {
	t.Helper()
	var want object
	if err := json.Unmarshal([]byte(replacing[kind]), &want); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	got := object{}
	for name := range want {
		got[name] = properties[name]
	}
	if text(t, got) != text(t, want) {
		t.Errorf("%s: DATA LOSS: that takes a new, empty one: %s, want %s", at, text(t, got), text(t, want))
	}
}
