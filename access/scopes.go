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

// Characters of a scope as Amazon Cognito takes them: the identifier of a
// resource server may hold slashes, a scope's own name may not
// (CreateResourceServer, ResourceServerScopeType), and RFC 6749 section 3.3
// excludes space, quote and backslash.
var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+/[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+$`)

func validateScopes(r Rule) []error {
	var problems []error
	if r.Reason != "" {
		problems = append(problems, errors.New("access.Scopes takes no reason; only a public route needs one"))
	}
	if len(r.Scopes) == 0 {
		problems = append(problems, errors.New(`access.Scopes needs at least one scope, such as "notes/read"`))
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

func describeScopes(r Rule) string {
	return "scope " + strings.Join(r.Scopes, " or ")
}
