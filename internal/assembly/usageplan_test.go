package assembly_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const plans = `
	"Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Name": "customer", "Enabled": true, "Value": "planted-0123456789-planted", "GenerateDistinctId": true}},
	"Made": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"StageKeys": [{"RestApiId": {"Ref": "API"}, "StageName": "live"}]}},
	"Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"UsagePlanName": "basic", "Throttle": {"RateLimit": 2.5}, "Quota": {"Limit": 100, "Offset": 3, "Period": "WEEK"},
		"ApiStages": [{"ApiId": {"Ref": "API"}, "Stage": {"Ref": "Stage"}, "Throttle": {"/open/GET": {"RateLimit": 0, "BurstLimit": 0}, "//ANY": {"BurstLimit": 7}, "/PUT": {"RateLimit": 1, "BurstLimit": 1}}}]}},
	"Planned": {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}},
	"Imported": {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {"KeyId": "abcdef", "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}}`

func TestUsagePlans(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Api", template(withPool(anyPool), plans)})
	if err := m.Servable(); err != nil {
		t.Fatal(err)
	}
	key, made, plan := m.APIKeys[0], m.APIKeys[1], m.UsagePlans[0]
	if key.Name != "customer" || !key.Enabled || key.Value != "planted-0123456789-planted" || len(key.ID) != 10 {
		t.Errorf("the key is %s %s, enabled %v", key.ID, key.Name, key.Enabled)
	}
	if made.Enabled || made.Value != "" || len(m.NotUnderstood) > 0 {
		t.Errorf("a key that says nothing: enabled %v; %v", made.Enabled, m.NotUnderstood)
	}
	want := assembly.UsagePlan{
		Place: plan.Place, ID: plan.ID, Name: "basic",
		Throttle: &assembly.Throttle{Rate: 2.5, Burst: 5_000},
		Quota:    &assembly.Quota{Limit: 100, Offset: 3, Period: "WEEK"},
		Stages: []assembly.UsagePlanStage{{APIID: m.RestAPIs[0].ID, Stage: "live", Throttles: map[string]assembly.Throttle{
			"GET /open": {}, "ANY /": {Rate: 10_000, Burst: 7}, "PUT /": {Rate: 1, Burst: 1}}}},
		KeyIDs: []string{"abcdef", key.ID},
	}
	if !reflect.DeepEqual(*plan, want) {
		t.Errorf("got  %+v\nwant %+v", *plan, want)
	}
}

func TestUnsupportedUsagePlans(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, with, want string
		decides         bool
	}{
		"value on AWS only":  {`"planted-0123456789-planted"`, `"{{resolve:secretsmanager:planted}}"`, "the key's value is known on AWS only", false},
		"key's property":     {`"GenerateDistinctId"`, `"Open"`, "property Open is not understood", true},
		"kind of key":        {`"KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}},`, `"KeyType": "OTHER", "UsagePlanId": {"Ref": "Plan"}}},`, `the KeyType "OTHER" is not understood`, true},
		"plan's property":    {`"UsagePlanName"`, `"PlanName"`, "property PlanName is not understood", true},
		"stage's property":   {`"ApiStages": [{"ApiId"`, `"ApiStages": [{"Open": true, "ApiId"`, "ApiStages[0]: property Open is not understood", true},
		"period":             {`"WEEK"`, `"YEAR"`, `in each "YEAR" is not understood`, true},
		"offset beyond":      {`"Offset": 3`, `"Offset": 7`, "a quota of 100 requests, 7 of them made", true},
		"short value":        {`"planted-0123456789-planted"`, `"planted"`, "the key's value has 7 characters; API Gateway takes 20 to 128", true},
		"no limit":           {`"Limit": 100, `, ``, "a quota of 0 requests", true},
		"rate on AWS only":   {`2.5`, `{"Fn::ImportValue": "x"}`, "no stack of this stage exports", true},
		"negative rate":      {`2.5`, `-1`, "a throttle of -1 requests a second", true},
		"throttled nothing":  {`{"BurstLimit": 7}`, `{}`, `the throttle of "//ANY" is not understood`, true},
		"throttled no route": {`"/open/GET"`, `"/open"`, `the throttle of "/open" is not understood`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(plans, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			m := read(t, [2]string{"Api", template(withPool(anyPool), strings.Replace(plans, test.old, test.with, 1))})
			if !lists(m, test.want, test.decides) {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
			for _, p := range m.NotUnderstood {
				if strings.Contains(p.Text, "planted") {
					t.Error("a key's value is in a problem")
				}
			}
		})
	}
}
