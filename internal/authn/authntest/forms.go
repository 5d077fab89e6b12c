package authntest

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// spellings are other spellings of a genuine token, two of its segments signed
// as they are misspelt.
func (f forger) spellings() []Token {
	f.Helper()
	// One spare byte in each segment leaves four spare bits in its last
	// character; "?" gives the payload a "/" in the other alphabet.
	header, payload := AccessHeader, With(f.payload, "x", `"???????"`)
	for len(header)%3 != 1 {
		header += " "
	}
	for len(payload)%3 != 1 {
		payload += " "
	}
	good := strings.Split(Sign(f, header, payload), ".")
	spare := func(s string) string { return s[:len(s)-1] + string(rune(s[len(s)-1]+1)) }
	cut := func(what string) func(string) string {
		return func(s string) string { return s[:8] + what + s[8:] }
	}
	standard := func(s string) string {
		decoded, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			f.Fatal(err)
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
	var list []Token
	add := func(name string, segment int, text string) {
		segments := append([]string(nil), good...)
		segments[segment] = text
		token := strings.Join(segments, ".")
		if segment < 2 {
			token = SignSegments(f, strings.Join(segments[:2], "."))
		}
		list = append(list, Token{fmt.Sprintf("%s, segment %d", name, segment), token, reasonMalformed, 0})
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
			f.Fatal("the payload has no character that differs between the alphabets")
		}
	}
	return list
}

func (f forger) serializations() []Token {
	f.Helper()
	good := Sign(f, AccessHeader, f.payload)
	s := strings.Split(good, ".")
	return []Token{
		{"flattened", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, s[0], s[1], s[2]), reasonMalformed, 0},
		{"flattened with dots", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q,"x":".."}`, s[0], s[1], s[2]), reasonMalformed, 0},
		{"general", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, s[1], s[0], s[2]), reasonMalformed, 0},
		{"one segment", s[0], reasonMalformed, 0},
		{"two segments", s[0] + "." + s[1], reasonMalformed, 0},
		{"four segments", good + "." + s[2], reasonMalformed, 0},
		{"four segments, last empty", good + ".", reasonMalformed, 0},
		{"five segments", good + "." + s[2] + "." + s[2], reasonMalformed, 0},
		{"dot in front", "." + good, reasonMalformed, 0},
		{"empty payload", SignSegments(f, s[0]+"."), reasonMalformed, 0},
		{"two tokens", good + "," + good, reasonMalformed, 0},
	}
}

func (f forger) brokenJSON() []Token {
	f.Helper()
	list := f.claimTokens(reasonMalformed,
		"\"x\":\"\xff\"", "\"x\":\"\xc3\"", "\"x\":\"\xed\xa0\x80\"", "\"x\":\"\xc0\xaf\"", "\"\xff\":1",
		`"x":"\ud800"`, `"x":"\udc00"`, `"x":"\ud800\ud800"`, `"x":"\ud800x"`, `"x":"\ud800\n"`, `"x":"\ud800\u0041"`, `"\ud800":1`,
		`"x":"\x41"`, `"x":"\u00g0"`, `"x":"\u+123"`, `"x":"\u12"`, `"x":"\`, `"x":"\"`, `"x":"\'"`, "\"x\":\"\n\"", "\"x\":\"\x00\"",
		`"x":'y'`, `x:1`, `"x":tru`, `"x":True`, `"x":nul`, `"x":undefined`, `"x":1,`, `,`, `"x"`, `"x":[1,]`, `"x":[,1]`, `"x":[1 2]`,
		`"x":[`, `"x":[1`, `"x":[1}`, `"x":{`, `"x":{]`, `"x":/**/1`, "\"x\":\u00a01", `"x":1 "y":2`, `"x":1}{"y":2`)
	for name, payload := range map[string]string{
		"byte order mark": "\ufeff" + f.payload, "UTF-16": "{\x00}\x00", "trailing brace": f.payload + "}",
		"trailing object": f.payload + f.payload, "trailing NUL": f.payload + "\x00", "trailing text": f.payload + " x",
		"no brace": f.payload[1:], "no closing brace": f.payload[:len(f.payload)-1], "string": `"x"`, "null": "null",
		"white space": " ", "vertical tab": "\v" + f.payload, "too many members": manyMembers(f.payload, 129),
		"too many members in all": With(manyMembers(f.payload, 127), "y", `{"a":1}`),
	} {
		list = append(list, Token{name, Sign(f, AccessHeader, payload), reasonMalformed, 0})
	}
	for name, header := range map[string]string{
		"header with byte order mark": "\ufeff" + AccessHeader, "header with trailing data": AccessHeader + "{}",
		"header with lone surrogate": `{"alg":"RS256","kid":"\ud800"}`, "header with bad UTF-8": "{\"alg\":\"RS256\",\"kid\":\"\xff\"}",
		"deep header": `{"alg":` + strings.Repeat("[", 700),
	} {
		list = append(list, Token{name, Sign(f, header, f.payload), reasonMalformed, 0})
	}
	return list
}

// ManyMembers adds members to a good payload until it has n.
func ManyMembers(n int) string { return manyMembers(AccessPayload, n) }

func manyMembers(payload string, n int) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(payload, "}"))
	for i := strings.Count(payload, `":`); i < n; i++ {
		fmt.Fprintf(&b, `,"x%d":0`, i)
	}
	return b.String() + "}"
}
