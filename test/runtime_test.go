package test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/local"
)

// runtime is the built command, serving the dev stage from its own synthesized
// template on free ports.
type runtime struct {
	local.Ready
	key    *rsa.PrivateKey // signs the stage's tokens; the tests know it
	kid    string
	cmd    *exec.Cmd
	dir    string
	banner *buffer
	log    *buffer
	ended  chan error
	// stopped is set once the test has stopped it itself.
	stopped bool
}

// buffer is written by a process and read by a test.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// startRuntime builds and starts `gatewright up` for the dev stage, or for what
// its arguments name, and waits until it is ready.
func startRuntime(t *testing.T, arguments ...string) *runtime {
	t.Helper()
	if len(arguments) == 0 {
		arguments = []string{"--stage", "dev"}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := &runtime{key: key, dir: t.TempDir(), banner: &buffer{}, log: &buffer{}, ended: make(chan error, 1)}
	keyFile, readyFile := filepath.Join(r.dir, "key.pem"), filepath.Join(r.dir, "ready.json")
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(keyFile, pkcs1, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(r.dir, "gatewright")
	build := exec.Command("go", "build", "-o", binary, "./cmd/gatewright")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	arguments = append([]string{"up", "--listen", "127.0.0.1:0", "--ready-file", readyFile, "--signing-key", keyFile}, arguments...)
	r.cmd = exec.Command(binary, arguments...)
	r.cmd.Dir = ".."
	r.cmd.Stdout, r.cmd.Stderr = r.banner, r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() {
		if !r.stopped {
			_ = r.stop(t)
		}
	})
	r.awaitReady(t, readyFile)
	r.kid = r.keyID(t)
	return r
}

// awaitReady reads the ready file once it is there. The first synthesis
// compiles awscdk, which takes minutes on a small machine.
func (r *runtime) awaitReady(t *testing.T, file string) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-r.ended:
			t.Fatalf("gatewright up ended: %v\n%s", err, r.log)
		default:
		}
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &r.Ready); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the ready file has the mode %v, %v", info.Mode(), err)
		}
		return
	}
	t.Fatalf("not ready:\n%s", r.log)
}

func (r *runtime) keyID(t *testing.T) string {
	t.Helper()
	var set struct{ Keys []struct{ Kid, Alg string } }
	answer := call(t, http.MethodGet, r.UserPools[0].JWKSURI)
	if err := json.Unmarshal([]byte(answer.body), &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("JWKS %s: %v", answer.body, err)
	}
	return set.Keys[0].Kid
}

func (r *runtime) client() local.Client { return r.UserPools[0].Clients[0] }

// token gets an access token as a program would, through an OAuth 2.0 library.
func (r *runtime) token(t *testing.T, scopes ...string) string {
	t.Helper()
	config := clientcredentials.Config{
		ClientID: r.client().ID, ClientSecret: r.client().Secret, TokenURL: r.Auth + "/oauth2/token", Scopes: scopes,
	}
	token, err := config.Token(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// claims are those of a token that is good for every route.
func (r *runtime) claims() object {
	now := time.Now().Unix()
	return object{
		"sub": r.client().ID, "client_id": r.client().ID, "iss": r.UserPools[0].Issuer, "token_use": "access",
		"scope": "notes/read", "auth_time": now, "iat": now, "exp": now + 300, "jti": "j", "version": 2,
	}
}

func (r *runtime) header() object { return object{"alg": "RS256", "kid": r.kid} }

// forge signs any header and claims with the stage's own key.
func (r *runtime) forge(t *testing.T, header, claims object) string {
	t.Helper()
	return r.forgeBytes(t, []byte(text(t, header)), []byte(text(t, claims)))
}

func (r *runtime) forgeBytes(t *testing.T, header, claims []byte) string {
	t.Helper()
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, r.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// answer is an HTTP response.
type answer struct {
	status int
	header http.Header
	body   string
}

// option changes a request before it is sent.
type option func(*http.Request)

func bearer(token string) option { return header("Authorization", "Bearer "+token) }

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func host(name string) option { return func(r *http.Request) { r.Host = name } }

func body(text string) option {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
	}
}

// plainClient follows no redirect and keeps no connection.
var plainClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       30 * time.Second,
}

func call(t *testing.T, method, url string, options ...option) answer {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(request)
	}
	response, err := plainClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(data)}
}

// logLines are the JSON lines of the log so far.
func (r *runtime) logLines() []object {
	var lines []object
	scanner := bufio.NewScanner(strings.NewReader(r.log.String()))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line object
		if json.Unmarshal(scanner.Bytes(), &line) == nil {
			lines = append(lines, line)
		}
	}
	return lines
}

// stop interrupts the command and returns how it ended.
func (r *runtime) stop(t *testing.T) error {
	t.Helper()
	r.stopped = true
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case err := <-r.ended:
		return err
	case <-time.After(20 * time.Second):
		_ = r.cmd.Process.Kill()
		t.Errorf("does not stop:\n%s", r.log)
		return nil
	}
}
