package assembly

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// publicMetadataKey is where constructs/restapi says why routes are public.
const publicMetadataKey = "gatewright:public"

// Properties of AWS::ApiGateway::RestApi that are read, or that decide nothing
// about a request.
var restAPIProperties = []string{
	"Body", "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration",
	"FailOnWarnings", "MinimumCompressionSize", "Name", "Tags",
}

func (r *reader) readRestAPI(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p.only(restAPIProperties)
	ref, err := r.ref(s, id, p.at)
	if err != nil {
		r.problem(p.at, "%v", err)
		return
	}
	api := &RestAPI{
		Place:              s.place(id),
		ID:                 text(ref),
		Name:               p.text("Name"),
		BinaryMediaTypes:   p.texts("BinaryMediaTypes"),
		ExecuteAPIDisabled: p.bool("DisableExecuteApiEndpoint"),
	}
	endpoint := p.object("EndpointConfiguration")
	endpoint.only([]string{"IpAddressType", "Types"})
	for _, kind := range endpoint.texts("Types") {
		if kind != "REGIONAL" && kind != "EDGE" {
			r.problem(p.at, "endpoints of type %q are not understood", kind)
		}
	}
	if _, compressed := p.values["MinimumCompressionSize"]; compressed {
		api.Compression = &Compression{MinimumBytes: p.int("MinimumCompressionSize", 0)}
	}
	body, inline := p.values["Body"].(map[string]any)
	if !inline {
		r.problem(p.at, "only an inline OpenAPI Body is understood")
		return
	}
	r.readBody(api, body, p.at+".Body")
	reasons, _ := s.template.Resources[id].Metadata[publicMetadataKey].(map[string]any)
	for i, route := range api.Routes {
		api.Routes[i].PublicReason = text(reasons[route.Method+" "+route.Path])
	}
	deployments := r.deployments(api)
	for _, other := range r.stacks {
		r.readAPIStages(other, api, deployments)
		r.readDomains(other, api)
	}
	if len(api.Stages) == 0 {
		r.problem(p.at, "no stage deploys it")
	}
	r.checkThrottles(api)
	slices.SortFunc(api.Domains, func(a, b Domain) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.BasePath, b.BasePath))
	})
	r.model.RestAPIs = append(r.model.RestAPIs, api)
}

// readBody reads an OpenAPI body through an OpenAPI library and notes every
// extension and construct that is not understood.
func (r *reader) readBody(api *RestAPI, body map[string]any, at string) {
	data, err := json.Marshal(body)
	if err != nil {
		r.problem(at, "%v", err)
		return
	}
	doc, err := loadOpenAPI(data)
	if err != nil {
		r.problem(at, "%v", err)
		return
	}
	b := &bodyReader{reader: r, api: api, at: at, doc: doc}
	b.checkKeys(body)
	b.read()
	slices.SortFunc(api.Routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
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
