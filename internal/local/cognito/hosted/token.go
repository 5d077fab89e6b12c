package hosted

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// Errors of the token endpoint ("The token issuer endpoint", Amazon Cognito
// developer guide; RFC 6749 section 5.2). Cognito answers all of them with
// status 400.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	invalidScope         = "invalid_scope"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrantType = "unsupported_grant_type"
)

// oauthError is an error of every endpoint that scripts call.
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// tokenAnswer is a successful answer. client_credentials gets no ID and no
// refresh token.
type tokenAnswer struct {
	IDToken      string `json:"id_token,omitempty"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	TokenType    string `json:"token_type"`
}

// refusal is why a request failed: the code for the caller, and the reason for
// the log, which holds nothing of the request.
type refusal struct {
	status      int
	code        string
	reason      string
	description string // for the caller; empty for none
}

func refuse(code, reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, reason: reason}
}

func (no *refusal) answer() Answer {
	return Document(no.status, oauthError{no.code, no.description}, no.reason)
}

// token serves /oauth2/token. The request is read first, then the client
// authenticated, and only then is anything said about the client.
func (s *Server) token(r *http.Request) Answer {
	p, c, form, no := s.readClientForm(r)
	var tokens directory.Tokens
	if no == nil {
		tokens, no = s.grant(r.Context(), p, c, form)
	}
	var a Answer
	if no != nil {
		a = no.answer()
	} else {
		a = Document(http.StatusOK, tokenAnswer{
			IDToken: tokens.ID, AccessToken: tokens.Access, RefreshToken: tokens.Refresh,
			ExpiresIn: int64(tokens.ExpiresIn.Seconds()), TokenType: "Bearer",
		}, "")
	}
	if c != nil {
		a.Client = c.Name
	}
	return a
}

// readClientForm reads a form that a client sends for itself. The client is
// returned once it is known who is meant, even if the rest is wrong.
func (s *Server) readClientForm(r *http.Request) (*pool, *directory.Client, url.Values, *refusal) {
	if r.URL.RawQuery != "" {
		return nil, nil, nil, refuse(invalidRequest, "parameters in the query string")
	}
	form, no := readForm(r)
	if no == nil && r.URL.Path == TokenPath && form.Get("grant_type") == "" {
		no = refuse(invalidRequest, "no grant_type")
	}
	if no != nil {
		return nil, nil, nil, no
	}
	p, c, no := s.authenticate(r, form)
	return p, c, form, no
}

// authenticate finds the client and checks its secret, sent either way but not
// both ways (RFC 6749 section 2.3).
func (s *Server) authenticate(r *http.Request, form url.Values) (*pool, *directory.Client, *refusal) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		// Secrets and ids are letters and digits, so whether they were
		// form-encoded before base64 makes no difference.
		basicID, basicSecret, ok := r.BasicAuth()
		switch {
		case len(headers) > 1:
			return nil, nil, refuse(invalidRequest, "several Authorization headers")
		case !ok:
			return nil, nil, refuse(invalidClient, "Authorization is not Basic")
		case secret != "":
			return nil, nil, refuse(invalidRequest, "client authentication in header and body")
		case id != "" && id != basicID:
			return nil, nil, refuse(invalidRequest, "client_id is not the one of the Authorization header")
		}
		id, secret = basicID, basicSecret
	}
	if id == "" {
		return nil, nil, refuse(invalidRequest, "no client_id")
	}
	p, c := s.client(id)
	switch {
	case c == nil:
		return nil, nil, refuse(invalidClient, "unknown client")
	case !p.HasDomain():
		return p, c, refuse(invalidClient, "the client's user pool has no domain")
	case subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1:
		return p, c, refuse(invalidClient, "wrong secret")
	}
	return p, c, nil
}

// grant answers an authenticated client.
func (s *Server) grant(ctx context.Context, p *pool, c *directory.Client, form url.Values) (directory.Tokens, *refusal) {
	kind := form.Get("grant_type")
	if !slices.Contains([]string{"authorization_code", "refresh_token", "client_credentials"}, kind) {
		return directory.Tokens{}, refuse(unsupportedGrantType, "the grant type is not served")
	}
	if !c.OAuth {
		return directory.Tokens{}, refuse(invalidGrant, "AllowedOAuthFlowsUserPoolClient is not set")
	}
	switch kind {
	case "authorization_code":
		return s.redeem(p, c, form)
	case "refresh_token":
		return refresh(ctx, p, c, form)
	default:
		return clientCredentials(ctx, p, c, form)
	}
}

// redeem exchanges a code. A code that comes back has leaked, so what it was
// exchanged for is revoked (RFC 6749 section 4.1.2, RFC 9700 section 4.2.4).
func (s *Server) redeem(p *pool, c *directory.Client, form url.Values) (directory.Tokens, *refusal) {
	code, callback := form.Get("code"), form.Get("redirect_uri")
	switch {
	case !slices.Contains(c.Flows, "code"):
		return directory.Tokens{}, refuse(unauthorizedClient, "the client has no code flow")
	case code == "":
		return directory.Tokens{}, refuse(invalidRequest, "no code")
	case callback == "":
		return directory.Tokens{}, refuse(invalidRequest, "no redirect_uri")
	}
	g, verdict := s.codes.take(code, c.ID)
	switch {
	case verdict == codeTaken:
		if err := p.directory.Revoke(c, g.tokens.Refresh); err != nil {
			return directory.Tokens{}, refuse(invalidGrant, "the code was used before; what it gave cannot be revoked")
		}
		return directory.Tokens{}, refuse(invalidGrant, "the code was used before; what it gave is revoked")
	case verdict != codeGood:
		return directory.Tokens{}, refuse(invalidGrant, "the code is unknown, expired or another client's")
	case !slices.Contains(c.Callbacks, callback):
		return directory.Tokens{}, refuse(unauthorizedClient, "redirect_uri is not a callback of the client")
	case callback != g.redirectURI:
		return directory.Tokens{}, refuse(invalidGrant, "redirect_uri is not the one that got the code")
	case !g.proves(form.Get("code_verifier")):
		return directory.Tokens{}, refuse(invalidGrant, "code_verifier does not belong to the code")
	}
	tokens, err := p.directory.Redeem(g.tokens)
	return tokens, asRefusal(err)
}

func refresh(ctx context.Context, p *pool, c *directory.Client, form url.Values) (directory.Tokens, *refusal) {
	token := form.Get("refresh_token")
	if token == "" {
		return directory.Tokens{}, refuse(invalidRequest, "no refresh_token")
	}
	tokens, err := p.directory.Refresh(ctx, c, token, form.Get("scope"), nil)
	return tokens, asRefusal(err)
}

// clientCredentials gives a client a token of its own.
func clientCredentials(ctx context.Context, p *pool, c *directory.Client, form url.Values) (directory.Tokens, *refusal) {
	if !slices.Contains(c.Flows, "client_credentials") || c.Secret == "" {
		return directory.Tokens{}, refuse(unauthorizedClient, "the client has no client_credentials flow or no secret")
	}
	scopes, no := p.machineScopes(c, form.Get("scope"))
	if no != nil {
		return directory.Tokens{}, no
	}
	metadata, no := clientMetadata(form.Get("aws_client_metadata"))
	if no != nil {
		return directory.Tokens{}, no
	}
	tokens, err := p.directory.ClientCredentials(ctx, c, scopes, metadata)
	return tokens, asRefusal(err)
}

// clientMetadata reads what a machine tells the pre-token trigger: a JSON object
// of texts ("The token issuer endpoint", Amazon Cognito developer guide). Texts
// only, because the trigger's event has nothing else there.
func clientMetadata(document string) (map[string]string, *refusal) {
	if document == "" {
		return nil, nil
	}
	wrong := refuse(invalidRequest, "aws_client_metadata is no JSON object of texts")
	var members map[string]*string
	if err := json.Unmarshal([]byte(document), &members); err != nil || members == nil {
		return nil, wrong
	}
	metadata := map[string]string{}
	for name, value := range members {
		if value == nil {
			return nil, wrong
		}
		metadata[name] = *value
	}
	return metadata, nil
}

// machineScopes returns what a request gets: all of the client's custom scopes
// if it names none, else those it names of them, in its order. Cognito documents
// that it ignores the others. With none left there is no token.
func (p *pool) machineScopes(c *directory.Client, requested string) ([]string, *refusal) {
	var custom []string
	for _, scope := range c.Scopes {
		// A standard scope speaks of a user, and here is none.
		if slices.ContainsFunc(p.ResourceServers, func(s assembly.ResourceServer) bool { return slices.Contains(s.Scopes, scope) }) {
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

// asRefusal says what the directory's error is at the token endpoint.
func asRefusal(err error) *refusal {
	if err == nil {
		return nil
	}
	_, reason := problem(err)
	switch code := codeOf(err); code {
	case "":
		return &refusal{status: http.StatusInternalServerError, code: serverError, reason: reason}
	case directory.InvalidScope: // RFC 6749 section 6
		return refuse(invalidScope, "the scope is wider than what was granted")
	case directory.NotAuthorized, directory.UserNotFound, "RefreshTokenReuseException":
		return refuse(invalidGrant, reason)
	default: // a trigger's, whose message Cognito passes on
		no := refuse(invalidGrant, reason)
		no.description = messageOf(err)
		return no
	}
}
