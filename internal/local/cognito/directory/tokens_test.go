package directory_test

import (
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// Tokens carry Cognito's claims, each kind its own.
func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.addAnn(t)
	first, second := 1, 2
	for name, precedence := range map[string]*int{"staff": &second, "admins": &first, "all": nil} {
		if _, err := w.CreateGroup(directory.Group{Name: name, Precedence: precedence, RoleARN: "arn:aws:iam::000000000000:role/" + name}); err != nil {
			t.Fatal(err)
		}
		if err := w.SetMember(ann, name, true); err != nil {
			t.Fatal(err)
		}
	}
	at := start.Add(-time.Minute)
	hosted, err := w.Issue(t.Context(), w.website, directory.Grant{
		User: u, Scopes: []string{"openid", "email", "notes/read"}, Nonce: "n", AuthTime: at, Source: directory.HostedAuth,
	})
	if err != nil {
		t.Fatal(err)
	}
	volatile := func(c map[string]any) map[string]any {
		for _, name := range []string{"jti", "event_id", "origin_jti"} {
			if s, _ := c[name].(string); len(s) != 36 {
				t.Errorf("%s is %v", name, c[name])
			}
			delete(c, name)
		}
		return c
	}
	sum := sha256.Sum256([]byte(hosted.Access))
	groups := []any{"admins", "staff", "all"}
	const role = "arn:aws:iam::000000000000:role/"
	if got, want := volatile(claims(t, hosted.Access)), (map[string]any{
		"sub": u.Subject, "iss": issuer, "client_id": websiteID, "username": u.Username, "token_use": "access", "version": 2.0,
		"scope": "openid email notes/read", "cognito:groups": groups,
		"auth_time": float64(at.Unix()), "iat": float64(start.Unix()), "exp": float64(start.Add(time.Hour).Unix()),
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("access\n got %v\nwant %v", got, want)
	}
	if got, want := volatile(claims(t, hosted.ID)), (map[string]any{
		"sub": u.Subject, "iss": issuer, "aud": websiteID, "cognito:username": u.Username, "token_use": "id", "nonce": "n",
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "email": ann, "email_verified": true,
		"cognito:groups": groups, "cognito:roles": []any{role + "admins", role + "staff", role + "all"}, "cognito:preferred_role": role + "admins",
		"auth_time": float64(at.Unix()), "iat": float64(start.Unix()), "exp": float64(start.Add(2 * time.Hour).Unix()),
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("ID\n got %v\nwant %v", got, want)
	}
	sdk := w.signIn(t, w.website)
	if c := claims(t, sdk.Access); c["scope"] != "aws.cognito.signin.user.admin" || c["version"] != nil {
		t.Errorf("an SDK's access token: %v", c)
	}
	if c := claims(t, sdk.ID); c["at_hash"] != nil || c["email"] != ann {
		t.Errorf("an SDK's ID token: %v", c)
	}
	bare, err := w.Issue(t.Context(), w.website, directory.Grant{User: u, Scopes: []string{"notes/read"}})
	if err != nil || bare.ID != "" || bare.Refresh == "" {
		t.Errorf("without openid: an ID token %t, %v", bare.ID != "", err)
	}
}

// Scopes and the client's attributes limit what an ID token and the UserInfo
// endpoint show.
func TestVisibleAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.Clients[1].ReadAttributes = []string{"name", "email"} })
	u, err := w.Add(ann, password, map[string]string{"name": "Ann", "phone_number": "+14325551212", "address": "here"})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		client *directory.Client
		scopes []string
		want   []string
	}{
		"openid":       {w.website, []string{"openid"}, []string{"address", "email", "email_verified", "name", "phone_number", "phone_number_verified"}},
		"e-mail":       {w.website, []string{"openid", "email"}, []string{"email", "email_verified"}},
		"phone":        {w.website, []string{"openid", "phone"}, []string{"phone_number", "phone_number_verified"}},
		"all of them":  {w.website, []string{"openid", "email", "profile"}, []string{"address", "email", "email_verified", "name", "phone_number", "phone_number_verified"}},
		"not readable": {w.server, []string{"openid"}, []string{"email", "name"}},
	}
	for name, tt := range tests {
		tokens, err := w.Issue(t.Context(), tt.client, directory.Grant{User: u, Scopes: tt.scopes})
		if err != nil {
			t.Fatal(err)
		}
		caller, err := w.Caller(t.Context(), tokens.Access)
		if err != nil {
			t.Fatal(err)
		}
		id, info := claims(t, tokens.ID), w.UserInfo(caller)
		for _, attribute := range []string{"address", "email", "email_verified", "name", "phone_number", "phone_number_verified"} {
			want := false
			for _, one := range tt.want {
				want = want || one == attribute
			}
			if (id[attribute] != nil) != want || (info[attribute] != nil) != want {
				t.Errorf("%s: %s in the ID token %v, in UserInfo %v", name, attribute, id[attribute], info[attribute])
			}
		}
		if info["username"] != u.Username || info["sub"] != u.Subject {
			t.Errorf("%s: %v", name, info)
		}
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	const invalid = "NotAuthorizedException: Invalid Refresh Token"
	w := newWorld(t)
	u := w.addAnn(t)
	tokens, err := w.Issue(t.Context(), w.website, directory.Grant{User: u, Scopes: []string{"openid", "notes/read"}, Nonce: "n"})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	again, err := w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil)
	if err != nil || again.Refresh != "" || again.ID == "" {
		t.Fatalf("%+v, %v", again.ExpiresIn, err)
	}
	before, after := claims(t, tokens.Access), claims(t, again.Access)
	if before["origin_jti"] != after["origin_jti"] || before["auth_time"] != after["auth_time"] || before["jti"] == after["jti"] || claims(t, again.ID)["nonce"] != nil {
		t.Errorf("before %v\nafter %v", before, after)
	}
	narrow, err := w.Refresh(t.Context(), w.website, tokens.Refresh, "notes/read", nil)
	if err != nil || narrow.ID != "" || claims(t, narrow.Access)["scope"] != "notes/read" {
		t.Errorf("narrowed: %v", err)
	}
	for name, tt := range map[string]struct {
		client       *directory.Client
		token, scope string
		want         string
	}{
		"wider":            {w.website, tokens.Refresh, "notes/write", "InvalidScopeException: A requested scope was not granted."},
		"two spaces":       {w.website, tokens.Refresh, "openid  notes/read", "InvalidScopeException: A requested scope was not granted."},
		"another client":   {w.server, tokens.Refresh, "", invalid},
		"an access token":  {w.website, tokens.Access, "", invalid},
		"nothing":          {w.website, "", "", invalid},
		"a byte too many":  {w.website, tokens.Refresh + "A", "", invalid},
		"a byte too short": {w.website, tokens.Refresh[1:], "", invalid},
	} {
		_, err := w.Refresh(t.Context(), tt.client, tt.token, tt.scope, nil)
		wantError(t, name, err, tt.want)
	}
	w.pass(24 * time.Hour)
	_, err = w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil)
	wantError(t, "expired", err, "NotAuthorizedException: Refresh Token has expired")
}

// A rotated token gives the same successor again for a while, then nothing; all
// of them expire with the first (MUST-SURVIVE 36).
func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	first := w.signIn(t, w.server).Refresh
	turn := func(token string) string {
		t.Helper()
		tokens, err := w.Refresh(t.Context(), w.server, token, "", nil)
		if err != nil || tokens.Refresh == "" || tokens.Refresh == token {
			t.Fatalf("not rotated: %v", err)
		}
		return tokens.Refresh
	}
	second := turn(first)
	w.pass(9 * time.Second)
	if turn(first) != second {
		t.Error("the grace period made another successor")
	}
	w.pass(time.Second)
	_, err := w.Refresh(t.Context(), w.server, first, "", nil)
	wantError(t, "after the grace period", err, "RefreshTokenReuseException: Refresh token has been rotated out")
	third := turn(second)
	w.pass(24*time.Hour - 10*time.Second)
	_, err = w.Refresh(t.Context(), w.server, third, "", nil)
	wantError(t, "expires with the first", err, "NotAuthorizedException: Refresh Token has expired")
}

// Refreshes at once make one successor, with or without a grace period
// (MUST-SURVIVE 37).
func TestRefreshConcurrent(t *testing.T) {
	t.Parallel()
	for name, grace := range map[string]time.Duration{"no grace period": 0, "a grace period": 10 * time.Second} {
		w := newWorld(t, func(p *assembly.UserPool) { p.Clients[1].RetryGracePeriod = grace })
		w.addAnn(t)
		token := w.signIn(t, w.server).Refresh
		var mu sync.Mutex
		successors := map[string]bool{}
		good := count(16, func() error {
			tokens, err := w.Refresh(t.Context(), w.server, token, "", nil)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				successors[tokens.Refresh] = true
			}
			return err
		})
		if want := map[bool]int{false: 1, true: 16}[grace > 0]; good != want || len(successors) != 1 {
			t.Errorf("%s: %d succeeded, %d successors", name, good, len(successors))
		}
	}
}

// What ends a sign-in ends its access tokens for those who check, and its
// refresh tokens for everybody; and nothing else.
func TestEnds(t *testing.T) {
	t.Parallel()
	const revoked, disabled = "NotAuthorizedException: Access Token has been revoked", "NotAuthorizedException: User is disabled."
	tests := map[string]struct {
		end   func(*world, directory.Tokens) error
		want  string
		other string // the user's other sign-in
	}{
		"revoked":          {func(w *world, tokens directory.Tokens) error { return w.Revoke(w.website, tokens.Refresh) }, revoked, ""},
		"signed out":       {func(w *world, _ directory.Tokens) error { return w.EndSessions(ann) }, revoked, revoked},
		"disabled":         {func(w *world, _ directory.Tokens) error { return w.SetEnabled(ann, false) }, disabled, disabled},
		"deleted":          {func(w *world, _ directory.Tokens) error { return w.Delete(ann) }, "NotAuthorizedException: Invalid Access Token", "NotAuthorizedException: Invalid Access Token"},
		"an hour has gone": {func(w *world, _ directory.Tokens) error { w.pass(time.Hour); return nil }, "NotAuthorizedException: Access Token has expired", "NotAuthorizedException: Access Token has expired"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addAnn(t)
			tokens, other := w.signIn(t, w.website), w.signIn(t, w.website)
			if _, err := w.SelfService(t.Context(), tokens.Access); err != nil {
				t.Fatal(err)
			}
			if err := tt.end(w, tokens); err != nil {
				t.Fatal(err)
			}
			_, err := w.Caller(t.Context(), tokens.Access)
			wantError(t, "access", err, tt.want)
			_, err = w.Caller(t.Context(), other.Access)
			wantError(t, "the other", err, tt.other)
			if _, err = w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil); (err == nil) != (name == "an hour has gone") {
				t.Errorf("refresh: %v", err)
			}
			if name == "signed out" {
				if _, err := w.Caller(t.Context(), w.signIn(t, w.website).Access); err != nil {
					t.Errorf("a sign-in right after: %v", err)
				}
			}
		})
	}
}

// What a code stands for is given while its sign-in counts, with the lifetime
// that is left.
func TestRedeem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.addAnn(t)
	for name, tt := range map[string]struct {
		end  func() error
		want string
	}{
		"a minute later": {func() error { return nil }, ""},
		"signed out":     {func() error { return w.EndSessions(ann) }, "NotAuthorizedException: Refresh Token has been revoked"},
		"disabled":       {func() error { return w.SetEnabled(ann, false) }, "NotAuthorizedException: Refresh Token has been revoked"},
		"deleted":        {func() error { return w.Delete(ann) }, "NotAuthorizedException: Refresh Token has been revoked"},
	} {
		tokens, err := w.Issue(t.Context(), w.website, directory.Grant{User: u, Scopes: []string{"openid"}})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		wantError(t, name, tt.end(), "")
		got, err := w.Redeem(tokens)
		wantError(t, name, err, tt.want)
		if err == nil && (got.ExpiresIn != 59*time.Minute || got.Access != tokens.Access || got.Refresh != tokens.Refresh) {
			t.Errorf("%s: expires in %s", name, got.ExpiresIn)
		}
		if name == "deleted" {
			u = w.addAnn(t)
		}
		wantError(t, name, w.SetEnabled(ann, true), "")
	}
	_, err := w.Redeem(directory.Tokens{Refresh: "unknown"})
	wantError(t, "unknown", err, "NotAuthorizedException: Invalid Refresh Token")
}

// Whoever was disabled signs in again: no token from before counts.
func TestDisabledAndEnabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	tokens := w.signIn(t, w.website)
	wantError(t, "disable", w.SetEnabled(ann, false), "")
	wantError(t, "enable", w.SetEnabled(ann, true), "")
	_, err := w.Caller(t.Context(), tokens.Access)
	wantError(t, "access", err, "NotAuthorizedException: Access Token has been revoked")
	_, err = w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil)
	wantError(t, "refresh", err, "NotAuthorizedException: Refresh Token has been revoked")
	w.signIn(t, w.website)
}

// Each client's lifetimes are its own.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.Clients[0].AccessTokenLifetime, p.Clients[0].IDTokenLifetime, p.Clients[0].RefreshTokenLifetime = 7*time.Minute, 11*time.Minute, 13*time.Minute
		p.Clients[1].AccessTokenLifetime = 5 * time.Minute
	})
	u := w.addAnn(t)
	hosted, err := w.Issue(t.Context(), w.website, directory.Grant{User: u, Scopes: []string{"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	sdk := w.signIn(t, w.website)
	refreshed, err := w.Refresh(t.Context(), w.website, sdk.Refresh, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tokens := range map[string]directory.Tokens{"page": hosted, "SDK": sdk, "refreshed": refreshed} {
		if c := claims(t, tokens.Access); tokens.ExpiresIn != 7*time.Minute || c["exp"] != float64(start.Add(7*time.Minute).Unix()) {
			t.Errorf("%s: the access token expires in %s, at %v", name, tokens.ExpiresIn, c["exp"])
		}
		if c := claims(t, tokens.ID); c["exp"] != float64(start.Add(11*time.Minute).Unix()) {
			t.Errorf("%s: the ID token expires at %v", name, c["exp"])
		}
	}
	machine, err := w.ClientCredentials(t.Context(), w.server, []string{"notes/read"}, nil)
	if err != nil || machine.ExpiresIn != 5*time.Minute || claims(t, machine.Access)["exp"] != float64(start.Add(5*time.Minute).Unix()) {
		t.Errorf("a machine's token expires in %s, %v", machine.ExpiresIn, err)
	}
	w.pass(13 * time.Minute)
	_, err = w.Refresh(t.Context(), w.website, sdk.Refresh, "", nil)
	wantError(t, "refresh", err, "NotAuthorizedException: Refresh Token has expired")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.Clients = append(p.Clients, p.Clients[0])
		p.Clients[2].ID, p.Clients[2].Revokes = "never", false
	})
	w.addAnn(t)
	tokens := w.signIn(t, w.website)
	wantError(t, "access token", w.Revoke(w.website, tokens.Access), "UnsupportedTokenTypeException: Only refresh tokens can be revoked.")
	wantError(t, "another client", w.Revoke(w.server, tokens.Refresh), "UnauthorizedException: The token was issued to another client.")
	wantError(t, "off", w.Revoke(w.Client("never"), tokens.Refresh), "UnsupportedOperationException: Token revocation is not enabled for this client.")
	wantError(t, "unknown", w.Revoke(w.website, "unknown"), "")
	if _, err := w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil); err != nil {
		t.Errorf("still good: %v", err)
	}
	never := w.signIn(t, w.Client("never"))
	if claims(t, never.Access)["origin_jti"] != nil {
		t.Error("origin_jti without revocation")
	}
	if _, err := w.Caller(t.Context(), never.Access); err != nil {
		t.Error(err)
	}
	_, err := w.Caller(t.Context(), tokens.ID)
	wantError(t, "ID token", err, "NotAuthorizedException: Invalid Access Token")
	machine, err := w.ClientCredentials(t.Context(), w.server, []string{"notes/read"}, nil)
	if err != nil || machine.ID != "" || machine.Refresh != "" {
		t.Fatal(err)
	}
	_, err = w.Caller(t.Context(), machine.Access)
	wantError(t, "machine", err, "NotAuthorizedException: Invalid Access Token")
	hosted, err := w.Issue(t.Context(), w.website, directory.Grant{User: w.Users(nil)[0], Scopes: []string{"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.SelfService(t.Context(), hosted.Access)
	wantError(t, "no admin scope", err, "NotAuthorizedException: Access Token does not have required scopes")
}
