package assembly

import (
	"fmt"
	"strconv"
	"time"
)

// physicalID returns a resource's physical id. Not knowing it is a problem.
func (r *reader) physicalID(s *stack, id string) string {
	switch value := r.ref(s, id, s.place(id).Path).(type) {
	case Unknown:
		r.problem(value.At, "%s", value.Reason)
		return ""
	default:
		return text(value)
	}
}

// values are a resource's properties, resolved once; nobody may change them.
// They are an [Unknown] or a map[string]any.
func (r *reader) values(s *stack, id string) any {
	key := nameIn{s, id}
	values, done := r.resolved[key]
	if !done {
		values = r.resolve(s, s.template.Resources[id].Properties, s.place(id).Path)
		r.resolved[key] = values
	}
	return values
}

// properties returns a resource's resolved properties. It fails where they are
// unknown as a whole, which stands among the problems already.
func (r *reader) properties(s *stack, id string) (props, bool) {
	values, ok := r.values(s, id).(map[string]any)
	return props{values: values, at: s.place(id).Path, reader: r}, ok
}

// props reads resolved properties. A value that is of the wrong type or
// unknown is a problem with its place, and reads as the zero value; what nobody
// reads is none.
type props struct {
	values map[string]any
	at     string
	reader *reader
	doubt  doubt
}

// doubt says what comes of a value that cannot be read.
type doubt int

const (
	decides doubt = iota // nothing is served
	noted                // it is listed
	ignored              // it is nobody's problem
)

// noted reads the same properties; what it cannot read is listed only.
func (p props) noted() props { p.doubt = noted; return p }

// ignored reads the same properties; what it cannot read is nobody's problem.
func (p props) ignored() props { p.doubt = ignored; return p }

// unknown returns the [Unknown] in place of a value, or of one of the texts of
// a list.
func (p props) unknown(name string) (Unknown, bool) {
	if list, ok := p.values[name].([]any); ok {
		for _, member := range list {
			if u, ok := member.(Unknown); ok {
				return u, true
			}
		}
	}
	u, ok := p.values[name].(Unknown)
	return u, ok
}

func (p props) report(at, format string, arguments ...any) {
	switch p.doubt {
	case decides:
		p.reader.problem(at, format, arguments...)
	case noted:
		p.reader.note(at, format, arguments...)
	}
}

func (p props) reportUnknown(u Unknown) { p.report(u.At, "%s", u.Reason) }

// wrong reports a value that is not what it should be.
func (p props) wrong(name string, value any, what string) {
	if u, ok := value.(Unknown); ok {
		p.reportUnknown(u)
		return
	}
	p.report(p.at, "%s is not %s", name, what)
}

func (p props) text(name string) string {
	value, ok := p.values[name]
	if ok && !isScalar(value) {
		p.wrong(name, value, "a text")
	}
	return text(value)
}

// texts reads a list of texts; a single one is a list of one. Those that are
// not known are left out.
func (p props) texts(name string) []string {
	value, ok := p.values[name]
	if !ok {
		return nil
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var out []string
	for _, member := range list {
		if !isScalar(member) {
			p.wrong(name, member, "a list of texts")
			continue
		}
		out = append(out, text(member))
	}
	return out
}

func (p props) bool(name string) bool {
	switch value := p.text(name); value {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.report(p.at, "%s is %q, neither true nor false", name, value)
		return false
	}
}

func (p props) int(name string, otherwise int) int {
	value := p.text(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		p.report(p.at, "%s is %q, not a whole number", name, value)
		return otherwise
	}
	return n
}

// float reads a finite number.
func (p props) float(name string, otherwise float64) float64 {
	value := p.text(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n != n || n-n != 0 {
		p.report(p.at, "%s is %q, not a number", name, value)
		return otherwise
	}
	return n
}

func (p props) seconds(name string, otherwise time.Duration) time.Duration {
	return time.Duration(p.int(name, int(otherwise/time.Second))) * time.Second
}

// has reports whether there is a value, known or not.
func (p props) has(name string) bool {
	_, ok := p.values[name]
	return ok
}

// object reads an object; one that is not there is empty.
func (p props) object(name string) props {
	value, present := p.values[name]
	values, ok := value.(map[string]any)
	if present && !ok {
		p.wrong(name, value, "an object")
	}
	p.values, p.at = values, p.at+"."+name
	return p
}

// objects reads a list of objects. Those that are not known are left out.
func (p props) objects(name string) []props {
	value, present := p.values[name]
	list, isList := value.([]any)
	if present && !isList {
		p.wrong(name, value, "a list")
	}
	var out []props
	for i, member := range list {
		values, ok := member.(map[string]any)
		if u, unknown := member.(Unknown); unknown {
			p.reportUnknown(u)
			continue
		}
		if !ok {
			p.report(p.at, "%s holds what is no object", name)
			continue
		}
		one := p
		one.values, one.at = values, fmt.Sprintf("%s.%s[%d]", p.at, name, i)
		out = append(out, one)
	}
	return out
}

// textMap reads every value as a text.
func (p props) textMap() map[string]string {
	out := map[string]string{}
	for name := range p.values {
		out[name] = p.text(name)
	}
	return out
}
