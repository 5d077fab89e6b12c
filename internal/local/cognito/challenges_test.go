package cognito_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

var secretPattern = regexp.MustCompile(`<code class="secret">([^<]*)</code>`)

// directory is who is in the pool that people sign in to.
func (w *world) directory() *directory.Directory { return w.Directories()[poolID] }

// seed makes the demo user without a page.
func (w *world) seed(t *testing.T) *directory.User {
	t.Helper()
	user, err := w.directory().Add(username, password, map[string]string{"email": username})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func TestNewPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.PasswordPolicy.TemporaryLifetime = 24 * time.Hour
		p.Attributes = append(p.Attributes, assembly.UserAttribute{Name: "given_name", Type: "String", Required: true, Mutable: true, MaxLength: 100})
	})
	if _, err := w.directory().Create(t.Context(), directory.CreateInput{Username: username, Password: password, Attributes: map[string]string{"email": username}}); err != nil {
		t.Fatal(err)
	}
	b := w.browser(t)
	const next = "Another-Horse-2"
	page := b.signIn(b.get(w.request(verifier)))
	if got := page.find(titlePattern); got != "Choose a new password" {
		t.Fatalf("%q %q", got, page.find(alertPattern))
	}
	for name, test := range map[string]struct {
		values []string
		want   string
	}{
		"nothing":       {nil, "Fill in: New password."},
		"no given name": {[]string{"password", next}, "Fill in: Given name."},
		"weak":          {[]string{"password", "weak", "attribute-given_name", "Dee"}, "Password did not conform with policy: Password not long enough"},
	} {
		if got := b.submit(page, "/changePassword", test.values...).find(alertPattern); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	b.submit(page, "/changePassword", "password", next, "attribute-given_name", "Dee").answered(t, callback)
	if user, err := w.directory().Get(username); err != nil || user.Attributes["given_name"] != "Dee" {
		t.Errorf("%v, %v", user, err)
	}
	if v := b.get(strings.Replace(w.request(verifier), "/oauth2/authorize", "/changePassword", 1)); v.find(titlePattern) != "Sign in" {
		t.Errorf("the page without a challenge: %q", v.find(titlePattern))
	}

	if err := w.directory().SetPassword(username, password, false); err != nil {
		t.Fatal(err)
	}
	w.pass(24 * time.Hour)
	b = w.browser(t)
	if got := b.signIn(b.get(w.request(verifier))).find(alertPattern); !strings.HasPrefix(got, "Your temporary password has expired.") {
		t.Errorf("expired: %q", got)
	}
}

func TestAuthenticatorApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.MFA, p.SoftwareTokenMFA = "ON", true })
	w.seed(t)
	b := w.browser(t)
	page := b.signIn(b.get(w.request(verifier)))
	secret := page.find(secretPattern)
	if page.find(titlePattern) != "Set up an authenticator app" || secret == "" {
		t.Fatalf("%q %q", page.find(titlePattern), page.find(alertPattern))
	}
	digits := func() string {
		code, err := totp.GenerateCode(secret, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	wrong := b.submit(page, "/mfa", "code", "000000x")
	if wrong.find(secretPattern) != secret || wrong.find(alertPattern) == "" {
		t.Errorf("after a wrong code the secret is another one, or nothing is said: %q", wrong.find(alertPattern))
	}
	if got := b.submit(page, "/mfa").find(alertPattern); got != "Enter the code, please." {
		t.Errorf("no code: %q", got)
	}
	b.submit(wrong, "/mfa", "code", digits()).answered(t, callback)

	w.pass(time.Minute)
	b = w.browser(t)
	page = b.signIn(b.get(w.request(verifier)))
	if page.find(titlePattern) != "Enter your code" || page.find(secretPattern) != "" {
		t.Fatalf("%q", page.find(titlePattern))
	}
	b.submit(page, "/mfa", "code", digits()).answered(t, callback)

	w.pass(time.Minute)
	b = w.browser(t)
	page = b.signIn(b.get(w.request(verifier)))
	for range 2 {
		page = b.submit(page, "/mfa", "code", "000000x")
		if page.find(titlePattern) != "Enter your code" || page.find(alertPattern) == "" {
			t.Errorf("a wrong code: %q", page.find(titlePattern))
		}
	}
	page = b.submit(page, "/mfa", "code", "000000x")
	if page.find(titlePattern) != "Sign in" || !strings.HasSuffix(page.find(alertPattern), "Sign in again.") {
		t.Errorf("after three: %q %q", page.find(titlePattern), page.find(alertPattern))
	}
	// The challenge stays with the browser that met it.
	if got := w.browser(t).get(strings.Replace(w.request(verifier), "/oauth2/authorize", "/mfa", 1)).find(titlePattern); got != "Sign in" {
		t.Errorf("another browser at the challenge: %q", got)
	}
}

func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.seed(t)
	for _, name := range []string{username, "nobody@example.com"} {
		b := w.browser(t)
		page := b.get(w.request(verifier))
		var said []string
		for range 6 {
			said = append(said, b.submit(page, "/login", "username", name, "password", "Wrong-Horse-1").find(alertPattern))
		}
		if said[4] != "The user name or the password is not right." || said[5] != "There were too many attempts. Wait a while, then try again." {
			t.Errorf("%s: %q", name, said)
		}
	}
	w.pass(20 * time.Minute)
	b := w.browser(t)
	b.signIn(b.get(w.request(verifier))).answered(t, callback)
}

// TestStandings are accounts that may not sign in, and what each is told.
func TestStandings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.seed(t)
	b := w.browser(t)
	page := b.get(w.request(verifier))
	b.signIn(page).answered(t, callback)
	check := func(name string, change error, want string) {
		t.Helper()
		if change != nil {
			t.Fatal(change)
		}
		if got := b.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
			t.Errorf("%s: the browser is still signed in: %q", name, got)
		}
		other := w.browser(t)
		form := other.get(w.request(verifier))
		if got := other.signIn(form).find(alertPattern); got != want {
			t.Errorf("%s: %q", name, got)
		}
		if got := other.submit(form, "/login", "username", username, "password", "Wrong-Horse-1").find(alertPattern); got != "The user name or the password is not right." {
			t.Errorf("%s, wrong password: %q", name, got)
		}
	}
	d := w.directory()
	check("disabled", d.SetEnabled(username, false), "This account is disabled.")
	if err := d.SetEnabled(username, true); err != nil {
		t.Fatal(err)
	}
	check("to be reset", d.ResetPassword(username), "Your password has to be reset: choose \u201cForgot your password?\u201d.")
	check("deleted", d.Delete(username), "The user name or the password is not right.")
	w.seed(t)
	if got := b.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("the browser is signed in as somebody else of the same name: %q", got)
	}
}

// TestFailingTrigger checks that a trigger that fails fails the sign-in, with
// Cognito's error at the callback, and signs nobody in.
func TestFailingTrigger(t *testing.T) {
	t.Parallel()
	fails := true
	w := newWorldWith(t, func(p *assembly.UserPool) {
		p.PreTokenFunctionARN, p.PreTokenVersion = "arn:aws:lambda:eu-west-1:000000000000:function:tokens", "V2_0"
		p.Triggers = map[string]string{"PreTokenGenerationConfig": p.PreTokenFunctionARN}
	}, func(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
		var event struct {
			Source string `json:"triggerSource"`
		}
		if err := json.Unmarshal(payload, &event); err != nil || event.Source != "TokenGeneration_HostedAuth" && event.Source != "TokenGeneration_RefreshTokens" {
			t.Errorf("source %q, %v", event.Source, err)
		}
		if fails {
			return []byte(`{"errorMessage":"not today"}`), "Unhandled", nil
		}
		return []byte(`{"response":{"claimsAndScopeOverrideDetails":{}}}`), "", nil
	})
	w.seed(t)
	b := w.browser(t)
	got := b.signIn(b.get(w.request(verifier))).answered(t, callback)
	if got.Get("error") != "invalid_request" || got.Get("error_description") != "PreTokenGeneration failed with error not today." || got.Get("state") != "the-state" || got.Has("code") {
		t.Errorf("%v", got)
	}
	if got := b.get(w.request(verifier, "prompt", "none")).answered(t, callback).Get("error"); got != "login_required" {
		t.Errorf("signed in all the same: %q", got)
	}
	fails = false
	token := w.exchange(t, b.signIn(b.get(w.request(verifier))).answered(t, callback).Get("code"), verifier)
	fails = true
	renewed := w.form(t, "/oauth2/token", "grant_type", "refresh_token", "client_id", websiteID, "refresh_token", token.RefreshToken)
	wantError(t, "refresh", renewed, "invalid_grant")
	if renewed.Description != "PreTokenGeneration failed with error not today." {
		t.Errorf("refresh: %q", renewed.Description)
	}
}

// TestMachineMetadata checks that what a machine says in aws_client_metadata
// reaches the trigger, and what a user's refresh says does not.
func TestMachineMetadata(t *testing.T) {
	t.Parallel()
	got := map[string]any{}
	w := newWorldWith(t, func(p *assembly.UserPool) {
		p.PreTokenFunctionARN, p.PreTokenVersion = "arn:aws:lambda:eu-west-1:000000000000:function:tokens", "V3_0"
	}, func(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
		var event struct {
			Source  string `json:"triggerSource"`
			Request struct {
				Metadata map[string]string `json:"clientMetadata"`
			} `json:"request"`
		}
		err := json.Unmarshal(payload, &event)
		got[event.Source] = event.Request.Metadata["tenant"]
		return payload, "", err
	})
	const metadata = `{"tenant": "blue & green", "other": ""}`
	machine := w.form(t, "/oauth2/token", "grant_type", "client_credentials", "client_id", machineID, "client_secret", w.Secret(machineID), "aws_client_metadata", metadata)
	if machine.Status != http.StatusOK || got["TokenGeneration_ClientCredentials"] != "blue & green" {
		t.Errorf("%d %s, the trigger got %v", machine.Status, machine.Error, got)
	}
	w.seed(t)
	b := w.browser(t)
	token := w.exchange(t, b.signIn(b.get(w.request(verifier))).answered(t, callback).Get("code"), verifier)
	w.form(t, "/oauth2/token", "grant_type", "refresh_token", "client_id", websiteID, "refresh_token", token.RefreshToken, "aws_client_metadata", metadata)
	if got["TokenGeneration_RefreshTokens"] != "" {
		t.Errorf("the trigger got %v", got)
	}
}

// TestLateExchange checks that a code gives tokens only while its user may sign
// in, and says how long they live from then on.
func TestLateExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.seed(t)
	b := w.browser(t)
	b.signIn(b.get(w.request(verifier))).answered(t, callback)
	code := b.code(verifier)
	w.pass(4 * time.Minute)
	if a := w.exchange(t, code, verifier); a.Status != http.StatusOK || a.ExpiresIn != 56*60 {
		t.Errorf("after four minutes: %d, expires in %d s", a.Status, a.ExpiresIn)
	}
	for name, end := range map[string]func() error{
		"signed out": func() error { return w.directory().EndSessions(username) },
		"disabled":   func() error { return w.directory().SetEnabled(username, false) },
	} {
		if err := w.directory().SetEnabled(username, true); err != nil {
			t.Fatal(err)
		}
		b := w.browser(t)
		code := b.signIn(b.get(w.request(verifier))).answered(t, callback).Get("code")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		wantError(t, name, w.exchange(t, code, verifier), "invalid_grant")
	}
}

// TestNoScopes checks that a client without scopes gets no token at all: one
// without scopes would be an SDK's, which may change the user's account.
func TestNoScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		for i := range p.Clients {
			p.Clients[i].Scopes = nil
		}
	})
	w.seed(t)
	for _, scope := range []string{"", " ", "openid", "aws.cognito.signin.user.admin"} {
		if got := w.browser(t).get(w.request(verifier, "scope", scope)).answered(t, callback).Get("error"); got != "invalid_scope" {
			t.Errorf("scope %q: %q", scope, got)
		}
	}
}

func TestSignUpClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.SelfSignUp = false })
	b := w.browser(t)
	login := b.get(w.request(verifier))
	if strings.Contains(login.body, "/signup") {
		t.Error("the login page leads to sign-up")
	}
	action := strings.Replace(w.request(verifier), "/oauth2/authorize", "/signup", 1)
	form := mustURL(t, "?username=new@example.com&attribute-email=new@example.com&password="+password).Query()
	form.Set("_csrf", formPattern.FindStringSubmatch(login.body)[2])
	for _, v := range []view{b.get(action), b.post(action, form)} {
		if v.StatusCode != http.StatusBadRequest || v.find(titlePattern) != "No sign-up here" {
			t.Errorf("%d %q", v.StatusCode, v.find(titlePattern))
		}
	}
}
