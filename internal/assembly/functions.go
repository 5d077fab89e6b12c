package assembly

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// call is one intrinsic function.
func (r *resolver) call(s *stack, name string, argument any, at string) any {
	switch name {
	case "Ref":
		// AWS::LanguageExtensions lets a function name the resource.
		id := r.resolve(s, argument, at)
		if u, ok := id.(Unknown); ok {
			return u
		}
		if _, ok := id.(string); !ok {
			return unknown(at, "malformed Ref")
		}
		return r.ref(s, text(id), at)
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
	case "Fn::If":
		return r.choose(s, argument, at)
	case "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or":
		return r.condition(s, map[string]any{name: argument}, at)
	case "Fn::FindInMap":
		return r.findInMap(s, argument, at)
	case "Fn::Base64", "Fn::Length", "Fn::ToJsonString":
		return r.onValue(s, name, argument, at)
	case "Fn::GetAZs":
		return r.zones(s, argument, at)
	case "Fn::Cidr":
		return r.cidr(s, argument, at)
	case "Fn::Transform":
		return r.transform(s, argument, at)
	default:
		if u, ok := argument.(Unknown); ok {
			return u // in place of a loop
		}
		return unknown(at, "%s is not understood", name)
	}
}

func (r *resolver) getAtt(s *stack, argument any, at string) any {
	var id string
	var attribute any
	switch a := argument.(type) {
	case string:
		id, attribute = cut(a)
	case []any:
		if len(a) == 2 {
			name := r.resolve(s, a[0], at) // a function with AWS::LanguageExtensions
			if u, ok := name.(Unknown); ok {
				return u
			}
			id = text(name)
			attribute = r.resolve(s, a[1], at)
		}
	}
	if u, ok := attribute.(Unknown); ok {
		return u
	}
	if id == "" || text(attribute) == "" {
		return unknown(at, "malformed Fn::GetAtt")
	}
	return r.attribute(s, id, text(attribute), at)
}

func cut(reference string) (id string, attribute any) {
	id, rest, _ := strings.Cut(reference, ".")
	return id, rest
}

// onList is Fn::Join, Fn::Split or Fn::Select: each takes two arguments.
func (r *resolver) onList(s *stack, name string, argument any, at string) any {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return unknown(at, "malformed %s", name)
	}
	at += "." + name
	first, second := r.resolve(s, arguments[0], at), r.resolve(s, arguments[1], at)
	for _, resolved := range []any{first, second} {
		if u, ok := resolved.(Unknown); ok {
			return tainted(u, first, second)
		}
	}
	list, isList := second.([]any)
	switch {
	case !isScalar(first):
	case name == "Fn::Split":
		if source, ok := second.(string); ok {
			return r.split(source, text(first), at)
		}
	case !isList:
	case name == "Fn::Join":
		return r.joined(list, text(first), at)
	default:
		if i, err := strconv.Atoi(text(first)); err == nil && i >= 0 && i < len(list) {
			return list[i]
		}
	}
	return unknown(at, "malformed %s", name)
}

func (r *resolver) split(source, separator, at string) any {
	if separator == "" {
		return unknown(at, "malformed Fn::Split")
	}
	if !r.spend(len(source)) {
		return tooMuch(at)
	}
	var out []any
	for part := range strings.SplitSeq(source, separator) {
		out = append(out, part)
	}
	return out
}

var substitution = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

// sub is Fn::Sub, with or without variables of its own.
func (r *resolver) sub(s *stack, argument any, at string) any {
	pattern, isText := argument.(string)
	var variables map[string]any
	if list, ok := argument.([]any); ok && len(list) == 2 {
		pattern, isText = list[0].(string)
		variables, ok = list[1].(map[string]any)
		isText = isText && ok
	}
	if !isText {
		return unknown(at, "malformed Fn::Sub")
	}
	var parts []any
	rest := 0
	for _, found := range substitution.FindAllStringSubmatchIndex(pattern, -1) {
		parts = append(parts, pattern[rest:found[0]])
		rest = found[1]
		name := pattern[found[4]:found[5]]
		if found[2] < found[3] {
			parts = append(parts, "${"+name+"}")
			continue
		}
		parts = append(parts, r.variable(s, strings.TrimSpace(name), variables, at))
	}
	return r.joined(append(parts, pattern[rest:]), "", at)
}

func (r *resolver) variable(s *stack, name string, variables map[string]any, at string) any {
	if own, ok := variables[name]; ok {
		return r.resolve(s, own, at)
	}
	if strings.Contains(name, ".") && !strings.HasPrefix(name, "AWS::") {
		return r.getAtt(s, name, at)
	}
	return r.ref(s, name, at)
}

// onValue is a function of one value.
func (r *resolver) onValue(s *stack, name string, argument any, at string) any {
	value := r.resolve(s, argument, at+"."+name)
	if u, ok := firstUnknown(value); ok {
		return tainted(u, value)
	}
	switch name {
	case "Fn::Base64":
		if isScalar(value) && r.spend(2*len(text(value))) {
			return base64.StdEncoding.EncodeToString([]byte(text(value)))
		}
	case "Fn::Length":
		if list, ok := value.([]any); ok {
			return json.Number(strconv.Itoa(len(list)))
		}
	case "Fn::ToJsonString":
		if isScalar(value) {
			break
		}
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err == nil && r.spend(out.Len()) {
			return known(strings.TrimSuffix(out.String(), "\n"), at)
		}
	}
	return unknown(at, "malformed %s", name)
}
