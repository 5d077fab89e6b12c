package tables

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// expression are the parameters that every operation with one takes.
var expression = []string{"ExpressionAttributeNames", "ExpressionAttributeValues"}

// parameters are the operations that are served and what they take. The engine
// ignores or misreads the rest: the legacy conditions (a conditional write
// would be unconditional), projections of a Query or Scan, Select, segments,
// the old item of a PutItem, consumed capacity.
var parameters = map[string][]string{
	"ListTables":     {"ExclusiveStartTableName", "Limit"},
	"DescribeTable":  {"TableName"},
	"GetItem":        {"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"},
	"PutItem":        append([]string{"TableName", "Item", "ConditionExpression"}, expression...),
	"DeleteItem":     append([]string{"TableName", "Key", "ConditionExpression", "ReturnValues"}, expression...),
	"UpdateItem":     append([]string{"TableName", "Key", "UpdateExpression", "ConditionExpression", "ReturnValues", "ReturnValuesOnConditionCheckFailure"}, expression...),
	"Query":          append([]string{"TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ExclusiveStartKey", "Limit", "ScanIndexForward", "ConsistentRead"}, expression...),
	"Scan":           append([]string{"TableName", "IndexName", "FilterExpression", "ExclusiveStartKey", "Limit", "ConsistentRead"}, expression...),
	"BatchWriteItem": {"RequestItems"},
}

// idle are values that say no more than the parameter's absence does.
var idle = map[string]string{
	"ReturnValues":                        `"NONE"`,
	"ReturnValuesOnConditionCheckFailure": `"NONE"`,
	"ReturnConsumedCapacity":              `"NONE"`,
	"ReturnItemCollectionMetrics":         `"NONE"`,
}

// request is what is read of a request before the engine gets it.
type request struct {
	TableName               string
	IndexName               string
	ExclusiveStartKey       map[string]any
	RequestItems            map[string][]write // of BatchWriteItem, by table
	ExclusiveStartTableName string
	Limit                   *int

	Item, Key                 map[string]any
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]any

	KeyConditionExpression, FilterExpression, ConditionExpression string
	UpdateExpression, ProjectionExpression                        string
}

// read decodes a request and says what is wrong with it. What it says holds
// names of parameters that the caller sent and no values.
func (r *request) read(body []byte, allowed []string) (problem string) {
	var sent map[string]json.RawMessage
	if json.Unmarshal(body, &sent) != nil {
		return "The request is no JSON object."
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if !slices.Contains(allowed, name) && string(sent[name]) != idle[name] {
			return "Gatewright's local DynamoDB does not serve the parameter " + name + " here; it serves " + strings.Join(allowed, ", ") + "."
		}
	}
	if json.Unmarshal(body, r) != nil {
		return "A parameter of the request has a wrong type."
	}
	return ""
}

// write is one part of a batch.
type write struct {
	PutRequest    struct{ Item map[string]any }
	DeleteRequest struct{ Key map[string]any }
}

// requested are the names of the tables that a request is about.
func (r *request) requested() []string {
	if r.RequestItems != nil {
		return slices.Sorted(maps.Keys(r.RequestItems))
	}
	return []string{r.TableName}
}
