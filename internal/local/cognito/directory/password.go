package directory

import (
	"crypto/subtle"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPassword bounds a password in characters ("PasswordPolicyType", Amazon
// Cognito API reference).
const maxPassword = 256

// credential proves a password without holding it: the SRP verifier, which
// stands for a salted hash as well, slow to guess against as it is.
type credential struct {
	identity string // USER_ID_FOR_SRP, part of what is hashed
	salt     *big.Int
	verifier *big.Int
}

func (d *Directory) newCredential(identity, password string) *credential {
	salt := new(big.Int).SetBytes(random(16))
	return &credential{identity, salt, d.srp().verifier(salt, identity, password)}
}

// proves reports whether it is the password's.
func (c *credential) proves(p srpPool, password string) bool {
	got := p.verifier(c.salt, c.identity, password)
	return subtle.ConstantTimeCompare(got.FillBytes(make([]byte, srpBytes)), c.verifier.FillBytes(make([]byte, srpBytes))) == 1
}

// symbols are what counts as one ("User pool password requirements", Amazon
// Cognito developer guide), beside a space that neither leads nor trails.
const symbols = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+="

// checkPolicy checks a new password.
func (d *Directory) checkPolicy(password string) error {
	policy := d.pool.PasswordPolicy
	has := func(is func(rune) bool) bool { return strings.ContainsFunc(password, is) }
	var lacks string
	switch {
	case utf8.RuneCountInString(password) < max(policy.MinLength, 1):
		lacks = "Password not long enough"
	case utf8.RuneCountInString(password) > maxPassword:
		lacks = "Password must not be longer than 256 characters"
	case strings.TrimSpace(password) != password:
		lacks = "Password must not begin or end with a space"
	case policy.Uppercase && !has(unicode.IsUpper):
		lacks = "Password must have uppercase characters"
	case policy.Lowercase && !has(unicode.IsLower):
		lacks = "Password must have lowercase characters"
	case policy.Numbers && !has(func(r rune) bool { return '0' <= r && r <= '9' }):
		lacks = "Password must have numeric characters"
	case policy.Symbols && !has(func(r rune) bool { return r == ' ' || strings.ContainsRune(symbols, r) }):
		lacks = "Password must have symbol characters"
	default:
		return nil
	}
	return fail("InvalidPasswordException", "Password did not conform with policy: "+lacks)
}

// temporaryPassword returns a random password that every policy takes.
func temporaryPassword() string {
	const tail = "aA1-"
	return opaque()[:16] + tail
}

// setPassword replaces a password, and with it every sign-in that is under way.
// d.mu is held.
func (d *Directory) setPassword(u *account, c *credential, status string) {
	u.password, u.status = c, status
	delete(u.codes, purposeReset)
	delete(d.failures, u.subject)
	d.change(u)
}
