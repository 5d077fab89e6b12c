package assembly

import "strings"

var (
	apiKeyProperties       = []string{"CustomerId", "Description", "Enabled", "GenerateDistinctId", "Name", "StageKeys", "Tags", "Value"}
	usagePlanProperties    = []string{"ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"}
	usagePlanKeyProperties = []string{"KeyId", "KeyType", "UsagePlanId"}
)

// Characters of a key's value ("Amazon API Gateway quotas").
const (
	minKeyLength = 20
	maxKeyLength = 128
)

// readAPIKeys reads the keys. StageKeys, which CDK writes with each, are not
// read: since usage plans, only a plan opens a stage to a key. What is not
// known of a key cannot let anybody pass: a value that is not known is
// nobody's, so it is listed only.
func (a *apiReader) readAPIKeys() {
	for _, d := range a.all(typeKey) {
		d.only(apiKeyProperties)
		key := &APIKey{Place: d.Place, ID: d.ref, Name: d.noted().text("Name"), Enabled: d.noted().bool("Enabled")}
		if value, ok := d.values["Value"].(string); ok {
			key.Value = value
			if len(value) < minKeyLength || len(value) > maxKeyLength {
				a.problem(d.at, "the key's value has %d characters; API Gateway takes %d to %d", len(value), minKeyLength, maxKeyLength)
			}
		}
		if u, ok := d.unknown("Value"); ok {
			a.note(u.At, "the key's value is known on AWS only")
		}
		a.model.APIKeys = append(a.model.APIKeys, key)
	}
}

// readUsagePlans reads the plans with their keys.
func (a *apiReader) readUsagePlans() {
	keys := map[string][]string{}
	for _, d := range a.all(typeUsagePlanKey) {
		d.only(usagePlanKeyProperties)
		if kind := d.text("KeyType"); kind != "API_KEY" {
			a.problem(d.at, "the KeyType %q is not understood", kind)
		}
		plan := d.text("UsagePlanId")
		keys[plan] = append(keys[plan], d.text("KeyId"))
	}
	for _, d := range a.all(typeUsagePlan) {
		d.only(usagePlanProperties)
		plan := &UsagePlan{
			Place: d.Place, ID: d.ref, Name: d.noted().text("UsagePlanName"),
			Throttle: d.object("Throttle").throttle("RateLimit", "BurstLimit", nil),
			Quota:    d.quota(),
			KeyIDs:   keys[d.ref],
		}
		for _, p := range d.objects("ApiStages") {
			p.only([]string{"ApiId", "Stage", "Throttle"})
			plan.Stages = append(plan.Stages, p.planStage())
		}
		a.model.UsagePlans = append(a.model.UsagePlans, plan)
	}
}

// lastOffset is the largest Offset that API Gateway takes for each period.
var lastOffset = map[string]int{"DAY": 0, "WEEK": 6, "MONTH": 27}

func (d declared) quota() *Quota {
	if !d.has("Quota") {
		return nil
	}
	p := d.object("Quota")
	p.only([]string{"Limit", "Offset", "Period"})
	q := &Quota{Limit: p.int("Limit", 0), Offset: p.int("Offset", 0), Period: p.text("Period")}
	last, known := lastOffset[q.Period]
	if !p.has("Limit") || q.Limit < 0 || q.Offset < 0 || q.Offset > last || !known {
		p.report(p.at, "a quota of %d requests, %d of them made, in each %q is not understood", q.Limit, q.Offset, q.Period)
	}
	return q
}

func (p props) planStage() UsagePlanStage {
	stage := UsagePlanStage{APIID: p.text("ApiId"), Stage: p.text("Stage"), Throttles: map[string]Throttle{}}
	throttles := p.object("Throttle")
	for key := range throttles.values {
		route, ok := planRoute(key)
		throttle := throttles.object(key).throttle("RateLimit", "BurstLimit", nil)
		if !ok || throttle == nil {
			p.report(throttles.at, "the throttle of %q is not understood", key)
			continue
		}
		stage.Throttles[route] = *throttle
	}
	return stage
}

// planRoute reads a key such as "/v1/notes/GET", or "//GET" of the root
// ("AWS::ApiGateway::UsagePlan ApiStage").
func planRoute(key string) (route string, ok bool) {
	end := strings.LastIndex(key, "/")
	if end < 0 || !isMethod(key[end+1:]) || !strings.HasPrefix(key, "/") {
		return "", false
	}
	path := key[:end]
	if path == "" {
		path = "/"
	}
	return key[end+1:] + " " + path, true
}
