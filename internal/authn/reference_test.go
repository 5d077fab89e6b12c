package authn

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

// Two independent libraries, set up as an application would: we may be
// stricter than either, never laxer, and must read the same claims.

func golangJWT(tb testing.TB, token string) (map[string]any, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(testIssuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(DefaultSkew), jwt.WithTimeFunc(testNow), jwt.WithStrictDecoding(),
	)
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) {
		if token.Header["kid"] != testKeyID {
			return nil, jwt.ErrTokenUnverifiable
		}
		return &testKey(tb).PublicKey, nil
	})
	return claims, err
}

func goJOSE(tb testing.TB, token string) (map[string]any, error) {
	parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	if len(parsed.Headers) != 1 || parsed.Headers[0].KeyID != testKeyID {
		return nil, jose.ErrCryptoFailure
	}
	var standard josejwt.Claims
	var claims map[string]any
	if err := parsed.Claims(&testKey(tb).PublicKey, &standard, &claims); err != nil {
		return nil, err
	}
	if standard.Expiry == nil {
		return nil, josejwt.ErrExpired
	}
	return claims, standard.ValidateWithLeeway(josejwt.Expected{Issuer: testIssuer, Time: testNow()}, DefaultSkew)
}

// checkNeverLaxer reports whether we accept token, having checked that both
// libraries then do too and read the same.
func checkNeverLaxer(tb testing.TB, token string) bool {
	tb.Helper()
	got, err := testVerifier(tb).Verify(tb.Context(), token)
	if err != nil {
		if got != nil || ReasonOf(err) == "" {
			tb.Errorf("refused with token %v, reason %q", got != nil, ReasonOf(err))
		}
		return false
	}
	var payload map[string]any
	if err := json.Unmarshal(got.Payload, &payload); err != nil {
		tb.Error(err)
	}
	for name, reference := range map[string]func(testing.TB, string) (map[string]any, error){"golang-jwt": golangJWT, "go-jose": goJOSE} {
		claims, err := reference(tb, token)
		if err != nil {
			tb.Errorf("accepted, but %s refuses: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(payload, claims) {
			tb.Errorf("payload %v\n%s reads %v", payload, name, claims)
		}
	}
	checkClaims(tb, got, payload)
	return true
}

// checkClaims compares a Token with its payload as encoding/json reads it.
func checkClaims(tb testing.TB, token *Token, payload map[string]any) {
	tb.Helper()
	text := func(name string) string {
		s, _ := payload[name].(string)
		return s
	}
	date := func(name string) time.Time {
		seconds, ok := payload[name].(float64)
		if !ok {
			return time.Time{}
		}
		return time.Unix(int64(seconds), 0).UTC()
	}
	want := Token{
		Use: text("token_use"), Issuer: testIssuer, Subject: text("sub"), ID: text("jti"),
		IssuedAt: date("iat"), Expires: date("exp"), Payload: token.Payload,
	}
	if groups, ok := payload["cognito:groups"].([]any); ok {
		want.Groups = []string{}
		for _, group := range groups {
			want.Groups = append(want.Groups, group.(string))
		}
	}
	if want.Use == UseAccess {
		want.ClientID, want.Username = text("client_id"), text("username")
		if scope := text("scope"); scope != "" {
			want.Scopes = strings.Split(scope, " ")
		}
	} else {
		want.ClientID, want.Username = text("aud"), text("cognito:username")
	}
	if !reflect.DeepEqual(*token, want) {
		tb.Errorf("got  %+v\nwant %+v", *token, want)
	}
}

// references are tokens with what the libraries may do with them: whether we,
// golang-jwt and go-jose accept them.
func TestReferences(t *testing.T) {
	t.Parallel()
	accessWith := func(name, text string) string { return sign(t, accessHeader, with(accessPayload, name, text)) }
	good := sign(t, accessHeader, accessPayload)
	tests := []struct {
		name, token           string
		ours, golangJWT, jose bool
	}{
		{"access token", good, true, true, true},
		{"machine token", sign(t, accessHeader, machinePayload), true, true, true},
		{"ID token", sign(t, accessHeader, idPayload), true, true, true},
		{"with typ", sign(t, `{"typ":"JWT","alg":"RS256","kid":"`+testKeyID+`"}`, accessPayload), true, true, true},
		{"escaped issuer", accessWith("iss", `"`+strings.ReplaceAll(testIssuer, "/", `\u002f`)+`"`), true, true, true},
		{"nbf now", accessWith("nbf", "1700000100"), true, true, true},
		{"no iat", accessWith("iat", ""), true, true, true},
		{"deep enough", accessWith("x", `[[[[{"a":[1,2.5e3,null,true,false,"\ud83d\ude00"]}]]]]`), true, true, true},
		{"expired", accessWith("exp", "1700000089"), false, false, false},
		{"no exp", accessWith("exp", ""), false, false, false},
		{"another issuer", accessWith("iss", `"https://example.com"`), false, false, false},
		{"nbf ahead", accessWith("nbf", "1700000111"), false, false, false},
		{"iat ahead", accessWith("iat", "1700000111"), false, false, false},
		{"two segments", good[:strings.LastIndex(good, ".")], false, false, false},
		{"other signature", good[:strings.LastIndex(good, ".")] + "." + strings.Repeat("A", 342), false, false, false},
		{"lower-case alg", sign(t, `{"alg":"rs256","kid":"`+testKeyID+`"}`, accessPayload), false, false, false},
		{"unknown crit", sign(t, `{"alg":"RS256","crit":["x"],"x":1,"kid":"`+testKeyID+`"}`, accessPayload), false, true, false},
		{"exp twice", sign(t, accessHeader, strings.TrimSuffix(accessPayload, "}")+`,"exp":9999999999}`), false, true, false},
		{"EXP beside exp", accessWith("EXP", "1"), false, true, true},
		{"embedded jwk", sign(t, `{"alg":"RS256","jku":"https://example.com","kid":"`+testKeyID+`"}`, accessPayload), false, true, true},
		{"line break", signSegments(t, strings.Replace(good[:strings.LastIndex(good, ".")], ".", ".\n", 1)), false, true, false},
		{"exp 1.7e9", accessWith("exp", "1.7000036e9"), false, true, true},
		{"no token_use", accessWith("token_use", ""), false, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, errJWT := golangJWT(t, test.token)
			_, errJOSE := goJOSE(t, test.token)
			ours := checkNeverLaxer(t, test.token)
			if ours != test.ours || (errJWT == nil) != test.golangJWT || (errJOSE == nil) != test.jose {
				t.Errorf("accepted by us %v, golang-jwt %v (%v), go-jose %v (%v)", ours, errJWT == nil, errJWT, errJOSE == nil, errJOSE)
			}
		})
	}
}

// FuzzVerify signs any header and payload (encoded: two segments as they are)
// and checks that what we accept both libraries accept. A signature that is
// not empty stands in place of the genuine one.
func FuzzVerify(f *testing.F) {
	for _, payload := range []string{accessPayload, machinePayload, idPayload} {
		f.Add(accessHeader, payload, "", false)
		f.Add(encode(accessHeader), encode(payload), "", true)
		f.Add(accessHeader, payload, "AAAA", false)
		for _, claim := range []string{"exp", "iat", "nbf", "iss", "sub", "aud", "client_id", "token_use", "scope", "username", "cognito:groups"} {
			for _, text := range []string{"", "null", `""`, `"x"`, "1", "1700003600", "1700003600.5", "-1", "1e300", "[]", `["x"]`, "{}", "true"} {
				f.Add(accessHeader, with(payload, claim, text), "", false)
			}
			f.Add(accessHeader, strings.TrimSuffix(payload, "}")+`,"`+claim+`":1}`, "", false)
			f.Add(accessHeader, strings.TrimSuffix(payload, "}")+`,"`+strings.ToUpper(claim)+`":1}`, "", false)
		}
	}
	for _, header := range []string{
		`{"alg":"none","kid":"` + testKeyID + `"}`, `{"alg":"HS256","kid":"` + testKeyID + `"}`, `{"alg":"RS256"}`,
		`{"alg":"RS256","alg":"RS256","kid":"` + testKeyID + `"}`, `{"Alg":"RS256","kid":"` + testKeyID + `"}`,
		`{"alg":"RS256","typ":"JWT","kid":"` + testKeyID + `"}`, `{"alg":"RS256","crit":["b64"],"b64":false,"kid":"` + testKeyID + `"}`,
		`{"\u0061lg":"RS\u003256","kid":"` + strings.ReplaceAll(testKeyID, "/", `\/`) + `"}`, "\ufeff" + accessHeader, accessHeader + "\n",
	} {
		f.Add(header, accessPayload, "", false)
	}
	for _, change := range []string{"=", "\n", "\r\n", " ", "+", "/", ".", "A", "%3D"} {
		f.Add(encode(accessHeader)+change, encode(accessPayload), "", true)
		f.Add(encode(accessHeader), encode(accessPayload)+change, "", true)
		f.Add(encode(accessHeader), change+encode(accessPayload), "", true)
	}
	f.Fuzz(func(t *testing.T, header, payload, signature string, encoded bool) {
		if !encoded {
			header, payload = encode(header), encode(payload)
		}
		token := signSegments(t, header+"."+payload)
		if signature != "" {
			token = header + "." + payload + "." + signature
		}
		checkNeverLaxer(t, token)
	})
}

type failer interface {
	Context() context.Context
	Errorf(format string, args ...any)
}

// TestEditsAreRefused: no token but the signed one passes, whatever is changed.
func TestEditsAreRefused(t *testing.T) {
	t.Parallel()
	v, good := testVerifier(t), sign(t, accessHeader, accessPayload)
	refused := func(t failer, edited string) {
		if token, err := v.Verify(t.Context(), edited); token != nil || ReasonOf(err) == "" {
			t.Errorf("accepted: %q", edited)
		}
	}
	for i := range good {
		for bit := range 8 {
			edited := []byte(good)
			edited[i] ^= 1 << bit
			refused(t, string(edited))
		}
		refused(t, good[:i])
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(good)).Draw(t, "from")
		to := rapid.IntRange(from, min(from+8, len(good))).Draw(t, "to")
		insert := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9_-]{0,8}`), rapid.StringN(0, 4, 8), rapid.SampledFrom([]string{".", "=", "\n", "..", good})).Draw(t, "insert")
		if edited := good[:from] + insert + good[to:]; edited != good {
			refused(t, edited)
		}
	})
}

// TestGenuineTokensPass: whatever Cognito may put into a token, within the
// bounds, we accept, and read as both libraries do.
func TestGenuineTokensPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[^\x{FFFD}]{1,40}`)
		claims := map[string]any{
			"iss": testIssuer, "token_use": UseAccess, "sub": text.Draw(rt, "sub"), "client_id": text.Draw(rt, "client"), "version": 2,
			"exp": rapid.Int64Range(testNow().Unix()+1, maxSeconds).Draw(rt, "exp"), "iat": rapid.Int64Range(1, testNow().Unix()).Draw(rt, "iat"),
			"scope":          strings.Join(rapid.SliceOf(rapid.StringMatching(`[!#-\[\]-~]{1,20}`)).Draw(rt, "scopes"), " "),
			"cognito:groups": rapid.SliceOf(text).Draw(rt, "groups"), "username": text.Draw(rt, "username"),
			"custom:" + rapid.StringMatching(`[a-zA-Z]{1,9}`).Draw(rt, "name"): rapid.Float64().Draw(rt, "number"),
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			rt.Fatal(err)
		}
		if token := sign(t, accessHeader, string(payload)); len(token) <= MaxTokenBytes && !checkNeverLaxer(t, token) {
			rt.Fatalf("refused: %s", payload)
		}
	})
}
