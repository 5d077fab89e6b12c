package authn

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
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSurvive holds the rows of the request path's survival list that concern
// a token by itself.
func TestSurvive(t *testing.T) {
	rows := []struct {
		name     string
		refusals []refusal
	}{
		{"01_alg_none", noneTokens(t)},
		{"02_public_key_as_hmac_secret", hmacTokens(t)},
		{"03_other_algorithms", otherAlgorithmTokens(t)},
		{"04_duplicate_or_case_variant_alg", headerTokens(t, ReasonMalformed,
			`"alg":"RS256","alg":"RS256"`, `"alg":"none","alg":"RS256"`, `"alg":"RS256","ALG":"none"`,
			`"Alg":"none","alg":"RS256"`, `"alg":"RS256","\u0061lg":"RS256"`, `"alg":"RS256","\u212aid":"x"`)},
		{"04_case_variant_alg_alone", headerTokens(t, ReasonAlgorithm, `"ALG":"RS256"`, `"aLg":"RS256"`)},
		{"05_unknown_crit", headerTokens(t, ReasonHeader,
			`"alg":"RS256","crit":["x"],"x":1`, `"alg":"RS256","crit":[]`, `"alg":"RS256","crit":null`,
			`"alg":"RS256","crit":["alg"]`, `"alg":"RS256","CRIT":["x"]`)},
		{"06_unencoded_payload", append(headerTokens(t, ReasonHeader,
			`"alg":"RS256","b64":false`, `"alg":"RS256","b64":false,"crit":["b64"]`, `"alg":"RS256","b64":true`),
			refusal{"raw payload", signSegments(t, encode(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"`+testKeyID+`"}`)+"."+accessPayload), ReasonMalformed, 0})},
		{"09_strange_kid", kidTokens(t)},
		{"10_base64url_spelling", spellings(t)},
		{"11_other_serializations", serializations(t)},
		{"13_duplicate_claims", claimTokens(t, ReasonMalformed,
			`"exp":1700003600`, `"exp":9999999999`, `"iss":"`+testIssuer+`"`, `"EXP":9999999999`, `"Iss":"x"`,
			`"i\u0073s":"x"`, `"\u017fub":"x"`, `"ſub":"x"`, `"Token_Use":"id"`, `"x":{"a":1,"a":1}`, `"x":[{"a":1,"A":1}]`)},
		{"13_case_variant_exp_alone", expTokens(t, `"EXP":1700003600`, `"Exp":1700003600`, `"e\u0058p":1700003600`)},
		{"14_strange_exp", expTokens(t, `"x":1`, `"exp":null`, `"exp":"1700003600"`, `"exp":1e300`, `"exp":-1700003600`,
			`"exp":0`, `"exp":-0`, `"exp":1700003600.0`, `"exp":1.7000036e9`, `"exp":253402300800`, `"exp":99999999999999999999`,
			`"exp":true`, `"exp":[1700003600]`, `"exp":{}`)},
		{"14_broken_exp", claimTokens(t, ReasonMalformed, `"x":01`, `"x":+1`, `"x":.5`, `"x":1.`, `"x":1e`, `"x":1e999`,
			`"x":0x10`, `"x":NaN`, `"x":Infinity`, `"x":-`, `"x":`, `"x":1_0`)},
		{"16_another_issuer", issuerTokens(t)},
		{"20_broken_json", brokenJSON(t)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if len(row.refusals) == 0 {
				t.Fatal("no token to refuse")
			}
			checkRefusals(t, row.refusals)
		})
	}
	t.Run("07_embedded_or_linked_key", surviveEmbeddedKey)
	t.Run("12_ten_kilobytes_of_dots", surviveDots)
	t.Run("15_times", surviveTimes)
	t.Run("17_id_token", surviveIDToken)
	t.Run("18_client", surviveClient)
	t.Run("19_scopes", surviveScopes)
	t.Run("20_deep_json", surviveDepth)
	t.Run("23_weak_keys", surviveWeakKeys)
}

// headerTokens are genuinely signed tokens whose header holds members and the
// right kid.
func headerTokens(t *testing.T, want Reason, members ...string) []refusal {
	t.Helper()
	var list []refusal
	for _, text := range members {
		list = append(list, refusal{text, sign(t, "{"+text+`,"kid":"`+testKeyID+`"}`, accessPayload), want, 0})
	}
	return list
}

// claimTokens are genuinely signed tokens with a further claim.
func claimTokens(t *testing.T, want Reason, members ...string) []refusal {
	t.Helper()
	var list []refusal
	for _, text := range members {
		list = append(list, refusal{text, sign(t, accessHeader, strings.TrimSuffix(accessPayload, "}")+","+text+"}"), want, 0})
	}
	return list
}

// expTokens have member in place of exp.
func expTokens(t *testing.T, members ...string) []refusal {
	t.Helper()
	var list []refusal
	for _, text := range members {
		payload := strings.Replace(accessPayload, `"exp":1700003600`, text, 1)
		list = append(list, refusal{text, sign(t, accessHeader, payload), ReasonClaims, 0})
	}
	return list
}

func noneTokens(t *testing.T) []refusal {
	t.Helper()
	var list []refusal
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		token := sign(t, fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, testKeyID), accessPayload)
		unsigned := token[:strings.LastIndex(token, ".")+1]
		list = append(list, refusal{alg + " signed", token, ReasonAlgorithm, 0}, refusal{alg + " unsigned", unsigned, ReasonAlgorithm, 0})
	}
	return list
}

func hmacTokens(t *testing.T) []refusal {
	t.Helper()
	key := &testKey(t).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	var list []refusal
	for name, secret := range map[string][]byte{
		"PKIX": pkix, "PKCS1": pkcs1, "modulus": key.N.Bytes(),
		"PKIX PEM":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
	} {
		signed := encode(`{"alg":"HS256","kid":"`+testKeyID+`"}`) + "." + encode(accessPayload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		list = append(list, refusal{name, signed + "." + encode(string(mac.Sum(nil))), ReasonAlgorithm, 0})
	}
	return list
}

func otherAlgorithmTokens(t *testing.T) []refusal {
	t.Helper()
	header := func(alg string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, testKeyID) }
	ps := encode(header("PS256")) + "." + encode(accessPayload)
	digest := sha256.Sum256([]byte(ps))
	pss, err := rsa.SignPSS(rand.Reader, testKey(t), crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	es := encode(header("ES256")) + "." + encode(accessPayload)
	digest = sha256.Sum256([]byte(es))
	r, s, err := ecdsa.Sign(rand.Reader, ecKey, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	list := []refusal{
		{"genuine PS256", ps + "." + encode(string(pss)), ReasonAlgorithm, 0},
		{"genuine ES256", es + "." + encode(string(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))), ReasonAlgorithm, 0},
		{"PSS under RS256", strings.Replace(ps, encode(header("PS256")), encode(header("RS256")), 1) + "." + encode(string(pss)), ReasonSignature, 1},
	}
	for _, alg := range []string{"rs256", "Rs256", "RS256 ", " RS256", "RS384", "RS512", "EdDSA", "HS256", "RSA1_5", "RS256\x00"} {
		list = append(list, refusal{alg, sign(t, strings.ReplaceAll(header(alg), `\x00`, `\u0000`), accessPayload), ReasonAlgorithm, 0})
	}
	return list
}

// surviveEmbeddedKey signs with the attacker's key and names it in every way.
func surviveEmbeddedKey(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(server.Close)
	attacker, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	jwk := fmt.Sprintf(`{"kty":"RSA","e":"AQAB","kid":%q,"n":%q}`, testKeyID, encode(string(attacker.N.Bytes())))
	for _, parameter := range []string{
		`"jwk":` + jwk, `"jku":"` + server.URL + `"`, `"x5u":"` + server.URL + `"`, `"x5c":["MIIB"]`,
		`"x5t":"x"`, `"x5t#S256":"x"`, `"cty":"JWT"`, `"zip":"DEF"`, `"enc":"A128GCM"`, `"epk":{}`, `"url":"x"`, `"JWK":` + jwk,
	} {
		t.Run(parameter[:6], func(t *testing.T) {
			signed := encode(`{"alg":"RS256","kid":"`+testKeyID+`",`+parameter+"}") + "." + encode(accessPayload)
			digest := sha256.Sum256([]byte(signed))
			signature, err := rsa.SignPKCS1v15(nil, attacker, crypto.SHA256, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			checkRefusals(t, []refusal{{"", signed + "." + encode(string(signature)), ReasonHeader, 0}})
		})
	}
	t.Cleanup(func() {
		if n := fetched.Load(); n != 0 {
			t.Errorf("%d requests to an address from a header", n)
		}
	})
}

func kidTokens(t *testing.T) []refusal {
	t.Helper()
	var list []refusal
	for _, kid := range []string{
		"../../../../dev/null", "..", "file:///dev/null", `..\\..\\x`, "%2e%2e%2f", "x' OR '1'='1", "x; DROP TABLE keys",
		"https://example.com/jwks.json", "", " ", testKeyID + " ", `\u0000`, `a\nb`, "ключ", strings.Repeat("A", MaxKeyIDBytes+1),
	} {
		token := sign(t, `{"alg":"RS256","kid":"`+kid+`"}`, accessPayload)
		list = append(list, refusal{kid, token, ReasonUnknownKey, 0})
	}
	huge := func(n int) string {
		return sign(t, `{"alg":"RS256","kid":"`+strings.Repeat("A", n)+`"}`, accessPayload)
	}
	return append(list,
		refusal{"5 KB", huge(5 << 10), ReasonMalformed, 0},
		refusal{"10 KB", huge(10 << 10), ReasonMalformed, 0},
		// Cognito's key ids hold slashes, so this one is looked up: in a map.
		refusal{"absolute path", sign(t, `{"alg":"RS256","kid":"/dev/null"}`, accessPayload), ReasonUnknownKey, 1},
	)
}

func surviveTimes(t *testing.T) {
	now := testNow().Unix()
	skew := int64(DefaultSkew / time.Second)
	tests := []struct {
		name, claim string
		at          int64
		fraction    int64
		want        Reason
	}{
		{"expired", "exp", now - 1, 0, ReasonExpired},
		{"expires this second", "exp", now, 0, ReasonExpired},
		{"expired within the skew", "exp", now - skew/2, 0, ReasonExpired},
		{"expires the next second", "exp", now + 1, 999_999_999, ""},
		{"valid from now", "nbf", now, 0, ""},
		{"valid within the skew", "nbf", now + skew, 0, ""},
		{"not yet valid", "nbf", now + skew + 1, 0, ReasonNotYetValid},
		{"issued within the skew", "iat", now + skew, 0, ""},
		{"issued in the future", "iat", now + skew + 1, 0, ReasonNotYetValid},
		{"issued next century", "iat", 4_900_000_000, 0, ReasonNotYetValid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, err := NewVerifier(Config{
				Issuer: testIssuer, Keys: KeySet{testKeyID: &testKey(t).PublicKey},
				Now: func() time.Time { return time.Unix(now, test.fraction) },
			})
			if err != nil {
				t.Fatal(err)
			}
			token := sign(t, accessHeader, with(accessPayload, test.claim, fmt.Sprint(test.at)))
			if _, err = v.Verify(t.Context(), token); ReasonOf(err) != test.want {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

func issuerTokens(t *testing.T) []refusal {
	t.Helper()
	var list []refusal
	for _, iss := range []string{
		`"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0000"`, `["` + testIssuer + `"]`, `"` + testIssuer + `/"`,
		`"` + strings.ToUpper(testIssuer) + `"`, `"` + testIssuer[:len(testIssuer)-1] + `"`, `"` + testIssuer + `\u0000"`,
		`" ` + testIssuer + `"`, `"http` + testIssuer[5:] + `"`, `null`, `""`, `1`, `{"iss":"` + testIssuer + `"}`,
	} {
		payload := strings.Replace(accessPayload, `"`+testIssuer+`"`, iss, 1)
		list = append(list, refusal{iss, sign(t, accessHeader, payload), ReasonIssuer, 0})
	}
	return append(list, refusal{"none", sign(t, accessHeader, with(accessPayload, "iss", "")), ReasonIssuer, 0})
}

// An ID token says that it is one, and carries no scope even if it claims to.
func surviveIDToken(t *testing.T) {
	t.Parallel()
	payload := with(with(idPayload, "scope", `"notes/read"`), "client_id", `"other"`)
	token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, payload))
	if err != nil {
		t.Fatal(err)
	}
	if token.Use != UseID || token.HasAnyScope([]string{"notes/read"}) || token.ClientID != "3n4b5urk1ft4fl3mg5e62d9ado" {
		t.Errorf("got %+v", token)
	}
}

// The client of an access token is its client_id; an aud beside it is no client.
func surviveClient(t *testing.T) {
	t.Parallel()
	token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, with(accessPayload, "aud", `"https://api.example.com"`)))
	if err != nil {
		t.Fatal(err)
	}
	if token.ClientID != "3n4b5urk1ft4fl3mg5e62d9ado" {
		t.Errorf("ClientID %q", token.ClientID)
	}
}

func surviveScopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		claim  string
		needed []string
		want   bool
		reason Reason
	}{
		{`"notes/read notes/write"`, []string{"notes/write"}, true, ""},
		{`"notes/read"`, []string{"notes/write", "notes/read"}, true, ""},
		{`"notes/read"`, []string{"notes/readonly"}, false, ""},
		{`"notes/readonly"`, []string{"notes/read"}, false, ""},
		{`"notes/read"`, []string{"Notes/Read"}, false, ""},
		{`"notes/read"`, []string{"notes/*", "*", "", "notes/read notes/write"}, false, ""},
		{`"notes/read"`, nil, false, ""},
		{`""`, []string{"", "notes/read"}, false, ""},
		{"", []string{"notes/read"}, false, ""},
		{`"notes/read  notes/write"`, nil, false, ReasonClaims},
		{`" notes/read"`, nil, false, ReasonClaims},
		{`"notes/read "`, nil, false, ReasonClaims},
		{`"notes/read\tnotes/write"`, nil, false, ReasonClaims},
		{`"notes/re\u0000ad"`, nil, false, ReasonClaims},
		{`"notes/read\u00a0x"`, nil, false, ReasonClaims},
		{`["notes/read"]`, nil, false, ReasonClaims},
		{`null`, nil, false, ReasonClaims},
		{`1`, nil, false, ReasonClaims},
	}
	for _, test := range tests {
		t.Run(test.claim, func(t *testing.T) {
			t.Parallel()
			token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, with(accessPayload, "scope", test.claim)))
			if ReasonOf(err) != test.reason {
				t.Fatalf("got %v; want %q", err, test.reason)
			}
			if got := token.HasAnyScope(test.needed); got != test.want {
				t.Errorf("HasAnyScope(%q) = %v", test.needed, got)
			}
		})
	}
}
