// Package cognito serves what Amazon Cognito serves for the user pools of a
// stage: the OAuth 2.0 token endpoint, the pools' public keys and their OpenID
// configuration.
//
// On AWS each pool has a domain of its own for /oauth2/… and is found under the
// Region's cognito-idp host for the rest. Here one listener stands for all of
// them; a client id, unique among pools, tells whose domain was meant. A pool
// without a domain has no token endpoint here either.
//
//	server, err := cognito.New(cognito.Config{Pools: model.UserPools, BaseURL: "http://127.0.0.1:4011"})
//	...
//	http.Serve(listener, guard.Wrap(server, policy, nil))
package cognito

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/requestlog"
)

// Config says which pools to serve and how.
type Config struct {
	Pools []*assembly.UserPool
	// BaseURL is the listener's address without a trailing slash:
	// "http://127.0.0.1:4011". Each pool's Issuer is BaseURL, a slash and its id.
	BaseURL string
	// SigningKey signs every pool's tokens: RSA with 2,048 to 4,096 bits.
	// Default: a fresh one of 2,048 bits.
	SigningKey *rsa.PrivateKey
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log gets one line per request, without credentials. Default: none.
	Log *slog.Logger
}

// Server serves the user pools. It is safe for concurrent use.
type Server struct {
	config    Config
	signer    *signer
	clients   map[string]*client // by client id
	endpoints map[string]endpoint
}

var _ http.Handler = (*Server)(nil)

// client is an app client and what this run made up for it.
type client struct {
	assembly.UserPoolClient
	pool   *assembly.UserPool
	secret string // empty for a public client
}

// endpoint is what a path serves.
type endpoint struct {
	method string
	serve  func(*http.Request) answer
	// cors is the Access-Control-Allow-Origin for a request's origin.
	cors func(origin string) string
}

// answer is a response and what the log says of it.
type answer struct {
	status int
	body   any // JSON
	allow  string
	client string // name of the client, once it is known
	reason string // why not; empty where the request succeeded
}

// New returns a Server, or an error if a pool's issuer is not under
// c.BaseURL, two pools or clients share an id, or the key is unusable.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	signer, err := newSigner(c.SigningKey)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, signer: signer, clients: map[string]*client{}, endpoints: map[string]endpoint{}}
	keys := signer.jwks()
	for _, pool := range c.Pools {
		if pool.ID == "" || pool.Issuer != c.BaseURL+"/"+pool.ID {
			return nil, fmt.Errorf("user pool %s: issuer %q is not %s/%s", pool.Path, pool.Issuer, c.BaseURL, pool.ID)
		}
		if _, twice := s.endpoints["/"+pool.ID+jwksPath]; twice {
			return nil, fmt.Errorf("user pool %s: another pool has the id %s", pool.Path, pool.ID)
		}
		s.document("/"+pool.ID+jwksPath, keys)
		s.document("/"+pool.ID+"/.well-known/openid-configuration", s.configuration(pool))
		if pool.HasDomain() {
			s.endpoints[tokenPath] = endpoint{http.MethodPost, s.token, func(origin string) string { return origin }}
		}
		for _, declared := range pool.Clients {
			if err := s.addClient(pool, declared); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s *Server) addClient(pool *assembly.UserPool, declared assembly.UserPoolClient) error {
	if declared.ID == "" || s.clients[declared.ID] != nil {
		return fmt.Errorf("app client %s: its id %q is empty or another client's", declared.Path, declared.ID)
	}
	c := &client{UserPoolClient: declared, pool: pool}
	if declared.HasSecret {
		c.secret = newSecret()
	}
	s.clients[declared.ID] = c
	return nil
}

// document serves v, which anybody may read from anywhere.
func (s *Server) document(path string, v any) {
	s.endpoints[path] = endpoint{
		http.MethodGet,
		func(*http.Request) answer { return answer{status: http.StatusOK, body: v} },
		func(string) string { return "*" },
	}
}

// Secret returns a client's secret, new in each run, or "" if the client has
// none or does not exist.
func (s *Server) Secret(clientID string) string {
	if c := s.clients[clientID]; c != nil {
		return c.secret
	}
	return ""
}

// PublicKeys returns the keys that a pool's JWK Set holds, by key id, and nil
// for a pool that is not served.
func (s *Server) PublicKeys(poolID string) map[string]*rsa.PublicKey {
	if !slices.ContainsFunc(s.config.Pools, func(p *assembly.UserPool) bool { return p.ID == poolID }) {
		return nil
	}
	return map[string]*rsa.PublicKey{s.signer.kid: &s.signer.key.PublicKey}
}

// ServeHTTP answers a request and writes one line to the log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.config.Now()
	a := s.answer(w, r)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	var body []byte
	if a.body != nil {
		var err error
		if body, err = json.Marshal(a.body); err != nil {
			a = answer{status: http.StatusInternalServerError, reason: "the answer is no JSON"}
			body = []byte(`{"error":"server_error"}`)
		}
		h.Set("Content-Type", "application/json;charset=UTF-8")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the caller may have gone

	line := requestlog.Line{Status: a.status, Allowed: a.reason == "", Reason: a.reason, Latency: s.config.Now().Sub(start)}
	if a.client != "" {
		line.More = []slog.Attr{slog.String("client", a.client)}
	}
	requestlog.Write(s.config.Log, r, line)
}

// answer finds the endpoint by the path as sent, so that a path has one
// spelling.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) answer {
	e, ok := s.endpoints[r.URL.EscapedPath()]
	if !ok {
		return answer{status: http.StatusNotFound, body: oauthError{"not_found"}, reason: "no such path"}
	}
	h := w.Header()
	if e.method == http.MethodPost {
		h.Set("Cache-Control", "no-store") // RFC 6749 section 5.1
		h.Set("Pragma", "no-cache")
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", e.cors(origin))
		h.Set("Vary", "Origin")
	}
	methods := []string{e.method, http.MethodOptions}
	if e.method == http.MethodGet {
		methods = append(methods, http.MethodHead)
	}
	allow := strings.Join(methods, ", ")
	switch {
	case r.Method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		return answer{status: http.StatusNoContent, allow: allow}
	case !slices.Contains(methods, r.Method):
		return answer{status: http.StatusMethodNotAllowed, body: oauthError{"method_not_allowed"}, allow: allow, reason: "wrong method"}
	}
	return e.serve(r)
}
