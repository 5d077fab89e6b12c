package cognito_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

const (
	websiteID = "1website23456789"
	serverID  = "1server23456789" // has a secret
	otherID   = "1other23456789"
	implicit  = "1implicit23456789"
	bareSite  = "1baresite23456789" // of the pool without a domain
	callback  = "http://localhost:4013/callback"
	elsewhere = "http://localhost:4013/other?kept=1"
	signedOut = "http://localhost:4013/"
	username  = "demo@example.com"
	password  = "Correct-Horse-1"
)

// sites are the clients that people sign in with.
func sites() []assembly.UserPoolClient {
	website := assembly.UserPoolClient{
		ID: websiteID, Name: "website", OAuth: true, Flows: []string{"code"}, HidesUsers: true, Revokes: true,
		Scopes:    []string{"openid", "email", "profile", "notes/read"},
		Callbacks: []string{callback, elsewhere, "com.example.app:/callback", callback + "#registered"}, Logouts: []string{signedOut},
		AuthFlows: []string{"ALLOW_REFRESH_TOKEN_AUTH"}, SessionLifetime: 3 * time.Minute,
		AccessTokenLifetime: time.Hour, IDTokenLifetime: time.Hour, RefreshTokenLifetime: 24 * time.Hour,
	}
	server, other, tokens := website, website, website
	server.ID, server.Name, server.HasSecret = serverID, "server", true
	other.ID, other.Name = otherID, "other"
	other.RotatesRefreshTokens, other.AuthFlows = true, nil
	tokens.ID, tokens.Name, tokens.Flows = implicit, "tokens", []string{"implicit"}
	return []assembly.UserPoolClient{website, server, other, tokens}
}

// world is a served pool in which people sign in, with everything that it says.
type world struct {
	*cognito.Server
	base string
	http *httptest.Server
	log  *lockedBuffer

	mu    sync.Mutex
	now   time.Time
	codes []directory.Message
}

// newWorld serves the pools after change, at [now].
func newWorld(t testing.TB, change func(*assembly.UserPool)) *world {
	t.Helper()
	return newWorldWith(t, change, nil)
}

// invoke runs a trigger.
type invoke = func(ctx context.Context, functionARN string, payload []byte) ([]byte, string, error)

// newWorldWith has triggers besides.
func newWorldWith(t testing.TB, change func(*assembly.UserPool), run invoke) *world {
	t.Helper()
	w := &world{log: &lockedBuffer{}, now: now}
	w.http = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.ServeHTTP(out, r) }))
	t.Cleanup(w.http.Close)
	w.base = w.http.URL
	pools := pools(w.base)
	pools[0].Clients = append(pools[0].Clients, sites()...)
	bare := sites()[0]
	bare.ID, bare.Name = bareSite, "bare"
	pools[1].Clients = append(pools[1].Clients, bare)
	pools[0].SelfSignUp, pools[0].AutoVerified, pools[0].Recovery = true, []string{"email"}, []string{"verified_email"}
	pools[0].PasswordPolicy = assembly.PasswordPolicy{MinLength: 8, Lowercase: true, Uppercase: true, Numbers: true, Symbols: true}
	pools[0].Attributes = []assembly.UserAttribute{{Name: "email", Type: "String", Required: true, Mutable: true, MaxLength: 2048}}
	if change != nil {
		change(pools[0])
	}
	var err error
	w.Server, err = cognito.New(cognito.Config{
		Pools: pools, BaseURL: w.base, SigningKey: signingKey(), Account: "000000000000", Region: "eu-west-1",
		Invoke: run, Now: w.clock, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
		Deliver: func(m directory.Message) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.codes = append(w.codes, m)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// lastCode is the code that was delivered last.
func (w *world) lastCode(t testing.TB) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.codes) == 0 {
		t.Fatal("no code was delivered")
	}
	return w.codes[len(w.codes)-1].Code
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// request is an authorization request with PKCE; change is added to it, and an
// empty value takes a parameter away.
func (w *world) request(verifier string, change ...string) string {
	query := url.Values{
		"response_type": {"code"}, "client_id": {websiteID}, "redirect_uri": {callback}, "state": {"the-state"}, "nonce": {"the-nonce"},
		"scope": {"openid email notes/read"}, "code_challenge_method": {"S256"}, "code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)},
	}
	for i := 0; i < len(change); i += 2 {
		query.Set(change[i], change[i+1])
		if change[i+1] == "" {
			query.Del(change[i])
		}
	}
	return w.base + "/oauth2/authorize?" + query.Encode()
}

// browser keeps cookies and follows redirects as long as they stay with us.
type browser struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Closing an httptest.Server closes connections of the default transport, which
	// may be another test's.
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, w, &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != w.base {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// view is an answer that a browser got.
type view struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) view {
	b.t.Helper()
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return view{answer, string(body)}
}

func (b *browser) get(address string) view {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?name="_csrf" value="([^"]*)".*?</form>`)
	alertPattern  = regexp.MustCompile(`role="alert">([^<]*)<`)
	noticePattern = regexp.MustCompile(`role="status">([^<]*)<`)
	titlePattern  = regexp.MustCompile(`<h1>([^<]*)</h1>`)
)

func (v view) find(pattern *regexp.Regexp) string {
	if found := pattern.FindStringSubmatch(v.body); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}

// submit fills in the form whose address has path, and sends it.
func (b *browser) submit(v view, path string, values ...string) view {
	b.t.Helper()
	for _, found := range formPattern.FindAllStringSubmatch(v.body, -1) {
		action := html.UnescapeString(found[1])
		if !strings.HasPrefix(action, path+"?") {
			continue
		}
		form := url.Values{"_csrf": {html.UnescapeString(found[2])}}
		for i := 0; i < len(values); i += 2 {
			form.Set(values[i], values[i+1])
		}
		return b.post(action, form)
	}
	b.t.Fatalf("no form for %s on the page %q", path, v.find(titlePattern))
	return view{}
}

func (b *browser) post(address string, form url.Values) view {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.w.base+strings.TrimPrefix(address, b.w.base), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// signUp makes the demo user's account.
func (b *browser) signUp() {
	b.t.Helper()
	page := b.get(strings.Replace(b.w.request("v"), "/oauth2/authorize", "/signup", 1))
	page = b.submit(page, "/signup", "username", username, "attribute-email", username, "password", password)
	page = b.submit(page, "/confirm", "username", username, "code", b.w.lastCode(b.t))
	if got := page.find(noticePattern); got != "Your account is confirmed. Sign in." {
		b.t.Fatalf("after sign-up: %q %q", page.find(titlePattern), page.find(alertPattern))
	}
}

// signIn answers the login page.
func (b *browser) signIn(page view) view {
	b.t.Helper()
	return b.submit(page, "/login", "username", username, "password", password)
}

// answered is the query that a browser brings to a callback.
func (v view) answered(t testing.TB, callback string) url.Values {
	t.Helper()
	address, ok := strings.CutPrefix(v.Header.Get("Location"), callback)
	if !ok || v.StatusCode != http.StatusFound && v.StatusCode != http.StatusSeeOther {
		t.Fatalf("no redirect to the callback: %d %q %q", v.StatusCode, v.find(titlePattern), v.find(alertPattern))
	}
	query, err := url.ParseQuery(address[1:])
	if err != nil {
		t.Fatal(err)
	}
	return query
}

// tokenAnswer is the token endpoint's.
type tokenAnswer struct {
	Status       int    `json:"-"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
}

// form sends a form to an endpoint for clients.
func (w *world) form(t testing.TB, path string, values ...string) tokenAnswer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		if values[i+1] != "" {
			form.Set(values[i], values[i+1])
		}
	}
	v := w.browser(t).post(path, form)
	a := tokenAnswer{Status: v.StatusCode}
	if v.body != "" {
		if err := json.Unmarshal([]byte(v.body), &a); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// exchange redeems a code of the website; change is added to the request.
func (w *world) exchange(t testing.TB, code, verifier string, change ...string) tokenAnswer {
	t.Helper()
	values := map[string]string{
		"grant_type": "authorization_code", "client_id": websiteID, "redirect_uri": callback, "code": code, "code_verifier": verifier,
	}
	for i := 0; i < len(change); i += 2 {
		values[change[i]] = change[i+1]
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, name, values[name])
	}
	return w.form(t, "/oauth2/token", list...)
}

// user is a browser whose user has an account and is signed in.
func (w *world) user(t testing.TB) *browser {
	t.Helper()
	b := w.browser(t)
	b.signUp()
	b.signIn(b.get(w.request("v"))).answered(t, callback)
	return b
}

// code is a fresh code for the signed-in browser.
func (b *browser) code(verifier string, change ...string) string {
	b.t.Helper()
	code := b.get(b.w.request(verifier, change...)).answered(b.t, callback).Get("code")
	if code == "" {
		b.t.Fatal("no code")
	}
	return code
}
