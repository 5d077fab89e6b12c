package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Assembly is a cloud assembly as the CDK writes it: one folder with a
// manifest, templates, and an assembly of its own for each CDK Stage. A single
// template is an assembly of one stack.
type Assembly struct {
	Dir   string // or the template's file
	units []unit
}

// unit is what one deployment command takes: a CDK Stage with all its stacks,
// or a stack that stands in no Stage with the stacks around it.
type unit struct {
	id     string
	stacks []*stack
}

// InputError is a mistake of whoever named an assembly, a stage or an API.
type InputError struct{ Text string }

func (e *InputError) Error() string { return e.Text }

// ExitCode is 2: bad input.
func (e *InputError) ExitCode() int { return 2 }

// UnsupportedError lists what a template holds that is not understood, each
// with its place. Nothing is served from such a template.
type UnsupportedError struct{ Problems []string }

func (e *UnsupportedError) Error() string {
	return "the template holds what Gatewright does not understand:\n  " + strings.Join(e.Problems, "\n  ")
}

// ExitCode is 4: unsupported template.
func (e *UnsupportedError) ExitCode() int { return 4 }

// The parts of a manifest that are read (aws-cdk, cloud-assembly-schema).
type (
	manifest struct {
		Artifacts map[string]artifact `json:"artifacts"`
	}
	artifact struct {
		Type         string   `json:"type"`
		Environment  string   `json:"environment"` // "aws://<account>/<region>"
		DisplayName  string   `json:"displayName"`
		Dependencies []string `json:"dependencies"`
		Properties   struct {
			TemplateFile  string `json:"templateFile"`  // of a stack
			StackName     string `json:"stackName"`     // of a stack, where it is not its id
			DirectoryName string `json:"directoryName"` // of a nested assembly
			File          string `json:"file"`          // of an asset manifest
		} `json:"properties"`
	}
)

// Load reads the assembly in a folder, or a single CloudFormation template in
// JSON or YAML. It fails with an [InputError] where the path names neither, or
// a file is malformed, and where a file that the manifest names is missing.
func Load(path string) (*Assembly, error) {
	a := &Assembly{Dir: path}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		s, err := readLoneTemplate(path)
		if err != nil {
			return nil, err
		}
		a.units = []unit{newUnit(s.id, []*stack{s})}
		return a, nil
	}
	m, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	top, err := readStacks(path, m)
	if err != nil {
		return nil, err
	}
	a.units = unitsOf(top)
	if err := a.addStages(path, m); err != nil {
		return nil, err
	}
	slices.SortFunc(a.units, func(a, b unit) int { return strings.Compare(a.id, b.id) })
	return a, nil
}

// addStages adds a unit for each CDK Stage within an assembly, of any depth.
func (a *Assembly) addStages(dir string, m manifest) error {
	for id, art := range m.Artifacts {
		if art.Type != "cdk:cloud-assembly" {
			continue
		}
		directory := filepath.Clean(art.Properties.DirectoryName)
		if !filepath.IsLocal(directory) || directory == "." {
			return &InputError{fmt.Sprintf("%s: the assembly %s lies in %q, which is not within the folder", filepath.Join(dir, "manifest.json"), id, directory)}
		}
		nested := filepath.Join(dir, directory)
		nm, err := readManifest(nested)
		if err != nil {
			return err
		}
		stacks, err := readStacks(nested, nm)
		if err != nil {
			return err
		}
		name := art.DisplayName
		if name == "" {
			name = strings.TrimPrefix(id, "assembly-")
		}
		if len(stacks) > 0 {
			a.units = append(a.units, newUnit(name, stacks))
		}
		if err := a.addStages(nested, nm); err != nil {
			return err
		}
	}
	return nil
}

// unitsOf makes a unit of each stack with a REST API and those around it, and
// of each stack that then is in none.
func unitsOf(top []*stack) []unit {
	var units []unit
	in := map[*stack]bool{}
	add := func(s *stack) {
		stacks := around(s, top)
		units = append(units, newUnit(s.id, stacks))
		for _, other := range stacks {
			in[other] = true
		}
	}
	for _, s := range top {
		if hasAPI([]*stack{s}) {
			add(s)
		}
	}
	for _, s := range top {
		if !in[s] {
			add(s)
		}
	}
	return units
}

// newUnit adds the nested stacks, each after the one around it.
func newUnit(id string, stacks []*stack) unit {
	u := unit{id: id}
	for _, s := range stacks {
		u.stacks = append(u.stacks, s.withNested()...)
	}
	return u
}

func hasAPI(stacks []*stack) bool {
	return slices.ContainsFunc(stacks, func(s *stack) bool {
		return slices.ContainsFunc(s.withNested(), func(s *stack) bool { return s.has(typeRestAPI) })
	})
}

// Stages returns the ids that [Assembly.Model] takes, in order.
func (a *Assembly) Stages() []string {
	var ids []string
	for _, u := range a.units {
		ids = append(ids, u.id)
	}
	return ids
}

// choose finds a unit by id; an empty id is the only unit, or else the only
// one with a REST API.
func (a *Assembly) choose(id string) (unit, error) {
	if id == "" {
		candidates := a.units
		if len(candidates) > 1 {
			candidates = slices.DeleteFunc(slices.Clone(candidates), func(u unit) bool { return !hasAPI(u.stacks) })
		}
		if len(candidates) == 1 {
			return candidates[0], nil
		}
	}
	for _, u := range a.units {
		if u.id == id {
			return u, nil
		}
	}
	switch choices := strings.Join(a.Stages(), ", "); {
	case choices == "":
		return unit{}, &InputError{fmt.Sprintf("%s has no stack", a.Dir)}
	case id == "":
		return unit{}, &InputError{fmt.Sprintf("%s has several stages; name one with --stage: %s", a.Dir, choices)}
	default:
		return unit{}, &InputError{fmt.Sprintf("%s has no stage %q; it has %s", a.Dir, id, choices)}
	}
}

func readManifest(dir string) (manifest, error) {
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, &InputError{fmt.Sprintf("%s is no cloud assembly: it has no manifest.json; name the folder that cdk synth wrote, cdk.out by default, or a CloudFormation template", dir)}
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, &InputError{fmt.Sprintf("%s: %v", filepath.Join(dir, "manifest.json"), err)}
	}
	return m, nil
}

// readStacks reads every stack that a manifest itself holds, in order of ids.
func readStacks(dir string, m manifest) ([]*stack, error) {
	var stacks []*stack
	for id, art := range m.Artifacts {
		if art.Type != "aws:cloudformation:stack" {
			continue
		}
		s, err := readStack(dir, id, art)
		if err != nil {
			return nil, err
		}
		for _, dependency := range art.Dependencies {
			if assets := m.Artifacts[dependency]; assets.Type == "cdk:asset-manifest" {
				if err := s.readAssets(filepath.Join(dir, assets.Properties.File)); err != nil {
					return nil, err
				}
			}
		}
		if err := s.readNested(); err != nil {
			return nil, err
		}
		stacks = append(stacks, s)
	}
	slices.SortFunc(stacks, func(a, b *stack) int { return strings.Compare(a.id, b.id) })
	return stacks, nil
}

// addsCallers are types that give others access to what another stack declares.
var addsCallers = []string{typeUserPoolClient, typeUserPoolDomain, typeResourceServer, typeIdentityPoolRoles, typeUsagePlan, typeUsagePlanKey}

// around returns a stack with those that depend on it, which may add to its
// API what closes it, and those that any of them depends on, transitively; and
// besides, what adds callers to those, such as a pool's clients in a stack of their
// own.
func around(s *stack, all []*stack) []*stack {
	chosen := []*stack{s}
	closure := func(related func(from, to *stack) bool) {
		for i := 0; i < len(chosen); i++ {
			for _, other := range all {
				if related(chosen[i], other) && !slices.Contains(chosen, other) {
					chosen = append(chosen, other)
				}
			}
		}
	}
	closure(func(from, to *stack) bool { return slices.Contains(to.dependencies, from.id) })
	closure(func(from, to *stack) bool { return slices.Contains(from.dependencies, to.id) })
	closure(func(from, to *stack) bool {
		return slices.Contains(to.dependencies, from.id) && slices.ContainsFunc(addsCallers, to.has)
	})
	closure(func(from, to *stack) bool { return slices.Contains(from.dependencies, to.id) })
	slices.SortFunc(chosen, func(a, b *stack) int { return strings.Compare(a.id, b.id) })
	return chosen
}
