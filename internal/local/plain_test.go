package local

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/gobuild"
)

// plain is a running stage of testdata/plain: what the CDK's own RestApi writes,
// without stages/, without our constructs or metadata, with two APIs.
type plain struct {
	Ready
	key *rsa.PrivateKey
	kid string
}

// started tells when the banner was written, which is once everything is served.
type started struct {
	text bytes.Buffer
	once sync.Once
	done chan struct{}
}

func (s *started) Write(p []byte) (int, error) {
	defer s.once.Do(func() { close(s.done) })
	return s.text.Write(p)
}

// plainAssembly copies testdata/plain, with a function that is built for this
// machine and one that is none of ours.
func plainAssembly(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cdk.out")
	if err := os.CopyFS(dir, os.DirFS("testdata/plain")); err != nil {
		t.Fatal(err)
	}
	const module = "github.com/gatewright/gatewright"
	source := gobuild.Source{Module: module, Package: module + "/internal/local/testdata/echo"}
	if err := gobuild.Build(t.Context(), "../..", source, gobuild.Host(), filepath.Join(dir, "asset.echo", "bootstrap")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "asset.node"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// servePlain runs the API plain until the test ends. Its output is read, and
// must hold no key, once the stage has stopped.
func servePlain(t *testing.T) *plain {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("assets hold Linux executables")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	out, log := &started{done: make(chan struct{})}, &bytes.Buffer{}
	p := &plain{key: key}
	t.Cleanup(func() {
		for _, key := range p.APIKeys {
			if strings.Contains(log.String(), key.Value) || !strings.Contains(out.text.String(), key.Value) {
				t.Errorf("the key %s is in the log, or not in the banner", key.Name)
			}
		}
		if strings.Contains(log.String(), "planted-secret") {
			t.Error("the log holds a key")
		}
		for _, want := range []string{
			`curl -H "x-api-key: $KEY" ` + p.API + "/paid", p.APIID + ".execute-api.localhost", "/test\n", "# answers 500: it carries no source",
			`-d '{"title":"title"}' "` + p.API + `/checked?q=q"`, "AWS_IAM signature (refused for now)", "any ID token",
		} {
			if !strings.Contains(out.text.String(), want) {
				t.Errorf("the banner has no %s:\n%s", want, out.text.String())
			}
		}
	})
	p.Ready = start(t, Config{Assembly: plainAssembly(t), AppDir: t.TempDir(), Stage: "Plain", API: "plain", SigningKey: key}, out, log)
	var keys struct{ Keys []struct{ Kid string } }
	p.decode(t, p.UserPools[0].JWKSURI, &keys)
	p.kid = keys.Keys[0].Kid
	return p
}

// start runs a stage until the test ends. Cleanups from before see its whole
// output.
func start(t *testing.T, c Config, out *started, log io.Writer) (r Ready) {
	t.Helper()
	dir := t.TempDir()
	c.StateDir, c.ReadyFile, c.Listen, c.Stdout, c.Stderr = filepath.Join(dir, "state"), filepath.Join(dir, "ready.json"), "127.0.0.1:0", out, log
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-out.done:
	case err := <-ended:
		ended <- nil
		t.Fatalf("did not start: %v\n%s", err, log)
	}
	data, err := os.ReadFile(c.ReadyFile)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *plain) decode(t *testing.T, url string, into any) {
	t.Helper()
	_, body, _ := p.send(t, "GET", url, nil)
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatal(err)
	}
}

// token signs a token of the pool.
func (p *plain) token(t *testing.T, use string) string {
	t.Helper()
	now := time.Now()
	claims := map[string]any{
		"sub": "user-1", "iss": p.UserPools[0].Issuer, "token_use": use, "iat": now.Unix(), "auth_time": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": use,
	}
	client := p.UserPools[0].Clients[0].ID
	if use == "id" {
		claims["aud"] = client
	} else {
		claims["client_id"], claims["scope"], claims["version"], claims["username"] = client, "openid notes/read", 2, "user"
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"kid":"`+p.kid+`","alg":"RS256"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

// send sends a request; a path is one of the API's URL.
func (p *plain) send(t *testing.T, method, url string, header map[string]string) (int, string, http.Header) {
	t.Helper()
	if strings.HasPrefix(url, "/") {
		url = p.API + url
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(header["body"]))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		switch name {
		case "body":
		case "Host":
			r.Host = value
		default:
			r.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

// TestPlainRestAPI serves a plain RestApi and drives it over HTTP.
func TestPlainRestAPI(t *testing.T) {
	t.Parallel()
	p := servePlain(t)
	access, id := p.token(t, "access"), p.token(t, "id")
	if len(p.APIKeys) != 1 || p.APIKeys[0].Name != "partner" || len(p.APIKeys[0].Value) != madeKeyLength || p.APIKeys[0].Plans[0] != "basic" {
		t.Fatalf("the API keys that open the stage are %+v", p.APIKeys)
	}
	key := p.APIKeys[0].Value
	_, port, _ := strings.Cut(strings.TrimPrefix(p.API, "http://"), ":")
	execute := p.APIID + ".execute-api.localhost:" + port
	const (
		unauthorized = `{"message":"Unauthorized"}`
		forbidden    = `{"message":"Forbidden"}`
		missing      = `{"message":"Missing Authentication Token"}`
	)
	type headers = map[string]string
	for i, test := range []struct {
		method, path string
		header       headers
		status       int
		body         string // part of the answer
	}{
		{"GET", "/", nil, 200, "hello"},
		{"GET", "/status", nil, 200, "up"},
		{"GET", "/status?fail=yes", nil, 500, "down"},
		{"GET", "/nothing", nil, 403, missing},
		{"GET", "/closed", nil, 429, "Too Many Requests"},

		{"GET", "/scoped", nil, 401, unauthorized},
		{"GET", "/scoped", headers{"Authorization": "Bearer " + id}, 401, unauthorized},
		{"GET", "/scoped", headers{"Authorization": "Bearer " + access}, 200, `"sub":"user-1"`},
		{"GET", "/scoped", headers{"Authorization": access + "x"}, 401, unauthorized},
		{"GET", "/id", headers{"Authorization": "Bearer " + access}, 401, unauthorized},
		{"GET", "/id", headers{"Authorization": id}, 200, `"sub":"user-1"`},
		{"PUT", "/id", headers{"Authorization": access}, 401, unauthorized},
		{"PUT", "/id", headers{"X-Token": access}, 200, `"sub":"user-1"`},

		{"GET", "/paid", nil, 403, forbidden},
		{"GET", "/paid", headers{"x-api-key": "planted-secret-old-key"}, 403, forbidden},
		{"GET", "/paid", headers{"x-api-key": "planted-secret-loose-key"}, 403, forbidden},
		{"GET", "/paid", headers{"x-api-key": key}, 200, `"apiKeyId":"` + p.APIKeys[0].ID + `"`},
		{"POST", "/paid", headers{"x-api-key": key}, 401, unauthorized},
		{"POST", "/paid", headers{"Authorization": access}, 403, forbidden},
		{"POST", "/paid", headers{"Authorization": access, "x-api-key": key}, 429, "Too Many Requests"}, // the plan's throttle of the method

		{"GET", "/signed", nil, 403, missing},
		{"GET", "/signed", headers{"Authorization": "Bearer " + access}, 403, "Invalid key=value pair (missing equal-sign) in Authorization header"},
		{"GET", "/signed", headers{"X-Amz-Date": "20261121T020500Z", "Authorization": "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=00"},
			403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:`},

		{"GET", "/files/a", nil, 200, `"resource":"/files/{item}"`},
		{"POST", "/files/a", nil, 200, `"resource":"/files/{proxy+}"`},
		{"DELETE", "/files/a/b%2Fc", nil, 200, `"path":{"proxy":"a/b%2Fc"}`},
		{"GET", "/files", nil, 403, missing},
		{"GET", "/node", nil, 500, "Internal server error"},

		{"POST", "/checked", headers{"body": `{"title":"a"}`}, 400, "Missing required request parameters: [q]"},
		{"POST", "/checked?q=1", headers{"body": `{"title":1}`}, 400, "Invalid request body"},
		{"POST", "/checked?q=1", headers{"body": `{"title":"a"}`}, 200, "checked"},

		{"GET", "/prod/scoped", headers{"Host": execute, "Authorization": access}, 200, `"stage":"prod"`},
		{"GET", "/test/scoped", headers{"Host": execute, "Authorization": access}, 200, `"stage":"test"`},
		{"GET", "/test/closed", headers{"Host": execute}, 200, "closed"}, // the throttle is the other stage's
		{"GET", "/prod/closed", headers{"Host": execute}, 429, "Too Many Requests"},
		{"GET", "/dev/scoped", headers{"Host": execute, "Authorization": access}, 403, forbidden},

		// Of five requests a month one is made already; the stages share them.
		{"GET", "/test/paid", headers{"Host": execute, "x-api-key": key}, 200, `"stage":"test"`},
		{"GET", "/paid", headers{"x-api-key": key}, 200, `"stage":"prod"`},
		{"POST", "/test/paid", headers{"Host": execute, "Authorization": access, "x-api-key": key}, 200, "both"},
		{"GET", "/test/paid", headers{"Host": execute, "x-api-key": key}, 429, "Limit Exceeded"},
		{"GET", "/paid", headers{"x-api-key": key}, 429, "Limit Exceeded"},
		{"GET", "/paid", headers{"x-api-key": "planted-secret-unknown"}, 403, forbidden},
	} {
		status, body, _ := p.send(t, test.method, test.path, test.header)
		if status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%d: %s %s: got %d %s, want %d %s", i, test.method, test.path, status, body, test.status, test.body)
		}
	}
	checkPreflights(t, p)
}

// checkPreflights asks for each origin of addCorsPreflight, and for none of
// them: the listener itself keeps foreign pages out.
func checkPreflights(t *testing.T, p *plain) {
	t.Helper()
	for origin, want := range map[string]string{
		"https://a.example.com": "https://a.example.com",
		"https://b.example.com": "https://b.example.com",
		"https://c.example.com": "https://c.example.com",
		"":                      "https://a.example.com",
	} {
		header := map[string]string{"Access-Control-Request-Method": "GET"}
		if origin != "" {
			header["Origin"] = origin
		}
		status, _, got := p.send(t, "OPTIONS", "/", header)
		if status != 204 || got.Get("Access-Control-Allow-Origin") != want || got.Get("Vary") != "Origin" || got.Get("Access-Control-Allow-Methods") != "OPTIONS,GET" {
			t.Errorf("preflight of %q: %d %v", origin, status, got)
		}
	}
	if status, _, got := p.send(t, "OPTIONS", "/", map[string]string{"Origin": "https://x.example.com"}); status != 403 || got.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a foreign origin: %d %v", status, got)
	}
}

// Everything that keeps an API from being served is listed at once: what is not
// understood of the template, and what is not served of the API.
func TestPlainRestAPIRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asm := filepath.Join(dir, "cdk.out")
	if err := os.CopyFS(asm, os.DirFS("testdata/plain")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(asm, "Plain.template.json")
	template, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, text string) {
		if !bytes.Contains(template, []byte(old)) {
			t.Fatalf("the template has no %s", old)
		}
		template = bytes.Replace(template, []byte(old), []byte(text), 1)
	}
	change(`"Name": "other"`, `"Name": "other", "Policy": {"Statement": []}, "EndpointConfiguration": {"Types": ["PRIVATE"]}`)
	change(`"Type": "TOKEN"`, `"Type": "TOKEN", "AuthorizerCredentials": "arn:aws:iam::000000000000:role/invoke"`)
	change(`"UsagePlanName": "basic"`, `"UsagePlanName": "basic", "Surprise": true`)
	if err := os.WriteFile(file, template, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(api string) error {
		return Run(t.Context(), Config{
			Assembly: asm, AppDir: dir, StateDir: filepath.Join(dir, "state"), API: api, Listen: "127.0.0.1:0", Stdout: io.Discard, Stderr: io.Discard,
		})
	}
	var unsupported *assembly.UnsupportedError
	if err = run("other"); !errors.As(err, &unsupported) || unsupported.ExitCode() != 4 {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"Plain/Other.Policy: a resource policy is not evaluated yet", `endpoints of type "PRIVATE" are not served`, "Surprise is not understood",
		"GET / (Plain/Other): authorizer custom: a role that invokes its function is not checked yet", "PUT / (Plain/Other): authorizer custom: a role that invokes its function is not checked yet",
	} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("want %q once in:\n%v", want, err)
		}
	}
}
