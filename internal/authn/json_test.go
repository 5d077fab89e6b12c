package authn

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestLower checks that names which any reader may take for equal are equal
// here: all of Unicode's simple case foldings.
func TestLower(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune + 1 {
		if !utf8.ValidRune(r) {
			continue
		}
		if a, b := lower(string(r)), lower(string(unicode.SimpleFold(r))); a != b {
			t.Errorf("%U: %q and %q", r, a, b)
		}
	}
	for name, want := range map[string]string{"exp": "exp", "EXP": "exp", "ſub": "sub", "\u212aid": "kid", "ısş": "isş"} {
		if got := lower(name); got != want {
			t.Errorf("%q became %q; want %q", name, got, want)
		}
	}
}

// FuzzParseObject: what we take, encoding/json takes too, and reads the same.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		accessPayload, machinePayload, idPayload, accessHeader, `{}`, ` { "a" : [ 1 , -0.5e+3 , true , false , null , {"b":[]} ] } `,
		`{"a":"\ud83d\ude00\/\b\f\n\r\t\\\"\u0000é"}`, `{"\u0061":1,"B":2}`, `{"a":1,"A":2}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
		`{"a":01}`, `{"a":1e999}`, `{"a":1}x`, "\ufeff{}", `{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, ok := parseObject(text, nil)
		if !ok {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("taken, but encoding/json says %v", err)
		}
		if len(read.members) != len(want) {
			t.Fatalf("%d members; encoding/json has %d", len(read.members), len(want))
		}
		for name, value := range want {
			m := read.get(lower(name))
			if lower(name) == name && m.kind == miscased || lower(name) != name && m.kind != miscased {
				t.Errorf("%q is of kind %q", name, m.kind)
			}
			switch got := decodeAny(t, m, value); {
			case m.kind == miscased:
			case !reflect.DeepEqual(got, value):
				t.Errorf("%q is %#v; encoding/json reads %#v", name, got, value)
			}
		}
	})
}

// decodeAny gives encoding/json the text that we cut out for one value.
func decodeAny(t *testing.T, m value, like any) any {
	t.Helper()
	if _, isString := like.(string); isString {
		return m.text
	}
	var got any
	if err := json.Unmarshal([]byte(m.text), &got); err != nil {
		t.Error(err)
	}
	return got
}

// TestParseObjectTakesJSON: what encoding/json writes, we take, unless a bound
// or a name forbids it.
func TestParseObjectTakesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{}
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 20, lower).Draw(t, "names") {
			if utf8.ValidString(name) && !strings.ContainsRune(name, utf8.RuneError) {
				want[name] = rapid.OneOf(
					rapid.String().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(), rapid.SliceOf(rapid.String()).AsAny(),
					rapid.MapOf(rapid.StringMatching(`[a-z]{0,8}`), rapid.Int().AsAny()).AsAny(),
				).Draw(t, "value")
			}
		}
		var text []byte
		var err error
		if rapid.Bool().Draw(t, "indented") {
			text, err = json.MarshalIndent(want, "", "\t")
		} else {
			text, err = json.Marshal(want)
		}
		if err != nil {
			t.Fatal(err)
		}
		if read, ok := parseObject(string(text), nil); !ok || len(read.members) != len(want) {
			t.Fatalf("not taken: %s", text)
		}
	})
}
