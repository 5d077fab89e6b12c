package userpool

import (
	"cmp"
	"time"
)

// How long a refresh token is valid by default, and so how long a user stays
// signed in.
const (
	DefaultRefreshTokenLifetime       = 12 * time.Hour      // of a Browser or a Server
	DefaultMobileRefreshTokenLifetime = 30 * 24 * time.Hour // of a Mobile
)

// Client is a program that may obtain tokens: a [Browser], [Mobile], [Server]
// or [Machine]. Each kind is its own type, so none can be given what its kind
// must not have: a browser no secret, a machine no callback.
type Client interface {
	describe() client
}

// client is a Client as the pool reads it.
type client struct {
	name   string
	scopes []string
	secret bool
	signIn *signIn // nil for a program without users
}

// signIn is what the clients that sign users in differ in.
type signIn struct {
	callbacks, logouts   []string
	refreshTokenLifetime time.Duration
	ownSchemes           bool // com.example.shop:/callback
	srp                  bool // also by the user pool's API
}

var (
	_ Client = Browser{}
	_ Client = Mobile{}
	_ Client = Server{}
	_ Client = Machine{}
)

// Browser is a website whose pages call the API themselves. Anyone can read
// its code, so it has no secret. Users sign in by the authorization code grant
// with PKCE (RFC 7636): send a code_challenge with every sign-in; Cognito
// checks what is sent and has no switch to insist on it. Each refresh token
// works once and is replaced by the next (RFC 9700 section 2.2.2), unless SRP
// is set.
type Browser struct {
	// Name tells the client from the pool's others: 1 to 128 letters, digits,
	// spaces and + = , . @ - _. Another, or one that is taken, is an error.
	Name string
	// Scopes are what the client may ask for, 1 to 50: scopes of the pool's
	// resource servers, and openid, email and profile for what an ID token
	// says. Another is an error, and so is email or profile without openid.
	Scopes []string
	// Callbacks are where a user may be sent with a code after signing in, 1 to
	// 100, each of at most 1,024 characters, compared as whole texts: https, or
	// http on localhost, 127.0.0.1 or [::1] (RFC 8252 section 7.3). A wildcard,
	// a fragment, a user name, upper case in the host, or a URI twice is an
	// error.
	Callbacks []string
	// Logouts are where a user may be sent after signing out, in the form of
	// Callbacks. Default: none; then nobody is sent anywhere.
	Logouts []string
	// RefreshTokenLifetime is how long a user stays signed in, in whole
	// minutes from one hour to ten years, not less than the pool's other
	// lifetimes. Another is an error. Default: 12 hours.
	RefreshTokenLifetime time.Duration
	// SRP also lets an app sign users in itself, with their password, as SDKs do
	// (USER_SRP_AUTH; the password never leaves the app). Such tokens carry
	// aws.cognito.signin.user.admin, with which their user's own account can be
	// changed, and no other scope but the pool's SDKScopes. Refresh tokens are
	// then not replaced on use: SDKs refresh by REFRESH_TOKEN_AUTH, which Cognito
	// refuses where they are. Default: false.
	SRP bool
}

func (b Browser) describe() client {
	return client{name: b.Name, scopes: b.Scopes, signIn: &signIn{
		callbacks: b.Callbacks, logouts: b.Logouts, srp: b.SRP,
		refreshTokenLifetime: cmp.Or(b.RefreshTokenLifetime, DefaultRefreshTokenLifetime),
	}}
}

// Mobile is an app on its user's device, a phone's or a desktop's. It is a
// public client like [Browser], signs users in the same way, and may own a
// scheme of URLs.
type Mobile struct {
	// Name tells the client from the pool's others: 1 to 128 letters, digits,
	// spaces and + = , . @ - _. Another, or one that is taken, is an error.
	Name string
	// Scopes are what the client may ask for, as in [Browser].
	Scopes []string
	// Callbacks are where a user may be sent with a code after signing in, as
	// in [Browser], or a URL of the app's own scheme, which is a domain name
	// of yours in reverse: "com.example.shop:/callback" (RFC 8252 section
	// 7.1). Another scheme is an error. Cognito knows no variable ports, so
	// name each loopback port.
	Callbacks []string
	// Logouts are where a user may be sent after signing out, in the form of
	// Callbacks. Default: none; then nobody is sent anywhere.
	Logouts []string
	// RefreshTokenLifetime is how long a user stays signed in, as in
	// [Browser]. Default: 30 days.
	RefreshTokenLifetime time.Duration
	// SRP also lets an app sign users in itself, with their password, as SDKs do
	// (USER_SRP_AUTH; the password never leaves the app). Such tokens carry
	// aws.cognito.signin.user.admin, with which their user's own account can be
	// changed, and no other scope but the pool's SDKScopes. Refresh tokens are
	// then not replaced on use: SDKs refresh by REFRESH_TOKEN_AUTH, which Cognito
	// refuses where they are. Default: false.
	SRP bool
}

func (m Mobile) describe() client {
	return client{name: m.Name, scopes: m.Scopes, signIn: &signIn{
		callbacks: m.Callbacks, logouts: m.Logouts, ownSchemes: true, srp: m.SRP,
		refreshTokenLifetime: cmp.Or(m.RefreshTokenLifetime, DefaultMobileRefreshTokenLifetime),
	}}
}

// Server is a web application that keeps its users' tokens on its server. It
// has a secret, without which a stolen code or refresh token is worth nothing;
// its refresh tokens are not replaced on use. Users sign in by the
// authorization code grant.
type Server struct {
	// Name tells the client from the pool's others: 1 to 128 letters, digits,
	// spaces and + = , . @ - _. Another, or one that is taken, is an error.
	Name string
	// Scopes are what the client may ask for, as in [Browser].
	Scopes []string
	// Callbacks are where a user may be sent with a code after signing in, as
	// in [Browser].
	Callbacks []string
	// Logouts are where a user may be sent after signing out, in the form of
	// Callbacks. Default: none; then nobody is sent anywhere.
	Logouts []string
	// RefreshTokenLifetime is how long a user stays signed in, as in
	// [Browser]. Default: 12 hours.
	RefreshTokenLifetime time.Duration
}

func (s Server) describe() client {
	return client{name: s.Name, scopes: s.Scopes, secret: true, signIn: &signIn{
		callbacks: s.Callbacks, logouts: s.Logouts,
		refreshTokenLifetime: cmp.Or(s.RefreshTokenLifetime, DefaultRefreshTokenLifetime),
	}}
}

// Machine is a program without a user. It proves itself with a secret and gets
// tokens by the client_credentials grant (RFC 6749 section 4.4), for scopes of
// resource servers only.
type Machine struct {
	// Name tells the client from the pool's others: 1 to 128 letters, digits,
	// spaces and + = , . @ - _. Another, or one that is taken, is an error.
	Name string
	// Scopes are what the client may ask for, 1 to 50 of the pool's resource
	// servers, none of a FirstParty one. Another is an error.
	Scopes []string
}

func (m Machine) describe() client {
	return client{name: m.Name, scopes: m.Scopes, secret: true}
}
