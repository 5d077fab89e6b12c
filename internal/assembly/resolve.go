package assembly

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// resolver replaces intrinsic functions by what they would be once deployed.
// Physical ids are made up, but stable: they follow from the stack's name and
// the logical id ("Intrinsic function reference", AWS CloudFormation).
type resolver struct {
	stacks  []*stack
	options Options
	active  []string // outputs being resolved, to find cycles
}

// noValue is what Ref AWS::NoValue resolves to: the member that holds it is
// left out.
type noValue struct{}

// resolve returns a value without intrinsic functions. Errors name the place.
func (r *resolver) resolve(s *stack, value any, at string) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, fmt.Errorf("%s: null has no place in a template", at)
	case string:
		if strings.Contains(v, "{{resolve:") {
			return nil, fmt.Errorf("%s: dynamic references are not understood", at)
		}
		return v, nil
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			out, err := r.call(s, name, argument, at)
			if err != nil {
				return nil, err
			}
			return out, nil
		}
		out := make(map[string]any, len(v))
		for key, member := range v {
			if strings.HasPrefix(key, "Fn::") {
				return nil, fmt.Errorf("%s: %s beside other keys is not understood", at, key)
			}
			resolved, err := r.resolve(s, member, at+"."+key)
			if err != nil {
				return nil, err
			}
			if resolved != (noValue{}) {
				out[key] = resolved
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for i, member := range v {
			resolved, err := r.resolve(s, member, fmt.Sprintf("%s[%d]", at, i))
			if err != nil {
				return nil, err
			}
			if resolved != (noValue{}) {
				out = append(out, resolved)
			}
		}
		return out, nil
	default:
		return value, nil
	}
}

func intrinsic(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, argument = range v {
		if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
			return name, argument, true
		}
	}
	return "", nil, false
}

func (r *resolver) call(s *stack, name string, argument any, at string) (any, error) {
	switch name {
	case "Ref":
		id, ok := argument.(string)
		if !ok {
			return nil, fmt.Errorf("%s: malformed Ref", at)
		}
		return r.ref(s, id, at)
	case "Fn::GetAtt":
		return r.getAtt(s, argument, at)
	case "Fn::Sub":
		return r.sub(s, argument, at)
	case "Fn::Join", "Fn::Split", "Fn::Select":
		return r.onList(s, name, argument, at)
	case "Fn::ImportValue":
		return r.importValue(s, argument, at)
	case "Fn::GetStackOutput":
		return r.stackOutput(s, argument, at)
	default:
		return nil, fmt.Errorf("%s: %s is not understood", at, name)
	}
}

func (r *resolver) getAtt(s *stack, argument any, at string) (any, error) {
	var id, attribute string
	switch a := argument.(type) {
	case string:
		id, attribute, _ = strings.Cut(a, ".")
	case []any:
		if len(a) == 2 {
			id, _ = a[0].(string)
			attribute, _ = a[1].(string)
		}
	}
	if id == "" || attribute == "" {
		return nil, fmt.Errorf("%s: malformed Fn::GetAtt", at)
	}
	return r.attribute(s, id, attribute, at)
}

// onList is Fn::Join, Fn::Split or Fn::Select: each takes two arguments.
func (r *resolver) onList(s *stack, name string, argument any, at string) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, fmt.Errorf("%s: malformed %s", at, name)
	}
	resolved, err := r.resolve(s, argument, at+"."+name)
	if err != nil {
		return nil, err
	}
	pair := resolved.([]any)
	if len(pair) != 2 {
		return nil, fmt.Errorf("%s: malformed %s", at, name)
	}
	switch name {
	case "Fn::Join":
		if parts, err := texts(pair[1]); err == nil {
			return strings.Join(parts, text(pair[0])), nil
		}
	case "Fn::Split":
		if source, ok := pair[1].(string); ok {
			var out []any
			for part := range strings.SplitSeq(source, text(pair[0])) {
				out = append(out, part)
			}
			return out, nil
		}
	case "Fn::Select":
		list, isList := pair[1].([]any)
		i, err := strconv.Atoi(text(pair[0]))
		if isList && err == nil && i >= 0 && i < len(list) {
			return list[i], nil
		}
	}
	return nil, fmt.Errorf("%s: malformed %s", at, name)
}

var substitution = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

func (r *resolver) sub(s *stack, argument any, at string) (any, error) {
	pattern, isText := argument.(string)
	variables := map[string]any{}
	if list, ok := argument.([]any); ok && len(list) == 2 {
		pattern, isText = list[0].(string)
		variables, _ = list[1].(map[string]any)
	}
	if !isText {
		return nil, fmt.Errorf("%s: malformed Fn::Sub", at)
	}
	var failed error
	out := substitution.ReplaceAllStringFunc(pattern, func(match string) string {
		parts := substitution.FindStringSubmatch(match)
		literal, name := parts[1] == "!", parts[2]
		if literal {
			return "${" + name + "}"
		}
		var value any
		var err error
		switch variable, own := variables[name]; {
		case own:
			value, err = r.resolve(s, variable, at)
		case strings.Contains(name, ".") && !strings.HasPrefix(name, "AWS::"):
			value, err = r.getAtt(s, name, at)
		default:
			value, err = r.ref(s, name, at)
		}
		if err != nil && failed == nil {
			failed = err
		}
		return text(value)
	})
	return out, failed
}

// importValue follows an export: a reference that locks its two stacks together.
func (r *resolver) importValue(s *stack, argument any, at string) (any, error) {
	name, err := r.resolve(s, argument, at)
	if err != nil {
		return nil, err
	}
	for _, other := range r.stacks {
		if other.region != s.region || other.account != s.account {
			continue
		}
		for id, out := range other.template.Outputs {
			if out.Export.Name == nil {
				continue
			}
			exported, err := r.resolve(other, out.Export.Name, other.path+".Outputs."+id)
			if err != nil {
				return nil, err
			}
			if exported == name {
				return r.output(other, id, at)
			}
		}
	}
	return nil, fmt.Errorf("%s: no stack of this stage exports %q", at, text(name))
}

// stackOutput follows a weak reference, which locks nothing.
func (r *resolver) stackOutput(s *stack, argument any, at string) (any, error) {
	resolved, err := r.resolve(s, argument, at)
	if err != nil {
		return nil, err
	}
	arguments, _ := resolved.(map[string]any)
	stackName, outputName := text(arguments["StackName"]), text(arguments["OutputName"])
	region := s.region
	if other, ok := arguments["Region"]; ok {
		region = text(other)
	}
	for _, other := range r.stacks {
		if other.name == stackName && other.region == region {
			return r.output(other, outputName, at)
		}
	}
	return nil, fmt.Errorf("%s: no stack of this stage is named %q in %s", at, stackName, region)
}

func (r *resolver) output(s *stack, id, at string) (any, error) {
	key := s.id + "." + id
	if slices.Contains(r.active, key) {
		return nil, fmt.Errorf("%s: the outputs %s refer to each other in a circle", at, strings.Join(append(r.active, key), " → "))
	}
	out, ok := s.template.Outputs[id]
	if !ok {
		return nil, fmt.Errorf("%s: stack %s has no output %q", at, s.path, id)
	}
	r.active = append(r.active, key)
	defer func() { r.active = r.active[:len(r.active)-1] }()
	return r.resolve(s, out.Value, s.path+".Outputs."+id)
}

// text writes a resolved scalar as CloudFormation joins it into a string.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

// texts reads a list of scalars; a scalar is a list of one.
func texts(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var out []string
	for _, member := range list {
		switch member.(type) {
		case string, json.Number, bool:
			out = append(out, text(member))
		default:
			return nil, fmt.Errorf("a %T where a text is due", member)
		}
	}
	return out, nil
}
