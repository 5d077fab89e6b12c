package local

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestCheckListen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		address string
		want    string // part of the error without --expose
		exposed string // part of the error with it
	}{
		{"127.0.0.1:4010", "", ""},
		{"127.8.8.8:0", "", ""},
		{"[::1]:65532", "", ""},
		{"[::ffff:127.0.0.1]:4010", "", ""},
		{"localhost:4010", "", ""},

		{"", "is no address", "is no address"},
		{"::1:4010", "is no address", "is no address"},
		{"127.0.0.1", "is no address", "is no address"},
		{"127.0.0.1:", "no usable port", "no usable port"},
		{"127.0.0.1:-1", "no usable port", "no usable port"},
		{"127.0.0.1:65533", "no usable port", "no usable port"},
		{"127.0.0.1:99999", "no usable port", "no usable port"},

		{":4010", "other machines", ""},
		{"0.0.0.0:4010", "other machines", ""},
		{"[::]:4010", "other machines", ""},
		{"192.168.1.2:4010", "other machines", ""},
		{"[::ffff:192.168.1.2]:4010", "other machines", ""},
		{"localhost.example.com:4010", "other machines", ""},
		{"127.1:4010", "other machines", ""},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			t.Parallel()
			for expose, want := range map[bool]string{false: tt.want, true: tt.exposed} {
				err := CheckListen(tt.address, expose)
				switch {
				case want == "" && err != nil:
					t.Errorf("expose %v: %v", expose, err)
				case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !isBadInput(err)):
					t.Errorf("expose %v: got %v, want %q and exit code 2", expose, err, want)
				}
			}
		})
	}
}

func isBadInput(err error) bool {
	var address *AddressError
	return errors.As(err, &address) && address.ExitCode() == 2
}

func TestListenOnTakenPort(t *testing.T) {
	t.Parallel()
	first, err := listen(t.Context(), "127.0.0.1:0", false, true)
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	_, err = listen(t.Context(), first.api.hostPort("127.0.0.1"), false, false)
	if !isBadInput(err) || !strings.Contains(err.Error(), "is taken; stop what uses it, or choose others") {
		t.Errorf("got %v, want the mend and exit code 2", err)
	}
}

// The wildcard address is none that a URL can name; a foreign name is none
// that a request may.
func TestPortNames(t *testing.T) {
	t.Parallel()
	p, err := listen(t.Context(), "0.0.0.0:0", true, false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if want := "http://127.0.0.1:"; !strings.HasPrefix(p.api.url(), want) {
		t.Errorf("the API's URL is %s", p.api.url())
	}
	names := p.names(p.api)
	for _, want := range []string{p.api.hostPort("localhost"), p.api.hostPort("127.0.0.1"), p.api.hostPort("::1")} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is refused: %v", want, names)
		}
	}
	for _, name := range names {
		if host, _, err := net.SplitHostPort(name); err != nil || host != "localhost" && net.ParseIP(host) == nil {
			t.Errorf("%s is taken for this machine", name)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	open := assembly.Authorization{Type: assembly.AuthorizationNone}
	scoped := assembly.Authorization{Type: assembly.AuthorizationCognito, Scopes: []string{"notes/read", "notes/write"}}
	for want, route := range map[string]assembly.Route{
		"public":                          {Authorization: open},
		"API key":                         {Authorization: open, APIKeyRequired: true},
		"scope notes/read or notes/write": {Authorization: scoped},
		"scope notes/read or notes/write and API key": {Authorization: scoped, APIKeyRequired: true},
		"any ID token":                        {Authorization: assembly.Authorization{Type: assembly.AuthorizationCognito}},
		"AWS_IAM signature (refused for now)": {Authorization: assembly.Authorization{Type: assembly.AuthorizationIAM}},
	} {
		if got := describe(route); got != want {
			t.Errorf("%+v: got %q, want %q", route, got, want)
		}
	}
}

// Ready files are private, replaced whole, and removed only by who wrote them.
func TestReadyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dev.json")
	for _, text := range []string{"first", "second"} {
		if err := writePrivate(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != text {
			t.Errorf("read %q, %v, want %q", got, err, text)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	removeOwn([]string{file}, []byte("first"))
	if _, err := os.Stat(file); err != nil {
		t.Error("another run's file was removed")
	}
	removeOwn([]string{file}, []byte("second"))
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Of two runs in one folder, the first keeps the state file.
func TestLock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state", "dev.json.lock")
	unlock, owned, err := lock(file)
	if err != nil || !owned {
		t.Fatalf("not the owner: %v", err)
	}
	if _, owned, err := lock(file); err != nil || owned {
		t.Errorf("two owners, %v", err)
	}
	unlock()
	unlock, owned, err = lock(file)
	if err != nil || !owned {
		t.Errorf("not the owner after the first is gone: %v", err)
	}
	unlock()
}

// Credentials are written nowhere else than they seem to be.
func TestStateFolderIsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), Config{Assembly: "testdata/shop", StateDir: filepath.Join(dir, "state"), Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "is a symbolic link") {
		t.Errorf("got %v", err)
	}
	for stage, want := range map[string]string{"dev": "dev", "prod/eu": "prod-eu", "../../etc": "-etc", "..": "-"} {
		if got := fileName(stage); got != want {
			t.Errorf("stage %q is written to %q, want %q", stage, got, want)
		}
	}
}

// A stage that cannot be announced stops, and leaves no file.
func TestRunStopsWhereItCannotAnnounce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "asm"), os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := Run(context.Background(), Config{
		Assembly: filepath.Join(dir, "asm"), AppDir: dir, StateDir: filepath.Join(dir, "state"), Listen: "127.0.0.1:0",
		ReadyFile: filepath.Join(blocked, "ready.json"), Stdout: &out, Stderr: &out,
	})
	if err == nil || !strings.Contains(err.Error(), "write the ready file") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "Shop.json")); err == nil {
		t.Error("the state file is still there")
	}
}
