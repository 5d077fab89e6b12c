package rules

import (
	"path"
	"slices"
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

// executeAPI takes a pattern apart that covers ARNs of parts of an API:
// arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>.
// What is left out at the end is empty.
func executeAPI(pattern string) (api, method, path string, ok bool) {
	parts := arnParts(pattern)
	if parts == nil || !coversPart(parts[0], "arn") || !coversPart(parts[2], "execute-api") {
		return "", "", "", false
	}
	rest := strings.SplitN(parts[5], "/", 4)
	rest = append(rest, "", "", "")
	return rest[0], rest[2], rest[3], true
}

// arnParts are the six parts of an ARN's pattern, nil where it has fewer. A *
// that ends a part goes on beyond the colon ("IAM JSON policy elements:
// Resource", IAM user guide), so one stands for the parts that are left out: at
// the end, or before the part that holds slashes.
func arnParts(pattern string) []string {
	parts := strings.SplitN(pattern, ":", 6)
	last := len(parts) - 1
	at := slices.IndexFunc(parts[:last], func(part string) bool { return strings.HasSuffix(part, "*") })
	if !strings.Contains(parts[last], "/") && strings.HasSuffix(pattern, "*") {
		at = last
	}
	for at >= 0 && len(parts) < 6 {
		parts = slices.Insert(parts, at+1, "*")
	}
	if len(parts) < 6 {
		return nil
	}
	return parts
}

// coversPart reports whether a part of a pattern covers a text without slashes.
func coversPart(pattern, text string) bool {
	matched, err := path.Match(pattern, text)
	return err == nil && matched
}

// everyAPI reports whether a pattern leaves open which API it is about.
func everyAPI(pattern string) bool {
	api, _, _, ok := executeAPI(pattern)
	return ok && strings.Trim(api, "*?") == ""
}
