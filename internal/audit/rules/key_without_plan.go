package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var keyWithoutPlan = audit.Rule{
	ID:       "key-without-plan",
	Severity: audit.Error,
	Title:    "Methods that require a key, on a stage of no usage plan",
	Why: "A key counts only through a usage plan that holds the stage. Without one every call is refused with 403 Forbidden, " +
		"whatever key it sends.",
	Fix: "Add the stage to a usage plan (in the CDK: plan.AddApiStage) and keys to the plan, or do not require a key.",
	Source: audit.Source{
		Title: "Usage plans and API keys for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range m.RestAPIs {
			var names []string
			for _, route := range api.Routes {
				if route.APIKeyRequired {
					names = append(names, route.Method+" "+route.Path)
				}
			}
			for _, stage := range api.Stages {
				if len(names) > 0 && !slices.ContainsFunc(m.UsagePlans, func(p *assembly.UsagePlan) bool {
					return covers(p, api.ID, stage.Name) || !m.Known(p.Place, "ApiStages")
				}) {
					r.Find(stage.Place, "a key is required by %s, and no usage plan has the stage %s", someOf(names), stage.Name)
				}
			}
		}
	},
}

func covers(plan *assembly.UsagePlan, api, stage string) bool {
	return slices.ContainsFunc(plan.Stages, func(s assembly.UsagePlanStage) bool { return s.APIID == api && s.Stage == stage })
}
