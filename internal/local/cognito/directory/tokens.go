package directory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// adminScope lets a token manage its user's own account through the user-pool
// API.
const adminScope = "aws.cognito.signin.user.admin"

// Issue returns the tokens of a sign-in that is through: an ID token unless the
// page's request had no openid, and a refresh token, the first of its family.
// Afterwards a global sign-out, a revocation or a disabled user ends them.
func (d *Directory) Issue(ctx context.Context, c *Client, g Grant) (Tokens, error) {
	if g.User == nil {
		return Tokens{}, fail(NotAuthorized, "Invalid session for the user.")
	}
	f := &family{
		epoch:  d.epoch(g.User),
		origin: uuid.NewString(), event: uuid.NewString(), username: g.User.Username, subject: g.User.Subject, client: c,
		scopes: g.Scopes, hosted: len(g.Scopes) > 0, authTime: g.AuthTime, began: d.now(), key: random(32),
		rotated: map[string]time.Time{},
	}
	if f.authTime.IsZero() {
		f.authTime = f.began
	}
	f.expires = f.began.Add(c.RefreshTokenLifetime)
	if !f.hosted {
		f.scopes = []string{adminScope}
	}
	tokens, err := d.mint(ctx, f, f.scopes, cmp.Or(g.Source, Authentication), g.Nonce, g.Metadata)
	if err != nil {
		return Tokens{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.standing(f); err != nil {
		return Tokens{}, err
	}
	tokens.Refresh = opaque()
	d.register(f, tokens.Refresh)
	return tokens, nil
}

// epoch returns how often a user was signed out everywhere.
func (d *Directory) epoch(user *User) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.current(user.Username, user.Subject); u != nil {
		return u.epoch
	}
	return 0 // mint refuses
}

// mint makes access and ID token of a family, for now or for a narrower scope.
func (d *Directory) mint(ctx context.Context, f *family, scopes []string, source, nonce string, metadata map[string]string) (Tokens, error) {
	d.mu.Lock()
	u := d.current(f.username, f.subject)
	if u == nil {
		d.mu.Unlock()
		return Tokens{}, fail(NotAuthorized, "User is disabled.")
	}
	user := d.user(u)
	d.mu.Unlock()
	changed, err := d.preToken(ctx, f.client, user, source, scopes, metadata)
	if err != nil {
		return Tokens{}, err
	}
	minted := d.now()
	access := d.claims(f, minted, user.Subject, "access", f.client.AccessTokenLifetime)
	access["client_id"], access["username"] = f.client.ID, user.Username
	if f.hosted {
		access["version"] = 2
	}
	changed.access.apply(access)
	d.addGroups(access, user, changed, false)
	access["scope"] = strings.Join(changed.scopes(scopes), " ")
	tokens := Tokens{ExpiresIn: f.client.AccessTokenLifetime, minted: minted}
	if tokens.Access, err = d.config.Sign(access); err != nil {
		return Tokens{}, err
	}
	if f.hosted && !slices.Contains(scopes, "openid") {
		return tokens, nil
	}
	attributes := f.client.readable(user.Attributes)
	if f.hosted {
		attributes = visible(attributes, scopes)
	}
	id := profile(attributes, false)
	for name, value := range d.claims(f, minted, user.Subject, "id", f.client.IDTokenLifetime) {
		id[name] = value
	}
	id["aud"], id["cognito:username"] = f.client.ID, user.Username
	if f.hosted {
		sum := sha256.Sum256([]byte(tokens.Access)) // OpenID Connect Core 1.0 section 3.1.3.6
		id["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	if nonce != "" {
		id["nonce"] = nonce
	}
	changed.id.apply(id)
	d.addGroups(id, user, changed, true)
	tokens.ID, err = d.config.Sign(id)
	return tokens, err
}

// claims are those that access and ID tokens share.
func (d *Directory) claims(f *family, now time.Time, subject, use string, lifetime time.Duration) map[string]any {
	claims := map[string]any{
		"sub": subject, "iss": d.pool.Issuer, "token_use": use, "event_id": f.event, "jti": uuid.NewString(),
		"auth_time": f.authTime.Unix(), "iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	}
	if f.client.Revokes {
		claims["origin_jti"] = f.origin
	}
	return claims
}

// ClientCredentials returns a machine's access token for scopes that are the
// client's. It gets no other token. The pre-token trigger gets the metadata ("The
// token issuer endpoint", Amazon Cognito developer guide).
func (d *Directory) ClientCredentials(ctx context.Context, c *Client, scopes []string, metadata map[string]string) (Tokens, error) {
	changed, err := d.preToken(ctx, c, nil, machineCredentials, scopes, metadata)
	if err != nil {
		return Tokens{}, err
	}
	now := d.now()
	claims := map[string]any{
		"sub": c.ID, "iss": d.pool.Issuer, "token_use": "access", "client_id": c.ID, "version": 2, "jti": uuid.NewString(),
		"auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(c.AccessTokenLifetime).Unix(),
	}
	changed.access.apply(claims)
	claims["scope"] = strings.Join(changed.scopes(scopes), " ")
	token, err := d.config.Sign(claims)
	return Tokens{Access: token, ExpiresIn: c.AccessTokenLifetime}, err
}
