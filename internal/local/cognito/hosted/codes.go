package hosted

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

const (
	// codeLifetime is how long an authorization code can be redeemed ("The
	// token issuer endpoint", Amazon Cognito developer guide).
	codeLifetime = 5 * time.Minute

	// codeMemory is how long a code is remembered, so that one that comes back
	// is known to have been stolen (RFC 6749 section 4.1.2).
	codeMemory = time.Hour

	// maxCodes bounds the codes that are remembered; the oldest makes room.
	maxCodes = 10_000
)

// grant is what a code stands for. It is bound to the client, the callback and
// the challenge of the request that it answers.
type grant struct {
	clientID    string
	redirectURI string
	challenge   string // S256; empty where the request had none
	tokens      directory.Tokens
	made        time.Time
	taken       bool
}

// verdict is what becomes of a code that is presented.
type verdict int

const (
	codeUnknown verdict = iota // never made, forgotten, expired, or another client's
	codeTaken                  // presented before: the grant is compromised
	codeGood
)

// codes are the authorization codes of every pool.
type codes struct {
	now func() time.Time

	mu sync.Mutex
	m  map[string]grant
}

func newCodes(now func() time.Time) *codes { return &codes{now: now, m: map[string]grant{}} }

// add returns a code for g: a random UUID, as Cognito's are.
func (s *codes) add(g grant) string {
	g.made = s.now()
	code := uuid.NewString()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.m) >= maxCodes {
		s.makeRoom()
	}
	s.m[code] = g
	return code
}

func (s *codes) makeRoom() {
	oldest, at := "", s.now()
	for code, g := range s.m {
		if s.now().Sub(g.made) > codeMemory {
			delete(s.m, code)
		} else if oldest == "" || g.made.Before(at) {
			oldest, at = code, g.made
		}
	}
	if len(s.m) >= maxCodes {
		delete(s.m, oldest)
	}
}

// take uses a code up, whatever else the request may lack: a second try with
// another verifier is a guess. Another client cannot use it up.
func (s *codes) take(code, clientID string) (grant, verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.m[code]
	switch age := s.now().Sub(g.made); {
	case !ok, g.clientID != clientID:
		return grant{}, codeUnknown
	case g.taken && age <= codeMemory:
		return g, codeTaken
	case g.taken, age >= codeLifetime:
		return grant{}, codeUnknown
	}
	g.taken = true
	s.m[code] = g
	return g, codeGood
}

// proves reports whether verifier is the one behind the grant's challenge
// (RFC 7636 section 4.6). A grant without a challenge takes no verifier, and one
// with a challenge needs it: else somebody could take the challenge out of a
// request and nobody would notice (RFC 9700 section 2.1.1).
func (g grant) proves(verifier string) bool {
	if g.challenge == "" || verifier == "" {
		return g.challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.challenge)) == 1
}
