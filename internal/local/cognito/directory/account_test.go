package directory_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

func (w *world) signUp(ctx context.Context, c *directory.Client, username string) (directory.SignUpResult, error) {
	return w.SignUp(ctx, c, directory.SignUpInput{Username: username, Password: password})
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	byName := func(p *assembly.UserPool) { p.UsernameAttributes, p.AliasAttributes = nil, []string{"email"} }
	schema := func(p *assembly.UserPool) {
		p.Attributes = []assembly.UserAttribute{
			{Name: "name", Type: "String", Required: true, Mutable: true, MaxLength: 2048},
			{Name: "custom:plan", Type: "String", Mutable: true, MinLength: 2, MaxLength: 4},
		}
		p.Clients[0].WriteAttributes = []string{"email", "name", "custom:plan"}
	}
	type attributes = map[string]string
	tests := map[string]struct {
		change     func(*assembly.UserPool)
		username   string
		password   string
		attributes attributes
		want       string
	}{
		"good":             {username: ann, password: password},
		"not permitted":    {change: func(p *assembly.UserPool) { p.SelfSignUp = false }, username: ann, password: password, want: "NotAuthorizedException: SignUp is not permitted for this user pool"},
		"no e-mail":        {username: "ann", password: password, want: "InvalidParameterException: Username should be an email."},
		"quoted name":      {username: `"a.b"@example.com`, password: password, want: "InvalidParameterException: Username should be an email."},
		"e-mail as name":   {change: byName, username: ann, password: password, want: "InvalidParameterException: Username cannot be of email format, since user pool is configured for email alias."},
		"by name":          {change: byName, username: "ann", password: password, attributes: attributes{"email": ann}},
		"short":            {username: ann, password: "aA1-", want: "InvalidPasswordException: Password did not conform with policy: Password not long enough"},
		"no digit":         {username: ann, password: "Correct-Horse", want: "InvalidPasswordException: Password did not conform with policy: Password must have numeric characters"},
		"no capital":       {username: ann, password: "correct-horse-1", want: "InvalidPasswordException: Password did not conform with policy: Password must have uppercase characters"},
		"no small letter":  {username: ann, password: "CORRECT-HORSE-1", want: "InvalidPasswordException: Password did not conform with policy: Password must have lowercase characters"},
		"no symbol":        {username: ann, password: "CorrectHorse1", want: "InvalidPasswordException: Password did not conform with policy: Password must have symbol characters"},
		"unknown":          {username: ann, password: password, attributes: attributes{"custom:x": "1"}, want: "NotAuthorizedException: A client attempted to write unauthorized attribute"},
		"verified":         {username: ann, password: password, attributes: attributes{"email_verified": "true"}, want: "NotAuthorizedException: A client attempted to write unauthorized attribute"},
		"subject":          {username: ann, password: password, attributes: attributes{"sub": "1"}, want: "NotAuthorizedException: A client attempted to write unauthorized attribute"},
		"not writable":     {change: schema, username: ann, password: password, attributes: attributes{"gender": "x"}, want: "NotAuthorizedException: A client attempted to write unauthorized attribute"},
		"required":         {change: schema, username: ann, password: password, want: "InvalidParameterException: Attributes did not conform to the schema: name: The attribute is required\n"},
		"custom":           {change: schema, username: ann, password: password, attributes: attributes{"name": "A", "custom:plan": "pro"}},
		"custom too long":  {change: schema, username: ann, password: password, attributes: attributes{"name": "A", "custom:plan": "large"}, want: "InvalidParameterException: Attributes did not conform to the schema: custom:plan: String must be no longer than 4 characters"},
		"custom too short": {change: schema, username: ann, password: password, attributes: attributes{"name": "A", "custom:plan": "p"}, want: "InvalidParameterException: Attributes did not conform to the schema: custom:plan: String must be no shorter than 2 characters"},
		"bad telephone":    {username: ann, password: password, attributes: attributes{"phone_number": "0123"}, want: "InvalidParameterException: Invalid phone number format."},
		"taken":            {username: "ANN2@example.com", password: password, want: "UsernameExistsException: An account with the given email already exists."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(p *assembly.UserPool) {
				if tt.change != nil {
					tt.change(p)
				}
			})
			if name == "taken" {
				if _, err := w.Add("ann2@example.com", password, nil); err != nil {
					t.Fatal(err)
				}
			}
			result, err := w.SignUp(t.Context(), w.website, directory.SignUpInput{Username: tt.username, Password: tt.password, Attributes: tt.attributes})
			wantError(t, "sign-up", err, tt.want)
			if tt.want != "" {
				return
			}
			if result.Confirmed || result.Delivery == nil || *result.Delivery != (directory.Delivery{Destination: "a***@e***", Medium: "EMAIL", Attribute: "email"}) {
				t.Errorf("result %+v, sent %+v", result, result.Delivery)
			}
			_, err = w.CheckPassword(t.Context(), w.website, tt.username, password, nil)
			wantError(t, "sign-in before", err, "UserNotConfirmedException: User is not confirmed.")
			wantError(t, "confirm", w.ConfirmSignUp(t.Context(), w.website, tt.username, w.lastCode(t), nil), "")
			step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
			if err != nil || step.User.Attributes["email_verified"] != "true" || step.User.Subject != result.Subject {
				t.Errorf("sign-in after: %+v, %v", step, err)
			}
		})
	}
}

// The same account is never made twice, whoever is faster.
func TestSignUpOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if n := count(8, func() error { _, err := w.signUp(t.Context(), w.website, ann); return err }); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// A pool that tells case apart has two users where another has one.
func TestCase(t *testing.T) {
	t.Parallel()
	for name, sensitive := range map[string]bool{"folded": false, "apart": true} {
		w := newWorld(t, func(p *assembly.UserPool) { p.CaseSensitive, p.UsernameAttributes = sensitive, nil })
		w.website.HidesUsers = false
		if _, err := w.Add("Ann", password, nil); err != nil {
			t.Fatal(err)
		}
		_, err := w.CheckPassword(t.Context(), w.website, "ann", password, nil)
		want := ""
		if sensitive {
			want = "UserNotFoundException: User does not exist."
		}
		wantError(t, name, err, want)
	}
}

// An alias signs in once it is verified, and then only one account has it.
func TestAlias(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.UsernameAttributes, p.AliasAttributes = nil, []string{"email"} })
	up := func(username string) string {
		t.Helper()
		if _, err := w.SignUp(t.Context(), w.website, directory.SignUpInput{
			Username: username, Password: password, Attributes: map[string]string{"email": ann},
		}); err != nil {
			t.Fatal(err)
		}
		return w.lastCode(t)
	}
	first, second := up("first"), up("second")
	_, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
	wantError(t, "not verified", err, wrongPassword)
	wantError(t, "first", w.ConfirmSignUp(t.Context(), w.website, "first", first, nil), "")
	wantError(t, "second", w.ConfirmSignUp(t.Context(), w.website, "second", second, nil), "AliasExistsException: An account with the given email already exists.")
	if step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil); err != nil || step.User.Username != "first" {
		t.Errorf("%+v, %v", step, err)
	}
}

// A code works once, for a while, and against few guesses; a new one replaces
// it; there are few new ones. Nobody there looks the same where that is hidden.
func TestCodes(t *testing.T) {
	t.Parallel()
	const (
		mismatch = "CodeMismatchException: Invalid verification code provided, please try again."
		expired  = "ExpiredCodeException: Invalid code provided, please request a code again."
		limit    = "LimitExceededException: Attempt limit exceeded, please try after some time."
	)
	for _, username := range []string{ann, "bob@example.com"} {
		w := newWorld(t)
		w.addAnn(t)
		forgot := func(what, want string) {
			t.Helper()
			place, err := w.ForgotPassword(t.Context(), w.website, username, nil)
			wantError(t, username+" "+what, err, want)
			if err == nil && (place.Medium != "EMAIL" || place.Destination != username[:1]+"***@e***") {
				t.Errorf("%s: sent to %+v", username, place)
			}
		}
		confirm := func(what, code, want string) {
			t.Helper()
			wantError(t, username+" "+what, w.ConfirmForgotPassword(t.Context(), w.website, username, code, "Another-Horse-2", nil), want)
		}
		forgot("first", "")
		for range 5 {
			confirm("guess", "abcdef", mismatch)
		}
		confirm("sixth guess", "abcdef", limit)
		for range 4 {
			forgot("again", "")
		}
		forgot("sixth", limit)
		confirm("guess", "abcdef", mismatch)
		w.pass(time.Hour)
		confirm("too late", "abcdef", expired)
	}

	w := newWorld(t)
	w.addAnn(t)
	if _, err := w.ForgotPassword(t.Context(), w.website, ann, nil); err != nil {
		t.Fatal(err)
	}
	code := w.lastCode(t)
	err := w.ConfirmForgotPassword(t.Context(), w.website, ann, code, "short", nil)
	wantError(t, "short password", err, "InvalidPasswordException: Password did not conform with policy: Password not long enough")
	if n := count(8, func() error {
		return w.ConfirmForgotPassword(t.Context(), w.website, ann, code, "Another-Horse-2", nil)
	}); n != 1 {
		t.Errorf("the code worked %d times", n)
	}
	_, err = w.CheckPassword(t.Context(), w.website, ann, "Another-Horse-2", nil)
	wantError(t, "the new password", err, "")
}

// A name has no blanks and no control characters, whoever makes the account.
func TestUsernames(t *testing.T) {
	t.Parallel()
	const refused = "InvalidParameterException: 1 validation error detected: Value at 'username' failed to satisfy constraint: " +
		`Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`
	for name, want := range map[string]string{
		"ann": "", "a.b+c@d": "", "é-δ_1": "", "e\u0301": "", "€": "",
		"a b": refused, "a b\r\n\x00": refused, " ann": refused, "ann\n": refused, "\t": refused, "a\u00a0b": refused, "a\u200bb": refused, "": refused,
	} {
		w := newWorld(t, func(p *assembly.UserPool) { p.UsernameAttributes = nil })
		_, err := w.SignUp(t.Context(), w.website, directory.SignUpInput{Username: name, Password: password})
		wantError(t, strconv.Quote(name)+" signs up", err, want)
		w = newWorld(t, func(p *assembly.UserPool) { p.UsernameAttributes = nil })
		_, err = w.Create(t.Context(), directory.CreateInput{Username: name, Password: password})
		wantError(t, strconv.Quote(name)+" is made", err, want)
	}
}

// An invitation is sent again only to somebody who never took it up.
func TestResendInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := directory.CreateInput{Username: ann, Attributes: map[string]string{"email_verified": "true"}}
	if _, err := w.Create(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	first := w.lastCode(t)
	in.Resend = true
	if _, err := w.Create(t.Context(), in); err != nil || len(w.messages) != 2 || w.lastCode(t) == first {
		t.Errorf("again: %d messages, %v", len(w.messages), err)
	}
	_, err := w.CheckPassword(t.Context(), w.website, ann, first, nil)
	wantError(t, "the first password", err, wrongPassword)
	wantError(t, "a password for good", w.SetPassword(ann, password, true), "")
	u, err := w.Get(ann)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Create(t.Context(), in)
	wantError(t, "to who is confirmed", err, "UnsupportedUserStateException: Resend not possible. "+u.Username+" status is not FORCE_CHANGE_PASSWORD")
	_, err = w.CheckPassword(t.Context(), w.website, ann, password, nil)
	wantError(t, "the password is still good", err, "")
	in.Username = "bob@example.com"
	_, err = w.Create(t.Context(), in)
	wantError(t, "to nobody", err, "UserNotFoundException: User does not exist.")
}

// Where a pool verifies both, a sign-up's code goes to the telephone.
func TestPhoneBeforeEmail(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		verified   []string
		attributes map[string]string
		want       string
	}{
		"both":           {[]string{"email", "phone_number"}, map[string]string{"email": ann, "phone_number": "+14325551212"}, "phone_number"},
		"only an e-mail": {[]string{"email", "phone_number"}, map[string]string{"email": ann}, "email"},
		"e-mail is":      {[]string{"email"}, map[string]string{"email": ann, "phone_number": "+14325551212"}, "email"},
	} {
		w := newWorld(t, func(p *assembly.UserPool) { p.UsernameAttributes, p.AutoVerified = nil, tt.verified })
		up, err := w.SignUp(t.Context(), w.website, directory.SignUpInput{Username: "ann", Password: password, Attributes: tt.attributes})
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.ResendCode(t.Context(), w.website, "ann", nil)
		if err != nil || up.Delivery.Attribute != tt.want || again.Attribute != tt.want || w.messages[0].Destination != tt.attributes[tt.want] {
			t.Errorf("%s: to %+v, then %+v, %v", name, up.Delivery, again, err)
		}
	}
}

// What is not there is named where the client shows who is.
func TestShownUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.Recovery = []string{"admin_only"} })
	w.addAnn(t)
	const nobody, notFound = "bob@example.com", "UserNotFoundException: User does not exist."
	_, err := w.CheckPassword(t.Context(), w.server, nobody, password, nil)
	wantError(t, "sign-in", err, notFound)
	_, err = w.ForgotPassword(t.Context(), w.server, nobody, nil)
	wantError(t, "reset", err, notFound)
	wantError(t, "confirm", w.ConfirmSignUp(t.Context(), w.server, nobody, "123456", nil), notFound)
	wantError(t, "new password", w.ConfirmForgotPassword(t.Context(), w.server, nobody, "123456", password, nil), notFound)
	_, err = w.ResendCode(t.Context(), w.server, nobody, nil)
	wantError(t, "resend", err, notFound)
	_, err = w.ResendCode(t.Context(), w.server, ann, nil)
	wantError(t, "resend to who is confirmed", err, "InvalidParameterException: User is already confirmed.")
	wantError(t, "confirm again", w.ConfirmSignUp(t.Context(), w.server, ann, "123456", nil), "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED")
	_, err = w.ForgotPassword(t.Context(), w.server, ann, nil)
	wantError(t, "operators only", err, "NotAuthorizedException: Contact administrator to reset password.")
	// The hiding client says the same of both.
	for _, username := range []string{ann, nobody} {
		_, err = w.ForgotPassword(t.Context(), w.website, username, nil)
		wantError(t, "hidden reset", err, "")
		_, err = w.ResendCode(t.Context(), w.website, username, nil)
		wantError(t, "hidden resend", err, "")
		wantError(t, "hidden confirm", w.ConfirmSignUp(t.Context(), w.website, username, "abcdef", nil),
			"CodeMismatchException: Invalid verification code provided, please try again.")
	}
	if len(w.messages) != 0 {
		t.Errorf("%d codes were sent", len(w.messages))
	}
}

// An address is verified by the code that went to it, once, and no more once it
// is another one.
func TestVerifyAttribute(t *testing.T) {
	t.Parallel()
	const expired = "ExpiredCodeException: Invalid code provided, please request a code again."
	w := newWorld(t)
	w.addAnn(t)
	caller, err := w.SelfService(t.Context(), w.signIn(t, w.website).Access)
	if err != nil {
		t.Fatal(err)
	}
	change := func(email string) string {
		t.Helper()
		if _, err := w.UpdateAttributes(caller, map[string]string{"email": email}); err != nil {
			t.Fatal(err)
		}
		return w.lastCode(t)
	}
	verified := func(want string) {
		t.Helper()
		if got := w.Users(nil)[0].Attributes["email_verified"]; got != want {
			t.Errorf("email_verified is %s, want %s", got, want)
		}
	}
	first := change("ann2@example.com")
	verified("false")
	second := change("ann3@example.com")
	if first != second { // else it is the second one's as well
		wantError(t, "the code of the old address", w.VerifyAttribute(caller, "email", first),
			"CodeMismatchException: Invalid verification code provided, please try again.")
	}
	wantError(t, "the code", w.VerifyAttribute(caller, "email", second), "")
	verified("true")
	wantError(t, "the code again", w.VerifyAttribute(caller, "email", second), expired)
	_, err = w.UpdateAttributes(caller, map[string]string{"email_verified": "true"})
	wantError(t, "by hand", err, "NotAuthorizedException: A client attempted to write unauthorized attribute")
	_, err = w.UpdateAttributes(caller, map[string]string{"sub": "x"})
	wantError(t, "the subject", err, "NotAuthorizedException: A client attempted to write unauthorized attribute")
	wantError(t, "immutable", w.SetAttributes("ann3@example.com", map[string]string{"sub": "x"}), "InvalidParameterException: user.sub: Attribute cannot be updated.\n")
}
