package hosted

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestBounds fills the stores: what anybody can make the server remember is
// bounded, and the oldest makes room.
func TestBounds(t *testing.T) {
	t.Parallel()
	now := noon
	clock := func() time.Time { return now }
	c, v := newCodes(clock), newVisits("pool", clock)
	firstCode, firstVisit := c.add(grant{clientID: "client"}), v.begin()
	var lastCode string
	var lastVisit visit
	for range maxCodes + 5 {
		now = now.Add(time.Millisecond)
		lastCode, lastVisit = c.add(grant{clientID: "client"}), v.begin()
	}
	if len(c.m) != maxCodes || len(v.m) != maxVisits {
		t.Errorf("%d codes, %d visits", len(c.m), len(v.m))
	}
	if _, verdict := c.take(firstCode, "client"); verdict != codeUnknown {
		t.Error("the oldest code is still there")
	}
	if _, verdict := c.take(lastCode, "client"); verdict != codeGood {
		t.Error("the newest code is gone")
	}
	if found(v, firstVisit.id) || !found(v, lastVisit.id) {
		t.Error("not the visit that ends first has made room")
	}

	now = now.Add(2 * time.Hour)
	c.add(grant{})
	v.begin()
	if len(c.m) != 1 || len(v.m) != 1 {
		t.Errorf("after two hours %d codes and %d visits are left", len(c.m), len(v.m))
	}
}

func found(v *visits, values ...string) bool {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, value := range values {
		r.AddCookie(&http.Cookie{Name: v.cookie, Value: value})
	}
	_, ok := v.of(r)
	return ok
}

func TestVisits(t *testing.T) {
	t.Parallel()
	now := noon
	v := newVisits("pool", func() time.Time { return now })
	one, other := v.begin(), v.begin()
	if !found(v, one.id) || found(v, one.id, other.id) || found(v, "") || found(v) || found(v, "guess") {
		t.Error("not exactly one known cookie is a visit")
	}
	if !one.owns(one.csrf) || one.owns(other.csrf) || one.owns("") || (visit{}).owns("") {
		t.Error("a form is not exactly its visit's")
	}
	now = now.Add(visitLifetime - time.Second)
	if !found(v, one.id) {
		t.Error("a visit ends early")
	}
	if now = now.Add(time.Second); found(v, one.id) {
		t.Error("a visit does not end")
	}
}

func TestFormAction(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://localhost:4013/callback?a=b": "http://localhost:4013",
		"https://shop.example.com/":          "https://shop.example.com",
		"com.example.app:/callback":          "com.example.app:",
		"myapp://callback":                   "myapp:",
		"http://[::1]:4013/callback":         "http:",
		"https://a.example;script-src/":      "https:",
		"https://a.example 'unsafe-inline'/": "",
		"/callback":                          "",
		"%":                                  "",
	} {
		if got := cspSource(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	for callback, want := range map[string]string{"https://shop.example.com/": "'self' https://shop.example.com", "": "'self'"} {
		policy := show(http.StatusOK, page{Forms: []form{{}}}, callback).Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "; form-action "+want+";") {
			t.Errorf("%s: %s", callback, policy)
		}
	}
	if policy := show(http.StatusOK, page{}, "https://a.example/").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "; form-action 'none';") {
		t.Errorf("a page without forms: %s", policy)
	}
}

func TestPolicyText(t *testing.T) {
	t.Parallel()
	for want, policy := range map[string]assembly.PasswordPolicy{
		"At least 8 characters.":                             {MinLength: 8},
		"At least 12 characters, with a number.":             {MinLength: 12, Numbers: true},
		"At least 6 characters, with a number and a symbol.": {MinLength: 6, Numbers: true, Symbols: true},
		"At least 8 characters, with a lower-case letter, an upper-case letter, a number and a symbol.": {
			MinLength: 8, Lowercase: true, Uppercase: true, Numbers: true, Symbols: true},
	} {
		if got := policyText(&assembly.UserPool{PasswordPolicy: policy}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPage looks for what people who do not see or do not use a mouse need.
func TestPage(t *testing.T) {
	t.Parallel()
	p := page{Title: "Sign in", App: "<app>", Alert: "Wrong.", Forms: []form{{Action: "/login?a=b&c=d", CSRF: "token", Submit: "Go", Fields: []field{
		{Name: "username", Label: "User name", Type: "text", Value: `"><script>`, Autocomplete: "username", Literal: true},
		passwordField("Password", "current-password", "A hint."),
	}}}}
	body := string(show(http.StatusOK, p, "").Body)
	for _, want := range []string{
		`<html lang="en">`, `content="width=device-width, initial-scale=1"`, `<p class="alert" role="alert">Wrong.</p>`, `<h1>Sign in</h1>`,
		`<label for="username">User name</label>`, `autocomplete="username"`, `autocapitalize="none"`, `value="&#34;&gt;&lt;script&gt;"`,
		`type="password"`, `autocomplete="current-password"`, `aria-describedby="password-hint"`, `id="password-hint">A hint.`,
		`action="/login?a=b&amp;c=d"`, `name="_csrf" value="token"`, "&lt;app&gt;", style,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %.60s", want)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Error("something that the page's policy forbids")
	}
}
