// Package access says who may call a route.
//
// A [Rule] is plain data: a construct turns it into API Gateway's own terms, a
// report prints it, a test compares it. A route without a rule is an error, so
// the only way to open one is to say why:
//
//	restapi.Routes{
//		"GET /v1/status": {Access: access.Public("health check"), Target: status},
//		"GET /v1/notes":  {Access: access.Scopes("notes/read", "notes/write"), Target: notes},
//		"GET /v1/cart":   {Access: access.Scopes("web/use").From("website", "mobile"), Target: cart},
//		"GET /v1/orders": {Access: access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")), Target: orders},
//	}
//
// Each kind of rule stands in a file of its own and is known to this package
// by one entry in the table of kinds.
package access

import (
	"errors"
	"fmt"
)

// Kind names how a caller shows that it may call.
type Kind string

// Rule says who may call a route. Make one with [Public], [Scopes], [Key] or
// [AnyOf]; the zero Rule is invalid and admits nobody.
type Rule struct {
	// Kind decides which of the other fields count.
	Kind Kind `json:"kind"`
	// Reason says why anyone may call (KindPublic).
	Reason string `json:"reason,omitempty"`
	// Scopes are OAuth 2.0 scopes, any one of which suffices (KindScopes, KindKey).
	Scopes []string `json:"scopes,omitempty"`
	// Clients are the names of the app clients whose tokens count; empty for
	// those of every client (KindScopes).
	Clients []string `json:"clients,omitempty"`
	// Any are rules, any one of which suffices (KindAnyOf).
	Any []Rule `json:"any,omitempty"`
}

// kind is what this package must know of a Kind.
type kind struct {
	validate func(Rule) []error
	describe func(Rule) string
}

// kindOf is the table of kinds.
func kindOf(k Kind) (kind, bool) {
	switch k {
	case KindPublic:
		return kind{validatePublic, describePublic}, true
	case KindScopes:
		return kind{validateScopes, describeScopes}, true
	case KindKey:
		return kind{validateKey, describeKey}, true
	case KindAnyOf:
		return kind{validateAnyOf, describeAnyOf}, true
	default:
		return kind{}, false
	}
}

// IsZero reports whether no rule was given.
func (r Rule) IsZero() bool {
	return r.Kind == "" && r.Reason == "" && len(r.Scopes) == 0 && len(r.Clients) == 0 && len(r.Any) == 0
}

// Validate returns every problem of the rule, joined, or nil.
func (r Rule) Validate() error {
	if r.IsZero() {
		return errors.New(`no access rule; write access.Public("why") if anyone may call it`)
	}
	k, ok := kindOf(r.Kind)
	if !ok {
		return fmt.Errorf("unknown kind of access rule %q; use the functions of package access", r.Kind)
	}
	problems := k.validate(r)
	if r.Kind != KindAnyOf && len(r.Any) > 0 {
		problems = append(problems, errors.New("only access.AnyOf holds other rules"))
	}
	return errors.Join(problems...)
}

// String describes the rule for a report: "public: health check", "scope
// notes/read or notes/write", "scope web/use from website or mobile", "scope
// notes/read, or key with notes/read".
func (r Rule) String() string {
	if r.IsZero() {
		return "no rule"
	}
	k, ok := kindOf(r.Kind)
	if !ok {
		return fmt.Sprintf("unknown kind %q", string(r.Kind))
	}
	return k.describe(r)
}
