package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewright/gatewright/internal/assembly"
)

// defaultModel is the content type of a model for all others ("Method resource",
// requestModels [doc]).
const defaultModel = "$default"

// compileModels reads the models of a route by content type.
func compileModels(declared map[string]json.RawMessage) (map[string]*jsonschema.Schema, error) {
	models := map[string]*jsonschema.Schema{}
	for _, contentType := range slices.Sorted(maps.Keys(declared)) {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(declared[contentType]))
		if err != nil {
			return nil, fmt.Errorf("the model for %s is not JSON", contentType)
		}
		compiler := jsonschema.NewCompiler()
		compiler.DefaultDraft(jsonschema.Draft4)
		compiler.UseLoader(nowhere{})
		if err := compiler.AddResource(modelURL, document); err != nil {
			return nil, fmt.Errorf("the model for %s is not understood: %w", contentType, err)
		}
		model, err := compiler.Compile(modelURL)
		if err != nil {
			return nil, fmt.Errorf("the model for %s is not understood: %w", contentType, err)
		}
		if checks(model, maxChecks) > maxChecks {
			return nil, fmt.Errorf("the model for %s asks for more than %d checks of one value", contentType, maxChecks)
		}
		models[contentType] = model
	}
	return models, nil
}

// maxChecks bounds how many schemas one value is held against. Definitions that
// double each other could otherwise ask for millions.
const maxChecks = 10_000

// checks counts the schemas that a value is held against, or stops beyond most.
func checks(s *jsonschema.Schema, most int) int {
	if s == nil || most <= 0 {
		return 1
	}
	n := 1
	for _, same := range slices.Concat([]*jsonschema.Schema{s.Ref, s.Not}, s.AllOf, s.AnyOf, s.OneOf) {
		if n > most {
			break
		}
		if same != nil {
			n += checks(same, most-n)
		}
	}
	return n
}

const modelURL = "model:schema"

// nowhere keeps a schema from bringing in files or documents from elsewhere.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema elsewhere (%s) is not read", url)
}

// validate checks what the route's request validator checks, parameters before
// the body ("Request validation for REST APIs in API Gateway" [doc]; the order
// of the two [?]).
func (c *call) validate() *failure {
	v := c.route.Validator
	if v == nil || c.route.unsupported != "" { // the latter is refused next
		return nil
	}
	if v.Parameters {
		if missing := c.missingParameters(); len(missing) > 0 {
			names := strings.Join(missing, ", ")
			return &failure{
				kind:    badRequestParameters,
				message: "Missing required request parameters: [" + names + "]", // [meas]
				details: "[" + names + "]",
				reason:  "required parameters are missing",
			}
		}
	}
	if !v.Body {
		return nil
	}
	if err := c.checkBody(); err != nil {
		return &failure{kind: badRequestBody, details: "[" + err.Error() + "]", reason: "body: " + err.Error()}
	}
	return nil
}

// missingParameters returns the names of the required parameters that are
// absent or blank [doc], in the order of the API's model [?].
func (c *call) missingParameters() []string {
	var missing []string
	for _, p := range c.route.RequiredParameters {
		if value, _ := c.variable("method.request."+parameterPlaces[p.In]+"."+p.Name, failure{}); strings.TrimSpace(value) == "" {
			missing = append(missing, p.Name)
		}
	}
	return missing
}

// parameterPlaces turns OpenAPI's places into those of mapping expressions.
var parameterPlaces = map[string]string{"query": "querystring", "header": "header", "path": "path"}

// checkParameters fails if a required parameter cannot be looked for.
func checkParameters(required []assembly.Parameter) error {
	for _, p := range required {
		if parameterPlaces[p.In] == "" || p.Name == "" {
			return fmt.Errorf("a required parameter in %q is not understood", p.In)
		}
	}
	return nil
}

// checkBody holds the body against the model of its content type,
// application/json where the client names none [doc]. Of several content types
// each counts, because which one AWS looks at is unknown [?]. "If no matching
// content type is found, request validation is not performed" [doc]. An error
// names places of the model, never what was sent.
func (c *call) checkBody() error {
	sent := c.request.Header.Values("Content-Type")
	if len(sent) == 0 {
		sent = []string{""}
	}
	for _, contentType := range sent {
		kind := cmp.Or(mediaType(contentType), "application/json")
		model := c.route.models[kind]
		if model == nil {
			model = c.route.models[defaultModel]
		}
		if model == nil {
			continue
		}
		if err := c.holdAgainst(model); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) holdAgainst(model *jsonschema.Schema) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.body))
	if err != nil || !sensible(value) {
		return errors.New("not JSON")
	}
	var invalid *jsonschema.ValidationError
	switch err := model.Validate(value); {
	case errors.As(err, &invalid):
		return errors.New(strings.Join(places(invalid), ", "))
	case err != nil:
		return errors.New("not valid")
	}
	return nil
}

// sensible reports whether every number fits a double: comparing others
// exactly could take megabytes for each.
func sensible(value any) bool {
	switch v := value.(type) {
	case json.Number:
		_, err := strconv.ParseFloat(v.String(), 64)
		return err == nil
	case []any:
		return !slices.ContainsFunc(v, func(member any) bool { return !sensible(member) })
	case map[string]any:
		for _, member := range v {
			if !sensible(member) {
				return false
			}
		}
	}
	return true
}

// places returns where in the model the body failed, each once: "/properties/title/minLength".
func places(e *jsonschema.ValidationError) []string {
	var out []string
	for _, cause := range e.Causes {
		out = append(out, places(cause)...)
	}
	if len(e.Causes) == 0 {
		_, at, _ := strings.Cut(e.SchemaURL, "#")
		out = append(out, at+"/"+strings.Join(e.ErrorKind.KeywordPath(), "/"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// prepareValidation compiles what the route's validator needs, or says why it
// cannot be applied.
func (r *route) prepareValidation() (unsupported string) {
	if r.Validator == nil {
		return ""
	}
	models, err := compileModels(r.Models)
	if err := errors.Join(err, checkParameters(r.RequiredParameters)); err != nil {
		return err.Error()
	}
	r.models = models
	return ""
}
