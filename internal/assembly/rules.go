package assembly

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatewright/gatewright/internal/authconfig"
)

// CallerRules say whom Gatewright's own Lambda authorizer lets call a route:
// whoever satisfies any one of them. Without any it is nobody.
type CallerRules struct {
	Tokens []TokenRule
	Key    []string // a customer's key with any one of these scopes
}

// TokenRule is which access tokens a route takes. One without scopes takes none.
type TokenRule struct {
	Scopes []string // any one suffices

	// Clients are the names that the rule gives to the app clients, and ClientIDs
	// their ids, in the same order. Without a name the rule takes the tokens of
	// every client of the pools that have these Issuers.
	Clients, ClientIDs, Issuers []string
}

// Takes reports whether a rule takes the tokens of an app client.
func (r TokenRule) Takes(pool *UserPool, client UserPoolClient) bool {
	return slices.Contains(r.ClientIDs, client.ID) || slices.Contains(r.Issuers, pool.Issuer)
}

// Scopes are those of all rules, each once.
func (r *CallerRules) Scopes() []string {
	var all []string
	for _, token := range r.Tokens {
		all = append(all, token.Scopes...)
	}
	all = append(all, r.Key...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Customers say where an API's customers are kept and what their keys look like.
type Customers struct {
	Table       string // name of the DynamoDB table
	Prefix, Tag string // of keys
	KeyHeader   bool   // keys may come in x-api-key, too
}

// readRules reads what Gatewright's own Lambda authorizers go by: the file in
// their asset and their environment, as they do themselves. Where either is
// missing or malformed nothing is known, and the function admits nobody.
func (r *reader) readRules() {
	for _, api := range r.model.RestAPIs {
		read := map[*Authorizer]map[string]*CallerRules{}
		for i := range api.Routes {
			route := &api.Routes[i]
			a := route.Authorization.Authorizer
			if route.Authorization.Type != AuthorizationCustom || a == nil {
				continue
			}
			rules, known := read[a]
			if !known {
				rules = r.rulesOf(api, a)
				read[a] = rules
			}
			if rules == nil {
				continue
			}
			if route.Authorization.Rules = rules[route.Method+" "+route.Path]; route.Authorization.Rules == nil {
				route.Authorization.Rules = &CallerRules{}
			}
		}
	}
}

// rulesOf returns the rules of an authorizer by route, nil where they are not
// known.
func (r *reader) rulesOf(api *RestAPI, a *Authorizer) map[string]*CallerRules {
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
	customers, err := authconfig.ParseCustomers(f.Environment[authconfig.EnvCustomers])
	if err != nil || rules.TakesKeys() != (customers != nil) {
		r.note(f.Path, "the customers of the authorizer %s are not understood: %v", a.Name, cmp.Or(err, errCustomers))
		return nil
	}
	if customers != nil {
		api.Customers = &Customers{Table: customers.Table, Prefix: customers.Prefix, Tag: customers.Tag, KeyHeader: rules.KeyHeader}
	}
	byRoute := map[string]*CallerRules{}
	for _, route := range rules.Routes {
		out := &CallerRules{}
		for _, token := range route.Tokens {
			out.Tokens = append(out.Tokens, tokenRule(token, pools))
		}
		if route.Key != nil {
			out.Key = slices.Clone(route.Key.Scopes)
		}
		byRoute[route.Method+" "+route.Path] = out
	}
	return byRoute
}

var errCustomers = errors.New(authconfig.EnvCustomers + " is set where no route takes keys, or is missing where one does")

func tokenRule(token authconfig.Token, pools []authconfig.UserPool) TokenRule {
	out := TokenRule{Scopes: slices.Clone(token.Scopes)}
	for _, pool := range pools {
		if token.AnyClient {
			out.Issuers = append(out.Issuers, pool.Issuer)
		}
	}
	for _, name := range token.Clients {
		for _, pool := range pools {
			if id, ok := pool.Clients[name]; ok {
				out.Clients, out.ClientIDs = append(out.Clients, name), append(out.ClientIDs, id)
			}
		}
	}
	return out
}
