package assembly

import "slices"

// Models resolves everything that a stage of the assembly is deployed with, for
// questions such as whether any client may request a scope. That is a CDK
// Stage, or all stacks outside of any that depend on one another, whichever of
// them has an API. An empty id means every stage. It fails with an [InputError]
// where there is no such stage, or none at all.
func (a *Assembly) Models(stage string, o Options) ([]*Model, error) {
	if stage != "" || len(a.units) == 0 {
		if _, err := a.choose(stage); err != nil {
			return nil, err
		}
	}
	var models []*Model
	for _, u := range a.connected() {
		if stage == "" || slices.Contains(u.ids, stage) {
			models = append(models, u.model(o))
		}
	}
	return models, nil
}

// connectedUnits are units that share stacks, as one.
type connectedUnits struct {
	unit
	ids []string
}

func (a *Assembly) connected() []connectedUnits {
	var out []connectedUnits
	for _, u := range a.units {
		merged := connectedUnits{unit: u, ids: []string{u.id}}
		out = slices.DeleteFunc(out, func(other connectedUnits) bool {
			shared := slices.ContainsFunc(other.stacks, func(s *stack) bool { return slices.Contains(u.stacks, s) })
			if shared {
				merged = other.with(merged)
			}
			return shared
		})
		out = append(out, merged)
	}
	return out
}

// with adds the stacks of other units; each stays behind the one around it.
func (c connectedUnits) with(other connectedUnits) connectedUnits {
	c.ids = slices.Concat(c.ids, other.ids)
	c.stacks = slices.Clone(c.stacks)
	for _, s := range other.stacks {
		if !slices.Contains(c.stacks, s) {
			c.stacks = append(c.stacks, s)
		}
	}
	return c
}
