package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// BenchmarkAuthorize is one event with a token that no one remembers, from its
// bytes to the policy's.
func BenchmarkAuthorize(b *testing.B) {
	s, event := newStand(b), marshal(b, newEvent("Bearer "+goodToken(b)))
	b.ReportAllocs()
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		authorize(b, s, event)
	}
}

// BenchmarkAuthorizeRatio runs it and a bare RSA-2048 verification in turn, so
// that what else the machine does strikes both, and reports the median ratio.
// Goal: at most 1.3.
func BenchmarkAuthorizeRatio(b *testing.B) {
	token := goodToken(b)
	s, event := newStand(b), marshal(b, newEvent("Bearer "+token))
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	var ratios []float64
	for b.Loop() {
		var spent [2]time.Duration
		for range 20 {
			start := time.Now()
			digest := sha256.Sum256([]byte(token[:dot]))
			if err := rsa.VerifyPKCS1v15(&authntest.Key(b).PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
			middle := time.Now()
			authorize(b, s, event)
			spent[0] += middle.Sub(start)
			spent[1] += time.Since(middle)
		}
		ratios = append(ratios, float64(spent[1])/float64(spent[0]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x/raw-rsa")
}

func authorize(b *testing.B, s *stand, event []byte) {
	if _, err := s.Invoke(b.Context(), event); err != nil {
		b.Fatal(err)
	}
}
