package assembly

import "strings"

// Types of API Gateway that are read with an API.
const (
	typeAPIResource      = "AWS::ApiGateway::Resource"
	typeMethod           = "AWS::ApiGateway::Method"
	typeAuthorizer       = "AWS::ApiGateway::Authorizer"
	typeModel            = "AWS::ApiGateway::Model"
	typeRequestValidator = "AWS::ApiGateway::RequestValidator"
	typeGatewayResponse  = "AWS::ApiGateway::GatewayResponse"
	typeKey              = "AWS::ApiGateway::ApiKey"
	typeUsagePlan        = "AWS::ApiGateway::UsagePlan"
	typeUsagePlanKey     = "AWS::ApiGateway::UsagePlanKey"
	typeHTTPAPI          = "AWS::ApiGatewayV2::Api"
	typeHTTPRoute        = "AWS::ApiGatewayV2::Route"
	typeHTTPIntegration  = "AWS::ApiGatewayV2::Integration"
	typeHTTPAuthorizer   = "AWS::ApiGatewayV2::Authorizer"
	typeHTTPStage        = "AWS::ApiGatewayV2::Stage"
	typeHTTPMapping      = "AWS::ApiGatewayV2::ApiMapping"
	typeHTTPDomainName   = "AWS::ApiGatewayV2::DomainName"
)

// apiTypes are the types under AWS::ApiGateway:: and AWS::ApiGatewayV2:: that
// are read, or that decide nothing about a request. Any other could.
var apiTypes = []string{
	typeRestAPI, typeAPIStage, typeDeployment, typeBasePathMapping, typeDomainName,
	typeAPIResource, typeMethod, typeAuthorizer, typeModel, typeRequestValidator, typeGatewayResponse,
	typeKey, typeUsagePlan, typeUsagePlanKey,
	"AWS::ApiGateway::Account", "AWS::ApiGateway::ClientCertificate", "AWS::ApiGateway::DocumentationPart",
	"AWS::ApiGateway::DocumentationVersion", "AWS::ApiGateway::VpcLink",
	typeHTTPAPI, typeHTTPRoute, typeHTTPIntegration, typeHTTPAuthorizer, typeHTTPStage, typeHTTPMapping, typeHTTPDomainName,
	"AWS::ApiGatewayV2::Deployment", "AWS::ApiGatewayV2::VpcLink",
	// Of HTTP and WebSocket APIs, which are not served.
	"AWS::ApiGatewayV2::ApiGatewayManagedOverrides", "AWS::ApiGatewayV2::IntegrationResponse",
	"AWS::ApiGatewayV2::Model", "AWS::ApiGatewayV2::RouteResponse",
}

// ofAPI names the property that leads from a resource to its API.
var ofAPI = map[string]string{
	typeAPIResource: "RestApiId", typeMethod: "RestApiId", typeAuthorizer: "RestApiId", typeModel: "RestApiId",
	typeRequestValidator: "RestApiId", typeGatewayResponse: "RestApiId", typeDeployment: "RestApiId",
	typeAPIStage: "RestApiId", typeBasePathMapping: "RestApiId",
	typeHTTPRoute: "ApiId", typeHTTPIntegration: "ApiId", typeHTTPAuthorizer: "ApiId", typeHTTPStage: "ApiId", typeHTTPMapping: "ApiId",
}

// declared is a resource with its properties, in whichever stack it stands.
type declared struct {
	props
	Place
	stack    *stack
	ref      string // physical id
	metadata map[string]any
}

// apiReader reads the APIs of a stage and what hangs on them.
type apiReader struct {
	*reader
	byType map[string][]declared
	byAPI  map[string]map[string][]declared // by type and API id
}

// readAPIs reads every API with its domains, keys and usage plans.
func (r *reader) readAPIs() {
	a := &apiReader{reader: r, byType: map[string][]declared{}, byAPI: map[string]map[string][]declared{}}
	a.readDomainNames()
	for _, d := range a.all(typeRestAPI) {
		a.readRestAPI(d)
	}
	for _, d := range a.all(typeHTTPAPI) {
		a.readHTTPAPI(d)
	}
	a.readAPIKeys()
	a.readUsagePlans()
	a.noteStrangers()
}

// all returns the stage's resources of a type, by stack and logical id.
func (a *apiReader) all(kind string) []declared {
	if list, done := a.byType[kind]; done {
		return list
	}
	list := []declared{}
	for _, s := range a.stacks {
		for _, id := range s.ofType(kind) {
			if p, ok := a.properties(s, id); ok {
				list = append(list, declared{
					props: p, Place: s.place(id), stack: s, ref: text(a.ref(s, id, p.at)), metadata: s.template.Resources[id].Metadata,
				})
			}
		}
	}
	a.byType[kind] = list
	return list
}

// of returns the resources of a type that belong to an API.
func (a *apiReader) of(kind, apiID string) []declared {
	groups, done := a.byAPI[kind]
	if !done {
		groups = map[string][]declared{}
		for _, d := range a.all(kind) {
			id := d.ofAPI(kind)
			groups[id] = append(groups[id], d)
		}
		a.byAPI[kind] = groups
	}
	return groups[apiID]
}

// ofAPI returns the id of the API that a resource belongs to. One that is not
// known may be an API that is served, unless the type is of HTTP APIs only.
func (d declared) ofAPI(kind string) string {
	p := d.props
	if ofAPI[kind] == "ApiId" {
		p = p.noted()
	}
	return p.text(ofAPI[kind])
}

// noteStrangers lists what belongs to an API that the stage does not declare:
// it is neither served nor reported.
func (a *apiReader) noteStrangers() {
	known := map[string]bool{"": true} // an unknown id is listed already
	for _, kind := range []string{typeRestAPI, typeHTTPAPI} {
		for _, d := range a.all(kind) {
			known[d.ref] = true
		}
	}
	for _, kind := range apiTypes {
		if ofAPI[kind] == "" {
			continue
		}
		for _, d := range a.all(kind) {
			if id := d.ofAPI(kind); !known[id] {
				a.note(d.at, "the API %s is not declared here, so this is not read", id)
			}
		}
	}
}

// reason reads a text of a resource's Metadata that states a reason; blanks
// state none. It is kept for people and never decides anything.
func (d declared) reason(key string) string { return strings.TrimSpace(text(d.metadata[key])) }

// reasonFor reads Metadata that states a reason for each of several things.
func (d declared) reasonFor(key, thing string) string {
	return strings.TrimSpace(text(members(d.metadata[key])[thing]))
}
