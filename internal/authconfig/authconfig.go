// Package authconfig is what a construct tells the Lambda authorizer that it
// deploys: who may call which route, in a file beside the executable, and what
// is known at deployment only, in the environment. Both ends use this package,
// so neither can misread the other.
//
// Nothing in it is secret, and nothing is optional: an authorizer that misses
// any of it, or finds what it does not know, does not start.
package authconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Package is the import path of the authorizer that reads the rules.
const Package = "github.com/gatewright/gatewright/lambdas/authorizer"

// FileName is the file of a function's asset that holds its [Rules].
const FileName = "rules.json"

// Version is the form of the file that this package writes, and the only one
// that it reads.
const Version = 2

// Environment variables of the function.
const (
	// EnvUserPools lists the user pools whose tokens are taken, as the JSON of a
	// []UserPool; "[]" where no route takes any.
	EnvUserPools = "USER_POOLS"
	// EnvCustomers says whose keys are taken, as the JSON of a Customers. It is
	// set where a route takes keys, and not set where none does.
	EnvCustomers = "CUSTOMERS"
)

// Keys of the context that the authorizer hands to the backend. All are always
// set, and all values are texts, so that a mapping to a header never lacks one:
// what does not apply to a caller is empty.
const (
	ContextKind     = "kind"     // KindUser, KindClient or KindCustomer
	ContextSubject  = "subject"  // sub: the user, or the client on its own account; or the customer's id
	ContextClient   = "client"   // name of the app client, where a rule names it
	ContextClientID = "clientId" // id of the app client
	ContextScopes   = "scopes"   // the token's or the key's, with a space between
	ContextUsername = "username" // of a user
	ContextCustomer = "customer" // id of the customer
	ContextKey      = "key"      // id of the customer's key, which is no secret
	ContextPlan     = "plan"     // of the customer
)

// Values of [ContextKind].
const (
	KindUser     = "user"
	KindClient   = "client"
	KindCustomer = "customer"
)

// Rules say who may call the routes of one API. A route that they do not name
// is refused.
type Rules struct {
	Version int `json:"version"`
	// KeyHeader is set where keys may come in x-api-key, too.
	KeyHeader bool    `json:"keyHeader,omitempty"`
	Routes    []Route `json:"routes"` // by path, then method
}

// Route says who may call one method of one path: whoever satisfies any one of
// the tokens' rules, or the keys'. At least one is set.
type Route struct {
	Method string  `json:"method"` // "GET"
	Path   string  `json:"path"`   // as the API's resource has it: "/v1/orders/{id}"
	Tokens []Token `json:"tokens,omitempty"`
	Key    *Key    `json:"key,omitempty"`
}

// Token says which access tokens a route takes. One of Clients and AnyClient is
// set.
type Token struct {
	Scopes    []string `json:"scopes"`            // any one suffices
	Clients   []string `json:"clients,omitempty"` // names of the app clients that it may be issued to
	AnyClient bool     `json:"anyClient,omitempty"`
}

// Key says which customers' keys a route takes.
type Key struct {
	Scopes []string `json:"scopes"` // any one suffices
}

// TakesTokens reports whether some route takes access tokens.
func (r Rules) TakesTokens() bool {
	return slices.ContainsFunc(r.Routes, func(route Route) bool { return len(route.Tokens) > 0 })
}

// TakesKeys reports whether some route takes keys.
func (r Rules) TakesKeys() bool {
	return slices.ContainsFunc(r.Routes, func(route Route) bool { return route.Key != nil })
}

// Customers says where customers are kept, and which keys are this stage's.
type Customers struct {
	Table  string `json:"table"`  // DynamoDB table, in the function's own Region
	Prefix string `json:"prefix"` // that keys begin with
	Tag    string `json:"tag"`    // of the stage, in its keys
}

// UserPool is an issuer of tokens.
type UserPool struct {
	// Issuer is the iss of its tokens. Its keys stand at
	// <issuer>/.well-known/jwks.json.
	Issuer string `json:"issuer"`
	// Clients are the ids of those app clients that a rule names, by its name.
	Clients map[string]string `json:"clients"`
}

// Encode returns the content of the file, in the one spelling that [Parse]
// takes: sorted, one route a line. It fails where the rules are not valid; a
// Version of 0 stands for the current one.
func (r Rules) Encode() ([]byte, error) {
	if r.Version == 0 {
		r.Version = Version
	}
	r.Routes = slices.Clone(r.Routes)
	slices.SortStableFunc(r.Routes, func(a, b Route) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	if err := r.validate(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"version":%d,`, r.Version)
	if r.KeyHeader {
		out.WriteString(`"keyHeader":true,`)
	}
	out.WriteString(`"routes":[`)
	for i, route := range r.Routes {
		line, err := json.Marshal(route)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n")
		out.Write(line)
	}
	out.WriteString("\n]}\n")
	return out.Bytes(), nil
}

// Parse reads what [Rules.Encode] wrote, and nothing else: not another version,
// not another spelling, so that a member twice or one that is not known cannot
// be passed over.
func Parse(data []byte) (Rules, error) {
	var r Rules
	if err := decode(data, &r); err != nil {
		return Rules{}, fmt.Errorf("%s: %w", FileName, err)
	}
	again, err := r.Encode()
	if err == nil && !bytes.Equal(again, data) {
		err = errors.New("it was not written by this version of Gatewright")
	}
	if err != nil {
		return Rules{}, fmt.Errorf("%s: %w", FileName, err)
	}
	return r, nil
}

// ParseUserPools reads the value of [EnvUserPools]. It fails where it is not set,
// where a pool lacks its issuer, and where an issuer, or an id of a client of one
// pool, stands twice.
func ParseUserPools(value string) ([]UserPool, error) {
	var pools []UserPool
	if value == "" {
		return nil, fmt.Errorf("%s is not set", EnvUserPools)
	}
	if err := decode([]byte(value), &pools); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvUserPools, err)
	}
	if pools == nil {
		return nil, fmt.Errorf("%s is no list", EnvUserPools)
	}
	var problems []error
	issuers := map[string]bool{}
	for i, pool := range pools {
		at := fmt.Sprintf("%s[%d]", EnvUserPools, i)
		if pool.Issuer == "" || issuers[pool.Issuer] {
			problems = append(problems, fmt.Errorf("%s: the issuer %q is empty or named twice", at, pool.Issuer))
		}
		issuers[pool.Issuer] = true
		ids := map[string]bool{}
		for name, id := range pool.Clients {
			if name == "" || id == "" || ids[id] {
				problems = append(problems, fmt.Errorf("%s: the client %q: its name or its id is empty, or its id another's", at, name))
			}
			ids[id] = true
		}
	}
	return pools, errors.Join(problems...)
}

// ParseCustomers reads the value of [EnvCustomers]; nil where it is not set. It
// fails where any part is missing.
func ParseCustomers(value string) (*Customers, error) {
	if value == "" {
		return nil, nil
	}
	c := &Customers{}
	if err := decode([]byte(value), c); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvCustomers, err)
	}
	if c.Table == "" || c.Prefix == "" || c.Tag == "" {
		return nil, fmt.Errorf("%s: the table, the keys' prefix or the stage's tag is missing", EnvCustomers)
	}
	return c, nil
}

// decode reads one JSON value without unknown members, and nothing after it.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the end")
	}
	return nil
}

// validate returns every problem of the rules, joined.
func (r Rules) validate() error {
	if r.Version != Version {
		return fmt.Errorf("version %d is not understood; %d is", r.Version, Version)
	}
	if len(r.Routes) == 0 {
		return errors.New("no routes")
	}
	var problems []error
	seen := map[string]bool{}
	for i, route := range r.Routes {
		pattern := route.Method + " " + route.Path
		for _, problem := range route.problems() {
			problems = append(problems, fmt.Errorf("routes[%d] %s: %s", i, pattern, problem))
		}
		if seen[pattern] {
			problems = append(problems, fmt.Errorf("routes[%d] %s: a second time", i, pattern))
		}
		seen[pattern] = true
	}
	return errors.Join(problems...)
}

// methods are those of a REST API that a route may have; OPTIONS is a preflight,
// which carries no credential.
var methods = []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}

func (r Route) problems() []string {
	var problems []string
	if !slices.Contains(methods, r.Method) {
		problems = append(problems, "the method is unknown")
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "*?$ ") {
		problems = append(problems, "the path does not start with a slash, or holds one of \"*?$ \"")
	}
	if len(r.Tokens) == 0 && r.Key == nil {
		problems = append(problems, "it takes no credential, so nobody may call it")
	}
	for _, token := range r.Tokens {
		if unusable(token.Scopes) {
			problems = append(problems, "no scopes, or an empty one")
		}
		if token.AnyClient == (len(token.Clients) > 0) || slices.Contains(token.Clients, "") {
			problems = append(problems, "neither clients nor any client, both, or an empty one")
		}
	}
	if r.Key != nil && unusable(r.Key.Scopes) {
		problems = append(problems, "keys without scopes, or with an empty one")
	}
	return problems
}

func unusable(list []string) bool { return len(list) == 0 || slices.Contains(list, "") }
