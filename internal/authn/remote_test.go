package authn

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewright/gatewright/internal/authn/authntest"
)

const jwksURL = testIssuer + "/.well-known/jwks.json"

// jwksServer answers requests for the JWK Set without a network, so that a test
// decides what time it is meanwhile.
type jwksServer struct {
	mu       sync.Mutex
	handler  http.HandlerFunc
	requests int
	most     int // in flight at once
	flying   int
}

func (s *jwksServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.requests++
	s.flying++
	s.most = max(s.most, s.flying)
	handler := s.handler
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.flying--
	}()
	recorder := httptest.NewRecorder()
	handler(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

func (s *jwksServer) set(handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

// list serves the test's key under each kid.
func (s *jwksServer) list(tb testing.TB, kids ...string) {
	s.set(jwksOf(tb, kids...))
}

func jwksOf(tb testing.TB, kids ...string) http.HandlerFunc {
	tb.Helper()
	var members []string
	for _, kid := range kids {
		members = append(members, authntest.JWK(kid, &testKey(tb).PublicKey))
	}
	return text(authntest.JWKS(members...))
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func newRemoteKeys(t *testing.T, s *jwksServer) *RemoteKeys {
	t.Helper()
	keys, err := NewRemoteKeys(RemoteConfig{URL: jwksURL, Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// expectKeys asks for each kid; want is what is said of it: "known", "unknown"
// or "no keys".
func expectKeys(t *testing.T, keys *RemoteKeys, want string, kids ...string) {
	t.Helper()
	for _, kid := range kids {
		key, err := keys.Key(t.Context(), kid)
		got := "known"
		switch {
		case errors.Is(err, ErrNoKeys):
			got = "no keys"
		case err != nil:
			got = "unknown"
		}
		if got != want || (key != nil) != (err == nil) {
			t.Errorf("%q is %s; want %s", kid, got, want)
		}
	}
}

func (s *jwksServer) expect(t *testing.T, requests int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests != requests {
		t.Errorf("%d requests; want %d", s.requests, requests)
	}
	if s.most > 1 {
		t.Errorf("%d requests at once", s.most)
	}
}

// Nothing is asked before the first key, one request serves a flood of unknown
// key ids for as long as the cool-down, and it is shared by all who wait.
func TestRemoteKeysFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &jwksServer{}
		keys := newRemoteKeys(t, s)
		s.expect(t, 0)
		s.set(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second) // of the test's own clock: others arrive meanwhile
			jwksOf(t, "a")(w, r)
		})
		var waiting sync.WaitGroup
		for i := range 200 {
			waiting.Go(func() {
				expectKeys(t, keys, [...]string{"known", "unknown"}[i%2], [...]string{"a", "x" + strings.Repeat("y", i)}[i%2])
			})
		}
		waiting.Wait()
		s.expect(t, 1)
		time.Sleep(DefaultCoolDown - time.Second - 1)
		expectKeys(t, keys, "unknown", "x", "y")
		s.expect(t, 1)
		time.Sleep(time.Nanosecond)
		expectKeys(t, keys, "unknown", "x", "y", "z")
		expectKeys(t, keys, "known", "a")
		s.expect(t, 2)
	})
}

// However short the cool-down, there is one request at a time.
func TestRemoteKeysSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &jwksServer{handler: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			jwksOf(t, "a")(w, r)
		}}
		keys, err := NewRemoteKeys(RemoteConfig{URL: jwksURL, Transport: s, CoolDown: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		for range 20 {
			waiting.Go(func() { expectKeys(t, keys, "unknown", "x") })
			time.Sleep(time.Millisecond)
		}
		waiting.Wait()
		s.expect(t, 1)
	})
}

// A set replaces the one before: what it lacks is refused, what is new is taken.
func TestRemoteKeysAreReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &jwksServer{}
		s.list(t, "old", "both")
		keys := newRemoteKeys(t, s)
		expectKeys(t, keys, "known", "old", "both")
		s.list(t, "both", "new")
		expectKeys(t, keys, "unknown", "new") // cooling down
		time.Sleep(DefaultCoolDown)
		expectKeys(t, keys, "known", "new", "both")
		expectKeys(t, keys, "unknown", "old")
		s.expect(t, 2)

		s.list(t, "new")
		time.Sleep(DefaultMaxAge - 1)
		expectKeys(t, keys, "known", "both", "new")
		s.expect(t, 2)
		time.Sleep(time.Nanosecond)
		expectKeys(t, keys, "unknown", "both") // without an unknown key id in between
		expectKeys(t, keys, "known", "new")
		s.expect(t, 3)

		s.set(text(`{"keys":[]}`))
		time.Sleep(DefaultMaxAge)
		expectKeys(t, keys, "unknown", "new")
	})
}

// As long as no set can be read, the last one stays in force; without one,
// nothing can be said.
func TestRemoteKeysOfABrokenEndpoint(t *testing.T) {
	t.Parallel()
	broken := map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"500":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"503 with a set": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			jwksOf(t, "evil")(w, r)
		},
		"404": http.NotFound,
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://example.com/jwks.json")
			w.WriteHeader(302)
			jwksOf(t, "evil")(w, nil)
		},
		"204":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"empty":     text(""),
		"HTML":      text("<html>"),
		"truncated": text(authntest.JWKS(authntest.JWK("evil", &testKey(t).PublicKey))[:100]),
		"oversized": text(authntest.JWKS(authntest.JWK("evil", &testKey(t).PublicKey)) + strings.Repeat(" ", MaxJWKSBytes)),
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for range 4 {
				_, _ = w.Write(make([]byte, MaxJWKSBytes))
			}
		},
	}
	for name, handler := range broken {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &jwksServer{handler: handler}
				keys := newRemoteKeys(t, s)
				expectKeys(t, keys, "no keys", "a", "b")
				s.expect(t, 1)
				s.list(t, "a")
				time.Sleep(DefaultCoolDown)
				expectKeys(t, keys, "known", "a")
				s.set(handler)
				for range 3 { // however old the set is
					time.Sleep(10 * DefaultMaxAge)
					began := time.Now()
					expectKeys(t, keys, "known", "a")
					expectKeys(t, keys, "unknown", "evil", "b")
					if spent := time.Since(began); spent > DefaultTimeout {
						t.Errorf("callers waited %v", spent)
					}
				}
				s.expect(t, 5)
			})
		})
	}
}

// endless is the body of an answer that never ends, and counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 100*MaxJWKSBytes {
		return 0, io.EOF
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func (e *endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: e, Request: r}, nil
}

func TestRemoteKeysReadNoMoreThanTheyMay(t *testing.T) {
	t.Parallel()
	e := &endless{}
	keys, err := NewRemoteKeys(RemoteConfig{URL: jwksURL, Transport: e})
	if err != nil {
		t.Fatal(err)
	}
	expectKeys(t, keys, "no keys", "a")
	if e.read > 2*MaxJWKSBytes {
		t.Errorf("%d bytes were read; a set has at most %d", e.read, MaxJWKSBytes)
	}
}

// A request is not lost with the caller that caused it, and holds up none whose
// key is known.
func TestRemoteKeysWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &jwksServer{}
		s.list(t, "a")
		keys := newRemoteKeys(t, s)
		expectKeys(t, keys, "known", "a")
		s.set(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			jwksOf(t, "a", "b")(w, r)
		})
		time.Sleep(DefaultMaxAge)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if key, err := keys.Key(ctx, "a"); key == nil || err != nil {
			t.Errorf("the caller that left: %v", err)
		}
		began := time.Now()
		expectKeys(t, keys, "known", "a")
		if spent := time.Since(began); spent != 0 {
			t.Errorf("a known key waited %v", spent)
		}
		expectKeys(t, keys, "known", "b") // waits for the request of the caller that left
		s.expect(t, 2)
	})
}

func TestNewRemoteKeys(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		jwksURL: true, "http://127.0.0.1:4011/p/jwks.json": true, "http://localhost/jwks.json": true, "http://[::1]:80/": true,
		"http://cognito-idp.eu-west-1.amazonaws.com/p": false, "http://127.0.0.1.example.com/": false, "": false, "/jwks.json": false,
		"file:///etc/passwd": false, "https://": false, "https://user:secret@example.com/": false, "ftp://127.0.0.1/": false, "http://10.0.0.1/": false,
	} {
		if _, err := NewRemoteKeys(RemoteConfig{URL: address}); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, c := range []RemoteConfig{{URL: jwksURL, MaxAge: -1}, {URL: jwksURL, CoolDown: -1}, {URL: jwksURL, Timeout: -1}} {
		if _, err := NewRemoteKeys(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// What was read while the clock was ahead counts for nothing once it is set right.
func TestRemoteKeysClockSetBack(t *testing.T) {
	t.Parallel()
	s := &jwksServer{}
	s.list(t, "old")
	now := testNow().Add(24 * time.Hour)
	keys, err := NewRemoteKeys(RemoteConfig{URL: jwksURL, Transport: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	expectKeys(t, keys, "known", "old")
	now = testNow()
	s.list(t, "new")
	expectKeys(t, keys, "unknown", "old")
	expectKeys(t, keys, "known", "new")
	s.expect(t, 2)
	now = now.Add(DefaultMaxAge)
	expectKeys(t, keys, "known", "new")
	s.expect(t, 3)
}
