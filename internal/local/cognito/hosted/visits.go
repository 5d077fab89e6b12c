package hosted

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

const (
	// visitLifetime is how long a browser stays signed in at the pages, and how
	// long a form that it was shown may be sent. An hour, as "Managed login",
	// Amazon Cognito developer guide, has it for the session cookie.
	visitLifetime = time.Hour

	// maxVisits bounds what anybody can make the server remember by asking for
	// pages. With more, the one that ends first makes room.
	maxVisits = 10_000
)

// visit is one browser at one pool's pages.
type visit struct {
	id      string // the cookie's value
	csrf    string // what its forms carry back; tied to the cookie
	expires time.Time
	login   *login  // nil until somebody has signed in
	pending pending // what the next page continues
}

// login is who signed in, and when.
type login struct {
	username string // the pool's own name for the user
	subject  string
	at       time.Time
}

// pending is what one page leaves for the next, so that none of it stands in a
// URL or in a form.
type pending struct {
	clientID  string // nothing of it is for another client
	username  string
	challenge string   // of the directory's step, such as NEW_PASSWORD_REQUIRED
	session   string   // of the directory's step; single use
	lacking   []string // attributes that the account has to get
	secret    string   // of an authenticator app that is being set up
	notice    string   // good news for the next page
}

// visits are the browsers at the pages of one pool. A visit is a value: a
// request changes its copy and puts it back.
type visits struct {
	cookie string // name; of one pool only, because pools share a host here
	now    func() time.Time

	mu sync.Mutex
	m  map[string]visit
}

func newVisits(poolID string, now func() time.Time) *visits {
	return &visits{cookie: "gatewright-" + poolID, now: now, m: map[string]visit{}}
}

// of returns the request's visit, and whether it has one.
func (s *visits) of(r *http.Request) (visit, bool) {
	cookies := r.CookiesNamed(s.cookie)
	if len(cookies) != 1 {
		return visit{}, false // of two, one is somebody else's doing
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[cookies[0].Value]
	if !ok || !s.now().Before(v.expires) {
		return visit{}, false
	}
	return v, true
}

// begin returns a new visit, which no page has seen yet.
func (s *visits) begin() visit {
	v := visit{id: rand.Text(), csrf: rand.Text(), expires: s.now().Add(visitLifetime)}
	s.put(v)
	return v
}

// put remembers a visit as it is now.
func (s *visits) put(v visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.m[v.id]; !known && len(s.m) >= maxVisits {
		s.makeRoom()
	}
	s.m[v.id] = v
}

func (s *visits) makeRoom() {
	var first visit
	for id, v := range s.m {
		if !s.now().Before(v.expires) {
			delete(s.m, id)
		} else if first.id == "" || v.expires.Before(first.expires) {
			first = v
		}
	}
	if len(s.m) >= maxVisits {
		delete(s.m, first.id)
	}
}

// end forgets a visit: its cookie and its forms are worth nothing from now on.
func (s *visits) end(v visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, v.id)
}

// owns reports whether a form was shown to this visit.
func (v visit) owns(csrf string) bool {
	return v.csrf != "" && subtle.ConstantTimeCompare([]byte(csrf), []byte(v.csrf)) == 1
}

// setCookie is the Set-Cookie header that brings the visit back. Lax lets it
// come along when a website sends somebody to sign in, and with nothing else
// that another site starts. It is not marked Secure: the listener speaks plain
// HTTP on loopback, where only some browsers would keep such a cookie.
func (s *visits) setCookie(v visit) string {
	return (&http.Cookie{ //nolint:gosec // Secure: see above
		Name: s.cookie, Value: v.id, Path: "/", MaxAge: int(visitLifetime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}).String()
}

// dropCookie is the Set-Cookie header that takes the cookie away.
func (s *visits) dropCookie() string {
	return (&http.Cookie{Name: s.cookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode}).String() //nolint:gosec // Secure: see setCookie
}
