package rules

import (
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var authorizerCached = audit.Rule{
	ID:       "authorizer-cached",
	Severity: audit.Warning,
	Title:    "A Lambda authorizer whose answers are cached without a reason",
	Why: "A cached answer outlives a revoked credential, no limit is counted while it lasts, and the policy in it decides about every " +
		"other route that the same credential calls: one for a single method refuses the rest, a wide one admits too much. " +
		"REST APIs cache for 300 seconds unless told otherwise.",
	Fix: "Set AuthorizerResultTtlInSeconds to 0 (in the CDK: resultsCacheTtl of zero), or say why answers may be cached: in Metadata " +
		"\"gatewright:cached\", a text on the authorizer or, for an OpenAPI body, an object of authorizer and reason on the RestApi.",
	Source: audit.Source{
		Title: "Use API Gateway Lambda authorizers, Amazon API Gateway",
		URL:   "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, api := range apisOf(m) {
			for _, a := range api.Authorizers {
				if (a.Type == assembly.AuthorizerToken || a.Type == assembly.AuthorizerRequest) && a.CacheTTL > 0 && a.CacheReason == "" && m.Known(a.Place, "AuthorizerResultTtlInSeconds") {
					r.Find(a.Place, "the answers of %s are cached for %d s", a.Name, a.CacheTTL/time.Second)
				}
			}
		}
	},
}
