package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestAllStages(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("GET", "/a", open))
	functions := &fakeFunctions{}
	c.Functions = functions
	h, err := All(c, []assembly.APIStage{
		{Name: "dev"},
		{Name: "prod", Default: assembly.MethodSettings{Throttle: &assembly.Throttle{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{
		"http://127.0.0.1:4010/a":                         200,
		"http://127.0.0.1:4010/prod/a":                    403,
		"http://api123.execute-api.localhost:4010/dev/a":  200,
		"http://API123.execute-api.localhost/prod/a":      429,
		"http://api123.execute-api.localhost/prod":        403,
		"http://api123.execute-api.localhost/%70rod/a":    403,
		"http://api123.execute-api.localhost//prod/a":     403,
		"http://api123.execute-api.localhost/test/a":      403,
		"http://api123.execute-api.localhost/a":           403,
		"http://other.execute-api.localhost/prod/a":       403,
		"http://prod.api123.execute-api.localhost/prod/a": 403,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != want {
			t.Errorf("%s: got %d %s, want %d", target, w.Code, w.Body, want)
		}
	}
	if functions.calls() != 2 {
		t.Errorf("the function ran %d times", functions.calls())
	}
	event := (&fakeFunctions{payloads: functions.payloads[:1]}).event(t)
	if stage := event["requestContext"].(map[string]any)["stage"]; stage != "dev" {
		t.Errorf("the event's stage is %v", stage)
	}
}

func TestAllStagesRefuse(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("GET", "/a", assembly.Authorization{}))
	c.Functions = &fakeFunctions{}
	double := testPlan("plan", "a")
	double.Stages = []assembly.UsagePlanStage{{APIID: "api123", Stage: "prod"}, {APIID: "api123", Stage: "prod"}}
	c.Usage = NewUsage([]*assembly.APIKey{testKey("a")}, []*assembly.UsagePlan{double})
	_, err := All(c, []assembly.APIStage{{Name: "dev"}, {Name: "prod"}})
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || len(unsupported.Problems) != 2 {
		t.Errorf("want the problem of both stages and that of the second, got %v", err)
	}
	if _, err := All(testConfig(), nil); err == nil {
		t.Error("an API without a stage is served")
	}
}
