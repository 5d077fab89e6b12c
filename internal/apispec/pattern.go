package apispec

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// route is a Route whose pattern was understood.
type route struct {
	Route
	pattern string
	method  string
	path    string
	params  []string // names of path variables, greedy ones without the +
}

var (
	methods = []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}
	// Characters of a path part ("CreateResource", Amazon API Gateway).
	staticPart   = regexp.MustCompile(`^[a-zA-Z0-9._:-]+$`)
	variablePart = regexp.MustCompile(`^\{([a-zA-Z0-9._-]+)(\+?)\}$`)
)

// parseRoutes understands every pattern and returns the routes by path and
// method, with all problems.
func parseRoutes(all map[string]Route) ([]route, []error) {
	var routes []route
	var problems []error
	for _, pattern := range slices.Sorted(maps.Keys(all)) {
		r, err := parsePattern(pattern)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", pattern, err))
			continue
		}
		r.Route = all[pattern]
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b route) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	return routes, append(problems, conflicts(routes)...)
}

func parsePattern(pattern string) (route, error) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok || path == "" || strings.ContainsAny(path, " \t") {
		return route{}, errors.New(`malformed pattern; write "GET /path"`)
	}
	if method == "OPTIONS" {
		return route{}, errors.New("OPTIONS is answered by the generated CORS preflight; leave the route out")
	}
	if !slices.Contains(methods, method) {
		return route{}, fmt.Errorf("unknown method %q; one of %s", method, strings.Join(methods, ", "))
	}
	params, err := parsePath(path)
	if err != nil {
		return route{}, err
	}
	return route{pattern: pattern, method: method, path: path, params: params}, nil
}

func parsePath(path string) (params []string, err error) {
	switch {
	case !strings.HasPrefix(path, "/"):
		return nil, fmt.Errorf("path %q does not start with a slash", path)
	case path == "/":
		return nil, nil
	case path == "/ping" || path == "/sping":
		// "Amazon API Gateway important notes": reserved for the service's health check.
		return nil, fmt.Errorf("API Gateway reserves the path %s", path)
	case strings.HasSuffix(path, "/"):
		return nil, fmt.Errorf("path %q ends with a slash", path)
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		if part == "." || part == ".." {
			return nil, fmt.Errorf("path part %q would be normalized away by clients", part)
		}
		if staticPart.MatchString(part) {
			continue
		}
		variable := variablePart.FindStringSubmatch(part)
		if variable == nil {
			return nil, fmt.Errorf("malformed path part %q; letters, digits and . _ : - or one whole {variable}", part)
		}
		name, greedy := variable[1], variable[2] == "+"
		if greedy && i != len(parts)-1 {
			return nil, fmt.Errorf("greedy variable %s is not at the end of the path", part)
		}
		if slices.Contains(params, name) {
			return nil, fmt.Errorf("path variable %q twice", name)
		}
		params = append(params, name)
	}
	return params, nil
}

// conflicts finds siblings with two different variables: API Gateway gives a
// path part at most one variable child ("A sibling of this resource already
// has a variable path part").
func conflicts(routes []route) []error {
	var problems []error
	variable := map[string]route{} // by parent path
	for _, r := range routes {
		parent := ""
		for part := range strings.SplitSeq(strings.TrimPrefix(r.path, "/"), "/") {
			if strings.HasPrefix(part, "{") {
				first, taken := variable[parent]
				switch {
				case !taken:
					variable[parent] = r
				case !strings.HasPrefix(first.path+"/", parent+"/"+part+"/"):
					problems = append(problems, fmt.Errorf("%s: variable %s conflicts with that of %s; siblings share one variable", r.pattern, part, first.pattern))
				}
			}
			parent += "/" + part
		}
	}
	return problems
}
