package directory_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// rfc5054 is the group of 3,072 bits as RFC 5054 appendix A prints it.
const rfc5054 = `FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
15728E5A 8AAAC42D AD33170D 04507A33 A85521AB DF1CBA64 ECFB8504 58DBEF0A 8AEA7157 5D060C7D B3970F85 A6E1E4C7
ABF5AE8C DB0933D7 1E8C94E0 4A25619D CEE3D226 1AD2EE6B F12FFA06 D98A0864 D8760273 3EC86A64 521F2B18 177B200C
BBE11757 7A615D6C 770988C0 BAD946E2 08E24FA0 74E5AB31 43DB5BFC E0FD108E 4B82D120 A93AD2CA FFFFFFFF FFFFFFFF`

// browser computes the client's side of Cognito's SRP with hex strings, as the
// SDKs for browsers do, and with nothing of the package.
type browser struct {
	pool, password string
	n, a, public   *big.Int
}

func newBrowser(password string) *browser {
	n, _ := new(big.Int).SetString(strings.Join(strings.Fields(rfc5054), ""), 16)
	a := new(big.Int).SetBytes([]byte(strings.Repeat("\x5a\x01", 64)))
	return &browser{"Pool12345", password, n, a, new(big.Int).Exp(big.NewInt(2), a, n)}
}

// padHex returns an even number of hex digits whose first bit is not set.
func padHex(n *big.Int) string {
	text := n.Text(16)
	if len(text)%2 == 1 {
		return "0" + text
	}
	if strings.Contains("89abcdef", text[:1]) {
		return "00" + text
	}
	return text
}

func hashHex(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func number(text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 16)
	if !ok {
		panic("not hex")
	}
	return n
}

// answer is what the client sends to PASSWORD_VERIFIER.
func (b *browser) answer(parameters map[string]string, at time.Time) directory.SRPAnswer {
	public, salt, identity := number(parameters["SRP_B"]), number(parameters["SALT"]), parameters["USER_ID_FOR_SRP"]
	u := number(hashHex(padHex(b.public) + padHex(public)))
	inner := sha256.Sum256([]byte(b.pool + identity + ":" + b.password))
	x := number(hashHex(padHex(salt) + hex.EncodeToString(inner[:])))
	k := number(hashHex(padHex(b.n) + "02"))
	base := new(big.Int).Sub(public, new(big.Int).Mul(k, new(big.Int).Exp(big.NewInt(2), x, b.n)))
	s := new(big.Int).Exp(base.Mod(base, b.n), new(big.Int).Add(b.a, new(big.Int).Mul(u, x)), b.n)

	mac := func(key []byte, parts ...string) []byte {
		h := hmac.New(sha256.New, key)
		for _, part := range parts {
			h.Write([]byte(part))
		}
		return h.Sum(nil)
	}
	bytesOf := func(n *big.Int) []byte { out, _ := hex.DecodeString(padHex(n)); return out }
	derived := mac(mac(bytesOf(u), string(bytesOf(s))), "Caldera Derived Key", "\x01")[:16]
	block, _ := base64.StdEncoding.DecodeString(parameters["SECRET_BLOCK"])
	stamp := at.UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	return directory.SRPAnswer{
		Username: identity, SecretBlock: parameters["SECRET_BLOCK"], Timestamp: stamp,
		Signature: base64.StdEncoding.EncodeToString(mac(derived, b.pool, identity, string(block), stamp)),
	}
}

func TestSRP(t *testing.T) {
	t.Parallel()
	const wrong = "NotAuthorizedException: Incorrect username or password."
	tests := map[string]struct {
		username, password string
		skew               time.Duration
		change             func(*directory.SRPAnswer)
		want               string
	}{
		"right":             {username: ann, password: password},
		"other case":        {username: "ANN@example.com", password: password},
		"wrong password":    {username: ann, password: "Wrong-Horse-1", want: wrong},
		"nobody":            {username: "bob@example.com", password: password, want: wrong},
		"a clock that lags": {username: ann, password: password, skew: -10 * time.Minute, want: wrong},
		"another's name":    {username: ann, password: password, change: func(a *directory.SRPAnswer) { a.Username = "bob@example.com" }, want: wrong},
		"no block":          {username: ann, password: password, change: func(a *directory.SRPAnswer) { a.SecretBlock = "AAAA" }, want: wrong},
		"no signature":      {username: ann, password: password, change: func(a *directory.SRPAnswer) { a.Signature = "" }, want: wrong},
		"a time of day": {username: ann, password: password, change: func(a *directory.SRPAnswer) { a.Timestamp = "12:00" },
			want: "InvalidParameterException: PASSWORD_CLAIM_SECRET_BLOCK or TIMESTAMP is not well-formed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.addAnn(t)
			b := newBrowser(tt.password)
			step, err := w.StartSRP(t.Context(), w.website, tt.username, b.public.Text(16), nil)
			if err != nil || step.Challenge != directory.PasswordVerifier || step.Session != "" {
				t.Fatalf("start: %+v, %v", step, err)
			}
			answer := b.answer(step.Parameters, start.Add(tt.skew))
			if tt.change != nil {
				tt.change(&answer)
			}
			done, err := w.VerifySRP(t.Context(), w.website, answer, nil)
			wantError(t, "verify", err, tt.want)
			if tt.want == "" && (done.User == nil || done.User.Attributes["email"] != ann) {
				t.Errorf("signed in: %+v", done)
			}
			if _, err := w.VerifySRP(t.Context(), w.website, answer, nil); err == nil {
				t.Error("the secret block worked twice")
			}
		})
	}
}

// A public value that is a multiple of N makes every key the same.
func TestSRPPublicValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	n := newBrowser("").n
	for name, value := range map[string]string{
		"zero": "0", "N": n.Text(16), "2N": new(big.Int).Lsh(n, 1).Text(16), "no hex": "xyz", "empty": "", "long": strings.Repeat("a", 2000),
	} {
		_, err := w.StartSRP(t.Context(), w.website, ann, value, nil)
		wantError(t, name, err, "InvalidParameterException: Invalid SRP_A")
	}
}

// Whoever is not there gets the same salt each time, of the same form as
// anybody's.
func TestSRPHidesUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAnn(t)
	ask := func(c *directory.Client, username string) (map[string]string, error) {
		step, err := w.StartSRP(t.Context(), c, username, newBrowser("").public.Text(16), nil)
		if err != nil {
			return nil, err
		}
		return step.Parameters, nil
	}
	nobody, err := ask(w.website, "bob@example.com")
	again, err2 := ask(w.website, "BOB@example.com")
	other, err3 := ask(w.website, "eve@example.com")
	known, err4 := ask(w.website, ann)
	if err != nil || err2 != nil || err3 != nil || err4 != nil {
		t.Fatal(err, err2, err3, err4)
	}
	if nobody["SALT"] != again["SALT"] || nobody["USER_ID_FOR_SRP"] != again["USER_ID_FOR_SRP"] || nobody["SALT"] == other["SALT"] {
		t.Error("the salts tell who is there")
	}
	if len(nobody["USER_ID_FOR_SRP"]) != len(known["USER_ID_FOR_SRP"]) || len(nobody) != len(known) {
		t.Error("the parameters tell who is there")
	}
	_, err = ask(w.server, "bob@example.com")
	wantError(t, "a client that shows it", err, "UserNotFoundException: User does not exist.")
}
