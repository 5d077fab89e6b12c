package assembly

import "strings"

// parameter is the value of a template's parameter: what the stack around a
// nested one passes, or else the default.
func (r *resolver) parameter(s *stack, id, at string) any {
	declared := s.template.Parameters[id]
	kind := text(declared["Type"])
	value, ok := r.given(s, id, at)
	switch {
	case declared["NoEcho"] != nil && !strings.EqualFold(text(declared["NoEcho"]), "false"):
		return Unknown{At: at, Reason: "parameter " + id + " is a secret (NoEcho)", Secret: true}
	case strings.HasPrefix(kind, "AWS::SSM::"):
		return unknown(at, "parameter %s stands for a stored value, which is not known here", id)
	case !ok:
		value, ok = declared["Default"]
	}
	switch {
	case !ok:
		return unknown(at, "parameter %s has no default", id)
	case isScalar(value) && (kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")):
		return commaDelimited(text(value))
	case isScalar(value):
		return known(text(value), at)
	default:
		return value // a list or an Unknown of the stack around
	}
}

// given is what the stack around a nested one passes.
func (r *resolver) given(s *stack, id, at string) (any, bool) {
	if s.parent == nil {
		return nil, false
	}
	properties := s.parent.template.Resources[s.parentID].Properties
	place := s.parent.place(s.parentID).Path + ".Parameters"
	passed, ok := properties["Parameters"].(map[string]any)
	if _, _, function := intrinsic(passed); function || !ok && properties["Parameters"] != nil {
		return unknown(place, "passed as a whole by a function is not understood"), true
	}
	value, ok := passed[id]
	if !ok {
		return nil, false
	}
	place += "." + id
	resolved := r.once(s.parent, s.parentID+".Parameters."+id, at, func() any { return r.resolve(s.parent, value, place) })
	return resolved, resolved != (noValue{})
}

func commaDelimited(value string) []any {
	if value == "" {
		return []any{}
	}
	var out []any
	for part := range strings.SplitSeq(value, ",") {
		out = append(out, strings.TrimSpace(part))
	}
	return out
}

// findInMap is Fn::FindInMap, with or without a DefaultValue.
func (r *resolver) findInMap(s *stack, argument any, at string) any {
	arguments, _ := argument.([]any)
	if len(arguments) != 3 && len(arguments) != 4 {
		return unknown(at, "malformed Fn::FindInMap")
	}
	at += ".Fn::FindInMap"
	var keys [3]string
	for i := range keys {
		key := r.resolve(s, arguments[i], at)
		if u, ok := key.(Unknown); ok {
			return u
		}
		keys[i] = text(key)
	}
	top, _ := s.template.Mappings[keys[0]].(map[string]any)
	second, _ := top[keys[1]].(map[string]any)
	if value, ok := second[keys[2]]; ok {
		return r.resolve(s, value, at)
	}
	if len(arguments) == 4 {
		options, _ := arguments[3].(map[string]any)
		if value, ok := options["DefaultValue"]; ok {
			return r.resolve(s, value, at)
		}
	}
	return unknown(at, "no mapping %s has %s.%s", keys[0], keys[1], keys[2])
}
