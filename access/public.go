package access

import (
	"errors"
	"strings"
)

// KindPublic is a route that anyone may call.
const KindPublic Kind = "public"

// Public lets anyone call, for a stated reason. The reason stands in the
// template's metadata and in every report; an empty one is an error.
func Public(reason string) Rule {
	return Rule{Kind: KindPublic, Reason: reason}
}

func validatePublic(r Rule) []error {
	var problems []error
	if strings.TrimSpace(r.Reason) == "" {
		problems = append(problems, errors.New(`access.Public needs a reason, such as "health check"`))
	}
	if len(r.Scopes) > 0 {
		problems = append(problems, errors.New("a public route takes no scopes; use access.Scopes"))
	}
	if len(r.Clients) > 0 {
		problems = append(problems, errors.New("a public route takes every client; write access.Scopes(…).From(…)"))
	}
	return problems
}

func describePublic(r Rule) string { return "public: " + r.Reason }
