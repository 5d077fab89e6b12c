package directory

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// What a code is for, and the Kind of its message.
const (
	purposeSignUp       = "sign-up"
	purposeReset        = "password reset"
	purposeInvitation   = "temporary password"
	purposeVerification = "verification of " // and an attribute
)

const (
	// maxTries bounds the guesses at one code, maxSent the codes of a kind that a
	// user is sent in an hour. "Recovering user accounts", Amazon Cognito developer
	// guide, has 5 to 20 attempts in an hour for resets; other codes have no numbers.
	maxTries = 5
	maxSent  = 5
)

// codeLifetime is how long a code works ("Quotas in Amazon Cognito": code
// validity).
func codeLifetime(purpose string) time.Duration {
	if purpose == purposeReset {
		return time.Hour
	}
	return 24 * time.Hour
}

// code is one that was sent, and how often.
type code struct {
	hash      []byte // nil once it is used
	attribute string // where it went
	value     string // what the attribute was
	expires   time.Time
	tries     int
	sent      []time.Time // in the last hour
}

func limitExceeded() error {
	return fail("LimitExceededException", "Attempt limit exceeded, please try after some time.")
}

// newCode makes a code, which replaces the one before. d.mu is held; the message
// is for [Directory.deliver], without it.
func (d *Directory) newCode(u *account, purpose, attribute string) (Message, error) {
	now := d.now()
	c := u.codes[purpose]
	if c == nil {
		c = &code{}
		u.codes[purpose] = c
	}
	c.sent = slices.DeleteFunc(c.sent, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	if len(c.sent) >= maxSent {
		return Message{}, limitExceeded()
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails
	digits := fmt.Sprintf("%06d", n)
	c.hash, c.attribute, c.value, c.expires, c.tries = d.codeHash(digits), attribute, u.attributes[attribute], now.Add(codeLifetime(purpose)), 0
	c.sent = append(c.sent, now)
	return Message{Pool: d.pool.Name, Username: u.username, Destination: c.value, Kind: purpose, Code: digits}, nil
}

func (d *Directory) codeHash(digits string) []byte {
	mac := hmac.New(sha256.New, d.seed)
	mac.Write([]byte(digits))
	return mac.Sum(nil)
}

// useCode uses a code up, or counts a guess. d.mu is held.
func (d *Directory) useCode(u *account, purpose, digits string) (*code, error) {
	c := u.codes[purpose]
	switch {
	case c == nil || c.hash == nil || !d.now().Before(c.expires):
		return nil, expiredCode()
	case c.tries >= maxTries:
		return nil, limitExceeded()
	case !hmac.Equal(c.hash, d.codeHash(digits)):
		c.tries++
		return nil, codeMismatch()
	}
	c.hash = nil
	return c, nil
}

// ghost is the account of a name that nobody has, or none that a code could be
// for. Codes are made and guessed for it as for any other, and sent to nobody, so
// that limits do not tell who is there. d.mu is held.
func (d *Directory) ghost(name string) *account {
	g := d.ghosts[d.fold(name)]
	if g == nil {
		if len(d.ghosts) >= maxFailures {
			clear(d.ghosts)
		}
		g = &account{codes: map[string]*code{}}
		d.ghosts[d.fold(name)] = g
	}
	return g
}

// guess refuses a code for such a name. d.mu is held.
func (d *Directory) guess(name, purpose, digits string) error {
	g := d.ghost(name)
	if g.codes[purpose] == nil {
		if _, err := d.newCode(g, purpose, ""); err != nil {
			return err
		}
	}
	if _, err := d.useCode(g, purpose, digits); err != nil {
		return err
	}
	return codeMismatch()
}

func expiredCode() error {
	return fail("ExpiredCodeException", "Invalid code provided, please request a code again.")
}

func codeMismatch() error {
	return fail("CodeMismatchException", "Invalid verification code provided, please try again.")
}

// deliver hands a message over and says where it went.
func (d *Directory) deliver(m Message, attribute string) *Delivery {
	d.config.Deliver(m)
	return delivery(attribute, m.Destination)
}

// delivery masks a destination as Cognito does: "a***@e***", "+*******1212".
func delivery(attribute, destination string) *Delivery {
	if attribute == "phone_number" {
		shown := max(len(destination)-4, 0)
		return &Delivery{"+" + strings.Repeat("*", max(shown-1, 0)) + destination[shown:], "SMS", attribute}
	}
	name, host, _ := strings.Cut(destination, "@")
	first := func(s string) string {
		for _, r := range s {
			return string(r)
		}
		return ""
	}
	return &Delivery{first(name) + "***@" + first(host) + "***", "EMAIL", attribute}
}

// decoyDelivery is where a code would go for somebody who is not known.
func (d *Directory) decoyDelivery(name string) *Delivery {
	if phoneNumber.MatchString(name) {
		return delivery("phone_number", name)
	}
	if isEmail(name) {
		return delivery("email", name)
	}
	letters := d.codeHash("destination " + d.fold(name))
	letter := func(i int) string { return string(rune('a' + letters[i]%26)) }
	return delivery("email", letter(0)+"@"+letter(1))
}

func uuidOf(b []byte) string {
	id, err := uuid.FromBytes(b)
	if err != nil {
		return "" // not for 16 bytes
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562 version 4
	return id.String()
}
