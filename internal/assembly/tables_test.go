package assembly_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const notes = `"Notes": {"Type": "AWS::DynamoDB::Table", "Metadata": {"aws:cdk:path": "App/Notes"}, "Properties": {
	"AttributeDefinitions": [{"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "size", "AttributeType": "N"}],
	"KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
	"BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
	"GlobalSecondaryIndexes": [{"IndexName": "BySize", "KeySchema": [{"AttributeName": "size", "KeyType": "HASH"}], "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]}}],
	"LocalSecondaryIndexes": [{"IndexName": "OwnBySize", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "size", "KeyType": "RANGE"}], "Projection": {"ProjectionType": "ALL"}}],
	"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}, "SSESpecification": {"SSEEnabled": true}}}`

func TestTables(t *testing.T) {
	t.Parallel()
	provisioned := `"Old": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "old", "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "B"}],
		"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}], "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": "3"}}}`
	function := `"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "r", "Environment": {"Variables": {
		"NAME": {"Ref": "Notes"}, "ARN": {"Fn::GetAtt": ["Notes", "Arn"]}, "STREAM": {"Fn::GetAtt": ["Notes", "StreamArn"]}, "OLD": {"Ref": "Old"}}}}}`
	m, err := model(t, write(t, [2]string{"S", template(notes, provisioned, function)}), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Tables) != 2 {
		t.Fatalf("%d tables", len(m.Tables))
	}
	got := *m.Tables[0]
	if !strings.HasPrefix(got.Name, "S-Notes-") || got.ARN != "arn:aws:dynamodb:eu-west-1:111122223333:table/"+got.Name || !strings.HasPrefix(got.StreamARN, got.ARN+"/stream/") {
		t.Errorf("named %s, %s, %s", got.Name, got.ARN, got.StreamARN)
	}
	variables := m.Functions[0].Environment
	if want := map[string]string{"NAME": got.Name, "ARN": got.ARN, "STREAM": got.StreamARN, "OLD": "old"}; !reflect.DeepEqual(variables, want) {
		t.Errorf("a function sees %v, want %v", variables, want)
	}
	got.Name, got.ARN, got.StreamARN = "", "", ""
	want := assembly.Table{
		Place:      assembly.Place{Stack: "S", LogicalID: "Notes", Path: "App/Notes"},
		Attributes: map[string]string{"owner": "S", "id": "S", "size": "N"},
		Key:        assembly.TableKey{Hash: "owner", Range: "id"},
		Indexes: []assembly.TableIndex{
			{Name: "BySize", Key: assembly.TableKey{Hash: "size"}, Projection: "INCLUDE", Included: []string{"title"}},
			{Name: "OwnBySize", Local: true, Key: assembly.TableKey{Hash: "owner", Range: "size"}, Projection: "ALL"},
		},
		OnDemand: true, DeletionProtection: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
	if old := m.Tables[1]; old.Name != "old" || old.OnDemand || old.ReadCapacity != 2 || old.WriteCapacity != 3 || old.StreamARN != "" || old.Key != (assembly.TableKey{Hash: "k"}) {
		t.Errorf("read %+v", old)
	}
}

// A table that would answer otherwise than the deployed one stops the stage.
func TestUnsupportedTables(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) string {
		if !strings.Contains(notes, old) {
			t.Fatalf("nothing to replace: %s", old)
		}
		return template(strings.Replace(notes, old, with, 1))
	}
	tests := []struct{ name, template, want string }{
		{"policy", replace(`"BillingMode"`, `"ResourcePolicy": {}, "BillingMode"`), "App/Notes: property ResourcePolicy is not understood"},
		{"import", replace(`"BillingMode"`, `"ImportSourceSpecification": {}, "BillingMode"`), "App/Notes: property ImportSourceSpecification is not understood"},
		{"unknown property", replace(`"BillingMode"`, `"Replicas": [], "BillingMode"`), "App/Notes: property Replicas is not understood"},
		{"global table", template(`"G": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {}}`), "S/G: AWS::DynamoDB::GlobalTable is not understood"},
		{"no capacity", replace("PAY_PER_REQUEST", "PROVISIONED"), "no ProvisionedThroughput"},
		{"unknown billing", replace("PAY_PER_REQUEST", "FREE"), "no ProvisionedThroughput"},
		{"no hash key", replace(`{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id"`, `{"AttributeName": "id"`), "KeySchema has no HASH key"},
		{"two hash keys", replace(`"id", "KeyType": "RANGE"`, `"id", "KeyType": "HASH"`), `KeySchema: "id" is a "HASH" key`},
		{"a key without a type", replace(`{"AttributeName": "id", "AttributeType": "S"}, `, ``), `the key attribute "id" is not in AttributeDefinitions`},
		{"a key of a wrong type", replace(`"size", "AttributeType": "N"`, `"size", "AttributeType": "BOOL"`), `App/Notes index BySize: the key attribute "size"`},
		{"two indexes of one name", replace("OwnBySize", "BySize"), "an index needs a name of its own"},
		{"a local index of another key", replace(`"KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "size"`, `"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "size"`), "a local index has the table's hash key"},
		{"no projection", replace(`"ProjectionType": "ALL"`, `"ProjectionType": "SOME"`), `ProjectionType is "SOME"`},
		{"no list", replace(`"KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}]`, `"KeySchema": "id"`), "KeySchema is not a list"},
		{"no objects", replace(`[{"AttributeName": "owner", "AttributeType": "S"},`, `["owner",`), "AttributeDefinitions holds what is no object"},
		{"protection that is no bool", replace(`"DeletionProtectionEnabled": true`, `"DeletionProtectionEnabled": "yes"`), "neither true nor false"},
		{"two tables of one name", template(strings.Replace(notes, `"BillingMode"`, `"TableName": "n", "BillingMode"`, 1), strings.Replace(strings.Replace(notes, `"Notes"`, `"More"`, 1), `"BillingMode"`, `"TableName": "n", "BillingMode"`, 1)), `another table of the stage is named "n", too`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := model(t, write(t, [2]string{"S", tt.template}), "")
			var unsupported *assembly.UnsupportedError
			if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %q in it", err, tt.want)
			}
		})
	}
}
