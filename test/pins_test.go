package test

import (
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

func TestDataIsNotReplaced(t *testing.T) {
	kinds := []string{"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}
	for _, stage := range stages(t) {
		app := newApp(t)
		stacks.New(app, stage)
		found := map[string]string{}
		for _, template := range synth(t, app) {
			for _, kind := range kinds {
				for id := range ofType(template, kind) {
					found[id] = kind
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
