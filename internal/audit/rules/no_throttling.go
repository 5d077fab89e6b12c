package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var noThrottling = audit.Rule{
	ID:       "no-throttling",
	Severity: audit.Warning,
	Title:    "Methods that only the account's limit slows down",
	Why: "All APIs of an account and Region share its limit of requests a second. A method without a throttle of its stage or its own " +
		"lets one caller use all of it, and every other API answers 429 as well. What counts is a stage with a method that has neither.",
	Fix: "Set ThrottlingRateLimit and ThrottlingBurstLimit for all methods of the stage (in the CDK: deployOptions.throttlingRateLimit " +
		"and throttlingBurstLimit).",
	Source: audit.Source{
		Title: "Throttle requests to your REST APIs for better throughput in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range m.RestAPIs {
			for _, stage := range api.Stages {
				var names []string
				for _, route := range api.Routes {
					if !isPreflight(route) && stage.Settings(route.Method, route.Path).Throttle == nil {
						names = append(names, route.Method+" "+route.Path)
					}
				}
				if len(names) > 0 && m.Known(stage.Place, "MethodSettings", "StageDescription") {
					r.Find(stage.Place, "on stage %s nothing throttles %s", stage.Name, someOf(names))
				}
			}
		}
		for _, api := range m.HTTPAPIs {
			for _, stage := range api.Stages {
				var keys []string
				for _, route := range api.Routes {
					if stage.Default.Throttle == nil && stage.Methods[route.Key].Throttle == nil {
						keys = append(keys, route.Key)
					}
				}
				if len(keys) > 0 && m.Known(stage.Place, "DefaultRouteSettings", "RouteSettings") {
					r.Find(stage.Place, "on stage %s nothing throttles %s", stage.Name, someOf(keys))
				}
			}
		}
	},
}
