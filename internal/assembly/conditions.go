package assembly

import (
	"maps"
	"reflect"
	"slices"
)

// choose is Fn::If. One that depends on what is unknown is known all the same
// where both ways lead to the same.
func (r *resolver) choose(s *stack, argument any, at string) any {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 3 {
		return unknown(at, "malformed Fn::If")
	}
	name, ok := arguments[0].(string)
	if !ok {
		return unknown(at, "malformed Fn::If")
	}
	switch holds := r.namedCondition(s, name, at); holds {
	case true:
		return r.resolve(s, arguments[1], at)
	case false:
		return r.resolve(s, arguments[2], at)
	default:
		yes, no := r.resolve(s, arguments[1], at), r.resolve(s, arguments[2], at)
		if _, undecided := firstUnknown(yes, no); !undecided && reflect.DeepEqual(yes, no) {
			return yes
		}
		u, _ := holds.(Unknown)
		return tainted(unknown(at, "condition %s depends on what is not known here: %s", name, u.Reason), yes, no)
	}
}

// namedCondition is true, false or an [Unknown].
func (r *resolver) namedCondition(s *stack, name, at string) any {
	declared, ok := s.template.Conditions[name]
	if !ok {
		return unknown(at, "refers to the condition %s, which the template of %s does not hold", name, s.path)
	}
	place := s.path + ".Conditions." + name
	return r.once(s, "Conditions."+name, at, func() any { return r.condition(s, declared, place) })
}

// condition is true, false or an [Unknown].
func (r *resolver) condition(s *stack, value any, at string) any {
	if u, ok := value.(Unknown); ok {
		return u
	}
	object, _ := value.(map[string]any)
	if name, ok := object["Condition"].(string); ok && len(object) == 1 && r.spend(1) {
		return r.namedCondition(s, name, at)
	}
	name, argument, ok := intrinsic(object)
	if !ok || !r.spend(1) {
		return unknown(at, "malformed condition")
	}
	arguments, _ := argument.([]any)
	switch {
	case name == "Fn::Equals" && len(arguments) == 2:
		a, b := r.resolve(s, arguments[0], at), r.resolve(s, arguments[1], at)
		if u, ok := firstUnknown(a, b); ok {
			return u
		}
		if isScalar(a) && isScalar(b) {
			return text(a) == text(b)
		}
		return reflect.DeepEqual(a, b)
	case name == "Fn::Not" && len(arguments) == 1:
		value := r.condition(s, arguments[0], at)
		if holds, ok := value.(bool); ok {
			return !holds
		}
		return value
	case name == "Fn::And" && len(arguments) > 0:
		return r.every(s, arguments, true, at)
	case name == "Fn::Or" && len(arguments) > 0:
		return r.every(s, arguments, false, at)
	default:
		return unknown(at, "malformed condition")
	}
}

// every is Fn::And for true and Fn::Or for false: one that is otherwise
// decides, known or not what the rest is.
func (r *resolver) every(s *stack, conditions []any, wanted bool, at string) any {
	var result any = wanted
	for _, member := range conditions {
		switch value := r.condition(s, member, at).(type) {
		case bool:
			if value != wanted {
				return value
			}
		default:
			result = value
		}
	}
	return result
}

// deployed leaves out of a stack what its conditions leave out. What depends
// on an unknown condition is kept.
func (r *resolver) deployed(s *stack) {
	kept := func(condition string) bool { return condition == "" || r.namedCondition(s, condition, s.path) != false }
	resources := maps.Clone(s.template.Resources)
	maps.DeleteFunc(resources, func(_ string, res resource) bool { return !kept(res.Condition) })
	outputs := maps.Clone(s.template.Outputs)
	maps.DeleteFunc(outputs, func(_ string, out output) bool { return !kept(out.Condition) })
	s.template.Resources, s.template.Outputs = resources, outputs
}

// zoneLetters stand for a Region's Availability Zones, which are an account's
// own.
var zoneLetters = []string{"a", "b", "c"}

// zones is Fn::GetAZs: three zones for every Region.
func (r *resolver) zones(s *stack, argument any, at string) any {
	region := r.resolve(s, argument, at)
	if u, ok := region.(Unknown); ok {
		return u
	}
	name := text(region)
	if name == "" {
		name = s.region
	}
	var out []any
	for letter := range slices.Values(zoneLetters) {
		out = append(out, name+letter)
	}
	return out
}
