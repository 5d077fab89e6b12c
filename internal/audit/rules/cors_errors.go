package rules

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var corsErrors = audit.Rule{
	ID:       "cors-errors",
	Severity: audit.Warning,
	Title:    "Web pages cannot read what API Gateway refuses",
	Why: "An API that answers preflights is called by web pages. Where API Gateway itself refuses a call, with 401 or 429, the " +
		"answer carries no CORS headers unless the gateway response says so, and the browser shows the page a network " +
		"error instead of the status. A response of its own type replaces the default one with all its headers.",
	Fix: "Add gateway responses DEFAULT_4XX and DEFAULT_5XX with the header Access-Control-Allow-Origin (in the CDK: " +
		"api.AddGatewayResponse), and the same header to every response of a type of its own.",
	Source: audit.Source{
		Title: "Gateway responses for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range m.RestAPIs {
			if _, unknown := api.GatewayResponses[""]; unknown || !hasCORS(api) {
				continue
			}
			kinds := slices.Compact(slices.Sorted(slices.Values(append([]string{"DEFAULT_4XX", "DEFAULT_5XX"}, slices.Collect(maps.Keys(api.GatewayResponses))...))))
			without := slices.DeleteFunc(kinds, func(kind string) bool { return carriesCORS(api.GatewayResponses[kind]) })
			if len(without) > 0 {
				r.Find(api.Place, "it answers preflights, and without %s: %s", allowOrigin, strings.Join(without, ", "))
			}
		}
	},
}

func carriesCORS(response assembly.GatewayResponse) bool {
	for name := range response.Parameters {
		if strings.EqualFold(name, "gatewayresponse.header."+allowOrigin) {
			return true
		}
	}
	return false
}
