package rules

import (
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var planUnlimited = audit.Rule{
	ID:       "plan-unlimited",
	Severity: audit.Warning,
	Title:    "A usage plan that limits nothing",
	Why: "A usage plan is there for its limits. One without a throttle and without a quota lets each key use up what the account has, " +
		"for every other caller as well.",
	Fix: "Give the plan a throttle (rate and burst) and a quota, or throttles for its methods.",
	Source: audit.Source{
		Title: "Usage plans and API keys for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, plan := range m.UsagePlans {
			limited := plan.Throttle != nil || plan.Quota != nil ||
				slices.ContainsFunc(plan.Stages, func(s assembly.UsagePlanStage) bool { return len(s.Throttles) > 0 })
			if !limited && m.Known(plan.Place, "ApiStages", "Quota", "Throttle") {
				r.Find(plan.Place, "the plan has neither a throttle nor a quota")
			}
		}
	},
}
