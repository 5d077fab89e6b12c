package clients

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMobile signs in with examples/mobile, by either kind of callback.
func TestMobile(t *testing.T) {
	app := filepath.Join(t.TempDir(), "mobile")
	if out, err := exec.Command("go", "build", "-o", app, "../../examples/mobile").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := serve(t)
	for _, callback := range p.client(t, "mobile").Callbacks {
		scheme, _, _ := strings.Cut(callback, ":")
		t.Run(scheme, func(t *testing.T) { testMobile(t, p, app, callback) })
	}
	p.checkLog(t)
}

func testMobile(t *testing.T, p *pool, app, callback string) {
	m := startMobile(t, app, "-stage", p.readyFile, "-callback", callback)
	at := p.signIn(t, m.address(t))
	if at.Scheme != "http" {
		m.types(t, at.String())
	} else {
		// What is not the callback is nobody's, and does not end the sign-in.
		if got := m.visit(t, "http://"+at.Host+"/elsewhere?"+at.RawQuery); got != http.StatusNotFound {
			t.Errorf("another path answers %d", got)
		}
		if got := m.visit(t, at.String()); got != http.StatusOK {
			t.Errorf("the callback answers %d", got)
		}
	}
	m.types(t, "whoami", "anonymous", "refresh", "whoami", "out")
	said := m.rest(t)
	for _, want := range []string{
		"signed in as " + p.Users[0].Username, "> 200", `> 401 {"message":"Unauthorized"}`, "a new access token\n> 200", "signed out",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q but:\n%s", want, said)
		}
	}
	if err := m.cmd.Wait(); err != nil {
		t.Errorf("it ends with %v: %s", err, m.errors)
	}
}

// An answer that somebody else asked for signs nobody in.
func TestMobileForeignAnswer(t *testing.T) {
	app := filepath.Join(t.TempDir(), "mobile")
	if out, err := exec.Command("go", "build", "-o", app, "../../examples/mobile").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := serve(t)
	callback := p.client(t, "mobile").Callbacks[0]
	for answer, want := range map[string]string{
		callback + "?code=x&state=another":         "belongs to another sign-in",
		callback + "?error=access_denied":          "belongs to another sign-in",
		"com.example.other:/callback?code=x":       "does not begin with",
		strings.ToUpper(callback) + "?code=x":      "does not begin with",
		callback + "/../elsewhere?code=x&state=%%": "does not begin with",
	} {
		m := startMobile(t, app, "-stage", p.readyFile, "-callback", callback)
		m.address(t)
		m.types(t, answer)
		said := m.rest(t)
		if err := m.cmd.Wait(); err == nil || strings.Contains(said, "signed in") || !strings.Contains(m.errors.String(), want) {
			t.Errorf("%s: ends with %v, %s", answer, err, m.errors)
		}
	}
}

// mobile is the running app.
type mobile struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	errors *bytes.Buffer
}

func startMobile(t *testing.T, app string, arguments ...string) *mobile {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	m := &mobile{cmd: exec.CommandContext(ctx, app, arguments...), errors: &bytes.Buffer{}}
	m.cmd.Stderr = m.errors
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.stdout = bufio.NewReader(stdout)
	if m.stdin, err = m.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return m
}

// address reads on to the sign-in page's address.
func (m *mobile) address(t *testing.T) string {
	t.Helper()
	for {
		line, err := m.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("no address: %v, %s", err, m.errors)
		}
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "http") {
			return line
		}
	}
}

func (m *mobile) types(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := fmt.Fprintln(m.stdin, line); err != nil {
			t.Fatalf("%v: %s", err, m.errors)
		}
	}
}

func (m *mobile) visit(t *testing.T, address string) int {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// rest is all that the app says until it ends.
func (m *mobile) rest(t *testing.T) string {
	t.Helper()
	said, err := io.ReadAll(m.stdout)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// stageTemplate writes the template of the tests' stage to a folder, with a free
// port in place of the app's own and the second texts of pairs in place of the
// first ones, and returns where.
func stageTemplate(t *testing.T, dir string, pairs []string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/template.json")
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "template.json")
	template := strings.NewReplacer(append(pairs, "127.0.0.1:4014", address)...).Replace(string(data))
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
