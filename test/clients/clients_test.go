// Package clients holds the local user pool against client libraries that people
// really use, unchanged but for the endpoint.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/local"
)

// missing skips a test where something is not installed, which CI always has.
func missing(t *testing.T, format string, arguments ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, arguments...)
	}
	t.Skipf(format, arguments...)
}

// pool is a stage with a user pool, served by the built command.
type pool struct {
	local.Ready
	dir, binary       string // where the command runs, and the command
	readyFile, output string
}

// serve starts the command, and ends it with the test. Of pairs, the first texts
// of the template become the second ones.
func serve(t *testing.T, pairs ...string) *pool {
	t.Helper()
	dir := t.TempDir()
	p := &pool{dir: dir, binary: filepath.Join(dir, "gatewright"), readyFile: filepath.Join(dir, "ready.json"), output: filepath.Join(dir, "output")}
	if out, err := exec.Command("go", "build", "-o", p.binary, "../../cmd/gatewright").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	output, err := os.Create(p.output)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }() // the command has its own
	appModule(t, dir)
	up := exec.Command(p.binary, "up", "--assembly", stageTemplate(t, dir, pairs), "--listen", "127.0.0.1:0", "--ready-file", p.readyFile)
	up.Dir, up.Stdout, up.Stderr = dir, output, output
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	t.Cleanup(func() {
		_ = up.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := <-ended; err != nil {
			t.Errorf("gatewright up: %v", err)
		}
	})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(p.readyFile)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, &p.Ready)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Fatal("gatewright up does not become ready")
	return nil
}

// appModule makes a folder the module of an app that uses this one, so that its
// functions are built as an app's are.
func appModule(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/gatewright/gatewright"
	text := "module example.com/app\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNode runs each script of this folder that is named after a library: it
// signs people up and in, refreshes, and tries what must be refused.
func TestNode(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node is not installed")
	}
	if _, err := os.Stat("node_modules"); err != nil {
		missing(t, "the client libraries are not installed; run: make clients")
	}
	p := serve(t)
	for _, library := range []string{"openid-client", "oidc-client-ts", "amazon-cognito-identity-js", "aws-jwt-verify"} {
		t.Run(library, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			node := exec.CommandContext(ctx, "node", library+".mjs")
			node.Env = append(os.Environ(), "GATEWRIGHT_STAGE="+p.readyFile, "GATEWRIGHT_OUTPUT="+p.output, "NODE_NO_WARNINGS=1")
			if out, err := node.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	p.checkLog(t)
}

// checkLog looks for what must never be printed.
func (p *pool) checkLog(t *testing.T) {
	t.Helper()
	printed, err := os.ReadFile(p.output)
	if err != nil {
		t.Fatal(err)
	}
	_, log, _ := strings.Cut(string(printed), "The AWS CLI:") // the banner shows what is good for this run
	for _, secret := range []string{"Correct-Horse", "eyJ", p.UserPools[0].Clients[0].Secret} {
		if secret != "" && strings.Contains(log, secret) {
			t.Errorf("the log holds a credential")
		}
	}
}
