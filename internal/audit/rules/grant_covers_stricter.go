package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/iam"
)

var grantCoversStricter = audit.Rule{
	ID:       "grant-covers-stricter",
	Severity: audit.Error,
	Title:    "A grant whose wildcard covers another route",
	Why: "In the ARN of a method * spans slashes: a grant of /items/*, written for /items/{id}, also covers /items/{id}/owner. " +
		"What counts is a wildcard within the path that stands for one route's variable and reaches further methods with " +
		"AWS_IAM, and for guests a path that begins with the wildcard and reaches more than one path of such methods. " +
		"A method that the role's own policies deny does not count.",
	Fix: "Grant each method by its own ARN, and deny the deeper paths in the same policy (Effect Deny, Resource .../items/*/*), or move " +
		"them out of the wildcard's reach.",
	Source: audit.Source{
		Title: "Control access for invoking an API, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		signed := map[string][]route{} // by API
		for _, route := range routesOf(m) {
			if route.Type == assembly.AuthorizationIAM {
				signed[route.API] = append(signed[route.API], route)
			}
		}
		var grants []grant
		for _, g := range grantsOf(m) {
			api, _, _, ok := executeAPI(g.Resource)
			if ok && strings.ContainsAny(g.Resource, "*?") && strings.Trim(api, "*?") != "" {
				grants = append(grants, g)
			}
		}
		reach := newReach(m, grants)
		for _, a := range apisOf(m) {
			for i, reached := range reach.routes(a, signed[a.ID]) {
				checkGrant(m, r, grants[i], reached)
			}
		}
	},
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// checkGrant tells the route that a grant is written for from the others that
// it reaches.
func checkGrant(m *assembly.Model, r *audit.Report, g grant, reached []route) {
	_, method, pattern, _ := executeAPI(g.Resource)
	var meant, others, paths []string
	for _, route := range reached {
		_, path := methodAndPath(route)
		paths = append(paths, path)
		if pathVariable.ReplaceAllString(path, "*") == "/"+pattern {
			meant = append(meant, path)
		} else {
			others = append(others, route.Name)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	switch {
	case len(meant) > 0 && len(others) > 0:
		r.Find(g.Place, "the grant of %s %s to %s, written for %s, also covers %s", orAny(method), "/"+pattern, g.Role.LogicalID, meant[0], someOf(others))
	case len(paths) > 1 && strings.Trim(pattern, "*") == "" && isGuest(m, g.Role):
		r.Find(g.Place, "guests may call, by one wildcard of %s, %s", g.Role.LogicalID, someOf(paths))
	}
}

// reach finds the routes that grants cover.
type reach struct {
	grants []grant
	parts  [][]string // of each grant's resource
	ends   iam.Index  // the last of them, by grant
	roles  iam.Index  // policies, by role
	number map[*assembly.Role]int
}

func newReach(m *assembly.Model, grants []grant) *reach {
	r := &reach{grants: grants, number: map[*assembly.Role]int{}}
	for _, g := range grants {
		parts := arnParts(g.Resource)
		r.parts = append(r.parts, parts)
		r.ends.Add([]iam.Statement{{Resources: parts[5:]}})
	}
	for i, role := range m.Roles {
		var own []iam.Statement
		for _, policy := range role.Policies {
			own = append(own, policy.Statements...)
		}
		r.roles.Add(own)
		r.number[role] = i
	}
	return r
}

// routes returns for each grant the routes of an API that it covers on some
// stage, and that no policy of its role denies. A route has an ARN for each stage
// and method; of those only the ends count, which name the API.
func (r *reach) routes(a api, routes []route) [][]route {
	reached := make([][]route, len(r.grants))
	for _, route := range routes {
		method, path := methodAndPath(route)
		methods := []string{method}
		if method == "ANY" {
			methods = httpMethods[1:]
		}
		one, every := pathVariable.ReplaceAllString(path, "x"), pathVariable.ReplaceAllString(path, "*")
		found := map[int]bool{}
		for _, stage := range a.Stages {
			for _, method := range methods {
				start := a.ID + "/" + stage.Name + "/" + method
				for i := range r.ends.About(start + one) {
					if !found[i] && r.covers(i, start+one, start+every) {
						found[i] = true
						reached[i] = append(reached[i], route)
					}
				}
			}
		}
	}
	return reached
}

// covers reports whether a grant lets one request of a route pass, and no policy
// of the role denies every one.
func (r *reach) covers(i int, one, every string) bool {
	parts, role := r.parts[i], r.number[r.grants[i].Role]
	resource := strings.Join(parts[:5], ":") + ":" + every
	return iam.MatchResource(parts[5], one) &&
		iam.Possible(r.roles.About(resource)[role], iam.Request{Action: invoke, Resource: resource})
}

func isGuest(m *assembly.Model, role *assembly.Role) bool {
	for _, pool := range m.IdentityPools {
		if pool.Guests && pool.GuestRoleARN == role.ARN {
			return true
		}
	}
	return false
}

func orAny(method string) string {
	if method == "" || method == "*" {
		return "any method of"
	}
	return method
}
