package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Effects of a [Statement].
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// Unknown stands in a [Statement] in place of a value that is known on AWS
// only. It is a policy variable that no request sets: [Evaluate] lets it match
// in a Deny and never in an Allow.
const Unknown = "${gatewright:unknown}"

// NamesPrincipal reports whether some statement says who it is about. What is
// attached to a caller, as a role's policy is, must not ("AWS JSON policy elements:
// Principal", IAM user guide).
func NamesPrincipal(statements []Statement) bool {
	return slices.ContainsFunc(statements, func(s Statement) bool { return s.Principals != nil || s.NotPrincipals != nil })
}

// Statement is one statement of a policy document ("IAM JSON policy elements
// reference", IAM user guide). Of each pair of an element and its Not form, at
// most one is set.
type Statement struct {
	SID    string
	Effect string // Allow or Deny

	Actions, NotActions     []string // "execute-api:Invoke"; may hold * and ?
	Resources, NotResources []string // ARNs; may hold * and ?

	// Principals are those of a trust or a resource policy, by kind ("AWS",
	// "Service", "Federated", or "*" for everybody).
	Principals, NotPrincipals map[string][]string

	// Conditions hold the values by operator and key.
	Conditions map[string]map[string][]string
}

// ParsePolicy reads a policy document: decoded JSON, or its text. It fails
// where the document holds anything that IAM does not define, because an
// element that is passed over could have been what closes it. A value of a
// type that JSON does not have becomes [Unknown]. Where the Version is 2008-10-17,
// or not there, which means the same, "${" stands for itself and is no variable
// ("IAM JSON policy elements: Version", IAM user guide).
func ParsePolicy(document any) ([]Statement, error) {
	if source, ok := document.(string); ok {
		document = nil
		if err := json.Unmarshal([]byte(source), &document); err != nil {
			return nil, fmt.Errorf("the policy is no JSON: %w", err)
		}
	}
	policy, ok := document.(map[string]any)
	if !ok {
		return nil, errors.New("the policy is no object")
	}
	for _, name := range slices.Sorted(maps.Keys(policy)) {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, name) {
			return nil, fmt.Errorf("the policy's member %q is not understood", name)
		}
	}
	if version, ok := policy["Version"]; ok && version != "2012-10-17" && version != "2008-10-17" {
		return nil, errors.New("the policy's Version is neither 2012-10-17 nor 2008-10-17")
	}
	list, ok := policy["Statement"].([]any)
	if !ok {
		list = []any{policy["Statement"]}
	}
	statements := make([]Statement, 0, len(list))
	for i, member := range list {
		s, err := parseStatement(member)
		if err != nil {
			return nil, fmt.Errorf("Statement[%d]: %w", i, err)
		}
		if policy["Version"] != "2012-10-17" {
			s.escape()
		}
		statements = append(statements, s)
	}
	return statements, nil
}

// escape writes each "${" so that it stands for itself, but for [Unknown].
func (s *Statement) escape() {
	all := [][]string{s.Resources, s.NotResources}
	for _, keys := range s.Conditions {
		all = slices.AppendSeq(all, maps.Values(keys))
	}
	escaper := strings.NewReplacer(Unknown, Unknown, "${", "${$}{")
	for _, values := range all {
		for i, value := range values {
			values[i] = escaper.Replace(value)
		}
	}
}

func parseStatement(value any) (Statement, error) {
	members, ok := value.(map[string]any)
	if !ok {
		return Statement{}, errors.New("no object")
	}
	var s Statement
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := s.parseMember(name, members[name]); err != nil {
			return Statement{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case s.Effect == "":
		return Statement{}, errors.New("no Effect")
	case (s.Actions == nil) == (s.NotActions == nil):
		return Statement{}, errors.New("either Action or NotAction is due")
	case s.Resources != nil && s.NotResources != nil:
		return Statement{}, errors.New("both Resource and NotResource")
	case s.Principals != nil && s.NotPrincipals != nil:
		return Statement{}, errors.New("both Principal and NotPrincipal")
	}
	return s, nil
}

func (s *Statement) parseMember(name string, value any) (err error) {
	switch name {
	case "Sid":
		var ok bool
		if s.SID, ok = scalar(value); !ok {
			return errors.New("a text is due")
		}
	case "Effect":
		if value != Allow && value != Deny {
			return errors.New("neither Allow nor Deny")
		}
		s.Effect, _ = value.(string)
	case "Action":
		s.Actions, err = list(value)
	case "NotAction":
		s.NotActions, err = list(value)
	case "Resource":
		s.Resources, err = list(value)
	case "NotResource":
		s.NotResources, err = list(value)
	case "Principal":
		s.Principals, err = principals(value)
	case "NotPrincipal":
		s.NotPrincipals, err = principals(value)
	case "Condition":
		s.Conditions, err = conditions(value)
	default:
		return errors.New("not understood")
	}
	return err
}

// principals reads "*" or lists by kind.
func principals(value any) (map[string][]string, error) {
	if value == "*" {
		return map[string][]string{"*": {"*"}}, nil
	}
	members, ok := value.(map[string]any)
	if !ok {
		if isJSON(value) {
			return nil, errors.New(`neither "*" nor an object`)
		}
		return map[string][]string{"AWS": {Unknown}}, nil
	}
	for kind := range members {
		if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) {
			return nil, fmt.Errorf("kind %q is not understood", kind)
		}
	}
	return lists(members)
}

func conditions(value any) (map[string]map[string][]string, error) {
	operators, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("no object")
	}
	out := make(map[string]map[string][]string, len(operators))
	for operator, keys := range operators {
		members, ok := keys.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no object", operator)
		}
		values, err := lists(members)
		if err != nil {
			return nil, fmt.Errorf("%s.%w", operator, err)
		}
		out[operator] = values
	}
	return out, nil
}

func lists(members map[string]any) (map[string][]string, error) {
	out := make(map[string][]string, len(members))
	for name, value := range members {
		values, err := list(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = values
	}
	return out, nil
}

// list reads a list of scalars, or one scalar; it is never nil.
func list(value any) ([]string, error) {
	members, ok := value.([]any)
	if !ok {
		members = []any{value}
	}
	out := make([]string, 0, len(members))
	for _, member := range members {
		s, ok := scalar(member)
		if !ok {
			return nil, errors.New("a text or a list of texts is due")
		}
		out = append(out, s)
	}
	return out, nil
}

// scalar writes a text, a number or a boolean as a text; what JSON does not
// have is [Unknown].
func scalar(value any) (s string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return Unknown, !isJSON(value)
}

func isJSON(value any) bool {
	switch value.(type) {
	case nil, string, bool, json.Number, float64, []any, map[string]any:
		return true
	}
	return false
}
