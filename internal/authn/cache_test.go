package authn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sourceFunc makes a source of a function.
type sourceFunc func(ctx context.Context, id string) (*Customer, error)

func (f sourceFunc) Customer(ctx context.Context, id string) (*Customer, error) { return f(ctx, id) }

func TestCustomerCache(t *testing.T) {
	t.Parallel()
	table := &customerTable{customer: &Customer{ID: "a", Plan: "one"}}
	now := testNow()
	cache := NewCustomerCache(table, func() time.Time { return now })
	look := func(id, plan string, wantErr error, asked int32) {
		t.Helper()
		before := table.asked.Load()
		c, err := cache.Customer(t.Context(), id)
		if !errors.Is(err, wantErr) || err == nil && c.Plan != plan {
			t.Errorf("%+v, %v; want %s, %v", c, err, plan, wantErr)
		}
		if got := table.asked.Load() - before; got != asked {
			t.Errorf("asked %d times; want %d", got, asked)
		}
	}
	look("a", "one", nil, 1)
	look("b", "", ErrNoCustomer, 1)
	table.customer = &Customer{ID: "b", Plan: "two"} // a is gone and b is there
	now = now.Add(FreshFor - 1)
	look("a", "one", nil, 0)
	look("b", "", ErrNoCustomer, 0)
	now = now.Add(1)
	look("a", "", ErrNoCustomer, 1)
	look("b", "two", nil, 1)
	look("b", "two", nil, 0)

	// What cannot be told is not remembered, and what was known is not extended.
	throttled := errors.New("throttled")
	table.err = throttled
	look("b", "two", nil, 0)
	look("a", "", ErrNoCustomer, 0)
	now = now.Add(FreshFor)
	look("b", "", throttled, 1)
	look("b", "", throttled, 1)
	look("a", "", throttled, 1)
	table.err = nil
	look("b", "two", nil, 1)
	now = now.Add(-time.Hour) // a clock that was set back proves nothing
	look("b", "two", nil, 1)
}

// The age of an answer counts from the question: what is read slowly is not
// believed for longer.
func TestCustomerCacheCountsFromTheQuestion(t *testing.T) {
	t.Parallel()
	now := testNow()
	asked := 0
	cache := NewCustomerCache(sourceFunc(func(context.Context, string) (*Customer, error) {
		asked++
		now = now.Add(2 * time.Second)
		return &Customer{ID: "a"}, nil
	}), func() time.Time { return now })
	for range 2 {
		_, _ = cache.Customer(t.Context(), "a")
	}
	now = now.Add(FreshFor - 2*time.Second)
	if _, _ = cache.Customer(t.Context(), "a"); asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// Of one customer there is one look-up at a time, and nobody's impatience ends
// another's.
func TestCustomerCacheSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		release := make(chan struct{})
		cache := NewCustomerCache(sourceFunc(func(ctx context.Context, id string) (*Customer, error) {
			asked.Add(1)
			select {
			case <-release:
				return &Customer{ID: id}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}), nil)
		impatient, leave := context.WithCancel(t.Context())
		var first error
		var left sync.WaitGroup
		left.Go(func() { _, first = cache.Customer(impatient, "a") })
		synctest.Wait()
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				if c, err := cache.Customer(t.Context(), "a"); err != nil || c.ID != "a" {
					t.Errorf("%+v, %v", c, err)
				}
			})
		}
		synctest.Wait()
		leave()
		left.Wait()
		close(release)
		calls.Wait()
		if asked.Load() != 1 || !errors.Is(first, context.Canceled) {
			t.Errorf("asked %d times; the first got %v", asked.Load(), first)
		}
	})
}

func TestCustomerCacheGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := NewCustomerCache(sourceFunc(func(ctx context.Context, _ string) (*Customer, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), nil)
		began := time.Now()
		if _, err := cache.Customer(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A source that ends its goroutine, or answers nothing, is one that cannot tell.
func TestCustomerCacheOfABrokenSource(t *testing.T) {
	t.Parallel()
	cache := NewCustomerCache(sourceFunc(func(context.Context, string) (*Customer, error) { return nil, nil }), nil)
	for range 2 {
		if c, _ := cache.Customer(t.Context(), "a"); c != nil {
			t.Errorf("got %+v", c)
		}
	}
	s := newShop(t, nil)
	s.customers = cache
	if d := s.Decide(t.Context(), sessionRequest("Bearer "+s.key.Text)); d.Outcome != Undecided {
		t.Errorf("%v, %q", d.Outcome, d.Reason)
	}
}

// A panic of a source is one that cannot tell, and no end of the process: its value
// would be printed.
func TestPanicInALookUp(t *testing.T) {
	t.Parallel()
	broken := true
	cache := NewCustomerCache(sourceFunc(func(_ context.Context, id string) (*Customer, error) {
		if broken {
			panic("planted")
		}
		return &Customer{ID: id}, nil
	}), nil)
	if c, err := cache.Customer(t.Context(), "a"); c != nil || err == nil || errors.Is(err, ErrNoCustomer) {
		t.Errorf("%+v, %v", c, err)
	}
	broken = false
	if c, err := cache.Customer(t.Context(), "a"); err != nil || c.ID != "a" {
		t.Errorf("afterwards: %+v, %v", c, err)
	}
	keys, err := NewRemoteKeys(RemoteConfig{URL: "https://issuer/jwks", Transport: panicking{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Key(t.Context(), "k"); !errors.Is(err, ErrNoKeys) {
		t.Errorf("a key: %v", err)
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("planted") }

// The default clock is the wall's: another stands still with the process.
func TestWallClock(t *testing.T) {
	t.Parallel()
	keys, err := NewRemoteKeys(RemoteConfig{URL: "https://issuer/jwks"})
	if err != nil {
		t.Fatal(err)
	}
	for what, now := range map[string]time.Time{"customers": NewCustomerCache(nil, nil).now(), "keys": keys.config.Now()} {
		if strings.Contains(now.String(), "m=") {
			t.Errorf("%s: %s", what, now)
		}
	}
}

// Made-up ids are remembered, in bounded memory, and push nobody out.
func TestCustomerCacheIsBounded(t *testing.T) {
	t.Parallel()
	table := &customerTable{customer: &Customer{ID: "a"}}
	cache := NewCustomerCache(table, testNow)
	if _, err := cache.Customer(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxUnknown {
		if _, err := cache.Customer(t.Context(), fmt.Sprintf("%012d", i)); !errors.Is(err, ErrNoCustomer) {
			t.Fatal(err)
		}
	}
	if n := len(cache.unknown.young) + len(cache.unknown.old); n > 2*maxUnknown {
		t.Errorf("%d unknown ids are remembered", n)
	}
	before := table.asked.Load()
	if _, err := cache.Customer(t.Context(), "a"); err != nil || table.asked.Load() != before {
		t.Errorf("a customer was forgotten: %v", err)
	}
}

func TestGenerations(t *testing.T) {
	t.Parallel()
	g := generations[int, int]{limit: 3}
	for i := range 100 {
		g.put(i, i)
		if v, ok := g.get(0); !ok || v != 0 { // what is used stays
			t.Fatalf("0 was forgotten after %d", i)
		}
		if n := len(g.young) + len(g.old); n > 6 {
			t.Fatalf("%d are remembered", n)
		}
	}
	if _, ok := g.get(50); ok {
		t.Error("50 was not forgotten")
	}
	if g.remove(0); true {
		if _, ok := g.get(0); ok {
			t.Error("0 was not removed")
		}
	}
}
