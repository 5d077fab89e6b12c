package gateway

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Usage knows the API keys of an app, and counts what each of them spends of
// its plans. "Throttling and quota limits apply to requests for individual API
// keys that are aggregated across all API stages within a usage plan" [doc], so
// the gateways of several stages share one. It is safe for concurrent use.
type Usage struct {
	keys  []*assembly.APIKey
	plans []*assembly.UsagePlan

	// throttles and quotas of each key, by the ids of plan and key; none where
	// the plan has none.
	throttles map[[2]string]*bucket
	quotas    map[[2]string]*quota
}

// NewUsage returns a Usage with nothing spent. A key without a value is
// nobody's.
func NewUsage(keys []*assembly.APIKey, plans []*assembly.UsagePlan) *Usage {
	u := &Usage{keys, plans, map[[2]string]*bucket{}, map[[2]string]*quota{}}
	for _, plan := range plans {
		for _, key := range plan.KeyIDs {
			at := [2]string{plan.ID, key}
			u.throttles[at] = newBucket(plan.Throttle)
			if plan.Quota != nil {
				u.quotas[at] = &quota{Quota: *plan.Quota}
			}
		}
	}
	return u
}

// apiKey is a key that opens a stage, and its limits there. Those that are nil
// admit everything.
type apiKey struct {
	id, value string
	throttle  *bucket            // for all methods that have none of their own
	methods   map[string]*bucket // by method and path: "GET /v1/notes"
	quota     *quota
}

// keyring holds the keys that open a stage by the hash of their values: how
// long it takes to find one tells nothing about another.
type keyring map[[sha256.Size]byte]*apiKey

// keyring returns the keys of the plans that cover a stage, and what of these
// plans AWS would refuse, or is not understood.
func (u *Usage) keyring(api *assembly.RestAPI, stage string) (keyring, []string) {
	ring := keyring{}
	if u == nil {
		return ring, nil
	}
	keys := map[string]*assembly.APIKey{}
	for _, key := range u.keys {
		keys[key.ID] = key
	}
	planOf := map[string]string{} // path of the plan that a key is on, by the key's id
	var problems []string
	for _, plan := range u.plans {
		for _, covered := range plan.Stages {
			if covered.APIID != api.ID || covered.Stage != stage {
				continue
			}
			for _, route := range slices.Sorted(maps.Keys(covered.Throttles)) {
				if !slices.ContainsFunc(api.Routes, func(r assembly.Route) bool { return r.Method+" "+r.Path == route }) {
					problems = append(problems, fmt.Sprintf("%s: the throttle of %s is for no route of the API", plan.Path, route))
				}
			}
			for _, id := range plan.KeyIDs {
				if before, twice := planOf[id]; twice {
					problems = append(problems, fmt.Sprintf("%s: a key of it is on %s, too; AWS lets a key be on one plan of a stage", plan.Path, before))
				}
				planOf[id] = plan.Path
				key := keys[id]
				if key == nil || !key.Enabled || key.Value == "" {
					continue // its requests are refused as those of any unknown key
				}
				hash := sha256.Sum256([]byte(key.Value))
				if other := ring[hash]; other != nil && other.id != id {
					problems = append(problems, fmt.Sprintf("%s: another key has the same value", key.Path))
				}
				ring[hash] = u.open(plan.ID, key, covered.Throttles)
			}
		}
	}
	return ring, problems
}

func (u *Usage) open(plan string, key *assembly.APIKey, methods map[string]assembly.Throttle) *apiKey {
	at := [2]string{plan, key.ID}
	k := &apiKey{id: key.ID, value: key.Value, throttle: u.throttles[at], quota: u.quotas[at], methods: map[string]*bucket{}}
	for route, throttle := range methods {
		k.methods[route] = newBucket(&throttle)
	}
	return k
}

// bucket returns the one that bounds a key on a route: a method's own replaces
// the plan's [doc].
func (k *apiKey) bucket(method, path string) *bucket {
	if own, ok := k.methods[method+" "+path]; ok {
		return own
	}
	return k.throttle
}

// quota counts a key's requests in periods of the UTC calendar [?]. A nil quota
// admits everything.
type quota struct {
	assembly.Quota

	mu    sync.Mutex
	begun time.Time // when the period began; zero before the first request
	used  int
}

// take counts one request. In the first period, Offset requests count as made
// ("The number of requests subtracted from the given limit in the initial time
// period", QuotaSettings [doc]). A clock that goes back opens no earlier period.
func (q *quota) take(now time.Time) bool {
	if q == nil {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch begins := periodOf(q.Period, now); {
	case q.begun.IsZero():
		q.begun, q.used = begins, q.Offset
	case begins.After(q.begun):
		q.begun, q.used = begins, 0
	}
	if q.used >= q.Limit {
		return false
	}
	q.used++
	return true
}

// periodOf returns when the period around now began. A week begins on Sunday:
// "an offset of 0 starts on Sunday", said QuotaSettings of a meaning that its
// Offset no longer has [?].
func periodOf(period string, now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	switch period {
	case "MONTH":
		day = 1
	case "WEEK":
		day -= int(now.UTC().Weekday())
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
