package rules

import (
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var noAccessLog = audit.Rule{
	ID:       "no-access-log",
	Severity: audit.Warning,
	Title:    "A stage without an access log",
	Why:      "Without an access log nobody can say afterwards who called what, which credentials were tried, or what was refused.",
	Fix: "Set AccessLogSetting with a log group and a format of one JSON line (in the CDK: deployOptions.accessLogDestination and " +
		"accessLogFormat). API Gateway needs its logging role in the account.",
	Source: audit.Source{
		Title: "Set up CloudWatch logging for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range apisOf(m) {
			for _, stage := range api.Stages {
				if stage.AccessLog == nil {
					r.Find(stage.Place, "stage %s logs no calls", stage.Name)
				}
			}
		}
	},
}
