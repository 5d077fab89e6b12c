package tables_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A query reads one partition: what would read several, or nothing that was
// asked for, is refused as DynamoDB refuses it.
func TestQueryStaysInItsPartition(t *testing.T) {
	t.Parallel()
	s := newServer(t, notes())
	put(t, client(s), item{"owner": text("a"), "id": text("1"), "colour": text("red")})
	put(t, client(s), item{"owner": text("b"), "id": text("1")})
	tests := []struct {
		condition string
		values    string
		more      string // further parameters
		ok        bool
	}{
		{"#o = :o", `":o":{"S":"a"}`, "", true},
		{"(#o = :o)", `":o":{"S":"a"}`, "", true},
		{"#o=:o", `":o":{"S":"a"}`, `,"Limit":1`, true},
		{"#o = :o AND id < :i", `":o":{"S":"a"},":i":{"S":"2"}`, "", true},
		{"id > :i AND (#o = :o)", `":o":{"S":"a"},":i":{"S":"0"}`, "", true},
		{"#o = :o AND begins_with(id, :i)", `":o":{"S":"a"},":i":{"S":"1"}`, "", true},
		{"#o = :o AND id BETWEEN :i AND :j", `":o":{"S":"a"},":i":{"S":"0"},":j":{"S":"2"}`, "", true},
		{"colour = :o", `":o":{"S":"red"}`, `,"IndexName":"ByColour"`, true},
		{"#o > :o", `":o":{"S":"a"}`, "", false},
		{"#o <> :o", `":o":{"S":"a"}`, "", false},
		{"id = :i", `":i":{"S":"1"}`, "", false},
		{"attribute_exists(#o)", ``, "", false},
		{"#o = :o OR id = :i", `":o":{"S":"a"},":i":{"S":"1"}`, "", false},
		{"#o = :o AND id > :i AND id < :j", `":o":{"S":"a"},":i":{"S":"0"},":j":{"S":"2"}`, "", false},
		{"#o = :o AND title = :i", `":o":{"S":"a"},":i":{"S":"0"}`, "", false},
		{"#o = :o AND id <> :i", `":o":{"S":"a"},":i":{"S":"0"}`, "", false},
		{"#o = :nope", ``, "", false},
		{"#o = :o", `":o":{"S":"a"},":unused":{"S":"a"}`, "", false},
		{"", ``, "", false},
		{"colour = :o", `":o":{"S":"red"}`, "", false},
		{"#o = :o", `":o":{"S":"a"}`, `,"Limit":0`, false},
		{"#o = :o", `":o":{"S":"a"}`, `,"Limit":-1`, false},
		{"#o = :o", `":o":{"S":"a"}`, `,"ExclusiveStartKey":{"owner":{"S":"b"},"id":{"S":"1"}}`, false},
		{"#o = :o", `":o":{"S":"a"}`, `,"ExclusiveStartKey":{"owner":{"S":"a"},"id":{"S":"1"}}`, true},
	}
	for _, tt := range tests {
		names := ""
		if strings.Contains(tt.condition, "#o") {
			names = `,"ExpressionAttributeNames":{"#o":"owner"}`
		}
		body := fmt.Sprintf(`{"TableName":"notes","KeyConditionExpression":%q,"ExpressionAttributeValues":{%s}%s%s}`, tt.condition, tt.values, names, tt.more)
		status, answer, _ := s.Serve("Query", []byte(body))
		if (status == http.StatusOK) != tt.ok || !tt.ok && !strings.Contains(string(answer), "ValidationException") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// What is no attribute value never gets into a table, where it would break
// every later reading.
func TestAttributeValues(t *testing.T) {
	t.Parallel()
	good := []string{
		`{"S":""}`, `{"N":"-1.5e10"}`, `{"B":"AAE="}`, `{"BOOL":false}`, `{"NULL":true}`, `{"SS":["a"]}`, `{"NS":["1","2"]}`,
		`{"L":[]}`, `{"L":[{"S":"a"}]}`, `{"M":{}}`, `{"M":{"a":{"L":[{"N":"1"}]}}}`,
	}
	bad := []string{
		`{"N":"abc"}`, `{"N":""}`, `{"N":1}`, `{"N":"0x1"}`, `{"N":"1e9999999999"}`, `{"N":"Inf"}`, `{"SS":[]}`, `{"SS":[1]}`, `{"X":"a"}`, `{}`,
		`{"S":"a","N":"1"}`, `{"BOOL":"true"}`, `{"NULL":false}`, `{"B":"?"}`, `"a"`, `{"L":[{"N":"x"}]}`, `{"M":{"a":1}}`, `{"s":"a"}`,
		`{"S":"` + strings.Repeat("x", 400<<10) + `"}`,
	}
	for _, value := range append(good, bad...) {
		s := newServer(t, notes())
		ok := slices.Contains(good, value)
		for operation, body := range map[string]string{
			"PutItem":        `{"TableName":"notes","Item":{"owner":{"S":"a"},"id":{"S":"1"},"x":` + value + `}}`,
			"BatchWriteItem": `{"RequestItems":{"notes":[{"PutRequest":{"Item":{"owner":{"S":"a"},"id":{"S":"2"},"x":` + value + `}}}]}}`,
			"UpdateItem": `{"TableName":"notes","Key":{"owner":{"S":"a"},"id":{"S":"3"}},"UpdateExpression":"SET x = :x",
				"ExpressionAttributeValues":{":x":` + value + `}}`,
		} {
			status, answer, _ := s.Serve(operation, []byte(body))
			if (status == http.StatusOK) != ok {
				t.Errorf("%s %.80s: %d %.200s", operation, value, status, answer)
			}
		}
		if status, answer, _ := s.Serve("Scan", []byte(`{"TableName":"notes"}`)); status != http.StatusOK || strings.Contains(string(answer), "owner") != ok {
			t.Errorf("%.80s: afterwards %d %.200s", value, status, answer)
		}
	}
	s := newServer(t, notes())
	for operation, body := range map[string]string{
		"PutItem":        `{"TableName":"notes","Item":{"owner":{"S":""},"id":{"S":"1"}}}`,
		"GetItem":        `{"TableName":"notes","Key":{"owner":{"S":"a"},"id":{"S":""}}}`,
		"BatchWriteItem": `{"RequestItems":{"notes":[{"DeleteRequest":{"Key":{"owner":{"S":""},"id":{"S":"2"}}}}]}}`,
	} {
		if status, answer, _ := s.Serve(operation, []byte(body)); status != http.StatusBadRequest || !strings.Contains(string(answer), "empty string") {
			t.Errorf("%s with an empty key: %d %s", operation, status, answer)
		}
	}
}
