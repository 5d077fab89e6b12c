package authn

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn/authntest"
)

const (
	testIssuer     = authntest.Issuer
	testKeyID      = authntest.KeyID
	accessHeader   = authntest.AccessHeader
	accessPayload  = authntest.AccessPayload
	machinePayload = authntest.MachinePayload
	idPayload      = authntest.IDPayload
)

var (
	testNow      = authntest.Now
	testKey      = authntest.Key
	encode       = authntest.Encode
	sign         = authntest.Sign
	signSegments = authntest.SignSegments
	with         = authntest.With
)

func testVerifier(tb testing.TB) *Verifier {
	tb.Helper()
	return newVerifier(tb, KeySet{testKeyID: &testKey(tb).PublicKey})
}

func newVerifier(tb testing.TB, keys KeySource) *Verifier {
	tb.Helper()
	v, err := NewVerifier(Config{Issuer: testIssuer, Keys: keys, Now: testNow})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// countingKeys counts look-ups. No look-up means no RSA work: there is no other
// way to a key.
type countingKeys struct {
	KeySet
	lookups int
}

func (k *countingKeys) Key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	k.lookups++
	return k.KeySet.Key(ctx, kid)
}

// expensivePayload is what costs most to refuse: as many long names as may be,
// which differ at their end.
func expensivePayload() string {
	var b strings.Builder
	for i := range maxMembers {
		fmt.Fprintf(&b, `,"%030d":1`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	issued, expires := time.Unix(1700000000, 0).UTC(), time.Unix(1700003600, 0).UTC()
	tests := []struct {
		name, header, payload string
		want                  Token
	}{
		{"user's access token", accessHeader, accessPayload, Token{
			Use: UseAccess, Issuer: testIssuer, Subject: "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",
			ClientID: "3n4b5urk1ft4fl3mg5e62d9ado", Username: "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",
			Scopes: []string{"openid", "notes/read", "notes/write"}, Groups: []string{"editors"},
			ID: "b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f1a2b", IssuedAt: issued, Expires: expires,
		}},
		{"client_credentials token", `{"alg":"RS256","typ":"JWT","kid":"` + testKeyID + `"}`, machinePayload, Token{
			Use: UseAccess, Issuer: testIssuer, Subject: "3n4b5urk1ft4fl3mg5e62d9ado",
			ClientID: "3n4b5urk1ft4fl3mg5e62d9ado", Scopes: []string{"notes/read"},
			ID: "b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f1a2b", IssuedAt: issued, Expires: expires,
		}},
		{"ID token", " {\n\t" + strings.ReplaceAll(accessHeader[1:], "/", `\/`) + " ", idPayload, Token{
			Use: UseID, Issuer: testIssuer, Subject: "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",
			ClientID: "3n4b5urk1ft4fl3mg5e62d9ado", Username: "josé", IssuedAt: issued, Expires: expires,
		}},
		{"no scope, no iat, no groups", accessHeader,
			`{"iss":"` + testIssuer + `","sub":"s","client_id":"c","token_use":"access","exp":1700000101,"cognito:groups":[]}`,
			Token{
				Use: UseAccess, Issuer: testIssuer, Subject: "s", ClientID: "c", Groups: []string{},
				Expires: time.Unix(1700000101, 0).UTC(),
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.want.Payload = []byte(test.payload)
			got, err := testVerifier(t).Verify(t.Context(), sign(t, test.header, test.payload))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

// refusal is a token that must be refused for one reason and, unless lookups
// says so, without a key look-up.
type refusal struct {
	name    string
	token   string
	want    Reason
	lookups int
}

func refusals(tokens []authntest.Token) []refusal {
	var list []refusal
	for _, token := range tokens {
		list = append(list, refusal{token.Name, token.Text, Reason(token.Reason), token.Lookups})
	}
	return list
}

func checkRefusals(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys := &countingKeys{KeySet: KeySet{testKeyID: &testKey(t).PublicKey}}
			token, err := newVerifier(t, keys).Verify(t.Context(), test.token)
			if token != nil || ReasonOf(err) != test.want {
				t.Errorf("got token %v, error %v; want refused for %q", token != nil, err, test.want)
			}
			if keys.lookups != test.lookups {
				t.Errorf("%d key look-ups; want %d", keys.lookups, test.lookups)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	good := sign(t, accessHeader, accessPayload)
	claims := func(name, text string) string { return sign(t, accessHeader, with(accessPayload, name, text)) }
	header := func(text string) string { return sign(t, text, accessPayload) }
	checkRefusals(t, []refusal{
		{"empty", "", ReasonMalformed, 0},
		{"too long", sign(t, accessHeader, accessPayload+strings.Repeat(" ", MaxTokenBytes*3/4-len(accessPayload))), ReasonMalformed, 0},
		{"Bearer in front", "Bearer " + good, ReasonMalformed, 0},
		{"empty header", "." + good[strings.Index(good, ".")+1:], ReasonMalformed, 0},
		{"header is a list", header(`["RS256"]`), ReasonMalformed, 0},
		{"header too large", header(strings.Repeat(" ", 1024) + accessHeader), ReasonMalformed, 0},
		{"typ of another kind", header(`{"alg":"RS256","typ":"logout+jwt","kid":"` + testKeyID + `"}`), ReasonHeader, 0},
		{"typ null", header(`{"alg":"RS256","typ":null,"kid":"` + testKeyID + `"}`), ReasonHeader, 0},
		{"alg null", header(`{"alg":null,"kid":"` + testKeyID + `"}`), ReasonAlgorithm, 0},
		{"alg list", header(`{"alg":["RS256"],"kid":"` + testKeyID + `"}`), ReasonAlgorithm, 0},
		{"no alg", header(`{"kid":"` + testKeyID + `"}`), ReasonAlgorithm, 0},
		{"no kid", header(`{"alg":"RS256"}`), ReasonUnknownKey, 0},
		{"kid number", header(`{"alg":"RS256","kid":1}`), ReasonUnknownKey, 0},
		{"empty payload", sign(t, accessHeader, ""), ReasonMalformed, 0},
		{"payload is a list", sign(t, accessHeader, "["+accessPayload+"]"), ReasonMalformed, 0},
		{"unknown kid", header(`{"alg":"RS256","kid":"other"}`), ReasonUnknownKey, 1},
		{"no signature", good[:strings.LastIndex(good, ".")+1], ReasonSignature, 1},
		{"short signature", good[:strings.LastIndex(good, ".")] + ".AAAA", ReasonSignature, 1},
		{"long signature", good + strings.Repeat("AAAA", 200), ReasonMalformed, 0},
		{"no token_use", claims("token_use", ""), ReasonTokenUse, 0},
		{"refresh token_use", claims("token_use", `"refresh"`), ReasonTokenUse, 0},
		{"token_use list", claims("token_use", `["access"]`), ReasonTokenUse, 0},
		{"no sub", claims("sub", ""), ReasonClaims, 0},
		{"empty sub", claims("sub", `""`), ReasonClaims, 0},
		{"sub number", claims("sub", `7`), ReasonClaims, 0},
		{"jti number", claims("jti", `7`), ReasonClaims, 0},
		{"username null", claims("username", `null`), ReasonClaims, 0},
		{"groups string", claims("cognito:groups", `"admins"`), ReasonClaims, 0},
		{"groups of numbers", claims("cognito:groups", `[1]`), ReasonClaims, 0},
		{"no client_id", claims("client_id", ""), ReasonClaims, 0},
		{"client_id list", claims("client_id", `["a"]`), ReasonClaims, 0},
		{"ID token's aud is a list", sign(t, accessHeader, with(idPayload, "aud", `["3n4b5urk1ft4fl3mg5e62d9ado"]`)), ReasonClaims, 0},
		{"access token's aud is a list", claims("aud", `["3n4b5urk1ft4fl3mg5e62d9ado"]`), ReasonClaims, 0},
		{"access token's aud is an object", claims("aud", `{}`), ReasonClaims, 0},
		{"ID token without aud", sign(t, accessHeader, with(idPayload, "aud", "")), ReasonClaims, 0},
		{"ID token with client_id only", sign(t, accessHeader, with(with(idPayload, "aud", ""), "client_id", `"c"`)), ReasonClaims, 0},
		{"nbf string", claims("nbf", `"1700000000"`), ReasonClaims, 0},
		{"iat null", claims("iat", `null`), ReasonClaims, 0},
	})
}

func TestVerifyChecksTheKey(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := &testKey(t).PublicKey
	tests := []struct {
		name string
		key  *rsa.PublicKey
		want Reason
	}{
		{"another key", &other.PublicKey, ReasonSignature},
		{"none", nil, ReasonUnknownKey},
		{"empty", &rsa.PublicKey{}, ReasonUnknownKey},
		{"1024 bits", &weak.PublicKey, ReasonUnknownKey},
		{"8192 bits", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8191, 1), E: 65537}, ReasonUnknownKey},
		{"exponent 1", &rsa.PublicKey{N: key.N, E: 1}, ReasonUnknownKey},
		{"even exponent", &rsa.PublicKey{N: key.N, E: 65536}, ReasonUnknownKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, looseKeys{test.key})
			if _, err := v.Verify(t.Context(), sign(t, accessHeader, accessPayload)); ReasonOf(err) != test.want {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

// looseKeys breaks the promise of KeySource where key is nil.
type looseKeys struct{ key *rsa.PublicKey }

func (k looseKeys) Key(context.Context, string) (*rsa.PublicKey, error) { return k.key, nil }

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	token := sign(t, accessHeader, with(accessPayload, "iss", `""`))
	for _, v := range []*Verifier{nil, {}} {
		if got, err := v.Verify(t.Context(), token); got != nil || ReasonOf(err) == "" {
			t.Errorf("zero Verifier: got token %v, error %v", got != nil, err)
		}
	}
	if got, err := newVerifier(t, KeySet(nil)).Verify(t.Context(), sign(t, accessHeader, accessPayload)); got != nil || ReasonOf(err) != ReasonUnknownKey {
		t.Errorf("nil KeySet: got token %v, error %v", got != nil, err)
	}
	if (*Token)(nil).HasAnyScope([]string{""}) || new(Token).HasAnyScope([]string{""}) {
		t.Error("a zero Token has a scope")
	}
	if ReasonOf(nil) != "" || ReasonOf(errors.New("x")) != "" || ReasonOf(fmt.Errorf("x: %w", refuse(ReasonHeader))) != ReasonHeader {
		t.Error("ReasonOf")
	}
}

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config Config
		ok     bool
	}{
		{"complete", Config{Issuer: testIssuer, Keys: KeySet{}}, true},
		{"greatest skew", Config{Issuer: testIssuer, Keys: KeySet{}, Skew: MaxSkew}, true},
		{"empty", Config{}, false},
		{"no issuer", Config{Keys: KeySet{}}, false},
		{"no keys", Config{Issuer: testIssuer}, false},
		{"negative skew", Config{Issuer: testIssuer, Keys: KeySet{}, Skew: -1}, false},
		{"large skew", Config{Issuer: testIssuer, Keys: KeySet{}, Skew: MaxSkew + 1}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, err := NewVerifier(test.config)
			if (err == nil) != test.ok || (v != nil) != test.ok {
				t.Fatalf("got %v, %v; want ok %v", v, err, test.ok)
			}
			if test.ok && (v.config.Now == nil || v.config.Skew == 0) {
				t.Errorf("defaults are missing: %+v", v.config)
			}
		})
	}
}

func TestErrorsHoldNothingOfTheToken(t *testing.T) {
	t.Parallel()
	const planted = "Zq8planted"
	for _, token := range []string{
		planted, planted + "." + planted + "." + planted,
		sign(t, `{"alg":"`+planted+`"}`, accessPayload),
		sign(t, `{"alg":"RS256","kid":"`+planted+`"}`, accessPayload),
		sign(t, accessHeader, with(accessPayload, "iss", `"`+planted+`"`)),
		sign(t, accessHeader, with(accessPayload, "scope", `"`+planted+`  "`)),
	} {
		_, err := testVerifier(t).Verify(t.Context(), token)
		if err == nil || strings.Contains(fmt.Sprintf("%+v %#v", err, err), planted) {
			t.Error("accepted, or the error shows what the token holds")
		}
	}
}
