package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
)

// api is what REST APIs and HTTP APIs have in common.
type api struct {
	assembly.Place
	ID, Name    string
	REST        *assembly.RestAPI // nil for an HTTP API
	Authorizers []*assembly.Authorizer
	Stages      []assembly.APIStage
}

// route is a method of a REST API, or a route of an HTTP API.
type route struct {
	assembly.Place
	API            string // id
	Name           string // "GET /notes/{id}", or "$default"
	Type           string // of its authorization: "NONE", "COGNITO_USER_POOLS", "JWT", …; empty where it was not understood
	Authorizer     *assembly.Authorizer
	Scopes         []string
	ScopesUnknown  bool                  // there may be others
	Rules          *assembly.CallerRules // of Gatewright's own Lambda authorizer
	APIKeyRequired bool
	PublicReason   string
	Integration    assembly.Integration
}

func apisOf(m *assembly.Model) []api {
	var out []api
	for _, a := range m.RestAPIs {
		out = append(out, api{Place: a.Place, ID: a.ID, Name: a.Name, REST: a, Authorizers: a.Authorizers, Stages: a.Stages})
	}
	for _, a := range m.HTTPAPIs {
		out = append(out, api{Place: a.Place, ID: a.ID, Name: a.Name, Authorizers: a.Authorizers, Stages: a.Stages})
	}
	return out
}

// routesOf returns the routes of every API, without CORS preflights: nobody
// learns anything from one.
func routesOf(m *assembly.Model) []route {
	var out []route
	for _, a := range m.RestAPIs {
		for _, r := range a.Routes {
			if !isPreflight(r) {
				out = append(out, route{
					Place: r.Place, API: a.ID, Name: r.Method + " " + r.Path, Type: r.Authorization.Type,
					Authorizer: r.Authorization.Authorizer, Scopes: r.Authorization.Scopes, ScopesUnknown: !m.Known(r.Place, "AuthorizationScopes"), Rules: r.Authorization.Rules,
					APIKeyRequired: r.APIKeyRequired, PublicReason: r.PublicReason, Integration: r.Integration,
				})
			}
		}
	}
	for _, a := range m.HTTPAPIs {
		for _, r := range a.Routes {
			out = append(out, route{
				Place: r.Place, API: a.ID, Name: r.Key, Type: r.AuthorizationType, Authorizer: r.Authorizer,
				Scopes: r.Scopes, ScopesUnknown: !m.Known(r.Place, "AuthorizationScopes"), PublicReason: r.PublicReason, Integration: r.Integration,
			})
		}
	}
	return out
}

// isPreflight reports whether API Gateway answers the method itself, as it does
// CORS preflights.
func isPreflight(r assembly.Route) bool {
	return r.Method == "OPTIONS" && r.Integration.Type == assembly.IntegrationMock
}

// takesTokens reports whether the route takes tokens of user pools.
func (r route) takesTokens() bool {
	return r.Authorizer != nil && (r.Type == assembly.AuthorizationCognito || r.Type == assembly.AuthorizerJWT)
}

// pools returns the user pools whose tokens a route takes, and whether all of
// them are in the model, so that everything about their clients is known that
// the template says.
func (r route) pools(m *assembly.Model) (pools []*assembly.UserPool, all bool) {
	if !r.takesTokens() {
		return nil, false
	}
	if r.Type == assembly.AuthorizerJWT {
		for _, pool := range m.UserPools {
			if pool.Issuer == r.Authorizer.Issuer {
				return []*assembly.UserPool{pool}, true
			}
		}
		return nil, false
	}
	all = len(r.Authorizer.ProviderARNs) > 0 && m.Known(r.Authorizer.Place, "ProviderARNs")
	for _, arn := range r.Authorizer.ProviderARNs {
		if pool := m.UserPool(arn); pool != nil {
			pools = append(pools, pool)
		} else {
			all = false
		}
	}
	return pools, all
}
