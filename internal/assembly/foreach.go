package assembly

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// loopPrefix begins the key of a loop; a name follows.
const loopPrefix = "Fn::ForEach::"

// maxLooped bounds what loops make, in values and bytes of text. CloudFormation
// takes 1 MB of the result ("AWS CloudFormation quotas").
const maxLooped = 2 << 20

// loops replaces the loops of a stack's template by what they make
// ("Fn::ForEach", AWS CloudFormation template reference). A loop whose list is
// not known stays where it is, with the reason in its place.
type loops struct {
	*resolver
	stack      *stack
	conditions map[string]any // those that take the place of a function
	made       int            // values and bytes of text, so far
}

// bindings are the values of the identifiers of the loops around.
type bindings map[string]string

// expand reads the functions that AWS::LanguageExtensions adds where a template
// has no others: loops, and functions that name a condition.
func (s *stack) expand() error {
	if !s.template.extended() {
		return nil
	}
	source := maps.Clone(s.template.source)
	made := 0
	// What a loop goes over may depend on a condition, and so on what is made there.
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		values, ok := source[section].(map[string]any)
		if !ok {
			continue
		}
		l := loops{resolver: newResolver(s.withAncestors(), Options{}), stack: s, conditions: map[string]any{}, made: made}
		source[section] = l.section(section, values)
		if conditions, _ := source["Conditions"].(map[string]any); len(l.conditions) > 0 {
			all := maps.Clone(l.conditions)
			maps.Copy(all, conditions)
			source["Conditions"] = all
		}
		t, err := newTemplate(source)
		if err != nil {
			return err
		}
		t.size = s.template.size + l.made - made
		s.template, made = t, l.made
	}
	return nil
}

// withAncestors returns the stack and those around it.
func (s *stack) withAncestors() []*stack {
	var out []*stack
	for ; s != nil; s = s.parent {
		out = append(out, s)
	}
	return out
}

// section expands one section of the template.
func (l *loops) section(name string, values map[string]any) map[string]any {
	at := l.stack.path + "." + name
	if name == "Resources" {
		at = l.stack.path
	}
	out := l.members(values, nil, at, true)
	for key, value := range out {
		if member, ok := value.(map[string]any); ok && name != "Conditions" {
			l.condition(member, at+"."+key)
		}
	}
	return out
}

// condition names the condition of a resource or an output that a function
// chooses; none where it chooses AWS::NoValue.
func (l *loops) condition(member map[string]any, at string) {
	function, ok := member["Condition"].(map[string]any)
	if !ok {
		return
	}
	switch chosen := l.resolve(l.stack, function, at+".Condition").(type) {
	case noValue:
		delete(member, "Condition")
	case string:
		member["Condition"] = chosen
	default:
		name := "of " + at
		l.conditions[name], member["Condition"] = chosen, name
	}
}

// value is a copy of a value with everything in it expanded. References to an
// identifier, and ${identifier} and &{identifier} in a text, become its value.
func (l *loops) value(value any, bound bindings, at string) any {
	if !l.spend(bound, 1) {
		return nil
	}
	switch v := value.(type) {
	case string:
		return l.text(v, bound)
	case []any:
		out := make([]any, 0, len(v))
		for _, member := range v {
			out = append(out, l.value(member, bound, at))
		}
		return out
	case map[string]any:
		if id, ok := v["Ref"].(string); ok && len(v) == 1 {
			if item, ok := bound[id]; ok && l.spend(bound, len(item)) {
				return item
			}
		}
		return l.members(v, bound, at, false)
	default:
		return value
	}
}

// spend counts what a loop makes and reports whether that is not too much yet.
func (l *loops) spend(bound bindings, n int) bool {
	if len(bound) > 0 {
		l.made += n
	}
	return l.made <= maxLooped
}

var notAlphanumeric = regexp.MustCompile(`[^0-9A-Za-z]`)

// text puts values in the place of identifiers: all of one for ${}, and its
// letters and digits for &{}.
func (l *loops) text(text string, bound bindings) string {
	if !strings.Contains(text, "{") || !l.spend(bound, len(text)) {
		return text
	}
	var pairs []string
	for id, item := range bound {
		pairs = append(pairs, "${"+id+"}", item, "&{"+id+"}", notAlphanumeric.ReplaceAllString(item, ""))
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	l.spend(bound, len(text))
	return text
}

// members expands an object: what its loops make stands beside its own members.
// At the top of a section they are named by logical ids.
func (l *loops) members(v map[string]any, bound bindings, at string, top bool) map[string]any {
	out := make(map[string]any, len(v))
	keys := slices.Sorted(maps.Keys(v))
	for _, key := range keys {
		if !strings.HasPrefix(key, loopPrefix) {
			out[l.text(key, bound)] = l.value(v[key], bound, at+"."+key)
		}
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, loopPrefix) {
			continue
		}
		made, err := l.loop(v[key], bound, at, top)
		for _, name := range slices.Sorted(maps.Keys(made)) {
			if _, twice := out[name]; twice {
				err = fmt.Errorf("it makes %s, which is there already", name)
			}
		}
		if err != nil {
			out[key] = unknown(at+"."+key, "%s is not understood: %v", key, err)
			continue
		}
		maps.Copy(out, made)
	}
	return out
}

// loop returns what a loop makes. It fails where its list is not known, and
// where AWS would refuse it.
func (l *loops) loop(value any, bound bindings, at string, top bool) (map[string]any, error) {
	arguments, _ := value.([]any)
	if len(arguments) != 3 {
		return nil, errMalformedLoop
	}
	identifier, _ := arguments[0].(string)
	fragment, ok := arguments[2].(map[string]any)
	if identifier == "" || !ok {
		return nil, errMalformedLoop
	}
	items, err := l.items(arguments[1], bound, at)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	inner := bindings{}
	maps.Copy(inner, bound)
	for _, item := range items {
		inner[identifier] = item
		for key, member := range l.members(fragment, inner, at, top) {
			_, twice := out[key]
			u, failed := member.(Unknown)
			switch {
			case failed && strings.HasPrefix(key, loopPrefix):
				return nil, errors.New(u.Reason)
			case twice:
				return nil, fmt.Errorf("it makes %s twice; each key needs ${%s}", key, identifier)
			case top && notAlphanumeric.MatchString(key):
				return nil, fmt.Errorf("it makes %q, which is no logical id; &{%s} leaves out what no id may have", key, identifier)
			}
			out[key] = member
		}
		if !l.spend(inner, 1) {
			return nil, errors.New("it makes more than is read here")
		}
	}
	return out, nil
}

var errMalformedLoop = errors.New("an identifier, a list and an object are due")

// items are the texts that a loop goes over.
func (l *loops) items(list any, bound bindings, at string) ([]string, error) {
	resolved := l.resolve(l.stack, l.value(list, bound, at), at)
	if u, ok := firstUnknown(resolved); ok {
		return nil, errors.New(u.Reason)
	}
	members, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("%s where a list is due", kindOf(resolved))
	}
	var items []string
	for _, member := range members {
		if !isScalar(member) {
			return nil, fmt.Errorf("its list holds %s where a text is due", kindOf(member))
		}
		items = append(items, text(member))
	}
	return items, nil
}
