package userpool

import (
	"fmt"
	"slices"

	"github.com/gatewright/gatewright/internal/apispec"
)

// redirectProblems checks a list of URIs to which Cognito sends browsers.
func (s *signIn) redirectProblems(at string, uris []string) []error {
	var problems []error
	if len(uris) > apispec.MaxRedirects {
		problems = append(problems, fmt.Errorf("%s: %d URIs; Cognito takes %d", at, len(uris), apispec.MaxRedirects))
	}
	for i, uri := range uris {
		if isToken(uri) {
			continue // known when it is deployed
		}
		if slices.Contains(uris[:i], uri) {
			problems = append(problems, fmt.Errorf("%s[%d]: twice", at, i))
		}
		if err := apispec.CheckRedirect(uri, s.ownSchemes); err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %w", at, i, err))
		}
	}
	return problems
}
