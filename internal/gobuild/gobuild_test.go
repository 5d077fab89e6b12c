package gobuild

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shop is an app with one function and some packages that are none.
var shop = map[string]string{
	"go.mod":                          "module example.com/shop\n\ngo 1.24\n",
	"lambdas/orders/main.go":          "package main\n\nimport \"example.com/shop/internal/price\"\n\nfunc main() { println(price.Of()) }\n",
	"internal/price/price.go":         "package price\n\nimport _ \"embed\"\n\n//go:embed table/price.txt\nvar table string\n\nfunc Of() string { return table }\n",
	"internal/price/table/price.txt":  "12",
	"internal/price/price_windows.go": "package price\n",
	"lambdas/broken/main.go":          "package main\n\nfunc main() { undeclared() }\n",
	"lambdas/linux/main_linux.go":     "package main\n\nfunc main() {}\n",
	"testdata/fn/main.go":             "package main\n\nfunc main() {}\n",
}

func TestResolve(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, shop)
	outside := writeTree(t, map[string]string{"main.go": "package main\n\nfunc main() {}\n"})
	tests := []struct {
		name, dir, pkg string
		want           string // import path
		wantErr        string
	}{
		{name: "relative path", dir: dir, pkg: "./lambdas/orders", want: "example.com/shop/lambdas/orders"},
		{name: "from a directory below", dir: filepath.Join(dir, "lambdas"), pkg: "./orders", want: "example.com/shop/lambdas/orders"},
		{name: "import path", dir: dir, pkg: "example.com/shop/lambdas/orders", want: "example.com/shop/lambdas/orders"},
		{name: "testdata", dir: dir, pkg: "./testdata/fn", want: "example.com/shop/testdata/fn"},
		{name: "only for linux", dir: dir, pkg: "./lambdas/linux", want: "example.com/shop/lambdas/linux"},
		{name: "not main", dir: dir, pkg: "./internal/price", wantErr: "it is package price; a function is a main package"},
		{name: "not there", dir: dir, pkg: "./lambdas/none", wantErr: "lambdas/none"},
		{name: "unknown module", dir: dir, pkg: "example.com/other/fn", wantErr: "cannot find module providing package example.com/other/fn"},
		{name: "standard library", dir: dir, pkg: "cmd/go", wantErr: "it belongs to no module"},
		{name: "outside any module", dir: outside, pkg: ".", wantErr: "go.mod file not found"},
		{name: "pattern", dir: dir, pkg: "./...", wantErr: "name exactly one package"},
		{name: "empty", dir: dir, pkg: "", wantErr: "name exactly one package"},
		{name: "a flag is no package", dir: dir, pkg: "-toolexec=x", wantErr: "-toolexec=x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Resolve(t.Context(), tt.dir, tt.pkg)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error = %v, want it to contain %q", err, tt.wantErr)
				}
				return
			}
			if want := (Source{Module: "example.com/shop", Package: tt.want}); err != nil || got != want {
				t.Fatalf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestBuildIsReproducible(t *testing.T) {
	t.Parallel()
	orders := Source{Module: "example.com/shop", Package: "example.com/shop/lambdas/orders"}
	var builds [2][]byte
	for i := range builds {
		dir := writeTree(t, shop)
		out := filepath.Join(t.TempDir(), "new", "bootstrap")
		if err := Build(t.Context(), dir, orders, Lambda, out); err != nil {
			t.Fatal(err)
		}
		builds[i], _ = os.ReadFile(out)
		if left, _ := os.ReadDir(filepath.Dir(out)); len(left) != 1 {
			t.Errorf("beside the executable: %v", left)
		}
		if bytes.Contains(builds[i], []byte(dir)) {
			t.Error("the executable names the directory it was built in")
		}
	}
	if len(builds[0]) == 0 || !bytes.Equal(builds[0], builds[1]) {
		t.Errorf("%d and %d bytes differ", len(builds[0]), len(builds[1]))
	}
}

func TestBuildRunsOnTheHost(t *testing.T) {
	t.Parallel()
	dir, out := writeTree(t, shop), filepath.Join(t.TempDir(), "bootstrap")
	for range 2 { // the second build replaces the first
		if err := Build(t.Context(), dir, Source{Module: "example.com/shop", Package: "example.com/shop/lambdas/orders"}, Host(), out); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := exec.Command(out).CombinedOutput(); err != nil || string(got) != "12\n" {
		t.Errorf("printed %q, %v", got, err)
	}
}

// TestWorkspaceIsIgnored shows that a developer's go.work does not decide what
// is deployed.
func TestWorkspaceIsIgnored(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, shop)
	if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte("go 1.24\n\nuse ./elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(t.Context(), dir, "./lambdas/orders"); err != nil {
		t.Error(err)
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, shop)
	tests := []struct {
		name    string
		src     Source
		wantErr string
	}{
		{"compile error", Source{Module: "example.com/shop", Package: "example.com/shop/lambdas/broken"},
			"lambdas/broken/main.go:3:15: undefined: undeclared"},
		{"not main", Source{Module: "example.com/shop", Package: "example.com/shop/internal/price"}, "not a main package"},
		{"another module's name", Source{Module: "example.com/else", Package: "example.com/else/fn"},
			"belongs to module example.com/shop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "bootstrap")
			err := Build(t.Context(), dir, tt.src, Host(), out)
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Fatalf("error = %v, want it to contain %q", err, tt.wantErr)
			}
			if text := err.Error(); strings.TrimSpace(text) != text {
				t.Errorf("untrimmed: %q", text)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("a failed build left %s: %v", out, err)
			}
		})
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, shop)
	got, err := Inputs(t.Context(), dir, Source{Module: "example.com/shop", Package: "example.com/shop/lambdas/orders"}, Host())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"go.mod", "go.sum", "lambdas/orders", "lambdas/orders/main.go", "internal/price/price.go",
		"internal/price/price_windows.go", "internal/price/table", "internal/price/table/price.txt",
	} {
		if !slices.Contains(got, filepath.Join(dir, want)) {
			t.Errorf("%s is missing", want)
		}
	}
	if !slices.ContainsFunc(got, func(f string) bool { return filepath.Base(f) == "VERSION" }) {
		t.Error("the Go release is missing")
	}
	for _, file := range got {
		if strings.Contains(file, "broken") || strings.HasSuffix(file, ".go") && !strings.HasPrefix(file, dir) {
			t.Errorf("%s does not go into the function", file)
		}
	}
}

// TestInputsOfABrokenPackage shows that a package that does not load still
// names its files: without them nobody would notice that it was mended.
func TestInputsOfABrokenPackage(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{
		"go.mod":  "module example.com/shop\n\ngo 1.24\n",
		"main.go": "package main\n\nimport \"example.com/shop/none\"\n\nfunc main() { none.Of( }\n",
	})
	got, err := Inputs(t.Context(), dir, Source{Module: "example.com/shop", Package: "example.com/shop"}, Host())
	if err != nil || !slices.Contains(got, filepath.Join(dir, "main.go")) {
		t.Errorf("got %v, %v", got, err)
	}
}

// writeTree writes files into a new directory and returns it without symlinks.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
