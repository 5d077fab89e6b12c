package local

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// policies returns what the policies of a role say, as [awsapi.Config] wants
// it. A policy that is not known could deny anything, so what is not known of a
// role leaves it without any permission.
func (s *stage) policies(roleARN string) (statements []iam.Statement, unknown string) {
	i := slices.IndexFunc(s.model.Roles, func(r *assembly.Role) bool { return r.ARN == roleARN })
	if i < 0 {
		return nil, "the role is none of the stage's, so its policies are not known; declare it in the app"
	}
	role := s.model.Roles[i]
	for _, p := range role.Policies {
		if misread(p) {
			return nil, "its policy " + p.Name + " (" + p.Path + ") is not understood"
		}
		statements = append(statements, p.Statements...)
	}
	switch {
	case len(role.Managed) > 0:
		return statements, "the text of its managed policies is not known here: " + strings.Join(role.Managed, ", ") + "; write what they allow in the app"
	case role.Bounded:
		return statements, "its permissions boundary is not read"
	}
	return statements, ""
}

// misread reports whether a policy's document was not understood.
func misread(p assembly.Policy) bool {
	return slices.ContainsFunc(p.Statements, func(s iam.Statement) bool {
		return s.Effect == iam.Deny && slices.Contains(s.Actions, iam.Unknown) && slices.Contains(s.Resources, iam.Unknown)
	})
}
