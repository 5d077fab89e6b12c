package authntest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Token is one that must be refused.
type Token struct {
	Name    string
	Text    string
	Reason  string // why, as an authn.Reason
	Lookups int    // of a key, before that shows
}

// Row is a row of the request path's survival list.
type Row struct {
	Name   string // "01_alg_none"
	Tokens []Token
}

// Reasons as package authn has them, which cannot be imported by what its own
// tests import.
const (
	reasonMalformed  = "malformed"
	reasonHeader     = "header"
	reasonAlgorithm  = "algorithm"
	reasonUnknownKey = "unknown key"
	reasonIssuer     = "issuer"
	reasonClaims     = "claims"
	reasonSignature  = "signature"
)

// Refused returns the tokens that are wrong in themselves at [Now], whatever
// the route, by the rows of the survival list. But for what their row is about
// they are genuine, signed with [Key].
func Refused(tb testing.TB) []Row {
	tb.Helper()
	return RefusedLike(tb, AccessPayload, Issuer)
}

// RefusedLike returns the same for another issuer's genuine access token, by its
// payload, which is changed as [AccessPayload] is for [Refused].
func RefusedLike(tb testing.TB, payload, issuer string) []Row {
	tb.Helper()
	f := newForger(tb, payload, issuer)
	return []Row{
		{"01_alg_none", f.noneTokens()},
		{"02_public_key_as_hmac_secret", f.hmacTokens()},
		{"03_other_algorithms", f.otherAlgorithmTokens()},
		{"04_duplicate_or_case_variant_alg", f.headerTokens(reasonMalformed,
			`"alg":"RS256","alg":"RS256"`, `"alg":"none","alg":"RS256"`, `"alg":"RS256","ALG":"none"`,
			`"Alg":"none","alg":"RS256"`, `"alg":"RS256","\u0061lg":"RS256"`, `"alg":"RS256","\u212aid":"x"`)},
		{"04_case_variant_alg_alone", f.headerTokens(reasonAlgorithm, `"ALG":"RS256"`, `"aLg":"RS256"`)},
		{"05_unknown_crit", f.headerTokens(reasonHeader,
			`"alg":"RS256","crit":["x"],"x":1`, `"alg":"RS256","crit":[]`, `"alg":"RS256","crit":null`,
			`"alg":"RS256","crit":["alg"]`, `"alg":"RS256","CRIT":["x"]`)},
		{"06_unencoded_payload", append(f.headerTokens(reasonHeader,
			`"alg":"RS256","b64":false`, `"alg":"RS256","b64":false,"crit":["b64"]`, `"alg":"RS256","b64":true`),
			Token{"raw payload", SignSegments(f, Encode(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"`+KeyID+`"}`)+"."+f.payload), reasonMalformed, 0})},
		{"09_strange_kid", f.kidTokens()},
		{"10_base64url_spelling", f.spellings()},
		{"11_other_serializations", f.serializations()},
		{"13_duplicate_claims", f.claimTokens(reasonMalformed,
			`"exp":`+f.expires, `"exp":9999999999`, `"iss":"`+f.issuer+`"`, `"EXP":9999999999`, `"Iss":"x"`,
			`"i\u0073s":"x"`, `"\u017fub":"x"`, `"ſub":"x"`, `"Token_Use":"id"`, `"x":{"a":1,"a":1}`, `"x":[{"a":1,"A":1}]`)},
		{"13_case_variant_exp_alone", f.expTokens(`"EXP":`+f.expires, `"Exp":`+f.expires, `"e\u0058p":`+f.expires)},
		{"14_strange_exp", f.expTokens(`"x":1`, `"exp":null`, `"exp":"`+f.expires+`"`, `"exp":1e300`, `"exp":-`+f.expires,
			`"exp":0`, `"exp":-0`, `"exp":`+f.expires+`.0`, `"exp":1.7000036e9`, `"exp":253402300800`, `"exp":99999999999999999999`,
			`"exp":true`, `"exp":[`+f.expires+`]`, `"exp":{}`)},
		{"14_broken_exp", f.claimTokens(reasonMalformed, `"x":01`, `"x":+1`, `"x":.5`, `"x":1.`, `"x":1e`, `"x":1e999`,
			`"x":0x10`, `"x":NaN`, `"x":Infinity`, `"x":-`, `"x":`, `"x":1_0`)},
		{"16_another_issuer", f.issuerTokens()},
		{"20_broken_json", f.brokenJSON()},
	}
}

// forger makes wrong tokens out of a right one.
type forger struct {
	testing.TB
	payload, issuer string
	expires         string // its exp
}

func newForger(tb testing.TB, payload, issuer string) forger {
	tb.Helper()
	match := regexp.MustCompile(`"exp":(\d+)`).FindStringSubmatch(payload)
	if match == nil || !strings.Contains(payload, `"`+issuer+`"`) {
		tb.Fatal("the payload has no exp, or another iss")
	}
	return forger{tb, payload, issuer, match[1]}
}

// headerTokens are genuinely signed tokens whose header holds members and the
// right kid.
func (f forger) headerTokens(want string, members ...string) []Token {
	f.Helper()
	var list []Token
	for _, text := range members {
		list = append(list, Token{text, Sign(f, "{"+text+`,"kid":"`+KeyID+`"}`, f.payload), want, 0})
	}
	return list
}

// claimTokens are genuinely signed tokens with a further claim.
func (f forger) claimTokens(want string, members ...string) []Token {
	f.Helper()
	var list []Token
	for _, text := range members {
		list = append(list, Token{text, Sign(f, AccessHeader, strings.TrimSuffix(f.payload, "}")+","+text+"}"), want, 0})
	}
	return list
}

// expTokens have member in place of exp.
func (f forger) expTokens(members ...string) []Token {
	f.Helper()
	var list []Token
	for _, text := range members {
		payload := strings.Replace(f.payload, `"exp":`+f.expires, text, 1)
		list = append(list, Token{text, Sign(f, AccessHeader, payload), reasonClaims, 0})
	}
	return list
}

func (f forger) noneTokens() []Token {
	f.Helper()
	var list []Token
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		token := Sign(f, fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, KeyID), f.payload)
		unsigned := token[:strings.LastIndex(token, ".")+1]
		list = append(list, Token{alg + " signed", token, reasonAlgorithm, 0}, Token{alg + " unsigned", unsigned, reasonAlgorithm, 0})
	}
	return list
}

func (f forger) hmacTokens() []Token {
	f.Helper()
	key := &Key(f).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		f.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	var list []Token
	for name, secret := range map[string][]byte{
		"PKIX": pkix, "PKCS1": pkcs1, "modulus": key.N.Bytes(),
		"PKIX PEM":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
	} {
		signed := Encode(`{"alg":"HS256","kid":"`+KeyID+`"}`) + "." + Encode(f.payload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		list = append(list, Token{name, signed + "." + Encode(string(mac.Sum(nil))), reasonAlgorithm, 0})
	}
	return list
}

func (f forger) otherAlgorithmTokens() []Token {
	f.Helper()
	header := func(alg string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, KeyID) }
	ps := Encode(header("PS256")) + "." + Encode(f.payload)
	digest := sha256.Sum256([]byte(ps))
	pss, err := rsa.SignPSS(rand.Reader, Key(f), crypto.SHA256, digest[:], nil)
	if err != nil {
		f.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	es := Encode(header("ES256")) + "." + Encode(f.payload)
	digest = sha256.Sum256([]byte(es))
	r, s, err := ecdsa.Sign(rand.Reader, ecKey, digest[:])
	if err != nil {
		f.Fatal(err)
	}
	list := []Token{
		{"genuine PS256", ps + "." + Encode(string(pss)), reasonAlgorithm, 0},
		{"genuine ES256", es + "." + Encode(string(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))), reasonAlgorithm, 0},
		{"PSS under RS256", strings.Replace(ps, Encode(header("PS256")), Encode(header("RS256")), 1) + "." + Encode(string(pss)), reasonSignature, 1},
	}
	for _, alg := range []string{"rs256", "Rs256", "RS256 ", " RS256", "RS384", "RS512", "EdDSA", "HS256", "RSA1_5", "RS256\x00"} {
		list = append(list, Token{alg, Sign(f, strings.ReplaceAll(header(alg), `\x00`, `\u0000`), f.payload), reasonAlgorithm, 0})
	}
	return list
}

func (f forger) kidTokens() []Token {
	f.Helper()
	var list []Token
	for _, kid := range []string{
		"../../../../dev/null", "..", "file:///dev/null", `..\\..\\x`, "%2e%2e%2f", "x' OR '1'='1", "x; DROP TABLE keys",
		"https://example.com/jwks.json", "", " ", KeyID + " ", `\u0000`, `a\nb`, "ключ", strings.Repeat("A", 129),
	} {
		token := Sign(f, `{"alg":"RS256","kid":"`+kid+`"}`, f.payload)
		list = append(list, Token{kid, token, reasonUnknownKey, 0})
	}
	huge := func(n int) string {
		return Sign(f, `{"alg":"RS256","kid":"`+strings.Repeat("A", n)+`"}`, f.payload)
	}
	return append(list,
		Token{"5 KB", huge(5 << 10), reasonMalformed, 0},
		Token{"10 KB", huge(10 << 10), reasonMalformed, 0},
		// Cognito's key ids hold slashes, so this one is looked up: in a map.
		Token{"absolute path", Sign(f, `{"alg":"RS256","kid":"/dev/null"}`, f.payload), reasonUnknownKey, 1},
	)
}

func (f forger) issuerTokens() []Token {
	f.Helper()
	var list []Token
	for _, iss := range []string{
		`"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0000"`, `["` + f.issuer + `"]`, `"` + f.issuer + `/"`,
		`"` + strings.ToUpper(f.issuer) + `"`, `"` + f.issuer[:len(f.issuer)-1] + `"`, `"` + f.issuer + `\u0000"`,
		`" ` + f.issuer + `"`, `"http` + f.issuer[5:] + `"`, `null`, `""`, `1`, `{"iss":"` + f.issuer + `"}`,
	} {
		payload := strings.Replace(f.payload, `"`+f.issuer+`"`, iss, 1)
		list = append(list, Token{iss, Sign(f, AccessHeader, payload), reasonIssuer, 0})
	}
	return append(list, Token{"none", Sign(f, AccessHeader, With(f.payload, "iss", "")), reasonIssuer, 0})
}

// EmbeddedKeys are tokens that another than [Key] has signed, who names their
// own key in every way that a header has, and an address where it may be had.
func EmbeddedKeys(tb testing.TB, address string) []Token {
	tb.Helper()
	return EmbeddedKeysLike(tb, AccessPayload, address)
}

// EmbeddedKeysLike returns the same with another payload.
func EmbeddedKeysLike(tb testing.TB, payload, address string) []Token {
	tb.Helper()
	attacker, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	jwk := JWK(KeyID, &attacker.PublicKey)
	var list []Token
	for _, parameter := range []string{
		`"jwk":` + jwk, `"jku":"` + address + `"`, `"x5u":"` + address + `"`, `"x5c":["MIIB"]`,
		`"x5t":"x"`, `"x5t#S256":"x"`, `"cty":"JWT"`, `"zip":"DEF"`, `"enc":"A128GCM"`, `"epk":{}`, `"url":"x"`, `"JWK":` + jwk,
	} {
		signed := Encode(`{"alg":"RS256","kid":"`+KeyID+`",`+parameter+"}") + "." + Encode(payload)
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(nil, attacker, crypto.SHA256, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, Token{parameter[:6], signed + "." + Encode(string(signature)), reasonHeader, 0})
	}
	return list
}
