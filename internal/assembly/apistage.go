package assembly

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Properties of AWS::ApiGateway::Stage, and of the StageDescription of a
// deployment, that are read, or that decide nothing about a request: the
// certificate that a backend is shown does not.
var (
	apiStageProperties = []string{
		"AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "ClientCertificateId", "DeploymentId", "Description",
		"DocumentationVersion", "MethodSettings", "RestApiId", "StageName", "Tags", "TracingEnabled", "Variables",
	}
	stageDescriptionProperties = append([]string{
		"CacheDataEncrypted", "CacheTtlInSeconds", "CachingEnabled", "DataTraceEnabled", "LoggingLevel", "MetricsEnabled",
		"ThrottlingBurstLimit", "ThrottlingRateLimit",
	}, apiStageProperties...)
)

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
			p.report(p.at, "property %s is not understood", name)
		}
	}
}

// readDeployments returns the ids of an API's deployments, and reads the stages
// that they make.
func (a *apiReader) readDeployments(api *RestAPI) []string {
	var ids []string
	for _, d := range a.of(typeDeployment, api.ID) {
		d.only([]string{"Description", "RestApiId", "StageDescription", "StageName"})
		ids = append(ids, d.ref)
		if !d.has("StageName") {
			continue
		}
		p := d.object("StageDescription")
		p.only(stageDescriptionProperties)
		stage := p.stage(d.Place, d.text("StageName"))
		stage.Default = p.settings(MethodSettings{})
		p.methodSettings(api, &stage)
		api.Stages = append(api.Stages, stage)
	}
	return ids
}

func (a *apiReader) readAPIStages(api *RestAPI, deployments []string) {
	for _, d := range a.of(typeAPIStage, api.ID) {
		d.only(apiStageProperties)
		if !slices.Contains(deployments, d.text("DeploymentId")) {
			a.problem(d.at, "DeploymentId names no deployment of the API")
		}
		stage := d.stage(d.Place, d.text("StageName"))
		d.methodSettings(api, &stage)
		api.Stages = append(api.Stages, stage)
	}
}

func (p props) stage(place Place, name string) APIStage {
	if p.bool("CacheClusterEnabled") {
		p.report(p.at, "a cache of answers is not understood")
	}
	stage := APIStage{
		Place:     place,
		Name:      name,
		Variables: p.object("Variables").textMap(),
		Tracing:   p.bool("TracingEnabled"),
		Methods:   map[string]MethodSettings{},
	}
	stage.AccessLog = p.accessLog("AccessLogSetting")
	return stage
}

// accessLog reads where requests are logged, which decides about none.
func (p props) accessLog(name string) *AccessLog {
	if !p.has(name) {
		return nil
	}
	log := p.noted().object(name)
	return &AccessLog{DestinationARN: log.text("DestinationArn"), Format: log.text("Format")}
}

// methodSettings reads MethodSettings into the stage. CDK may write two for the
// same methods: what a later one says replaces what an earlier one did. What a
// setting leaves out is the one's for every method.
func (p props) methodSettings(api *RestAPI, stage *APIStage) {
	read, keys := map[string]props{}, []string{}
	for _, setting := range p.objects("MethodSettings") {
		setting.only(methodSettings)
		method, path := setting.text("HttpMethod"), setting.text("ResourcePath")
		key := method + " " + unescapePath(path)
		every := method == "*" && path == "/*"
		if !every && !api.has(method, unescapePath(path)) {
			p.report(setting.at, "%s is no route of the API", key)
			continue
		}
		if earlier, twice := read[key]; twice {
			values := maps.Clone(earlier.values)
			maps.Copy(values, setting.values)
			setting.values = values
		}
		read[key] = setting
		keys = append(keys, key)
	}
	const every = "* /*"
	if setting, ok := read[every]; ok {
		stage.Default = setting.settings(stage.Default)
	}
	for _, key := range keys {
		if key != every {
			stage.Methods[key] = read[key].settings(stage.Default)
		}
	}
}

// settings reads the members that a MethodSetting and a StageDescription share.
// Those that are left out are the wider settings'.
func (p props) settings(wider MethodSettings) MethodSettings {
	if p.bool("CachingEnabled") {
		p.report(p.at, "a cache of answers is not understood")
	}
	own := MethodSettings{
		Throttle:     p.throttle("ThrottlingRateLimit", "ThrottlingBurstLimit", wider.Throttle),
		LoggingLevel: cmp.Or(p.noted().text("LoggingLevel"), wider.LoggingLevel),
		DataTrace:    wider.DataTrace,
	}
	if p.has("DataTraceEnabled") {
		own.DataTrace = p.noted().bool("DataTraceEnabled")
	}
	return own
}

// throttle returns the wider one where there is neither a rate nor a burst, and
// takes the half that is left out from it, or from the account.
func (p props) throttle(rate, burst string, wider *Throttle) *Throttle {
	if !p.has(rate) && !p.has(burst) {
		return wider
	}
	if wider == nil {
		wider = &Throttle{Rate: accountRate, Burst: accountBurst}
	}
	t := &Throttle{Rate: p.float(rate, wider.Rate), Burst: p.int(burst, wider.Burst)}
	if t.Rate == -1 && t.Burst == -1 {
		return nil // how API Gateway itself writes that there is none
	}
	if t.Rate < 0 || t.Burst < 0 {
		p.report(p.at, "a throttle of %g requests a second and %d at once is not understood", t.Rate, t.Burst)
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

func (a *RestAPI) has(method, path string) bool {
	return slices.ContainsFunc(a.Routes, func(r Route) bool { return r.Method == method && r.Path == path })
}
