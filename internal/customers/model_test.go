package customers

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/internal/authn"
)

// model is what a customer is, said as simply as can be.
type model struct {
	plan   string
	status authn.Status
	scopes []string
	keys   map[string]*modelKey
	made   []string // ids of all keys, in order, so that a failure can be repeated
}

type modelKey struct {
	scopes           []string
	expires, revoked time.Time
	lifetime         time.Duration
	replaces         string
}

func (k *modelKey) live(now time.Time) bool {
	return k.revoked.IsZero() && (k.expires.IsZero() || now.Before(k.expires))
}

func (m *model) live(now time.Time) (n int) {
	for _, k := range m.keys {
		if k.live(now) {
			n++
		}
	}
	return n
}

func (m *model) add(id string, k *modelKey) {
	m.keys[id] = k
	m.made = append(m.made, id)
}

// replaced reports whether a key has a live successor.
func (m *model) replaced(id string, now time.Time) bool {
	for _, k := range m.keys {
		if k.replaces == id && k.live(now) {
			return true
		}
	}
	return false
}

// machine does the same to a store and to the model.
type machine struct {
	store *Store
	table *faulty
	now   time.Time
	id    string
	model *model
}

// TestModel holds random changes of one customer against the model, on a table that
// loses answers.
func TestModel(t *testing.T) {
	t.Parallel()
	transport := newInProcess(t)
	rapid.Check(t, func(t *rapid.T) {
		f := &faulty{table: transport}
		m := &machine{store: storeOver(f), table: f, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
		m.store.now = func() time.Time { return m.now }
		c, err := m.store.Create(t.Context(), NewCustomer{Name: "Acme", Scopes: []string{"a/x", "a/y"}})
		if err != nil {
			t.Fatal(err)
		}
		m.id, m.model = c.ID, &model{status: authn.StatusActive, scopes: []string{"a/x", "a/y"}, keys: map[string]*modelKey{}}
		t.Repeat(map[string]func(*rapid.T){
			"create key": m.createKey, "rotate": m.rotate, "revoke": m.revoke, "change": m.change, "": m.compare,
			"many keys": func(t *rapid.T) {
				for range rapid.IntRange(1, 15).Draw(t, "keys") {
					m.createKey(t)
				}
			},
			"wait":        func(t *rapid.T) { m.now = m.now.Add(drawTime(t, "wait")) },
			"lose answer": func(*rapid.T) { f.times(1, "PutItem", faults["reset after"]) },
			"throttle":    func(*rapid.T) { f.times(1, "PutItem", faults["throttling"]) },
		})
	})
}

func drawTime(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.IntRange(1, 48).Draw(t, label)) * time.Hour
}

func drawScopes(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{nil, {"a/x"}, {"a/y"}, {"a/x", "a/y"}, {"a/z"}, {}}).Draw(t, "scopes")
}

// drawKey is one of the customer's keys, or none of anybody's.
func (m *machine) drawKey(t *rapid.T) string {
	n := rapid.IntRange(-1, len(m.model.made)-1).Draw(t, "key")
	if n < 0 || m.model.keys[m.model.made[n]] == nil {
		return "nobody"
	}
	return m.model.made[n]
}

func wantOutcome(t *rapid.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v; want %v", err, want)
	}
}

func (m *machine) createKey(t *rapid.T) {
	r := NewKeyRequest{Scopes: drawScopes(t)}
	if rapid.Bool().Draw(t, "expires") {
		r.Expires = m.now.Add(drawTime(t, "in"))
	}
	want := &modelKey{scopes: r.Scopes, expires: r.Expires}
	if !r.Expires.IsZero() {
		want.lifetime = r.Expires.Sub(m.now)
	}
	if r.Scopes == nil {
		want.scopes = m.model.scopes
	}
	var refused error
	if m.model.status == authn.StatusClosed || m.model.live(m.now) >= MaxLiveKeys || len(want.scopes) == 0 || len(within(want.scopes, m.model.scopes)) < len(want.scopes) {
		refused = ErrRefused
	}
	k, err := m.store.CreateKey(t.Context(), m.id, format, r)
	wantOutcome(t, err, refused)
	if err == nil {
		m.model.add(k.Key.ID, want)
	}
}

func (m *machine) rotate(t *rapid.T) {
	id, overlap := m.drawKey(t), drawTime(t, "overlap")-time.Hour
	old := m.model.keys[id]
	want := &modelKey{replaces: id}
	var refused error
	if old != nil {
		want.scopes, want.lifetime = within(old.scopes, m.model.scopes), old.lifetime
		if old.lifetime > 0 {
			want.expires = m.now.Add(old.lifetime)
		}
	}
	switch {
	case m.model.status == authn.StatusClosed:
		refused = ErrRefused
	case old == nil:
		refused = ErrNotFound
	case !old.live(m.now) || m.model.replaced(id, m.now) || len(want.scopes) == 0 || overlap > 0 && m.model.live(m.now) >= MaxLiveKeys:
		refused = ErrRefused
	}
	k, err := m.store.RotateKey(t.Context(), m.id, id, format, overlap)
	wantOutcome(t, err, refused)
	if err != nil {
		return
	}
	m.model.add(k.Key.ID, want)
	if end := m.now.Add(overlap); old.expires.IsZero() || end.Before(old.expires) {
		old.expires = end
	}
}

func (m *machine) revoke(t *rapid.T) {
	id := m.drawKey(t)
	_, err := m.store.RevokeKey(t.Context(), m.id, id)
	if m.model.keys[id] == nil {
		wantOutcome(t, err, ErrNotFound)
		return
	}
	wantOutcome(t, err, nil)
	if m.model.keys[id].revoked.IsZero() {
		m.model.keys[id].revoked = m.now
	}
}

func (m *machine) change(t *rapid.T) {
	ch := Change{
		Plan:   new(rapid.SampledFrom([]string{"", "free", "pro"}).Draw(t, "plan")),
		Status: new(rapid.SampledFrom([]authn.Status{authn.StatusActive, authn.StatusActive, authn.StatusSuspended, authn.StatusClosed}).Draw(t, "status")),
		Scopes: drawScopes(t),
	}
	_, err := m.store.Change(t.Context(), m.id, ch)
	if m.model.status == authn.StatusClosed && *ch.Status != authn.StatusClosed {
		wantOutcome(t, err, ErrRefused)
		return
	}
	wantOutcome(t, err, nil)
	m.model.plan, m.model.status = *ch.Plan, *ch.Status
	if ch.Scopes != nil {
		m.model.scopes = ch.Scopes
	}
}

// compare holds what the table has against the model. Only dead keys may be
// missing, and only where as many others are dead.
func (m *machine) compare(t *rapid.T) {
	got, err := m.store.Get(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	if got.Plan != m.model.plan || got.Status != m.model.status || !slices.Equal(got.Scopes, m.model.scopes) {
		t.Fatalf("%+v; want %+v", got, m.model)
	}
	dead := 0
	for _, k := range got.Keys {
		want := m.model.keys[k.ID]
		if want == nil {
			t.Fatalf("key %s is nobody's", k.ID)
		}
		if !k.Live(m.now) {
			dead++
		}
		if !slices.Equal(k.Scopes, want.scopes) || !k.Expires.Equal(want.expires) || !k.Revoked.Equal(want.revoked) || k.Replaces != want.replaces || k.lifetime != want.lifetime {
			t.Fatalf("key %s; want %+v", fmt.Sprintf("%+v", struct{ K any }{k}), want)
		}
	}
	for id, want := range m.model.keys {
		switch {
		case got.index(id) >= 0:
		case want.live(m.now) || m.model.replaced(id, m.now) || dead < maxDeadKeys:
			t.Fatalf("key %s is lost: %+v", id, want)
		default:
			delete(m.model.keys, id)
		}
	}
	if dead > maxDeadKeys+MaxLiveKeys+MaxLiveKeys {
		t.Fatalf("%d dead keys", dead)
	}
}
