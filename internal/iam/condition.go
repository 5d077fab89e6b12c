package iam

import (
	"net/netip"
	"slices"
	"strings"
)

// condition is whether every operator holds for each of its keys ("IAM JSON
// policy elements: Condition", IAM user guide).
func (s *Statement) condition(context map[string][]string) truth {
	holds := yes
	for operator, keys := range s.Conditions {
		for key, wanted := range keys {
			values, known := context[strings.ToLower(key)]
			holds = min(holds, compare(operator, wanted, values, known, context))
		}
	}
	return holds
}

// compare applies one operator to the values of one key. A key that the
// request does not have satisfies what is negated, …IfExists and ForAllValues
// ("Condition operators" and "Multivalued context keys", IAM user guide).
func compare(operator string, wanted, values []string, known bool, context map[string][]string) truth {
	if operator == "Null" {
		return null(wanted, values, known)
	}
	set, name, ok := strings.Cut(operator, ":")
	if !ok {
		set, name = "", operator
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	positive, negated := positiveOf(name)
	match, understood := operators[positive]
	if !understood || !known || !slices.Contains([]string{"", "ForAnyValue", "ForAllValues"}, set) {
		return maybe
	}
	one := func(value string) truth {
		found := anyOf(wanted, func(want string) truth { return match(want, value, context) })
		if negated {
			return found.not()
		}
		return found
	}
	switch {
	case len(values) == 0:
		return truthOf(ifExists || set == "ForAllValues" || set == "" && negated)
	case set == "ForAnyValue":
		return anyOf(values, one)
	case set == "" && len(values) > 1:
		return maybe // IAM defines no operator without a set for several values
	}
	return anyOf(values, func(value string) truth { return one(value).not() }).not()
}

// null is the operator that asks whether a key is absent.
func null(wanted, values []string, known bool) truth {
	if !known || len(wanted) != 1 {
		return maybe
	}
	switch wanted[0] {
	case "true":
		return truthOf(len(values) == 0)
	case "false":
		return truthOf(len(values) > 0)
	}
	return maybe
}

// positiveOf cuts the Not out of an operator's name.
func positiveOf(name string) (positive string, negated bool) {
	for _, prefix := range []string{"String", "Arn"} {
		if rest, ok := strings.CutPrefix(name, prefix+"Not"); ok {
			return prefix + rest, true
		}
	}
	if name == "NotIpAddress" {
		return "IpAddress", true
	}
	return name, false
}

// operators that are understood; of any other nothing is known. Numeric, date
// and binary ones are left out: no key of an API request needs them.
var operators = map[string]func(want, value string, context map[string][]string) truth{
	"StringEquals":           onText(func(want, value string) bool { return want == value }),
	"StringEqualsIgnoreCase": onText(strings.EqualFold),
	"StringLike":             onPattern(func(want []rune, value string) bool { return wildcard(want, []rune(value)) }),
	"ArnEquals":              onPattern(matchARN),
	"ArnLike":                onPattern(matchARN),
	"Bool":                   onText(strings.EqualFold),
	"IpAddress":              matchAddress,
}

func onPattern(match func(want []rune, value string) bool) func(string, string, map[string][]string) truth {
	return func(want, value string, context map[string][]string) truth {
		pattern, ok := expand(want, context)
		if !ok {
			return maybe
		}
		return truthOf(match(pattern, value))
	}
}

// onText compares a text in which * and ? stand for themselves.
func onText(match func(want, value string) bool) func(string, string, map[string][]string) truth {
	return func(want, value string, context map[string][]string) truth {
		pattern, ok := expand(want, context)
		if !ok {
			return maybe
		}
		for i, c := range pattern {
			switch c {
			case anyRun:
				pattern[i] = '*'
			case anyOne:
				pattern[i] = '?'
			}
		}
		return truthOf(match(string(pattern), value))
	}
}

// matchAddress matches an address against a CIDR block, or against one address.
func matchAddress(want, value string, _ map[string][]string) truth {
	address, err := netip.ParseAddr(value)
	if err != nil {
		return maybe
	}
	if one, err := netip.ParseAddr(want); err == nil {
		return truthOf(one.Unmap() == address.Unmap())
	}
	block, err := netip.ParsePrefix(want)
	if err != nil {
		return maybe
	}
	return truthOf(block.Contains(address.Unmap()))
}

// expand replaces policy variables by what the request says. It fails where
// that is not known, or where a key has not exactly one value; a variable's own
// text may stand in place of an absent one ("IAM policy elements: Variables and
// tags", IAM user guide). Policies of an older Version have none: see [ParsePolicy].
func expand(pattern string, context map[string][]string) ([]rune, bool) {
	var out []rune
	for {
		before, rest, found := strings.Cut(pattern, "${")
		out = append(out, literal(before)...)
		if !found {
			return out, true
		}
		variable, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, false
		}
		value, ok := valueOf(variable, context)
		if !ok {
			return nil, false
		}
		out = append(out, []rune(value)...)
		pattern = after
	}
}

func valueOf(variable string, context map[string][]string) (string, bool) {
	if variable == "*" || variable == "?" || variable == "$" {
		return variable, true
	}
	key, otherwise, hasDefault := strings.Cut(variable, ",")
	values, known := context[strings.ToLower(strings.TrimSpace(key))]
	if known && len(values) == 1 {
		return values[0], true
	}
	otherwise = strings.TrimSpace(otherwise)
	if known && len(values) == 0 && hasDefault && len(otherwise) >= 2 && otherwise[0] == '\'' && otherwise[len(otherwise)-1] == '\'' {
		return otherwise[1 : len(otherwise)-1], true
	}
	return "", false
}

func lowerKeys(context map[string][]string) map[string][]string {
	out := make(map[string][]string, len(context))
	for key, values := range context {
		out[strings.ToLower(key)] = values
	}
	return out
}
