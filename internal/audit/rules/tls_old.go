package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var tlsOld = audit.Rule{
	ID:       "tls-old",
	Severity: audit.Error,
	Title:    "A domain that takes TLS below 1.2",
	Why: "TLS 1.0 and 1.1 are deprecated (RFC 8996). A domain name takes them with the security policy TLS_1_0, and an " +
		"edge-optimized one also where the template states no policy.",
	Fix: "Set SecurityPolicy to TLS_1_2 (in the CDK: securityPolicy) or to a newer policy.",
	Source: audit.Source{
		Title: "Choose a security policy for your custom domain in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, domain := range m.DomainNames {
			switch {
			case domain.SecurityPolicy == "TLS_1_0":
				r.Find(domain.Place, "%s takes TLS 1.0", domain.Name)
			case domain.SecurityPolicy == "" && m.Known(domain.Place, "EndpointConfiguration", "SecurityPolicy") && slices.Contains(domain.EndpointTypes, "EDGE"):
				r.Find(domain.Place, "%s is edge-optimized and states no security policy", domain.Name)
			}
		}
	},
}
