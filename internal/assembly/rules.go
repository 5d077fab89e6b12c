package assembly

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/gatewright/gatewright/internal/authconfig"
)

// TokenRule is which access tokens Gatewright's own Lambda authorizer takes on a
// route. One without scopes takes none.
type TokenRule struct {
	Scopes    []string // any one suffices
	Clients   []string // names that the rule gives to the app clients
	ClientIDs []string // their ids, in the same order
}

// readRules reads what Gatewright's own Lambda authorizers go by: the file in
// their asset and their environment, as they do themselves. Where either is
// missing or malformed nothing is known, and the function admits nobody.
func (r *reader) readRules() {
	for _, api := range r.model.RestAPIs {
		read := map[*Authorizer]map[string]*TokenRule{}
		for i := range api.Routes {
			route := &api.Routes[i]
			a := route.Authorization.Authorizer
			if route.Authorization.Type != AuthorizationCustom || a == nil {
				continue
			}
			rules, known := read[a]
			if !known {
				rules = r.rulesOf(a)
				read[a] = rules
			}
			if rules == nil {
				continue
			}
			if route.Authorization.Token = rules[route.Method+" "+route.Path]; route.Authorization.Token == nil {
				route.Authorization.Token = &TokenRule{}
			}
		}
	}
}

// rulesOf returns the rules of an authorizer by route, nil where they are not
// known.
func (r *reader) rulesOf(a *Authorizer) map[string]*TokenRule {
	f := r.model.Function(a.FunctionARN)
	if f == nil || f.Source == nil || f.Source.Package != authconfig.Package || f.CodeDir == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(f.CodeDir, authconfig.FileName)) //nolint:gosec // in the assembly
	if err != nil {
		r.note(f.Path, "the rules of the authorizer %s cannot be read", a.Name)
		return nil
	}
	rules, err := authconfig.Parse(data)
	if err != nil {
		r.note(f.Path, "the rules of the authorizer %s are not understood: %v", a.Name, err)
		return nil
	}
	pools, err := authconfig.ParseUserPools(f.Environment[authconfig.EnvUserPools])
	if err != nil {
		r.note(f.Path, "the user pools of the authorizer %s are not understood: %v", a.Name, err)
		return nil
	}
	byRoute := map[string]*TokenRule{}
	for _, route := range rules.Routes {
		token := &TokenRule{Scopes: slices.Clone(route.Token.Scopes)}
		for _, name := range route.Token.Clients {
			for _, pool := range pools {
				if id, ok := pool.Clients[name]; ok {
					token.Clients, token.ClientIDs = append(token.Clients, name), append(token.ClientIDs, id)
				}
			}
		}
		byRoute[route.Method+" "+route.Path] = token
	}
	return byRoute
}
