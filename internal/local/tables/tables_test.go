package tables_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/tables"
)

func notes() *assembly.Table {
	return &assembly.Table{
		Name: "notes", ARN: "arn:aws:dynamodb:eu-west-1:000000000000:table/notes", OnDemand: true, DeletionProtection: true,
		Attributes: map[string]string{"owner": "S", "id": "S", "colour": "S"},
		Key:        assembly.TableKey{Hash: "owner", Range: "id"},
		Indexes:    []assembly.TableIndex{{Name: "ByColour", Key: assembly.TableKey{Hash: "colour", Range: "id"}, Projection: "ALL"}},
	}
}

func counters() *assembly.Table {
	return &assembly.Table{
		Name: "counters", ReadCapacity: 1, WriteCapacity: 2,
		Attributes: map[string]string{"key": "S", "group": "S"}, Key: assembly.TableKey{Hash: "key"},
		Indexes: []assembly.TableIndex{{Name: "ByGroup", Key: assembly.TableKey{Hash: "group"}, Projection: "KEYS_ONLY"}},
	}
}

func newServer(t *testing.T, tablesOf ...*assembly.Table) *tables.Server {
	t.Helper()
	s, err := tables.New(tablesOf)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// transport takes an SDK's requests straight to the server.
type transport struct{ server *tables.Server }

func (d transport) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	target := r.Header.Get("X-Amz-Target")
	status, answer, served := d.server.Serve(target[strings.LastIndexByte(target, '.')+1:], body)
	if !served {
		return nil, errors.New("not served: " + target)
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(answer)), Request: r,
	}, nil
}

func client(s *tables.Server) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: transport{s}, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, nil
		}),
	})
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

type item = map[string]types.AttributeValue

func put(t *testing.T, c *dynamodb.Client, i item) {
	t.Helper()
	if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("notes"), Item: i}); err != nil {
		t.Fatal(err)
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	c := client(newServer(t, notes()))
	key := item{"owner": text("a"), "id": text("1")}
	first, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("notes"), Item: item{"owner": text("a"), "id": text("1"), "title": text("one"), "n": &types.AttributeValueMemberN{Value: "1"}},
		ConditionExpression: aws.String("attribute_not_exists(#id)"), ExpressionAttributeNames: map[string]string{"#id": "id"},
	})
	if err != nil || first.Attributes != nil {
		t.Fatalf("%+v: %v", first, err)
	}
	_, err = c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("notes"), Item: key,
		ConditionExpression: aws.String("attribute_not_exists(#id)"), ExpressionAttributeNames: map[string]string{"#id": "id"},
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Errorf("a second item of one key: %v", err)
	}
	updated, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("notes"), Key: key, ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("SET title = :t, n = n + :one"), ConditionExpression: aws.String("title IN (:a, :b)"),
		ExpressionAttributeValues: item{":t": text("two"), ":one": &types.AttributeValueMemberN{Value: "1"}, ":a": text("zero"), ":b": text("one")},
	})
	if err != nil || updated.Attributes["title"].(*types.AttributeValueMemberS).Value != "two" || updated.Attributes["n"].(*types.AttributeValueMemberN).Value != "2" {
		t.Fatalf("%+v: %v", updated, err)
	}
	_, err = c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("notes"), Key: key, UpdateExpression: aws.String("SET title = :t"), ConditionExpression: aws.String("title = :old"),
		ExpressionAttributeValues:           item{":t": text("three"), ":old": text("one")},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if !errors.As(err, &failed) || failed.Item["title"].(*types.AttributeValueMemberS).Value != "two" {
		t.Errorf("a stale condition: %v", err)
	}
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("notes"), Key: key, ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("title")})
	if err != nil || len(got.Item) != 1 || got.Item["title"].(*types.AttributeValueMemberS).Value != "two" {
		t.Errorf("%+v: %v", got, err)
	}
	gone, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("notes"), Key: key, ReturnValues: types.ReturnValueAllOld})
	if err != nil || len(gone.Attributes) != 4 {
		t.Errorf("%+v: %v", gone, err)
	}
	if got, err = c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("notes"), Key: key}); err != nil || got.Item != nil {
		t.Errorf("a deleted item: %+v: %v", got, err)
	}
}

// keys reads every page of a query or a scan, and deletes what it has read
// before it asks for more, as a program that empties a table does.
func keys(t *testing.T, c *dynamodb.Client, index *string, forward, scan, erase bool) string {
	t.Helper()
	var read []string
	var start item
	for range 10 {
		var page []item
		var next item
		if scan {
			out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("notes"), Limit: aws.Int32(2), ExclusiveStartKey: start})
			if err != nil {
				t.Fatal(err)
			}
			page, next = out.Items, out.LastEvaluatedKey
		} else {
			name, value := "owner", "a"
			if index != nil {
				name, value = "colour", "red"
			}
			out, err := c.Query(t.Context(), &dynamodb.QueryInput{
				TableName: aws.String("notes"), IndexName: index, Limit: aws.Int32(2), ScanIndexForward: aws.Bool(forward), ExclusiveStartKey: start,
				KeyConditionExpression:   aws.String("#k = :k"),
				ExpressionAttributeNames: map[string]string{"#k": name}, ExpressionAttributeValues: item{":k": text(value)},
			})
			if err != nil {
				t.Fatal(err)
			}
			page, next = out.Items, out.LastEvaluatedKey
		}
		for _, i := range page {
			owner, id := i["owner"].(*types.AttributeValueMemberS).Value, i["id"].(*types.AttributeValueMemberS).Value
			read = append(read, owner+id)
			if erase {
				if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("notes"), Key: item{"owner": i["owner"], "id": i["id"]}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if start = next; start == nil {
			return strings.Join(read, " ")
		}
	}
	t.Fatal("pages without an end")
	return ""
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                 string
		index                *string
		forward, scan, erase bool
		want                 string
	}{
		{"oldest first", nil, true, false, false, "a1 a2 a3 a4 a5"},
		{"newest first", nil, false, false, false, "a5 a4 a3 a2 a1"},
		{"by index", aws.String("ByColour"), true, false, false, "a1 b1 a3 a5"},
		{"scan", nil, true, true, false, "a1 a2 a3 a4 a5 b1"},
		{"erasing", nil, true, false, true, "a1 a2 a3 a4 a5"},
		{"erasing, newest first", nil, false, false, true, "a5 a4 a3 a2 a1"},
		{"erasing by index", aws.String("ByColour"), true, false, true, "a1 b1 a3 a5"},
		{"erasing by scan", nil, true, true, true, "a1 a2 a3 a4 a5 b1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := client(newServer(t, notes()))
			for n := range 5 {
				colour := []string{"red", "blue"}[n%2]
				put(t, c, item{"owner": text("a"), "id": text(fmt.Sprint(n + 1)), "colour": text(colour)})
			}
			put(t, c, item{"owner": text("b"), "id": text("1"), "colour": text("red")})
			if got := keys(t, c, tt.index, tt.forward, tt.scan, tt.erase); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if left := keys(t, c, nil, true, true, false); tt.scan && tt.erase && left != "" {
				t.Errorf("left %s", left)
			}
		})
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	c := client(newServer(t, notes(), counters()))
	list, err := c.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || strings.Join(list.TableNames, " ") != "counters notes" || list.LastEvaluatedTableName != nil {
		t.Errorf("%+v: %v", list, err)
	}
	list, err = c.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	if err != nil || strings.Join(list.TableNames, " ") != "counters" || aws.ToString(list.LastEvaluatedTableName) != "counters" {
		t.Errorf("%+v: %v", list, err)
	}
	list, err = c.ListTables(t.Context(), &dynamodb.ListTablesInput{ExclusiveStartTableName: aws.String("counters")})
	if err != nil || strings.Join(list.TableNames, " ") != "notes" {
		t.Errorf("%+v: %v", list, err)
	}
	if err := dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("notes")}, time.Minute); err != nil {
		t.Errorf("a waiter: %v", err)
	}
	out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("notes")})
	if err != nil {
		t.Fatal(err)
	}
	table := out.Table
	if aws.ToString(table.TableArn) != notes().ARN || len(table.KeySchema) != 2 || len(table.AttributeDefinitions) != 3 || !aws.ToBool(table.DeletionProtectionEnabled) ||
		table.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || table.GlobalSecondaryIndexes[0].IndexStatus != types.IndexStatusActive {
		t.Errorf("described as %+v", table)
	}
	if _, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("other")}); !isA[*types.ResourceNotFoundException](err) {
		t.Errorf("an unknown table: %v", err)
	}
}

func isA[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// What the engine would ignore or misread is refused by name, and nothing is
// written.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newServer(t, notes())
	key := `"TableName": "notes", "Key": {"owner": {"S": "a"}, "id": {"S": "1"}}`
	query := `"TableName": "notes", "KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": "owner"}, "ExpressionAttributeValues": {":k": {"S": "a"}}`
	tests := []struct{ name, operation, body, code, want string }{
		{"no JSON", "GetItem", `x`, "ValidationException", "no JSON object"},
		{"a list", "GetItem", `[]`, "ValidationException", "no JSON object"},
		{"wrong type", "GetItem", `{"TableName": 1}`, "ValidationException", "wrong type"},
		{"case variant", "GetItem", `{"tablename": "notes"}`, "ValidationException", "the parameter tablename"},
		{"legacy condition", "PutItem", `{"TableName": "notes", "Item": {"owner": {"S": "a"}, "id": {"S": "1"}}, "Expected": {"id": {"Exists": false}}}`, "ValidationException", "the parameter Expected"},
		{"legacy update", "UpdateItem", `{` + key + `, "AttributeUpdates": {}}`, "ValidationException", "the parameter AttributeUpdates"},
		{"old item of a put", "PutItem", `{"TableName": "notes", "Item": {"owner": {"S": "a"}, "id": {"S": "1"}}, "ReturnValues": "ALL_OLD"}`, "ValidationException", "the parameter ReturnValues"},
		{"projection of a query", "Query", `{` + query + `, "ProjectionExpression": "id"}`, "ValidationException", "the parameter ProjectionExpression"},
		{"count", "Query", `{` + query + `, "Select": "COUNT"}`, "ValidationException", "the parameter Select"},
		{"segments", "Scan", `{"TableName": "notes", "Segment": 1, "TotalSegments": 2}`, "ValidationException", "the parameter Segment"},
		{"unknown index", "Query", `{` + query + `, "IndexName": "Other"}`, "ValidationException", "does not have the specified index: Other"},
		{"unknown table", "GetItem", `{"TableName": "other", "Key": {}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"unknown table in a batch", "BatchWriteItem", `{"RequestItems": {"notes": [{"PutRequest": {"Item": {"owner": {"S": "a"}, "id": {"S": "1"}}}}], "other": []}}`, "ResourceNotFoundException", ""},
		{"no table", "Scan", `{}`, "ResourceNotFoundException", ""},
		{"half a key", "GetItem", `{"TableName": "notes", "Key": {"owner": {"S": "a"}}}`, "ValidationException", ""},
		{"half a start", "Scan", `{"TableName": "notes", "ExclusiveStartKey": {"owner": {"S": "a"}}}`, "ValidationException", "starting key"},
		{"a start that is none", "Scan", `{"TableName": "notes", "ExclusiveStartKey": {"owner": "a", "id": 1}}`, "", ""},
		{"a broken expression", "UpdateItem", `{` + key + `, "UpdateExpression": "SET ("}`, "ValidationException", ""},
		{"an unused value", "UpdateItem", `{` + key + `, "UpdateExpression": "REMOVE title", "ExpressionAttributeValues": {":x": {"S": "a"}}}`, "ValidationException", ""},
		{"listing nothing", "ListTables", `{"Limit": -1}`, "ValidationException", "Limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer, served := s.Serve(tt.operation, []byte(tt.body))
			var refusal struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(answer, &refusal); err != nil || !served || status != http.StatusBadRequest && status != http.StatusInternalServerError {
				t.Fatalf("%d %s: %v", status, answer, err)
			}
			if !strings.HasSuffix(refusal.Type, tt.code) || !strings.Contains(refusal.Message, tt.want) {
				t.Errorf("got %s, want %s: %s", answer, tt.code, tt.want)
			}
			if _, left, _ := s.Serve("Scan", []byte(`{"TableName": "notes"}`)); strings.Contains(string(left), "owner") {
				t.Errorf("written: %s", left)
			}
		})
	}
	for _, operation := range []string{"CreateTable", "DeleteTable", "UpdateTable", "TransactWriteItems", "BatchGetItem", "ExecuteStatement", ""} {
		if _, _, served := s.Serve(operation, []byte(`{}`)); served {
			t.Errorf("%s is served", operation)
		}
	}
}

// An update that fails halfway changes nothing.
func TestFailedUpdate(t *testing.T) {
	t.Parallel()
	c := client(newServer(t, notes()))
	put(t, c, item{"owner": text("a"), "id": text("1"), "title": text("one")})
	_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("notes"), Key: item{"owner": text("a"), "id": text("1")},
		UpdateExpression: aws.String("SET title = :t, n = missing + :one"), ExpressionAttributeValues: item{":t": text("two"), ":one": &types.AttributeValueMemberN{Value: "1"}},
	})
	if err == nil {
		t.Error("a sum with nothing")
	}
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("notes"), Key: item{"owner": text("a"), "id": text("1")}})
	if err != nil || got.Item["title"].(*types.AttributeValueMemberS).Value != "one" {
		t.Errorf("%+v: %v", got.Item, err)
	}
}

// Parameters that say no more than their absence does are taken.
func TestIdleParameters(t *testing.T) {
	t.Parallel()
	s := newServer(t, notes())
	status, answer, _ := s.Serve("PutItem", []byte(`{"TableName": "notes", "ReturnValues": "NONE", "ReturnConsumedCapacity": "NONE", "Item": {"owner": {"S": "a"}, "id": {"S": "1"}}}`))
	if status != http.StatusOK || string(answer) != "{}" {
		t.Errorf("%d %s", status, answer)
	}
}

// A table that the engine does not take is an error of its place.
func TestNewFails(t *testing.T) {
	t.Parallel()
	bad := notes()
	bad.Path, bad.Attributes = "dev/Api/Notes", nil
	if _, err := tables.New([]*assembly.Table{bad}); err == nil || !strings.Contains(err.Error(), "dev/Api/Notes: create the table") {
		t.Errorf("got %v", err)
	}
}

// Conditional writes at once: one wins. Run with the race detector.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	c := client(newServer(t, notes()))
	var group sync.WaitGroup
	won := make(chan string, 50)
	for n := range 50 {
		group.Go(func() {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("notes"), Item: item{"owner": text("a"), "id": text("1"), "by": text(fmt.Sprint(n))},
				ConditionExpression: aws.String("attribute_not_exists(id)"),
			})
			if err == nil {
				won <- fmt.Sprint(n)
			}
			_, changed := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("notes"), Key: item{"owner": text("a"), "id": text("2")},
				UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: item{":one": &types.AttributeValueMemberN{Value: "1"}},
			})
			// A page behind an item that is not there writes for a moment.
			page, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("notes"), ExclusiveStartKey: item{"owner": text("a"), "id": text("0")}})
			all, failed := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("notes")})
			if err := errors.Join(err, failed, changed); err != nil {
				t.Error(err)
				return
			}
			for _, i := range append(page.Items, all.Items...) {
				if i["id"].(*types.AttributeValueMemberS).Value == "0" {
					t.Error("a page shows the place where another begins")
				}
			}
		})
	}
	group.Wait()
	if len(won) != 1 {
		t.Errorf("%d writers won", len(won))
	}
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("notes"), Key: item{"owner": text("a"), "id": text("2")}})
	if err != nil || got.Item["n"].(*types.AttributeValueMemberN).Value != "50" {
		t.Errorf("counted %v: %v", got.Item["n"], err)
	}
}
