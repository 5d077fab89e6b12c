package gobuild

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFunctionOfAnotherModule builds a function of a library module, used by an
// app, whose go.sum knows nothing of what the function itself imports. All
// modules come from a proxy of files.
func TestFunctionOfAnotherModule(t *testing.T) {
	proxy := isolateModules(t)
	publish(t, proxy, "example.com/json@v1.0.0", map[string]string{
		"go.mod":  "module example.com/json\n\ngo 1.24\n",
		"json.go": "package json\n\nconst Null = \"null\"\n",
	})
	publish(t, proxy, "example.com/gate@v1.2.0", map[string]string{
		"go.mod":               "module example.com/gate\n\ngo 1.24\n\nrequire example.com/json v1.0.0\n",
		"api/api.go":           "package api\n\nconst Name = \"gate\"\n",
		"lambdas/auth/main.go": "package main\n\nimport \"example.com/json\"\n\nfunc main() { println(json.Null) }\n",
	})
	app := writeTree(t, map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n\nrequire example.com/gate v1.2.0\n",
		"app.go": "package main\n\nimport \"example.com/gate/api\"\n\nfunc main() { println(api.Name) }\n",
	})
	tidy(t, app)
	sums := read(t, filepath.Join(app, "go.sum"))
	if strings.Contains(sums, "example.com/json v1.0.0 h1:") {
		t.Fatalf("this test needs an app that never compiles example.com/json:\n%s", sums)
	}

	src, err := Resolve(t.Context(), app, "example.com/gate/lambdas/auth")
	want := Source{Module: "example.com/gate", Version: "v1.2.0", Package: "example.com/gate/lambdas/auth"}
	if err != nil || src != want {
		t.Fatalf("got %+v, %v; want %+v", src, err, want)
	}

	t.Run("built in its own directory", func(t *testing.T) { runs(t, app, src, "null\n") })
	t.Run("not downloaded yet", func(t *testing.T) {
		cleanModuleCache(t)
		runs(t, app, src, "null\n")
		if after := read(t, filepath.Join(app, "go.sum")); after != sums {
			t.Errorf("the app's go.sum has changed:\n%s", after)
		}
	})
	t.Run("from a directory without a module", func(t *testing.T) { runs(t, t.TempDir(), src, "null\n") })
	t.Run("another version than go.mod asks for", func(t *testing.T) {
		newer := src
		newer.Version = "v1.3.0"
		publish(t, proxy, "example.com/gate@v1.3.0", map[string]string{
			"go.mod":               "module example.com/gate\n\ngo 1.24\n",
			"lambdas/auth/main.go": "package main\n\nfunc main() { println(\"newer\") }\n",
		})
		runs(t, app, newer, "newer\n")
		if after := read(t, filepath.Join(app, "go.sum")); after != sums {
			t.Errorf("the app's go.sum has changed:\n%s", after)
		}
	})
	t.Run("a version that does not exist", func(t *testing.T) {
		missing := src
		missing.Version = "v1.4.0"
		if err := Build(t.Context(), app, missing, Host(), filepath.Join(t.TempDir(), "x")); err == nil ||
			!strings.Contains(err.Error(), "go mod download example.com/gate@v1.4.0") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("go.sum is believed", func(t *testing.T) {
		cleanModuleCache(t)
		forged := writeTree(t, map[string]string{
			"go.mod": read(t, filepath.Join(app, "go.mod")),
			"go.sum": forgedSum,
		})
		err := Build(t.Context(), forged, src, Host(), filepath.Join(t.TempDir(), "x"))
		if err == nil || !strings.Contains(err.Error(), "checksum mismatch") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("replaced by a directory", func(t *testing.T) {
		fork := writeTree(t, map[string]string{
			"go.mod":               "module example.com/gate\n\ngo 1.24\n",
			"lambdas/auth/main.go": "package main\n\nfunc main() { println(\"fork\") }\n",
		})
		replaced := writeTree(t, map[string]string{
			"go.mod": read(t, filepath.Join(app, "go.mod")) + "\nreplace example.com/gate => " + fork + "\n",
		})
		runs(t, replaced, src, "fork\n")
		inputs, err := Inputs(t.Context(), replaced, src, Host())
		if err != nil || !strings.Contains(strings.Join(inputs, "\n"), filepath.Join(fork, "lambdas", "auth", "main.go")) {
			t.Errorf("inputs = %v, %v", inputs, err)
		}
	})
	t.Run("replaced by another module", func(t *testing.T) {
		publish(t, proxy, "example.com/fork@v0.1.0", map[string]string{
			"go.mod":               "module example.com/gate\n\ngo 1.24\n",
			"lambdas/auth/main.go": "package main\n\nfunc main() { println(\"other\") }\n",
		})
		replaced := writeTree(t, map[string]string{
			"go.mod": read(t, filepath.Join(app, "go.mod")) + "\nreplace example.com/gate => example.com/fork v0.1.0\n",
		})
		runs(t, replaced, src, "other\n")
	})
}

// forgedSum is a well-formed line of a go.sum that is not true.
const forgedSum = "example.com/gate v1.2.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

// runs builds src as the app would and compares what it prints.
func runs(t *testing.T, app string, src Source, want string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	if err := Build(t.Context(), app, src, Host(), out); err != nil {
		t.Fatal(err)
	}
	if got, err := exec.Command(out).CombinedOutput(); err != nil || string(got) != want {
		t.Errorf("printed %q, %v; want %q", got, err, want)
	}
}

// isolateModules gives the go command an empty module cache and a proxy of
// files, which it returns, and keeps it off the network.
func isolateModules(t *testing.T) (proxy string) {
	t.Helper()
	proxy = t.TempDir()
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy))
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("GONOPROXY", "none")
	t.Setenv("GOPRIVATE", "")
	// The cache is read-only, so nothing but the go command can remove it.
	t.Cleanup(func() { cleanModuleCache(t) })
	return proxy
}

func cleanModuleCache(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("go", "clean", "-modcache").CombinedOutput(); err != nil {
		t.Fatalf("go clean -modcache: %v\n%s", err, out)
	}
}

// publish adds one version of a module to a proxy of files, with a go.sum.
func publish(t *testing.T, proxy, module string, files map[string]string) {
	t.Helper()
	path, version, _ := strings.Cut(module, "@")
	dir := writeTree(t, files)
	tidy(t, dir)

	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(archive)
	err = filepath.WalkDir(dir, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, file)
		f, err := w.Create(module + "/" + filepath.ToSlash(name))
		if err == nil {
			_, err = f.Write([]byte(read(t, file)))
		}
		return err
	})
	if err != nil || w.Close() != nil || archive.Close() != nil {
		t.Fatalf("zipping %s: %v", module, err)
	}
	for name, content := range map[string]string{
		version + ".mod": read(t, filepath.Join(dir, "go.mod")), version + ".info": `{"Version":"` + version + `"}`,
	} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tidy writes a module's go.sum.
func tidy(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("go", "mod", "tidy")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
