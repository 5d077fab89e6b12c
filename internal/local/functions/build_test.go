package functions

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/gobuild"
)

// says is a function without dependencies that answers with a constant.
const says = `package main

import (
	"net/http"
	"os"
	"strings"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		resp, err := http.Get(api + "next")
		if err != nil {
			return
		}
		resp.Body.Close()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		if resp, err = http.Post(api+id+"/response", "application/json", strings.NewReader(TEXT)); err != nil {
			return
		}
		resp.Body.Close()
	}
}
`

func TestRebuild(t *testing.T) {
	t.Parallel()
	dir, f := writeModule(t, strings.Replace(says, "TEXT", `"one"`, 1))
	write := func(text string) {
		t.Helper()
		content := []byte(strings.Replace(says, "TEXT", text, 1))
		if err := os.WriteFile(filepath.Join(dir, "main.go"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, AppDir: dir})
	if err := m.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect := func(want string) {
		t.Helper()
		if result, err := invoke(t, m, f, "x"); err != nil || string(result.Payload) != want {
			t.Fatalf("%q %s, %v; want %q", result.Payload, result.FunctionError, err, want)
		}
	}
	expect("one")
	old := theOnly(t, m)
	write(`"other"`)
	expect("other")
	<-old.gone

	write(`text`)
	_, err := invoke(t, m, f, "x")
	if e, ok := errorAs[*BuildError](err); !ok || e.Function != "probe" || !strings.Contains(e.Error(), "undefined: text") {
		t.Fatalf("error = %v", err)
	}
	// The mend lies in a file that the package has not had before.
	if err := os.WriteFile(filepath.Join(dir, "text.go"), []byte("package main\n\nconst text = \"mended\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("mended")
	if err := os.Remove(filepath.Join(dir, "text.go")); err != nil {
		t.Fatal(err)
	}
	write(`"one"`)
	expect("one")
}

// TestBuildCache shows that a build is found again by another runner, that
// one which has vanished is built anew, and that old ones are removed.
func TestBuildCache(t *testing.T) {
	t.Parallel()
	dir, f := writeModule(t, strings.Replace(says, "TEXT", `"cached"`, 1))
	cfg := Config{Functions: []*assembly.Function{f}, AppDir: dir, CacheDir: filepath.Join(t.TempDir(), "new", "functions")}
	file := func() string {
		t.Helper()
		p, err := newProgram(cfg, f)
		if err != nil {
			t.Fatal(err)
		}
		file, err := p.executable(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	first := file()
	built := stampOf(first)
	if again := file(); again != first || stampOf(again) != built {
		t.Errorf("it was built again: %s, %s", first, again)
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	if again := file(); again != first || stampOf(again) == built {
		t.Errorf("a build that had vanished was not built anew: %s", again)
	}
	pruneBuilds(cfg.CacheDir)
	if stampOf(first).size < 0 {
		t.Error("a build in use was removed")
	}
	long := time.Now().Add(-2 * buildLifetime)
	if err := os.Chtimes(filepath.Dir(first), long, long); err != nil {
		t.Fatal(err)
	}
	pruneBuilds(cfg.CacheDir)
	if stampOf(first).size >= 0 {
		t.Error("an old build was kept")
	}
}

// TestFailedBuildIsShared shows that a crowd of events does not build once each.
func TestFailedBuildIsShared(t *testing.T) {
	t.Parallel()
	dir, f := writeModule(t, "package main\n\nfunc main() { undeclared() }\n")
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, AppDir: dir})
	p := m.functions[f.ARN].program.(*built)
	p.mu.Lock() // so that all of them arrive before the first attempt
	const crowd = 20
	var arrived, done sync.WaitGroup
	arrived.Add(crowd)
	attempts := make(chan time.Time, crowd)
	for range crowd {
		done.Go(func() {
			arrived.Done()
			if _, err := p.executable(t.Context()); err == nil {
				t.Error("it was built")
			}
			p.mu.RLock()
			attempts <- p.started
			p.mu.RUnlock()
		})
	}
	arrived.Wait()
	eventually(t, "the crowd waits", func() bool { return !p.mu.TryRLock() })
	p.mu.Unlock()
	done.Wait()
	close(attempts)
	different := map[time.Time]bool{}
	for a := range attempts {
		different[a] = true
	}
	if len(different) > crowd/2 {
		t.Errorf("%d events made %d attempts", crowd, len(different))
	}
}

// TestForeignBootstrap runs an executable that came with the assembly.
func TestForeignBootstrap(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("assets hold Linux executables")
	}
	dir, f := writeModule(t, strings.Replace(says, "TEXT", `"foreign"`, 1))
	src := gobuild.Source{Module: f.Source.Module, Package: f.Source.Package}
	foreignBuilt := func(target gobuild.Target) *assembly.Function {
		asset := t.TempDir()
		if err := gobuild.Build(t.Context(), dir, src, target, filepath.Join(asset, "bootstrap")); err != nil {
			t.Fatal(err)
		}
		return probe(func(f *assembly.Function) { f.Source, f.CodeDir = nil, asset })
	}
	f = foreignBuilt(gobuild.Host())
	if result, err := invoke(t, newRunner(t, of(f)), f, "x"); err != nil || string(result.Payload) != "foreign" {
		t.Errorf("%q %s, %v", result.Payload, result.FunctionError, err)
	}
	other := gobuild.Target{GOOS: "linux", GOARCH: map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]}
	f = foreignBuilt(other)
	_, err := invoke(t, newRunner(t, of(f)), f, "x")
	if e, ok := errorAs[*UnavailableError](err); !ok || !strings.Contains(e.Reason, "built for another machine") {
		t.Errorf("error = %v", err)
	}
	// An executable that the system refuses fails like a bad entry point on AWS.
	f = foreignBuilt(gobuild.Host())
	if err := os.Chmod(filepath.Join(f.CodeDir, "bootstrap"), 0o600); err != nil {
		t.Fatal(err)
	}
	if doc := fails(t, newRunner(t, of(f)), f, "x"); doc.ErrorType != "Runtime.InvalidEntrypoint" {
		t.Errorf("got %+v", doc)
	}
}

func BenchmarkUnchanged(b *testing.B) {
	p, err := newProgram(Config{AppDir: moduleDir, CacheDir: cache}, probe())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.executable(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d files", len(p.(*built).seen))
	for b.Loop() {
		if _, err := p.executable(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
