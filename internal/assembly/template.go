package assembly

import (
	"fmt"
	"slices"
	"strings"
)

// template is a CloudFormation template as far as it is read ("Template
// sections", AWS CloudFormation). Names count in their own case only.
type template struct {
	Resources  map[string]resource
	Outputs    map[string]output
	Parameters map[string]map[string]any
	Mappings   map[string]any
	Conditions map[string]any
	Metadata   map[string]any
	Transform  any

	source map[string]any // as it was parsed
	size   int            // of its file, and of what its loops make, in bytes
}

type resource struct {
	Type       string
	Loop       any // what stands in place of a resource under Fn::ForEach
	Condition  string
	Transform  any // Fn::Transform
	Properties map[string]any
	Metadata   map[string]any

	DeletionPolicy      any // a text, or with AWS::LanguageExtensions a function
	UpdateReplacePolicy any
}

type output struct {
	Condition string
	Value     any
	Export    any // its Name; nil without one
}

// newTemplate reads the sections of a parsed template. It fails where a
// section, a resource or an output is not of its kind.
func newTemplate(value any) (template, error) {
	t := template{Resources: map[string]resource{}, Outputs: map[string]output{}, Parameters: map[string]map[string]any{}}
	v, ok := value.(map[string]any)
	if !ok {
		return t, fmt.Errorf("a template is an object, not %s", kindOf(value))
	}
	t.Transform, t.source = v["Transform"], v
	top := section{values: v, failed: new(error)}
	t.Mappings, t.Conditions, t.Metadata = top.in("Mappings").values, top.in("Conditions").values, top.in("Metadata").values
	parameters := top.in("Parameters")
	for id := range parameters.values {
		t.Parameters[id] = parameters.in(id).values
	}
	resources := top.in("Resources")
	for id := range resources.values {
		if strings.HasPrefix(id, "Fn::") {
			t.Resources[id] = resource{Loop: resources.values[id]}
			continue
		}
		r := resources.in(id)
		t.Resources[id] = resource{
			Type: r.text("Type"), Condition: r.condition(t), Transform: r.values["Fn::Transform"],
			Properties: r.in("Properties").values, Metadata: r.in("Metadata").values,
			DeletionPolicy: r.values["DeletionPolicy"], UpdateReplacePolicy: r.values["UpdateReplacePolicy"],
		}
	}
	outputs := top.in("Outputs")
	for id := range outputs.values {
		if strings.HasPrefix(id, "Fn::") {
			continue // listed by the reader
		}
		o := outputs.in(id)
		t.Outputs[id] = output{Condition: o.condition(t), Value: o.values["Value"], Export: o.in("Export").values["Name"]}
	}
	return t, *top.failed
}

// languageExtensions adds functions that are read here.
const languageExtensions = "AWS::LanguageExtensions"

// transforms names the macros that change the template before it is deployed.
func (t template) transforms() []string {
	list, ok := t.Transform.([]any)
	if !ok && t.Transform != nil {
		list = []any{t.Transform}
	}
	var names []string
	for _, entry := range list {
		name := text(entry)
		if object, ok := entry.(map[string]any); ok {
			name = text(object["Name"])
		}
		names = append(names, name)
	}
	return names
}

// extended reports whether the functions of AWS::LanguageExtensions mean
// anything in the template.
func (t template) extended() bool { return slices.Contains(t.transforms(), languageExtensions) }

// section is an object of a template and where it stands.
type section struct {
	values map[string]any
	path   string
	failed *error // the first mistake found
}

func (s section) fail(name, format string, arguments ...any) {
	if *s.failed == nil {
		*s.failed = fmt.Errorf("%s: %s", strings.TrimPrefix(s.path+"."+name, "."), fmt.Sprintf(format, arguments...))
	}
}

// in is an object within; one that is not there is empty.
func (s section) in(name string) section {
	value, present := s.values[name]
	object, ok := value.(map[string]any)
	if present && value != nil && !ok {
		s.fail(name, "%s where an object is due", kindOf(value))
	}
	return section{values: object, path: s.path + "." + name, failed: s.failed}
}

// condition is the name of a resource's or an output's condition. A function
// that AWS::LanguageExtensions lets choose it is read when loops are.
func (s section) condition(t template) string {
	if _, function := s.values["Condition"].(map[string]any); function && t.extended() {
		return ""
	}
	return s.text("Condition")
}

func (s section) text(name string) string {
	value, present := s.values[name]
	out, ok := value.(string)
	if present && !ok {
		s.fail(name, "%s where a text is due", kindOf(value))
	}
	return out
}
