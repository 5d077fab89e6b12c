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

func TestListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	tests := []struct {
		name    string
		address string
		expose  bool
		want    string // in the error; empty for none
	}{
		{"free ports", "127.0.0.1:0", false, ""},
		{"by name", "localhost:0", false, ""},
		{"exposed on purpose", "0.0.0.0:0", true, ""},
		{"exposed", "0.0.0.0:0", false, `"0.0.0.0" can be reached from other machines`},
		{"every address", ":0", false, `"" can be reached from other machines`},
		{"no port", "127.0.0.1", false, `"127.0.0.1" is no address to listen on; write host:port`},
		{"a port by name", "127.0.0.1:http", false, `"http" is no port to listen on`},
		{"too large", "127.0.0.1:65536", false, `"65536" is no port to listen on`},
		{"taken", taken.Addr().String(), false, "is taken; stop what uses it, or choose others"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := listen(t.Context(), tt.address, tt.expose)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				p.close()
				return
			}
			var address *AddressError
			if !errors.As(err, &address) || !strings.Contains(err.Error(), tt.want) || address.ExitCode() != 2 {
				t.Errorf("got %v, want %q and exit code 2", err, tt.want)
			}
		})
	}
}

// The wildcard address is none that a URL can name; a foreign name is none
// that a request may.
func TestPortNames(t *testing.T) {
	t.Parallel()
	p, err := listen(t.Context(), "0.0.0.0:0", true)
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
	for want, authorization := range map[string]assembly.Authorization{
		"public":                          {Type: assembly.AuthorizationNone},
		"scope notes/read or notes/write": {Type: assembly.AuthorizationCognito, Scopes: []string{"notes/read", "notes/write"}},
		"any ID token":                    {Type: assembly.AuthorizationCognito},
		"AWS_IAM":                         {Type: assembly.AuthorizationIAM},
	} {
		if got := describe(authorization); got != want {
			t.Errorf("%+v: got %q, want %q", authorization, got, want)
		}
	}
}

func TestCurl(t *testing.T) {
	t.Parallel()
	for want, route := range map[string]Route{
		"curl http://h/v1/status":                                               {Method: "GET", Path: "/v1/status", Access: "public"},
		`curl -H "Authorization: Bearer $TOKEN" http://h/v1/notes/id`:           {Method: "GET", Path: "/v1/notes/{id}", Access: "scope notes/read"},
		`curl -X DELETE -H "Authorization: Bearer $TOKEN" http://h/files/proxy`: {Method: "DELETE", Path: "/files/{proxy+}", Access: "scope notes/read"},
	} {
		if got := curl("http://h", route); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Ready files are private, replaced whole, and removed only by who wrote them.
func TestReadyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state", "dev.json")
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
