package authn

import (
	"context"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"strings"
)

// KeySource finds the public key for a key id, a string that anyone may have
// chosen: look it up, never build a path, a query or an address from it. It
// returns a key or an error, never neither.
type KeySource interface {
	Key(ctx context.Context, kid string) (*rsa.PublicKey, error)
}

// KeySet is a fixed [KeySource], by key id.
type KeySet map[string]*rsa.PublicKey

var _ KeySource = KeySet(nil)

// Key returns the key called kid, or an error if there is none.
func (s KeySet) Key(_ context.Context, kid string) (*rsa.PublicKey, error) {
	if key := s[kid]; key != nil {
		return key, nil
	}
	return nil, errors.New("authn: no such key")
}

// MaxJWKSBytes bounds a JWK Set. Cognito's holds two keys in about 1 KB.
const MaxJWKSBytes = 64 << 10

// MinKeyBits and MaxKeyBits bound a modulus. Cognito's has 2,048 bits. Fewer
// are too weak (RFC 7518 section 3.3); each doubling costs four times the work
// for every token, and a set's author should not choose that.
const (
	MinKeyBits = 2048
	MaxKeyBits = 4096
	// maxExponent is the greatest that crypto/rsa takes.
	maxExponent = 1<<31 - 1
)

// ParseJWKS reads a JWK Set (RFC 7517). It fails if data is above
// [MaxJWKSBytes] or is not strict JSON with a list of keys.
//
// Keys that are of no use here are left out, so a set may come out empty: not
// RSA; use, alg or key_ops for something else than RS256 signatures; a modulus
// below 2,048 or above 4,096 bits; an exponent that is even, 1 or above
// 2^31-1; a private key, which everybody can read there; a key with the ROCA
// weakness; a kid that no token may carry. Keys that share a kid are all left
// out: which of them is meant is anybody's guess.
func ParseJWKS(data []byte) (KeySet, error) {
	if len(data) > MaxJWKSBytes {
		return nil, errors.New("authn: JWK Set is larger than 64 KiB")
	}
	set, ok := parseObject(string(data), nil)
	elements, isList := parseArray(set.get("keys"))
	if !ok || !isList {
		return nil, errors.New("authn: JWK Set is not a JSON object with a list of keys")
	}
	keys := make(KeySet)
	seen := make(map[string]bool)
	for _, element := range elements {
		if element.kind != '{' {
			continue
		}
		jwk, _ := parseObject(element.text, nil)
		kid := jwk.str("kid")
		key := readKey(&jwk)
		switch {
		case seen[kid]:
			delete(keys, kid)
		case key != nil && usableKeyID(kid):
			keys[kid] = key
		}
		seen[kid] = true
	}
	return keys, nil
}

// readKey returns the key that jwk holds, nil if it is of no use.
func readKey(jwk *object) *rsa.PublicKey {
	either := func(name string, allowed ...value) bool { return slices.Contains(allowed, jwk.get(name)) }
	operations := jwk.strings("key_ops")
	if !either("kty", value{'"', "RSA"}) || !either("d", value{}) ||
		!either("use", value{}, value{'"', "sig"}) || !either("alg", value{}, value{'"', "RS256"}) ||
		operations != nil && !slices.Contains(operations, "verify") {
		return nil
	}
	n, nOK := readInteger(jwk.str("n"), MaxKeyBits/8)
	e, eOK := readInteger(jwk.str("e"), 4)
	if jwk.wrongType || !nOK || !eOK {
		return nil
	}
	key := &rsa.PublicKey{N: n, E: int(e.Int64())}
	if !usableKey(key) || hasROCA(n) {
		return nil
	}
	return key
}

// readInteger reads a Base64urlUInt (RFC 7518 section 2), which has no leading
// zero.
func readInteger(encoded string, limit int) (*big.Int, bool) {
	b, ok := decodeSegment([]byte(encoded), limit)
	if !ok || len(b) == 0 || b[0] == 0 {
		return nil, false
	}
	return new(big.Int).SetBytes(b), true
}

// usableKeyID reports whether kid is one to [MaxKeyIDBytes] characters of
// base64, base64url or their padding. Cognito's are 32 bytes in base64.
func usableKeyID(kid string) bool {
	return kid != "" && len(kid) <= MaxKeyIDBytes && !strings.ContainsFunc(kid, notInKeyID)
}

func notInKeyID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("+/-_=", r)
}

func usableKey(key *rsa.PublicKey) bool {
	return key != nil && key.N != nil && key.N.Bit(0) == 1 &&
		key.N.BitLen() >= MinKeyBits && key.N.BitLen() <= MaxKeyBits &&
		key.E > 1 && key.E&1 == 1 && key.E <= maxExponent
}

// hasROCA reports whether n shows the weakness CVE-2017-15361 ("The Return of
// Coppersmith's Attack", 2017): the primes of such keys, and so n, are powers
// of 65537 modulo every small prime. A sound key passes for one with a chance
// below one in a hundred million.
func hasROCA(n *big.Int) bool {
	for _, prime := range []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		rest := new(big.Int).Mod(n, big.NewInt(prime)).Int64()
		power := int64(1)
		for range prime {
			if power == rest {
				break
			}
			power = power * 65537 % prime
		}
		if power != rest {
			return false
		}
	}
	return true
}
