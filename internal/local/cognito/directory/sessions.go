package directory

import (
	"cmp"
	"slices"
	"time"
)

const (
	// maxSessions bounds the sign-ins under way; with more, the one that ends
	// first makes room.
	maxSessions = 10_000

	// defaultSessionLifetime is AuthSessionValidity where a client has none
	// ("CreateUserPoolClient", Amazon Cognito API reference).
	defaultSessionLifetime = 3 * time.Minute
)

// session is a sign-in that waits for an answer to its challenge.
type session struct {
	clientID  string
	username  string // of the account; for SRP of nobody, what was asked for
	subject   string // empty for nobody's SRP
	challenge string
	// password is the account's as the sign-in began. Another one ends it.
	password *credential
	expires  time.Time
	tries    int
	metadata map[string]string

	srp    srpSession
	asked  string // the user name as it was sent
	secret string // of the authenticator app that is set up
	proved bool   // that app has shown a code
	source string // for [Grant], once finished
}

// sessions are kept by the hash of what names them.
type sessions map[string]session

// put keeps a session and returns what names it: once, for the client's
// AuthSessionValidity. d.mu is held.
func (d *Directory) put(c *Client, s session) string {
	name := opaque()
	s.expires = d.now().Add(cmp.Or(c.SessionLifetime, defaultSessionLifetime))
	d.keep(name, s)
	return name
}

// keep keeps a session under a name that somebody has already. d.mu is held.
func (d *Directory) keep(name string, s session) {
	if len(d.sessions) >= maxSessions {
		d.makeRoom()
	}
	d.sessions[hashed(name)] = s
}

func (d *Directory) makeRoom() {
	first, at := "", time.Time{}
	for key, s := range d.sessions {
		if !d.now().Before(s.expires) {
			delete(d.sessions, key)
		} else if first == "" || s.expires.Before(at) {
			first, at = key, s.expires
		}
	}
	if len(d.sessions) >= maxSessions {
		delete(d.sessions, first)
	}
}

// take uses a session up. It must be at one of the challenges, the client's
// own, and of an account that is still what it was. d.mu is held.
func (d *Directory) take(c *Client, name string, challenges ...string) (session, *account, error) {
	s, ok := d.sessions[hashed(name)]
	if !ok || c != nil && s.clientID != c.ID || !slices.Contains(challenges, s.challenge) {
		return session{}, nil, fail(NotAuthorized, "Invalid session for the user.")
	}
	delete(d.sessions, hashed(name))
	if !d.now().Before(s.expires) {
		return session{}, nil, fail(NotAuthorized, "Invalid session for the user, session is expired.")
	}
	if s.subject == "" {
		return s, nil, nil
	}
	u := d.current(s.username, s.subject)
	if u == nil || u.password != s.password {
		return session{}, nil, fail(NotAuthorized, "Invalid session for the user.")
	}
	return s, u, nil
}
