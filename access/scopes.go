package access

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// KindScopes is a route for callers with an access token.
const KindScopes Kind = "scopes"

// Scopes asks for an access token that carries any one of the scopes, as API
// Gateway's authorizationScopes do. A scope is "<resource server>/<name>". No
// scope, a scope twice, or a malformed one is an error.
func Scopes(scopes ...string) Rule {
	return Rule{Kind: KindScopes, Scopes: slices.Clone(scopes)}
}

// From narrows a rule of [Scopes] to tokens that were issued to the named app
// clients of the API's user pools. Those of other clients are refused with 403,
// whatever their scopes: the same user may have signed in through a partner's
// client, too. A route for the website and the app alone says so:
//
//	access.Scopes("web/use").From("website", "mobile")
//
// The names replace those of an earlier From. No name, an empty one, or one
// twice is an error, and so is From on another kind of rule.
//
// It tells clients apart, not programs: a public client's id is no secret, and a
// user can hand its token to any program.
func (r Rule) From(clients ...string) Rule {
	r.Clients = slices.Clone(clients)
	if r.Clients == nil {
		r.Clients = []string{""} // none was named: refused, never the same as all
	}
	return r
}

// Characters of a scope as Amazon Cognito takes them: the identifier of a
// resource server may hold slashes, a scope's own name may not
// (CreateResourceServer, ResourceServerScopeType), and RFC 6749 section 3.3
// excludes space, quote and backslash.
var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+/[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+$`)

func validateScopes(r Rule) []error {
	return append(scopeProblems("access.Scopes", r), clientProblems(r.Clients)...)
}

// scopeProblems says what is wrong with the scopes of a rule that function made.
func scopeProblems(function string, r Rule) []error {
	var problems []error
	if r.Reason != "" {
		problems = append(problems, fmt.Errorf("%s takes no reason; only a public route needs one", function))
	}
	if len(r.Scopes) == 0 {
		problems = append(problems, fmt.Errorf(`%s needs at least one scope, such as "notes/read"`, function))
	}
	seen := map[string]bool{}
	for _, scope := range r.Scopes {
		if !scopePattern.MatchString(scope) {
			problems = append(problems, fmt.Errorf("malformed scope %q; write \"<resource server>/<name>\"", scope))
		}
		if seen[scope] {
			problems = append(problems, fmt.Errorf("scope %q twice", scope))
		}
		seen[scope] = true
	}
	return problems
}

func clientProblems(clients []string) []error {
	var problems []error
	for i, client := range clients {
		switch {
		case strings.TrimSpace(client) == "":
			problems = append(problems, errors.New(`From needs the names of app clients, such as "website"`))
		case slices.Contains(clients[:i], client):
			problems = append(problems, fmt.Errorf("client %q twice", client))
		}
	}
	return problems
}

func describeScopes(r Rule) string {
	text := "scope " + strings.Join(r.Scopes, " or ")
	if len(r.Clients) > 0 {
		text += " from " + strings.Join(r.Clients, " or ")
	}
	return text
}
