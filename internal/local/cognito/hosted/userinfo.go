package hosted

import (
	"net/http"
	"strings"
)

// Errors of the UserInfo endpoint, as "The user attributes endpoint", Amazon
// Cognito developer guide, words them.
const (
	badUserInfoRequest = "Bad OAuth2 request at UserInfo Endpoint"
	badAccessToken     = "Access token is expired, disabled, or deleted, or the user has globally signed out." //nolint:gosec // words, no credential
	noOpenID           = "Access token does not contain openid scope"
)

// userInfo serves /oauth2/userInfo: what an access token with the scope openid
// may know of its user.
func (s *Server) userInfo(r *http.Request) Answer {
	headers := r.Header.Values("Authorization")
	scheme, token, _ := strings.Cut(strings.Join(headers, ","), " ")
	if len(headers) != 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return challenge(http.StatusBadRequest, invalidRequest, badUserInfoRequest, "not one bearer token in Authorization")
	}
	for _, p := range s.pools {
		if !p.HasDomain() {
			continue
		}
		caller, err := p.directory.Caller(r.Context(), token)
		if err != nil {
			continue // another pool's, or nobody's
		}
		if !caller.Token.HasAnyScope([]string{"openid"}) {
			return challenge(http.StatusUnauthorized, "invalid_token", noOpenID, "the token has no openid scope")
		}
		a := Document(http.StatusOK, p.directory.UserInfo(caller), "")
		a.Client = caller.Client.Name
		return a
	}
	return challenge(http.StatusUnauthorized, "invalid_token", badAccessToken, "the access token is not good")
}

// challenge is an error of the UserInfo endpoint. The header names no scheme:
// that is how Cognito documents it, other than RFC 6750 section 3.
func challenge(status int, code, description, reason string) Answer {
	a := Document(status, oauthError{code, description}, reason)
	a.Header.Set("WWW-Authenticate", `error="`+code+`", error_description="`+description+`"`)
	return a
}
