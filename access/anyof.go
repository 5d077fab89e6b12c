package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// KindAnyOf is a route that takes several kinds of caller.
const KindAnyOf Kind = "anyOf"

// AnyOf lets a caller in that any one of the rules lets in:
//
//	access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read"))
//
// The rules are those of [Scopes] and [Key]. Fewer than two, one that is public,
// one within another, keys in more than one of them, and a rule that IAM decides
// are errors: API Gateway allows one type of authorization for each method.
func AnyOf(rules ...Rule) Rule {
	r := Rule{Kind: KindAnyOf, Any: make([]Rule, 0, len(rules))}
	for _, rule := range rules {
		rule.Scopes, rule.Clients = slices.Clone(rule.Scopes), slices.Clone(rule.Clients)
		r.Any = append(r.Any, rule)
	}
	return r
}

// Alternatives returns the rules of which any one suffices: those of [AnyOf], or
// the rule itself.
func (r Rule) Alternatives() []Rule {
	if r.Kind == KindAnyOf {
		return slices.Clone(r.Any)
	}
	return []Rule{r}
}

// signedKinds are the kinds of caller that sign with AWS credentials, on routes
// of type AWS_IAM.
var signedKinds = []Kind{"guest", "iam", "role"}

func validateAnyOf(r Rule) []error {
	var problems []error
	if r.Reason != "" || len(r.Scopes) > 0 || len(r.Clients) > 0 {
		problems = append(problems, errors.New("access.AnyOf takes rules alone; reasons, scopes and clients belong to those"))
	}
	if len(r.Any) < 2 {
		problems = append(problems, errors.New("access.AnyOf needs two rules or more; write a single one as it is"))
	}
	keys := 0
	for i, rule := range r.Any {
		for _, problem := range alternativeProblems(rule) {
			problems = append(problems, fmt.Errorf("AnyOf rule %d: %w", i+1, problem))
		}
		if rule.Kind == KindKey {
			keys++
		}
	}
	if keys > 1 {
		problems = append(problems, errors.New("access.AnyOf has access.Key more than once; any one of a key's scopes suffices, so name them all in one"))
	}
	return problems
}

// alternativeProblems says what is wrong with one rule of an AnyOf.
func alternativeProblems(r Rule) []error {
	switch {
	case r.Kind == KindPublic:
		return []error{errors.New("a public route lets anyone in, whatever else it takes; write access.Public alone")}
	case r.Kind == KindAnyOf:
		return []error{errors.New("access.AnyOf within access.AnyOf; name all rules in one")}
	case slices.Contains(signedKinds, r.Kind):
		return []error{fmt.Errorf("IAM decides about callers of kind %q, and API Gateway allows one type of authorization for each method; give them a route of their own", r.Kind)}
	}
	err := r.Validate()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func describeAnyOf(r Rule) string {
	var texts []string
	for _, rule := range r.Any {
		texts = append(texts, rule.String())
	}
	return strings.Join(texts, ", or ")
}
