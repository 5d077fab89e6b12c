package access

import (
	"errors"
	"slices"
	"strings"
)

// KindKey is a route for customers with a static credential.
const KindKey Kind = "key"

// Key asks for a customer's static credential that carries any one of the
// scopes. A customer sends it as a bearer token, as HTTP Basic with its id and
// its secret as user and password, or, where the API allows it, in x-api-key:
//
//	access.Key("orders/read")
//
// An operator gives the credential out and says what scopes it has; it is none
// of API Gateway's own keys, of which an account has 10,000 at most. A scope is
// "<resource server>/<name>", as for [Scopes]. No scope, a scope twice, or a
// malformed one is an error.
func Key(scopes ...string) Rule {
	return Rule{Kind: KindKey, Scopes: slices.Clone(scopes)}
}

func validateKey(r Rule) []error {
	problems := scopeProblems("access.Key", r)
	if len(r.Clients) > 0 {
		problems = append(problems, errors.New("a customer's key is issued to no app client; From narrows access.Scopes only"))
	}
	return problems
}

func describeKey(r Rule) string { return "key with " + strings.Join(r.Scopes, " or ") }
