package gateway

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestThrottle(t *testing.T) {
	t.Parallel()
	now := testNow
	quick, off := proxy("GET", "/quick", open), proxy("GET", "/off", cognito("notes/read"))
	c := testConfig(quick, off, proxy("GET", "/still", open), proxy("GET", "/a", open), proxy("GET", "/b", open))
	c.Stage.Default.Throttle = &assembly.Throttle{Rate: 0.5, Burst: 1}
	c.Stage.Methods = map[string]assembly.MethodSettings{
		"GET /quick": {Throttle: &assembly.Throttle{Rate: 10, Burst: 2}},
		"GET /off":   {Throttle: &assembly.Throttle{Rate: 5, Burst: 0}},
		"GET /still": {Throttle: &assembly.Throttle{Rate: 0, Burst: 5}},
	}
	c.Now = func() time.Time { return now }
	c.API.GatewayResponses["DEFAULT_4XX"] = assembly.GatewayResponse{Parameters: map[string]string{"gatewayresponse.header.X-CORS": "'yes'"}}
	g := serve(t, c)
	steps := []struct {
		pass  time.Duration
		path  string
		token string
		want  int
	}{
		{0, "/quick", "", 200}, {0, "/quick", "", 200}, {0, "/quick", "", 429},
		{100 * time.Millisecond, "/quick", "", 200}, {0, "/quick", "", 429},
		{0, "/a", "", 200}, {0, "/a", "", 429}, {0, "/b", "", 200}, // each method for itself
		{time.Second, "/a", "", 429}, {time.Second, "/a", "", 200},
		{time.Hour, "/quick", "", 200}, {0, "/quick", "", 200}, {0, "/quick", "", 429}, // no more than the burst
		{-time.Hour, "/quick", "", 429}, {time.Hour, "/quick", "", 429}, // a clock that goes back and forth
		{0, "/off", "", 401}, {0, "/off", "access-read", 429}, // the authorizer comes first
		{0, "/still", "", 429}, // a rate of 0 refuses the burst, too
	}
	for i, step := range steps {
		now = now.Add(step.pass)
		g.logged.Reset()
		w := g.get(step.path, step.token)
		if w.Code != step.want {
			t.Errorf("step %d: %s got %d, want %d", i, step.path, w.Code, step.want)
		}
		if w.Code != 429 {
			continue
		}
		check(t, w, 429, `{"message":"Too Many Requests"}`, "TooManyRequestsException")
		if line := g.line(t); line["decision"] != "deny" || line["reason"] != "throttled" || w.Header().Get("X-CORS") != "yes" {
			t.Errorf("step %d: logged %v with the headers %v", i, line, w.Header())
		}
	}
}

func TestBucketAdmitsExactlyItsBurst(t *testing.T) {
	t.Parallel()
	b := newBucket(&assembly.Throttle{Rate: 1, Burst: 50})
	if admitted := atOnce(200, func() bool { return b.take(testNow) }); admitted != 50 {
		t.Errorf("admitted %d at once, want 50", admitted)
	}
}

// atOnce counts how many of n concurrent tries succeed.
func atOnce(n int, try func() bool) int64 {
	var admitted atomic.Int64
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if try() {
				admitted.Add(1)
			}
		})
	}
	group.Wait()
	return admitted.Load()
}

// However requests are spread, no window of time admits more than the burst and
// what the rate fills in.
func TestBucketNeverExceedsItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		throttle := assembly.Throttle{Rate: rapid.Float64Range(0, 100).Draw(t, "rate"), Burst: rapid.IntRange(0, 20).Draw(t, "burst")}
		gaps := rapid.SliceOf(rapid.IntRange(-50, 500)).Draw(t, "milliseconds")
		b := newBucket(&throttle)
		now, first, last, admitted := testNow, testNow, testNow, 0
		for _, gap := range gaps {
			if now = now.Add(time.Duration(gap) * time.Millisecond); now.After(last) {
				last = now
			} else if now.Before(first) {
				first = now
			}
			if b.take(now) {
				admitted++
			}
		}
		most := float64(throttle.Burst) + last.Sub(first).Seconds()*throttle.Rate
		if float64(admitted) > most+1e-6 || (throttle.Rate == 0 || throttle.Burst == 0) && admitted > 0 {
			t.Fatalf("admitted %d of %d, at most %g are due", admitted, len(gaps), most)
		}
	})
}
