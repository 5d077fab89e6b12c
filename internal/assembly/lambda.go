package assembly

import "time"

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

func (r *reader) readPermission(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	r.model.Permissions = append(r.model.Permissions, Permission{
		Place:       s.place(id),
		FunctionARN: p.text("FunctionName"),
		Action:      p.text("Action"),
		Principal:   p.text("Principal"),
		SourceARN:   p.text("SourceArn"),
	})
}
