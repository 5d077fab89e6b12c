package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
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
//
// encoding/json takes a name twice, in any case, and broken UTF-8, so that two
// users or passwords could be one: all of that is refused before it reads.
func decode(body []byte, in any) error {
	if !utf8.Valid(body) || !json.Valid(body) || loneSurrogate(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return malformed("The body is not one JSON object.")
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(body)), reflect.TypeOf(in).Elem()); err != nil {
		return err
	}
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, in); {
	case errors.As(err, &wrong):
		return malformed("Member " + shown(wrong.Field) + " is of the wrong type.")
	case err != nil:
		return malformed("A member is of the wrong type.")
	}
	return check(reflect.ValueOf(in).Elem())
}

func malformed(message string) error { return refuse("SerializationException", message) }

// loneSurrogate reports whether valid JSON has half a surrogate pair in escapes
// (RFC 8259 section 8.2), which stands for no character.
func loneSurrogate(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++ // the character after it, whichever it is
		first, ok := escaped(body[i:])
		if !ok || !utf16.IsSurrogate(first) {
			continue
		}
		rest := body[i+5:]
		second, ok := rune(0), len(rest) > 0 && rest[0] == '\\'
		if ok {
			second, ok = escaped(rest[1:])
		}
		if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		i += 10
	}
	return false
}

// escaped returns the code unit of an escape without its backslash: u00e9.
func escaped(text []byte) (rune, bool) {
	if len(text) < 5 || text[0] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[1:5]), 16, 16)
	return rune(unit), err == nil
}

// checkNames holds the names in the next value against the type that it is read
// into: none twice, and those of a struct exactly as it has them. The names of a
// map are anybody's, and differ by case. The value is valid JSON.
func checkNames(decoder *json.Decoder, t reflect.Type) error {
	start, err := decoder.Token()
	if err != nil {
		return malformed("The body is not one JSON object.")
	}
	if _, nested := start.(json.Delim); !nested {
		return nil
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	seen := map[string]bool{}
	for decoder.More() {
		of := element(t)
		if start == json.Delim('{') {
			token, _ := decoder.Token() // a name, as the text is valid
			name, _ := token.(string)
			if seen[name] {
				return malformed("Member " + shown(name) + " stands twice.")
			}
			seen[name] = true
			if of, err = member(t, name); err != nil {
				return err
			}
		}
		if err := checkNames(decoder, of); err != nil {
			return err
		}
	}
	_, _ = decoder.Token() // the end
	return nil
}

// member returns the type that a member is read into, nil for any.
func member(t reflect.Type, name string) (reflect.Type, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return element(t), nil
	}
	if field, ok := t.FieldByName(name); ok {
		return field.Type, nil
	}
	for i := range t.NumField() {
		if strings.EqualFold(t.Field(i).Name, name) {
			return nil, malformed("Member " + shown(name) + " is called " + t.Field(i).Name + ".")
		}
	}
	return nil, invalid("Unknown member " + shown(name))
}

// element returns the type of what a list or map holds, nil for any.
func element(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		return nil
	}
	return t.Elem()
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
