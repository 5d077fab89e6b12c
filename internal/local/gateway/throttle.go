package gateway

import (
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// bucket is a token bucket: it starts full, holds at most the burst, and fills
// with the rate ("Throttle requests to your REST APIs for better throughput in
// API Gateway" [doc]). A nil bucket admits everything.
type bucket struct {
	throttle assembly.Throttle

	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// newBucket returns the bucket of a route. The stage's throttle bounds each
// method for itself, and a method's own replaces it [doc].
func newBucket(t *assembly.Throttle) *bucket {
	if t == nil {
		return nil
	}
	return &bucket{throttle: *t, tokens: float64(t.Burst)}
}

// take takes one token. A rate or a burst of 0 refuses everything [meas]. A
// clock that goes back fills nothing.
func (b *bucket) take(now time.Time) bool {
	if b == nil {
		return true
	}
	if b.throttle.Rate <= 0 || b.throttle.Burst <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if past := now.Sub(b.filled); !b.filled.IsZero() && past > 0 {
		b.tokens = min(b.tokens+past.Seconds()*b.throttle.Rate, float64(b.throttle.Burst))
	}
	if b.filled.Before(now) {
		b.filled = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
