package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Properties of AWS::ApiGateway::Stage that are read, or that decide nothing
// about a request.
var apiStageProperties = []string{
	"AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "DeploymentId", "Description",
	"DocumentationVersion", "MethodSettings", "RestApiId", "StageName", "Tags", "TracingEnabled", "Variables",
}

// Members of a MethodSetting that are read, or that decide nothing about a
// request. A cache answers in place of the authorizer's next request, so it is
// understood only where it is off.
var methodSettings = []string{
	"CacheDataEncrypted", "CacheTtlInSeconds", "CachingEnabled", "DataTraceEnabled", "HttpMethod", "LoggingLevel",
	"MetricsEnabled", "ResourcePath", "ThrottlingBurstLimit", "ThrottlingRateLimit",
}

// Throttle of an account, which holds for the half of a method's or a stage's
// that is left out ("Amazon API Gateway quotas").
const (
	accountRate  = 10_000
	accountBurst = 5_000
)

// only reports every property that is not known.
func (p props) only(known []string) {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !slices.Contains(known, name) {
			p.reader.problem(p.at, "property %s is not understood", name)
		}
	}
}

// deployments returns the ids of an API's deployments. A deployment that makes
// a stage of its own serves what no Stage resource says.
func (r *reader) deployments(api *RestAPI) []string {
	var ids []string
	for _, s := range r.stacks {
		for _, id := range s.ofType(typeDeployment) {
			p, ok := r.properties(s, id)
			if !ok || p.text("RestApiId") != api.ID {
				continue
			}
			p.only([]string{"Description", "RestApiId"})
			if ref, err := r.ref(s, id, p.at); err == nil {
				ids = append(ids, text(ref))
			}
		}
	}
	return ids
}

func (r *reader) readAPIStages(s *stack, api *RestAPI, deployments []string) {
	for _, id := range s.ofType(typeAPIStage) {
		p, ok := r.properties(s, id)
		if !ok || p.text("RestApiId") != api.ID {
			continue
		}
		p.only(apiStageProperties)
		if !slices.Contains(deployments, p.text("DeploymentId")) {
			r.problem(p.at, "DeploymentId names no deployment of the API")
		}
		if p.bool("CacheClusterEnabled") {
			r.problem(p.at, "a cache of answers is not understood")
		}
		stage := APIStage{
			Place:     s.place(id),
			Name:      p.text("StageName"),
			Variables: p.object("Variables").textMap(),
			Tracing:   p.bool("TracingEnabled"),
		}
		if log := p.object("AccessLogSetting"); log.values != nil {
			stage.AccessLog = &AccessLog{DestinationARN: log.text("DestinationArn"), Format: log.text("Format")}
		}
		p.throttles(api, &stage)
		api.Stages = append(api.Stages, stage)
	}
}

// throttles reads MethodSettings into the stage and the API's routes.
func (p props) throttles(api *RestAPI, stage *APIStage) {
	settings, isList := p.values["MethodSettings"].([]any)
	if _, present := p.values["MethodSettings"]; present && !isList {
		p.reader.problem(p.at, "MethodSettings is not a list")
	}
	for i, entry := range settings {
		at := fmt.Sprintf("%s.MethodSettings[%d]", p.at, i)
		values, ok := entry.(map[string]any)
		if !ok {
			p.reader.problem(at, "not an object")
			continue
		}
		setting := props{values: values, at: at, reader: p.reader}
		setting.only(methodSettings)
		if setting.bool("CachingEnabled") {
			p.reader.problem(at, "a cache of answers is not understood")
		}
		throttle := setting.throttle()
		method, path := setting.text("HttpMethod"), setting.text("ResourcePath")
		if method == "*" && path == "/*" {
			stage.Throttle = throttle
			continue
		}
		route := api.route(method, unescapePath(path))
		if route == nil {
			p.reader.problem(at, "%s %s is no route of the API", method, path)
			continue
		}
		route.Throttle = throttle
	}
}

// throttle returns nil where a setting has none.
func (p props) throttle() *Throttle {
	rate, burst := p.text("ThrottlingRateLimit"), p.text("ThrottlingBurstLimit")
	if rate == "" && burst == "" {
		return nil
	}
	t := &Throttle{Rate: accountRate, Burst: p.int("ThrottlingBurstLimit", accountBurst)}
	if rate != "" {
		var err error
		if t.Rate, err = strconv.ParseFloat(rate, 64); err != nil {
			p.reader.problem(p.at, "ThrottlingRateLimit is %q, not a number", rate)
		}
	}
	if !(t.Rate >= 0) || t.Burst < 0 {
		p.reader.problem(p.at, "a throttle of %g requests a second and %d at once is not understood", t.Rate, t.Burst)
	}
	return t
}

// unescapePath reads a ResourcePath: "/~1v1~1notes" stands for "/v1/notes"
// ("AWS::ApiGateway::Stage MethodSetting").
func unescapePath(path string) string {
	if rest, escaped := strings.CutPrefix(path, "/~1"); escaped {
		path = "~1" + rest
	}
	return strings.ReplaceAll(path, "~1", "/")
}

// checkThrottles refuses an API of which a route has a throttle on one stage
// and perhaps none on another.
func (r *reader) checkThrottles(api *RestAPI) {
	throttled := slices.ContainsFunc(api.Routes, func(route Route) bool { return route.Throttle != nil })
	if throttled && len(api.Stages) > 1 {
		r.problem(api.Path, "throttles of single methods are not understood where an API has several stages")
	}
}

func (a *RestAPI) route(method, path string) *Route {
	for i, route := range a.Routes {
		if route.Method == method && route.Path == path {
			return &a.Routes[i]
		}
	}
	return nil
}

// Properties of AWS::ApiGateway::DomainName that decide nothing about a
// request. Mutual TLS, a policy and routing rules do.
var domainNameProperties = []string{
	"CertificateArn", "DomainName", "EndpointConfiguration", "OwnershipVerificationCertificateArn",
	"RegionalCertificateArn", "RoutingMode", "SecurityPolicy", "Tags",
}

var basePathMappingProperties = []string{"BasePath", "DomainName", "Id", "RestApiId", "Stage"}

func (r *reader) checkDomainName(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p.only(domainNameProperties)
	if mode := p.text("RoutingMode"); mode != "" && mode != "BASE_PATH_MAPPING_ONLY" {
		r.problem(p.at, "RoutingMode %s is not understood", mode)
	}
}

// readDomains reads the base-path mappings that lead to the API.
func (r *reader) readDomains(s *stack, api *RestAPI) {
	for _, id := range s.ofType(typeBasePathMapping) {
		p, ok := r.properties(s, id)
		if !ok || p.text("RestApiId") != api.ID {
			continue
		}
		p.only(basePathMappingProperties)
		d := Domain{Name: p.text("DomainName"), BasePath: p.text("BasePath"), Stage: p.text("Stage")}
		if d.BasePath == "(none)" {
			d.BasePath = ""
		}
		if strings.Contains(d.BasePath, "/") {
			r.problem(p.at, "BasePath %q has more than one part", d.BasePath)
		}
		if d.Stage == "" {
			r.problem(p.at, "a mapping without a Stage is not understood")
		}
		api.Domains = append(api.Domains, d)
	}
}
