package cognito_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const verifier = "a-verifier-of-forty-three-characters-or-more-0"

// TestRFC9700 holds the rules of "Best Current Practice for OAuth 2.0 Security"
// that an authorization server can break on one machine, by section. Sender
// constraint (2.2.1) and TLS (2.6) are AWS's part; PKCE of public clients
// (2.1.1) is the constructs', because Cognito leaves it to the client; Cognito
// refuses a rotated refresh token and ends no session for it (4.14.2).
func TestRFC9700(t *testing.T) {
	t.Parallel()
	for _, rule := range []struct {
		name string
		test func(*testing.T, *world, *browser)
	}{
		{"2.1.1 a code works once, and its replay revokes what it gave", codeReplay},
		{"2.1.1 a failed try uses a code up", codeGuess},
		{"2.1.1 a code lapses after five minutes", codeLapses},
		{"2.1.1 a code is bound to client, callback and challenge", codeBound},
		{"2.1.1 plain is refused, and so is a challenge that is no hash", challengeMethods},
		{"2.1.2 no token in a redirect", implicitRefused},
		{"2.4 no password grant", passwordGrant},
		{"2.5 a client with a secret has to show it", clientSecret},
		{"4.1.3 redirect_uri is compared as a string", redirectTricks},
		{"4.2 addresses do not leak by Referer or caches", leakage},
		{"4.3 a refused sign-in leaves nothing in an address", noPasswordInAddress},
		{"4.4 state comes back as it was sent, and alone", stateComesBack},
		{"4.5.3 nonce is in the ID token", nonceInIDToken},
		{"4.7 a form of another browser is refused", crossSite},
		{"4.7 signing in makes a new session", sessionFixation},
		{"4.8 PKCE cannot be taken out on the way", downgrade},
		{"4.11 no open redirect", openRedirect},
		{"4.12 a form is answered by 303, never by 307 or 308", seeOther},
		{"4.14 a rotated refresh token that comes back is refused", refreshReplay},
		{"4.14 a refresh token is bound to its client and scopes", refreshBound},
		{"4.16 no framing", framing},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			rule.test(t, w, w.user(t))
		})
	}
}

func wantError(t *testing.T, what string, a tokenAnswer, code string) {
	t.Helper()
	if a.Status != http.StatusBadRequest || a.Error != code || a.AccessToken != "" || a.RefreshToken != "" {
		t.Errorf("%s: %d %q, want %s", what, a.Status, a.Error, code)
	}
}

// userInfo is the status that an access token gets.
func (w *world) userInfo(t *testing.T, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/oauth2/userInfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return w.browser(t).do(r).StatusCode
}

func codeReplay(t *testing.T, w *world, b *browser) {
	code := b.code(verifier)
	first := w.exchange(t, code, verifier)
	if first.Status != http.StatusOK || first.IDToken == "" || first.RefreshToken == "" || first.ExpiresIn != 3600 {
		t.Fatalf("%d %s", first.Status, first.Error)
	}
	if status := w.userInfo(t, first.AccessToken); status != http.StatusOK {
		t.Errorf("userInfo before the replay: %d", status)
	}
	// Another client that got hold of the code can end nothing.
	wantError(t, "another client", w.exchange(t, code, verifier, "client_id", otherID), "invalid_grant")
	if status := w.userInfo(t, first.AccessToken); status != http.StatusOK {
		t.Errorf("userInfo after another client's try: %d", status)
	}
	wantError(t, "replay", w.exchange(t, code, verifier), "invalid_grant")
	if status := w.userInfo(t, first.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userInfo after the replay: %d", status)
	}
	wantError(t, "refresh after the replay",
		w.form(t, "/oauth2/token", "grant_type", "refresh_token", "client_id", websiteID, "refresh_token", first.RefreshToken), "invalid_grant")
}

func codeGuess(t *testing.T, w *world, b *browser) {
	code := b.code(verifier)
	wantError(t, "wrong verifier", w.exchange(t, code, verifier+"x"), "invalid_grant")
	wantError(t, "right verifier", w.exchange(t, code, verifier), "invalid_grant")
}

func codeLapses(t *testing.T, w *world, b *browser) {
	early, late := b.code(verifier), b.code(verifier)
	w.pass(5*time.Minute - time.Second)
	if a := w.exchange(t, early, verifier); a.Status != http.StatusOK {
		t.Errorf("just in time: %s", a.Error)
	}
	w.pass(time.Second)
	wantError(t, "too late", w.exchange(t, late, verifier), "invalid_grant")
}

func codeBound(t *testing.T, w *world, b *browser) {
	for name, test := range map[string]struct {
		change []string
		want   string
	}{
		"another client":             {[]string{"client_id", otherID}, "invalid_grant"},
		"another callback":           {[]string{"redirect_uri", elsewhere}, "invalid_grant"},
		"a callback of nobody":       {[]string{"redirect_uri", "http://localhost:4013/x"}, "unauthorized_client"},
		"no callback":                {[]string{"redirect_uri", ""}, "invalid_request"},
		"another verifier":           {[]string{"code_verifier", verifier + "x"}, "invalid_grant"},
		"the challenge as verifier":  {[]string{"code_verifier", "challenge"}, "invalid_grant"},
		"a code of nobody":           {[]string{"code", "00000000-0000-0000-0000-000000000000"}, "invalid_grant"},
		"no code":                    {[]string{"code", ""}, "invalid_request"},
		"a client of the wrong flow": {[]string{"client_id", implicit}, "unauthorized_client"},
	} {
		wantError(t, name, w.exchange(t, b.code(verifier), verifier, test.change...), test.want)
	}
}

func challengeMethods(t *testing.T, w *world, b *browser) {
	for name, change := range map[string][]string{
		"plain":             {"code_challenge_method", "plain"},
		"no method":         {"code_challenge_method", ""},
		"lower case":        {"code_challenge_method", "s256"},
		"no challenge":      {"code_challenge", ""},
		"short":             {"code_challenge", "abc"},
		"padded":            {"code_challenge", strings.Repeat("A", 43) + "="},
		"loose bits":        {"code_challenge", strings.Repeat("A", 42) + "B"},
		"a line break":      {"code_challenge", strings.Repeat("A", 43) + "\n"},
		"standard alphabet": {"code_challenge", strings.Repeat("+", 43)},
	} {
		if got := b.get(w.request(verifier, change...)).answered(t, callback); got.Get("error") != "invalid_request" || got.Has("code") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func implicitRefused(t *testing.T, w *world, b *browser) {
	for name, test := range map[string]struct{ client, kind, want string }{
		"token":                   {websiteID, "token", "unauthorized_client"},
		"token where it may":      {implicit, "token", "unsupported_response_type"},
		"ID token":                {websiteID, "id_token", "invalid_request"},
		"hybrid":                  {websiteID, "code id_token", "invalid_request"},
		"both":                    {implicit, "token id_token", "invalid_request"},
		"code where it may not":   {implicit, "code", "unauthorized_client"},
		"nothing":                 {websiteID, "", "invalid_request"},
		"code in capitals":        {websiteID, "CODE", "invalid_request"},
		"code and a space before": {websiteID, " code", "invalid_request"},
	} {
		v := b.get(w.request(verifier, "client_id", test.client, "response_type", test.kind))
		if got := v.answered(t, callback); got.Get("error") != test.want || got.Has("code") || strings.Contains(v.Header.Get("Location"), "#") {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := b.get(w.request(verifier, "response_mode", "fragment")).answered(t, callback); got.Get("error") != "invalid_request" {
		t.Errorf("response_mode: %v", got)
	}
}

func passwordGrant(t *testing.T, w *world, _ *browser) {
	wantError(t, "password", w.form(t, "/oauth2/token", "grant_type", "password", "client_id", websiteID,
		"username", username, "password", password), "unsupported_grant_type")
}

func clientSecret(t *testing.T, w *world, b *browser) {
	as := []string{"client_id", serverID}
	wantError(t, "no secret", w.exchange(t, b.code(verifier, as...), verifier, as...), "invalid_client")
	wantError(t, "wrong secret", w.exchange(t, b.code(verifier, as...), verifier, append(as, "client_secret", "guess")...), "invalid_client")
	code := b.code(verifier, as...)
	if a := w.exchange(t, code, verifier, append(as, "client_secret", w.Secret(serverID))...); a.Status != http.StatusOK {
		t.Errorf("with its secret: %s", a.Error)
	}
	wantError(t, "a public client with a secret", w.exchange(t, b.code(verifier), verifier, "client_secret", "x"), "invalid_client")
}

func leakage(t *testing.T, w *world, b *browser) {
	for _, v := range []view{b.get(w.request(verifier)), b.get(w.request(verifier, "prompt", "login")), b.get(w.request(verifier, "client_id", "x"))} {
		for header, want := range map[string]string{"Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got := v.Header.Get(header); got != want {
				t.Errorf("%d: %s is %q", v.StatusCode, header, got)
			}
		}
		if strings.Contains(v.body, "http://") || strings.Contains(v.body, "https://") {
			t.Error("a page names another site, which could learn its address")
		}
		// The address may hold a code and never a token, a password or a secret.
		if location := v.Header.Get("Location"); strings.Contains(location, "eyJ") || strings.Contains(location, "token") {
			t.Error("a token in an address")
		}
	}
}

func noPasswordInAddress(t *testing.T, w *world, _ *browser) {
	b := w.browser(t)
	v := b.submit(b.get(w.request(verifier)), "/login", "username", username, "password", "planted-wrong-password")
	if v.StatusCode != http.StatusBadRequest || strings.Contains(v.Request.URL.String(), "planted") || strings.Contains(v.body, "planted") {
		t.Errorf("%d %s", v.StatusCode, v.find(alertPattern))
	}
	// A password in the query signs nobody in.
	v = b.get(strings.Replace(w.request(verifier), "/oauth2/authorize", "/login", 1) + "&username=" + username + "&password=" + password)
	if v.StatusCode != http.StatusOK || v.find(titlePattern) != "Sign in" {
		t.Errorf("a password in the query: %d", v.StatusCode)
	}
}

func stateComesBack(t *testing.T, w *world, b *browser) {
	for _, state := range []string{"plain", "a&code=evil", "a#b", "\u00e9 \u20ac", "../..", "<script>", strings.Repeat("s", 2000)} {
		got := b.get(w.request(verifier, "state", state)).answered(t, callback)
		if got.Get("state") != state || len(got["code"]) != 1 || len(got) != 2 {
			t.Errorf("state %.10q: %v", state, got)
		}
		got = b.get(w.request(verifier, "state", state, "scope", "notes/none")).answered(t, callback)
		if got.Get("state") != state || got.Get("error") != "invalid_scope" || got.Has("code") {
			t.Errorf("state %.10q with an error: %v", state, got)
		}
	}
	if got := b.get(w.request(verifier, "state", "")).answered(t, callback); got.Has("state") || got.Get("code") == "" {
		t.Errorf("no state: %v", got)
	}
	if got := b.get(w.request(verifier)+"&state=another").answered(t, callback); got.Has("state") || got.Get("error") != "invalid_request" {
		t.Errorf("two states: %v", got)
	}
	// The callback's own query stays, in front.
	v := b.get(w.request(verifier, "redirect_uri", elsewhere))
	if location := v.Header.Get("Location"); !strings.HasPrefix(location, elsewhere+"&code=") {
		t.Error("the callback's own query is lost")
	}
}

func nonceInIDToken(t *testing.T, w *world, b *browser) {
	for _, nonce := range []string{"one", ""} {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(w.exchange(t, b.code(verifier, "nonce", nonce), verifier).IDToken, claims); err != nil {
			t.Fatal(err)
		}
		if got, _ := claims["nonce"].(string); got != nonce {
			t.Errorf("nonce %q, want %q", got, nonce)
		}
	}
}

func crossSite(t *testing.T, w *world, _ *browser) {
	victim, attacker := w.browser(t), w.browser(t)
	page := attacker.get(w.request(verifier))
	form := url.Values{"username": {username}, "password": {password}}
	action := strings.Replace(w.request(verifier), "/oauth2/authorize", "/login", 1)
	for name, csrf := range map[string]string{
		"none": "", "the attacker's": formPattern.FindStringSubmatch(page.body)[2], "a guess": "AAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		form.Set("_csrf", csrf)
		for _, v := range []view{victim.post(action, form), func() view { victim.get(action); return victim.post(action, form) }()} {
			if v.StatusCode != http.StatusForbidden || v.Header.Get("Location") != "" {
				t.Errorf("token %s: %d", name, v.StatusCode)
			}
		}
	}
	// Every form is checked, not the login form only.
	for _, path := range []string{"/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmForgotPassword", "/changePassword", "/mfa"} {
		if v := victim.post(strings.Replace(action, "/login", path, 1), form); v.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, v.StatusCode)
		}
	}
	if got := victim.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("the victim is signed in: %q", got)
	}
}

func sessionFixation(t *testing.T, w *world, _ *browser) {
	b, home := w.browser(t), mustURL(t, w.base)
	page := b.get(w.request(verifier))
	planted := b.client.Jar.Cookies(home)
	b.signIn(page).answered(t, callback)
	signed := b.client.Jar.Cookies(home)
	if len(planted) != 1 || len(signed) != 1 || planted[0].Name != signed[0].Name || planted[0].Value == signed[0].Value {
		t.Fatalf("%d and %d cookies, or the same one", len(planted), len(signed))
	}
	attacker := w.browser(t)
	attacker.client.Jar.SetCookies(home, planted)
	if got := attacker.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("the planted cookie is signed in: %q", got)
	}
	// Signing out ends the session on the server, not only in the browser.
	b.get(w.base + "/logout?client_id=" + websiteID + "&logout_uri=" + url.QueryEscape(signedOut))
	attacker.client.Jar.SetCookies(home, signed)
	if got := attacker.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("after sign-out the cookie is still good: %q", got)
	}
}

func mustURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func downgrade(t *testing.T, w *world, b *browser) {
	wantError(t, "with a challenge, without a verifier", w.exchange(t, b.code(verifier), ""), "invalid_grant")
	bare := []string{"code_challenge", "", "code_challenge_method", ""}
	wantError(t, "without a challenge, with a verifier", w.exchange(t, b.code(verifier, bare...), verifier), "invalid_grant")
	if a := w.exchange(t, b.code(verifier, bare...), ""); a.Status != http.StatusOK {
		t.Errorf("without either: %s", a.Error)
	}
}

func seeOther(t *testing.T, w *world, _ *browser) {
	b := w.browser(t)
	if v := b.signIn(b.get(w.request(verifier))); v.StatusCode != http.StatusSeeOther {
		t.Errorf("after a form: %d", v.StatusCode)
	}
	if v := b.get(w.request(verifier)); v.StatusCode != http.StatusFound {
		t.Errorf("after a link: %d", v.StatusCode)
	}
}

func refreshReplay(t *testing.T, w *world, b *browser) {
	as := []string{"client_id", otherID}
	first := w.exchange(t, b.code(verifier, as...), verifier, as...)
	turn := func(token string) tokenAnswer {
		return w.form(t, "/oauth2/token", "grant_type", "refresh_token", "client_id", otherID, "refresh_token", token)
	}
	second := turn(first.RefreshToken)
	if second.Status != http.StatusOK || second.RefreshToken == "" || second.RefreshToken == first.RefreshToken {
		t.Fatalf("refresh: %d %s", second.Status, second.Error)
	}
	w.pass(2 * time.Minute) // no client has a longer grace period
	wantError(t, "the old one", turn(first.RefreshToken), "invalid_grant")
}

func refreshBound(t *testing.T, w *world, b *browser) {
	first := w.exchange(t, b.code(verifier, "scope", "openid"), verifier)
	refresh := []string{"grant_type", "refresh_token", "refresh_token", first.RefreshToken}
	wantError(t, "another client", w.form(t, "/oauth2/token", append(refresh, "client_id", otherID)...), "invalid_grant")
	wantError(t, "a wider scope", w.form(t, "/oauth2/token", append(refresh, "client_id", websiteID, "scope", "openid notes/read")...), "invalid_scope")
	again := w.form(t, "/oauth2/token", append(refresh, "client_id", websiteID)...)
	if again.Status != http.StatusOK || again.AccessToken == first.AccessToken || again.RefreshToken != "" {
		t.Errorf("refresh: %d %s, or an unasked refresh token", again.Status, again.Error)
	}
}

func framing(t *testing.T, w *world, b *browser) {
	for _, address := range []string{w.request(verifier, "prompt", "login"), w.request(verifier, "client_id", "x"), w.request(verifier)} {
		v := b.get(address)
		policy := v.Header.Get("Content-Security-Policy")
		if v.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%d: %v", v.StatusCode, v.Header)
		}
	}
}
