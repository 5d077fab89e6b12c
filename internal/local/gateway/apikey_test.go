package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/internal/assembly"
)

// keyed is a route that requires a key.
func keyed(method, path string, a assembly.Authorization) assembly.Route {
	r := proxy(method, path, a)
	r.APIKeyRequired = true
	return r
}

// testKey is an enabled key whose value says its id.
func testKey(id string) *assembly.APIKey {
	return &assembly.APIKey{ID: id, Name: "name-" + id, Value: valueOf(id), Enabled: true, Place: assembly.Place{Path: "dev/Api/" + id}}
}

func valueOf(id string) string { return "planted-secret-of-" + id }

func testPlan(id string, keys ...string) *assembly.UsagePlan {
	return &assembly.UsagePlan{
		ID: id, Name: "name-" + id, KeyIDs: keys, Place: assembly.Place{Path: "dev/Api/" + id},
		Stages: []assembly.UsagePlanStage{{APIID: "api123", Stage: "dev"}},
	}
}

const forbiddenBody = `{"message":"Forbidden"}`

// call sends a request with an x-api-key header unless it is empty.
func (g *testGateway) call(method, target, authorization, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if key != "" {
		r.Header.Set("x-api-key", key)
	}
	return g.do(r)
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	off, empty, blank := testKey("off"), testKey("empty"), testKey("blank")
	off.Enabled, empty.Value, blank.Value = false, "", ""
	elsewhere, otherStage, bare := testPlan("elsewhere", "elsewhere"), testPlan("other-stage", "other-stage"), testPlan("bare", "bare")
	elsewhere.Stages[0].APIID, otherStage.Stages[0].Stage, bare.Stages = "api999", "prod", nil
	c := testConfig(keyed("GET", "/keyed", open), keyed("GET", "/both", cognito("notes/read")), proxy("GET", "/open", open))
	c.Usage = NewUsage(
		[]*assembly.APIKey{testKey("good"), off, empty, blank, testKey("elsewhere"), testKey("other-stage"), testKey("bare"), testKey("no-plan")},
		[]*assembly.UsagePlan{testPlan("plan", "good", "off", "empty", "blank", "imported"), elsewhere, otherStage, bare},
	)
	tests := map[string]struct {
		target, token string
		keys          []string
		status        int
		reason        string
	}{
		"good":               {"/keyed", "", []string{valueOf("good")}, 200, "public"},
		"none":               {"/keyed", "", nil, 403, "no API key"},
		"empty":              {"/keyed", "", []string{""}, 403, "no API key"},
		"unknown":            {"/keyed", "", []string{"planted-secret"}, 403, "API key refused"},
		"its id":             {"/keyed", "", []string{"good"}, 403, "API key refused"},
		"with a space":       {"/keyed", "", []string{valueOf("good") + " "}, 403, "API key refused"},
		"upper case":         {"/keyed", "", []string{strings.ToUpper(valueOf("good"))}, 403, "API key refused"},
		"twice":              {"/keyed", "", []string{valueOf("good"), valueOf("good")}, 403, "more than one API key"},
		"disabled":           {"/keyed", "", []string{valueOf("off")}, 403, "API key refused"},
		"on no plan":         {"/keyed", "", []string{valueOf("no-plan")}, 403, "API key refused"},
		"another API's":      {"/keyed", "", []string{valueOf("elsewhere")}, 403, "API key refused"},
		"another stage's":    {"/keyed", "", []string{valueOf("other-stage")}, 403, "API key refused"},
		"a plan of no stage": {"/keyed", "", []string{valueOf("bare")}, 403, "API key refused"},
		"in the query":       {"/keyed?x-api-key=" + valueOf("good"), "", nil, 403, "no API key"},
		"and a token":        {"/both", "access-read", []string{valueOf("good")}, 200, "token"},
		"no token":           {"/both", "", []string{valueOf("good")}, 401, "no token"},
		"token, no key":      {"/both", "access-read", nil, 403, "no API key"},
		"neither":            {"/both", "", nil, 401, "no token"},
		"where none is due":  {"/open", "", []string{"planted-secret"}, 200, "public"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodGet, test.target, nil)
			r.Header["X-Api-Key"] = test.keys
			r.Header.Set("Authorization", test.token)
			w := g.do(r)
			if test.status == 403 {
				check(t, w, 403, forbiddenBody, "ForbiddenException")
			}
			if ran := g.functions.calls() > 0; w.Code != test.status || ran != (test.status == 200) {
				t.Errorf("got %d, function ran: %v", w.Code, ran)
			}
			line := g.line(t)
			if line["reason"] != test.reason {
				t.Errorf("logged %v, want %q", line["reason"], test.reason)
			}
			if logged := strings.ReplaceAll(g.logged.String(), "/keyed", ""); strings.Contains(logged, "planted") || strings.Contains(logged, "name-") {
				t.Errorf("a key shows in %s", logged)
			}
			if test.status != 200 {
				return
			}
			identity := g.functions.event(t)["requestContext"].(map[string]any)["identity"].(map[string]any)
			value, id := identity["apiKey"], identity["apiKeyId"]
			if keyed := test.target != "/open"; keyed && (value != valueOf("good") || id != "good") || !keyed && (value != nil || id != nil) {
				t.Errorf("the event has the key %v with the id %v", value, id)
			}
		})
	}
	t.Run("customized", func(t *testing.T) {
		t.Parallel()
		c := c
		api := *c.API
		api.GatewayResponses = map[string]assembly.GatewayResponse{"INVALID_API_KEY": {StatusCode: 429}}
		c.API = &api
		check(t, serve(t, c).call("GET", "/keyed", "", "x"), 429, forbiddenBody, "ForbiddenException")
	})
	t.Run("no usage at all", func(t *testing.T) {
		t.Parallel()
		check(t, serve(t, testConfig(keyed("GET", "/keyed", open))).call("GET", "/keyed", "", valueOf("good")), 403, forbiddenBody, "ForbiddenException")
	})
}

func TestUsagePlanLimits(t *testing.T) {
	t.Parallel()
	now := testNow
	limited, closed := testPlan("limited", "a", "b"), testPlan("closed", "c")
	limited.Throttle = &assembly.Throttle{Rate: 1, Burst: 2}
	limited.Stages[0].Throttles = map[string]assembly.Throttle{"GET /own": {Rate: 1, Burst: 3}, "ANY /any": {Rate: 1, Burst: 1}}
	closed.Throttle = &assembly.Throttle{}
	c := testConfig(keyed("GET", "/a", open), keyed("GET", "/b", open), keyed("GET", "/own", open), keyed("ANY", "/any", open), keyed("GET", "/slow", open), keyed("POST", "/checked", cognito("notes/read")))
	c.Stage.Methods = map[string]assembly.MethodSettings{"GET /slow": {Throttle: &assembly.Throttle{Rate: 1, Burst: 1}}}
	c.Usage = NewUsage([]*assembly.APIKey{testKey("a"), testKey("b"), testKey("c")}, []*assembly.UsagePlan{limited, closed})
	c.Now = func() time.Time { return now }
	g := serve(t, c)
	for i, step := range []struct {
		pass      time.Duration
		key, path string
		want      int
	}{
		{0, "a", "/a", 200}, {0, "a", "/b", 200}, {0, "a", "/a", 429}, {0, "a", "/b", 429}, // over all methods
		{0, "b", "/a", 200}, {0, "b", "/a", 200}, {0, "b", "/a", 429}, // each key for itself
		{0, "a", "/own", 200}, {0, "a", "/own", 200}, {0, "a", "/own", 200}, {0, "a", "/own", 429}, // instead of the plan's
		{0, "a", "/any", 200}, {0, "a", "/any", 429},
		{time.Second, "a", "/a", 200}, {0, "a", "/a", 429},
		{time.Hour, "a", "/slow", 200}, {0, "b", "/slow", 429}, // the stage's own, whoever calls
		{0, "c", "/a", 429}, {time.Hour, "c", "/a", 429},
	} {
		now = now.Add(step.pass)
		w := g.call("GET", step.path, "", valueOf(step.key))
		if w.Code != step.want {
			t.Errorf("step %d: %s on %s got %d, want %d", i, step.key, step.path, w.Code, step.want)
		}
		if w.Code == 429 {
			check(t, w, 429, `{"message":"Too Many Requests"}`, "TooManyRequestsException")
		}
	}
	// Who has no token spends nothing of the key's.
	for range 10 {
		check(t, g.call("POST", "/checked", "", valueOf("b")), 401, unauthorizedBody, "UnauthorizedException")
	}
	if w := g.call("POST", "/checked", "access-read", valueOf("b")); w.Code != 200 {
		t.Errorf("with a token: %d", w.Code)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		now, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	type step struct {
		at   string
		want int // requests let pass
	}
	tests := map[string]struct {
		quota assembly.Quota
		steps []step
	}{
		"day": {assembly.Quota{Limit: 2, Period: "DAY"}, []step{
			{"2026-11-21T23:59:59Z", 2}, {"2026-11-22T00:00:00Z", 2}, {"2026-11-22T23:00:00Z", 0},
		}},
		"day of UTC": {assembly.Quota{Limit: 1, Period: "DAY"}, []step{{"2026-11-22T00:30:00+01:00", 1}, {"2026-11-22T01:30:00+01:00", 1}}},
		"week, from Sunday": {assembly.Quota{Limit: 3, Period: "WEEK"}, []step{
			{"2026-11-21T23:59:59Z", 3}, {"2026-11-22T00:00:00Z", 3}, {"2026-11-28T23:59:59Z", 0}, {"2026-11-29T00:00:00Z", 3},
		}},
		"week over a year's end": {assembly.Quota{Limit: 1, Period: "WEEK"}, []step{{"2026-12-31T12:00:00Z", 1}, {"2027-01-02T12:00:00Z", 0}, {"2027-01-03T00:00:00Z", 1}}},
		"month":                  {assembly.Quota{Limit: 1, Period: "MONTH"}, []step{{"2028-02-01T00:00:00Z", 1}, {"2028-02-29T23:59:59Z", 0}, {"2028-03-01T00:00:00Z", 1}}},
		"offset": {assembly.Quota{Limit: 5, Offset: 3, Period: "MONTH"}, []step{
			{"2026-11-21T00:00:00Z", 2}, {"2026-11-22T00:00:00Z", 0}, {"2026-12-01T00:00:00Z", 5},
		}},
		"offset over the limit":   {assembly.Quota{Limit: 1, Offset: 9, Period: "DAY"}, []step{{"2026-11-21T00:00:00Z", 0}, {"2026-11-22T00:00:00Z", 1}}},
		"none":                    {assembly.Quota{Limit: 0, Period: "DAY"}, []step{{"2026-11-21T00:00:00Z", 0}}},
		"a clock that goes back":  {assembly.Quota{Limit: 2, Period: "MONTH"}, []step{{"2026-12-01T00:00:00Z", 2}, {"2026-11-30T23:59:59Z", 0}, {"2026-12-01T00:00:01Z", 0}}},
		"back before an old one":  {assembly.Quota{Limit: 1, Period: "DAY"}, []step{{"2026-11-21T00:00:00Z", 1}, {"2026-11-22T00:00:00Z", 1}, {"2026-11-21T00:00:00Z", 0}}},
		"first period, then back": {assembly.Quota{Limit: 4, Offset: 3, Period: "DAY"}, []step{{"2026-11-21T00:00:00Z", 1}, {"2026-11-20T00:00:00Z", 0}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := testPlan("plan", "a", "b")
			plan.Quota = &test.quota
			c := testConfig(keyed("GET", "/a", open))
			c.Usage = NewUsage([]*assembly.APIKey{testKey("a"), testKey("b")}, []*assembly.UsagePlan{plan})
			var now time.Time
			c.Now = func() time.Time { return now }
			g := serve(t, c)
			for _, step := range test.steps {
				now = at(step.at)
				for _, key := range []string{"a", "b"} { // each for itself
					for i := range step.want + 2 {
						w := g.call("GET", "/a", "", valueOf(key))
						if i < step.want && w.Code != 200 {
							t.Errorf("%s: request %d of %s got %d", step.at, i, key, w.Code)
						} else if i >= step.want {
							check(t, w, 429, `{"message":"Limit Exceeded"}`, "LimitExceededException")
						}
					}
				}
			}
		})
	}
}

// Only what is let pass counts: not what a throttle refuses.
func TestThrottledRequestsSpendNoQuota(t *testing.T) {
	t.Parallel()
	now := testNow
	plan := testPlan("plan", "a")
	plan.Throttle, plan.Quota = &assembly.Throttle{Rate: 1, Burst: 1}, &assembly.Quota{Limit: 2, Period: "DAY"}
	c := testConfig(keyed("GET", "/a", open))
	c.Usage = NewUsage([]*assembly.APIKey{testKey("a")}, []*assembly.UsagePlan{plan})
	c.Now = func() time.Time { return now }
	g := serve(t, c)
	for i, want := range []string{"ok", "Too Many", "Too Many"} {
		if w := g.call("GET", "/a", "", valueOf("a")); !strings.Contains(w.Body.String(), want) {
			t.Errorf("request %d: %s", i, w.Body)
		}
	}
	for i, want := range []string{"ok", "Limit Exceeded", "Limit Exceeded"} {
		now = now.Add(time.Minute)
		if w := g.call("GET", "/a", "", valueOf("a")); !strings.Contains(w.Body.String(), want) {
			t.Errorf("request %d a minute later: %s", i, w.Body)
		}
	}
}

// "Throttling and quota limits apply to requests for individual API keys that
// are aggregated across all API stages within a usage plan."
func TestStagesShareAPlansLimits(t *testing.T) {
	t.Parallel()
	plan := testPlan("plan", "a")
	plan.Quota = &assembly.Quota{Limit: 3, Period: "DAY"}
	plan.Stages = append(plan.Stages, assembly.UsagePlanStage{APIID: "api123", Stage: "prod"})
	dev := testConfig(keyed("GET", "/a", open))
	dev.Usage = NewUsage([]*assembly.APIKey{testKey("a")}, []*assembly.UsagePlan{plan})
	prod := dev
	prod.Stage.Name = "prod"
	g := []*testGateway{serve(t, dev), serve(t, prod)}
	for i, want := range []int{200, 200, 200, 429, 429} {
		if w := g[i%2].call("GET", "/a", "", valueOf("a")); w.Code != want {
			t.Errorf("request %d: %d, want %d", i, w.Code, want)
		}
	}
}

// However many come at once, exactly the quota is let pass.
func TestQuotaIsExact(t *testing.T) {
	t.Parallel()
	q := &quota{Quota: assembly.Quota{Limit: 60, Offset: 10, Period: "DAY"}}
	if admitted := atOnce(200, func() bool { return q.take(testNow) }); admitted != 50 {
		t.Errorf("admitted %d, want 50", admitted)
	}
}

// Whatever the clock does, a period never gets more than its limit; what comes
// after its end, by a clock that went back, counts in the next.
func TestQuotaIsNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := &quota{Quota: assembly.Quota{
			Limit: rapid.IntRange(0, 5).Draw(t, "limit"), Offset: rapid.IntRange(0, 7).Draw(t, "offset"),
			Period: rapid.SampledFrom([]string{"DAY", "WEEK", "MONTH"}).Draw(t, "period"),
		}}
		now, latest, admitted := testNow, time.Time{}, map[time.Time]int{}
		for _, hours := range rapid.SliceOf(rapid.IntRange(-40, 40)).Draw(t, "hours") {
			now = now.Add(time.Duration(hours) * time.Hour)
			if begins := periodOf(q.Period, now); begins.After(latest) {
				latest = begins
			}
			if q.take(now) {
				admitted[latest]++
			}
		}
		for period, n := range admitted {
			if n > q.Limit {
				t.Fatalf("%d of %d in the period from %s", n, q.Limit, period)
			}
		}
	})
}

func TestUsageRefuses(t *testing.T) {
	t.Parallel()
	twice := testPlan("second", "a")
	double := testPlan("double", "b")
	double.Stages = append(double.Stages, double.Stages[0])
	nowhere := testPlan("nowhere", "c")
	nowhere.Stages[0].Throttles = map[string]assembly.Throttle{"GET /nothing": {Rate: 1, Burst: 1}}
	same := testKey("d")
	same.Value = valueOf("a")
	elsewhere := testPlan("elsewhere", "a")
	elsewhere.Stages[0].Stage = "prod"
	c := testConfig(keyed("GET", "/a", open))
	c.Functions = &fakeFunctions{}
	c.Usage = NewUsage([]*assembly.APIKey{testKey("a"), testKey("b"), testKey("c"), same}, []*assembly.UsagePlan{testPlan("first", "a"), elsewhere, twice, double, nowhere, testPlan("same", "d")})
	_, err := New(c)
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || len(unsupported.Problems) != 4 || strings.Contains(err.Error(), "planted") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"dev/Api/second: a key of it is on dev/Api/first, too", "dev/Api/double: a key of it is on dev/Api/double, too",
		"dev/Api/nowhere: the throttle of GET /nothing is for no route", "dev/Api/d: another key has the same value",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}
