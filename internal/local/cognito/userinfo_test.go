package cognito_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestUserInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	token := w.exchange(t, b.code(verifier, "scope", "openid email"), verifier)
	bare := w.exchange(t, b.code(verifier, "scope", "notes/read"), verifier)
	if bare.IDToken != "" || bare.AccessToken == "" {
		t.Error("an ID token without openid, or no access token")
	}
	machine := w.form(t, "/oauth2/token", "grant_type", "client_credentials", "client_id", machineID, "client_secret", w.Secret(machineID))
	const (
		bad     = `error="invalid_request", error_description="Bad OAuth2 request at UserInfo Endpoint"`
		gone    = `error="invalid_token", error_description="Access token is expired, disabled, or deleted, or the user has globally signed out."`
		lacking = `error="invalid_token", error_description="Access token does not contain openid scope"`
	)
	ask := func(headers ...string) view {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/oauth2/userInfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = headers
		return w.browser(t).do(r)
	}
	for name, test := range map[string]struct {
		headers []string
		status  int
		want    string
	}{
		"no header":      {nil, 400, bad},
		"basic":          {[]string{"Basic eDp5"}, 400, bad},
		"bearer alone":   {[]string{"Bearer"}, 400, bad},
		"twice":          {[]string{"Bearer " + token.AccessToken, "Bearer " + token.AccessToken}, 400, bad},
		"junk":           {[]string{"Bearer a.b.c"}, 401, gone},
		"ID token":       {[]string{"Bearer " + token.IDToken}, 401, gone},
		"refresh token":  {[]string{"Bearer " + token.RefreshToken}, 401, gone},
		"a machine":      {[]string{"Bearer " + machine.AccessToken}, 401, gone},
		"without openid": {[]string{"Bearer " + bare.AccessToken}, 401, lacking},
		"good":           {[]string{"bearer " + token.AccessToken}, 200, ""},
	} {
		v := ask(test.headers...)
		if v.StatusCode != test.status || v.Header.Get("WWW-Authenticate") != test.want || !json.Valid([]byte(v.body)) {
			t.Errorf("%s: %d, %s", name, v.StatusCode, v.Header.Get("WWW-Authenticate"))
		}
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token.IDToken, claims); err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal([]byte(ask("Bearer "+token.AccessToken).body), &info); err != nil || info["sub"] != claims["sub"] || info["email"] != username {
		t.Errorf("%v, %v", info, err)
	}
	w.pass(time.Hour)
	if v := ask("Bearer " + token.AccessToken); v.StatusCode != http.StatusUnauthorized || v.Header.Get("WWW-Authenticate") != gone {
		t.Errorf("expired: %d", v.StatusCode)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	token := w.exchange(t, b.code(verifier), verifier)
	for name, test := range map[string]struct {
		form   []string
		status int
		want   string
	}{
		"no token":             {[]string{"client_id", websiteID}, 400, "invalid_request"},
		"no client":            {[]string{"token", token.RefreshToken}, 400, "invalid_request"},
		"unknown client":       {[]string{"token", token.RefreshToken, "client_id", "nobody"}, 400, "invalid_client"},
		"no secret":            {[]string{"token", token.RefreshToken, "client_id", serverID}, 400, "invalid_client"},
		"an access token":      {[]string{"token", token.AccessToken, "client_id", websiteID}, 400, "unsupported_token_type"},
		"revocation is off":    {[]string{"token", token.RefreshToken, "client_id", machineID, "client_secret", w.Secret(machineID)}, 400, "invalid_request"},
		"a token of nobody":    {[]string{"token", "nobody", "client_id", websiteID}, 200, ""},
		"good":                 {[]string{"token", token.RefreshToken, "client_id", websiteID, "token_type_hint", "refresh_token"}, 200, ""},
		"another client's":     {[]string{"token", w.exchange(t, b.code(verifier), verifier).RefreshToken, "client_id", otherID}, 400, "invalid_request"},
		"password for a token": {[]string{"token", "", "client_id", websiteID}, 400, "invalid_request"},
	} {
		if a := w.form(t, "/oauth2/revoke", test.form...); a.Status != test.status || a.Error != test.want {
			t.Errorf("%s: %d %q", name, a.Status, a.Error)
		}
	}
	if status := w.userInfo(t, token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("an access token of the revoked session: %d", status)
	}
	wantError(t, "refresh", w.form(t, "/oauth2/token", "grant_type", "refresh_token", "client_id", websiteID, "refresh_token", token.RefreshToken), "invalid_grant")
}
