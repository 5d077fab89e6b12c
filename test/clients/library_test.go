package clients

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/local"
)

func (p *pool) client(t *testing.T, name string) local.Client {
	t.Helper()
	for _, c := range p.UserPools[0].Clients {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no client %s", name)
	return local.Client{}
}

// TestGo signs in as a website with a Go server would: golang.org/x/oauth2 gets
// the tokens, and coreos/go-oidc finds the endpoints and verifies them.
func TestGo(t *testing.T) {
	p := serve(t)
	provider, err := oidc.NewProvider(t.Context(), p.UserPools[0].Issuer)
	if err != nil {
		t.Fatal(err)
	}
	website := p.client(t, "website")
	config := &oauth2.Config{
		ClientID: website.ID, Endpoint: provider.Endpoint(), RedirectURL: website.Callbacks[0],
		Scopes: []string{oidc.ScopeOpenID, "email", "notes/read"},
	}
	verifier := oauth2.GenerateVerifier()
	callback := p.signIn(t, config.AuthCodeURL("the-state", oidc.Nonce("the-nonce"), oauth2.S256ChallengeOption(verifier)))
	if got := callback.Query().Get("state"); got != "the-state" {
		t.Errorf("state %q", got)
	}
	token, err := config.Exchange(t.Context(), callback.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	checkIDToken(t, p, provider, config, token)
	checkSession(t, provider, config, token)
	checkMachine(t, p, provider)
	p.checkLog(t)
}

func checkIDToken(t *testing.T, p *pool, provider *oidc.Provider, config *oauth2.Config, token *oauth2.Token) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	id, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email    string
		Verified bool `json:"email_verified"`
	}
	if err := errors.Join(id.Claims(&claims), id.VerifyAccessToken(token.AccessToken)); err != nil {
		t.Error(err)
	}
	if id.Nonce != "the-nonce" || claims.Email != p.Users[0].Username || !claims.Verified {
		t.Errorf("the ID token is for the nonce %q and %+v", id.Nonce, claims)
	}
	for name, bad := range map[string]string{
		"another signature": raw[:len(raw)-8] + strings.Map(other, raw[len(raw)-8:]),
		"an access token":   token.AccessToken,
	} {
		if _, err := verifier.Verify(t.Context(), bad); err == nil {
			t.Errorf("%s is taken for an ID token", name)
		}
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "another"}).Verify(t.Context(), raw); err == nil {
		t.Error("another client takes the ID token")
	}
}

// other exchanges letters, so that a text stays base64url.
func other(r rune) rune {
	if r == 'A' {
		return 'B'
	}
	return 'A'
}

func checkSession(t *testing.T, provider *oidc.Provider, config *oauth2.Config, token *oauth2.Token) {
	t.Helper()
	user, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	refreshed, err := config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if refreshed.AccessToken == token.AccessToken || refreshed.RefreshToken == token.RefreshToken || user.Subject == "" {
		t.Error("a refresh gives no new tokens, or nobody is signed in")
	}
	// The client rotates without a grace period, so this one has been spent.
	_, err = config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_grant" {
		t.Errorf("the first refresh token, again: %v", err)
	}
}

func checkMachine(t *testing.T, p *pool, provider *oidc.Provider) {
	t.Helper()
	machine := p.client(t, "machine")
	config := clientcredentials.Config{ClientID: machine.ID, ClientSecret: machine.Secret, TokenURL: provider.Endpoint().TokenURL}
	if token, err := config.Token(t.Context()); err != nil || token.Extra("refresh_token") != nil {
		t.Errorf("a machine gets a refresh token, or: %v", err)
	}
	config.ClientSecret += "x"
	_, err := config.Token(t.Context())
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_client" {
		t.Errorf("a wrong secret: %v", err)
	}
}

var formPattern = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?name="_csrf" value="([^"]*)"`)

// signIn signs the demo user in at the page, as a browser without scripts does,
// and returns the address that it is sent back to.
func (p *pool) signIn(t *testing.T, page string) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), p.Auth+"/") {
			return nil
		}
		return http.ErrUseLastResponse // the client's own page
	}}
	shown := visit(t, browser, http.MethodGet, page, "")
	form := formPattern.FindStringSubmatch(shown.body)
	if form == nil {
		t.Fatalf("no form:\n%s", shown.body)
	}
	sent := visit(t, browser, http.MethodPost, p.Auth+html.UnescapeString(form[1]), url.Values{
		"_csrf": {form[2]}, "username": {p.Users[0].Username}, "password": {p.Users[0].Password},
	}.Encode())
	if sent.location == nil {
		t.Fatalf("not sent back:\n%s", sent.body)
	}
	return sent.location
}

// shown is a page, or where it sends the browser.
type shown struct {
	location *url.URL
	body     string
}

func visit(t *testing.T, browser *http.Client, method, address, form string) shown {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	location, err := answer.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		t.Fatal(err)
	}
	return shown{location, string(body)}
}
