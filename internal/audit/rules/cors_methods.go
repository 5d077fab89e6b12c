package rules

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var corsMethods = audit.Rule{
	ID:       "cors-methods",
	Severity: audit.Error,
	Title:    "Something other than HTTP methods in a preflight's list of methods",
	Why: "A browser asks which methods another origin may use and compares the answer with its own request's. A list of " +
		"header names there, as allowMethods given the headers, is taken without an error and allows nothing. " +
		"What counts is each member of Access-Control-Allow-Methods that is neither a method of HTTP nor *.",
	Fix: "Give the methods to allowMethods and the header names to allowHeaders (in the CDK: apigateway.Cors_ALL_METHODS or a " +
		"list such as GET and POST).",
	Source: audit.Source{
		Title: "CORS for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range m.RestAPIs {
			routes := map[string][]string{} // by what is no method
			for _, route := range api.Routes {
				if wrong := notMethods(headerValues(route, allowMethods)); wrong != "" {
					routes[wrong] = append(routes[wrong], route.Method+" "+route.Path)
				}
			}
			for wrong, names := range routes {
				r.Find(api.Place, "no method of HTTP: %s; allowed as methods by %s", wrong, someOf(names))
			}
		}
		for _, api := range m.HTTPAPIs {
			if wrong := notMethods(api.CORSMethods); wrong != "" {
				r.Find(api.Place, "no method of HTTP: %s; allowed as methods by CorsConfiguration", wrong)
			}
		}
	},
}

var httpMethods = []string{
	"*", http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch,
	http.MethodPost, http.MethodPut, http.MethodTrace,
}

// notMethods lists the members of header values that are no methods.
func notMethods(values []string) string {
	var wrong []string
	for _, value := range values {
		for member := range strings.SplitSeq(value, ",") {
			if member = strings.TrimSpace(member); member != "" && !slices.Contains(httpMethods, member) {
				wrong = append(wrong, member)
			}
		}
	}
	return strings.Join(wrong, ", ")
}
