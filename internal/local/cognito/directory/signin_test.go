package directory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

const wrongPassword = "NotAuthorizedException: Incorrect username or password."

// Five failures lock a user out for a second, each further one for twice as
// long, and a name that nobody has just so.
func TestLockout(t *testing.T) {
	t.Parallel()
	const exceeded = "NotAuthorizedException: Password attempts exceeded"
	for _, username := range []string{ann, "bob@example.com"} {
		w := newWorld(t)
		w.addAnn(t)
		try := func(what, want string) {
			t.Helper()
			_, err := w.CheckPassword(t.Context(), w.website, username, "Wrong-Horse-1", nil)
			wantError(t, username+" "+what, err, want)
		}
		for range 5 {
			try("fails", wrongPassword)
		}
		try("is locked out", exceeded)
		w.pass(time.Second)
		try("fails again", wrongPassword)
		w.pass(1900 * time.Millisecond)
		try("is locked out for longer", exceeded)
		w.pass(100 * time.Millisecond)
		if username == ann {
			if _, err := w.CheckPassword(t.Context(), w.website, ann, password, nil); err != nil {
				t.Errorf("the right password after the lockout: %v", err)
			}
			try("starts anew", wrongPassword)
		}
		w.pass(time.Hour)
		for range 5 {
			try("fails an hour later", wrongPassword)
		}
	}
}

// A signed-in caller's guesses count as failed sign-ins: at the password, and at
// the first code of an app.
func TestCallerLockout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		guess         func(*world, *directory.Caller) error
		wrong, locked string
	}{
		"ChangePassword": {
			func(w *world, c *directory.Caller) error {
				return w.ChangePassword(c, "Wrong-Horse-1", "Another-Horse-2")
			},
			wrongPassword, "LimitExceededException: Attempt limit exceeded, please try after some time.",
		},
		"VerifyCallerTOTP": {
			func(w *world, c *directory.Caller) error { return w.VerifyCallerTOTP(c, "abcdef") },
			"EnableSoftwareTokenMFAException: Code mismatch", "NotAuthorizedException: Password attempts exceeded",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(p *assembly.UserPool) { p.MFA, p.SoftwareTokenMFA = "OPTIONAL", true })
			w.addAnn(t)
			caller, err := w.SelfService(t.Context(), w.signIn(t, w.website).Access)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := w.AssociateCallerTOTP(caller)
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				wantError(t, "a guess", tt.guess(w, caller), tt.wrong)
			}
			wantError(t, "one too many", tt.guess(w, caller), tt.locked)
			// Not even what is right is taken, and no sign-in either.
			code, _ := totp.GenerateCode(secret, w.clock())
			wantError(t, "the right password", w.ChangePassword(caller, password, "Another-Horse-2"), "LimitExceededException: Attempt limit exceeded, please try after some time.")
			wantError(t, "the right code", w.VerifyCallerTOTP(caller, code), "NotAuthorizedException: Password attempts exceeded")
			_, err = w.CheckPassword(t.Context(), w.website, ann, password, nil)
			wantError(t, "sign-in", err, "NotAuthorizedException: Password attempts exceeded")
			w.pass(time.Second)
			code, _ = totp.GenerateCode(secret, w.clock())
			wantError(t, "later", errors.Join(w.VerifyCallerTOTP(caller, code), w.ChangePassword(caller, password, "Another-Horse-2")), "")
		})
	}
}

// Tries at the same time are bounded like tries one after another, and none of
// them learns whether it was right after the lockout.
func TestLockoutConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	counted := map[string]int{}
	for range 20 {
		group.Go(func() {
			_, err := w.CheckPassword(t.Context(), w.website, ann, "Wrong-Horse-1", nil)
			mu.Lock()
			defer mu.Unlock()
			counted[err.Error()]++
		})
	}
	group.Wait()
	if counted[wrongPassword] != 5 {
		t.Errorf("answers: %v", counted)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare   func(*world) error
		want      string
		challenge string
	}{
		"disabled":    {func(w *world) error { return w.SetEnabled(ann, false) }, "NotAuthorizedException: User is disabled.", ""},
		"to be reset": {func(w *world) error { return w.ResetPassword(ann) }, "PasswordResetRequiredException: Password reset required for the user", ""},
		"temporary":   {func(w *world) error { return w.SetPassword(ann, password, false) }, "", directory.NewPasswordRequired},
		"temporary, too old": {func(w *world) error {
			err := w.SetPassword(ann, password, false)
			w.pass(time.Hour)
			return err
		}, "NotAuthorizedException: Temporary password has expired and must be reset by an administrator.", ""},
		"enabled again": {func(w *world) error { return errors.Join(w.SetEnabled(ann, false), w.SetEnabled(ann, true)) }, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addAnn(t)
			if err := tt.prepare(w); err != nil {
				t.Fatal(err)
			}
			step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
			wantError(t, "sign-in", err, tt.want)
			if err == nil && step.Challenge != tt.challenge {
				t.Errorf("the challenge is %q", step.Challenge)
			}
			// Nothing of it shows to who does not know the password.
			_, err = w.CheckPassword(t.Context(), w.website, ann, "Wrong-Horse-1", nil)
			wantError(t, "wrong password", err, wrongPassword)
		})
	}
}

func TestNewPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Create(t.Context(), directory.CreateInput{Username: ann, Attributes: map[string]string{"email_verified": "true"}}); err != nil {
		t.Fatal(err)
	}
	temporary := w.lastCode(t)
	sign := func() *directory.Step {
		t.Helper()
		step, err := w.CheckPassword(t.Context(), w.website, ann, temporary, nil)
		if err != nil || step.Challenge != directory.NewPasswordRequired {
			t.Fatalf("%+v, %v", step, err)
		}
		return step
	}
	session, stale := sign().Session, sign().Session
	_, err := w.AnswerNewPassword(t.Context(), w.website, session, "short", nil, nil)
	wantError(t, "short", err, "InvalidPasswordException: Password did not conform with policy: Password not long enough")
	_, err = w.AnswerNewPassword(t.Context(), w.server, session, password, nil, nil)
	wantError(t, "another client", err, "NotAuthorizedException: Invalid session for the user.")
	done, err := w.AnswerNewPassword(t.Context(), w.website, session, password, map[string]string{"name": "Ann"}, nil)
	if err != nil || done.User == nil || done.Source != directory.NewPasswordChallenge || done.User.Attributes["name"] != "Ann" {
		t.Fatalf("%+v, %v", done, err)
	}
	_, err = w.AnswerNewPassword(t.Context(), w.website, session, password, nil, nil)
	wantError(t, "twice", err, "NotAuthorizedException: Invalid session for the user.")
	_, err = w.AnswerNewPassword(t.Context(), w.website, stale, password, nil, nil)
	wantError(t, "from before the change", err, "NotAuthorizedException: Invalid session for the user.")
}

// Of many answers with one session, one counts.
func TestSessionOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	if err := w.SetPassword(ann, password, false); err != nil {
		t.Fatal(err)
	}
	step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(16, func() error {
		_, err := w.AnswerNewPassword(t.Context(), w.website, step.Session, "Another-Horse-2", nil, nil)
		return err
	}); n != 1 {
		t.Errorf("%d answers counted", n)
	}
}

// count runs f many times at once, and returns how often it succeeded.
func count(n int, f func() error) int {
	var group sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range n {
		group.Go(func() {
			if f() == nil {
				mu.Lock()
				defer mu.Unlock()
				good++
			}
		})
	}
	group.Wait()
	return good
}

func TestSessionExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.Clients[1].SessionLifetime = 15 * time.Minute })
	w.addAnn(t)
	if err := w.SetPassword(ann, password, false); err != nil {
		t.Fatal(err)
	}
	for c, lifetime := range map[*directory.Client]time.Duration{w.website: 3 * time.Minute, w.server: 15 * time.Minute} {
		step, err := w.CheckPassword(t.Context(), c, ann, password, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.pass(lifetime)
		_, err = w.AnswerNewPassword(t.Context(), c, step.Session, "Another-Horse-2", nil, nil)
		wantError(t, c.ID, err, "NotAuthorizedException: Invalid session for the user, session is expired.")
	}
}

func TestTOTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.MFA, p.SoftwareTokenMFA = "ON", true })
	w.addAnn(t)
	code := func(secret string) string {
		out, err := totp.GenerateCode(secret, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	sign := func(want string) *directory.Step {
		t.Helper()
		step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
		if err != nil || step.Challenge != want || step.User != nil {
			t.Fatalf("%+v, %v", step, err)
		}
		return step
	}
	step := sign(directory.MFASetup)
	_, err := w.AnswerMFASetup(t.Context(), w.website, sign(directory.MFASetup).Session, nil)
	wantError(t, "no app", err, "SoftwareTokenMFANotFoundException: Software token MFA has not been set up for the user")
	secret, session, err := w.AssociateTOTP(step.Session)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.VerifyTOTP(session, "abcdef")
	wantError(t, "wrong first code", err, "EnableSoftwareTokenMFAException: Code mismatch")
	if session, err = w.VerifyTOTP(session, code(secret)); err != nil {
		t.Fatal(err)
	}
	done, err := w.AnswerMFASetup(t.Context(), w.website, session, nil)
	if err != nil || done.User == nil || !done.User.TOTP {
		t.Fatalf("%+v, %v", done, err)
	}

	step = sign(directory.SoftwareTokenMFA)
	_, err = w.AnswerTOTP(t.Context(), w.website, step.Session, code(secret), nil)
	wantError(t, "the code that set it up", err, "CodeMismatchException: Invalid code received for user")
	w.pass(30 * time.Second)
	next := code(secret)
	if done, err = w.AnswerTOTP(t.Context(), w.website, step.Session, next, nil); err != nil || done.User == nil {
		t.Fatalf("after a wrong one: %+v, %v", done, err)
	}
	step = sign(directory.SoftwareTokenMFA)
	for i := range 3 {
		var known *directory.Error
		_, err = w.AnswerTOTP(t.Context(), w.website, step.Session, next, nil)
		if !errors.As(err, &known) || (known.Session == "") != (i == 2) {
			t.Errorf("try %d: %v", i, err)
		}
	}
	w.pass(time.Minute)
	_, err = w.AnswerTOTP(t.Context(), w.website, step.Session, code(secret), nil)
	wantError(t, "the session is used up", err, "NotAuthorizedException: Invalid session for the user.")
}

// Whoever has the password cannot try codes for ever by signing in again.
func TestTOTPGuesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.MFA, p.SoftwareTokenMFA = "ON", true })
	w.addAnn(t)
	step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, session, err := w.AssociateTOTP(step.Session)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := totp.GenerateCode(secret, w.clock())
	if session, err = w.VerifyTOTP(session, first); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AnswerMFASetup(t.Context(), w.website, session, nil); err != nil {
		t.Fatal(err)
	}
	guesses := 0
	for range 50 {
		step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
		if err != nil {
			break
		}
		if _, err := w.AnswerTOTP(t.Context(), w.website, step.Session, "abcdef", nil); err != nil {
			guesses++
		}
	}
	if guesses != 5 {
		t.Errorf("%d guesses", guesses)
	}
}

func TestSecretHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantError(t, "public client", w.website.CheckSecretHash(ann, ""), "")
	wantError(t, "none", w.server.CheckSecretHash(ann, ""), "NotAuthorizedException: Client "+serverID+" is configured with secret but SECRET_HASH was not received")
	wantError(t, "wrong", w.server.CheckSecretHash(ann, "AAAA"), "NotAuthorizedException: Unable to verify secret hash for client "+serverID)
	wantError(t, "public client's", w.website.CheckSecretHash(ann, "AAAA"), "NotAuthorizedException: Unable to verify secret hash for client "+websiteID)
	if len(w.server.Secret) != 51 || strings.ToLower(w.server.Secret) != w.server.Secret || w.website.Secret != "" {
		t.Error("the secrets are not like Cognito's")
	}
}
