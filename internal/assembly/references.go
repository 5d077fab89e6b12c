package assembly

// importValue follows an export: a reference that locks its two stacks together.
func (r *resolver) importValue(s *stack, argument any, at string) any {
	name := r.resolve(s, argument, at)
	if u, ok := name.(Unknown); ok {
		return u
	}
	for _, other := range r.stacks {
		if other.region != s.region || other.account != s.account {
			continue
		}
		for id, out := range other.template.Outputs {
			if out.Export == nil {
				continue
			}
			if exported := r.exportName(other, id); isScalar(exported) && text(exported) == text(name) {
				return r.output(other, id, at)
			}
		}
	}
	return unknown(at, "no stack of this stage exports %q", text(name))
}

func (r *resolver) exportName(s *stack, id string) any {
	at := s.path + ".Outputs." + id + ".Export"
	return r.once(s, "Outputs."+id+".Export", at, func() any { return r.resolve(s, s.template.Outputs[id].Export, at) })
}

// stackOutput follows a weak reference, which locks nothing.
func (r *resolver) stackOutput(s *stack, argument any, at string) any {
	resolved := r.resolve(s, argument, at)
	if u, ok := firstUnknown(resolved); ok {
		return u
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
	return unknown(at, "no stack of this stage is named %q in %s", stackName, region)
}

func (r *resolver) output(s *stack, id, at string) any {
	out, ok := s.template.Outputs[id]
	if !ok {
		return unknown(at, "stack %s has no output %q", s.path, id)
	}
	place := s.path + ".Outputs." + id
	return r.once(s, "Outputs."+id, at, func() any { return r.resolve(s, out.Value, place) })
}
