package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
)

// This file is what a customer's static credential looks like:
//
//	gw_dev_Q7pk2mXtWc0aR9zL4e_5yTq…43 characters…b0K1xZ2
//	│  │   │           │      │                    └ 6: CRC-32 of all before it
//	│  │   │           │      └ 43: the secret, over 256 random bits
//	│  │   │           └ 6: which of the customer's keys
//	│  │   └ 12: which customer
//	│  └ the stage that it is good for
//	└ prefix, for people and for scanners of leaked secrets
//
// All but the two words in front is in base62, which survives URLs, shells,
// double clicks and HTTP Basic. As Basic the user is what stands before the last
// underscore, and the password what stands behind it.

// Lengths of a key's parts, in characters.
const (
	CustomerIDLength = 12
	KeyIDLength      = 6
	secretLength     = 43 // 62^43 > 2^256
	checkLength      = 6  // 62^6 > 2^32

	maxWordLength = 16                                                                  // of prefix and tag
	minKeyLength  = 3 + CustomerIDLength + KeyIDLength + 1 + secretLength + checkLength // without the prefix
	maxKeyLength  = 2*(maxWordLength+1) + CustomerIDLength + KeyIDLength + 1 + secretLength + checkLength
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// KeyFormat says which keys are a stage's own.
type KeyFormat struct {
	Prefix string // "gw": 1 to 16 lower-case letters and digits, a letter first
	Tag    string // of the stage, "dev": 1 to 16 letters and digits
}

// Validate says what is wrong with a format.
func (f KeyFormat) Validate() error {
	var problems []error
	if len(f.Prefix) > maxWordLength || f.Prefix == "" || f.Prefix[0] < 'a' || strings.Trim(f.Prefix, base62[:10]+base62[36:]) != "" {
		problems = append(problems, fmt.Errorf("key prefix %q; 1 to %d lower-case letters and digits, a letter first", f.Prefix, maxWordLength))
	}
	if len(f.Tag) > maxWordLength || f.Tag == "" || !isBase62(f.Tag) {
		problems = append(problems, fmt.Errorf("stage tag %q; 1 to %d letters and digits", f.Tag, maxWordLength))
	}
	return errors.Join(problems...)
}

// Pattern is a regular expression (RE2) that finds keys of the prefix, of every
// stage, for scanners of leaked secrets.
func (f KeyFormat) Pattern() string {
	return fmt.Sprintf(`\b%s_[0-9A-Za-z]{1,%d}_[0-9A-Za-z]{%d}_[0-9A-Za-z]{%d}\b`,
		regexp.QuoteMeta(f.Prefix), maxWordLength, CustomerIDLength+KeyIDLength, secretLength+checkLength)
}

// Resembles reports whether a text begins as a key does and is as long as one: what
// has no place in an address, whatever its checksum says.
func (f KeyFormat) Resembles(text []byte) bool {
	n := len(f.Prefix)
	return n > 0 && len(text) >= n+minKeyLength && string(text[:n]) == f.Prefix && text[n] == '_'
}

// Digest is what is kept of a key: SHA-256 of its whole text. A slow hash would
// add nothing, as nobody guesses 256 random bits.
type Digest = [sha256.Size]byte

// NewKey is a key that was just made. Only its Digest is ever kept.
type NewKey struct {
	Text   string // the whole key
	ID     string
	Digest Digest
}

// BasicUser and BasicPassword are the key as HTTP Basic has it.
func (k NewKey) BasicUser() string { return k.Text[:strings.LastIndexByte(k.Text, '_')] }

// BasicPassword is the secret of the key.
func (k NewKey) BasicPassword() string { return k.Text[strings.LastIndexByte(k.Text, '_')+1:] }

// NewKey makes a key for a customer. The format must be valid, and the customer's
// id one of [NewCustomerID]'s.
func (f KeyFormat) NewKey(customerID string) NewKey {
	id := randomBase62(KeyIDLength)
	text := f.Prefix + "_" + f.Tag + "_" + customerID + id + "_" + randomBase62(secretLength)
	text += checksum(text)
	return NewKey{Text: text, ID: id, Digest: sha256.Sum256([]byte(text))}
}

// NewCustomerID makes an id for a customer.
func NewCustomerID() string { return randomBase62(CustomerIDLength) }

// ValidCustomerID reports whether an id could be one of [NewCustomerID]'s.
func ValidCustomerID(id string) bool { return len(id) == CustomerIDLength && isBase62(id) }

// sentKey is a key that somebody sent, of the right form and stage. Nobody knows
// yet whether it exists.
type sentKey struct {
	customerID, keyID string
	digest            Digest
}

// parse reads a key, without any look-up. What is of another stage is refused
// only after it has proven to be a key at all.
func (f KeyFormat) parse(text string) (sentKey, Reason) {
	if len(text) > maxKeyLength || len(text) < checkLength {
		return sentKey{}, ReasonKeyForm
	}
	front, check := text[:len(text)-checkLength], text[len(text)-checkLength:]
	prefix, rest, _ := strings.Cut(front, "_")
	tag, rest, _ := strings.Cut(rest, "_")
	ids, secret, _ := strings.Cut(rest, "_")
	if prefix != f.Prefix || tag == "" || len(tag) > maxWordLength || len(ids) != CustomerIDLength+KeyIDLength || len(secret) != secretLength ||
		!isBase62(tag) || !isBase62(ids) || !isBase62(secret) || check != checksum(front) {
		return sentKey{}, ReasonKeyForm
	}
	if tag != f.Tag {
		return sentKey{}, ReasonStage
	}
	return sentKey{ids[:CustomerIDLength], ids[CustomerIDLength:], sha256.Sum256([]byte(text))}, ""
}

// checksum tells a key that was cut short or mistyped from one that is unknown.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [checkLength]byte
	for i := range digits {
		digits[checkLength-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

func isBase62(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// randomBase62 draws n characters, each of the 62 alike likely.
func randomBase62(n int) string {
	text := make([]byte, 0, n)
	var random [64]byte
	for {
		_, _ = rand.Read(random[:]) // never fails
		for _, b := range random {
			if b >= 4*62 { // the rest would favour some
				continue
			}
			if text = append(text, base62[b%62]); len(text) == n {
				return string(text)
			}
		}
	}
}
