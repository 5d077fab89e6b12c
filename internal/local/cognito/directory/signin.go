package directory

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Bounds of failed sign-ins ("Lockout behavior for failed sign-in attempts",
// Amazon Cognito developer guide): after five, a second, doubled by each
// further one, up to about a quarter of an hour. It is forgotten a quarter of an
// hour after the last one.
const (
	freeFailures = 5
	maxLockout   = 15 * time.Minute
	maxFailures  = 10_000 // users whose failures are counted
)

// failure counts the failed sign-ins of a user, or of a name that nobody has.
type failure struct {
	count  int
	last   time.Time
	locked time.Time // until when
}

func wrongPassword() error { return fail(NotAuthorized, "Incorrect username or password.") }

func attemptsExceeded() error { return fail(NotAuthorized, AttemptsExceeded) }

// notFound is what is said of a name that nobody has: as the client wants it,
// the same as of a wrong password.
func (c *Client) notFound() error {
	if c.HidesUsers {
		return wrongPassword()
	}
	return fail(UserNotFound, "User does not exist.")
}

// locked reports whether sign-ins for key are refused for now. d.mu is held.
func (d *Directory) locked(key string) bool {
	f := d.failures[key]
	return f != nil && d.now().Before(f.locked)
}

// failed counts a failed sign-in. d.mu is held.
func (d *Directory) failed(key string) {
	now := d.now()
	f := d.failures[key]
	if f == nil || now.Sub(f.last) >= maxLockout && now.Sub(f.locked) >= maxLockout {
		if len(d.failures) >= maxFailures {
			d.forgetFailures()
		}
		f = &failure{}
		d.failures[key] = f
	}
	f.count, f.last = f.count+1, now
	if over := f.count - freeFailures; over >= 0 {
		f.locked = now.Add(min(maxLockout, time.Second<<min(over, 10)))
	}
}

// forgetFailures makes room: for those that count no more, else for the oldest.
func (d *Directory) forgetFailures() {
	oldest, at := "", d.now()
	for key, f := range d.failures {
		if d.now().Sub(f.last) >= maxLockout {
			delete(d.failures, key)
		} else if !f.last.After(at) {
			oldest, at = key, f.last
		}
	}
	if len(d.failures) >= maxFailures {
		delete(d.failures, oldest)
	}
}

// attempt is a sign-in for a name, before it is known whether it is right.
type attempt struct {
	key      string // of failures
	username string
	subject  string // empty for a name that nobody has
	password *credential
	user     *User // nil for nobody
}

// begin looks up who signs in. A name that nobody has gets a decoy, so that it
// costs the same work. A name that is locked out is refused.
func (d *Directory) begin(c *Client, username string) (attempt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(username)
	a := attempt{key: "?" + d.fold(username), username: username}
	if u != nil {
		a = attempt{u.subject, u.username, u.subject, u.password, d.user(u)}
	}
	if d.locked(a.key) {
		return a, attemptsExceeded()
	}
	if u == nil && !c.HidesUsers {
		return a, c.notFound()
	}
	if a.password == nil {
		a.password = d.decoy(username)
	}
	return a, nil
}

// CheckPassword starts a sign-in with a password: the pages' and
// USER_PASSWORD_AUTH. Failures are counted, and lock a user out for a while.
func (d *Directory) CheckPassword(ctx context.Context, c *Client, username, password string, metadata map[string]string) (*Step, error) {
	a, err := d.begin(c, username)
	if err != nil {
		return nil, err
	}
	if err := d.preAuthentication(ctx, c, a, metadata); err != nil {
		return nil, err
	}
	right := a.password.proves(d.srp(), password)
	return d.settle(ctx, c, a, right, metadata)
}

// settle ends the part of a sign-in that proves the password. Whoever is locked
// out meanwhile, by tries at the same time, is not told whether this one was
// right.
func (d *Directory) settle(ctx context.Context, c *Client, a attempt, right bool, metadata map[string]string) (*Step, error) {
	d.mu.Lock()
	u := d.users[d.fold(a.username)]
	known := u != nil && a.subject != "" && u.subject == a.subject && u.password == a.password
	switch {
	case d.locked(a.key):
		d.mu.Unlock()
		return nil, attemptsExceeded()
	case !right || !known:
		d.failed(a.key)
		d.mu.Unlock()
		return nil, wrongPassword()
	}
	step, err := d.proceed(c, u, session{metadata: metadata, source: Authentication})
	if err == nil && step.Challenge != SoftwareTokenMFA {
		delete(d.failures, a.key) // else whoever has the password could try codes for ever
	}
	d.mu.Unlock()
	return d.finish(ctx, c, step, err)
}

// proceed says what comes after a right password. d.mu is held.
func (d *Directory) proceed(c *Client, u *account, s session) (*Step, error) {
	s.clientID, s.username, s.subject, s.password = c.ID, u.username, u.subject, u.password
	parameters := map[string]string{"USER_ID_FOR_SRP": u.username}
	switch {
	case !u.enabled:
		return nil, fail(NotAuthorized, "User is disabled.")
	case u.status == Unconfirmed:
		return nil, fail("UserNotConfirmedException", "User is not confirmed.")
	case u.status == ResetRequired:
		return nil, fail("PasswordResetRequiredException", "Password reset required for the user")
	case u.status == ForceChangePassword && !d.now().Before(u.temporary):
		return nil, fail(NotAuthorized, "Temporary password has expired and must be reset by an administrator.")
	case u.status == ForceChangePassword:
		s.challenge = NewPasswordRequired
		maps.Copy(parameters, d.newPasswordParameters(c, u))
	case d.pool.MFA != "OFF" && d.pool.MFA != "" && u.totpRequired:
		s.challenge = SoftwareTokenMFA
		parameters["FRIENDLY_DEVICE_NAME"] = ""
	case d.pool.MFA == "ON":
		s.challenge = MFASetup
		parameters["MFAS_CAN_SETUP"] = `["SOFTWARE_TOKEN_MFA"]`
	default:
		return &Step{User: d.user(u), Source: s.source, Metadata: s.metadata}, nil
	}
	return &Step{Challenge: s.challenge, Parameters: parameters, Session: d.put(c, s), Metadata: s.metadata}, nil
}

func (d *Directory) newPasswordParameters(c *Client, u *account) map[string]string {
	attributes := c.readable(u.attributes)
	delete(attributes, "sub")
	required := []string{}
	for _, name := range slices.Sorted(maps.Keys(d.schema)) {
		if d.schema[name].Required && name != "sub" && u.attributes[name] == "" {
			required = append(required, "userAttributes."+name)
		}
	}
	return map[string]string{"userAttributes": jsonText(attributes), "requiredAttributes": jsonText(required)}
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // texts always marshal
	}
	return string(b)
}

// finish tells the trigger of a sign-in that is through.
func (d *Directory) finish(ctx context.Context, c *Client, step *Step, err error) (*Step, error) {
	if err != nil || step.User == nil {
		return step, err
	}
	if err := d.postAuthentication(ctx, c, step.User, step.Metadata); err != nil {
		return nil, err
	}
	return step, nil
}

// StartSRP starts a sign-in that sends no password: USER_SRP_AUTH. The step is
// at PASSWORD_VERIFIER, for a name that nobody has as well where the client
// hides that.
func (d *Directory) StartSRP(ctx context.Context, c *Client, username, srpA string, metadata map[string]string) (*Step, error) {
	public, ok := readPublic(srpA)
	if !ok {
		return nil, fail(InvalidParameter, "Invalid SRP_A")
	}
	a, err := d.begin(c, username)
	if err != nil {
		return nil, err
	}
	if err := d.preAuthentication(ctx, c, a, metadata); err != nil {
		return nil, err
	}
	s := session{
		clientID: c.ID, username: a.username, subject: a.subject, password: a.password,
		challenge: PasswordVerifier, metadata: metadata, srp: beginSRP(public, a.password), asked: username,
	}
	d.mu.Lock()
	name := d.put(c, s)
	d.mu.Unlock()
	return &Step{Challenge: PasswordVerifier, Metadata: metadata, Parameters: map[string]string{
		"SALT": a.password.salt.Text(16), "SRP_B": s.srp.public.Text(16),
		"SECRET_BLOCK": base64.StdEncoding.EncodeToString([]byte(name)),
		"USERNAME":     a.password.identity, "USER_ID_FOR_SRP": a.password.identity,
	}}, nil
}

// SRPAnswer is what a client sends to PASSWORD_VERIFIER, all of it in base64 but
// the time and the name.
type SRPAnswer struct {
	Username, SecretBlock, Signature, Timestamp string
}

// VerifySRP goes on with a sign-in of [Directory.StartSRP].
func (d *Directory) VerifySRP(ctx context.Context, c *Client, answer SRPAnswer, metadata map[string]string) (*Step, error) {
	block, err := base64.StdEncoding.DecodeString(answer.SecretBlock)
	at, timeErr := time.Parse(srpTime, answer.Timestamp)
	if err != nil || timeErr != nil {
		return nil, fail(InvalidParameter, "PASSWORD_CLAIM_SECRET_BLOCK or TIMESTAMP is not well-formed")
	}
	d.mu.Lock()
	s, _, err := d.take(c, string(block), PasswordVerifier)
	d.mu.Unlock()
	if err != nil {
		return nil, wrongPassword()
	}
	key := s.subject
	if key == "" {
		key = "?" + d.fold(s.username)
	}
	want := s.srp.signature(d.srp(), s.password, block, answer.Timestamp)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(answer.Signature)) == 1 &&
		(d.fold(answer.Username) == d.fold(s.password.identity) || d.fold(answer.Username) == d.fold(s.asked)) && d.now().Sub(at).Abs() <= srpSkew
	if metadata == nil {
		metadata = s.metadata
	}
	return d.settle(ctx, c, attempt{key: key, username: s.username, subject: s.subject, password: s.password}, right, metadata)
}

// AnswerNewPassword goes on with a sign-in at NEW_PASSWORD_REQUIRED. A password
// that the policy refuses may be tried again with the same session.
func (d *Directory) AnswerNewPassword(ctx context.Context, c *Client, name, password string, attributes, metadata map[string]string) (*Step, error) {
	fresh := d.checkPolicy(password)
	d.mu.Lock()
	s, u, err := d.take(c, name, NewPasswordRequired)
	if err == nil && fresh == nil {
		fresh = cmpError(c.checkWrite(attributes), d.checkAttributes(attributes), d.checkCompleted(u, attributes))
	}
	if err == nil && fresh != nil {
		d.keep(name, s)
		err = again(fresh, name)
	}
	if err != nil {
		d.mu.Unlock()
		return nil, err
	}
	d.setAttributes(u, attributes)
	d.setPassword(u, d.newCredential(u.username, password), Confirmed)
	s.metadata, s.source = metadata, NewPasswordChallenge
	step, err := d.proceed(c, u, s)
	d.mu.Unlock()
	return d.finish(ctx, c, step, err)
}

// cmpError returns the first error.
func cmpError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// again lets an error's challenge be answered once more.
func again(err error, name string) error {
	if known, ok := err.(*Error); ok { //nolint:errorlint // made here, never wrapped
		return &Error{Code: known.Code, Message: known.Message, Session: name}
	}
	return err
}
