// Package report says who may call what: the access matrix of every API of a
// stage, its routes by kinds of caller, with limits, validation and targets.
//
//	matrix := report.New(model)
//	matrix.Text(os.Stdout, report.TextOptions{Width: 80})
//
// It reads an [assembly.Model] and nothing else. Where a template leaves open
// who may call, the matrix says "on conditions" and never "nobody".
package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// Version is that of the JSON form. A member may be added to the form within a
// version; none changes its meaning or goes. docs/reference/report.md
// describes it.
const Version = 1

// Report is the access matrix of one or more stages of an assembly.
type Report struct {
	Version int     `json:"version"`
	Stages  []Stage `json:"stages"`
}

// Stage is a CDK Stage, a stack or a template.
type Stage struct {
	ID            string    `json:"id"`
	Region        string    `json:"region"`
	Account       string    `json:"account"` // "000000000000" where the app leaves it open
	Callers       []Caller  `json:"callers"`
	APIs          []API     `json:"apis"`
	NotUnderstood []Problem `json:"notUnderstood"`
}

// Kinds of [Caller], in the order of a stage's callers.
const (
	KindAnyone     = "anyone"     // whoever reaches the API
	KindKey        = "key"        // the holder of an API key
	KindCustomer   = "customer"   // the holder of a customer's key, which Gatewright's own Lambda authorizer takes
	KindClient     = "client"     // a client of a user pool, with or without a user
	KindIssuer     = "issuer"     // the holder of a token that somebody outside the stage issues
	KindAuthorizer = "authorizer" // whoever a Lambda authorizer lets pass
	KindRole       = "role"       // who signs as a role
	KindSigned     = "signed"     // any other principal who signs
	KindGuest      = "guest"      // a guest of an identity pool
)

var kinds = []string{KindAnyone, KindKey, KindCustomer, KindClient, KindIssuer, KindAuthorizer, KindRole, KindSigned, KindGuest}

// Caller is somebody who may call a route, or a client who may call none.
type Caller struct {
	ID   string `json:"id"` // unique in the stage, the same each time: its kind and, where it has one, its construct path
	Kind string `json:"kind"`
	Name string `json:"name"` // for people
	Path string `json:"path,omitempty"`
	Of   string `json:"of,omitempty"` // a client's user pool, or a guest's role, by construct path

	Flows  []string `json:"flows,omitempty"`  // of a client: grants, as the template names them
	Scopes []string `json:"scopes,omitempty"` // of a client: those it may request
	// Unknown names a client's properties that are not known in full, so that
	// there may be more flows or scopes.
	Unknown []string `json:"unknown,omitempty"`
}

// API is a REST or an HTTP API.
type API struct {
	ID   string `json:"id"`   // construct path
	Kind string `json:"kind"` // "REST" or "HTTP"
	Name string `json:"name"`

	Stages     []string `json:"stages"`         // names
	Hosts      []string `json:"hosts"`          // custom domains with base path
	ExecuteAPI bool     `json:"executeApi"`     // the execute-api host answers
	Private    bool     `json:"private"`        // it answers inside a VPC only
	Policy     bool     `json:"resourcePolicy"` // a resource policy bounds who may call
	Routes     []Route  `json:"routes"`         // by path and method
}

// Route is one method of one path.
type Route struct {
	ID     string `json:"id"`     // "GET /v1/notes/{id}", unique in the API
	Method string `json:"method"` // "ANY" for every other one
	Path   string `json:"path"`   // "$default" for an HTTP API's last resort

	Authorization string   `json:"authorization"` // as CloudFormation names it; empty where it is not understood
	Authorizer    string   `json:"authorizer,omitempty"`
	Scopes        []string `json:"scopes"`                  // any one suffices
	ScopesUnknown bool     `json:"scopesUnknown,omitempty"` // there may be others
	Clients       []string `json:"clients,omitempty"`       // names of the only clients whose tokens are taken
	KeyScopes     []string `json:"keyScopes,omitempty"`     // any one suffices of a customer's key
	ruled         bool     // Gatewright's own Lambda authorizer decides, and its rules are known
	KeyRequired   bool     `json:"keyRequired"`
	PublicReason  string   `json:"publicReason,omitempty"` // why anyone may call it, as the app states

	Access     []Access    `json:"access"`
	Limits     []Limit     `json:"limits"`
	Validation *Validation `json:"validation,omitempty"`
	Target     Target      `json:"target"`
	Preflight  bool        `json:"preflight"` // an OPTIONS method that is answered by API Gateway itself
}

// Access is one caller's of one route.
type Access struct {
	Caller string `json:"caller"` // id
	// Conditional is set where the caller may call some of the route's requests,
	// or where something that is not known decides.
	Conditional bool     `json:"conditional"`
	Stages      []string `json:"stages,omitempty"` // of the API; all where empty
}

// Limit bounds the rate or the number of requests.
type Limit struct {
	By     string   `json:"by"`              // "stage" for all callers together, "plan" for each API key
	Name   string   `json:"name"`            // of the API's stage, or of the usage plan
	Rate   *float64 `json:"rate,omitempty"`  // requests a second
	Burst  *int     `json:"burst,omitempty"` // requests at once
	Quota  *int     `json:"quota,omitempty"` // requests in a period
	Period string   `json:"period,omitempty"`
}

// Validation is what API Gateway checks of a request.
type Validation struct {
	Body       []string `json:"body"`       // content types with a schema; any other passes unchecked
	Parameters []string `json:"parameters"` // required ones: "query limit"
}

// Target is what answers.
type Target struct {
	Type     string `json:"type"`               // of the integration: "AWS_PROXY", …
	Name     string `json:"name"`               // for people
	Function string `json:"function,omitempty"` // construct path, where the stage declares it
	URI      string `json:"uri,omitempty"`
	Problem  string `json:"problem,omitempty"` // why `gatewright up` does not serve it
}

// Problem is something in the template that was not understood.
type Problem struct {
	Path    string `json:"path"`
	Text    string `json:"text"`
	Decides bool   `json:"decides"` // it could decide about a request
	Hides   bool   `json:"hides"`   // routes or callers may stand behind it that are not in the report
}

// New reports on models in their order.
func New(models ...*assembly.Model) *Report {
	r := &Report{Version: Version, Stages: []Stage{}}
	for _, m := range models {
		r.Stages = append(r.Stages, newBuilder(m).stage())
	}
	return r
}

// JSON writes the report in its stable form.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// builder gathers a stage.
type builder struct {
	model   *assembly.Model
	callers map[string]Caller // by id
	names   map[assembly.Place]string
	guests  map[string][]*assembly.IdentityPool // by the role that they sign as
	roles   iam.Index                           // policies, by number in the model
	strays  bool                                // there are clients of nobody knows which user pool
}

func newBuilder(m *assembly.Model) *builder {
	b := &builder{model: m, callers: map[string]Caller{}, names: map[assembly.Place]string{}, guests: map[string][]*assembly.IdentityPool{}}
	for _, resource := range m.Resources {
		if name := statedName(resource); name != "" {
			b.names[resource.Place] = name
		}
		b.strays = b.strays || resource.Type == "AWS::Cognito::UserPoolClient" && !m.Known(resource.Place, "UserPoolId")
	}
	for _, pool := range m.IdentityPools {
		if pool.Guests && pool.GuestRoleARN != "" {
			b.guests[pool.GuestRoleARN] = append(b.guests[pool.GuestRoleARN], pool)
		}
	}
	for _, role := range m.Roles {
		var own []iam.Statement
		for _, policy := range role.Policies {
			own = append(own, policy.Statements...)
		}
		b.roles.Add(own)
	}
	for _, pool := range m.UserPools {
		for _, client := range pool.Clients {
			b.add(b.client(pool, client))
		}
	}
	return b
}

// statedName is the name that a template gives to a caller or a function.
// What CloudFormation makes up is nothing to show.
func statedName(r *assembly.Resource) string {
	property := map[string]string{
		"AWS::Cognito::UserPoolClient": "ClientName", "AWS::Cognito::IdentityPool": "IdentityPoolName", "AWS::IAM::Role": "RoleName",
		"AWS::Lambda::Function": "FunctionName", "AWS::ApiGateway::UsagePlan": "UsagePlanName",
	}[r.Type]
	name, _ := r.Properties[property].(string)
	return name
}

// name is what people call a thing: the name that the template states, or the
// last part of its construct path that says anything.
func (b *builder) name(p assembly.Place) string {
	if name := b.names[p]; name != "" {
		return name
	}
	parts := strings.Split(p.Path, "/")
	for len(parts) > 1 && slices.Contains([]string{"Resource", "Default", "Function"}, parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	return parts[len(parts)-1]
}

func (b *builder) add(c Caller) string {
	b.callers[c.ID] = c
	return c.ID
}

func (b *builder) stage() Stage {
	m := b.model
	s := Stage{ID: m.Stage, Region: m.Region, Account: m.Account, APIs: []API{}, NotUnderstood: []Problem{}}
	for _, api := range m.RestAPIs {
		s.APIs = append(s.APIs, b.restAPI(api))
	}
	for _, api := range m.HTTPAPIs {
		s.APIs = append(s.APIs, b.httpAPI(api))
	}
	for _, p := range m.NotUnderstood {
		s.NotUnderstood = append(s.NotUnderstood, Problem{Path: p.Path, Text: p.Text, Decides: p.Decides, Hides: p.Hides})
	}
	s.Callers = b.sortedCallers()
	return s
}

func (b *builder) sortedCallers() []Caller {
	out := make([]Caller, 0, len(b.callers))
	for _, c := range b.callers {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Caller) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}

func hosts(domains []assembly.Domain) []string {
	out := []string{}
	for _, d := range domains {
		host := d.Name
		if d.BasePath != "" {
			host += "/" + d.BasePath
		}
		out = append(out, host)
	}
	return out
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
