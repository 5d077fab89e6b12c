package authn

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Defaults of a [RemoteConfig].
const (
	DefaultMaxAge   = 15 * time.Minute
	DefaultCoolDown = 10 * time.Second
	DefaultTimeout  = 2 * time.Second
)

// ErrNoKeys says that no JWK Set could be read yet, so that nothing can be said
// of any key.
var ErrNoKeys = errors.New("authn: the JWK Set could not be read yet")

// RemoteConfig says where a [RemoteKeys] reads and how often.
type RemoteConfig struct {
	// URL of the JWK Set: https, or http on this machine. Of a user pool,
	// "<issuer>/.well-known/jwks.json". Required.
	URL string
	// MaxAge is how long a set counts as current. A key that its issuer removes
	// is refused at the latest then, or as soon as a token names a key that is
	// not in the set. Default: [DefaultMaxAge].
	MaxAge time.Duration
	// CoolDown is the shortest time between two requests, whatever tokens come.
	// Default: [DefaultCoolDown].
	CoolDown time.Duration
	// Timeout bounds one request. Default: [DefaultTimeout].
	Timeout time.Duration
	// Transport sends requests. Default: one of its own, which uses no proxy.
	Transport http.RoundTripper
	// Read is called before each request, to count them. Default: none.
	Read func()
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// RemoteKeys is a [KeySource] that reads an issuer's JWK Set when it is asked
// for a key, never before. Each set that it reads replaces the one before as a
// whole; where it cannot read one, the one before stays in force, however old.
// It is safe for concurrent use.
type RemoteKeys struct {
	config RemoteConfig
	client *http.Client

	mu     sync.Mutex
	keys   KeySet // nil before the first
	read   time.Time
	tried  time.Time
	flight chan struct{} // closed at the end of the request under way; nil for none
}

var _ KeySource = (*RemoteKeys)(nil)

// NewRemoteKeys returns a RemoteKeys, or an error if c's URL is neither https
// nor of this machine, or a duration is negative. It sends no request.
func NewRemoteKeys(c RemoteConfig) (*RemoteKeys, error) {
	parsed, err := url.Parse(c.URL)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())) {
		return nil, fmt.Errorf("authn: the URL of the JWK Set, %q, is no https address", c.URL)
	}
	if c.MaxAge < 0 || c.CoolDown < 0 || c.Timeout < 0 {
		return nil, errors.New("authn: RemoteConfig has a negative duration")
	}
	c.MaxAge = cmp.Or(c.MaxAge, DefaultMaxAge)
	c.CoolDown = cmp.Or(c.CoolDown, DefaultCoolDown)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	if c.Transport == nil {
		// A connection kept for the next request would be long dead by then.
		c.Transport = &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: MaxJWKSBytes}
	}
	if c.Now == nil {
		c.Now = wallClock
	}
	return &RemoteKeys{config: c, client: &http.Client{
		Transport: c.Transport,
		// Where the keys stand is configuration, and no answer's to change.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Key returns the key called kid. Where the set is too old, or has no such key,
// it reads the set again: one request at a time, and none within the cool-down
// after the last, so that a flood of made-up key ids costs next to nothing. A
// key that is known waits for no other caller's request, and is not lost by one
// that fails. Its error is [ErrNoKeys] as long as no set could be read.
func (r *RemoteKeys) Key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	r.mu.Lock()
	now := r.config.Now()
	key := r.keys[kid]
	if key != nil && recent(r.read, now, r.config.MaxAge) {
		r.mu.Unlock()
		return key, nil
	}
	flight := r.flight
	started := flight == nil && !recent(r.tried, now, r.config.CoolDown)
	if started {
		flight = make(chan struct{})
		r.flight, r.tried = flight, now
		// Others wait for it, so it outlives the caller that asked first.
		go r.refresh(context.WithoutCancel(ctx), flight)
	}
	r.mu.Unlock()
	if flight != nil && (started || key == nil) {
		select {
		case <-flight:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil {
		return nil, ErrNoKeys
	}
	return r.keys.Key(ctx, kid)
}

// refresh replaces the set by the one that stands at the URL now.
func (r *RemoteKeys) refresh(ctx context.Context, flight chan struct{}) {
	keys, err := KeySet(nil), errPanic
	defer func() {
		if recover() != nil { // as in CustomerCache
			err = errPanic
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil {
			r.keys, r.read = keys, r.config.Now()
		}
		r.flight = nil
		close(flight)
	}()
	keys, err = r.fetch(ctx)
}

func (r *RemoteKeys) fetch(ctx context.Context) (KeySet, error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.config.URL, nil)
	if err != nil {
		return nil, err
	}
	if r.config.Read != nil {
		r.config.Read()
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("authn: the JWK Set's address answers with status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxJWKSBytes+1))
	if err != nil {
		return nil, err
	}
	return ParseJWKS(body)
}
