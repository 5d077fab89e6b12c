package hosted

import (
	"net/http"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// revoke serves /oauth2/revoke: it ends what began with a refresh token ("The
// token revocation endpoint", Amazon Cognito developer guide; RFC 7009). The
// answer to a token that is unknown is the same as to one that is revoked.
func (s *Server) revoke(r *http.Request) Answer {
	p, c, form, no := s.readClientForm(r)
	if no == nil {
		no = p.revoke(c, form.Get("token"))
	}
	a := Answer{Status: http.StatusOK, Header: http.Header{}}
	if no != nil {
		a = no.answer()
	}
	if c != nil {
		a.Client = c.Name
	}
	return a
}

// revoke says why a client's token cannot be revoked.
func (p *pool) revoke(c *directory.Client, token string) *refusal {
	if token == "" {
		return refuse(invalidRequest, "no token")
	}
	err := p.directory.Revoke(c, token)
	switch codeOf(err) {
	case "":
		return asRefusal(err)
	case "UnsupportedTokenTypeException": // RFC 7009 section 2.2.1
		return refuse("unsupported_token_type", "not a refresh token")
	default: // another client's, or revocation is off
		return refuse(invalidRequest, codeOf(err))
	}
}
