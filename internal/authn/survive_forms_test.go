package authn

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// The rows of TestSurvive that are about form: of a token, of JSON, of keys.

// spellings are other spellings of a genuine token, two of its segments signed
// as they are misspelt.
func spellings(t *testing.T) []refusal {
	t.Helper()
	// One spare byte in each segment leaves four spare bits in its last
	// character; "?" gives the payload a "/" in the other alphabet.
	header, payload := accessHeader, with(accessPayload, "x", `"???????"`)
	for len(header)%3 != 1 {
		header += " "
	}
	for len(payload)%3 != 1 {
		payload += " "
	}
	good := strings.Split(sign(t, header, payload), ".")
	spare := func(s string) string { return s[:len(s)-1] + string(rune(s[len(s)-1]+1)) }
	cut := func(what string) func(string) string {
		return func(s string) string { return s[:8] + what + s[8:] }
	}
	standard := func(s string) string {
		decoded, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawStdEncoding.EncodeToString(decoded)
	}
	misspell := map[string]func(string) string{
		"spare bits": spare, "padding": func(s string) string { return s + "==" }, "one pad": func(s string) string { return s + "=" },
		"LF within": cut("\n"), "CRLF within": cut("\r\n"), "four LF": cut("\n\n\n\n"), "space within": cut(" "), "NUL within": cut("\x00"),
		"LF at the end": func(s string) string { return s + "\n" }, "LF in front": func(s string) string { return "\n" + s },
		"tab at the end": func(s string) string { return s + "\t" }, "one character less": func(s string) string { return s[:len(s)-1] },
		"percent": cut("%41"), "not ASCII": cut("é"),
	}
	var list []refusal
	add := func(name string, segment int, text string) {
		segments := append([]string(nil), good...)
		segments[segment] = text
		token := strings.Join(segments, ".")
		if segment < 2 {
			token = signSegments(t, strings.Join(segments[:2], "."))
		}
		list = append(list, refusal{fmt.Sprintf("%s, segment %d", name, segment), token, ReasonMalformed, 0})
	}
	for name, change := range misspell {
		for segment := range good {
			add(name, segment, change(good[segment]))
		}
	}
	for segment := 1; segment < 3; segment++ {
		if text := standard(good[segment]); text != good[segment] {
			add("other alphabet", segment, text)
		} else if segment == 1 {
			t.Fatal("the payload has no character that differs between the alphabets")
		}
	}
	return list
}

func serializations(t *testing.T) []refusal {
	t.Helper()
	good := sign(t, accessHeader, accessPayload)
	s := strings.Split(good, ".")
	return []refusal{
		{"flattened", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, s[0], s[1], s[2]), ReasonMalformed, 0},
		{"flattened with dots", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q,"x":".."}`, s[0], s[1], s[2]), ReasonMalformed, 0},
		{"general", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, s[1], s[0], s[2]), ReasonMalformed, 0},
		{"one segment", s[0], ReasonMalformed, 0},
		{"two segments", s[0] + "." + s[1], ReasonMalformed, 0},
		{"four segments", good + "." + s[2], ReasonMalformed, 0},
		{"four segments, last empty", good + ".", ReasonMalformed, 0},
		{"five segments", good + "." + s[2] + "." + s[2], ReasonMalformed, 0},
		{"dot in front", "." + good, ReasonMalformed, 0},
		{"empty payload", signSegments(t, s[0]+"."), ReasonMalformed, 0},
		{"two tokens", good + "," + good, ReasonMalformed, 0},
	}
}

func surviveDots(t *testing.T) {
	v := testVerifier(t)
	for _, size := range []int{1, 2, 3, 10 << 10, 10 << 20} {
		dots := strings.Repeat(".", size)
		allocations := testing.AllocsPerRun(10, func() {
			if _, err := v.Verify(t.Context(), dots); ReasonOf(err) != ReasonMalformed {
				t.Errorf("%d dots: got %v", size, err)
			}
		})
		// Three empty segments get as far as being decoded.
		if allocations > 2 && size != 2 {
			t.Errorf("%d dots: %v allocations", size, allocations)
		}
	}
}

func brokenJSON(t *testing.T) []refusal {
	t.Helper()
	list := claimTokens(t, ReasonMalformed,
		"\"x\":\"\xff\"", "\"x\":\"\xc3\"", "\"x\":\"\xed\xa0\x80\"", "\"x\":\"\xc0\xaf\"", "\"\xff\":1",
		`"x":"\ud800"`, `"x":"\udc00"`, `"x":"\ud800\ud800"`, `"x":"\ud800x"`, `"x":"\ud800\n"`, `"x":"\ud800\u0041"`, `"\ud800":1`,
		`"x":"\x41"`, `"x":"\u00g0"`, `"x":"\u+123"`, `"x":"\u12"`, `"x":"\`, `"x":"\"`, `"x":"\'"`, "\"x\":\"\n\"", "\"x\":\"\x00\"",
		`"x":'y'`, `x:1`, `"x":tru`, `"x":True`, `"x":nul`, `"x":undefined`, `"x":1,`, `,`, `"x"`, `"x":[1,]`, `"x":[,1]`, `"x":[1 2]`,
		`"x":[`, `"x":[1`, `"x":[1}`, `"x":{`, `"x":{]`, `"x":/**/1`, "\"x\":\u00a01", `"x":1 "y":2`, `"x":1}{"y":2`)
	for name, payload := range map[string]string{
		"byte order mark": "\ufeff" + accessPayload, "UTF-16": "{\x00}\x00", "trailing brace": accessPayload + "}",
		"trailing object": accessPayload + accessPayload, "trailing NUL": accessPayload + "\x00", "trailing text": accessPayload + " x",
		"no brace": accessPayload[1:], "no closing brace": accessPayload[:len(accessPayload)-1], "string": `"x"`, "null": "null",
		"white space": " ", "vertical tab": "\v" + accessPayload, "too many members": manyMembers(maxMembers + 1),
		"too many members in all": with(manyMembers(maxMembers-1), "y", `{"a":1}`),
	} {
		list = append(list, refusal{name, sign(t, accessHeader, payload), ReasonMalformed, 0})
	}
	for name, header := range map[string]string{
		"header with byte order mark": "\ufeff" + accessHeader, "header with trailing data": accessHeader + "{}",
		"header with lone surrogate": `{"alg":"RS256","kid":"\ud800"}`, "header with bad UTF-8": "{\"alg\":\"RS256\",\"kid\":\"\xff\"}",
		"deep header": `{"alg":` + strings.Repeat("[", 700),
	} {
		list = append(list, refusal{name, sign(t, header, accessPayload), ReasonMalformed, 0})
	}
	return list
}

// manyMembers adds members to a good payload until it has n.
func manyMembers(n int) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(accessPayload, "}"))
	for i := strings.Count(accessPayload, `":`); i < n; i++ {
		fmt.Fprintf(&b, `,"x%d":0`, i)
	}
	return b.String() + "}"
}

func surviveDepth(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{`[`, `{"a":`, `[{"a":`, `[1,`} {
		for _, depth := range []int{maxDepth + 1, 1000, 100_000} {
			text := `{"x":` + strings.Repeat(unit, depth)
			if _, ok := parseObject(text, nil); ok {
				t.Errorf("%d of %q were taken", depth, unit)
			}
			if _, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, text)); ReasonOf(err) != ReasonMalformed {
				t.Errorf("%d of %q: %v", depth, unit, err)
			}
		}
	}
	nested := func(n int) string {
		return with(accessPayload, "x", strings.Repeat("[", n)+strings.Repeat("]", n))
	}
	for n, want := range map[int]Reason{maxDepth - 1: "", maxDepth: ReasonMalformed} {
		if _, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, nested(n))); ReasonOf(err) != want {
			t.Errorf("%d lists: got %v; want %q", n, err, want)
		}
	}
	if _, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, manyMembers(maxMembers))); err != nil {
		t.Errorf("%d members: %v", maxMembers, err)
	}
}

// A JWK Set with a weak key: the key is ignored, its neighbour works on.
func surviveWeakKeys(t *testing.T) {
	t.Parallel()
	key := &testKey(t).PublicKey
	jwk := func(kid string, n *big.Int, e string) string {
		return fmt.Sprintf(`{"kty":"RSA","use":"sig","alg":"RS256","kid":%q,"n":%q,"e":%q}`, kid, encode(string(n.Bytes())), e)
	}
	odd := func(bits int) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.SetBit(n, 0, 1)
	}
	set := []string{
		jwk("one", key.N, "AQ"), jwk("even", key.N, "AQAA"), jwk("zero", key.N, "AA"), jwk("huge-e", key.N, "_____w"), jwk("long-e", key.N, "AQAAAAAB"),
		jwk("1024", odd(1024), "AQAB"), jwk("2047", odd(2047), "AQAB"), jwk("4097", odd(4097), "AQAB"), jwk("16384", odd(16384), "AQAB"),
		jwk("even-n", new(big.Int).Lsh(odd(2047), 1), "AQAB"), jwk("good", key.N, "AQAB"),
	}
	keys, err := ParseJWKS([]byte(`{"keys":[` + strings.Join(set, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 1 || keys["good"] == nil || !keys["good"].Equal(key) {
		t.Errorf("got %d keys: %v", len(keys), keys)
	}
	token := sign(t, `{"alg":"RS256","kid":"good"}`, accessPayload)
	if _, err := newVerifier(t, keys).Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
}
