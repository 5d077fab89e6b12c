package iam

import (
	"slices"
	"strings"
)

// Decision is what policies say about a request. Its zero value lets nobody
// pass.
type Decision int

// Decisions.
const (
	NoMatch      Decision = iota // no statement speaks of it
	Allowed                      // one allows it and none denies it
	ExplicitDeny                 // one denies it, or may
)

func (d Decision) String() string {
	return [...]string{"no match", "allowed", "explicit deny"}[d]
}

// Request is what policies are asked about.
type Request struct {
	Action   string // "execute-api:Invoke"
	Resource string // an ARN; empty for a trust policy, which names none

	// Principals are the ARNs that the caller goes by: of a session, the
	// session's and its role's. Empty for a caller who does not sign. Only the
	// statements of resource and trust policies ask for it.
	Principals []string

	// Context holds the values of condition keys, which are written in any case.
	// A key without values is known to be absent from the request. Of a key that
	// is not there nothing is known.
	Context map[string][]string
}

// truth of what may depend on something that is not known.
type truth int

const (
	no truth = iota
	maybe
	yes
)

func (t truth) not() truth { return yes - t }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// Evaluate decides a request by the statements of one kind of policy, identity
// or resource ("Policy evaluation logic", IAM user guide). What cannot be
// decided, because a condition or a value is not known, never allows and always
// denies. An Allow to an account as a whole counts for nobody: it lets the
// account's own policies decide.
func Evaluate(statements []Statement, r Request) Decision {
	r.Context = lowerKeys(r.Context)
	decision := NoMatch
	for _, s := range statements {
		switch applies := s.applies(r); {
		case s.Effect == Deny && applies != no:
			return ExplicitDeny
		case s.Effect == Allow && applies == yes:
			decision = Allowed
		}
	}
	return decision
}

// Covers reports whether a statement's Action or NotAction covers an action.
func (s *Statement) Covers(action string) bool { return s.action(Request{Action: action}) == yes }

// Possible reports whether [Evaluate] could allow some request if more were
// known. In Resource, * stands for what differs between requests, and ** for
// what may also hold slashes. To Evaluate, such a star is a character that only
// a wildcard covers, so what it allows it allows to all those requests.
func Possible(statements []Statement, r Request) bool {
	r.Context = lowerKeys(r.Context)
	possible := false
	for _, s := range statements {
		switch {
		case s.Effect == Deny && s.applies(r) == yes:
			return false
		case s.Effect == Allow && !possible:
			possible = min(s.action(r), s.resource(r, func(pattern []rune, arn string) truth { return truthOf(overlap(pattern, arn)) }), s.principal(r), s.condition(r.Context)) != no
		}
	}
	return possible
}

func (s *Statement) applies(r Request) truth {
	return min(s.action(r), s.resource(r, matchResource), s.principal(r), s.condition(r.Context))
}

func (s *Statement) action(r Request) truth {
	match := func(pattern string) truth {
		if pattern == Unknown {
			return maybe
		}
		return truthOf(MatchAction(pattern, r.Action))
	}
	if s.NotActions != nil {
		return anyOf(s.NotActions, match).not()
	}
	return anyOf(s.Actions, match)
}

// resource compares with the Resource element by match, and always with all of
// what NotResource exempts.
func (s *Statement) resource(r Request, match func(pattern []rune, arn string) truth) truth {
	by := func(match func([]rune, string) truth) func(string) truth {
		return func(pattern string) truth {
			if pattern != Unknown && differ(pattern, r.Resource) {
				return no
			}
			expanded, ok := expand(pattern, r.Context)
			if !ok {
				return maybe
			}
			return match(expanded, r.Resource)
		}
	}
	switch {
	case s.NotResources != nil:
		return anyOf(s.NotResources, by(matchResource)).not()
	case s.Resources == nil:
		return truthOf(r.Resource == "")
	}
	return anyOf(s.Resources, by(match))
}

// principal asks for one of the caller's names. A NotPrincipal exempts only a
// caller all of whose names, and whose account, stand in it ("AWS JSON policy
// elements: NotPrincipal", IAM user guide).
func (s *Statement) principal(r Request) truth {
	if s.NotPrincipals != nil {
		if s.Effect == Allow || len(r.Principals) == 0 {
			return truthOf(s.Effect == Deny)
		}
		exempt := yes
		for _, name := range r.Principals {
			exempt = min(exempt, named(s.NotPrincipals, name), named(s.NotPrincipals, root(name)))
		}
		return exempt.not()
	}
	if s.Principals == nil {
		return yes
	}
	found := named(s.Principals, "")
	for _, name := range r.Principals {
		found = max(found, named(s.Principals, name))
		if s.Effect == Deny {
			found = max(found, named(s.Principals, root(name)))
		}
	}
	return found
}

// named looks for an ARN, or for everybody, among principals.
func named(principals map[string][]string, arn string) truth {
	return anyOf(append(slices.Clone(principals["AWS"]), principals["*"]...), func(listed string) truth {
		if listed == Unknown {
			return maybe
		}
		account := len(listed) == 12 && !strings.Contains(listed, ":")
		return truthOf(listed == "*" || arn != "" && listed == arn || account && root(arn) == arn && strings.Contains(arn, ":"+listed+":"))
	})
}

// root is the ARN of the account that a principal belongs to.
func root(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":root"
}

func anyOf(values []string, match func(string) truth) truth {
	found := no
	for _, value := range values {
		if found = max(found, match(value)); found == yes {
			break
		}
	}
	return found
}
