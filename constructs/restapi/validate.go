package restapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"github.com/gatewright/gatewright/access"
)

// maxCompressionBytes bounds Props.MinCompressionBytes ("CreateRestApi",
// Amazon API Gateway).
const maxCompressionBytes = 10_485_760

// withDefaults returns props of the construct's own. A schema is cloned at its
// top only, because it is written down before New returns.
func (p Props) withDefaults() Props {
	p.Routes, p.UserPools, p.Tags = maps.Clone(p.Routes), slices.Clone(p.UserPools), maps.Clone(p.Tags)
	p.Origins, p.AllowHeaders = slices.Clone(p.Origins), slices.Clone(p.AllowHeaders)
	for pattern, route := range p.Routes {
		if route.Access.Kind == access.KindAnyOf {
			route.Access.Any = access.AnyOf(route.Access.Any...).Any
		}
		route.Access.Scopes, route.Access.Clients = slices.Clone(route.Access.Scopes), slices.Clone(route.Access.Clients)
		route.Body.Schema, route.Query = maps.Clone(route.Body.Schema), maps.Clone(route.Query)
		p.Routes[pattern] = route
	}
	p.StageName = cmp.Or(p.StageName, DefaultStageName)
	p.RateLimit = cmp.Or(p.RateLimit, DefaultRateLimit)
	p.BurstLimit = cmp.Or(p.BurstLimit, DefaultBurstLimit)
	if p.AccessLog.Retention == "" && !p.AccessLog.Off {
		p.AccessLog.Retention = awslogs.RetentionDays_ONE_MONTH
	}
	return p
}

var stagePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

func (p Props) validate() error {
	var problems []error
	for i, pool := range p.UserPools {
		if pool == nil {
			problems = append(problems, fmt.Errorf("UserPools[%d] is nil", i))
		}
	}
	if !stagePattern.MatchString(p.StageName) {
		problems = append(problems, fmt.Errorf("StageName is %q; 1 to 128 letters, digits, hyphens and underscores", p.StageName))
	}
	if p.RateLimit < 0 {
		problems = append(problems, fmt.Errorf("RateLimit is %g requests a second; it cannot be negative", p.RateLimit))
	}
	if p.BurstLimit < 0 {
		problems = append(problems, fmt.Errorf("BurstLimit is %d requests; it cannot be negative", p.BurstLimit))
	}
	if n := p.MinCompressionBytes; n < 0 || n > maxCompressionBytes {
		problems = append(problems, fmt.Errorf("MinCompressionBytes is %d; API Gateway takes 1 to %d", n, maxCompressionBytes))
	}
	if p.AccessLog.Off && p.AccessLog.Retention != "" {
		problems = append(problems, errors.New("AccessLog.Retention is set, but the log is Off"))
	}
	problems = append(problems, p.authorizerProblems()...)
	problems = append(problems, p.tagProblems()...)
	for _, pattern := range slices.Sorted(maps.Keys(p.Routes)) {
		if t := p.Routes[pattern].Throttle; t.Rate < 0 || t.Burst < 0 {
			problems = append(problems, fmt.Errorf("%s: Throttle is %g requests a second and %d at once; neither can be negative", pattern, t.Rate, t.Burst))
		}
	}
	return errors.Join(problems...)
}

// authorizerProblems are those of what only the Lambda authorizer heeds: said of
// an API without one, it would do nothing.
func (p Props) authorizerProblems() []error {
	var problems []error
	if p.Customers != nil && !p.takesKeys() {
		problems = append(problems, errors.New("Customers are given, but no route takes a key; write access.Key on one, or leave them out"))
	}
	if p.KeyHeader && !p.takesKeys() {
		problems = append(problems, errors.New("KeyHeader is set, but no route takes a key"))
	}
	if p.AuthorizerConcurrency < 0 {
		problems = append(problems, fmt.Errorf("AuthorizerConcurrency is %d requests at once; it cannot be negative", p.AuthorizerConcurrency))
	}
	if p.AuthorizerConcurrency > 0 && !p.needsAuthorizer() {
		problems = append(problems, errors.New("AuthorizerConcurrency is set, but no route needs a Lambda authorizer"))
	}
	return problems
}

// tagPattern is what a tag's key or value is written with ("Tag naming limits and
// requirements", AWS Tagging).
var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// tagProblems holds to what tags may be ("Tag naming limits and requirements").
// What is known only when the stack is deployed is taken as it is.
func (p Props) tagProblems() []error {
	var problems []error
	if len(p.Tags) > 50 {
		problems = append(problems, fmt.Errorf("%d Tags; AWS takes 50", len(p.Tags)))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		if n := utf8.RuneCountInString(key); n == 0 || n > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			problems = append(problems, fmt.Errorf("Tags: key %q; 1 to 128 characters that do not begin with aws:", key))
		}
		if !tagPattern.MatchString(key) {
			problems = append(problems, fmt.Errorf("Tags: key %q; letters, numbers, spaces and _.:/=+-@", key))
		}
		switch value := p.Tags[key]; {
		case *awscdk.Token_IsUnresolved(value):
		case utf8.RuneCountInString(value) > 256:
			problems = append(problems, fmt.Errorf("Tags: the value of %q has more than 256 characters", key))
		case !tagPattern.MatchString(value):
			problems = append(problems, fmt.Errorf("Tags: the value of %q; letters, numbers, spaces and _.:/=+-@", key))
		}
	}
	return problems
}
