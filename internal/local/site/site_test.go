package site_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local/site"
)

func TestSite(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret.txt"), "planted")
	write(filepath.Join(dir, "index.html"), "<title>home</title>")
	write(filepath.Join(dir, "app.js"), "go()")
	write(filepath.Join(dir, "deep/page.html"), "deep")
	write(filepath.Join(dir, ".env"), "planted")
	write(filepath.Join(dir, ".git/config"), "planted")
	if err := os.Symlink(filepath.Join(outside, "secret.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	s, err := site.New(dir, site.Settings{API: "http://127.0.0.1:4010", Auth: "http://127.0.0.1:4011", ClientID: "abc", Scopes: []string{"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	tests := []struct {
		name, method, target string
		status               int
		body, kind           string
	}{
		{"home", "GET", "/", 200, "<title>home</title>", "text/html; charset=utf-8"},
		{"a script", "GET", "/app.js", 200, "go()", "text/javascript; charset=utf-8"},
		{"a callback", "GET", "/callback?code=x", 200, "<title>home</title>", "text/html; charset=utf-8"},
		{"deeper", "GET", "/deep/page.html", 200, "deep", "text/html; charset=utf-8"},
		{"a folder", "GET", "/deep", 200, "<title>home</title>", "text/html; charset=utf-8"},
		{"settings", "GET", "/gatewright.json", 200, `{"api":"http://127.0.0.1:4010","auth":"http://127.0.0.1:4011","clientId":"abc","redirectUri":"","logoutUri":"","scopes":["openid"]}`, "application/json"},
		{"head", "HEAD", "/app.js", 200, "", "text/javascript; charset=utf-8"},
		{"no such file", "GET", "/none.css", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"a hidden file", "GET", "/.env", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"in a hidden folder", "GET", "/.git/config.txt", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"above", "GET", "/../secret.txt", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"above, escaped", "GET", "/%2e%2e%2fsecret.txt", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"a link outside", "GET", "/link.txt", 404, "404 page not found\n", "text/plain; charset=utf-8"},
		{"a form", "POST", "/", 405, "method not allowed\n", "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(test.method, test.target, nil))
			if w.Code != test.status || w.Body.String() != test.body || w.Header().Get("Content-Type") != test.kind {
				t.Errorf("got %d %q %q", w.Code, w.Body, w.Header().Get("Content-Type"))
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
				if got := w.Header().Get(name); got != want && test.status == http.StatusOK {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

func TestNoSite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{dir: "has no index.html", filepath.Join(dir, "none"): "open the website"} {
		if _, err := site.New(path, site.Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
