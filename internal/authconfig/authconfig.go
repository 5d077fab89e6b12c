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
const Version = 1

// EnvUserPools is the environment variable that lists the user pools whose
// tokens are taken, as the JSON of a []UserPool.
const EnvUserPools = "USER_POOLS"

// Keys of the context that the authorizer hands to the backend. All are always
// set, and all values are texts, so that a mapping to a header never lacks one:
// what does not apply to a caller is empty.
const (
	ContextKind     = "kind"     // KindUser or KindClient
	ContextSubject  = "subject"  // sub: the user, or the client on its own account
	ContextClient   = "client"   // name of the app client, as in From
	ContextClientID = "clientId" // id of the app client
	ContextScopes   = "scopes"   // the token's, with a space between
	ContextUsername = "username" // empty for a client on its own account
	ContextCustomer = "customer" // always empty in version 1, as are
	ContextKey      = "key"
	ContextPlan     = "plan"
)

// Values of [ContextKind].
const (
	KindUser   = "user"
	KindClient = "client"
)

// Rules say who may call the routes of one API. A route that they do not name
// is refused.
type Rules struct {
	Version int     `json:"version"`
	Routes  []Route `json:"routes"` // by path, then method
}

// Route says who may call one method of one path.
type Route struct {
	Method string `json:"method"` // "GET"
	Path   string `json:"path"`   // as the API's resource has it: "/v1/orders/{id}"
	Token  *Token `json:"token"`  // the access tokens that it takes
}

// Token says which access tokens a route takes.
type Token struct {
	Scopes  []string `json:"scopes"`  // any one suffices
	Clients []string `json:"clients"` // names of the app clients that it may be issued to
}

// UserPool is an issuer of tokens.
type UserPool struct {
	// Issuer is the iss of its tokens. Its keys stand at
	// <issuer>/.well-known/jwks.json.
	Issuer string `json:"issuer"`
	// Clients are the ids of its app clients, by the names that rules use. A
	// client that is not among them is refused everywhere.
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
	fmt.Fprintf(&out, "{\"version\":%d,\"routes\":[", r.Version)
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

// ParseUserPools reads the value of [EnvUserPools]. It fails where there is no
// pool, where one lacks its issuer or its clients, and where an issuer, or an
// id of a client of one pool, stands twice.
func ParseUserPools(value string) ([]UserPool, error) {
	var pools []UserPool
	if value == "" {
		return nil, fmt.Errorf("%s is not set", EnvUserPools)
	}
	if err := decode([]byte(value), &pools); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvUserPools, err)
	}
	var problems []error
	if len(pools) == 0 {
		problems = append(problems, fmt.Errorf("%s names no user pool", EnvUserPools))
	}
	issuers := map[string]bool{}
	for i, pool := range pools {
		at := fmt.Sprintf("%s[%d]", EnvUserPools, i)
		if pool.Issuer == "" || issuers[pool.Issuer] {
			problems = append(problems, fmt.Errorf("%s: the issuer %q is empty or named twice", at, pool.Issuer))
		}
		issuers[pool.Issuer] = true
		if len(pool.Clients) == 0 {
			problems = append(problems, fmt.Errorf("%s: no clients", at))
		}
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
	if r.Token == nil {
		return append(problems, "it takes no credential, so nobody may call it")
	}
	for what, list := range map[string][]string{"scopes": r.Token.Scopes, "clients": r.Token.Clients} {
		if len(list) == 0 || slices.Contains(list, "") {
			problems = append(problems, "no "+what+", or an empty one")
		}
	}
	slices.Sort(problems) // a map has no order
	return problems
}
