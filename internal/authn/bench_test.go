package authn

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"testing"
	"time"
)

// rawVerify is what nobody can do without: one hash and one RSA verification.
func rawVerify(b *testing.B, signed, signature []byte) {
	digest := sha256.Sum256(signed)
	if err := rsa.VerifyPKCS1v15(&testKey(b).PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		b.Fatal(err)
	}
}

func verifyOnce(b *testing.B, v *Verifier, token string) {
	if _, err := v.Verify(b.Context(), token); err != nil {
		b.Fatal(err)
	}
}

func parsed(b *testing.B, token string) jws {
	var j jws
	if err := j.parse([]byte(token)); err != nil {
		b.Fatal(err)
	}
	return j
}

func BenchmarkVerify(b *testing.B) {
	v, token := testVerifier(b), sign(b, accessHeader, accessPayload)
	b.ReportAllocs()
	for b.Loop() {
		verifyOnce(b, v, token)
	}
}

func BenchmarkRawRSAVerify(b *testing.B) {
	j := parsed(b, sign(b, accessHeader, accessPayload))
	b.ReportAllocs()
	for b.Loop() {
		rawVerify(b, j.signed, j.signature)
	}
}

// BenchmarkRatio runs both in turn, so that what else the machine does strikes
// both, and reports the median ratio. Goal: at most 1.15.
func BenchmarkRatio(b *testing.B) {
	v, token := testVerifier(b), sign(b, accessHeader, accessPayload)
	j := parsed(b, token)
	var ratios []float64
	for b.Loop() {
		var spent [2]time.Duration
		for range 20 {
			start := time.Now()
			rawVerify(b, j.signed, j.signature)
			middle := time.Now()
			verifyOnce(b, v, token)
			spent[0] += middle.Sub(start)
			spent[1] += time.Since(middle)
		}
		ratios = append(ratios, float64(spent[1])/float64(spent[0]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x/raw-rsa")
}

// BenchmarkRefuse is what junk of the greatest length costs: no RSA work.
func BenchmarkRefuse(b *testing.B) {
	v, token := testVerifier(b), sign(b, accessHeader, expensivePayload())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err == nil {
			b.Fatal("accepted")
		}
	}
}
