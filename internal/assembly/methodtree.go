package assembly

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Properties of AWS::ApiGateway::Method that are read.
var methodProperties = []string{
	"ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "HttpMethod", "Integration",
	"MethodResponses", "OperationName", "RequestModels", "RequestParameters", "RequestValidatorId", "ResourceId", "RestApiId",
}

// treeReader reads an API whose methods are resources of their own, in
// whichever stacks of the stage they stand.
type treeReader struct {
	*apiReader
	api         *RestAPI
	nodes       map[string]pathNode // by resource id
	paths       map[string]string   // by resource id, where known already
	authorizers map[string]*Authorizer
	validators  map[string]Validator
	models      map[string]modelAt // by name and by id
}

type pathNode struct {
	at, parent, part string
}

// readTree reads methods, and what an API made of a body may have beside it.
func (a *apiReader) readTree(d declared, api *RestAPI) {
	t := &treeReader{
		apiReader: a, api: api, nodes: map[string]pathNode{}, validators: map[string]Validator{},
		paths: map[string]string{text(a.attribute(d.stack, d.LogicalID, "RootResourceId", d.at)): "/"},
	}
	t.authorizers = a.authorizers(api)
	a.readGatewayResponses(api)
	for _, v := range a.of(typeRequestValidator, api.ID) {
		v.only([]string{"Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"})
		t.validators[v.ref] = Validator{Body: v.bool("ValidateRequestBody"), Parameters: v.bool("ValidateRequestParameters")}
	}
	t.readModels()
	for _, node := range a.of(typeAPIResource, api.ID) {
		node.only([]string{"ParentId", "PathPart", "RestApiId"})
		if _, twice := t.nodes[node.ref]; twice {
			t.problem(node.at, "the made-up id %s is another resource's, too; another logical id gives another", node.ref)
		}
		t.nodes[node.ref] = pathNode{node.at, node.text("ParentId"), node.text("PathPart")}
	}
	for _, method := range a.of(typeMethod, api.ID) {
		t.readMethod(method)
	}
}

func (t *treeReader) readMethod(d declared) {
	d.only(methodProperties)
	node := d.text("ResourceId")
	path, ok := t.path(node, 0)
	if !ok {
		t.problem(d.at, "ResourceId leads to no path of the API")
		return
	}
	route := Route{
		Place:           d.Place,
		Method:          strings.ToUpper(d.text("HttpMethod")),
		Path:            path,
		ResourceID:      node,
		OperationName:   d.text("OperationName"),
		Authorization:   d.authorization(t.authorizers),
		APIKeyRequired:  d.bool("ApiKeyRequired"),
		Integration:     Integration{Unsupported: d.at + ": the method has no Integration"},
		PublicReason:    d.reason(publicMetadataKey),
		ResponseHeaders: d.responseHeaders(),
	}
	if !isMethod(route.Method) {
		t.problem(d.at, "the HttpMethod %q is not understood", route.Method)
	}
	if raw, ok := d.values["Integration"]; ok {
		route.Integration = readMethodIntegration(raw, d.at+".Integration")
	}
	t.readValidation(d, &route)
	t.api.Routes = append(t.api.Routes, route)
}

func isMethod(name string) bool {
	return slices.Contains([]string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}, name)
}

// maxPathParts bounds how deep a path is; a circle of parents has no end.
const maxPathParts = 300

// path follows a resource's parents to the root.
func (t *treeReader) path(id string, depth int) (string, bool) {
	if path, known := t.paths[id]; known {
		return path, true
	}
	node, declared := t.nodes[id]
	if !declared || depth > maxPathParts {
		return "", false
	}
	parent, ok := t.path(node.parent, depth+1)
	if !ok {
		return "", false
	}
	if node.part == "" || strings.Contains(node.part, "/") {
		t.problem(node.at, "the PathPart %q is not understood", node.part)
		return "", false
	}
	t.paths[id] = strings.TrimSuffix(parent, "/") + "/" + node.part
	return t.paths[id], true
}

const responseHeader = "method.response.header."

// responseHeaders reads the headers that MethodResponses declare.
func (d declared) responseHeaders() map[int][]string {
	out := map[int][]string{}
	// They decide what a MOCK integration may answer, never who is let pass.
	for _, response := range d.noted().objects("MethodResponses") {
		status, err := strconv.Atoi(response.text("StatusCode"))
		if err != nil {
			d.reader.note(response.at, "StatusCode is no HTTP status")
			continue
		}
		for name := range response.object("ResponseParameters").values {
			if header, ok := strings.CutPrefix(name, responseHeader); ok {
				out[status] = append(out[status], header)
			}
		}
		slices.Sort(out[status])
	}
	return out
}

// readValidation reads what a method's validator checks. Without one nothing
// is, so nothing of it is read.
func (t *treeReader) readValidation(d declared, route *Route) {
	if !d.has("RequestValidatorId") {
		return
	}
	validator, known := t.validators[d.text("RequestValidatorId")]
	if !known {
		t.problem(d.at, "RequestValidatorId names no validator of the API")
		return
	}
	route.Validator = &validator
	if validator.Parameters {
		route.RequiredParameters = d.requiredParameters()
	}
	if !validator.Body {
		return
	}
	models := d.object("RequestModels")
	for contentType := range models.values {
		if route.Models == nil {
			route.Models = map[string]json.RawMessage{}
		}
		route.Models[strings.ToLower(contentType)] = t.model(models.at+"."+contentType, models.text(contentType))
	}
}

// parameterPlaces are where a required parameter stands, by what its name in
// RequestParameters begins with.
var parameterPlaces = map[string]string{
	"method.request.header.": "header", "method.request.path.": "path", "method.request.querystring.": "query",
}

func (d declared) requiredParameters() []Parameter {
	var required []Parameter
	declared := d.object("RequestParameters")
	for name := range declared.values {
		if !declared.bool(name) {
			continue
		}
		known := false
		for prefix, place := range parameterPlaces {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				known = true
				required = append(required, Parameter{Name: rest, In: place})
			}
		}
		if !known {
			d.reader.problem(declared.at, "the required parameter %s is not understood", name)
		}
	}
	slices.SortFunc(required, compareParameters)
	return required
}

func compareParameters(a, b Parameter) int {
	return cmp.Or(strings.Compare(a.In, b.In), strings.Compare(a.Name, b.Name))
}
