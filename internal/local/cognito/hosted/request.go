package hosted

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// maxQueryBytes bounds an authorization request.
const maxQueryBytes = 8 << 10

// Errors of the authorization endpoint besides the token endpoint's ("The
// redirect and authorization endpoint", Amazon Cognito developer guide;
// RFC 6749 section 4.1.2.1; OpenID Connect Core 1.0 section 3.1.2.6).
const (
	serverError             = "server_error"
	loginRequired           = "login_required"
	unsupportedResponseType = "unsupported_response_type"
	requestNotSupported     = "request_not_supported"
	requestURINotSupported  = "request_uri_not_supported"
)

// authorization is a request whose client and callback are known, so that its
// errors may go there.
type authorization struct {
	pool        *pool
	client      *directory.Client
	redirectURI string
	scopes      []string
	nonce       string
	challenge   string
	prompts     []string
	hint        string
	query       url.Values // what the pages pass on
}

// parameterError is what a client did wrong, for its callback.
type parameterError struct {
	code        string
	reason      string // names no value of the request; for the log
	description string // for the callback; default: the reason
}

func wrong(code, reason string) *parameterError { return &parameterError{code: code, reason: reason} }

// readAuthorization reads the parameters of /oauth2/authorize and of every page.
//
// An unknown client or callback yields no authorization but a reason, which is
// for a person to read: redirecting there would make this an open redirector
// (RFC 9700 section 4.11). Everything else that is wrong is for the callback.
func (s *Server) readAuthorization(rawQuery string) (a *authorization, no *parameterError, reason string) {
	if len(rawQuery) > maxQueryBytes {
		return nil, nil, "the request is longer than 8 KiB"
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, nil, "the request is not form-encoded"
	}
	ids, uris := query["client_id"], query["redirect_uri"]
	if len(ids) != 1 || ids[0] == "" {
		return nil, nil, "client_id is missing or stands twice"
	}
	p, client := s.client(ids[0])
	if client == nil || !p.HasDomain() {
		return nil, nil, "no app client with this client_id has sign-in pages"
	}
	if len(uris) != 1 || uris[0] == "" {
		return nil, nil, "redirect_uri is missing or stands twice"
	}
	// Equal as strings, as RFC 9700 section 2.1 wants it and Cognito does it:
	// every other comparison has been tricked.
	if !slices.Contains(client.Callbacks, uris[0]) || strings.Contains(uris[0], "#") {
		return nil, nil, "redirect_uri is not a callback of the app client"
	}
	hiding := *client
	hiding.HidesUsers = true // no page tells who has an account
	a = &authorization{pool: p, client: &hiding, redirectURI: uris[0], query: query}
	return a, a.read(), ""
}

// read checks the other parameters.
func (a *authorization) read() *parameterError {
	for _, values := range a.query {
		if len(values) > 1 {
			return wrong(invalidRequest, "a parameter stands twice")
		}
		if !utf8.ValidString(values[0]) {
			return wrong(invalidRequest, "a parameter is not UTF-8")
		}
	}
	for _, unserved := range []struct{ name, code string }{
		{"request", requestNotSupported}, {"request_uri", requestURINotSupported}, {"resource", invalidRequest}, {"idp_identifier", invalidRequest},
	} {
		if a.query.Has(unserved.name) {
			return wrong(unserved.code, unserved.name+" is not served here")
		}
	}
	if provider := a.query.Get("identity_provider"); provider != "" && provider != "COGNITO" {
		return wrong(invalidRequest, "identity_provider is not served here")
	}
	if mode := a.query.Get("response_mode"); mode != "" && mode != "query" {
		return wrong(invalidRequest, "response_mode must be query")
	}
	for _, read := range []func() *parameterError{a.readResponseType, a.readScope, a.readChallenge, a.readPrompt} {
		if no := read(); no != nil {
			return no
		}
	}
	a.nonce, a.hint = a.query.Get("nonce"), a.query.Get("login_hint")
	return nil
}

// readResponseType takes the code flow only. A token in a redirect ends up in
// histories and logs (RFC 9700 section 2.1.2).
func (a *authorization) readResponseType() *parameterError {
	allowed := func(flow string) bool { return a.client.OAuth && slices.Contains(a.client.Flows, flow) }
	switch a.query.Get("response_type") {
	case "code":
		if !allowed("code") {
			return wrong(unauthorizedClient, "the app client has no code flow")
		}
		return nil
	case "token":
		if !allowed("implicit") {
			return wrong(unauthorizedClient, "the app client has no implicit flow")
		}
		return wrong(unsupportedResponseType, "the implicit flow is not served here")
	default:
		return wrong(invalidRequest, "response_type must be code")
	}
}

// readScope takes the client's own scopes, all of them by default. None is an
// error: a sign-in without scopes is an SDK's, and its token another one.
func (a *authorization) readScope() *parameterError {
	requested := strings.Fields(a.query.Get("scope"))
	if a.query.Get("scope") == "" {
		requested = a.client.Scopes
	}
	for _, scope := range requested {
		switch {
		case !slices.Contains(a.client.Scopes, scope):
			return wrong(invalidScope, "a scope is not the app client's")
		case !slices.Contains(a.scopes, scope):
			a.scopes = append(a.scopes, scope)
		}
	}
	speaksOfUser := func(scope string) bool { return scope == "email" || scope == "phone" || scope == "profile" }
	switch {
	case len(a.scopes) == 0:
		return wrong(invalidScope, "there is no scope")
	case slices.ContainsFunc(a.scopes, speaksOfUser) && !slices.Contains(a.scopes, "openid"):
		return wrong(invalidScope, "email, phone and profile need openid")
	}
	return nil
}

// readChallenge takes S256 and no other method. RFC 7636 section 4.3 takes a
// missing method for "plain", which Cognito does not know.
func (a *authorization) readChallenge() *parameterError {
	method, challenge := a.query.Get("code_challenge_method"), a.query.Get("code_challenge")
	if !a.query.Has("code_challenge") && !a.query.Has("code_challenge_method") {
		return nil
	}
	if method != "S256" {
		return wrong(invalidRequest, "code_challenge_method must be S256")
	}
	// The decoder skips line breaks, so the length is checked on both sides.
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(sum) != 32 || len(challenge) != 43 {
		return wrong(invalidRequest, "code_challenge is not a SHA-256 in base64url")
	}
	a.challenge = challenge
	return nil
}

func (a *authorization) readPrompt() *parameterError {
	a.prompts = strings.Fields(a.query.Get("prompt"))
	if slices.Contains(a.prompts, "none") && len(a.prompts) > 1 {
		return wrong(invalidRequest, "prompt holds none and another value")
	}
	return nil
}

// asks reports whether the request wants a prompt.
func (a *authorization) asks(prompt string) bool { return slices.Contains(a.prompts, prompt) }

// link is a page's address for the same request.
func (a *authorization) link(path string) string { return path + "?" + a.query.Encode() }

// callback is the callback's address with an answer in its query. The callback
// may have a query of its own, which stays (RFC 6749 section 3.1.2).
func (a *authorization) callback(answer url.Values) string {
	if states := a.query["state"]; len(states) == 1 { // an empty one goes back, too
		answer.Set("state", states[0])
	}
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	return a.redirectURI + separator + answer.Encode()
}

// failure is the callback's address with an error.
func (a *authorization) failure(no *parameterError) string {
	return a.callback(url.Values{"error": {no.code}, "error_description": {cmp.Or(no.description, no.reason)}})
}
