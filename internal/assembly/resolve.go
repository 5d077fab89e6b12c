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
// the logical id ("Intrinsic function reference", AWS CloudFormation). What
// cannot be known becomes an [Unknown], and so does what is made of it.
type resolver struct {
	stacks  []*stack
	options Options
	active  []nameIn // what is being resolved, to find circles
	work    int      // values that may be resolved yet, and bytes of text that may be made

	done map[nameIn]any // what has been: properties, outputs, conditions
}

// nameIn is a name in a stack's template: "Outputs.Arn".
type nameIn struct {
	stack *stack
	name  string
}

func newResolver(stacks []*stack, o Options) *resolver {
	r := &resolver{stacks: stacks, options: o, work: leastWork, done: map[nameIn]any{}}
	for _, s := range stacks {
		r.work += workPerByte * s.template.size
	}
	return r
}

// What a model may take, and how much more for each byte of its templates. A
// template takes less than one of each byte, unless its functions multiply
// each other's results.
const (
	leastWork   = 2_000_000
	workPerByte = 20
)

// maxDepth bounds how deep a template nests, and how many references lead to
// each other.
const maxDepth = 200

// noValue is what Ref AWS::NoValue resolves to: the member that holds it is
// left out.
type noValue struct{}

func unknown(at, format string, arguments ...any) Unknown {
	return Unknown{At: at, Reason: fmt.Sprintf(format, arguments...)}
}

// spend takes work and reports whether there was enough of it.
func (r *resolver) spend(n int) bool {
	r.work -= n
	return r.work >= 0
}

func tooMuch(at string) Unknown {
	return unknown(at, "the template's functions multiply each other's results beyond what is resolved here")
}

// once resolves what goes by a name, once, and finds circles.
func (r *resolver) once(s *stack, name, at string, resolve func() any) any {
	key := nameIn{s, name}
	if value, done := r.done[key]; done {
		return value
	}
	if slices.Contains(r.active, key) {
		return unknown(at, "refers to itself in a circle: %s", circle(append(slices.Clone(r.active), key)))
	}
	if len(r.active) >= maxDepth {
		return unknown(at, "more than %d references lead to each other", maxDepth)
	}
	r.active = append(r.active, key)
	value := resolve()
	r.active = r.active[:len(r.active)-1]
	r.done[key] = value
	return value
}

func circle(names []nameIn) string {
	var out []string
	for _, n := range names {
		out = append(out, n.stack.path+"/"+n.name)
	}
	return strings.Join(out, " → ")
}

// resolve returns a value without intrinsic functions. What could not be
// resolved is an [Unknown] within it.
func (r *resolver) resolve(s *stack, value any, at string) any {
	if !r.spend(1) {
		return tooMuch(at)
	}
	switch v := value.(type) {
	case nil:
		return unknown(at, "null has no place in a template")
	case string:
		return known(v, at)
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			return r.call(s, name, argument, at)
		}
		return r.resolveMembers(s, v, at)
	case []any:
		out := make([]any, 0, len(v))
		for i, member := range v {
			if resolved := r.resolve(s, member, at+"["+strconv.Itoa(i)+"]"); resolved != (noValue{}) {
				out = append(out, resolved)
			}
		}
		return out
	default:
		return value
	}
}

func (r *resolver) resolveMembers(s *stack, v map[string]any, at string) any {
	out := make(map[string]any, len(v))
	for key, member := range v {
		if strings.HasPrefix(key, "Fn::") {
			if u, ok := member.(Unknown); ok {
				return u // in place of a loop
			}
			return unknown(at, "%s beside other keys is not understood", key)
		}
		if resolved := r.resolve(s, member, at+"."+key); resolved != (noValue{}) {
			out[key] = resolved
		}
	}
	return out
}

func intrinsic(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, argument = range v {
		if name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return name, argument, true
		}
	}
	return "", nil, false
}

var dynamicReference = regexp.MustCompile(`\{\{resolve:([a-z-]+):[^}]*\}\}`)

// known is a text, unless it holds a dynamic reference, which stands for a
// value stored on AWS.
func known(v, at string) any {
	if !strings.Contains(v, "{{resolve:") {
		return v
	}
	found := dynamicReference.FindAllStringSubmatch(v, -1)
	if found == nil {
		return v
	}
	u := Unknown{At: at, Reason: "a dynamic reference stands for a value that is known on AWS only", Text: v}
	for _, reference := range found {
		u.Secret = u.Secret || reference[1] == "secretsmanager" || reference[1] == "ssm-secure"
	}
	return u
}

// joined makes one text of parts, any of which may be unknown.
func (r *resolver) joined(parts []any, separator, at string) any {
	var out strings.Builder
	var missing *Unknown
	secret := false
	for i, part := range parts {
		if i > 0 {
			out.WriteString(separator)
		}
		if u, ok := part.(Unknown); ok {
			if missing == nil {
				missing = &u
			}
			secret = secret || u.Secret
			out.WriteString(u.Text)
			continue
		}
		if !isScalar(part) {
			return unknown(at, "%s where a text is due", kindOf(part))
		}
		out.WriteString(text(part))
		if !r.spend(len(text(part))) {
			return tooMuch(at)
		}
	}
	whole := out.String()
	if missing == nil {
		return known(whole, at)
	}
	secret = secret || strings.Contains(whole, "{{resolve:secretsmanager:") || strings.Contains(whole, "{{resolve:ssm-secure:")
	u := Unknown{At: missing.At, Reason: missing.Reason, Secret: secret}
	if strings.Contains(whole, "{{resolve:") {
		u.Text = whole
	}
	return u
}

// tainted is an Unknown that was made of values, and a secret where one of them
// holds one.
func tainted(u Unknown, values ...any) Unknown {
	for _, value := range values {
		for _, found := range unknowns(value) {
			u.Secret = u.Secret || found.Secret
		}
	}
	return u
}

// firstUnknown returns an Unknown within resolved values, the same each time.
func firstUnknown(values ...any) (Unknown, bool) {
	for _, value := range values {
		if found := unknowns(value); len(found) > 0 {
			return found[0], true
		}
	}
	return Unknown{}, false
}

// unknowns returns every Unknown within a resolved value, by place.
func unknowns(value any) []Unknown {
	var found []Unknown
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case Unknown:
			found = append(found, v)
		case map[string]any:
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(value)
	slices.SortFunc(found, func(a, b Unknown) int { return strings.Compare(a.At, b.At) })
	return found
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

func isScalar(value any) bool {
	switch value.(type) {
	case string, json.Number, bool:
		return true
	default:
		return false
	}
}

// kindOf names what stands in place of something else.
func kindOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case nil:
		return "nothing"
	default:
		return "a value"
	}
}
