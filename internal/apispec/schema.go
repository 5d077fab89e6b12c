package apispec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// keyword checks the value of a JSON Schema keyword that stands at a place.
type keyword func(at string, value any) []error

// keywords are those that draft-04 and OpenAPI 3.0 read alike and that API
// Gateway imports and checks. It is filled in init, because schemas hold schemas.
var keywords map[string]keyword

func init() {
	keywords = map[string]keyword{
		"additionalProperties": boolOrSchema,
		"description":          isString,
		"enum":                 isEnum,
		"items":                isSchema,
		"maxLength":            isCount,
		"maxProperties":        isCount,
		"maximum":              isNumber,
		"minLength":            isCount,
		"minProperties":        isCount,
		"minimum":              isNumber,
		"multipleOf":           isPositive,
		"pattern":              isPattern,
		"properties":           isSchemas,
		"required":             isNames,
		"title":                isString,
		"type":                 isType,
		"uniqueItems":          isBool,
	}
}

// refused says why a keyword that a schema may hold elsewhere has no place
// here ("Amazon API Gateway important notes for REST APIs", where nothing else
// is said). A rule that is written down and not applied would be worse than none.
var refused = map[string]string{
	"$ref":             "write the schema out in its place",
	"$schema":          "leave it out; schemas are JSON Schema draft-04",
	"additionalItems":  "OpenAPI 3.0 does not have it",
	"allOf":            "API Gateway does not import it; write the schema out",
	"anyOf":            "API Gateway does not import it; let the function check it",
	"const":            "draft-04 does not have it; write an enum with one value",
	"default":          "API Gateway does not fill anything in; let the function do it",
	"definitions":      "write each schema out where it is used",
	"dependencies":     "OpenAPI 3.0 does not have it",
	"exclusiveMaximum": "API Gateway does not apply it; write maximum, or let the function check it",
	"exclusiveMinimum": "API Gateway does not apply it; write minimum, or let the function check it",
	"format":           "validators do not agree on formats; write a pattern, or let the function check it",
	"id":               "write the schema out in its place",
	"maxItems":         "API Gateway does not check it; let the function do it",
	"minItems":         "API Gateway does not check it; let the function do it",
	"not":              "API Gateway does not import it; let the function check it",
	"nullable":         "API Gateway does not apply it; leave a member out instead of sending null",
	"oneOf":            "API Gateway does not import it; let the function check it",

	"patternProperties": "OpenAPI 3.0 does not have it",
}

// normalize returns the schema as its JSON reads: whatever Go types it was
// written in, numbers keep their text.
func normalize(schema map[string]any) (map[string]any, error) {
	data, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		return nil, fmt.Errorf("cannot be read back: %w", err)
	}
	return out, nil
}

// checkSchema returns every problem of a normalized schema, each with its
// place.
func checkSchema(at string, schema map[string]any) []error {
	if len(schema) == 0 {
		return []error{fmt.Errorf(`%s is empty and would take anything; write at least its type`, at)}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		place := at + "." + name
		check, known := keywords[name]
		switch {
		case known:
			problems = append(problems, check(place, schema[name])...)
		case refused[name] != "":
			problems = append(problems, fmt.Errorf("%s: %s", place, refused[name]))
		default:
			problems = append(problems, fmt.Errorf("%s: JSON Schema draft-04 has no such keyword", place))
		}
	}
	return append(problems, contradictions(at, schema)...)
}

// contradictions finds what no value can ever satisfy.
func contradictions(at string, schema map[string]any) []error {
	var problems []error
	for _, limits := range [][2]string{{"minLength", "maxLength"}, {"minProperties", "maxProperties"}, {"minimum", "maximum"}} {
		low, high := number(schema[limits[0]]), number(schema[limits[1]])
		if low != nil && high != nil && low.Cmp(high) > 0 {
			problems = append(problems, fmt.Errorf("%s: %s is above %s", at, limits[0], limits[1]))
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	if required, ok := schema["required"].([]any); ok && schema["additionalProperties"] == false {
		for _, name := range required {
			if text, ok := name.(string); ok && properties[text] == nil {
				problems = append(problems, fmt.Errorf("%s.required: %q is not among the properties, and additional ones are refused", at, text))
			}
		}
	}
	return problems
}

func isSchema(at string, value any) []error {
	schema, ok := value.(map[string]any)
	if !ok {
		return wrong(at, value, "a schema")
	}
	return checkSchema(at, schema)
}

func boolOrSchema(at string, value any) []error {
	if _, ok := value.(bool); ok {
		return nil
	}
	if _, ok := value.(map[string]any); !ok {
		return wrong(at, value, "true, false or a schema")
	}
	return isSchema(at, value)
}

func isSchemas(at string, value any) []error {
	schemas, ok := value.(map[string]any)
	if !ok || len(schemas) == 0 {
		return wrong(at, value, "schemas by property name")
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		problems = append(problems, isSchema(at+"."+name, schemas[name])...)
	}
	return problems
}

var types = []string{"array", "boolean", "integer", "number", "object", "string"}

func isType(at string, value any) []error {
	if text, ok := value.(string); !ok || !slices.Contains(types, text) {
		return wrong(at, value, "one of "+strings.Join(types, ", "))
	}
	return nil
}

func isString(at string, value any) []error {
	if _, ok := value.(string); !ok {
		return wrong(at, value, "a text")
	}
	return nil
}

func isBool(at string, value any) []error {
	if _, ok := value.(bool); !ok {
		return wrong(at, value, "true or false")
	}
	return nil
}

func isNumber(at string, value any) []error {
	if number(value) == nil {
		return wrong(at, value, "a number")
	}
	return nil
}

func isPositive(at string, value any) []error {
	if n := number(value); n == nil || n.Sign() <= 0 {
		return wrong(at, value, "a number above 0")
	}
	return nil
}

func isCount(at string, value any) []error {
	if n := number(value); n == nil || n.Sign() < 0 || !n.IsInt() {
		return wrong(at, value, "a whole number from 0")
	}
	return nil
}

func isPattern(at string, value any) []error {
	text, ok := value.(string)
	if !ok {
		return wrong(at, value, "a regular expression")
	}
	if err := CheckPattern(text); err != nil {
		return []error{fmt.Errorf("%s: %w", at, err)}
	}
	return nil
}

// commonPattern is made of what ECMA 262, which JSON Schema names, Java and Go
// read alike: literals, escaped punctuation, \d \w \b, classes without classes
// or ranges of names in them, groups that capture or do not, and repetitions.
var commonPattern = regexp.MustCompile(`^(?:` +
	`(?:[^\\\[\]()?*+{}|^$]` + // a literal or a dot
	`|\\[dDwW^$.|?*+()\[\]{}/\\-]` +
	`|\[\^?(?:&?[^\\\[\]&]|&?\\[dDwW^$.|?*+()\[\]{}/\\-])+&?\]` +
	`|\))(?:[*+?]\??|\{[0-9]+(?:,[0-9]*)?\}\??)?` + // and how often
	`|\((?:\?:)?|[|^$]|\\[bB])*$`)

// CheckPattern reports a regular expression that this machine, which reads it as
// Go does, and API Gateway might read differently: a rule that is written down
// and applied differently would be worse than none.
func CheckPattern(text string) error {
	if _, err := regexp.Compile(text); err != nil {
		return fmt.Errorf("%w; write it without lookaround and backreferences", err)
	}
	if !commonPattern.MatchString(text) {
		return fmt.Errorf("%q is read differently by different engines; write it with literals, plain classes such as [0-9], groups and repetitions only", text)
	}
	return nil
}

func isNames(at string, value any) []error {
	names, ok := value.([]any)
	if !ok || len(names) == 0 {
		return wrong(at, value, "a list of property names")
	}
	seen := map[string]bool{}
	for _, name := range names {
		text, ok := name.(string)
		if !ok || seen[text] {
			return wrong(at, value, "a list of property names, each once")
		}
		seen[text] = true
	}
	return nil
}

// isEnum refuses null, as nothing else here takes it.
func isEnum(at string, value any) []error {
	values, ok := value.([]any)
	if !ok || len(values) == 0 {
		return wrong(at, value, "a list of values")
	}
	seen := map[string]bool{}
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil || value == nil || seen[string(text)] {
			return wrong(at, values, "a list of values, each once and none of them null")
		}
		seen[string(text)] = true
	}
	return nil
}

// number returns a JSON number's exact value, or nil.
func number(value any) *big.Rat {
	text, ok := value.(json.Number)
	if !ok || len(text) > 40 {
		return nil
	}
	n, ok := new(big.Rat).SetString(text.String())
	if !ok {
		return nil
	}
	return n
}

func wrong(at string, value any, want string) []error {
	text, err := json.Marshal(value)
	if err != nil {
		return []error{errors.New(at + ": want " + want)}
	}
	return []error{fmt.Errorf("%s is %s; want %s", at, text, want)}
}
