package cognito_test

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// outcomes are what comes of a parameter that is missing, empty, a NUL, and two
// lines.
type outcomes [4]string

// spoilt names them as [spoiled] does.
var spoilt = []string{"missing", "empty", "NUL", "line break"}

// outcome is that of most parameters: unset where there is nothing, bad else.
func outcome(unset, bad string) outcomes { return outcomes{unset, unset, bad, bad} }

// formCase is a form that is good, and what comes of it when a parameter is
// wrong. Every parameter has its row; one that may be left out has good there.
type formCase struct {
	path  string
	fresh func() (form url.Values, cookies []*http.Cookie) // good each time it is called
	good  string
	wrong map[string]outcomes
}

// whole are the ways to get a form wrong as a whole, whichever parameter it is.
var whole = []string{"repeated", "oversized", "bad escape", "not UTF-8", "semicolon"}

// check sends the form in every way of [spoiled]. Unreadable is what comes of a
// form that is wrong as a whole.
func (c formCase) check(t *testing.T, w *world, query, unreadable string) {
	t.Helper()
	names := func() []string {
		form, _ := c.fresh()
		return slices.Sorted(maps.Keys(form))
	}()
	if rows := slices.Sorted(maps.Keys(c.wrong)); !slices.Equal(rows, names) {
		t.Fatalf("%s: rows for %q, parameters %q", c.path, rows, names)
	}
	for _, name := range names {
		for how, spoil := range spoiled {
			form, cookies := c.fresh()
			answer := ask{path: c.path, form: form, cookies: cookies}.send(w, query, spoil(form, name))
			want := c.good // of an unknown parameter
			if i := slices.Index(spoilt, how); i >= 0 {
				want = c.wrong[name][i]
			} else if slices.Contains(whole, how) {
				want = unreadable
			}
			what := c.path + ": " + how + " " + name + " in the form"
			wantRefusal(t, what, answer, true)
			if got := outcomeOf(answer); got != want {
				t.Errorf("%s: %d %q, want %q", what, answer.Code, got, want)
			}
			if (how == "oversized") != (answer.Code == http.StatusRequestEntityTooLarge) {
				t.Errorf("%s: %d", what, answer.Code)
			}
		}
	}
}

// outcomeOf is the error of an answer for clients, the alert of a page, or where
// a redirect leads, with the error that it carries.
func outcomeOf(w *httptest.ResponseRecorder) string {
	if location := w.Header().Get("Location"); location != "" {
		address, query, _ := strings.Cut(location, "?")
		values, _ := url.ParseQuery(query)
		return strings.TrimSpace(address + " " + values.Get("error"))
	}
	if found := alertPattern.FindStringSubmatch(w.Body.String()); found != nil {
		return html.UnescapeString(found[1])
	}
	var answer struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // "" for a page
	if answer.Error == "" && w.Code == http.StatusOK {
		return "ok"
	}
	return answer.Error
}

// Each form parameter of the endpoints for clients, in every wrong way.
func TestClientForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.user(t)
	refresh := w.exchange(t, b.code(verifier), verifier).RefreshToken
	client := func(values ...string) func() (url.Values, []*http.Cookie) {
		return func() (url.Values, []*http.Cookie) {
			form := url.Values{}
			for i := 0; i < len(values); i += 2 {
				form.Set(values[i], values[i+1])
				if values[i+1] == "CODE" {
					form.Set(values[i], b.code(verifier))
				}
			}
			return form, nil
		}
	}
	grantType, clientID := outcome("invalid_request", "unsupported_grant_type"), outcome("invalid_request", "invalid_client")
	for _, c := range []formCase{
		{
			"/oauth2/token", client("grant_type", "authorization_code", "client_id", websiteID, "code", "CODE", "redirect_uri", callback, "code_verifier", verifier), "ok",
			map[string]outcomes{
				"grant_type": grantType, "client_id": clientID, "code": outcome("invalid_request", "invalid_grant"),
				"redirect_uri": outcome("invalid_request", "unauthorized_client"), "code_verifier": outcome("invalid_grant", "invalid_grant"),
			},
		},
		{
			"/oauth2/token", client("grant_type", "refresh_token", "client_id", websiteID, "refresh_token", refresh, "scope", "openid"), "ok",
			map[string]outcomes{
				"grant_type": grantType, "client_id": clientID, "refresh_token": outcome("invalid_request", "invalid_grant"),
				"scope": outcome("ok", "invalid_scope"),
			},
		},
		{
			"/oauth2/token", client("grant_type", "client_credentials", "client_id", machineID, "client_secret", w.Secret(machineID),
				"scope", "notes/read", "aws_client_metadata", `{"k": "v"}`), "ok",
			map[string]outcomes{
				"grant_type": grantType, "client_id": clientID, "client_secret": outcome("invalid_client", "invalid_client"),
				"scope": outcome("ok", "invalid_scope"), "aws_client_metadata": outcome("ok", "invalid_request"),
			},
		},
		{
			"/oauth2/revoke", client("client_id", websiteID, "token", "x"), "ok",
			map[string]outcomes{"client_id": clientID, "token": outcome("invalid_request", "ok")},
		},
	} {
		c.check(t, w, "", "invalid_request")
	}
}

// tab is a browser at the pages of a world.
type tab struct {
	t *testing.T
	w *world

	query   string // of the authorization request
	cookies []*http.Cookie
	csrf    string
	page    string
}

// tab opens the login page.
func (w *world) tab(t *testing.T) *tab {
	t.Helper()
	b := &tab{t: t, w: w, query: mustURL(t, w.request(verifier)).RawQuery}
	b.open("/login")
	return b
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.shown(ask{path: path, query: url.Values{}, cookies: b.cookies}.send(b.w, b.query, ""))
}

func (b *tab) shown(answer *httptest.ResponseRecorder) {
	b.t.Helper()
	if cookies := answer.Result().Cookies(); len(cookies) > 0 {
		b.cookies = cookies
	}
	b.page = answer.Body.String()
	if found := formPattern.FindStringSubmatch(b.page); found != nil {
		b.csrf = found[2]
	}
}

// submit sends a form and returns its outcome.
func (b *tab) submit(path string, values ...string) string {
	b.t.Helper()
	form := b.form(values...)
	answer := ask{path: path, form: form, cookies: b.cookies}.send(b.w, b.query, form.Encode())
	b.shown(answer)
	return outcomeOf(answer)
}

func (b *tab) form(values ...string) url.Values {
	form := url.Values{"_csrf": {b.csrf}}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return form
}

// Each form parameter of the pages, in every wrong way.
func TestPageForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.PasswordPolicy.TemporaryLifetime = time.Hour })
	strict := newWorld(t, func(p *assembly.UserPool) { p.MFA, p.SoftwareTokenMFA = "ON", true })
	last := 0
	// made is somebody new for each try: codes and passwords are used up.
	made := func(w *world) string {
		t.Helper()
		last++
		name := "user" + strconv.Itoa(last) + "@example.com"
		if _, err := w.directory().Add(name, password, map[string]string{"email": name}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	known := made(w)
	const (
		out, enterBoth = "This form is out of date, or it came from somewhere else.", "Enter both, please."
		wrong, weak    = "The user name or the password is not right.", "Password did not conform with policy: Password not long enough"
		noName         = `1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`
	)
	csrf := outcome(out, out)
	for _, c := range []formCase{
		{"/login", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			return b.form("username", known, "password", password), b.cookies
		}, callback, map[string]outcomes{"_csrf": csrf, "username": outcome(enterBoth, wrong), "password": outcome(enterBoth, wrong)}},
		{"/signup", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			last++
			name := "new" + strconv.Itoa(last) + "@example.com"
			return b.form("username", name, "attribute-email", name, "password", password), b.cookies
		}, "/confirm", map[string]outcomes{
			"_csrf": csrf, "username": outcome("Fill in: User name.", noName), "attribute-email": outcome("Fill in: Email.", "Invalid email address format."),
			"password": outcome("Fill in: Password.", weak),
		}},
		{"/confirm", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			last++
			name := "new" + strconv.Itoa(last) + "@example.com"
			if got := b.submit("/signup", "username", name, "attribute-email", name, "password", password); got != "/confirm" {
				t.Fatal(got)
			}
			return b.form("username", name, "code", w.lastCode(t)), b.cookies
		}, "/login", map[string]outcomes{"_csrf": csrf, "username": outcome(enterBoth, wrongCode), "code": outcome(enterBoth, wrongCode)}},
		{"/resendcode", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			last++
			name := "new" + strconv.Itoa(last) + "@example.com"
			if got := b.submit("/signup", "username", name, "attribute-email", name, "password", password); got != "/confirm" {
				t.Fatal(got)
			}
			return b.form(), b.cookies
		}, "/confirm", map[string]outcomes{"_csrf": csrf}},
		{"/forgotPassword", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			return b.form("username", made(w)), b.cookies
		}, "/confirmForgotPassword", map[string]outcomes{"_csrf": csrf, "username": outcome("Enter your user name, please.", "/confirmForgotPassword")}},
		{"/confirmForgotPassword", func() (url.Values, []*http.Cookie) {
			b, name := w.tab(t), made(w)
			if got := b.submit("/forgotPassword", "username", name); got != "/confirmForgotPassword" {
				t.Fatal(got)
			}
			return b.form("username", name, "code", w.lastCode(t), "password", "Another-Horse-2"), b.cookies
		}, "/login", map[string]outcomes{
			"_csrf": csrf, "username": outcome("Fill in all three, please.", wrongCode), "code": outcome("Fill in all three, please.", wrongCode),
			"password": outcome("Fill in all three, please.", weak),
		}},
		{"/changePassword", func() (url.Values, []*http.Cookie) {
			b := w.tab(t)
			last++
			name := "invited" + strconv.Itoa(last) + "@example.com"
			if _, err := w.directory().Create(t.Context(), directory.CreateInput{Username: name, Password: password, Attributes: map[string]string{"email": name}}); err != nil {
				t.Fatal(err)
			}
			if got := b.submit("/login", "username", name, "password", password); got != "/changePassword" {
				t.Fatal(got)
			}
			return b.form("password", "Another-Horse-2"), b.cookies
		}, callback, map[string]outcomes{"_csrf": csrf, "password": outcome("Fill in: New password.", weak)}},
	} {
		c.check(t, w, mustURL(t, w.request(verifier)).RawQuery, "This form cannot be read.")
	}
	formCase{"/mfa", func() (url.Values, []*http.Cookie) {
		b := strict.tab(t)
		if got := b.submit("/login", "username", made(strict), "password", password); got != "/mfa" {
			t.Fatal(got)
		}
		b.open("/mfa")
		code, err := totp.GenerateCode(secretPattern.FindStringSubmatch(b.page)[1], strict.clock())
		if err != nil {
			t.Fatal(err)
		}
		return b.form("code", code), b.cookies
	}, callback, map[string]outcomes{
		"_csrf": csrf, "code": outcome("Enter the code, please.", "The code is not right. Wait for the next one, then try again."),
	}}.check(t, strict, mustURL(t, strict.request(verifier)).RawQuery, "This form cannot be read.")
}

// What an authorization request may hold on AWS and is not served here is an
// error at the callback, from every page.
func TestUnservedParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, path := range []string{"/oauth2/authorize", "/login", "/signup", "/confirm", "/forgotPassword", "/confirmForgotPassword", "/changePassword", "/mfa"} {
		for _, tt := range [][3]string{
			{"request", "x", "request_not_supported"}, {"request", "", "request_not_supported"},
			{"request_uri", "https://shop.example.com/r", "request_uri_not_supported"}, {"request_uri", "", "request_uri_not_supported"},
			{"resource", "https://api.example.com", "invalid_request"}, {"resource", "", "invalid_request"},
			{"idp_identifier", "x", "invalid_request"}, {"idp_identifier", "", "invalid_request"},
			{"identity_provider", "Google", "invalid_request"}, {"identity_provider", "cognito", "invalid_request"},
			{"response_mode", "fragment", "invalid_request"}, {"response_mode", "form_post", "invalid_request"},
			{"identity_provider", "COGNITO", ""}, {"identity_provider", "", ""}, {"response_mode", "query", ""}, {"response_mode", "", ""},
		} {
			query := mustURL(t, w.request(verifier)).Query()
			query.Set(tt[0], tt[1])
			answer := ask{path: path}.send(w, query.Encode(), "")
			if got := outcomeOf(answer); (got == callback+" "+tt[2]) != (tt[2] != "") || tt[2] == "" && answer.Code >= http.StatusBadRequest {
				t.Errorf("%s: %s=%s: %d %q", path, tt[0], tt[1], answer.Code, got)
			}
		}
	}
}
