// Package usageplan limits callers by API Gateway's own keys: a usage plan with a
// rate, a burst and a quota for each key, and the keys themselves, made when the
// stack is deployed.
//
//	usageplan.New(stack, "Partners", usageplan.Props{
//		APIs:       []*restapi.RestAPI{api},
//		Keys:       []string{"acme", "globex"},
//		RateLimit:  10,
//		BurstLimit: 20,
//		Quota:      usageplan.Quota{Limit: 100_000, Period: awsapigateway.Period_MONTH},
//	})
//
// It is for a handful of partners that are known when the stack is deployed, on
// routes with APIKeyRequired. A key limits and never lets anybody in: the route's
// rule asks for a token or a customer's key besides.
//
// Use constructs/customers instead where a key should say who is calling, where
// customers come and go without a deployment, or where there may be many: an
// account and Region has at most 10,000 of API Gateway's keys, which AWS does not
// raise ("Amazon API Gateway quotas"), and whoever may read keys in the console
// sees their values. The limits are best effort, which keys may exceed; AWS says
// not to rely on them to control costs or to block access ("Usage plans and API
// keys for REST APIs in API Gateway").
package usageplan

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/restapi"
)

// Props describes a usage plan. It needs a limit: RateLimit and BurstLimit, a
// Quota, or both.
type Props struct {
	// APIs are those whose requests count, each with all its routes that have
	// APIKeyRequired. At least one. An API twice, a nil one, and one without such a
	// route are errors.
	APIs []*restapi.RestAPI
	// Keys are the names of the keys, for people: 1 to 64 letters, digits and
	// . _ -. At least one; another form, and a name twice, is an error. API Gateway
	// makes up each value, which never stands in the template; its console and
	// `aws apigateway get-api-key --include-value` show it. A name that changes
	// makes another key, and deletes the one before.
	Keys []string
	// RateLimit is how many requests a second each key may make, steadily, and
	// BurstLimit how many at once beyond that; more are answered 429. One without
	// the other is an error, because a plan's 0 lets none through; so is a negative
	// one. Default: no such limit.
	RateLimit  float64
	BurstLimit int
	// Quota is how many requests each key may make in a period; more are answered
	// 429. Default: none.
	Quota Quota
}

// Quota is a number of requests in a period.
type Quota struct {
	// Limit is the number of requests. Default: no quota. Negative is an error.
	Limit int
	// Period is DAY, WEEK or MONTH. Another is an error, and so is one without a
	// Limit. No default: a Limit without a Period is an error.
	Period awsapigateway.Period
}

// UsagePlan is a usage plan with its keys.
type UsagePlan struct {
	// Plan is the CDK's object, and Keys are those of the keys by name.
	Plan awsapigateway.UsagePlan
	Keys map[string]awsapigateway.ApiKey
}

// New declares the plan and its keys. It panics with an error that names the
// construct and holds every problem where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *UsagePlan {
	this := constructs.NewConstruct(scope, jsii.String(id))
	if err := p.validate(); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	plan := awsapigateway.NewUsagePlan(this, jsii.String("Plan"), &awsapigateway.UsagePlanProps{
		ApiStages: p.stages(),
		Quota:     p.Quota.settings(),
		Throttle:  p.throttle(),
	})
	keys := map[string]awsapigateway.ApiKey{}
	for _, name := range p.Keys {
		keys[name] = awsapigateway.NewApiKey(this, jsii.String("Key."+name), &awsapigateway.ApiKeyProps{ApiKeyName: jsii.String(name)})
		plan.AddApiKey(keys[name], nil)
	}
	return &UsagePlan{Plan: plan, Keys: keys}
}

func (p Props) stages() *[]*awsapigateway.UsagePlanPerApiStage {
	var stages []*awsapigateway.UsagePlanPerApiStage
	for _, api := range p.APIs {
		stages = append(stages, &awsapigateway.UsagePlanPerApiStage{Api: api.API, Stage: api.Stage})
	}
	return &stages
}

func (p Props) throttle() *awsapigateway.ThrottleSettings {
	if p.RateLimit == 0 {
		return nil
	}
	return &awsapigateway.ThrottleSettings{RateLimit: jsii.Number(p.RateLimit), BurstLimit: jsii.Number(p.BurstLimit)}
}

func (q Quota) settings() *awsapigateway.QuotaSettings {
	if q.Limit == 0 {
		return nil
	}
	return &awsapigateway.QuotaSettings{Limit: jsii.Number(q.Limit), Period: q.Period}
}

var keyPattern = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,64}$`)

func (p Props) validate() error {
	var problems []error
	if len(p.APIs) == 0 {
		problems = append(problems, errors.New("no APIs; a plan limits those that it names"))
	}
	for i, api := range p.APIs {
		switch {
		case api == nil:
			problems = append(problems, fmt.Errorf("APIs[%d] is nil", i))
		case slices.Contains(p.APIs[:i], api):
			problems = append(problems, fmt.Errorf("APIs[%d] %s: a second time", i, *api.API.Node().Path()))
		case !api.RequiresAPIKey():
			problems = append(problems, fmt.Errorf("APIs[%d] %s: no route asks for a key, so nothing would be limited; set APIKeyRequired on one", i, *api.API.Node().Path()))
		}
	}
	if len(p.Keys) == 0 {
		problems = append(problems, errors.New("no Keys; without one nobody may call the routes that ask for it"))
	}
	for i, name := range p.Keys {
		switch {
		case !keyPattern.MatchString(name):
			problems = append(problems, fmt.Errorf("Keys[%d] is %q; 1 to 64 letters, digits and . _ -", i, name))
		case slices.Contains(p.Keys[:i], name):
			problems = append(problems, fmt.Errorf("Keys[%d] %q: a second time", i, name))
		}
	}
	return errors.Join(append(problems, p.limitProblems()...)...)
}

// limitProblems are those of the rate, the burst and the quota.
func (p Props) limitProblems() []error {
	var problems []error
	none := p.RateLimit == 0 && p.BurstLimit == 0
	switch {
	case none && p.Quota == Quota{}:
		problems = append(problems, errors.New("no limit; set RateLimit and BurstLimit, a Quota, or both"))
	case p.RateLimit < 0 || p.BurstLimit < 0:
		problems = append(problems, fmt.Errorf("RateLimit is %g requests a second and BurstLimit %d at once; neither can be negative", p.RateLimit, p.BurstLimit))
	case !none && (p.RateLimit == 0 || p.BurstLimit == 0):
		problems = append(problems, fmt.Errorf("RateLimit is %g requests a second and BurstLimit %d at once; set both, because 0 lets none through", p.RateLimit, p.BurstLimit))
	}
	periods := []awsapigateway.Period{awsapigateway.Period_DAY, awsapigateway.Period_WEEK, awsapigateway.Period_MONTH}
	if q := p.Quota; q.Limit < 0 || q.Limit == 0 && q.Period != "" || q.Limit > 0 && !slices.Contains(periods, q.Period) {
		problems = append(problems, fmt.Errorf("Quota is %d requests in each %q; at least 1, and DAY, WEEK or MONTH", q.Limit, q.Period))
	}
	return problems
}
