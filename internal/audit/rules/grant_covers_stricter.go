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
		for _, g := range grantsOf(m) {
			api, _, _, ok := executeAPI(g.Resource)
			if !ok || !strings.ContainsAny(g.Resource, "*?") || strings.Trim(api, "*?") == "" {
				continue
			}
			for _, a := range apisOf(m) {
				checkGrant(m, r, g, reachedBy(g, a, signed[a.ID]))
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

// reachedBy returns the routes that a grant covers on some stage of its API, and
// that no policy of its role denies.
func reachedBy(g grant, a api, routes []route) []route {
	var statements []iam.Statement
	for _, policy := range g.Role.Policies {
		statements = append(statements, policy.Statements...)
	}
	prefix := strings.Join(strings.SplitN(g.Resource, ":", 6)[:5], ":") + ":" + a.ID + "/"
	reaches := func(stage, method, path string) bool {
		arn := func(variable string) string {
			return prefix + stage + "/" + method + pathVariable.ReplaceAllString(path, variable)
		}
		return iam.MatchResource(g.Resource, arn("x")) && iam.Possible(statements, iam.Request{Action: invoke, Resource: arn("*")})
	}
	var reached []route
	for _, route := range routes {
		method, path := methodAndPath(route)
		methods := []string{method}
		if method == "ANY" {
			methods = httpMethods[1:]
		}
		if slices.ContainsFunc(a.Stages, func(stage assembly.APIStage) bool {
			return slices.ContainsFunc(methods, func(method string) bool { return reaches(stage.Name, method, path) })
		}) {
			reached = append(reached, route)
		}
	}
	return reached
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
