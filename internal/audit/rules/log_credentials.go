package rules

import (
	"maps"
	"regexp"
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var logCredentials = audit.Rule{
	ID:       "log-credentials",
	Severity: audit.Error,
	Title:    "Credentials in a log",
	Why: "A data trace writes whole requests and answers to CloudWatch Logs, with the tokens and passwords in their bodies. " +
		"An access log with $context.identity.apiKey, or with a token that an authorizer hands on, holds what opens the API. " +
		"Logs are kept for long and read by many. What counts are DataTraceEnabled and such variables of an access log's format.",
	Fix: "Switch DataTraceEnabled off, and log $context.identity.apiKeyId, $context.authorizer.principalId or a claim such as sub instead.",
	Source: audit.Source{
		Title: "Set up CloudWatch logging for REST APIs in API Gateway, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range apisOf(m) {
			for _, stage := range api.Stages {
				if stage.AccessLog != nil {
					for _, found := range loggedCredential.FindAllString(stage.AccessLog.Format, -1) {
						r.Find(stage.Place, "the access log holds %s", found)
					}
				}
				if stage.Default.DataTrace {
					r.Find(stage.Place, "whole requests to every method are logged")
				}
				for _, name := range slices.Sorted(maps.Keys(stage.Methods)) {
					if stage.Methods[name].DataTrace {
						r.Find(stage.Place, "whole requests to %s are logged", name)
					}
				}
			}
		}
	},
}

// loggedCredential finds variables of an access log that hold a credential
// ("Variables for access logging for API Gateway").
var loggedCredential = regexp.MustCompile(`\$context\.identity\.apiKey\b|` +
	`(?i:\$context\.(?:authorizer|requestOverride\.header)\.[\w.-]*(?:token|secret|password|credential|authorization|api-?key)\b)|` +
	`(?i:\$(?:input|request|method\.request)\.[\w.()'-]*(?:authorization|x-api-key)\b(?:'\))?)`)
