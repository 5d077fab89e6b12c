package authn

import (
	"context"
	"errors"
	"sync"
	"time"
)

// FreshFor is how long a [CustomerCache] believes what it read: a key that is
// revoked is refused at the latest then.
const FreshFor = 10 * time.Second

// Bounds of what is remembered. A generation of each is kept beside the one that
// is being filled.
const (
	maxCustomers = 1000 // a few kilobytes each
	maxUnknown   = 10_000
	maxTokens    = 1000
)

// lookUpTimeout bounds one look-up, the source's own retries included.
const lookUpTimeout = 3 * time.Second

// generations is a bounded map: what was used in neither of the last two
// generations is forgotten. Its zero value needs a limit before it holds anything.
type generations[K comparable, V any] struct {
	limit      int
	young, old map[K]V
}

func (g *generations[K, V]) get(key K) (V, bool) {
	if value, ok := g.young[key]; ok {
		return value, true
	}
	value, ok := g.old[key]
	if ok {
		g.put(key, value)
	}
	return value, ok
}

func (g *generations[K, V]) put(key K, value V) {
	if g.young == nil || len(g.young) >= g.limit {
		g.young, g.old = make(map[K]V), g.young
	}
	g.young[key] = value
}

func (g *generations[K, V]) remove(key K) {
	delete(g.young, key)
	delete(g.old, key)
}

var errPanic = errors.New("authn: the look-up ended early")

// wallClock is a clock that goes on while the process stands still, as Lambda has
// its environments do between calls. time.Now compares by a clock that may not.
func wallClock() time.Time { return time.Now().Round(0) }

// CustomerCache is a [CustomerSource] that remembers what another one says, for
// [FreshFor] at most, customers that do not exist as well. Of one customer there
// is one look-up at a time, whoever asks. What could not be told is not
// remembered: the next one asks again. It is safe for concurrent use.
type CustomerCache struct {
	source CustomerSource
	now    func() time.Time

	mu      sync.Mutex
	known   generations[string, remembered]
	unknown generations[string, time.Time] // apart, so that made-up ids push nobody out
	flights map[string]*flight
}

var _ CustomerSource = (*CustomerCache)(nil)

type remembered struct {
	customer *Customer
	asked    time.Time
}

// flight is a look-up under way.
type flight struct {
	done     chan struct{}
	customer *Customer
	err      error
}

// NewCustomerCache returns a cache before source. now is the clock; nil for
// the wall clock.
func NewCustomerCache(source CustomerSource, now func() time.Time) *CustomerCache {
	if now == nil {
		now = wallClock
	}
	return &CustomerCache{
		source: source, now: now, flights: map[string]*flight{},
		known:   generations[string, remembered]{limit: maxCustomers},
		unknown: generations[string, time.Time]{limit: maxUnknown},
	}
}

// Customer implements [CustomerSource]. The customer is shared: it must not be
// changed.
func (c *CustomerCache) Customer(ctx context.Context, id string) (*Customer, error) {
	c.mu.Lock()
	now := c.now()
	if found, ok := c.known.get(id); ok && recent(found.asked, now, FreshFor) {
		c.mu.Unlock()
		return found.customer, nil
	}
	if asked, ok := c.unknown.get(id); ok && recent(asked, now, FreshFor) {
		c.mu.Unlock()
		return nil, ErrNoCustomer
	}
	f := c.flights[id]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.flights[id] = f
		// Others may wait for it, so it outlives the caller that asked first.
		go c.lookUp(context.WithoutCancel(ctx), id, now, f)
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.customer, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// recent reports whether a time lies within the limit before now. A clock that was
// set back proves nothing.
func recent(at, now time.Time, limit time.Duration) bool {
	age := now.Sub(at)
	return age >= 0 && age < limit
}

// lookUp asks the source. The answer's age counts from the question.
func (c *CustomerCache) lookUp(ctx context.Context, id string, asked time.Time, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	f.err = errPanic // where the source ends its goroutine
	defer func() {
		// Nobody above this goroutine could stop a panic, whose value may hold
		// anything: it would end the process and be printed.
		if recover() != nil {
			f.customer, f.err = nil, errPanic
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case f.err == nil && f.customer != nil:
			c.known.put(id, remembered{f.customer, asked})
			c.unknown.remove(id)
		case errors.Is(f.err, ErrNoCustomer):
			c.unknown.put(id, asked)
			c.known.remove(id)
		}
		delete(c.flights, id)
		close(f.done)
	}()
	f.customer, f.err = c.source.Customer(ctx, id)
}
