package apispec

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// DefaultContentType is what a [Body] has where it names none.
const DefaultContentType = "application/json"

// Body says what a request's body must be. Its zero value checks nothing.
type Body struct {
	// Name is the model's, in letters and digits.
	Name string
	// Schema is a JSON Schema, draft-04 as far as API Gateway imports it.
	Schema map[string]any
	// ContentType is the media type that is checked; [DefaultContentType]
	// where it is empty.
	ContentType string
}

// Parameter is one of a query.
type Parameter struct {
	Required    bool
	Description string
}

// validatorName names the one request validator, which checks bodies and
// parameters alike.
const validatorName = "All"

// MaxModelBytes bounds a model's schema ("CreateModel", Amazon API Gateway).
const MaxModelBytes = 400_000

var (
	// "Amazon API Gateway important notes for REST APIs".
	modelName = regexp.MustCompile(`^[a-zA-Z0-9]{1,255}$`)
	// Names that API Gateway takes in a mapping of a request's parameters.
	parameterName = regexp.MustCompile(`^[a-zA-Z0-9._$-]{1,255}$`)
)

// isZero reports whether nothing is asked of a body.
func (b Body) isZero() bool { return b.Name == "" && b.Schema == nil && b.ContentType == "" }

func (b Body) contentType() string {
	if b.ContentType == "" {
		return DefaultContentType
	}
	return b.ContentType
}

// check returns the problems of a body on a method.
func (b Body) check(method string) []error {
	if b.isZero() {
		return nil
	}
	var problems []error
	if method == "GET" || method == "HEAD" || method == "DELETE" {
		problems = append(problems, fmt.Errorf("Body: a %s request has none (RFC 9110, section 9.3)", method))
	}
	if !modelName.MatchString(b.Name) {
		problems = append(problems, fmt.Errorf("Body.Name is %q; a model's name has letters and digits only", b.Name))
	}
	if kind, _, err := mime.ParseMediaType(b.contentType()); err != nil || kind != b.contentType() || strings.Contains(kind, "*") || !strings.Contains(kind, "/") {
		problems = append(problems, fmt.Errorf("Body.ContentType is %q; write one media type in lower case without parameters, such as application/json", b.ContentType))
	}
	schema, err := normalize(b.Schema)
	if err != nil {
		return append(problems, fmt.Errorf("Body.Schema %w", err))
	}
	return append(problems, checkSchema("Body.Schema", schema)...)
}

// checkQuery returns the problems of a route's query parameters.
func checkQuery(query map[string]Parameter) []error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !parameterName.MatchString(name) {
			problems = append(problems, fmt.Errorf("Query: malformed name %q; letters, digits and . _ $ -", name))
		}
	}
	return problems
}

// validated reports whether API Gateway has anything to check of a route's
// requests.
func (r Route) validated() bool {
	if !r.Body.isZero() {
		return true
	}
	for _, parameter := range r.Query {
		if parameter.Required {
			return true
		}
	}
	return false
}

// models returns the schema of each model by its name. Two routes may share a
// model; two models may not share a name.
func (s Spec) models() (map[string]json.RawMessage, []error) {
	models := map[string]json.RawMessage{}
	owner := map[string]string{}
	var problems []error
	for _, pattern := range slices.Sorted(maps.Keys(s.Routes)) {
		body := s.Routes[pattern].Body
		if body.isZero() {
			continue
		}
		schema, err := json.Marshal(body.Schema)
		if err != nil {
			continue // its route's check reports it
		}
		if len(schema) > MaxModelBytes {
			problems = append(problems, fmt.Errorf("%s: Body.Schema has %d bytes; API Gateway takes %d", pattern, len(schema), MaxModelBytes))
		}
		if first, taken := owner[body.Name]; taken && string(models[body.Name]) != string(schema) {
			problems = append(problems, fmt.Errorf("%s: Body.Name %q is another schema's at %s; give each schema its own name", pattern, body.Name, first))
			continue
		}
		models[body.Name], owner[body.Name] = schema, pattern
	}
	return models, problems
}

// requestBody refers to the model of a route, if it has one.
func (r route) requestBody() *requestBody {
	if r.Body.isZero() {
		return nil
	}
	return &requestBody{
		Required: true,
		Content:  map[string]content{r.Body.contentType(): {Schema: reference{"#/components/schemas/" + r.Body.Name}}},
	}
}

// validators declares the request validator where a route uses it.
func (s Spec) validators() map[string]validator {
	for _, r := range s.Routes {
		if r.validated() {
			return map[string]validator{validatorName: {Body: true, Parameters: true}}
		}
	}
	return nil
}

// headerName is a token (RFC 9110, section 5.6.2) without what would end a
// quoted value or a list.
var headerName = regexp.MustCompile(`^[a-zA-Z0-9!#$%&+.^_|~-]+$`)

// checkHeaders returns the problems of the headers that pages may send.
func (s Spec) checkHeaders() []error {
	var problems []error
	if len(s.Headers) > 0 && len(s.Origins) == 0 {
		problems = append(problems, errors.New("headers for pages to send, but no origin whose pages may call"))
	}
	seen := map[string]bool{}
	for _, name := range requestHeaders {
		seen[strings.ToLower(name)] = true
	}
	for _, name := range s.Headers {
		lower := strings.ToLower(name)
		switch {
		case !headerName.MatchString(name):
			problems = append(problems, fmt.Errorf("header %q: no header's name; write each out, such as X-Request-Id", name))
		case seen[lower]:
			problems = append(problems, fmt.Errorf("header %q twice; %s are always allowed", name, strings.Join(requestHeaders, ", ")))
		}
		seen[lower] = true
	}
	return problems
}
