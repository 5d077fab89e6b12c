package main

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
	"github.com/gatewright/gatewright/internal/customers"
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

// BenchmarkUncachedKey is a key of a customer that is not remembered, read from a
// table over a connection of this machine. Goal: exactly one GetItem.
func BenchmarkUncachedKey(b *testing.B) {
	s := newStand(b)
	kept, text := s.keepTable(b)
	event := keyEvent(b, "Bearer "+text)
	for b.Loop() {
		s.clock.forward(authn.FreshFor)
		authorize(b, s, event)
	}
	b.ReportMetric(float64(kept.gets.Load())/float64(b.N), "GetItem/op")
	b.ReportMetric(float64(kept.requests.Load())/float64(b.N), "requests/op")
}

// BenchmarkMalformedKey is a key or Basic that cannot be of this stage. Goal: no
// request to anything.
func BenchmarkMalformedKey(b *testing.B) {
	s := newStand(b)
	kept, text := s.keepTable(b)
	events := [][]byte{}
	for _, sent := range malformedKeys(text) {
		events = append(events, keyEvent(b, sent))
	}
	for b.Loop() {
		for _, event := range events {
			if _, err := s.Invoke(b.Context(), event); err == nil {
				b.Fatal("allowed")
			}
		}
	}
	b.ReportMetric(float64(int(kept.requests.Load())+s.issuer.readTimes()), "requests")
}

// wire is a table as a server: it keeps the item of the last PutItem, and counts.
type wire struct {
	mu             sync.Mutex
	item           json.RawMessage
	requests, gets atomic.Int32
}

func (t *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests.Add(1)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch r.Header.Get("X-Amz-Target") {
	case "DynamoDB_20120810.GetItem":
		t.gets.Add(1)
		if t.item != nil {
			_, _ = fmt.Fprintf(w, `{"Item":%s}`, t.item)
			return
		}
	case "DynamoDB_20120810.PutItem":
		var input struct{ Item json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		t.item = input.Item
	}
	_, _ = io.WriteString(w, "{}")
}

// keepTable puts the real client and store of customers in the place of the
// stand's table, and returns a server that holds one customer, with its key.
func (s *stand) keepTable(b *testing.B) (*wire, string) {
	kept := &wire{}
	server := httptest.NewServer(kept)
	b.Cleanup(server.Close)
	client, err := customers.NewFunctionClient(func(name string) string {
		return map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.URL}[name]
	})
	if err != nil {
		b.Fatal(err)
	}
	store := customers.NewStore(client, "Customers")
	c, err := store.Create(b.Context(), customers.NewCustomer{Name: "Acme", Plan: "gold", Scopes: []string{"notes/read"}})
	if err != nil {
		b.Fatal(err)
	}
	k, err := store.CreateKey(b.Context(), c.ID, keyFormat, customers.NewKeyRequest{})
	if err != nil {
		b.Fatal(err)
	}
	s.table.store = store
	kept.requests.Store(0)
	kept.gets.Store(0)
	return kept, k.Text()
}

// malformedKeys are of a wrong form, or of another stage, by name.
func malformedKeys(text string) map[string]string {
	return map[string]string{
		"bad checksum": "Bearer " + text[:len(text)-6] + "000000", "cut short": "Bearer " + text[:40], "prefix alone": "Bearer gw_",
		"another stage": "Bearer " + authn.KeyFormat{Prefix: "gw", Tag: "prod"}.NewKey(customerID).Text,
		"long junk":     "Bearer gw_" + strings.Repeat("a", 9000), "Basic junk": "Basic " + strings.Repeat("A", 9000),
		"Basic without a colon": "Basic YWJj", "Basic of another form": basic("user", "password"),
	}
}

// BenchmarkRefusals tells how the dearest refusal of the survival list's rows
// compares with an acceptance of the same kind, in turn. Goal: at most 1.
func BenchmarkRefusals(b *testing.B) {
	s, events := newStand(b), tokenEvents(b)
	next := 0
	reportDearest(b, s, refusedEvents(b), func() {
		authorize(b, s, events[next%len(events)])
		next++
	})
}

// BenchmarkKeyRefusals is the same of keys and Basic: of what is malformed, and of
// what is unknown and remembered.
func BenchmarkKeyRefusals(b *testing.B) {
	s := newStand(b)
	sent := malformedKeys(s.key.Text)
	sent["unknown id"] = "Bearer " + keyFormat.NewKey("000000000000").Text
	sent["wrong secret"] = "Bearer " + keyFormat.NewKey(customerID).Text
	refused := map[string][]byte{}
	for name, text := range sent {
		refused[name] = keyEvent(b, text)
	}
	good := keyEvent(b, "Bearer "+s.key.Text)
	reportDearest(b, s, refused, func() { authorize(b, s, good) })
}

// reportDearest compares each event that is refused with an acceptance. Of many
// measurements the greatest is the unluckiest, too: so the dearest few are measured
// once more, and longer, and the greatest of that counts.
func reportDearest(b *testing.B, s *stand, refused map[string][]byte, accept func()) {
	ratio := func(name string, times int) float64 {
		return compare(times, func() {
			if _, err := s.Invoke(b.Context(), refused[name]); err == nil {
				b.Fatalf("%s: allowed", name)
			}
		}, accept)
	}
	const again = 5
	var ratios []float64
	of := ""
	for b.Loop() {
		first := map[string]float64{}
		for name := range refused {
			first[name] = ratio(name, 9)
		}
		names := slices.SortedFunc(maps.Keys(first), func(x, y string) int { return cmp.Compare(first[y], first[x]) })
		dearest := 0.0
		for _, name := range names[:again] {
			if r := ratio(name, 101); r > dearest {
				dearest, of = r, name
			}
		}
		ratios = append(ratios, dearest)
	}
	slices.Sort(ratios)
	b.Logf("the dearest refusal is %s", of)
	b.ReportMetric(ratios[len(ratios)/2], "x/acceptance")
}

// compare returns the median ratio of two works' times, measured in turn so often.
func compare(times int, work, baseline func()) float64 {
	work()
	baseline()
	var ratios []float64
	for range times {
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
		ratios = append(ratios, compare(9, work, raw))
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
