package cognito

import (
	"crypto/subtle"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

const (
	tokenPath = "/oauth2/token" //nolint:gosec // a path, no credential

	// maxFormBytes bounds a token request. A client's longest one, with 50
	// scopes of 500 characters, is half as large.
	maxFormBytes = 64 << 10
)

// Errors of the token endpoint ("Token endpoint", Amazon Cognito developer
// guide; RFC 6749 section 5.2). Cognito answers all of them with status 400.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	invalidScope         = "invalid_scope"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrantType = "unsupported_grant_type"
)

const grantClientCredentials = "client_credentials"

type oauthError struct {
	Error string `json:"error"`
}

// tokenAnswer is a successful answer. client_credentials gets no ID and no
// refresh token.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	TokenType   string `json:"token_type"`
}

// refusal is why there is no token: the code for the caller, and the reason for
// the log, which holds nothing of the request.
type refusal struct {
	status int
	code   string
	reason string
}

func refuse(code, reason string) *refusal { return &refusal{http.StatusBadRequest, code, reason} }

// token serves /oauth2/token. The request is read first, then the client
// authenticated, and only then is anything said about the client.
func (s *Server) token(r *http.Request) answer {
	form, no := readForm(r)
	var c *client
	if no == nil {
		c, no = s.authenticate(r, form)
	}
	var granted answer
	if no == nil {
		granted, no = s.grant(c, form)
	}
	if no != nil {
		granted = answer{status: no.status, body: oauthError{no.code}, reason: no.reason}
	}
	if c != nil {
		granted.client = c.Name
	}
	return granted
}

// readForm reads the parameters from the body, and from nowhere else
// (RFC 6749 sections 2.3.1 and 3.2): a query string ends up in logs.
func readForm(r *http.Request) (url.Values, *refusal) {
	if r.URL.RawQuery != "" {
		return nil, refuse(invalidRequest, "parameters in the query string")
	}
	types := r.Header.Values("Content-Type")
	if len(types) != 1 {
		return nil, refuse(invalidRequest, "not one Content-Type")
	}
	if kind, _, err := mime.ParseMediaType(types[0]); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse(invalidRequest, "Content-Type is not application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxFormBytes+1))
	if err != nil {
		return nil, refuse(invalidRequest, "the body breaks off")
	}
	if len(body) > maxFormBytes {
		return nil, &refusal{http.StatusRequestEntityTooLarge, invalidRequest, "the body is larger than 64 KiB"}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(invalidRequest, "the body is not form-encoded")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, refuse(invalidRequest, "a parameter stands twice")
		}
	}
	if form.Get("grant_type") == "" {
		return nil, refuse(invalidRequest, "no grant_type")
	}
	return form, nil
}

// authenticate finds the client and checks its secret, sent either way but not
// both ways (RFC 6749 section 2.3). The client is returned once it is known who
// is meant, even if the secret is wrong.
func (s *Server) authenticate(r *http.Request, form url.Values) (*client, *refusal) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		// Secrets and ids are letters and digits, so whether they were
		// form-encoded before base64 makes no difference.
		basicID, basicSecret, ok := r.BasicAuth()
		switch {
		case len(headers) > 1:
			return nil, refuse(invalidRequest, "several Authorization headers")
		case !ok:
			return nil, refuse(invalidClient, "Authorization is not Basic")
		case secret != "":
			return nil, refuse(invalidRequest, "client authentication in header and body")
		case id != "" && id != basicID:
			return nil, refuse(invalidRequest, "client_id is not the one of the Authorization header")
		}
		id, secret = basicID, basicSecret
	}
	if id == "" {
		return nil, refuse(invalidRequest, "no client_id")
	}
	c := s.clients[id]
	switch {
	case c == nil:
		return nil, refuse(invalidClient, "unknown client")
	case !c.pool.HasDomain():
		return c, refuse(invalidClient, "the client's user pool has no domain")
	case subtle.ConstantTimeCompare([]byte(secret), []byte(c.secret)) != 1:
		return c, refuse(invalidClient, "wrong secret")
	}
	return c, nil
}

// grant answers an authenticated client.
func (s *Server) grant(c *client, form url.Values) (answer, *refusal) {
	switch {
	case form.Get("grant_type") != grantClientCredentials:
		return answer{}, refuse(unsupportedGrantType, "the grant type is not served")
	case !c.OAuth:
		return answer{}, refuse(invalidGrant, "AllowedOAuthFlowsUserPoolClient is not set")
	case !slices.Contains(c.Flows, grantClientCredentials), c.secret == "":
		return answer{}, refuse(unauthorizedClient, "the client has no client_credentials flow or no secret")
	}
	scopes, no := c.scopes(form.Get("scope"))
	if no != nil {
		return answer{}, no
	}
	token, err := s.accessToken(c, scopes)
	if err != nil {
		return answer{}, &refusal{http.StatusInternalServerError, "server_error", "signing failed"}
	}
	return answer{status: http.StatusOK, body: tokenAnswer{
		AccessToken: token,
		ExpiresIn:   int64(c.AccessTokenLifetime.Seconds()),
		TokenType:   "Bearer",
	}}, nil
}

// scopes returns what a request gets: all of the client's custom scopes if it
// names none, else those it names of them, in its order. Cognito documents that
// it ignores the others. With none left there is no token.
func (c *client) scopes(requested string) ([]string, *refusal) {
	var custom []string
	for _, scope := range c.Scopes {
		// A standard scope speaks of a user, and here is none.
		if slices.ContainsFunc(c.pool.ResourceServers, func(s assembly.ResourceServer) bool { return slices.Contains(s.Scopes, scope) }) {
			custom = append(custom, scope)
		}
	}
	if requested == "" {
		if len(custom) == 0 {
			return nil, refuse(invalidScope, "the client has no custom scopes")
		}
		return custom, nil
	}
	var granted []string
	for scope := range strings.SplitSeq(requested, " ") {
		if slices.Contains(custom, scope) && !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	if len(granted) == 0 {
		return nil, refuse(invalidScope, "no requested scope is the client's")
	}
	return granted, nil
}
