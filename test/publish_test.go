package test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/gatewright/gatewright"

// published is this module in a module proxy that is a folder (GOPROXY
// protocol, "Go Modules Reference").
type published struct {
	version string
	env     []string // makes the go command use the proxy
}

// publish packs the module's own files as a release would hold them. The
// version follows from their content, so the module cache never has a stale
// one; the cache's copy is removed when the test ends. Other modules come from
// where they always come from.
func publish(t *testing.T) published {
	t.Helper()
	files := moduleFiles(t)
	hash := sha256.New()
	for _, name := range files {
		data := readFile(t, filepath.Join("..", name))
		hash.Write([]byte(name + "\x00" + hex.EncodeToString(data) + "\x00"))
	}
	version := "v0.0.0-test.h" + hex.EncodeToString(hash.Sum(nil))[:16]
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(text(t, object{"Version": version, "Time": "2026-01-01T00:00:00Z"})),
		version + ".mod":  readFile(t, "../go.mod"),
		version + ".zip":  pack(t, files, module+"@"+version+"/"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := goEnv(t)
	t.Cleanup(func() { forget(t, of["GOMODCACHE"], version) })
	return published{version: version, env: append(os.Environ(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+","+of["GOPROXY"],
		"GONOSUMDB="+strings.TrimPrefix(of["GONOSUMDB"]+","+module, ","),
		"GONOPROXY=none", "GOWORK=off", "GOFLAGS=-mod=mod",
	)}
}

// moduleFiles are the files that a tag of this tree would hold: what git does
// not ignore, without nested modules.
func moduleFiles(t *testing.T) []string {
	t.Helper()
	git := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	git.Dir = ".."
	out, err := git.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	all := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	var nested, files []string
	for _, name := range all {
		if dir, ok := strings.CutSuffix(name, "/go.mod"); ok {
			nested = append(nested, dir+"/")
		}
	}
	for _, name := range all {
		info, err := os.Lstat(filepath.Join("..", name))
		if err == nil && info.Mode().IsRegular() && !hasAnyPrefix(name, nested) {
			files = append(files, name)
		}
	}
	return files
}

func hasAnyPrefix(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func pack(t *testing.T, files []string, prefix string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range files {
		entry, err := archive.Create(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(readFile(t, filepath.Join("..", name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// goEnv is what the go command is set to.
func goEnv(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "env", "-json", "GOPROXY", "GONOSUMDB", "GOMODCACHE").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// forget removes one version of this module from the module cache, whose
// folders are read-only.
func forget(t *testing.T, cache, version string) {
	dir := filepath.Join(cache, filepath.FromSlash(module)+"@"+version)
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	downloads, _ := filepath.Glob(filepath.Join(cache, "cache", "download", filepath.FromSlash(module), "@v", version+".*"))
	for _, path := range append(downloads, dir) {
		if err := os.RemoveAll(path); err != nil {
			t.Errorf("left behind in the module cache: %v", err)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
