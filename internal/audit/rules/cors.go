package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Headers of CORS ("Fetch Standard", section 3.3).
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowMethods     = "Access-Control-Allow-Methods"
	allowCredentials = "Access-Control-Allow-Credentials"
)

// headerValues returns what a route's integration sends as a header: the static
// values of its responses, without their quotes.
func headerValues(r assembly.Route, header string) []string {
	var values []string
	for _, response := range r.Integration.Responses {
		for _, name := range slices.Sorted(maps.Keys(response.Parameters)) {
			if strings.EqualFold(name, "method.response.header."+header) {
				values = append(values, strings.Trim(response.Parameters[name], "'"))
			}
		}
	}
	return values
}

// Templates that allow the request's own origin: whatever it is by their words,
// or because they compare it with nothing.
var (
	takesAny = regexp.MustCompile(`(?i)\.matches\("\^?(?:https?\??://)?\.[*+]\$?"\)|Access-Control-Allow-Origin\s*=\s*["']\*["']`)
	echoes   = regexp.MustCompile(`(?i)Access-Control-Allow-Origin\s*=\s*\$!?\{?(?:origin|input)\b`)
	compares = regexp.MustCompile(`(?i)==\s*["'][^"']|[^"']["']\s*==|\.(?:matches|equals|contains|startsWith|endsWith)\(`)
)

// anyOrigin reports whether pages of every origin may read the route's answers.
func anyOrigin(r assembly.Route) bool {
	if slices.Contains(headerValues(r, allowOrigin), "*") {
		return true
	}
	return slices.ContainsFunc(r.Integration.Responses, func(response assembly.IntegrationResponse) bool {
		for _, template := range response.Templates {
			if takesAny.MatchString(template) || echoes.MatchString(template) && !compares.MatchString(template) {
				return true
			}
		}
		return false
	})
}

// answersCORS reports whether the route is a preflight that allows an origin.
func answersCORS(r assembly.Route) bool {
	if !isPreflight(r) {
		return false
	}
	if len(headerValues(r, allowOrigin)) > 0 {
		return true
	}
	return slices.ContainsFunc(r.Integration.Responses, func(response assembly.IntegrationResponse) bool {
		return strings.Contains(strings.Join(slices.Collect(maps.Values(response.Templates)), "\n"), allowOrigin)
	})
}

// hasCORS reports whether web pages of other origins are meant to call the API.
func hasCORS(a *assembly.RestAPI) bool { return slices.ContainsFunc(a.Routes, answersCORS) }

// hasWebsite reports whether users sign in to a client of a web page.
func hasWebsite(m *assembly.Model) bool {
	return slices.ContainsFunc(clientsOf(m), func(c assembly.UserPoolClient) bool {
		return hasUsers(c) && isPublic(m, c) && slices.ContainsFunc(c.Callbacks, func(callback string) bool {
			return strings.HasPrefix(callback, "https://") || strings.HasPrefix(callback, "http://")
		})
	})
}

// someOf names routes: two at most, and how many more there are.
func someOf(routes []string) string {
	if len(routes) <= 2 {
		return strings.Join(routes, " and ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(routes[:2], ", "), len(routes)-2)
}
