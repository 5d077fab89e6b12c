package directory

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after; RFC 6238 section 5.2

	// maxTOTPTries bounds the codes that one sign-in may try.
	maxTOTPTries = 3
)

// newTOTPSecret returns 160 random bits (RFC 4226 section 4) in base32.
func newTOTPSecret() string { return base32.StdEncoding.EncodeToString(random(20)) }

// totpStep returns the step whose code it is, later than the last one used: a
// code works once (RFC 6238 section 5.2). 0 if there is none.
func (d *Directory) totpStep(secret, code string, last int64) int64 {
	now := d.now().Unix() / totpPeriod
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		want, err := totp.GenerateCodeCustom(secret, time.Unix(step*totpPeriod, 0), totp.ValidateOpts{
			Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err == nil && step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step
		}
	}
	return 0
}

// AnswerTOTP goes on with a sign-in at SOFTWARE_TOKEN_MFA. After a wrong code
// the same session takes another, a few times.
func (d *Directory) AnswerTOTP(ctx context.Context, c *Client, name, code string, metadata map[string]string) (*Step, error) {
	d.mu.Lock()
	s, u, err := d.take(c, name, SoftwareTokenMFA)
	if err == nil && d.locked(u.subject) {
		err = attemptsExceeded()
	}
	if err != nil {
		d.mu.Unlock()
		return nil, err
	}
	step := d.totpStep(u.totpSecret, code, u.totpStep)
	if step == 0 {
		d.failed(u.subject)
		err := d.retry(name, s, "CodeMismatchException", "Invalid code received for user")
		d.mu.Unlock()
		return nil, err
	}
	u.totpStep = step
	delete(d.failures, u.subject)
	if metadata == nil {
		metadata = s.metadata
	}
	done := &Step{User: d.user(u), Source: s.source, Metadata: metadata}
	d.mu.Unlock()
	return d.finish(ctx, c, done, nil)
}

// retry keeps a session for another try while there are any. d.mu is held.
func (d *Directory) retry(name string, s session, code, message string) error {
	s.tries++
	if s.tries >= maxTOTPTries {
		return fail(code, message)
	}
	d.keep(name, s)
	return &Error{Code: code, Message: message, Session: name}
}

// AssociateTOTP begins to set up an authenticator app in a sign-in at
// MFA_SETUP. It returns the app's secret and the session that
// [Directory.VerifyTOTP] takes.
func (d *Directory) AssociateTOTP(name string) (secret, next string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, _, err := d.take(nil, name, MFASetup)
	if err != nil {
		return "", "", err
	}
	s.secret, s.proved = newTOTPSecret(), false
	next = opaque()
	d.keep(next, s)
	return s.secret, next, nil
}

// VerifyTOTP takes the first code of the app. It returns the session that
// [Directory.AnswerMFASetup] takes.
func (d *Directory) VerifyTOTP(name, code string) (next string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, u, err := d.take(nil, name, MFASetup)
	if err != nil {
		return "", err
	}
	step := int64(0)
	if s.secret != "" {
		step = d.totpStep(s.secret, code, 0)
	}
	if step == 0 {
		return "", d.retry(name, s, "EnableSoftwareTokenMFAException", "Code mismatch")
	}
	s.proved, s.tries = true, 0
	u.totpStep = step
	next = opaque()
	d.keep(next, s)
	return next, nil
}

// AnswerMFASetup goes on with a sign-in whose app has proved itself.
func (d *Directory) AnswerMFASetup(ctx context.Context, c *Client, name string, metadata map[string]string) (*Step, error) {
	d.mu.Lock()
	s, u, err := d.take(c, name, MFASetup)
	if err == nil && !s.proved {
		err = fail("SoftwareTokenMFANotFoundException", "Software token MFA has not been set up for the user")
	}
	if err != nil {
		d.mu.Unlock()
		return nil, err
	}
	u.totpSecret, u.totpRequired = s.secret, true
	d.change(u)
	if metadata == nil {
		metadata = s.metadata
	}
	done := &Step{User: d.user(u), Source: s.source, Metadata: metadata}
	d.mu.Unlock()
	return d.finish(ctx, c, done, nil)
}

// AssociateCallerTOTP begins to set up an app for a user who is signed in.
func (d *Directory) AssociateCallerTOTP(c *Caller) (secret string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	switch {
	case u == nil:
		return "", invalidAccessToken()
	case d.pool.MFA == "OFF" || d.pool.MFA == "" || !d.pool.SoftwareTokenMFA:
		return "", fail("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
	}
	u.totpPending = newTOTPSecret()
	return u.totpPending, nil
}

// VerifyCallerTOTP takes the first code of that app. It is asked for from now on
// where the pool asks everybody, else once the user prefers it.
func (d *Directory) VerifyCallerTOTP(c *Caller, code string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	if u == nil {
		return invalidAccessToken()
	}
	if d.locked(u.subject) {
		return attemptsExceeded()
	}
	step := int64(0)
	if u.totpPending != "" {
		step = d.totpStep(u.totpPending, code, 0)
	}
	if step == 0 {
		d.failed(u.subject)
		return fail("EnableSoftwareTokenMFAException", "Code mismatch")
	}
	u.totpSecret, u.totpPending, u.totpStep = u.totpPending, "", step
	u.totpRequired = u.totpRequired || d.pool.MFA == "ON"
	d.change(u)
	return nil
}

// PreferTOTP says whether a user's app is asked for.
func (d *Directory) PreferTOTP(c *Caller, on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	switch {
	case u == nil:
		return invalidAccessToken()
	case on && u.totpSecret == "":
		return fail(InvalidParameter, "User has not verified software token mfa")
	case !on && d.pool.MFA == "ON":
		return fail(InvalidParameter, "User pool requires MFA")
	}
	u.totpRequired = on
	d.change(u)
	return nil
}
