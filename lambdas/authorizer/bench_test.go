package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// Each benchmark is of an event's bytes to the policy's, metrics and log included,
// on one processor. The ratios compare it with a bare RSA-2048 verification, in
// turn, so that what else the machine does strikes both.

// rounds are in one measurement of a ratio.
const rounds = 20

// BenchmarkNewToken is a token that was never seen. Goal: at most 1.3 of a raw
// verification, and 20 allocations beyond its own.
func BenchmarkNewToken(b *testing.B) {
	s, events := newStand(b), tokenEvents(b)
	next := 0
	reportRatio(b, func() {
		authorize(b, s, events[next%len(events)])
		next++
	})
}

// BenchmarkSeenToken is one that was. Goal: at most 0.1.
func BenchmarkSeenToken(b *testing.B) {
	s, event := newStand(b), marshal(b, newEvent("Bearer "+goodToken(b)))
	reportRatio(b, func() { authorize(b, s, event) })
}

// BenchmarkNewTokenAllocations and BenchmarkRawAllocations tell how many
// allocations are the verification's own.
func BenchmarkNewTokenAllocations(b *testing.B) {
	s, events := newStand(b), tokenEvents(b)
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		authorize(b, s, events[next%len(events)])
		next++
	}
}

func BenchmarkRawAllocations(b *testing.B) {
	raw := rawVerification(b)
	b.ReportAllocs()
	for b.Loop() {
		raw()
	}
}

// BenchmarkKey is a key, or Basic, of a customer that is remembered. Goal: at most
// 5 µs.
func BenchmarkKey(b *testing.B) {
	s := newStand(b)
	for name, sent := range map[string]string{"bearer": "Bearer " + s.key.Text, "basic": basic(s.key.BasicUser(), s.key.BasicPassword())} {
		event := keyEvent(b, sent)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				authorize(b, s, event)
			}
		})
	}
}

// BenchmarkRefusals tells how the dearest refusal of the survival list's rows
// compares with an acceptance of the same kind, in turn. Goal: at most 1.
func BenchmarkRefusals(b *testing.B) {
	s, events := newStand(b), tokenEvents(b)
	dearest, of := 0.0, ""
	for b.Loop() {
		next := 0
		accept := func() {
			authorize(b, s, events[next%len(events)])
			next++
		}
		for name, event := range refusedEvents(b) {
			ratio := compare(func() {
				if _, err := s.Invoke(b.Context(), event); err == nil {
					b.Fatalf("%s: allowed", name)
				}
			}, accept)
			if ratio > dearest {
				dearest, of = ratio, name
			}
		}
	}
	b.Logf("the dearest refusal is %s", of)
	b.ReportMetric(dearest, "x/acceptance")
}

// BenchmarkKeyRefusals is the same of keys and Basic: of what is malformed, and of
// what is unknown and remembered.
func BenchmarkKeyRefusals(b *testing.B) {
	s := newStand(b)
	good, dearest, of := keyEvent(b, "Bearer "+s.key.Text), 0.0, ""
	accept := func() { authorize(b, s, good) }
	refused := map[string]string{
		"bad checksum": "Bearer " + s.key.Text[:len(s.key.Text)-6] + "000000", "cut short": "Bearer " + s.key.Text[:40], "prefix alone": "Bearer gw_",
		"another stage": "Bearer " + authn.KeyFormat{Prefix: "gw", Tag: "prod"}.NewKey(customerID).Text, "unknown id": "Bearer " + keyFormat.NewKey("000000000000").Text,
		"wrong secret": "Bearer " + keyFormat.NewKey(customerID).Text, "long junk": "Bearer gw_" + strings.Repeat("a", 9000), "Basic junk": "Basic " + strings.Repeat("A", 9000),
		"Basic without a colon": "Basic YWJj", "Basic of another form": basic("user", "password"),
	}
	for b.Loop() {
		for name, sent := range refused {
			event := keyEvent(b, sent)
			ratio := compare(func() {
				if _, err := s.Invoke(b.Context(), event); err == nil {
					b.Fatalf("%s: allowed", name)
				}
			}, accept)
			if ratio > dearest {
				dearest, of = ratio, name
			}
		}
	}
	b.Logf("the dearest refusal is %s", of)
	b.ReportMetric(dearest, "x/acceptance")
}

// compare returns the median ratio of two works' times, measured in turn.
func compare(work, baseline func()) float64 {
	work()
	baseline()
	var ratios []float64
	for range 9 {
		var spent [2]time.Duration
		for range rounds {
			start := time.Now()
			baseline()
			middle := time.Now()
			work()
			spent[0] += middle.Sub(start)
			spent[1] += time.Since(middle)
		}
		ratios = append(ratios, float64(spent[1])/float64(spent[0]))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// reportRatio compares work with a raw verification.
func reportRatio(b *testing.B, work func()) {
	raw := rawVerification(b)
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, compare(work, raw))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x/raw-rsa")
}

// rawVerification is what nobody can do without: one hash and one RSA
// verification.
func rawVerification(b *testing.B) func() {
	token := goodToken(b)
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	key := &authntest.Key(b).PublicKey
	return func() {
		digest := sha256.Sum256([]byte(token[:dot]))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
	}
}

var signedEvents [][]byte

// tokenEvents are more tokens than the authorizer remembers, so that in turn each
// is new to it.
func tokenEvents(b *testing.B) [][]byte {
	for i := len(signedEvents); i < 2200; i++ {
		payload := authntest.With(authntest.AccessPayload, "jti", fmt.Sprintf(`"b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f%04d"`, i))
		signedEvents = append(signedEvents, marshal(b, newEvent("Bearer "+authntest.Sign(b, authntest.AccessHeader, payload))))
	}
	return signedEvents
}

// refusedEvents are the first event of each form of the survival list's rows 1 to
// 16 that is refused, by name. A flood of unknown key ids (row 8) is one after its
// one fetch.
func refusedEvents(b *testing.B) map[string][]byte {
	events := map[string][]byte{
		"08_unknown_kid":           nil,
		"12_ten_kilobytes_of_dots": marshal(b, newEvent("Bearer "+strings.Repeat(".", 10<<10))),
		"12_ten_kilobytes":         marshal(b, newEvent("Bearer "+strings.Repeat("a", 10<<10))),
		"13_many_members":          marshal(b, newEvent("Bearer "+authntest.Sign(b, authntest.AccessHeader, manyMembers()))),
		"15_expired":               marshal(b, newEvent("Bearer "+accessWith(b, "exp", "1600000000"))),
		"00_tampered":              marshal(b, newEvent("Bearer "+goodToken(b)[:len(goodToken(b))-6]+"AAAAAA")),
	}
	events["08_unknown_kid"] = marshal(b, newEvent("Bearer "+authntest.Sign(b, `{"alg":"RS256","kid":"made-up"}`, authntest.AccessPayload)))
	for _, row := range authntest.Refused(b) {
		for _, token := range row.Tokens {
			events[row.Name+": "+token.Name] = marshal(b, newEvent("Bearer "+token.Text))
		}
	}
	return events
}

// manyMembers is the dearest payload to read: as many members as are taken, with
// names as long as fit and alike as far as possible, and no issuer.
func manyMembers() string {
	var text strings.Builder
	for i := range 128 {
		fmt.Fprintf(&text, `,"%045d":1`, i)
	}
	return "{" + text.String()[1:] + "}"
}

func keyEvent(b *testing.B, authorization string) []byte {
	event := newEvent(authorization)
	event.Resource, event.MethodArn = "/v1/either", strings.Replace(methodARN, "/v1/session", "/v1/either", 1)
	return marshal(b, event)
}

func authorize(b *testing.B, s *stand, event []byte) {
	if _, err := s.Invoke(b.Context(), event); err != nil {
		b.Fatal(err)
	}
}
