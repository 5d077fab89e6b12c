// Package cognito serves what Amazon Cognito serves for the user pools of a
// stage: under its domain the OAuth 2.0 endpoints and the sign-in pages, and
// each pool's public keys and OpenID configuration.
//
// On AWS each pool has a domain of its own for the former and is found under the
// Region's cognito-idp host for the rest. Here one listener stands for all of
// them; a client id, unique among pools, tells whose domain was meant. A pool
// without a domain has no endpoints here either.
//
//	server, err := cognito.New(cognito.Config{Pools: model.UserPools, BaseURL: "http://127.0.0.1:4011"})
//	...
//	http.Serve(listener, guard.Wrap(server, policy, nil))
package cognito

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
	"github.com/gatewright/gatewright/internal/local/cognito/hosted"
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
	// Account and Region stand in the events that triggers get.
	Account, Region string
	// Invoke calls a trigger. Default: none, and a pool with triggers refuses
	// what they decide.
	Invoke func(ctx context.Context, functionARN string, payload []byte) (answer []byte, functionError string, err error)
	// Deliver gets what AWS would mail or text. Default: it is lost.
	Deliver func(directory.Message)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log gets one line per request, without credentials. Default: none.
	Log *slog.Logger
}

// Server serves the user pools. It is safe for concurrent use.
type Server struct {
	config      Config
	signer      *signer
	directories map[string]*directory.Directory // by pool id
	endpoints   map[string]hosted.Endpoint
}

var _ http.Handler = (*Server)(nil)

// New returns a Server, or an error if a pool's issuer is not under
// c.BaseURL, two pools or clients share an id, or the key is unusable.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Deliver == nil {
		c.Deliver = func(directory.Message) {}
	}
	signer, err := newSigner(c.SigningKey)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, signer: signer, directories: map[string]*directory.Directory{}, endpoints: map[string]hosted.Endpoint{}}
	keys := signer.jwks()
	clients := map[string]bool{}
	var pools []hosted.Pool
	for _, pool := range c.Pools {
		if pool.ID == "" || pool.Issuer != c.BaseURL+"/"+pool.ID {
			return nil, fmt.Errorf("user pool %s: issuer %q is not %s/%s", pool.Path, pool.Issuer, c.BaseURL, pool.ID)
		}
		if s.directories[pool.ID] != nil {
			return nil, fmt.Errorf("user pool %s: another pool has the id %s", pool.Path, pool.ID)
		}
		for _, declared := range pool.Clients {
			if declared.ID == "" || clients[declared.ID] {
				return nil, fmt.Errorf("app client %s: its id %q is empty or another client's", declared.Path, declared.ID)
			}
			clients[declared.ID] = true
		}
		if s.directories[pool.ID], err = s.newDirectory(pool); err != nil {
			return nil, fmt.Errorf("user pool %s: %w", pool.Path, err)
		}
		pools = append(pools, hosted.Pool{Declared: pool, Directory: s.directories[pool.ID]})
		s.document("/"+pool.ID+jwksPath, keys)
		s.document("/"+pool.ID+"/.well-known/openid-configuration", s.configuration(pool))
	}
	maps.Copy(s.endpoints, hosted.New(hosted.Config{Pools: pools, Now: c.Now}).Endpoints())
	return s, nil
}

func (s *Server) newDirectory(pool *assembly.UserPool) (*directory.Directory, error) {
	verifier, err := authn.NewVerifier(authn.Config{Issuer: pool.Issuer, Keys: authn.KeySet(s.keys()), Now: s.config.Now})
	if err != nil {
		return nil, err
	}
	return directory.New(directory.Config{
		Pool: pool, Sign: s.signer.sign, Verify: verifier.Verify,
		Invoke: s.config.Invoke, Deliver: s.config.Deliver,
		Account: s.config.Account, Region: s.config.Region, Now: s.config.Now,
	})
}

// document serves v, which anybody may read from anywhere.
func (s *Server) document(path string, v any) {
	read := func(*http.Request) hosted.Answer {
		a := hosted.Document(http.StatusOK, v, "")
		a.Header.Set("Access-Control-Allow-Origin", "*")
		return a
	}
	s.endpoints[path] = hosted.Endpoint{
		Methods: map[string]func(*http.Request) hosted.Answer{http.MethodGet: read, http.MethodHead: read}, CORS: true,
	}
}

// Directories returns who is in each pool, by pool id.
func (s *Server) Directories() map[string]*directory.Directory { return maps.Clone(s.directories) }

// Secret returns a client's secret, new in each run, or "" if the client has
// none or does not exist.
func (s *Server) Secret(clientID string) string {
	for _, d := range s.directories {
		if c := d.Client(clientID); c != nil {
			return c.Secret
		}
	}
	return ""
}

// PublicKeys returns the keys that a pool's JWK Set holds, by key id, and nil
// for a pool that is not served.
func (s *Server) PublicKeys(poolID string) map[string]*rsa.PublicKey {
	if s.directories[poolID] == nil {
		return nil
	}
	return s.keys()
}

func (s *Server) keys() map[string]*rsa.PublicKey {
	return map[string]*rsa.PublicKey{s.signer.kid: &s.signer.key.PublicKey}
}

// ServeHTTP answers a request and writes one line to the log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.config.Now()
	a := s.answer(w, r)
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the caller may have gone

	line := requestlog.Line{Status: a.Status, Allowed: a.Reason == "", Reason: a.Reason, Latency: s.config.Now().Sub(start)}
	if a.Client != "" {
		line.More = []slog.Attr{slog.String("client", a.Client)}
	}
	requestlog.Write(s.config.Log, r, line)
}

// oauthError is an answer to a request that no endpoint gets.
type oauthError struct {
	Error string `json:"error"`
}

// answer finds the endpoint by the path as sent, so that a path has one
// spelling.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) hosted.Answer {
	e, ok := s.endpoints[r.URL.EscapedPath()]
	if !ok {
		return hosted.Document(http.StatusNotFound, oauthError{"not_found"}, "no such path")
	}
	h := w.Header()
	methods := slices.Sorted(maps.Keys(e.Methods))
	if e.Methods[http.MethodPost] != nil {
		h.Set("Cache-Control", "no-store") // RFC 6749 section 5.1
		h.Set("Pragma", "no-cache")
	}
	if e.CORS {
		methods = append(methods, http.MethodOptions)
		if origin := r.Header.Get("Origin"); origin != "" {
			h.Set("Access-Control-Allow-Origin", origin) // the guard has let it in
			h.Set("Vary", "Origin")
		}
	}
	allow := strings.Join(methods, ", ")
	serve := e.Methods[r.Method]
	switch {
	case serve != nil:
		return serve(r)
	case e.CORS && r.Method == http.MethodOptions:
		h.Set("Allow", allow)
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		return hosted.Answer{Status: http.StatusNoContent}
	default:
		h.Set("Allow", allow)
		return hosted.Document(http.StatusMethodNotAllowed, oauthError{"method_not_allowed"}, "wrong method")
	}
}
