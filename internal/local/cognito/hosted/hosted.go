// Package hosted serves what Amazon Cognito serves under a user pool's domain:
// the OAuth 2.0 endpoints and the pages of managed login, without a line of
// JavaScript.
//
// What a user pool knows and decides is the directory's. Here is what HTTP adds:
// which request is well-formed, where an answer may go, which browser is signed
// in. An authorization request stands in the address of every page, as Cognito
// has it; everything else that one page leaves for the next stays on the server.
//
// On AWS each pool has a host of its own. Here one host stands for all of them,
// and a client id, unique among pools, tells which pool was meant.
package hosted

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// Paths of the endpoints that OpenID configuration names.
const (
	AuthorizePath = "/oauth2/authorize"
	TokenPath     = "/oauth2/token" //nolint:gosec // a path, no credential
	UserInfoPath  = "/oauth2/userInfo"
	RevokePath    = "/oauth2/revoke"
	LogoutPath    = "/logout"
)

// Paths of the other pages.
const (
	loginPath       = "/login"
	signUpPath      = "/signup"
	confirmPath     = "/confirm"
	resendPath      = "/resendcode"
	forgotPath      = "/forgotPassword"
	resetPath       = "/confirmForgotPassword"
	newPasswordPath = "/changePassword"
	mfaPath         = "/mfa"
)

// Pool is a user pool and who is in it.
type Pool struct {
	Declared  *assembly.UserPool
	Directory *directory.Directory
}

// Config says which pools to serve. Those without a domain have no endpoints.
type Config struct {
	Pools []Pool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Server serves the pools' domains. It is safe for concurrent use.
type Server struct {
	pools []*pool
	codes *codes
}

// pool is a user pool and the browsers at its pages.
type pool struct {
	*assembly.UserPool
	directory *directory.Directory
	visits    *visits
}

// Answer is a response and what the log says of it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Client string // name of the app client, once it is known
	Reason string // why not; empty where the request succeeded; names no value of the request
}

// Endpoint is what a path serves.
type Endpoint struct {
	Methods map[string]func(*http.Request) Answer
	// CORS is set where scripts of allowed origins may call.
	CORS bool
}

// New returns a Server.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{codes: newCodes(c.Now)}
	for _, p := range c.Pools {
		s.pools = append(s.pools, &pool{p.Declared, p.Directory, newVisits(p.Declared.ID, c.Now)})
	}
	return s
}

// Endpoints returns what to serve, by path; nothing if no pool has a domain.
func (s *Server) Endpoints() map[string]Endpoint {
	if !slices.ContainsFunc(s.pools, func(p *pool) bool { return p.HasDomain() }) {
		return nil
	}
	get := func(serve func(*http.Request) Answer) Endpoint {
		return Endpoint{Methods: map[string]func(*http.Request) Answer{http.MethodGet: serve}}
	}
	forms := func(shown, sent step) Endpoint {
		return Endpoint{Methods: map[string]func(*http.Request) Answer{
			http.MethodGet: s.page(shown), http.MethodPost: s.form(sent),
		}}
	}
	post := func(serve func(*http.Request) Answer) Endpoint {
		return Endpoint{Methods: map[string]func(*http.Request) Answer{http.MethodPost: serve}, CORS: true}
	}
	userInfo := get(s.userInfo)
	userInfo.CORS = true
	return map[string]Endpoint{
		AuthorizePath:   get(s.page(s.authorize)),
		loginPath:       forms(s.showLogin, s.signIn),
		signUpPath:      forms(s.showSignUp, s.signUp),
		confirmPath:     forms(s.showConfirm, s.confirm),
		resendPath:      forms(s.showConfirm, s.resend),
		forgotPath:      forms(s.showForgot, s.forgot),
		resetPath:       forms(s.showReset, s.reset),
		newPasswordPath: forms(s.showNewPassword, s.newPassword),
		mfaPath:         forms(s.showTOTP, s.totp),
		LogoutPath:      get(s.logout),
		TokenPath:       post(s.token),
		RevokePath:      post(s.revoke),
		UserInfoPath:    userInfo,
	}
}

// client returns an app client and its pool, or nil for an id of nobody.
func (s *Server) client(id string) (*pool, *directory.Client) {
	for _, p := range s.pools {
		if c := p.directory.Client(id); c != nil {
			return p, c
		}
	}
	return nil, nil
}

// Document is an answer in JSON that says reason in the log.
func Document(status int, v any, reason string) Answer {
	body, err := json.Marshal(v)
	if err != nil {
		return Answer{Status: http.StatusInternalServerError, Reason: "the answer is no JSON"}
	}
	return Answer{Status: status, Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, Body: body, Reason: reason}
}
