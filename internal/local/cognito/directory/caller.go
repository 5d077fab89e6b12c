package directory

import (
	"context"
	"encoding/json"

	"github.com/gatewright/gatewright/internal/authn"
)

// Caller is who an access token speaks for.
type Caller struct {
	Token  *authn.Token
	Client *Client
	User   *User
}

func invalidAccessToken() error { return fail(NotAuthorized, "Invalid Access Token") }

// Caller returns the user of an access token that is good now: signed and in
// time, of a user who is there and not disabled, and of a sign-in that nobody has
// ended.
func (d *Directory) Caller(ctx context.Context, accessToken string) (*Caller, error) {
	token, err := d.config.Verify(ctx, accessToken)
	switch {
	case authn.ReasonOf(err) == authn.ReasonExpired:
		return nil, fail(NotAuthorized, "Access Token has expired")
	case err != nil || token.Use != authn.UseAccess || token.Username == "":
		return nil, invalidAccessToken()
	}
	var claims struct {
		Origin string `json:"origin_jti"`
	}
	client := d.Client(token.ClientID)
	if json.Unmarshal(token.Payload, &claims) != nil || client == nil {
		return nil, invalidAccessToken()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.users[d.fold(token.Username)]
	f := d.families[claims.Origin]
	switch {
	case u == nil || u.subject != token.Subject:
		return nil, invalidAccessToken()
	case !u.enabled:
		return nil, fail(NotAuthorized, "User is disabled.")
	case client.Revokes && f == nil:
		return nil, invalidAccessToken() // of another run
	case f != nil && (f.revoked || f.epoch != u.epoch),
		f == nil && !token.IssuedAt.After(u.signedOut):
		return nil, fail(NotAuthorized, "Access Token has been revoked")
	}
	return &Caller{token, client, d.user(u)}, nil
}

// SelfService is Caller for a token that may manage its user's own account.
func (d *Directory) SelfService(ctx context.Context, accessToken string) (*Caller, error) {
	c, err := d.Caller(ctx, accessToken)
	if err == nil && !c.Token.HasAnyScope([]string{adminScope}) {
		return nil, fail(NotAuthorized, "Access Token does not have required scopes")
	}
	return c, err
}

// Readable returns the attributes of the caller that its client sees.
func (c *Caller) Readable() map[string]string { return c.Client.readable(c.User.Attributes) }

// UserInfo returns what the UserInfo endpoint says to a caller, who has the scope
// openid: everything is a text there ("The user attributes endpoint", Amazon
// Cognito developer guide).
func (d *Directory) UserInfo(c *Caller) map[string]any {
	claims := profile(visible(c.Readable(), c.Token.Scopes), true)
	claims["username"] = c.User.Username
	return claims
}

// SignOut ends every sign-in of a user who is signed in.
func (d *Directory) SignOut(c *Caller) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	if u == nil {
		return invalidAccessToken()
	}
	d.signOut(u)
	return nil
}

// signOut ends every sign-in of a user up to now. d.mu is held.
func (d *Directory) signOut(u *account) {
	for _, f := range d.families {
		if f.subject == u.subject {
			f.revoked = true
		}
	}
	u.epoch, u.signedOut = u.epoch+1, d.now()
}
