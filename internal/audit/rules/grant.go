package rules

import (
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

const invoke = "execute-api:Invoke"

// grant is a resource that a policy lets its role call.
type grant struct {
	assembly.Place
	Role     *assembly.Role
	Resource string
}

// grantsOf returns every resource that some role may call, as it is written.
// A statement that names what it leaves out allows the rest: that is "*".
func grantsOf(m *assembly.Model) []grant {
	var out []grant
	for _, role := range m.Roles {
		for _, policy := range role.Policies {
			for _, s := range policy.Statements {
				if s.Effect != iam.Allow || !s.Covers(invoke) {
					continue
				}
				resources := s.Resources
				if len(s.NotResources) > 0 {
					resources = []string{"*"}
				}
				for _, resource := range resources {
					out = append(out, grant{Place: policy.Place, Role: role, Resource: resource})
				}
			}
		}
	}
	return out
}

// executeAPI takes the ARN of a part of an API apart:
// arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>.
// What is left out at the end is empty.
func executeAPI(arn string) (api, method, path string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return "", "", "", false
	}
	rest := strings.SplitN(parts[5], "/", 4)
	rest = append(rest, "", "", "")
	return rest[0], rest[2], rest[3], true
}
