package directory

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// The group of 3,072 bits of RFC 5054 appendix A, with g = 2, as Cognito's
// SRP-6a has it.
const (
	srpBytes   = 384
	srpModulus = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
		"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
		"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
		"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
		"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
		"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

	// srpInfo is the label of the key that signs a claim.
	srpInfo = "Caldera Derived Key"

	// srpTime is TIMESTAMP, always in UTC and in English.
	srpTime = "Mon Jan 2 15:04:05 UTC 2006"

	// srpSkew is how far TIMESTAMP may be off.
	srpSkew = 5 * time.Minute
)

var (
	srpN, _ = new(big.Int).SetString(srpModulus, 16)
	srpG    = big.NewInt(2)
	srpK    = hashNumber(padded(srpN), padded(srpG))
)

// padded returns a number's bytes as Cognito hashes them: never with the first
// bit set, as if they were signed.
func padded(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		return append([]byte{0}, b...)
	}
	return b
}

func hashNumber(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

// srpPool is the part of the pool's id behind the underscore, which takes part
// in every hash of a user.
type srpPool string

func (d *Directory) srp() srpPool {
	_, name, _ := strings.Cut(d.pool.ID, "_")
	return srpPool(name)
}

// verifier is v = g^x, with x = H(salt | H(pool | identity | ":" | password)).
func (p srpPool) verifier(salt *big.Int, identity, password string) *big.Int {
	inner := sha256.Sum256([]byte(string(p) + identity + ":" + password))
	return new(big.Int).Exp(srpG, hashNumber(padded(salt), inner[:]), srpN)
}

// srpSession is a server's side of one sign-in: what has to be remembered
// between its two requests.
type srpSession struct {
	a, b, public *big.Int // A of the client; b and B of ours
}

// readPublic reads SRP_A. A multiple of N would make everybody's key zero (RFC
// 5054 section 2.5.4).
func readPublic(text string) (*big.Int, bool) {
	if len(text) > 2*srpBytes+2 {
		return nil, false
	}
	b, err := hex.DecodeString(strings.Repeat("0", len(text)%2) + text)
	if err != nil {
		return nil, false
	}
	a := new(big.Int).SetBytes(b)
	return a, new(big.Int).Mod(a, srpN).Sign() != 0
}

// beginSRP answers A with B = kv + g^b for a credential.
func beginSRP(a *big.Int, c *credential) srpSession {
	b := new(big.Int).SetBytes(random(32))
	public := new(big.Int).Mul(srpK, c.verifier)
	public.Add(public, new(big.Int).Exp(srpG, b, srpN)).Mod(public, srpN)
	return srpSession{a, b, public}
}

// signature is what a client sends that knows the password: an HMAC with the
// key that both sides derive from S = (A v^u)^b.
func (s srpSession) signature(p srpPool, c *credential, block []byte, timestamp string) string {
	u := hashNumber(padded(s.a), padded(s.public))
	shared := new(big.Int).Exp(c.verifier, u, srpN)
	shared.Mul(shared, s.a).Exp(shared, s.b, srpN)
	key, err := hkdf.Key(sha256.New, padded(shared), padded(u), srpInfo, 16)
	if err != nil {
		return "" // not for 16 bytes; and it is never equal to one
	}
	mac := hmac.New(sha256.New, key)
	for _, part := range [][]byte{[]byte(string(p) + c.identity), block, []byte(timestamp)} {
		mac.Write(part)
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// decoy is what an unknown user is shown: the same for the same name, of the
// same form as anybody's, and no password's.
func (d *Directory) decoy(name string) *credential {
	derive := func(what string, n int) []byte {
		mac := hmac.New(sha256.New, d.seed)
		mac.Write([]byte(what + "\x00" + d.fold(name)))
		return mac.Sum(nil)[:n]
	}
	identity := name
	if len(d.pool.UsernameAttributes) > 0 {
		identity = uuidOf(derive("identity", 16))
	}
	var verifier []byte
	for i := range srpBytes / sha256.Size {
		verifier = append(verifier, derive("verifier"+strconv.Itoa(i), sha256.Size)...)
	}
	return &credential{identity, new(big.Int).SetBytes(derive("salt", 16)), new(big.Int).Mod(new(big.Int).SetBytes(verifier), srpN)}
}
