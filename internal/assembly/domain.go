package assembly

import (
	"cmp"
	"slices"
	"strings"
)

// Properties of AWS::ApiGateway::DomainName and AWS::ApiGatewayV2::DomainName
// that are read, or that decide nothing about a request. A policy does.
var domainNameProperties = []string{
	"CertificateArn", "DomainName", "DomainNameConfigurations", "EndpointAccessMode", "EndpointConfiguration",
	"MutualTlsAuthentication", "OwnershipVerificationCertificateArn", "RegionalCertificateArn", "RoutingMode",
	"SecurityPolicy", "Tags",
}

var (
	basePathMappingProperties = []string{"BasePath", "DomainName", "Id", "RestApiId", "Stage"}
	apiMappingProperties      = []string{"ApiId", "ApiMappingKey", "DomainName", "Stage"}
)

// readDomainNames reads the custom domains. What of one is not understood
// matters where it leads to a REST API, so it is a problem of every one that is
// not of HTTP APIs only.
func (a *apiReader) readDomainNames() {
	for _, kind := range []string{typeDomainName, typeHTTPDomainName} {
		for _, d := range a.all(kind) {
			p := d.props
			if kind == typeHTTPDomainName && !a.leadsToRestAPI(d) {
				p = p.noted()
			}
			a.model.DomainNames = append(a.model.DomainNames, p.domainName(d.Place, kind))
		}
	}
}

func (p props) domainName(place Place, kind string) *DomainName {
	p.only(domainNameProperties)
	domain := &DomainName{Place: place, Name: p.text("DomainName")}
	if kind == typeDomainName {
		domain.SecurityPolicy = p.text("SecurityPolicy")
		domain.EndpointTypes = p.object("EndpointConfiguration").texts("Types")
		if len(domain.EndpointTypes) == 0 {
			domain.EndpointTypes = []string{"EDGE"}
		}
	} else {
		for _, endpoint := range p.objects("DomainNameConfigurations") {
			domain.SecurityPolicy = cmp.Or(domain.SecurityPolicy, endpoint.text("SecurityPolicy"))
			domain.EndpointTypes = append(domain.EndpointTypes, cmp.Or(endpoint.text("EndpointType"), "REGIONAL"))
		}
	}
	if p.has("MutualTlsAuthentication") {
		domain.MutualTLS = true
		p.report(p.at, "mutual TLS is not served: client certificates would not be checked")
	}
	if mode := p.text("RoutingMode"); mode != "" && mode != "BASE_PATH_MAPPING_ONLY" && mode != "API_MAPPING_ONLY" {
		p.report(p.at, "RoutingMode %s is not understood", mode)
	}
	return domain
}

func (a *apiReader) leadsToRestAPI(d declared) bool {
	for _, api := range a.all(typeRestAPI) {
		if slices.ContainsFunc(a.of(typeHTTPMapping, api.ref), func(m declared) bool {
			return m.text("DomainName") == d.text("DomainName")
		}) {
			return true
		}
	}
	return false
}

// readMappings reads the ways to a REST API through custom domains.
func (a *apiReader) readMappings(api *RestAPI) {
	for _, d := range a.of(typeBasePathMapping, api.ID) {
		d.only(basePathMappingProperties)
		api.Domains = append(api.Domains, d.domain("BasePath"))
	}
	for _, d := range a.of(typeHTTPMapping, api.ID) {
		d.only(apiMappingProperties)
		api.Domains = append(api.Domains, d.domain("ApiMappingKey"))
	}
	sortDomains(api.Domains)
}

// domain reads one mapping.
func (p props) domain(basePath string) Domain {
	d := Domain{Name: p.text("DomainName"), BasePath: p.text(basePath), Stage: p.text("Stage")}
	if d.BasePath == "(none)" {
		d.BasePath = ""
	}
	if strings.Contains(d.BasePath, "/") {
		p.report(p.at, "%s %q has more than one part", basePath, d.BasePath)
	}
	if d.Stage == "" {
		p.report(p.at, "a mapping without a Stage is not understood")
	}
	return d
}

func sortDomains(domains []Domain) {
	slices.SortFunc(domains, func(a, b Domain) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.BasePath, b.BasePath))
	})
}
