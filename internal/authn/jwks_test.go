package authn

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseJWKS(t *testing.T) {
	t.Parallel()
	n := encode(string(testKey(t).N.Bytes()))
	jwk := func(kid, rest string) string {
		return fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":"AQAB"%s}`, kid, n, rest)
	}
	tests := []struct {
		name string
		keys []string
		want []string
	}{
		{"none", nil, nil},
		{"bare", []string{jwk("a", "")}, []string{"a"}},
		{"as Cognito's", []string{jwk(testKeyID, `,"alg":"RS256","use":"sig"`), jwk("b=", `,"alg":"RS256","use":"sig"`)}, []string{testKeyID, "b="}},
		{"key_ops", []string{jwk("a", `,"key_ops":["verify"]`), jwk("b", `,"key_ops":["encrypt"]`), jwk("c", `,"key_ops":[]`), jwk("d", `,"key_ops":"verify"`), jwk("e", `,"key_ops":["verify",1]`)}, []string{"a"}},
		{"use", []string{jwk("a", `,"use":"enc"`), jwk("b", `,"use":""`), jwk("c", `,"use":null`), jwk("d", `,"USE":"enc"`)}, nil},
		{"alg", []string{jwk("a", `,"alg":"RS512"`), jwk("b", `,"alg":"PS256"`), jwk("c", `,"alg":"rs256"`), jwk("d", `,"alg":"none"`)}, nil},
		{"other parameters", []string{jwk("a", `,"x5t":"x","x5c":["x"],"ext":true`)}, []string{"a"}},
		{"private key", []string{jwk("a", `,"d":"AQAB"`), jwk("b", `,"d":null`)}, nil},
		{"shared kid", []string{jwk("a", ""), jwk("b", ""), jwk("a", "")}, []string{"b"}},
		{"thrice", []string{jwk("a", ""), jwk("a", ""), jwk("a", "")}, nil},
		{"shared with an unusable key", []string{jwk("a", ""), `{"kty":"EC","kid":"a"}`, `{"kty":"EC","kid":"b"}`, jwk("b", "")}, nil},
		{"kid", []string{jwk("", ""), jwk("../a", ""), jwk(strings.Repeat("a", MaxKeyIDBytes+1), ""), `{"kty":"RSA","n":"` + n + `","e":"AQAB"}`,
			`{"kty":"RSA","kid":7,"n":"` + n + `","e":"AQAB"}`, jwk(strings.Repeat("a", MaxKeyIDBytes), "")}, []string{strings.Repeat("a", MaxKeyIDBytes)}},
		{"kty", []string{`{"kty":"rsa","kid":"a","n":"` + n + `","e":"AQAB"}`, `{"kty":"oct","kid":"b","k":"AAAA"}`, `{"kid":"c","n":"` + n + `","e":"AQAB"}`}, nil},
		{"numbers", []string{
			`{"kty":"RSA","kid":"a","n":"` + n + `"}`, `{"kty":"RSA","kid":"b","e":"AQAB"}`, `{"kty":"RSA","kid":"c","n":7,"e":"AQAB"}`,
			`{"kty":"RSA","kid":"d","n":"` + n + `","e":65537}`, `{"kty":"RSA","kid":"e","n":"` + n + `==","e":"AQAB"}`,
			`{"kty":"RSA","kid":"f","n":"` + n + `","e":"AAEAAQ"}`, `{"kty":"RSA","kid":"g","n":"` + n + `","e":""}`,
		}, nil},
		{"no objects", []string{`"a"`, "1", "null", "[]", jwk("a", "")}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set, err := ParseJWKS([]byte(` {"keys" : [` + strings.Join(test.keys, " , ") + `], "more":1}`))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for kid, key := range set {
				got = append(got, kid)
				if !key.Equal(&testKey(t).PublicKey) {
					t.Errorf("key %q differs", kid)
				}
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q; want %q", got, test.want)
			}
		})
	}
}

func TestParseJWKSFails(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "no keys": "{}", "keys is an object": `{"keys":{}}`, "keys is null": `{"keys":null}`,
		"KEYS": `{"KEYS":[]}`, "keys twice": `{"keys":[],"keys":[]}`, "keys in two cases": `{"keys":[],"Keys":[]}`,
		"a key's member twice": `{"keys":[{"kid":"a","kid":"b"}]}`, "trailing": `{"keys":[]}{}`, "HTML": "<html>", "broken": `{"keys":[`,
		"byte order mark": "\ufeff" + `{"keys":[]}`, "too large": `{"keys":[]}` + strings.Repeat(" ", MaxJWKSBytes),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if set, err := ParseJWKS([]byte(text)); err == nil || set != nil {
				t.Errorf("got %v, %v", set, err)
			}
		})
	}
}
