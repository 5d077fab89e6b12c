package iam

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

const region = "eu-west-1"

var (
	now      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	longTerm = Credential{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "planted-secret", Principal: "arn:aws:iam::000000000000:user/operator"}
	session  = Credential{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "planted-other", SessionToken: "planted-token/+==", Principal: "arn:aws:sts::000000000000:assumed-role/fn/s"}
	lapsed   = Credential{AccessKeyID: "ASIALAPSED", SecretAccessKey: "planted-third", SessionToken: "planted-old", Expires: now}
)

type store map[string]Credential

func (s store) Credential(id string) (Credential, bool) { c, ok := s[id]; return c, ok }

func newVerifier(t fataler, region string, at time.Time, credentials ...Credential) *Verifier {
	known := store{}
	for _, c := range credentials {
		known[c.AccessKeyID] = c
	}
	v, err := NewVerifier(Config{
		Credentials: known, Region: region,
		Service: func(service string) bool { return service != "other" },
		Now:     func() time.Time { return at },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type fataler interface{ Fatal(...any) }

// request is one to sign with the SDK's own signer.
type request struct {
	method, url string
	header      http.Header
	body        string
	service     string
	region      string
	payload     string // what the signer believes of the body; its hash by default
	at          time.Time
	as          Credential
	presign     bool
	lifetime    string // X-Amz-Expires of a presigned one
}

func basic() request {
	return request{
		method: "POST", url: "http://api.example.com:4010/v1/notes/a%2Fb%20c?limit=10&tag=a%2Bb",
		header: http.Header{"Content-Type": {"application/json"}, "X-Amz-Target": {"Service.Op"}},
		body:   `{"text":"hello"}`, service: "execute-api", region: region, at: now, as: longTerm, lifetime: "900",
	}
}

// signed signs q and returns what a server would read from the wire.
func (q request) signed(t fataler) (*http.Request, []byte) {
	r, err := http.NewRequest(q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = q.header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	payload := q.payload
	if payload == "" {
		sum := sha256.Sum256([]byte(q.body))
		payload = hex.EncodeToString(sum[:])
	}
	key := aws.Credentials{AccessKeyID: q.as.AccessKeyID, SecretAccessKey: q.as.SecretAccessKey, SessionToken: q.as.SessionToken}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = q.service == "s3" })
	if q.presign {
		r.URL.RawQuery += "&X-Amz-Expires=" + q.lifetime
		uri, header, err := signer.PresignHTTP(r.Context(), key, r, payload, q.service, q.region, q.at)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := http.NewRequest(q.method, uri, strings.NewReader(q.body))
		if err != nil {
			t.Fatal(err)
		}
		sent.Header = header
		r = sent
	} else if err := signer.SignHTTP(r.Context(), key, r, payload, q.service, q.region, q.at); err != nil {
		t.Fatal(err)
	}
	return overTheWire(t, r)
}

func overTheWire(t fataler, r *http.Request) (*http.Request, []byte) {
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(received.Body)
	if err != nil {
		t.Fatal(err)
	}
	return received, body
}

func TestVerifySDKSigner(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*request)
		want   Code // "" for verified
	}{
		"header":                    {func(*request) {}, ""},
		"session":                   {func(q *request) { q.as = session }, ""},
		"presigned":                 {func(q *request) { q.presign = true }, ""},
		"presigned session":         {func(q *request) { q.presign, q.as = true, session }, ""},
		"empty path and body":       {func(q *request) { q.method, q.url, q.body = "GET", "http://h", "" }, ""},
		"dot segments as sent":      {func(q *request) { q.url = "http://h/a/./b/../c//d" }, ""},
		"s3 takes the path as sent": {func(q *request) { q.service = "s3" }, ""},
		"s3 unsigned body":          {func(q *request) { q.service = "s3"; q.declare("UNSIGNED-PAYLOAD") }, ""},
		"s3 presigned":              {func(q *request) { q.service, q.presign, q.payload = "s3", true, "UNSIGNED-PAYLOAD" }, ""},
		"declared hash":             {func(q *request) { q.declare(hashOf(q.body)) }, ""},
		"clock behind":              {func(q *request) { q.at = now.Add(-MaxSkew) }, ""},
		"clock ahead":               {func(q *request) { q.at = now.Add(MaxSkew) }, ""},
		"presigned, last second":    {func(q *request) { q.presign, q.at = true, now.Add(-900*time.Second) }, ""},
		"long header value":         {func(q *request) { q.header.Set("X-Amz-Note", "  a   b  ") }, ""},
		"unsigned body":             {func(q *request) { q.declare("UNSIGNED-PAYLOAD") }, SignatureDoesNotMatch},
		"streaming body":            {func(q *request) { q.declare("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") }, SignatureDoesNotMatch},
		"another body declared":     {func(q *request) { q.declare(hashOf("x")) }, SignatureDoesNotMatch},
		"presigned, unsigned body":  {func(q *request) { q.presign, q.payload = true, "UNSIGNED-PAYLOAD" }, SignatureDoesNotMatch},
		"unknown key":               {func(q *request) { q.as.AccessKeyID = "AKIAUNKNOWN" }, InvalidClientTokenID},
		"wrong secret":              {func(q *request) { q.as.SecretAccessKey = "guess" }, SignatureDoesNotMatch},
		"session without token":     {func(q *request) { q.as = session; q.as.SessionToken = "" }, InvalidClientTokenID},
		"session, wrong token":      {func(q *request) { q.as = session; q.as.SessionToken = "guess" }, InvalidClientTokenID},
		"token nobody issued":       {func(q *request) { q.as.SessionToken = "guess" }, InvalidClientTokenID},
		"lapsed credential":         {func(q *request) { q.as = lapsed }, ExpiredToken},
		"lapsed, wrong secret":      {func(q *request) { q.as = lapsed; q.as.SecretAccessKey = "guess" }, SignatureDoesNotMatch},
		"wrong region":              {func(q *request) { q.region = "us-east-1" }, SignatureDoesNotMatch},
		"wrong service":             {func(q *request) { q.service = "other" }, SignatureDoesNotMatch},
		"clock too far behind":      {func(q *request) { q.at = now.Add(-MaxSkew - time.Second) }, RequestExpired},
		"clock too far ahead":       {func(q *request) { q.at = now.Add(MaxSkew + time.Second) }, RequestExpired},
		"presigned, lapsed":         {func(q *request) { q.presign, q.at = true, now.Add(-901*time.Second) }, RequestExpired},
		"presigned, ahead":          {func(q *request) { q.presign, q.at = true, now.Add(MaxSkew+time.Second) }, RequestExpired},
		"presigned for too long":    {func(q *request) { q.presign, q.lifetime = true, "604801" }, IncompleteSignature},
		"presigned for nothing":     {func(q *request) { q.presign, q.lifetime = true, "0" }, IncompleteSignature},
		"presigned for -1":          {func(q *request) { q.presign, q.lifetime = true, "-1" }, IncompleteSignature},
	}
	v := newVerifier(t, region, now, longTerm, session, lapsed)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := basic()
			test.change(&q)
			r, body := q.signed(t)
			c, err := v.Verify(r, body)
			if got := CodeOf(err); got != test.want || (err == nil) != (test.want == "") {
				t.Fatalf("%v, want %q", err, test.want)
			}
			if err == nil && c.Principal != q.as.Principal || err != nil && c != (Credential{}) {
				t.Errorf("returned %v", c)
			}
			if err != nil && strings.Contains(err.Error(), "planted") {
				t.Errorf("the error shows a secret: %v", err)
			}
			if want := q.service; ClaimedService(r) != want && test.want != IncompleteSignature {
				t.Errorf("ClaimedService is %q, want %q", ClaimedService(r), want)
			}
		})
	}
}

func (q *request) declare(hash string) {
	q.header.Set("X-Amz-Content-Sha256", hash)
	q.payload = hash
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// TestVerifyRapid compares with the SDK's signer over generated requests, and
// changes a byte of each.
func TestVerifyRapid(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, region, now, longTerm, session)
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019-._~ !*'()/:@&=+$,;%?#[]\"<>\\^`{|}é漢")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		q := basic()
		q.method = rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method")
		q.service = rapid.SampledFrom([]string{"execute-api", "sts", "s3"}).Draw(t, "service")
		q.presign = rapid.Bool().Draw(t, "presign")
		q.as = rapid.SampledFrom([]Credential{longTerm, session}).Draw(t, "credential")
		q.url = "http://h:1/" + strings.Join(mapped(rapid.SliceOfN(text, 0, 3).Draw(t, "path"), pathEscape), "/")
		pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return encode(text.Draw(t, "name"), "") + "=" + encode(text.Draw(t, "value"), "")
		}), 1, 4).Draw(t, "query")
		q.url += "?" + strings.Join(pairs, "&")
		q.body = text.Draw(t, "body")
		q.header = http.Header{"X-Note": {rapid.StringMatching(`[a-z]( ?[a-z ,;"=]*[a-z])?`).Draw(t, "header")}}
		if q.service == "s3" {
			q.header.Set("X-Amz-Content-Sha256", hashOf(q.body))
		}
		r, body := q.signed(t)
		if _, err := v.Verify(r, body); err != nil {
			t.Fatalf("%s %s: %v", r.Method, r.RequestURI, err)
		}
		if len(body) > 0 {
			changed := slices.Clone(body)
			changed[rapid.IntRange(0, len(body)-1).Draw(t, "at")] ^= 1
			if _, err := v.Verify(r, changed); err == nil {
				t.Fatal("another body passed")
			}
		}
		r.RequestURI = "/x" + r.RequestURI
		if _, err := v.Verify(r, body); CodeOf(err) != SignatureDoesNotMatch {
			t.Fatalf("another path: %v", err)
		}
	})
}

func pathEscape(segment string) string { return encode(segment, "") }

func mapped(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

func TestNewVerifierRefusesHalfAConfig(t *testing.T) {
	t.Parallel()
	full := Config{Credentials: store{}, Region: region, Service: func(string) bool { return true }}
	for name, c := range map[string]Config{
		"no store":   {Region: full.Region, Service: full.Service},
		"no region":  {Credentials: full.Credentials, Service: full.Service},
		"no service": {Credentials: full.Credentials, Region: full.Region},
	} {
		if _, err := NewVerifier(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r, body := basic().signed(t)
	if _, err := new(Verifier).Verify(r, body); err == nil {
		t.Error("the zero value verifies")
	}
	// A store that answers for any id must not make an empty secret one to sign with.
	q := basic()
	q.as.SecretAccessKey = ""
	r, body = q.signed(t)
	if _, err := newVerifier(t, region, now, Credential{AccessKeyID: q.as.AccessKeyID}).Verify(r, body); CodeOf(err) != InvalidClientTokenID {
		t.Errorf("empty secret: %v", err)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	want := map[Code]string{
		MissingAuthenticationToken: "403 MissingAuthenticationTokenException",
		IncompleteSignature:        "400 IncompleteSignatureException",
		InvalidClientTokenID:       "403 UnrecognizedClientException",
		SignatureDoesNotMatch:      "403 InvalidSignatureException",
		RequestExpired:             "400 InvalidSignatureException",
		ExpiredToken:               "403 ExpiredTokenException",
	}
	for _, code := range slices.Sorted(maps.Keys(want)) {
		if got := fmt.Sprint(code.Status(), " ", code.Exception()); got != want[code] {
			t.Errorf("%s: %s, want %s", code, got, want[code])
		}
	}
}

func TestCredentialHidesItsSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credential", session)
	printed := log.String() + fmt.Sprintf("%v %+v %#v %s %q %d", session, session, &session, session, session, []Credential{session})
	if strings.Contains(printed, "planted") || !strings.Contains(printed, session.AccessKeyID) {
		t.Errorf("printed as %s", printed)
	}
	if !json.Valid(log.Bytes()) {
		t.Errorf("log line is not JSON: %s", &log)
	}
}
