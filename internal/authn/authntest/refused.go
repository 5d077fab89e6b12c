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
	return []Row{
		{"01_alg_none", noneTokens(tb)},
		{"02_public_key_as_hmac_secret", hmacTokens(tb)},
		{"03_other_algorithms", otherAlgorithmTokens(tb)},
		{"04_duplicate_or_case_variant_alg", headerTokens(tb, reasonMalformed,
			`"alg":"RS256","alg":"RS256"`, `"alg":"none","alg":"RS256"`, `"alg":"RS256","ALG":"none"`,
			`"Alg":"none","alg":"RS256"`, `"alg":"RS256","\u0061lg":"RS256"`, `"alg":"RS256","\u212aid":"x"`)},
		{"04_case_variant_alg_alone", headerTokens(tb, reasonAlgorithm, `"ALG":"RS256"`, `"aLg":"RS256"`)},
		{"05_unknown_crit", headerTokens(tb, reasonHeader,
			`"alg":"RS256","crit":["x"],"x":1`, `"alg":"RS256","crit":[]`, `"alg":"RS256","crit":null`,
			`"alg":"RS256","crit":["alg"]`, `"alg":"RS256","CRIT":["x"]`)},
		{"06_unencoded_payload", append(headerTokens(tb, reasonHeader,
			`"alg":"RS256","b64":false`, `"alg":"RS256","b64":false,"crit":["b64"]`, `"alg":"RS256","b64":true`),
			Token{"raw payload", SignSegments(tb, Encode(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"`+KeyID+`"}`)+"."+AccessPayload), reasonMalformed, 0})},
		{"09_strange_kid", kidTokens(tb)},
		{"10_base64url_spelling", spellings(tb)},
		{"11_other_serializations", serializations(tb)},
		{"13_duplicate_claims", claimTokens(tb, reasonMalformed,
			`"exp":1700003600`, `"exp":9999999999`, `"iss":"`+Issuer+`"`, `"EXP":9999999999`, `"Iss":"x"`,
			`"i\u0073s":"x"`, `"\u017fub":"x"`, `"ſub":"x"`, `"Token_Use":"id"`, `"x":{"a":1,"a":1}`, `"x":[{"a":1,"A":1}]`)},
		{"13_case_variant_exp_alone", expTokens(tb, `"EXP":1700003600`, `"Exp":1700003600`, `"e\u0058p":1700003600`)},
		{"14_strange_exp", expTokens(tb, `"x":1`, `"exp":null`, `"exp":"1700003600"`, `"exp":1e300`, `"exp":-1700003600`,
			`"exp":0`, `"exp":-0`, `"exp":1700003600.0`, `"exp":1.7000036e9`, `"exp":253402300800`, `"exp":99999999999999999999`,
			`"exp":true`, `"exp":[1700003600]`, `"exp":{}`)},
		{"14_broken_exp", claimTokens(tb, reasonMalformed, `"x":01`, `"x":+1`, `"x":.5`, `"x":1.`, `"x":1e`, `"x":1e999`,
			`"x":0x10`, `"x":NaN`, `"x":Infinity`, `"x":-`, `"x":`, `"x":1_0`)},
		{"16_another_issuer", issuerTokens(tb)},
		{"20_broken_json", brokenJSON(tb)},
	}
}

// headerTokens are genuinely signed tokens whose header holds members and the
// right kid.
func headerTokens(tb testing.TB, want string, members ...string) []Token {
	tb.Helper()
	var list []Token
	for _, text := range members {
		list = append(list, Token{text, Sign(tb, "{"+text+`,"kid":"`+KeyID+`"}`, AccessPayload), want, 0})
	}
	return list
}

// claimTokens are genuinely signed tokens with a further claim.
func claimTokens(tb testing.TB, want string, members ...string) []Token {
	tb.Helper()
	var list []Token
	for _, text := range members {
		list = append(list, Token{text, Sign(tb, AccessHeader, strings.TrimSuffix(AccessPayload, "}")+","+text+"}"), want, 0})
	}
	return list
}

// expTokens have member in place of exp.
func expTokens(tb testing.TB, members ...string) []Token {
	tb.Helper()
	var list []Token
	for _, text := range members {
		payload := strings.Replace(AccessPayload, `"exp":1700003600`, text, 1)
		list = append(list, Token{text, Sign(tb, AccessHeader, payload), reasonClaims, 0})
	}
	return list
}

func noneTokens(tb testing.TB) []Token {
	tb.Helper()
	var list []Token
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		token := Sign(tb, fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, KeyID), AccessPayload)
		unsigned := token[:strings.LastIndex(token, ".")+1]
		list = append(list, Token{alg + " signed", token, reasonAlgorithm, 0}, Token{alg + " unsigned", unsigned, reasonAlgorithm, 0})
	}
	return list
}

func hmacTokens(tb testing.TB) []Token {
	tb.Helper()
	key := &Key(tb).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	var list []Token
	for name, secret := range map[string][]byte{
		"PKIX": pkix, "PKCS1": pkcs1, "modulus": key.N.Bytes(),
		"PKIX PEM":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
	} {
		signed := Encode(`{"alg":"HS256","kid":"`+KeyID+`"}`) + "." + Encode(AccessPayload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		list = append(list, Token{name, signed + "." + Encode(string(mac.Sum(nil))), reasonAlgorithm, 0})
	}
	return list
}

func otherAlgorithmTokens(tb testing.TB) []Token {
	tb.Helper()
	header := func(alg string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, KeyID) }
	ps := Encode(header("PS256")) + "." + Encode(AccessPayload)
	digest := sha256.Sum256([]byte(ps))
	pss, err := rsa.SignPSS(rand.Reader, Key(tb), crypto.SHA256, digest[:], nil)
	if err != nil {
		tb.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	es := Encode(header("ES256")) + "." + Encode(AccessPayload)
	digest = sha256.Sum256([]byte(es))
	r, s, err := ecdsa.Sign(rand.Reader, ecKey, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	list := []Token{
		{"genuine PS256", ps + "." + Encode(string(pss)), reasonAlgorithm, 0},
		{"genuine ES256", es + "." + Encode(string(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))), reasonAlgorithm, 0},
		{"PSS under RS256", strings.Replace(ps, Encode(header("PS256")), Encode(header("RS256")), 1) + "." + Encode(string(pss)), reasonSignature, 1},
	}
	for _, alg := range []string{"rs256", "Rs256", "RS256 ", " RS256", "RS384", "RS512", "EdDSA", "HS256", "RSA1_5", "RS256\x00"} {
		list = append(list, Token{alg, Sign(tb, strings.ReplaceAll(header(alg), `\x00`, `\u0000`), AccessPayload), reasonAlgorithm, 0})
	}
	return list
}

func kidTokens(tb testing.TB) []Token {
	tb.Helper()
	var list []Token
	for _, kid := range []string{
		"../../../../dev/null", "..", "file:///dev/null", `..\\..\\x`, "%2e%2e%2f", "x' OR '1'='1", "x; DROP TABLE keys",
		"https://example.com/jwks.json", "", " ", KeyID + " ", `\u0000`, `a\nb`, "ключ", strings.Repeat("A", 129),
	} {
		token := Sign(tb, `{"alg":"RS256","kid":"`+kid+`"}`, AccessPayload)
		list = append(list, Token{kid, token, reasonUnknownKey, 0})
	}
	huge := func(n int) string {
		return Sign(tb, `{"alg":"RS256","kid":"`+strings.Repeat("A", n)+`"}`, AccessPayload)
	}
	return append(list,
		Token{"5 KB", huge(5 << 10), reasonMalformed, 0},
		Token{"10 KB", huge(10 << 10), reasonMalformed, 0},
		// Cognito's key ids hold slashes, so this one is looked up: in a map.
		Token{"absolute path", Sign(tb, `{"alg":"RS256","kid":"/dev/null"}`, AccessPayload), reasonUnknownKey, 1},
	)
}

func issuerTokens(tb testing.TB) []Token {
	tb.Helper()
	var list []Token
	for _, iss := range []string{
		`"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0000"`, `["` + Issuer + `"]`, `"` + Issuer + `/"`,
		`"` + strings.ToUpper(Issuer) + `"`, `"` + Issuer[:len(Issuer)-1] + `"`, `"` + Issuer + `\u0000"`,
		`" ` + Issuer + `"`, `"http` + Issuer[5:] + `"`, `null`, `""`, `1`, `{"iss":"` + Issuer + `"}`,
	} {
		payload := strings.Replace(AccessPayload, `"`+Issuer+`"`, iss, 1)
		list = append(list, Token{iss, Sign(tb, AccessHeader, payload), reasonIssuer, 0})
	}
	return append(list, Token{"none", Sign(tb, AccessHeader, With(AccessPayload, "iss", "")), reasonIssuer, 0})
}

// EmbeddedKeys are tokens that another than [Key] has signed, who names their
// own key in every way that a header has, and an address where it may be had.
func EmbeddedKeys(tb testing.TB, address string) []Token {
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
		signed := Encode(`{"alg":"RS256","kid":"`+KeyID+`",`+parameter+"}") + "." + Encode(AccessPayload)
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(nil, attacker, crypto.SHA256, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, Token{parameter[:6], signed + "." + Encode(string(signature)), reasonHeader, 0})
	}
	return list
}
