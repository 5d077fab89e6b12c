package authn

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// The rows of TestSurvive that are about form: of a token, of JSON, of keys.

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
	if _, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, authntest.ManyMembers(maxMembers))); err != nil {
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
