package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
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
// It fails with an [InputError] where there is no such stage, and with an
// [UnsupportedError] that lists everything that was not understood and could
// decide who may call.
func (a *Assembly) Model(stage string, o Options) (*Model, error) {
	u, err := a.choose(stage)
	if err != nil {
		return nil, err
	}
	r := &reader{
		resolver: &resolver{stacks: u.stacks, options: o},
		model:    &Model{Stage: u.id, Region: unknownRegion, Account: unknownAccount, Outputs: map[string]map[string]string{}},
	}
	for _, s := range u.stacks {
		if s.has(typeRestAPI) || len(u.stacks) == 1 {
			r.model.Region, r.model.Account = s.region, s.account
		}
	}
	for _, s := range u.stacks {
		r.readStack(s)
	}
	if len(r.problems) > 0 {
		return nil, &UnsupportedError{Problems: r.problems}
	}
	return r.model, nil
}

// reader gathers a model and what was not understood on the way.
type reader struct {
	*resolver
	model    *Model
	problems []string
}

func (r *reader) problem(at string, format string, arguments ...any) {
	r.problems = append(r.problems, at+": "+fmt.Sprintf(format, arguments...))
}

// refused are the types that decide who may call and that are not read yet.
// Ignoring one would serve an API that is more open, or otherwise limited,
// than the deployed one, or functions without their tables.
var refused = []string{
	"AWS::ApiGateway::", "AWS::ApiGatewayV2::", "AWS::WAFv2::WebACLAssociation", "AWS::WAFRegional::WebACLAssociation",
	"AWS::CloudFormation::Stack", "AWS::Serverless::", "AWS::DynamoDB::GlobalTable",
}

// readElsewhere are types under a refused prefix that are read, or that decide
// nothing.
var readElsewhere = []string{
	typeRestAPI, typeAPIStage, typeDeployment, typeBasePathMapping, typeDomainName, "AWS::ApiGateway::Account",
}

func (r *reader) readStack(s *stack) {
	if s.template.Transform != nil {
		r.problem(s.path, "Transform is not understood")
	}
	for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
		kind := s.template.Resources[id].Type
		if s.template.Resources[id].Condition != "" {
			r.problem(s.place(id).Path, "Condition is not understood")
		}
		if s.template.Resources[id].Transform != nil || kind == "" {
			r.problem(s.place(id).Path, "Fn::Transform is not understood")
		}
		if slices.Contains(readElsewhere, kind) {
			continue
		}
		if slices.ContainsFunc(refused, func(prefix string) bool { return strings.HasPrefix(kind, prefix) }) {
			r.problem(s.place(id).Path, "%s is not understood", kind)
		}
	}
	for _, id := range s.ofType(typeUserPool) {
		r.readUserPool(s, id)
	}
	for _, id := range s.ofType(typeFunction) {
		r.readFunction(s, id)
	}
	for _, id := range s.ofType(typeTable) {
		r.readTable(s, id)
	}
	for _, id := range s.ofType(typePermission) {
		r.readPermission(s, id)
	}
	for _, id := range s.ofType(typeDomainName) {
		r.checkDomainName(s, id)
	}
	for _, id := range s.ofType(typeRestAPI) {
		r.readRestAPI(s, id)
	}
	r.readOutputs(s)
}

// readOutputs keeps the outputs that resolve; one that does not is nobody's
// problem here.
func (r *reader) readOutputs(s *stack) {
	outputs := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(s.template.Outputs)) {
		if value, err := r.output(s, id, s.path); err == nil {
			outputs[id] = text(value)
		}
	}
	r.model.Outputs[s.id] = outputs
}

// properties resolves a resource's properties and reports what does not.
func (r *reader) properties(s *stack, id string) (props, bool) {
	at := s.place(id).Path
	value, err := r.resolve(s, s.template.Resources[id].Properties, at)
	if err != nil {
		r.problems = append(r.problems, err.Error())
		return props{}, false
	}
	values, _ := value.(map[string]any)
	return props{values: values, at: at, reader: r}, true
}

// props reads resolved properties. A value of the wrong type is a problem with
// its place, and reads as the zero value.
type props struct {
	values map[string]any
	at     string
	reader *reader
}

func (p props) text(name string) string {
	value, ok := p.values[name]
	if !ok {
		return ""
	}
	list, err := texts(value)
	if _, isList := value.([]any); err != nil || isList {
		p.reader.problem(p.at, "%s is not a text", name)
		return ""
	}
	return list[0]
}

func (p props) texts(name string) []string {
	value, ok := p.values[name]
	if !ok {
		return nil
	}
	list, err := texts(value)
	if err != nil {
		p.reader.problem(p.at, "%s: %v", name, err)
	}
	return list
}

func (p props) bool(name string) bool {
	switch value := p.text(name); value {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.reader.problem(p.at, "%s is %q, neither true nor false", name, value)
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
		p.reader.problem(p.at, "%s is %q, not a whole number", name, value)
		return otherwise
	}
	return n
}

func (p props) object(name string) props {
	value, ok := p.values[name].(map[string]any)
	if _, present := p.values[name]; present && !ok {
		p.reader.problem(p.at, "%s is not an object", name)
	}
	return props{values: value, at: p.at + "." + name, reader: p.reader}
}

func (p props) textMap() map[string]string {
	out := map[string]string{}
	for name := range p.values {
		out[name] = p.text(name)
	}
	return out
}

func (p props) seconds(name string, otherwise time.Duration) time.Duration {
	return time.Duration(p.int(name, int(otherwise/time.Second))) * time.Second
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

// MayInvoke reports whether a permission lets a service call a function on
// behalf of the source ("Using resource-based policies for AWS Lambda").
func (m *Model) MayInvoke(functionARN, principal, sourceARN string) bool {
	return slices.ContainsFunc(m.Permissions, func(p Permission) bool {
		return p.FunctionARN == functionARN && p.Principal == principal &&
			(p.Action == "lambda:InvokeFunction" || p.Action == "lambda:*") &&
			(p.SourceARN == "" || matchARN(p.SourceARN, sourceARN))
	})
}

// matchARN is ArnLike: six parts between colons, each with * and ? of its own
// ("IAM JSON policy elements: Condition operators").
func matchARN(pattern, arn string) bool {
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != 6 || len(parts) != 6 {
		return false
	}
	for i := range parts {
		if !wildcard(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// wildcard matches * (any run of characters) and ? (any one) without
// backtracking further than the last star.
func wildcard(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
