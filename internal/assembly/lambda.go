package assembly

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatewright/gatewright/internal/iam"
)

// functionMetadataKey is where constructs/gofunction says what a function was
// built from.
const functionMetadataKey = "gatewright:function"

// readFunction reads a function. What is not known of one decides about no
// request, except which one it is.
func (r *reader) readFunction(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p = p.noted()
	name := r.physicalID(s, id)
	f := &Function{
		Place:   s.place(id),
		Name:    name,
		ARN:     s.arn("lambda", "function:"+name),
		RoleARN: p.text("Role"),
		Runtime: p.text("Runtime"),
		Handler: p.text("Handler"),
		// Defaults of AWS::Lambda::Function.
		Architecture:        "x86_64",
		MemoryMB:            p.int("MemorySize", 128),
		Timeout:             p.seconds("Timeout", 3*time.Second),
		Environment:         map[string]string{},
		Unresolved:          map[string]Unknown{},
		ReservedConcurrency: p.int("ReservedConcurrentExecutions", -1),
		CodeDir:             s.assets[p.object("Code").ignored().text("S3Key")],
	}
	variables := p.object("Environment").object("Variables")
	for name := range variables.values {
		if u, ok := variables.unknown(name); ok {
			f.Unresolved[name] = u
			continue
		}
		f.Environment[name] = variables.text(name)
	}
	if architectures := p.texts("Architectures"); len(architectures) > 0 {
		f.Architecture = architectures[0]
	}
	if source, ok := s.template.Resources[id].Metadata[functionMetadataKey].(map[string]any); ok {
		f.Source = &FunctionSource{Module: text(source["module"]), Version: text(source["version"]), Package: text(source["package"])}
	}
	r.model.Functions = append(r.model.Functions, f)
}

// Function returns the function that an ARN names, whether it ends with a
// version or an alias or not, or nil.
func (m *Model) Function(arn string) *Function {
	i := slices.IndexFunc(m.Functions, func(f *Function) bool { return f.ARN == arn || strings.HasPrefix(arn, f.ARN+":") })
	if i < 0 {
		return nil
	}
	return m.Functions[i]
}

// permissionProperties are those of AWS::Lambda::Permission that are read. Any
// other is a condition, and a permission whose condition cannot be checked
// grants nothing.
var permissionProperties = []string{"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}

func (r *reader) readPermission(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p = p.ignored()
	permission := Permission{
		Place:     s.place(id),
		Action:    p.text("Action"),
		Principal: p.text("Principal"),
		SourceARN: p.text("SourceArn"),
	}
	if name := p.text("FunctionName"); name != "" {
		permission.FunctionARN = s.functionARN(name)
	}
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		switch {
		case !isScalar(p.values[name]) || !slices.Contains(permissionProperties, name):
			conditions = append(conditions, name)
		case name == "SourceAccount" && p.text(name) != s.account:
			conditions = append(conditions, "SourceAccount "+p.text(name))
		}
	}
	permission.Condition = strings.Join(conditions, ", ")
	r.model.Permissions = append(r.model.Permissions, permission)
}

// functionARN completes what may be a name, a partial ARN or an ARN
// (AWS::Lambda::Permission, FunctionName).
func (s *stack) functionARN(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case strings.HasPrefix(name, s.account+":function:"):
		return s.arn("lambda", strings.TrimPrefix(name, s.account+":"))
	default:
		return s.arn("lambda", "function:"+name)
	}
}

// MayInvoke reports whether a permission lets a service call a function,
// version or alias on behalf of the source ("Using resource-based policies for
// AWS Lambda").
func (m *Model) MayInvoke(functionARN, principal, sourceARN string) bool {
	return slices.ContainsFunc(m.Permissions, func(p Permission) bool {
		return p.Condition == "" && p.FunctionARN == functionARN && p.Principal == principal &&
			(p.Action == "lambda:InvokeFunction" || p.Action == "lambda:*") &&
			(p.SourceARN == "" || iam.MatchARN(p.SourceARN, sourceARN))
	})
}
