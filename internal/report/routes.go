package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

func (b *builder) restAPI(api *assembly.RestAPI) API {
	out := API{
		ID: api.Path, Kind: "REST", Name: cmp.Or(api.Name, b.name(api.Place)), Hosts: hosts(api.Domains), ExecuteAPI: !api.ExecuteAPIDisabled,
		Private: slices.Contains(api.EndpointTypes, "PRIVATE"), Policy: api.Policy != nil, Stages: stageNames(api.Stages), Routes: []Route{},
	}
	for i := range api.Routes {
		r := &api.Routes[i]
		route := Route{
			ID: r.Method + " " + r.Path, Method: r.Method, Path: r.Path,
			Authorization: r.Authorization.Type, Scopes: notNil(r.Authorization.Scopes), KeyRequired: r.APIKeyRequired,
			Limits: b.limits(api, r), Validation: validation(r), Target: b.target(r.Integration),
			Preflight: r.Method == "OPTIONS" && r.Authorization.Type == assembly.AuthorizationNone && r.Integration.Type == assembly.IntegrationMock,
		}
		if r.Authorization.Authorizer != nil {
			route.Authorizer = r.Authorization.Authorizer.Name
		}
		if rules := r.Authorization.Rules; rules != nil {
			route.ruled, route.Scopes, route.Clients, route.KeyScopes = true, tokenScopes(rules), onlyClients(rules), rules.Key
		}
		if route.Authorization == assembly.AuthorizationNone {
			route.PublicReason = r.PublicReason
		}
		route.ScopesUnknown = !b.model.Known(r.Place, "AuthorizationScopes")
		route.Access = b.access(request{
			Authorization: r.Authorization, place: r.Place, key: r.APIKeyRequired, method: r.Method, path: r.Path,
			apiID: api.ID, region: api.Region, account: api.Account, stages: out.Stages, policy: api.Policy,
		})
		out.Routes = append(out.Routes, route)
	}
	return out
}

func (b *builder) httpAPI(api *assembly.HTTPAPI) API {
	out := API{
		ID: api.Path, Kind: "HTTP", Name: cmp.Or(api.Name, b.name(api.Place)), Hosts: hosts(api.Domains), ExecuteAPI: !api.ExecuteAPIDisabled,
		Stages: stageNames(api.Stages), Routes: []Route{},
	}
	for i := range api.Routes {
		r := &api.Routes[i]
		method, path, found := strings.Cut(r.Key, " ")
		if !found {
			method, path = "ANY", r.Key
		}
		route := Route{
			ID: r.Key, Method: method, Path: path, Authorization: r.AuthorizationType, Scopes: notNil(r.Scopes),
			Limits: stageLimits(api.Stages, method, path), Target: b.target(r.Integration),
		}
		if r.Authorizer != nil {
			route.Authorizer = r.Authorizer.Name
		}
		if route.Authorization == assembly.AuthorizationNone {
			route.PublicReason = r.PublicReason
		}
		route.ScopesUnknown = !b.model.Known(r.Place, "AuthorizationScopes")
		route.Access = b.access(request{
			Authorization: assembly.Authorization{Type: r.AuthorizationType, Scopes: r.Scopes, Authorizer: r.Authorizer}, place: r.Place,
			method: method, path: path, apiID: api.ID, region: api.Region, account: api.Account, stages: out.Stages,
		})
		out.Routes = append(out.Routes, route)
	}
	slices.SortStableFunc(out.Routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return out
}

func stageNames(stages []assembly.APIStage) []string {
	names := []string{}
	for _, s := range stages {
		names = append(names, s.Name)
	}
	return names
}

// limits are those of each stage, which all callers share, and where a key is
// required those of each plan, which every key has for itself.
func (b *builder) limits(api *assembly.RestAPI, r *assembly.Route) []Limit {
	limits := stageLimits(api.Stages, r.Method, r.Path)
	if !r.APIKeyRequired {
		return limits
	}
	for _, plan := range b.model.UsagePlans {
		for _, stage := range plan.Stages {
			if stage.APIID != api.ID {
				continue
			}
			l := Limit{By: "plan", Name: b.name(plan.Place)}
			throttle := plan.Throttle
			if own, ok := stage.Throttles[r.Method+" "+r.Path]; ok {
				throttle = &own
			}
			if throttle != nil {
				l.Rate, l.Burst = &throttle.Rate, &throttle.Burst
			}
			if plan.Quota != nil {
				l.Quota, l.Period = &plan.Quota.Limit, plan.Quota.Period
			}
			if !slices.ContainsFunc(limits, func(other Limit) bool { return other.By == "plan" && other.Name == l.Name }) {
				limits = append(limits, l)
			}
		}
	}
	return limits
}

func stageLimits(stages []assembly.APIStage, method, path string) []Limit {
	limits := []Limit{}
	for i := range stages {
		if throttle := stages[i].Settings(method, path).Throttle; throttle != nil {
			limits = append(limits, Limit{By: "stage", Name: stages[i].Name, Rate: &throttle.Rate, Burst: &throttle.Burst})
		}
	}
	return limits
}

// validation is nil where nothing is checked.
func validation(r *assembly.Route) *Validation {
	v := Validation{Body: []string{}, Parameters: []string{}}
	if r.Validator == nil {
		return nil
	}
	if r.Validator.Body {
		v.Body = append(v.Body, slices.Sorted(maps.Keys(r.Models))...)
	}
	if r.Validator.Parameters {
		for _, p := range r.RequiredParameters {
			v.Parameters = append(v.Parameters, p.In+" "+p.Name)
		}
	}
	if len(v.Body)+len(v.Parameters) == 0 {
		return nil
	}
	return &v
}

func (b *builder) target(i assembly.Integration) Target {
	t := Target{Type: i.Type, URI: i.URI, Problem: i.Unsupported, Name: cmp.Or(i.URI, i.Type)}
	switch f := b.model.Function(i.FunctionARN); {
	case f != nil:
		t.Name, t.Function = b.name(f.Place), f.Path
	case i.FunctionARN != "":
		t.Name, t.URI = i.FunctionARN[strings.LastIndex(i.FunctionARN, ":")+1:], i.FunctionARN
	}
	return t
}

// tokenScopes are those of every rule about tokens, each once.
func tokenScopes(rules *assembly.CallerRules) []string {
	return notNil((&assembly.CallerRules{Tokens: rules.Tokens}).Scopes())
}

// onlyClients are the clients that rules name; none where a rule takes the
// tokens of any.
func onlyClients(rules *assembly.CallerRules) []string {
	var names []string
	for _, token := range rules.Tokens {
		if len(token.Issuers) > 0 {
			return nil
		}
		for _, name := range token.Clients {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
