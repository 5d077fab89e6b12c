package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is not bounded by its own tag.
const (
	maxMembers = 100    // of a list or map
	maxValue   = 131072 // of a text in a map or list: "AuthParameters", a token
)

// decode reads a body into in, a pointer to a struct whose tags say what its
// members must be: check:"required,max=128". Members are named exactly; one that
// is not known is refused, because what it asks for would not happen.
func decode(body []byte, in any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return refuse("SerializationException", "The body is not one JSON object.")
	}
	t := reflect.TypeOf(in).Elem()
	known := map[string]bool{}
	for i := range t.NumField() {
		known[t.Field(i).Name] = true
	}
	for name := range members {
		if !known[name] {
			return invalid("Unknown member " + shown(name))
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := decoder.Decode(in); {
	case errors.As(err, &wrong):
		return refuse("SerializationException", "Member "+shown(wrong.Field)+" is of the wrong type.")
	case err != nil:
		return invalid("A member of a member is not known.")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse("SerializationException", "The body is not one JSON object.")
	}
	return check(reflect.ValueOf(in).Elem())
}

// check holds a struct's members against their tags.
func check(v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		required, longest := rule(field.Tag.Get("check"))
		if required && v.Field(i).IsZero() {
			return constraint(field.Name, "Member must not be null")
		}
		if problem := bounded(v.Field(i), longest); problem != "" {
			return constraint(field.Name, problem)
		}
	}
	return nil
}

func rule(tag string) (required bool, longest int) {
	longest = maxValue
	for part := range strings.SplitSeq(tag, ",") {
		if n, ok := strings.CutPrefix(part, "max="); ok {
			longest, _ = strconv.Atoi(n) // 0, and a failing test, if malformed
		}
		required = required || part == "required"
	}
	return required, longest
}

// bounded says what is too long in a value.
func bounded(v reflect.Value, longest int) string {
	switch v.Kind() {
	case reflect.String:
		if utf8.RuneCountInString(v.String()) > longest {
			return fmt.Sprintf("Member must have length less than or equal to %d", longest)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return "" // read by nobody
		}
		if v.Len() > maxMembers {
			return fmt.Sprintf("Member must have length less than or equal to %d", maxMembers)
		}
		for i := range v.Len() {
			if problem := bounded(v.Index(i), maxValue); problem != "" {
				return problem
			}
		}
	case reflect.Map:
		if v.Len() > maxMembers {
			return fmt.Sprintf("Member must have length less than or equal to %d", maxMembers)
		}
	}
	return ""
}

// constraint is how AWS words what a member must be.
func constraint(name, problem string) error {
	name = string(unicode.ToLower(rune(name[0]))) + name[1:]
	return invalid("1 validation error detected: Value at '" + name + "' failed to satisfy constraint: " + problem)
}

// attribute is an AttributeType.
type attribute struct {
	Name  string
	Value string
}

// ignored is a member that changes nothing here: what threat protection reads,
// and analytics.
type ignored = json.RawMessage

// pairs returns attributes by name. One that stands twice is refused.
func pairs(list []attribute) (map[string]string, error) {
	out := map[string]string{}
	for _, a := range list {
		if _, twice := out[a.Name]; twice || a.Name == "" {
			return nil, invalid("An attribute has no name or stands twice.")
		}
		out[a.Name] = a.Value
	}
	return out, nil
}
