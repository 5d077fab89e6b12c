package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// maxFamilies bounds the sign-ins that are remembered; those whose tokens have
// all expired make room.
const maxFamilies = 10_000

// family is one sign-in and all the tokens that came of it. What is above the
// blank line never changes.
type family struct {
	origin   string // origin_jti
	event    string // event_id
	username string
	subject  string
	client   *Client
	scopes   []string
	hosted   bool // signed in at the page
	authTime time.Time
	began    time.Time
	expires  time.Time // of every refresh token of it, rotated or not
	key      []byte    // derives each refresh token from the one before
	epoch    int       // of the account

	revoked bool
	rotated map[string]time.Time // when each used refresh token was replaced, by its hash
}

func invalidRefreshToken() error { return fail(NotAuthorized, "Invalid Refresh Token") }

// register remembers a family with its first refresh token. d.mu is held.
func (d *Directory) register(f *family, token string) {
	if len(d.families) >= maxFamilies {
		d.forgetFamilies()
	}
	d.families[f.origin] = f
	d.refresh[hashed(token)] = f
}

// forgetFamilies forgets families that have ended, and one more if all live.
func (d *Directory) forgetFamilies() {
	gone := map[*family]bool{}
	var oldest *family
	for _, f := range d.families {
		// The longest access token lives a day ("Quotas in Amazon Cognito").
		if d.now().Sub(f.expires) > 24*time.Hour {
			gone[f] = true
		} else if oldest == nil || f.began.Before(oldest.began) {
			oldest = f
		}
	}
	if len(gone) == 0 && oldest != nil {
		gone[oldest] = true
	}
	for f := range gone {
		delete(d.families, f.origin)
	}
	for key, f := range d.refresh {
		if gone[f] {
			delete(d.refresh, key)
		}
	}
}

// standing says why a family's sign-in counts no more. d.mu is held.
func (d *Directory) standing(f *family) error {
	u := d.current(f.username, f.subject)
	switch {
	case f.revoked, u != nil && f.epoch != u.epoch:
		return fail(NotAuthorized, "Refresh Token has been revoked")
	case u == nil:
		return fail(NotAuthorized, "User is disabled.")
	case !d.now().Before(f.expires):
		return fail(NotAuthorized, "Refresh Token has expired")
	}
	return nil
}

// Refresh returns new tokens for a refresh token: for scope, if it names some of
// those granted (RFC 6749 section 6), with an ID token where the sign-in had one.
// Where the client rotates, they include the next refresh token, which expires
// when the first one would have. The old one gives the same next one again within
// the client's grace period, so that two requests at once never make two
// successors. The pre-token trigger gets the metadata.
func (d *Directory) Refresh(ctx context.Context, c *Client, token, scope string, metadata map[string]string) (Tokens, error) {
	d.mu.Lock()
	f, err := d.redeemable(c, token)
	d.mu.Unlock()
	if err != nil {
		return Tokens{}, err
	}
	scopes := f.scopes
	if scope != "" {
		scopes = strings.Split(scope, " ")
		for _, one := range scopes {
			if !slices.Contains(f.scopes, one) {
				return Tokens{}, fail(InvalidScope, "A requested scope was not granted.")
			}
		}
	}
	tokens, err := d.mint(ctx, f, scopes, RefreshTokens, "", metadata)
	if err != nil {
		return Tokens{}, err
	}
	// The trigger took time: the token may have been used or revoked meanwhile.
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.redeemable(c, token); err != nil {
		return Tokens{}, err
	}
	if c.RotatesRefreshTokens {
		tokens.Refresh = d.rotate(f, token)
	}
	return tokens, nil
}

// Redeem returns tokens that [Directory.Issue] made a while ago, with what is left
// of their lifetime, if the sign-in still counts.
func (d *Directory) Redeem(tokens Tokens) (Tokens, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.refresh[hashed(tokens.Refresh)]
	if f == nil {
		return Tokens{}, invalidRefreshToken()
	}
	if err := d.standing(f); err != nil {
		return Tokens{}, err
	}
	tokens.ExpiresIn -= d.now().Sub(tokens.minted)
	return tokens, nil
}

// redeemable returns the family of a refresh token that still works for a client.
// d.mu is held.
func (d *Directory) redeemable(c *Client, token string) (*family, error) {
	f := d.refresh[hashed(token)]
	if f == nil || f.client.ID != c.ID {
		return nil, invalidRefreshToken()
	}
	if err := d.standing(f); err != nil {
		return nil, err
	}
	if at, used := f.rotated[hashed(token)]; used && d.now().Sub(at) >= c.RetryGracePeriod {
		return nil, fail("RefreshTokenReuseException", "Refresh token has been rotated out")
	}
	return f, nil
}

// rotate returns the successor of a refresh token, always the same. d.mu is held.
func (d *Directory) rotate(f *family, token string) string {
	mac := hmac.New(sha256.New, f.key)
	mac.Write([]byte(token))
	next := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	if _, used := f.rotated[hashed(token)]; !used {
		f.rotated[hashed(token)] = d.now()
		d.refresh[hashed(next)] = f
	}
	return next
}

// Revoke ends the sign-in of a refresh token: all its refresh tokens, and its
// access tokens wherever they are checked with [Directory.Caller]. A token that
// is not known is revoked already (RFC 7009 section 2.2).
func (d *Directory) Revoke(c *Client, token string) error {
	if !c.Revokes {
		return fail("UnsupportedOperationException", "Token revocation is not enabled for this client.")
	}
	if strings.Count(token, ".") == 2 {
		return fail("UnsupportedTokenTypeException", "Only refresh tokens can be revoked.")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.refresh[hashed(token)]
	switch {
	case f == nil:
		return nil
	case f.client.ID != c.ID:
		return fail("UnauthorizedException", "The token was issued to another client.")
	}
	f.revoked = true
	return nil
}

// CheckRefreshHash checks the SECRET_HASH that comes with a refresh token, which
// is over the user's name or what the user signs in with.
func (d *Directory) CheckRefreshHash(c *Client, token, hash string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.refresh[hashed(token)]
	if f == nil || f.client.ID != c.ID {
		return invalidRefreshToken()
	}
	err := c.CheckSecretHash(f.username, hash)
	if u := d.current(f.username, f.subject); u != nil {
		for _, name := range signInAttributes {
			if value := u.attributes[name]; value != "" && err != nil && hash != "" {
				err = c.CheckSecretHash(value, hash)
			}
		}
	}
	return err
}
