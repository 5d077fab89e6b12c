package assembly

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/iam"
)

// Metadata that says why routes are public and why answers of an authorizer may
// be cached: on an API for each of its routes and authorizers, on a method, a
// route or an authorizer for itself.
const (
	publicMetadataKey = "gatewright:public"
	cachedMetadataKey = "gatewright:cached"
)

// Properties of AWS::ApiGateway::RestApi that are read, or that decide nothing
// about a request.
var restAPIProperties = []string{
	"ApiKeySourceType", "BinaryMediaTypes", "Body", "BodyS3Location", "Description", "DisableExecuteApiEndpoint",
	"EndpointAccessMode", "EndpointConfiguration", "FailOnWarnings", "MinimumCompressionSize", "Mode", "Name",
	"Parameters", "Policy", "SecurityPolicy", "Tags",
}

// Where API keys are read from.
const (
	keySourceHeader     = "HEADER"
	keySourceAuthorizer = "AUTHORIZER"
)

func (a *apiReader) readRestAPI(d declared) {
	d.only(restAPIProperties)
	api := &RestAPI{
		Place:              d.Place,
		ID:                 d.ref,
		Name:               d.text("Name"),
		Region:             d.stack.region,
		Account:            d.stack.account,
		BinaryMediaTypes:   d.texts("BinaryMediaTypes"),
		APIKeySource:       d.text("ApiKeySourceType"),
		ExecuteAPIDisabled: d.bool("DisableExecuteApiEndpoint"),
		GatewayResponses:   map[string]GatewayResponse{},
	}
	endpoint := d.object("EndpointConfiguration")
	endpoint.only([]string{"IpAddressType", "Types"})
	api.EndpointTypes = endpoint.texts("Types")
	if d.has("MinimumCompressionSize") {
		api.Compression = &Compression{MinimumBytes: d.int("MinimumCompressionSize", 0)}
	}
	a.readImportParameters(d, api)
	if policy, ok := d.values["Policy"]; ok {
		a.readPolicy(api, policy, d.at+".Policy")
	}
	a.readBody(d, api)
	a.readTree(d, api)
	a.finish(d, api)
	deployments := a.readDeployments(api)
	a.readAPIStages(api, deployments)
	for i, stage := range api.Stages {
		if slices.ContainsFunc(api.Stages[:i], func(other APIStage) bool { return other.Name == stage.Name }) {
			a.problem(stage.Path, "the API has another stage %s", stage.Name)
		}
	}
	if len(api.Stages) == 0 {
		a.problem(d.at, "no stage deploys it")
	}
	a.readMappings(api)
	a.model.RestAPIs = append(a.model.RestAPIs, api)
}

// readImportParameters reads how a body is imported ("Set the OpenAPI basePath
// property" and "PutRestApi", Amazon API Gateway).
func (a *apiReader) readImportParameters(d declared, api *RestAPI) {
	parameters := d.object("Parameters")
	parameters.only([]string{"basepath", "endpointConfigurationTypes", "ignore"})
	if base := parameters.text("basepath"); base != "" && base != "ignore" {
		a.problem(parameters.at, "basepath %q is not understood; ignore is", base)
	}
	if kind := parameters.text("endpointConfigurationTypes"); kind != "" && api.EndpointTypes == nil {
		api.EndpointTypes = []string{kind}
	}
	if d.text("Mode") == "merge" {
		a.note(d.at, "Mode merge keeps what earlier deployments imported, which the template does not show")
	}
}

// readPolicy reads a resource policy. It decides about every request and is not
// evaluated yet, so nothing is served from such an API.
func (a *apiReader) readPolicy(api *RestAPI, document any, at string) {
	statements, err := iam.ParsePolicy(document)
	if err != nil {
		a.problem(at, "%v", err)
		statements = []iam.Statement{ // one that may allow and may deny anything
			{Effect: iam.Allow, Actions: []string{iam.Unknown}, Resources: []string{iam.Unknown}},
			{Effect: iam.Deny, Actions: []string{iam.Unknown}, Resources: []string{iam.Unknown}},
		}
	}
	api.Policy = append(api.Policy, statements...)
	a.problem(at, "a resource policy is not evaluated yet")
}

// finish fills in what follows from the whole API, and checks it.
func (a *apiReader) finish(d declared, api *RestAPI) {
	api.APIKeySource = cmp.Or(api.APIKeySource, keySourceHeader)
	if len(api.EndpointTypes) == 0 {
		api.EndpointTypes = []string{"EDGE"}
	}
	for _, kind := range api.EndpointTypes {
		if kind != "REGIONAL" && kind != "EDGE" {
			a.problem(d.at, "endpoints of type %q are not served", kind)
		}
	}
	slices.SortStableFunc(api.Routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	slices.SortStableFunc(api.Authorizers, func(a, b *Authorizer) int { return strings.Compare(a.Name, b.Name) })
	for i := range api.Routes {
		route := &api.Routes[i]
		route.PublicReason = cmp.Or(route.PublicReason, d.reasonFor(publicMetadataKey, route.Method+" "+route.Path))
		if i > 0 && route.Method == api.Routes[i-1].Method && route.Path == api.Routes[i-1].Path {
			a.problem(d.at, "%s %s is declared twice", route.Method, route.Path)
		}
	}
	for _, authorizer := range api.Authorizers {
		authorizer.CacheReason = cmp.Or(authorizer.CacheReason, d.reasonFor(cachedMetadataKey, authorizer.Name))
	}
	keyed := slices.ContainsFunc(api.Routes, func(r Route) bool { return r.APIKeyRequired })
	if keyed && api.APIKeySource != keySourceHeader {
		a.problem(d.at, "API keys from %q are not understood; from %s they are", api.APIKeySource, keySourceHeader)
	}
}

// readGatewayResponses reads the answers that API Gateway makes itself.
func (a *apiReader) readGatewayResponses(api *RestAPI) {
	for _, d := range a.of(typeGatewayResponse, api.ID) {
		d.only([]string{"ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"})
		kind := d.text("ResponseType")
		if _, twice := api.GatewayResponses[kind]; twice {
			a.problem(d.at, "the gateway response %s is declared twice", kind)
		}
		response := GatewayResponse{StatusCode: d.status("StatusCode", 0), Parameters: d.object("ResponseParameters").textMap()}
		if d.has("ResponseTemplates") {
			response.Templates = d.object("ResponseTemplates").textMap()
		}
		api.GatewayResponses[kind] = response
	}
}

// status reads an HTTP status that a final answer may have.
func (p props) status(name string, otherwise int) int {
	status := p.int(name, otherwise)
	if status != otherwise && (status < 200 || status > 599) {
		p.report(p.at, "%s %d is no HTTP status", name, status)
	}
	return status
}

// comparedOrigin finds the origins that a preflight's template compares the
// request's with.
var comparedOrigin = regexp.MustCompile(`==\s*"(https?://[^"\s]+)"`)

// CORSOrigins returns the origins that the API's preflights allow, each once,
// in order. "*" stands for any. An origin that a template matches by a regular
// expression is not among them.
func (a *RestAPI) CORSOrigins() []string {
	var origins []string
	for _, route := range a.Routes {
		if route.Method != "OPTIONS" || route.Integration.Type != IntegrationMock {
			continue
		}
		for _, response := range route.Integration.Responses {
			for name, value := range response.Parameters {
				if strings.EqualFold(name, "method.response.header.Access-Control-Allow-Origin") {
					origins = append(origins, strings.Trim(value, "'"))
				}
			}
			for _, template := range response.Templates {
				for _, found := range comparedOrigin.FindAllStringSubmatch(template, -1) {
					origins = append(origins, found[1])
				}
			}
		}
	}
	slices.Sort(origins)
	return slices.Compact(origins)
}
