package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var executeAPIOpen = audit.Rule{
	ID:       "execute-api-open",
	Severity: audit.Warning,
	Title:    "An API that its custom domain does not guard",
	Why: "The execute-api host goes on serving an API that has a custom domain. What hangs on the domain, such as mutual TLS, a TLS " +
		"policy or a firewall in front of it, is bypassed there. With mutual TLS, which is then no protection at all, it is an error.",
	Fix: "Set DisableExecuteApiEndpoint on the API (in the CDK: disableExecuteApiEndpoint) and deploy it.",
	Source: audit.Source{
		Title: "Disable the default endpoint for REST APIs, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		check := func(at assembly.Place, disabled bool, domains []assembly.Domain) {
			if disabled || len(domains) == 0 || !m.Known(at, "DisableExecuteApiEndpoint", "EndpointConfiguration") {
				return
			}
			if i := slices.IndexFunc(domains, func(d assembly.Domain) bool { return mutualTLS(m, d.Name) }); i >= 0 {
				r.FindAs(audit.Error, at, "it is served at %s and on its execute-api host, too, where nobody asks for a client certificate", domains[i].Name)
				return
			}
			r.Find(at, "it is served at %s and on its execute-api host, too", domains[0].Name)
		}
		for _, api := range m.RestAPIs {
			check(api.Place, api.ExecuteAPIDisabled || slices.Contains(api.EndpointTypes, "PRIVATE"), api.Domains)
		}
		for _, api := range m.HTTPAPIs {
			check(api.Place, api.ExecuteAPIDisabled, api.Domains)
		}
	},
}

func mutualTLS(m *assembly.Model, name string) bool {
	return slices.ContainsFunc(m.DomainNames, func(d *assembly.DomainName) bool { return d.Name == name && d.MutualTLS })
}
