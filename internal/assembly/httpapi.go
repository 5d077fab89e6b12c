package assembly

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// httpAPITimeout of an integration ("Quotas for configuring and running an HTTP
// API in API Gateway").
const httpAPITimeout = 30 * time.Second

// Routes of an HTTP API that have no other name.
const (
	defaultRoute = "$default"
	defaultStage = "$default"
)

// httpReader reads one HTTP API. It is reported and never served, so what is
// not understood of it is listed only.
type httpReader struct {
	*apiReader
	api          *HTTPAPI
	authorizers  map[string]*Authorizer
	integrations map[string]Integration
}

func (a *apiReader) readHTTPAPI(d declared) {
	p := d.noted()
	if kind := p.text("ProtocolType"); kind != "HTTP" && (kind != "" || p.has("ProtocolType")) {
		a.note(d.at, "APIs of protocol %q are not read", kind)
		return
	}
	for _, name := range []string{"Body", "BodyS3Location"} {
		if p.has(name) {
			a.add(Problem{Path: d.at, Text: "the " + name + " of an HTTP API is not read", Hides: true})
		}
	}
	api := &HTTPAPI{
		Place: d.Place, ID: d.ref, Name: p.text("Name"), Region: d.stack.region, Account: d.stack.account,
		CORSOrigins:        p.object("CorsConfiguration").texts("AllowOrigins"),
		CORSMethods:        p.object("CorsConfiguration").texts("AllowMethods"),
		ExecuteAPIDisabled: p.bool("DisableExecuteApiEndpoint"),
	}
	h := &httpReader{apiReader: a, api: api, authorizers: map[string]*Authorizer{}, integrations: map[string]Integration{}}
	h.readAuthorizers()
	for _, i := range a.of(typeHTTPIntegration, api.ID) {
		h.integrations[i.ref] = i.noted().httpIntegration()
	}
	for _, route := range a.of(typeHTTPRoute, api.ID) {
		h.readRoute(route)
	}
	for _, stage := range a.of(typeHTTPStage, api.ID) {
		api.Stages = append(api.Stages, stage.httpStage())
	}
	if p.has("Target") {
		h.quickCreate(d)
	}
	for _, m := range a.of(typeHTTPMapping, api.ID) {
		m := m.noted()
		api.Domains = append(api.Domains, Domain{Name: m.text("DomainName"), BasePath: m.text("ApiMappingKey"), Stage: m.text("Stage")})
	}
	sortDomains(api.Domains)
	slices.SortStableFunc(api.Routes, func(a, b HTTPRoute) int { return strings.Compare(a.Key, b.Key) })
	slices.SortStableFunc(api.Authorizers, func(a, b *Authorizer) int { return strings.Compare(a.Name, b.Name) })
	a.model.HTTPAPIs = append(a.model.HTTPAPIs, api)
}

func (h *httpReader) readAuthorizers() {
	for _, d := range h.of(typeHTTPAuthorizer, h.api.ID) {
		p := d.noted()
		authorizer := &Authorizer{
			Place: d.Place, Name: p.text("Name"), Type: p.text("AuthorizerType"),
			IdentitySources: p.texts("IdentitySource"), CacheReason: d.reason(cachedMetadataKey),
		}
		switch authorizer.Type {
		case AuthorizerJWT:
			jwt := p.object("JwtConfiguration")
			authorizer.Issuer, authorizer.Audiences = jwt.text("Issuer"), jwt.texts("Audience")
		case AuthorizerRequest:
			authorizer.FunctionARN = functionOf(p.text("AuthorizerUri"))
			// Answers are cached where a time is set ("Control access to HTTP
			// APIs with AWS Lambda authorizers").
			authorizer.CacheTTL = p.seconds("AuthorizerResultTtlInSeconds", 0)
		default:
			h.note(d.at, "an authorizer of type %q is not understood", authorizer.Type)
		}
		if len(authorizer.IdentitySources) > 0 {
			authorizer.Header, _ = strings.CutPrefix(authorizer.IdentitySources[0], "$request.header.")
		}
		h.authorizers[d.ref] = authorizer
		h.api.Authorizers = append(h.api.Authorizers, authorizer)
	}
}

func (h *httpReader) readRoute(d declared) {
	p := d.noted()
	route := HTTPRoute{
		Place: d.Place, Key: p.text("RouteKey"), Scopes: p.texts("AuthorizationScopes"),
		AuthorizationType: p.text("AuthorizationType"), PublicReason: d.reason(publicMetadataKey),
	}
	if !p.has("AuthorizationType") {
		route.AuthorizationType = AuthorizationNone // its default
	}
	if route.AuthorizationType == AuthorizerJWT || route.AuthorizationType == AuthorizationCustom {
		if route.Authorizer = h.authorizers[p.text("AuthorizerId")]; route.Authorizer == nil {
			h.note(d.at, "AuthorizerId names no authorizer of the API")
		}
	}
	id := strings.TrimPrefix(p.text("Target"), "integrations/")
	integration, known := h.integrations[id]
	if !known {
		integration = Integration{Unsupported: d.at + ": Target names no integration of the API"}
	}
	route.Integration = integration
	h.api.Routes = append(h.api.Routes, route)
}

// httpIntegration reads an AWS::ApiGatewayV2::Integration.
func (p props) httpIntegration() Integration {
	i := Integration{
		Type:    p.text("IntegrationType"),
		Timeout: time.Duration(p.int("TimeoutInMillis", int(httpAPITimeout/time.Millisecond))) * time.Millisecond,
	}
	i.target(cmp.Or(p.text("IntegrationUri"), p.text("IntegrationSubtype")))
	return i
}

// target is a function, by its ARN or the URI that calls it, or anything else.
func (i *Integration) target(uri string) {
	i.FunctionARN = functionOf(uri)
	if i.FunctionARN == "" && isFunctionARN(uri) {
		i.FunctionARN = uri
	}
	if i.FunctionARN == "" {
		i.URI = uri
	}
}

func isFunctionARN(text string) bool {
	parts := strings.SplitN(text, ":", 7)
	return len(parts) == 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function"
}

// httpStage reads an AWS::ApiGatewayV2::Stage.
func (d declared) httpStage() APIStage {
	p := d.noted()
	stage := APIStage{
		Place: d.Place, Name: p.text("StageName"),
		Variables: p.object("StageVariables").textMap(),
		AccessLog: p.accessLog("AccessLogSettings"),
		Default:   p.object("DefaultRouteSettings").settings(MethodSettings{}),
		Methods:   map[string]MethodSettings{},
	}
	routes := p.object("RouteSettings")
	for key := range routes.values {
		stage.Methods[key] = routes.object(key).settings(stage.Default)
	}
	return stage
}

// quickCreate reads an API that says by its Target what answers every request:
// API Gateway makes the route, the integration and the stage ("Quick create").
func (h *httpReader) quickCreate(d declared) {
	p := d.noted()
	integration := Integration{Type: IntegrationHTTPProxy, Timeout: httpAPITimeout}
	integration.target(p.text("Target"))
	if integration.FunctionARN != "" {
		integration.Type = IntegrationLambdaProxy
	}
	route := HTTPRoute{
		Place: d.Place, Key: cmp.Or(p.text("RouteKey"), defaultRoute), AuthorizationType: AuthorizationNone,
		Integration: integration, PublicReason: d.reason(publicMetadataKey),
	}
	h.api.Routes = append(h.api.Routes, route)
	if !slices.ContainsFunc(h.api.Stages, func(s APIStage) bool { return s.Name == defaultStage }) {
		h.api.Stages = append(h.api.Stages, APIStage{Place: d.Place, Name: defaultStage, Methods: map[string]MethodSettings{}})
	}
}
