package cognito_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local/guard"
)

// ask is a request that an endpoint takes.
type ask struct {
	path    string
	query   url.Values
	form    url.Values // nil for GET
	bearer  string
	cookies []*http.Cookie
}

func (a ask) send(h http.Handler, query, form string) *httptest.ResponseRecorder {
	method := http.MethodGet
	if a.form != nil {
		method = http.MethodPost
	}
	r := httptest.NewRequest(method, a.path, strings.NewReader(form))
	r.URL.RawQuery = query
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	for _, c := range a.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// spoiled are the ways to get a parameter wrong.
var spoiled = map[string]func(url.Values, string) string{
	"missing":  func(v url.Values, name string) string { v.Del(name); return v.Encode() },
	"empty":    func(v url.Values, name string) string { v.Set(name, ""); return v.Encode() },
	"repeated": func(v url.Values, name string) string { v.Add(name, v.Get(name)); return v.Encode() },
	"oversized": func(v url.Values, name string) string {
		v.Set(name, strings.Repeat("a", 70_000))
		return v.Encode()
	},
	"bad escape": func(v url.Values, name string) string { v.Del(name); return v.Encode() + "&" + name + "=%zz" },
	"not UTF-8":  func(v url.Values, name string) string { v.Set(name, "\xff\xfe"); return v.Encode() },
	"NUL":        func(v url.Values, name string) string { v.Set(name, "\x00"); return v.Encode() },
	"line break": func(v url.Values, name string) string { v.Set(name, "a\r\nb: c"); return v.Encode() },
	"semicolon":  func(v url.Values, name string) string { v.Del(name); return v.Encode() + ";" + name + "=a" },
	"unknown":    func(v url.Values, name string) string { v.Set("unheard-of", name); return v.Encode() },
}

// optional are the parameters without which, or with others of which, a request
// is as good.
var optional = map[string][]string{
	"missing":    {"state", "nonce", "scope", "prompt", "login_hint", "unheard-of"},
	"empty":      {"state", "nonce", "scope", "prompt", "login_hint"},
	"NUL":        {"state", "nonce", "prompt", "login_hint"},
	"line break": {"state", "nonce", "prompt", "login_hint"},
}

// TestParameters sends every endpoint each parameter of its query in every wrong
// way: the answer is the documented error, and never a 500. [TestClientForms] and
// [TestPageForms] do so with the parameters of forms.
func TestParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	token := w.exchange(t, b.code(verifier), verifier)
	cookies := b.client.Jar.Cookies(mustURL(t, w.base))
	csrf := formPattern.FindStringSubmatch(b.get(w.request(verifier, "prompt", "login")).body)[2]
	authorize := mustURL(t, w.request(verifier)).Query()
	page := func(path string, form url.Values) ask {
		if form != nil {
			form.Set("_csrf", csrf)
		}
		return ask{path: path, query: authorize, form: form, cookies: cookies}
	}
	account := url.Values{"username": {username}, "password": {password}, "attribute-email": {username}, "code": {"000000"}}
	for _, good := range []ask{
		page("/oauth2/authorize", nil), page("/login", nil), page("/signup", nil), page("/confirm", nil), page("/forgotPassword", nil),
		page("/confirmForgotPassword", nil), page("/changePassword", nil), page("/mfa", nil),
		{path: "/logout", query: url.Values{"client_id": {websiteID}, "logout_uri": {signedOut}}},
		page("/login", account), page("/signup", account), page("/confirm", account), page("/resendcode", account), page("/forgotPassword", account),
		page("/confirmForgotPassword", account), page("/changePassword", account), page("/mfa", account),
		{path: "/oauth2/userInfo", query: url.Values{}, bearer: token.AccessToken},
	} {
		for how, spoil := range spoiled {
			for name := range good.query {
				query := spoil(mustQuery(t, good.query.Encode()), name)
				answer := good.send(w, query, good.form.Encode())
				wantRefusal(t, good.path+": "+how+" "+name, answer, how == "unknown" || slices.Contains(optional[how], name))
			}
		}
	}
}

func mustQuery(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// wantRefusal checks that an answer is an error of its endpoint, or at least one
// of its answers where mayPass is set.
func wantRefusal(t *testing.T, what string, w *httptest.ResponseRecorder, mayPass bool) {
	t.Helper()
	location, body := w.Header().Get("Location"), w.Body.String()
	to := func(prefix string) bool { return strings.HasPrefix(location, prefix) }
	switch {
	case w.Code >= 500:
		t.Errorf("%s: %d", what, w.Code)
	case strings.ContainsAny(location, "\r\n\x00"):
		t.Errorf("%s: a redirect that is broken", what)
	case location != "" && !to(callback+"?") && !to(signedOut) && !to("/login?") && !to("/confirm?") && !to("/confirmForgotPassword?"):
		t.Errorf("%s: a redirect to somebody else", what)
	case mayPass:
	case location != "" && !strings.Contains(location, "error="):
		t.Errorf("%s: %d, a redirect without an error", what, w.Code)
	case location == "" && (w.Code < 400 || !strings.Contains(body, `role="alert"`)):
		t.Errorf("%s: %d without an error", what, w.Code)
	}
}

// FuzzEndpoints sends every path whatever the fuzzer makes up.
func FuzzEndpoints(f *testing.F) {
	w := newWorld(f, nil)
	paths := []string{
		"/oauth2/authorize", "/login", "/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmForgotPassword", "/changePassword", "/mfa",
		"/logout", "/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo", "/" + poolID + "/.well-known/jwks.json",
	}
	b := w.browser(f)
	csrf := formPattern.FindStringSubmatch(b.get(w.request(verifier)).body)[2]
	cookie := b.client.Jar.Cookies(mustParse(f, w.base))[0]
	good := mustParse(f, w.request(verifier)).RawQuery
	for i := range paths {
		f.Add(uint8(i), false, good, "", "")
		f.Add(uint8(i), true, good, "_csrf="+csrf+"&username=a&password=b&code=c", "Basic eDp5")
		f.Add(uint8(i), true, "", "grant_type=authorization_code&code=a&client_id="+websiteID, "Bearer a.b.c")
	}
	f.Fuzz(func(t *testing.T, path uint8, post bool, query, form, authorization string) {
		r := httptest.NewRequest(http.MethodGet, paths[int(path)%len(paths)], strings.NewReader(form))
		if post {
			r.Method = http.MethodPost
		}
		r.URL.RawQuery = query
		r.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
		r.Header["Authorization"] = []string{authorization}
		r.AddCookie(cookie)
		out := httptest.NewRecorder()
		w.ServeHTTP(out, r)
		wantRefusal(t, r.URL.Path, out, true)
	})
}

func mustParse(f *testing.F, address string) *url.URL {
	f.Helper()
	u, err := url.Parse(address)
	if err != nil {
		f.Fatal(err)
	}
	return u
}

// TestSurvivePages holds the rows of what the request path must survive that
// speak of pages in a browser.
func TestSurvivePages(t *testing.T) {
	t.Parallel()
	t.Run("56_foreign_page", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		guarded := guard.Wrap(w, guard.Policy{Hosts: []string{"127.0.0.1:4011"}, Origins: []string{"http://localhost:4013"}}, nil)
		login := strings.Replace(w.request(verifier), w.base+"/oauth2/authorize", "/login", 1)
		for name, test := range map[string]struct {
			method, path, host string
			header             [2]string
			want               int
		}{
			"its own form":            {"POST", login, "", [2]string{"Origin", "http://127.0.0.1:4011"}, 403}, // for its token
			"a link":                  {"GET", login, "", [2]string{"Sec-Fetch-Site", "none"}, 200},
			"another site's form":     {"POST", login, "", [2]string{"Origin", "https://evil.example"}, 403},
			"a form without origin":   {"POST", login, "", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
			"a sandboxed form":        {"POST", login, "", [2]string{"Origin", "null"}, 403},
			"another name":            {"GET", login, "evil.example:4011", [2]string{}, 421},
			"another name, token":     {"POST", "/oauth2/token", "evil.example", [2]string{}, 421},
			"another site's fetch":    {"POST", "/oauth2/token", "", [2]string{"Origin", "https://evil.example"}, 403},
			"the website's fetch":     {"POST", "/oauth2/token", "", [2]string{"Origin", "http://localhost:4013"}, 400}, // for its form
			"another site's revoke":   {"POST", "/oauth2/revoke", "", [2]string{"Origin", "https://evil.example"}, 403},
			"another site's user":     {"GET", "/oauth2/userInfo", "", [2]string{"Origin", "https://evil.example"}, 403},
			"another site's sign-out": {"GET", "/logout", "", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		} {
			r := httptest.NewRequest(test.method, test.path, nil)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Host = "127.0.0.1:4011"
			if test.host != "" {
				r.Host = test.host
			}
			if test.header[0] != "" {
				r.Header.Set(test.header[0], test.header[1])
			}
			out := httptest.NewRecorder()
			guarded.ServeHTTP(out, r)
			if out.Code != test.want {
				t.Errorf("%s: %d, want %d", name, out.Code, test.want)
			}
			if out.Header().Get("Access-Control-Allow-Credentials") != "" || test.path == login && out.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: a page may be read by scripts", name)
			}
		}
	})
	t.Run("59_no_secret_in_the_log", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		b := w.browser(t)
		b.signUp()
		page := b.get(w.request(verifier))
		csrf := formPattern.FindStringSubmatch(page.body)[2]
		b.submit(page, "/login", "username", username, "password", "Planted-Horse-1")
		answer := b.signIn(page).answered(t, callback)
		token := w.exchange(t, answer.Get("code"), verifier)
		w.userInfo(t, token.AccessToken)
		w.exchange(t, answer.Get("code"), verifier)
		w.form(t, "/oauth2/revoke", "client_id", websiteID, "token", token.RefreshToken)
		b.submit(b.get(strings.Replace(w.request(verifier), "/oauth2/authorize", "/forgotPassword", 1)), "/forgotPassword", "username", username)
		w.http.Close() // every line is written
		log := w.log.String()
		if strings.Count(log, "\n") < 10 || !strings.Contains(log, `"client":"website"`) {
			t.Fatal("the requests are not in the log")
		}
		hidden := map[string]string{
			"password": password, "wrong password": "Planted-Horse-1", "code": answer.Get("code"), "mailed code": w.lastCode(t), "verifier": verifier,
			"access token": token.AccessToken, "ID token": token.IDToken, "refresh token": token.RefreshToken, "form token": csrf,
			"state": "the-state", "user name": username,
		}
		for _, c := range b.client.Jar.Cookies(mustURL(t, w.base)) {
			hidden["cookie"] = c.Value
		}
		for name, secret := range hidden {
			if secret == "" || strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
				t.Errorf("the log shows the %s, or there was none", name)
			}
		}
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, v := range []view{w.browser(t).get(w.request(verifier)), w.user(t).get(w.base + "/logout?client_id=" + websiteID + "&logout_uri=" + url.QueryEscape(signedOut))} {
		cookies := v.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies", len(cookies))
		}
		if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure || c.Name != "gatewright-"+poolID {
			t.Errorf("cookie %s: %+v", c.Name, c.SameSite)
		}
	}
}
