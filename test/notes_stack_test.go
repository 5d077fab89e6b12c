package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/stacks"
)

// apiTemplate synthesizes the Api stack of the dev stage.
func apiTemplate(t *testing.T, retain bool) object {
	t.Helper()
	stage := stages(t)[0]
	stage.Retain = retain
	app := newApp(t)
	stacks.New(app, stage)
	for id, template := range synth(t, app) {
		if strings.Contains(id, "Api") {
			return template
		}
	}
	t.Fatal("no Api stack")
	return nil
}

// The notes outlive their stack where the stage says so, and are never without
// encryption and backups.
func TestNotesTable(t *testing.T) {
	for _, retain := range []bool{true, false} {
		template := apiTemplate(t, retain)
		table := only(t, template, "AWS::DynamoDB::Table")
		protection := "Delete"
		if retain {
			protection = "Retain"
		}
		resources := template["Resources"].(object)
		for _, resource := range resources {
			r := resource.(object)
			if r["Type"] == "AWS::DynamoDB::Table" && (r["DeletionPolicy"] != protection || r["UpdateReplacePolicy"] != protection) {
				t.Errorf("retain %v: %v, %v", retain, r["DeletionPolicy"], r["UpdateReplacePolicy"])
			}
		}
		if got, want := text(t, table["DeletionProtectionEnabled"]), text(t, retain); got != want {
			t.Errorf("retain %v: protected %s", retain, got)
		}
		for property, want := range map[string]string{
			"BillingMode": `"PAY_PER_REQUEST"`, "SSESpecification": `{"SSEEnabled":true}`, "PointInTimeRecoverySpecification": `{"PointInTimeRecoveryEnabled":true}`,
			"KeySchema": `[{"AttributeName":"owner","KeyType":"HASH"},{"AttributeName":"id","KeyType":"RANGE"}]`,
		} {
			if got := text(t, table[property]); got != want {
				t.Errorf("%s is %s, want %s", property, got, want)
			}
		}
	}
}

// The notes' function may do to its table what it does, and nothing else.
func TestNotesGrants(t *testing.T) {
	template := apiTemplate(t, true)
	var table string
	found := 0
	for id, resource := range template["Resources"].(object) {
		if resource.(object)["Type"] == "AWS::DynamoDB::Table" {
			table = id
		}
	}
	for _, resource := range template["Resources"].(object) {
		r := resource.(object)
		if r["Type"] != "AWS::IAM::Policy" {
			continue
		}
		document := r["Properties"].(object)["PolicyDocument"].(object)
		for _, statement := range document["Statement"].([]any) {
			s := statement.(object)
			if !strings.Contains(text(t, s["Action"]), "dynamodb:") {
				continue
			}
			if text(t, s["Action"]) == `"dynamodb:GetItem"` {
				continue // the authorizer's, on the customers
			}
			found++
			want := []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
			var actions []string
			for _, action := range s["Action"].([]any) {
				actions = append(actions, action.(string))
			}
			if slices.Sort(actions); !slices.Equal(actions, want) || s["Effect"] != "Allow" {
				t.Errorf("%v %v", s["Effect"], actions)
			}
			if got := text(t, s["Resource"]); got != `{"Fn::GetAtt":["`+table+`","Arn"]}` {
				t.Errorf("on %s", got)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d statements on tables", found)
	}
}
