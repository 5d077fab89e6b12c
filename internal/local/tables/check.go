package tables

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// maxItemBytes bounds an item, names included ("Quotas in Amazon DynamoDB").
const maxItemBytes = 400 << 10

var (
	valueName = regexp.MustCompile(`:[A-Za-z0-9_]+`)
	aliasName = regexp.MustCompile(`#[A-Za-z0-9_]+`)

	operand = `([#A-Za-z_][A-Za-z0-9_.-]*)`
	value   = `:[A-Za-z0-9_]+`
	// A key condition is one equality on the hash key and at most one condition
	// on the range key ("Key condition expressions for the Query operation").
	equality  = regexp.MustCompile(`^` + operand + ` ?= ?(` + value + `)$`)
	oneOfSome = regexp.MustCompile(`(?i)^(?:` + operand + ` ?(?:=|<|<=|>|>=) ?` + value +
		`|` + operand + ` between ` + value + ` and ` + value +
		`|begins_with ?\( ?` + operand + ` ?, ?` + value + ` ?\))$`)
	conjunction = regexp.MustCompile(`(?i) and `)
	between     = regexp.MustCompile(`(?i)( between ` + value + `) and `)
	spaces      = regexp.MustCompile(`\s+`)
)

// check says what of a request on a table's items DynamoDB refuses and the
// engine takes, or misreads. What it says holds names and no values.
func (r *request) check(operation string, table *assembly.Table) (problem string) {
	if r.Limit != nil && *r.Limit < 1 {
		return "Limit is a whole number of 1 or more"
	}
	if problem := r.checkNames(); problem != "" {
		return problem
	}
	for _, i := range []map[string]any{r.ExclusiveStartKey, r.ExpressionAttributeValues} {
		if problem := checkItem(i); problem != "" {
			return problem
		}
	}
	written := []map[string]any{r.Item, r.Key}
	for _, w := range r.RequestItems[table.Name] {
		written = append(written, w.PutRequest.Item, w.DeleteRequest.Key)
	}
	for _, i := range written {
		if problem := checkWritten(i, table); problem != "" {
			return problem
		}
	}
	if operation == "Query" {
		return r.checkQuery(table)
	}
	return ""
}

// checkWritten checks an item or a key of a table.
func checkWritten(i map[string]any, table *assembly.Table) string {
	for _, attribute := range []string{table.Key.Hash, table.Key.Range} {
		if typed, _ := i[attribute].(map[string]any); typed["S"] == "" || typed["B"] == "" {
			return "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: " + attribute
		}
	}
	return checkItem(i)
}

// checkNames refuses placeholders that an expression uses and nobody defines,
// and the other way round.
func (r *request) checkNames() string {
	expressions := strings.Join([]string{r.KeyConditionExpression, r.FilterExpression, r.ConditionExpression, r.UpdateExpression, r.ProjectionExpression}, " ")
	for _, kind := range []struct {
		pattern *regexp.Regexp
		defined []string
		what    string
	}{
		{valueName, slices.Sorted(maps.Keys(r.ExpressionAttributeValues)), "ExpressionAttributeValues"},
		{aliasName, slices.Sorted(maps.Keys(r.ExpressionAttributeNames)), "ExpressionAttributeNames"},
	} {
		used := kind.pattern.FindAllString(expressions, -1)
		for _, name := range used {
			if !slices.Contains(kind.defined, name) {
				return "Invalid expression: " + name + " is used and not defined in " + kind.what
			}
		}
		for _, name := range kind.defined {
			if !slices.Contains(used, name) {
				return "Value provided in " + kind.what + " unused in expressions: keys: {" + name + "}"
			}
		}
	}
	return ""
}

// checkQuery holds a query to one partition.
func (r *request) checkQuery(table *assembly.Table) string {
	key := table.Key
	for _, index := range table.Indexes {
		if index.Name == r.IndexName {
			key = index.Key
		}
	}
	condition := strings.TrimSpace(spaces.ReplaceAllString(r.KeyConditionExpression, " "))
	parts := conjunction.Split(between.ReplaceAllString(condition, "$1 \x00 "), -1)
	for i := range parts {
		parts[i] = bare(strings.ReplaceAll(parts[i], "\x00", "and"))
	}
	isHash := func(part string) bool {
		found := equality.FindStringSubmatch(part)
		return found != nil && r.attribute(found[1]) == key.Hash
	}
	hash := slices.IndexFunc(parts, isHash)
	if hash < 0 || len(parts) > 2 {
		return "Query condition missed key schema element: " + key.Hash
	}
	if len(parts) == 2 {
		found := oneOfSome.FindStringSubmatch(parts[1-hash])
		if found == nil || r.attribute(strings.Join(found[1:], "")) != key.Range {
			return "Query condition missed key schema element: " + key.Range
		}
	}
	wanted := r.ExpressionAttributeValues[equality.FindStringSubmatch(parts[hash])[2]]
	if start, given := r.ExclusiveStartKey[key.Hash]; r.ExclusiveStartKey != nil && (!given || !same(start, wanted)) {
		return "The provided starting key is outside query boundaries based on provided conditions"
	}
	return ""
}

// bare takes the parentheses off that enclose a whole condition.
func bare(part string) string {
	part = strings.TrimSpace(part)
	for strings.HasPrefix(part, "(") && strings.HasSuffix(part, ")") {
		part = strings.TrimSpace(part[1 : len(part)-1])
	}
	return part
}

func (r *request) attribute(name string) string {
	if strings.HasPrefix(name, "#") {
		return r.ExpressionAttributeNames[name]
	}
	return name
}

func same(a, b any) bool {
	left, err := json.Marshal(a)
	right, other := json.Marshal(b)
	return err == nil && other == nil && bytes.Equal(left, right)
}

// checkItem checks attribute values ("AttributeValue", Amazon DynamoDB API
// reference) and the size of all.
func checkItem(i map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if !isAttributeValue(i[name]) {
			return "The value of attribute " + name + " is not one of DynamoDB's types"
		}
	}
	if data, err := json.Marshal(i); err != nil || len(data) > maxItemBytes {
		return "Item size has exceeded the maximum allowed size"
	}
	return ""
}

func isAttributeValue(v any) bool {
	typed, _ := v.(map[string]any)
	if len(typed) != 1 {
		return false
	}
	for kind, value := range typed {
		text, isText := value.(string)
		list, isList := value.([]any)
		switch kind {
		case "S":
			return isText
		case "N":
			return isText && isNumber(text)
		case "B":
			_, err := base64.StdEncoding.DecodeString(text)
			return isText && err == nil
		case "BOOL":
			_, isBool := value.(bool)
			return isBool
		case "NULL":
			return value == true
		case "SS", "NS", "BS":
			return len(list) > 0 && all(list, func(member any) bool { return isAttributeValue(map[string]any{kind[:1]: member}) })
		case "L":
			return isList && all(list, isAttributeValue)
		case "M":
			members, isMap := value.(map[string]any)
			return isMap && all(slices.Collect(maps.Values(members)), isAttributeValue)
		}
	}
	return false
}

func all(list []any, ok func(any) bool) bool {
	return !slices.ContainsFunc(list, func(member any) bool { return !ok(member) })
}

// numberPattern is a decimal number; its exponent is bounded before anything
// computes with it ("Data types", Amazon DynamoDB).
var numberPattern = regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$`)

func isNumber(text string) bool {
	if len(text) > 200 || !numberPattern.MatchString(text) {
		return false
	}
	_, ok := new(big.Float).SetString(text)
	return ok
}
