// Package apispec writes routes down as the OpenAPI 3.0.1 document, with API
// Gateway's extensions, that a REST API is made from.
//
// It knows nothing of the CDK: ARNs and URIs are strings that it passes
// through, tokens included. The same [Spec] gives the same bytes.
package apispec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/access"
)

// MaxBytes bounds a document. The document stands inside a CloudFormation
// template, which may hold 1 MB ("AWS CloudFormation quotas"), beside at most
// a few dozen kilobytes of other resources.
const MaxBytes = 1_000_000

// Spec is an API before it is a document.
type Spec struct {
	// Title is the API's name. It may not be empty.
	Title string
	// Description says what the API is for; it may be empty.
	Description string
	// Routes holds every route by its pattern, "GET /v1/notes/{id}".
	Routes map[string]Route
	// UserPools holds the ARNs of the user pools whose access tokens the API takes.
	UserPools []string
	// Scopes holds every scope that a resource server of those pools defines.
	Scopes []string
	// Clients holds what each app client of those pools may ask for, by its name;
	// nil where that is not known.
	Clients map[string][]string
	// Customers is set where the API has customers with static keys.
	Customers bool
	// KeyScopes holds scopes that those keys may have beside Scopes.
	KeyScopes []string
	// KeyHeader is set where a key may come in x-api-key, too.
	KeyHeader bool
	// AuthorizerURI is where API Gateway calls the Lambda authorizer that decides
	// about the routes for which [NeedsAuthorizer]. Without such a route it is
	// not used.
	AuthorizerURI string
	// Origins holds the web origins whose pages may call the API. Without one
	// there is no preflight and no CORS header.
	Origins []string
	// Headers holds the request headers that those pages may send beside
	// Authorization, Content-Type, If-Match and If-None-Match.
	Headers []string
}

// Route is one method of one path.
type Route struct {
	Access access.Rule
	// Integration is the x-amazon-apigateway-integration object.
	Integration map[string]any
	// Body is what API Gateway checks a request's body against, if anything.
	Body Body
	// Query holds the query's parameters by name; it checks that the required
	// ones are there.
	Query map[string]Parameter
	// APIKeyRequired asks for one of API Gateway's keys beside what Access asks for.
	APIKeyRequired bool
}

// Validate returns every problem of the spec, joined, each with its route, or
// nil.
func (s Spec) Validate() error {
	_, err := s.Document()
	return err
}

// Document returns the OpenAPI document as JSON. It fails with every problem
// that [Spec.Validate] reports.
func (s Spec) Document() ([]byte, error) {
	routes, problems := parseRoutes(s.Routes)
	problems = append(problems, s.check()...)
	models, clashes := s.models()
	problems = append(problems, clashes...)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	doc := document{
		OpenAPI:          "3.0.1",
		Info:             info{Title: s.Title, Description: s.Description, Version: "1"},
		Paths:            s.paths(routes),
		Components:       s.components(models),
		Validators:       s.validators(),
		GatewayResponses: s.gatewayResponses(),
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	if out.Len() > MaxBytes {
		return nil, fmt.Errorf("the API's definition has %d bytes, more than the %d that fit a CloudFormation template; split the API", out.Len(), MaxBytes)
	}
	return out.Bytes(), nil
}

// check returns the problems that are not of a pattern: the API's own, and
// each route's rule.
func (s Spec) check() []error {
	var problems []error
	if s.Title == "" {
		problems = append(problems, errors.New("the API has no title"))
	}
	if len(s.Routes) == 0 {
		problems = append(problems, errors.New("the API has no routes"))
	}
	for i, origin := range s.Origins {
		if err := CheckOrigin(origin); err != nil {
			problems = append(problems, fmt.Errorf("origin %w", err))
		} else if slices.Contains(s.Origins[:i], origin) {
			problems = append(problems, fmt.Errorf("origin %q twice", origin))
		}
	}
	problems = append(problems, s.checkHeaders()...)
	for _, pattern := range slices.Sorted(maps.Keys(s.Routes)) {
		method, _, _ := strings.Cut(pattern, " ")
		route := s.Routes[pattern]
		for _, problem := range slices.Concat(s.checkRoute(route), route.Body.check(method), checkQuery(route.Query)) {
			problems = append(problems, fmt.Errorf("%s: %w", pattern, problem))
		}
	}
	return problems
}

func (s Spec) checkRoute(route Route) []error {
	var problems []error
	if err := route.Access.Validate(); err != nil {
		problems = append(problems, unjoin(err)...)
	}
	if len(route.Integration) == 0 {
		problems = append(problems, errors.New("no target"))
	}
	if route.APIKeyRequired {
		problems = append(problems, s.checkAPIKey(route.Access)...)
	}
	for _, rule := range route.Access.Alternatives() {
		switch {
		case len(problems) > 0 && rule.Kind != access.KindScopes && rule.Kind != access.KindKey: // its rule's check reports it
		case rule.Kind == access.KindScopes:
			problems = append(problems, s.checkScopes(rule)...)
			problems = append(problems, s.checkClients(rule)...)
		case rule.Kind == access.KindKey:
			problems = append(problems, s.checkKey(rule)...)
		case rule.Kind != access.KindPublic:
			problems = append(problems, fmt.Errorf("access rules of kind %q have no place in an API yet", rule.Kind))
		}
	}
	if NeedsAuthorizer(route.Access) && s.AuthorizerURI == "" {
		problems = append(problems, errors.New("it takes a Lambda authorizer to decide, and the API has none"))
	}
	return problems
}

func (s Spec) checkScopes(rule access.Rule) []error {
	if len(s.UserPools) == 0 {
		return []error{errors.New("asks for a scope, but the API has no user pool")}
	}
	var problems []error
	for _, scope := range rule.Scopes {
		if !slices.Contains(s.Scopes, scope) {
			problems = append(problems, fmt.Errorf("unknown scope %q; the user pools define %s", scope, list(s.Scopes)))
		}
	}
	return problems
}

func (s Spec) checkKey(rule access.Rule) []error {
	if !s.Customers {
		return []error{errors.New("takes customers' keys, but the API has no customers")}
	}
	var problems []error
	for _, scope := range rule.Scopes {
		if !slices.Contains(s.Scopes, scope) && !slices.Contains(s.KeyScopes, scope) {
			problems = append(problems, fmt.Errorf("unknown scope %q of a key; the user pools and the customers define %s", scope, list(slices.Concat(s.Scopes, s.KeyScopes))))
		}
	}
	return problems
}

// checkAPIKey returns why one of API Gateway's keys has no place on a route.
func (s Spec) checkAPIKey(rule access.Rule) []error {
	var problems []error
	if rule.Kind == access.KindPublic {
		problems = append(problems, errors.New("APIKeyRequired on a public route, whose only protection would be the key; it limits callers and tells nobody apart, so let the rule ask for a token or a customer's key"))
	}
	if s.KeyHeader {
		problems = append(problems, errors.New("APIKeyRequired together with KeyHeader; x-api-key holds either a customer's key or one of API Gateway's, so leave one of them out"))
	}
	return problems
}

// checkClients returns the problems of the clients that a rule names: one that
// could never call is a mistake in one place or the other.
func (s Spec) checkClients(rule access.Rule) []error {
	var problems []error
	for _, name := range rule.Clients {
		scopes, known := s.Clients[name]
		asks := func(scope string) bool { return slices.Contains(scopes, scope) }
		switch {
		case name == "": // its rule's check reports it
		case !known:
			problems = append(problems, fmt.Errorf("unknown client %q; the user pools have %s", name, list(slices.Collect(maps.Keys(s.Clients)))))
		case scopes != nil && !slices.ContainsFunc(rule.Scopes, asks):
			problems = append(problems, fmt.Errorf("client %q may ask for none of the scopes, only for %s; give it one or leave it out", name, list(scopes)))
		}
	}
	return problems
}

// unjoin takes a joined error apart, so that each problem gets its route.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(names))
	text := sorted[0]
	for _, name := range sorted[1:] {
		text += ", " + name
	}
	return text
}
