package restapi

import (
	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/internal/apispec"
)

// Routes holds routes by pattern: "GET /orders/{id}". A pattern is a method, a
// space and a path; {id} stands for one part of a path and {rest+} for all
// that remain.
type Routes map[string]Route

// Route says who may call, what a request has to look like, and what answers.
type Route struct {
	// Access is who may call. A route without one is an error.
	Access access.Rule
	// Target answers. A route without one is an error.
	Target Target
	// Body is what API Gateway checks a request's body against before anything
	// answers. Default: nothing; the body reaches the target as it came. One on
	// a GET, HEAD or DELETE route is an error: these requests have none (RFC
	// 9110, section 9.3).
	Body Body
	// Query holds the query's parameters by name: 1 to 255 letters, digits and
	// . _ $ -. Default: none. API Gateway checks that the required ones are
	// there and hands on any other, declared or not. A name of another form is
	// an error.
	Query Query
	// Throttle bounds the route's requests in place of the API's RateLimit and
	// BurstLimit. Default: those.
	Throttle Throttle
	// APIKeyRequired asks for one of API Gateway's keys in x-api-key beside what
	// Access asks for, so that a plan of constructs/usageplan limits the caller;
	// without one on a plan of this API a request is answered 403. It is a limit
	// and never access: on a route of access.Public the key would be the only
	// protection, which is an error. So is it together with Props.KeyHeader, by
	// which x-api-key holds a customer's key. Pages of Origins may send the header
	// where AllowHeaders names it. Default: false.
	APIKeyRequired bool
}

// Body describes a request's body. A request that does not match is answered
// 400 by API Gateway, "Invalid request body", with the CORS headers.
//
// API Gateway checks the declared content type only and lets a body of any
// other pass unchecked ("Request validation for REST APIs in API Gateway").
// The target refuses other content types with 415, and checks again what
// matters to it.
type Body struct {
	// Name is the model's name, 1 to 255 letters and digits; another is an
	// error. Routes may share a name with the same schema; the same name with a
	// different one is an error. No default: a Body without a name is an error.
	Name string
	// Schema is a JSON Schema, draft-04, in Go's own types:
	//
	//	map[string]any{
	//		"type":                 "object",
	//		"properties":           map[string]any{"title": map[string]any{"type": "string", "maxLength": 200}},
	//		"required":             []string{"title"},
	//		"additionalProperties": false,
	//	}
	//
	// It takes additionalProperties, description, enum, items, maxLength,
	// maxProperties, maximum, minLength, minProperties, minimum, multipleOf,
	// pattern, properties, required, title, type and uniqueItems, and at most
	// 400,000 bytes. No default: an empty schema is an error, and so is a
	// keyword that API Gateway would not import or not apply.
	Schema map[string]any
	// ContentType is the media type of the body, one, in lower case and without
	// parameters or a wildcard. Another is an error. Default:
	// "application/json".
	ContentType string
}

// Query holds the parameters of a query by name.
type Query map[string]Parameter

// Parameter is one of a query.
type Parameter struct {
	// Required says that API Gateway answers 400, "Missing required request
	// parameters: [name]", where the parameter is missing or blank. Default:
	// false.
	Required bool
	// Description says what it is for, in the API's definition. Default: none.
	Description string
}

// Throttle bounds requests. API Gateway applies it as a target, not as an exact
// bound ("Throttle requests to your REST APIs for better throughput"); what is
// beyond it is answered 429.
type Throttle struct {
	// Rate is how many requests a second the route takes, steadily. Default:
	// the API's RateLimit. Negative is an error.
	Rate float64
	// Burst is how many requests may come at once beyond the rate. Default:
	// the API's BurstLimit. Negative is an error.
	Burst int
}

// spec returns the route, with its target's integration, as it is written into
// the API's definition.
func (r Route) spec(integration map[string]any) apispec.Route {
	out := apispec.Route{Access: r.Access, Body: apispec.Body(r.Body), Integration: integration, APIKeyRequired: r.APIKeyRequired}
	for name, parameter := range r.Query {
		if out.Query == nil {
			out.Query = map[string]apispec.Parameter{}
		}
		out.Query[name] = apispec.Parameter(parameter)
	}
	return out
}
