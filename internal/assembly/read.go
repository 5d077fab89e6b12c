package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Options shape a model.
type Options struct {
	// Issuer names the issuer of a user pool's tokens. Default: Cognito's own,
	// https://cognito-idp.<region>.amazonaws.com/<pool id>.
	Issuer func(poolID string) string
}

func (o Options) issuer(region, poolID string) string {
	if o.Issuer != nil {
		return o.Issuer(poolID)
	}
	return "https://cognito-idp." + region + ".amazonaws.com/" + poolID
}

// Model resolves one stage of the assembly. An empty id names the only stage.
// It fails with an [InputError] where there is no such stage. What was not
// understood stands in the model.
func (a *Assembly) Model(stage string, o Options) (*Model, error) {
	u, err := a.choose(stage)
	if err != nil {
		return nil, err
	}
	return u.model(o), nil
}

func (u unit) model(o Options) *Model {
	r := newReader(u, o)
	main := r.stacks[0]
	if i := slices.IndexFunc(r.stacks, func(s *stack) bool { return s.has(typeRestAPI) || s.has(typeHTTPAPI) }); i >= 0 {
		main = r.stacks[i]
	}
	r.model.Region, r.model.Account = main.region, main.account
	for _, s := range r.stacks {
		r.readTemplate(s)
	}
	for _, read := range parts {
		read(r)
	}
	for _, s := range r.stacks {
		r.readOutputs(s)
	}
	return r.model
}

// Servable fails with an [UnsupportedError] where ignoring what was not
// understood could let a request pass that AWS would refuse.
func (m *Model) Servable() error {
	var problems []string
	for _, p := range m.NotUnderstood {
		if p.Decides {
			problems = append(problems, p.String())
		}
	}
	if len(problems) > 0 {
		return &UnsupportedError{Problems: problems}
	}
	return nil
}

// reader gathers a model and what was not understood on the way.
type reader struct {
	*resolver
	model    *Model
	resolved map[nameIn]any    // properties, by resource
	problems map[[2]string]int // where each stands in the model, by path and text
}

// newReader reads what a unit deploys: what a condition leaves out is gone.
func newReader(u unit, o Options) *reader {
	r := &reader{
		resolver: newResolver(copies(u.stacks), o),
		model:    &Model{Stage: u.id, Region: unknownRegion, Account: unknownAccount, Outputs: map[string]map[string]string{}, Metadata: map[string]map[string]any{}, Unknown: map[Place][]string{}},
		resolved: map[nameIn]any{},
		problems: map[[2]string]int{},
	}
	gone := map[*stack]bool{}
	for _, s := range r.stacks { // each after the one around it
		if s.parent != nil {
			_, deployed := s.parent.template.Resources[s.parentID]
			gone[s] = gone[s.parent] || !deployed
		}
		r.deployed(s)
	}
	r.stacks = slices.DeleteFunc(r.stacks, func(s *stack) bool { return gone[s] })
	return r
}

// copies returns stacks that a model may change.
func copies(declared []*stack) []*stack {
	var out []*stack
	copyOf := map[*stack]*stack{}
	for _, d := range declared { // each after the one around it
		s := *d
		s.parent = copyOf[d.parent]
		copyOf[d] = &s
		out = append(out, &s)
	}
	return out
}

// problem notes what could decide whether a request is let pass.
func (r *reader) problem(at string, format string, arguments ...any) {
	r.add(Problem{Path: at, Text: fmt.Sprintf(format, arguments...), Decides: true})
}

// hidden notes what stands in the place of things that could decide.
func (r *reader) hidden(at string, format string, arguments ...any) {
	r.add(Problem{Path: at, Text: fmt.Sprintf(format, arguments...), Decides: true, Hides: true})
}

// note notes what was not understood and decides about no request.
func (r *reader) note(at string, format string, arguments ...any) {
	r.add(Problem{Path: at, Text: fmt.Sprintf(format, arguments...)})
}

// add lists a problem once, however many readers find it.
func (r *reader) add(p Problem) {
	key := [2]string{p.Path, p.Text}
	if i, listed := r.problems[key]; listed {
		known := &r.model.NotUnderstood[i]
		known.Decides, known.Hides = known.Decides || p.Decides, known.Hides || p.Hides
		return
	}
	r.problems[key] = len(r.model.NotUnderstood)
	r.model.NotUnderstood = append(r.model.NotUnderstood, p)
}

// parts read what a stage deploys, one after the other. What a part reads may
// name what an earlier one has read.
var parts = []func(*reader){
	each(typeUserPool, (*reader).readUserPool),
	each(typeUserPoolClient, (*reader).noteForeignClient),
	each(typeIdentityPool, (*reader).readIdentityPool),
	(*reader).readRoles,
	each(typeFunction, (*reader).readFunction),
	each(typeTable, (*reader).readTable),
	each(typePermission, (*reader).readPermission),
	(*reader).readAPIs,
	(*reader).readRules,
}

// each reads every resource of a type, by stack and logical id.
func each(kind string, read func(*reader, *stack, string)) func(*reader) {
	return func(r *reader) {
		for _, s := range r.stacks {
			for _, id := range s.ofType(kind) {
				read(r, s, id)
			}
		}
	}
}

// refused begin the names of types that decide who may call, or what answers.
// Ignoring one that no reader knows would serve an API that is more open, or
// otherwise limited, than the deployed one, or functions without their tables.
var refused = []string{
	"AWS::ApiGateway::", "AWS::ApiGatewayV2::", "AWS::WAFv2::WebACLAssociation", "AWS::WAFRegional::WebACLAssociation",
	"AWS::Serverless::", "AWS::DynamoDB::GlobalTable",
}

// decisive begin the names of types that decide about requests where they
// stand, so that it must be known whether they do.
var decisive = []string{"AWS::ApiGateway", "AWS::CloudFormation::", "AWS::Cognito::", "AWS::DynamoDB::", "AWS::IAM::", "AWS::Lambda::", "AWS::Serverless::", "AWS::WAF"}

func (r *reader) isRefused(kind string) bool {
	return !slices.Contains(apiTypes, kind) && slices.ContainsFunc(refused, func(prefix string) bool { return strings.HasPrefix(kind, prefix) })
}

// readTemplate lists every resource, and what no reader would miss.
func (r *reader) readTemplate(s *stack) {
	if len(s.template.Metadata) > 0 {
		r.model.Metadata[s.id] = s.template.Metadata
	}
	for _, name := range s.template.transforms() {
		if name != languageExtensions {
			r.hidden(s.path, "Transform %s is not understood", name)
		}
	}
	for _, section := range []string{"Conditions", "Outputs"} {
		values, _ := s.template.source[section].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(values)) {
			if strings.HasPrefix(id, "Fn::") {
				r.note(s.path+"."+section+"."+id, "%s", s.whyNot(id, values[id]))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
		r.readResource(s, id)
	}
}

func (r *reader) readResource(s *stack, id string) {
	res, place := s.template.Resources[id], s.place(id)
	switch {
	case res.Transform != nil:
		r.hidden(place.Path, "Fn::Transform is not understood")
	case strings.HasPrefix(id, "Fn::"):
		r.hidden(place.Path, "%s", s.whyNot(id, res.Loop))
		return
	case res.Type == typeNestedStack && r.inner(s, id) == nil:
		r.hidden(place.Path, "the template of the nested stack is not in the assembly")
	case res.Type == "":
		r.problem(place.Path, "it has no Type")
	case strings.HasPrefix(res.Type, "AWS::Serverless::"): // makes resources of other types
		r.hidden(place.Path, "%s is not understood", res.Type)
	case r.isRefused(res.Type):
		r.problem(place.Path, "%s is not understood", res.Type)
	}
	if res.Condition != "" {
		if u, ok := r.namedCondition(s, res.Condition, place.Path).(Unknown); ok {
			r.add(Problem{
				Path: place.Path, Text: fmt.Sprintf("condition %s depends on what is not known here: %s", res.Condition, u.Reason),
				Decides: slices.ContainsFunc(decisive, func(prefix string) bool { return strings.HasPrefix(res.Type, prefix) }),
			})
		}
	}
	values := r.values(s, id)
	if u, ok := values.(Unknown); ok {
		r.hidden(u.At, "%s", u.Reason)
	}
	properties, _ := values.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if _, unknown := firstUnknown(properties[name]); unknown {
			r.model.Unknown[place] = append(r.model.Unknown[place], name)
		}
	}
	r.model.Resources = append(r.model.Resources, &Resource{
		Place: place, Type: res.Type, Properties: properties, Metadata: res.Metadata,
		DeletionPolicy:      r.policyOf(s, place, "DeletionPolicy", res.DeletionPolicy),
		UpdateReplacePolicy: r.policyOf(s, place, "UpdateReplacePolicy", res.UpdateReplacePolicy),
	})
}

// whyNot says why a function that makes members of a section is not understood.
func (s *stack) whyNot(id string, value any) string {
	u, failed := value.(Unknown)
	switch {
	case failed:
		return u.Reason
	case strings.HasPrefix(id, loopPrefix) && !s.template.extended():
		return fmt.Sprintf("%s is not understood without the transform %s", id, languageExtensions)
	}
	return id + " is not understood"
}

// policyOf is what becomes of a resource, and empty where it is not known,
// which decides about no request.
func (r *reader) policyOf(s *stack, place Place, name string, value any) string {
	if value == nil {
		return ""
	}
	at := place.Path + "." + name
	switch policy := r.resolve(s, value, at).(type) {
	case string:
		return policy
	case noValue:
	case Unknown:
		r.note(at, "%s", policy.Reason)
		r.model.Unknown[place] = append(r.model.Unknown[place], name)
	default:
		r.note(at, "%s where a text is due", kindOf(policy))
	}
	return ""
}

// readOutputs keeps the outputs that resolve; one that does not is nobody's
// problem here.
func (r *reader) readOutputs(s *stack) {
	outputs := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(s.template.Outputs)) {
		if value := r.output(s, id, s.path); isScalar(value) {
			outputs[id] = text(value)
		}
	}
	r.model.Outputs[s.id] = outputs
}

// ChooseAPI returns the API with the given id, name, logical id or construct
// path; an empty one names the only API and its only stage.
func (m *Model) ChooseAPI(name string) (*RestAPI, error) {
	var names []string
	for _, api := range m.RestAPIs {
		if name == "" && len(m.RestAPIs) == 1 || name != "" && slices.Contains([]string{api.ID, api.Name, api.LogicalID, api.Path}, name) {
			return api, nil
		}
		names = append(names, api.Name)
	}
	switch {
	case len(names) == 0:
		return nil, &InputError{fmt.Sprintf("stage %s has no REST API", m.Stage)}
	case name == "":
		return nil, &InputError{fmt.Sprintf("stage %s has several APIs; name one with --api: %s", m.Stage, strings.Join(names, ", "))}
	default:
		return nil, &InputError{fmt.Sprintf("stage %s has no API %q; it has %s", m.Stage, name, strings.Join(names, ", "))}
	}
}
