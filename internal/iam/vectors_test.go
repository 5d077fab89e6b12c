package iam

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vectorsDir finds the signing vectors of aws-c-auth, which live beside the
// repository.
func vectorsDir(t *testing.T) string {
	t.Helper()
	root := os.Getenv("GATEWRIGHT_VECTORS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	dir := filepath.Join(root, "sigv4")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no signing vectors; set GATEWRIGHT_VECTORS to their folder: %v", err)
		}
		t.Skip("no signing vectors here; set GATEWRIGHT_VECTORS to their folder")
	}
	return dir
}

type vector struct {
	Credentials struct {
		AccessKeyID string `json:"access_key_id"`
		Secret      string `json:"secret_access_key"`
		Token       string `json:"token"`
	} `json:"credentials"`
	Normalize bool      `json:"normalize"`
	OmitToken bool      `json:"omit_session_token"`
	Region    string    `json:"region"`
	Service   string    `json:"service"`
	Timestamp time.Time `json:"timestamp"`
}

func (v *vector) verifier(t *testing.T, token string) *Verifier {
	return newVerifier(t, v.Region, v.Timestamp, Credential{
		AccessKeyID: v.Credentials.AccessKeyID, SecretAccessKey: v.Credentials.Secret, SessionToken: token, Principal: "arn:aws:iam::000000000000:user/vector",
	})
}

func TestVectors(t *testing.T) {
	t.Parallel()
	dir := vectorsDir(t)
	names, err := filepath.Glob(filepath.Join(dir, "*", "context.json"))
	if err != nil || len(names) < 38 {
		t.Fatalf("%d vectors, %v; want all 38", len(names), err)
	}
	for _, name := range names {
		for _, form := range []string{"header", "query"} {
			t.Run(filepath.Base(filepath.Dir(name))+"/"+form, func(t *testing.T) {
				t.Parallel()
				testVector(t, filepath.Dir(name), form)
			})
		}
	}
}

func testVector(t *testing.T, dir, form string) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var v vector
	if err := json.Unmarshal([]byte(read("context.json")), &v); err != nil {
		t.Fatal(err)
	}
	signed := read(form + "-signed-request.txt")
	r, body := parseVector(t, signed)
	token := v.Credentials.Token
	if v.OmitToken {
		// The token was added to the finished request. Nobody signed it, so it
		// is refused; without it the signature is good.
		if _, err := v.verifier(t, token).Verify(r, body); CodeOf(err) != SignatureDoesNotMatch {
			t.Errorf("with an unsigned session token: %v", err)
		}
		token = ""
		r.Header.Del("X-Amz-Security-Token")
		r.RequestURI = dropToken(r.RequestURI)
	}
	if clean := cleanTarget(r.RequestURI); v.Normalize && clean != r.RequestURI {
		// Here the client folded the path for the signature. Only the path that
		// was signed is taken, so sending another is refused.
		if _, err := v.verifier(t, token).Verify(r, body); CodeOf(err) != SignatureDoesNotMatch {
			t.Errorf("path sent is not the path signed: %v", err)
		}
		r.RequestURI = clean
	}

	s, err := readSignature(r)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := s.payloadHash(r, body)
	if err != nil {
		t.Fatal(err)
	}
	canonical := s.canonicalRequest(r, payload)
	if want := read(form + "-canonical-request.txt"); canonical != want {
		t.Errorf("canonical request\n%s\nwant\n%s", canonical, want)
	}
	if got, want := s.stringToSign(canonical), read(form+"-string-to-sign.txt"); got != want {
		t.Errorf("string to sign\n%s\nwant\n%s", got, want)
	}
	if got, want := s.sign(canonical, v.Credentials.Secret), read(form+"-signature.txt"); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	c, err := v.verifier(t, token).Verify(r, body)
	if err != nil || c.AccessKeyID != v.Credentials.AccessKeyID {
		t.Errorf("Verify: %v, %v", c, err)
	}
}

// parseVector reads a request file. http.ReadRequest refuses some, which hold
// spaces and UTF-8 in the target on purpose.
func parseVector(t *testing.T, text string) (*http.Request, []byte) {
	t.Helper()
	reader := textproto.NewReader(bufio.NewReader(strings.NewReader(strings.TrimRight(text, "\n") + "\n\n")))
	line, err := reader.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	method, rest, _ := strings.Cut(line, " ")
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		// A request with a body: the trimmed line break belongs to nothing.
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader.R)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{
		Method: method, URL: &url.URL{}, RequestURI: strings.TrimSuffix(rest, " HTTP/1.1"),
		Header: http.Header(header), Host: header.Get("Host"),
	}
	r.Header.Del("Host")
	return r, []byte(strings.TrimRight(string(body), "\n"))
}

// cleanTarget folds dot segments and double slashes (RFC 3986 section 5.2.4).
func cleanTarget(target string) string {
	p, query, found := strings.Cut(target, "?")
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	if found {
		clean += "?" + query
	}
	return clean
}

func dropToken(target string) string {
	p, query, found := strings.Cut(target, "?")
	if !found {
		return target
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if !strings.HasPrefix(pair, "X-Amz-Security-Token=") {
			kept = append(kept, pair)
		}
	}
	return p + "?" + strings.Join(kept, "&")
}
