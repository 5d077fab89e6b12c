package functions

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/gobuild"
)

// packed writes a zip file; each member has the mode and the text.
func packed(t *testing.T, members map[string]string, mode fs.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "asset.zip")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	for name, text := range members {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(mode)
		member, err := w.CreateHeader(header)
		if err == nil {
			_, err = member.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestZippedBootstrap runs an executable from an asset that is a zip file.
func TestZippedBootstrap(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("assets hold Linux executables")
	}
	dir, f := writeModule(t, strings.Replace(says, "TEXT", `"zipped"`, 1))
	built := filepath.Join(t.TempDir(), "bootstrap")
	src := gobuild.Source{Module: f.Source.Module, Package: f.Source.Package}
	if err := gobuild.Build(t.Context(), dir, src, gobuild.Host(), built); err != nil {
		t.Fatal(err)
	}
	executable, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	file := packed(t, map[string]string{"bootstrap": string(executable), "data/a.txt": "a"}, 0o755)
	f = probe(func(f *assembly.Function) { f.Source, f.CodeDir = nil, file })
	cfg := of(f)
	cfg.CacheDir = t.TempDir()
	for range 2 { // the second finds it unpacked
		if result, err := invoke(t, newRunner(t, cfg), f, "x"); err != nil || string(result.Payload) != "zipped" {
			t.Errorf("%q %s, %v", result.Payload, result.FunctionError, err)
		}
	}
	entries, err := os.ReadDir(cfg.CacheDir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the cache holds %v, %v", entries, err)
	}
	if text, err := os.ReadFile(filepath.Join(cfg.CacheDir, entries[0].Name(), "data", "a.txt")); err != nil || string(text) != "a" {
		t.Errorf("its other file is %q, %v", text, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	notZip := filepath.Join(t.TempDir(), "asset.zip")
	if err := os.WriteFile(notZip, []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"outside":  {packed(t, map[string]string{"../bootstrap": ""}, 0o755), "outside of the archive"},
		"absolute": {packed(t, map[string]string{"/bootstrap": ""}, 0o755), "outside of the archive"},
		"link":     {packed(t, map[string]string{"bootstrap": "/bin/sh"}, 0o777|fs.ModeSymlink), "it is no file"},
		"no zip":   {notZip, "not a valid zip file"},
	} {
		cache := t.TempDir()
		if _, err := unpack(test.file, cache); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if entries, err := os.ReadDir(cache); err != nil || len(entries) > 0 {
			t.Errorf("%s: left behind %v, %v", name, entries, err)
		}
	}
	if _, err := unpackMember(&zip.File{FileHeader: zip.FileHeader{Name: "a/../../b"}}, t.TempDir(), 1); err == nil {
		t.Error("a path that climbs is unpacked")
	}
}

// However a member's size is declared, no more than the bound is written.
func TestUnpackIsBounded(t *testing.T) {
	t.Parallel()
	r, err := zip.OpenReader(packed(t, map[string]string{"a": strings.Repeat("a", 100)}, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if n, err := unpackMember(r.File[0], t.TempDir(), 99); err == nil || n > 100 {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
}
