package cognito_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const wrongCode = "The code is not right, it has expired, or there were too many tries. Check it, or ask for a new one."

// TestOpenIDConnect signs in as a web app does that uses golang.org/x/oauth2 and
// go-oidc and knows the issuer and its client, and nothing else.
func TestOpenIDConnect(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"public": websiteID, "confidential": serverID} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			provider, err := oidc.NewProvider(t.Context(), w.base+"/"+poolID)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{
				ClientID: id, ClientSecret: w.Secret(id), Endpoint: provider.Endpoint(), RedirectURL: callback,
				Scopes: []string{oidc.ScopeOpenID, "email", "notes/read"},
			}
			b := w.browser(t)
			b.signUp()
			proof := oauth2.GenerateVerifier()
			page := b.get(config.AuthCodeURL("a state", oidc.Nonce("a nonce"), oauth2.S256ChallengeOption(proof)))
			answer := b.signIn(page).answered(t, callback)
			if answer.Get("state") != "a state" {
				t.Errorf("state %q", answer.Get("state"))
			}
			token, err := config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(proof))
			if err != nil {
				t.Fatal(err)
			}
			checkIDToken(t, w, provider, config, token, "a nonce")

			info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
			if err != nil || info.Email != username || !info.EmailVerified {
				t.Errorf("user info %+v, %v", info, err)
			}
			token.Expiry = time.Unix(1, 0)
			renewed, err := config.TokenSource(t.Context(), token).Token()
			if err != nil || renewed.AccessToken == token.AccessToken {
				t.Errorf("refresh: %v", err)
			}
			revoke := []string{"client_id", id, "client_secret", w.Secret(id), "token", token.RefreshToken}
			if a := w.form(t, "/oauth2/revoke", revoke...); a.Status != http.StatusOK || a.Error != "" {
				t.Errorf("revoke: %d %s", a.Status, a.Error)
			}
			if _, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(renewed)); err == nil {
				t.Error("user info after the revocation")
			}
		})
	}
}

func checkIDToken(t *testing.T, w *world, provider *oidc.Provider, config oauth2.Config, token *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	verified, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID, Now: w.clock}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email string `json:"email"`
		Use   string `json:"token_use"`
	}
	if err := verified.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if verified.Nonce != nonce || claims.Email != username || claims.Use != "id" {
		t.Errorf("nonce %q, %+v", verified.Nonce, claims)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: otherID, Now: w.clock}).Verify(t.Context(), raw); err == nil {
		t.Error("another client takes the ID token")
	}
}

func TestPrompts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	for name, test := range map[string]struct {
		prompt string
		silent bool
	}{
		"none asked": {"", true}, "none": {"none", true}, "consent": {"consent", true},
		"login": {"login", false}, "select_account": {"select_account", false}, "both": {"login consent", false},
	} {
		v := b.get(w.request("v", "prompt", test.prompt))
		if silent := strings.HasPrefix(v.Header.Get("Location"), callback+"?code="); silent != test.silent || !silent && v.find(titlePattern) != "Sign in" {
			t.Errorf("%s: %d %q", name, v.StatusCode, v.find(titlePattern))
		}
	}
	if got := b.get(w.request("v", "prompt", "none login")).answered(t, callback).Get("error"); got != "invalid_request" {
		t.Errorf("none and login: %q", got)
	}
	if v := w.browser(t).get(w.request("v", "login_hint", `"><b>dee`)); !strings.Contains(v.body, `value="&#34;&gt;&lt;b&gt;dee"`) {
		t.Error("the hint is not in the field, or not escaped")
	}

	w.pass(time.Hour)
	if got := b.get(w.request("v", "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("after an hour: %q", got)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	v := b.get(w.base + "/logout?client_id=" + websiteID + "&logout_uri=" + url.QueryEscape(signedOut))
	if v.StatusCode != http.StatusFound || v.Header.Get("Location") != signedOut {
		t.Fatalf("%d to %q", v.StatusCode, v.Header.Get("Location"))
	}
	if cookies := b.client.Jar.Cookies(mustURL(t, w.base)); len(cookies) != 0 {
		t.Errorf("%d cookies are left", len(cookies))
	}
	if got := b.get(w.request("v")).find(titlePattern); got != "Sign in" {
		t.Errorf("after sign-out: %q", got)
	}
	b.signIn(b.get(w.request("v"))).answered(t, callback)
	v = b.get(strings.Replace(w.request("v"), "/oauth2/authorize", "/logout", 1))
	if v.find(titlePattern) != "Sign in" {
		t.Errorf("with a callback: %d %q", v.StatusCode, v.find(titlePattern))
	}
	b.signIn(v).answered(t, callback)
}

// TestWords looks at what the pages tell people.
func TestWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(t)
	b.signUp()
	at := func(path string) string { return strings.Replace(w.request("v"), "/oauth2/authorize", path, 1) }
	login := b.get(at("/login"))

	wrong := b.submit(login, "/login", "username", username, "password", "Wrong-Horse-1")
	nobody := b.submit(login, "/login", "username", "nobody@example.com", "password", password)
	if wrong.find(alertPattern) == "" || wrong.StatusCode != nobody.StatusCode ||
		strings.ReplaceAll(wrong.body, username, "") != strings.ReplaceAll(nobody.body, "nobody@example.com", "") {
		t.Errorf("a wrong password and an unknown user differ: %q, %q", wrong.find(alertPattern), nobody.find(alertPattern))
	}
	known := b.submit(b.get(at("/forgotPassword")), "/forgotPassword", "username", username)
	unknown := b.submit(b.get(at("/forgotPassword")), "/forgotPassword", "username", "nobody@example.com")
	if known.find(noticePattern) == "" || strings.ReplaceAll(known.body, username, "") != strings.ReplaceAll(unknown.body, "nobody@example.com", "") {
		t.Errorf("a forgotten password of nobody differs: %q, %q", known.find(noticePattern), unknown.find(noticePattern))
	}

	if got := b.get(strings.Replace(w.request("v", "client_id", otherID), "/oauth2/authorize", "/confirmForgotPassword", 1)); got.find(noticePattern) != "" || strings.Contains(got.body, "nobody@") {
		t.Error("one client's page goes on with what another's left")
	}

	signUp := b.get(at("/signup"))
	for name, test := range map[string]struct {
		path   string
		values []string
		want   string
	}{
		"no password":    {"/login", []string{"username", username}, "Enter both, please."},
		"account exists": {"/signup", []string{"username", username, "attribute-email", username, "password", password}, "There is an account of this name already. Sign in, or choose another name."},
		"nothing":        {"/signup", nil, "Fill in: User name."},
	} {
		page := login
		if test.path == "/signup" {
			page = signUp
		}
		v := b.submit(page, test.path, test.values...)
		if got := v.find(alertPattern); got != test.want || v.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %q", name, v.StatusCode, got)
		}
	}
	if !strings.Contains(signUp.body, "At least 8 characters, with ") {
		t.Error("the password policy is not spelled out")
	}
	weak := b.submit(signUp, "/signup", "username", "new@example.com", "attribute-email", "new@example.com", "password", "short")
	if !strings.HasPrefix(weak.find(alertPattern), "Password did not conform with policy: ") {
		t.Errorf("weak password: %q", weak.find(alertPattern))
	}
}

// TestUnconfirmed signs in before the account is confirmed, with every wrong
// turn on the way.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(t)
	b.submit(b.get(strings.Replace(w.request("v"), "/oauth2/authorize", "/signup", 1)), "/signup",
		"username", username, "attribute-email", username, "password", password)
	if got := b.submit(b.get(w.request("v")), "/login", "username", username, "password", "Wrong-Horse-1").find(titlePattern); got != "Sign in" {
		t.Errorf("a wrong password shows %q, which tells that there is an account", got)
	}
	page := b.signIn(b.get(w.request("v")))
	if got := page.find(titlePattern); got != "Confirm your account" {
		t.Fatalf("title %q", got)
	}
	if got := b.submit(page, "/confirm", "username", username, "code", "000000x").find(alertPattern); got != wrongCode {
		t.Errorf("wrong code: %q", got)
	}
	if got := b.submit(page, "/resendcode").find(noticePattern); !strings.HasPrefix(got, "If the account exists and is not confirmed, a new code") {
		t.Errorf("new code: %q", got)
	}
	page = b.submit(page, "/confirm", "username", username, "code", w.lastCode(t))
	b.signIn(page).answered(t, callback)
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(t)
	b.signUp()
	page := b.submit(b.get(strings.Replace(w.request("v"), "/oauth2/authorize", "/forgotPassword", 1)), "/forgotPassword", "username", username)
	const next = "Another-Horse-2"
	if got := b.submit(page, "/confirmForgotPassword", "username", username, "code", "000000x", "password", next).find(alertPattern); got != wrongCode {
		t.Errorf("wrong code: %q", got)
	}
	page = b.submit(page, "/confirmForgotPassword", "username", username, "code", w.lastCode(t), "password", next)
	if got := page.find(noticePattern); got != "Your password is changed. Sign in with it." {
		t.Fatalf("%q %q", got, page.find(alertPattern))
	}
	if v := b.signIn(page); v.StatusCode != http.StatusBadRequest {
		t.Errorf("the old password: %d", v.StatusCode)
	}
	b.submit(page, "/login", "username", username, "password", next).answered(t, callback)
}
