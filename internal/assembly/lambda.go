package assembly

import (
	"slices"
	"strings"
	"time"
)

// functionMetadataKey is where constructs/gofunction says what a function was
// built from.
const functionMetadataKey = "gatewright:function"

func (r *reader) readFunction(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	ref, err := r.ref(s, id, p.at)
	if err != nil {
		r.problem(p.at, "%v", err)
		return
	}
	f := &Function{
		Place:   s.place(id),
		Name:    text(ref),
		ARN:     s.arn("lambda", "function:"+text(ref)),
		RoleARN: p.text("Role"),
		Runtime: p.text("Runtime"),
		Handler: p.text("Handler"),
		// Defaults of AWS::Lambda::Function.
		Architecture:        "x86_64",
		MemoryMB:            p.int("MemorySize", 128),
		Timeout:             p.seconds("Timeout", 3*time.Second),
		Environment:         p.object("Environment").object("Variables").textMap(),
		ReservedConcurrency: p.int("ReservedConcurrentExecutions", -1),
		CodeDir:             s.assets[p.object("Code").text("S3Key")],
	}
	if architectures := p.texts("Architectures"); len(architectures) > 0 {
		f.Architecture = architectures[0]
	}
	if source, ok := s.template.Resources[id].Metadata[functionMetadataKey].(map[string]any); ok {
		f.Source = &FunctionSource{Module: text(source["module"]), Version: text(source["version"]), Package: text(source["package"])}
	}
	r.model.Functions = append(r.model.Functions, f)
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
	for name := range p.values {
		if !slices.Contains(permissionProperties, name) {
			return
		}
	}
	if account := p.text("SourceAccount"); account != "" && account != s.account {
		return
	}
	r.model.Permissions = append(r.model.Permissions, Permission{
		Place:       s.place(id),
		FunctionARN: s.functionARN(p.text("FunctionName")),
		Action:      p.text("Action"),
		Principal:   p.text("Principal"),
		SourceARN:   p.text("SourceArn"),
	})
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
