package functions

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// planted stands in the environment of every test, and may never reach a function.
const planted = "planted-secret-of-the-developer"

// moduleDir is the root of this module.
const moduleDir = "../../.."

// cache holds the test functions' builds, for all tests.
var cache string

func TestMain(m *testing.M) {
	if dir := os.Getenv("GATEWRIGHT_TEST_PARENT"); dir != "" {
		parent(dir)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatewright-functions-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cache = dir
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GITHUB_TOKEN"} {
		if err := os.Setenv(name, planted); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// probe is the test function of testdata/probe, changed as asked.
func probe(change ...func(*assembly.Function)) *assembly.Function {
	return testFunction("probe", change...)
}

// raw is the misbehaving runtime of testdata/raw.
func raw(mode string, change ...func(*assembly.Function)) *assembly.Function {
	f := testFunction("raw", change...)
	f.Environment = map[string]string{"MODE": mode}
	return f
}

func testFunction(pkg string, change ...func(*assembly.Function)) *assembly.Function {
	const module = "github.com/gatewright/gatewright"
	f := &assembly.Function{
		Name: pkg, ARN: "arn:aws:lambda:eu-west-1:000000000000:function:" + pkg,
		Runtime: "provided.al2023", Handler: "bootstrap", Architecture: "arm64",
		MemoryMB: 256, Timeout: time.Minute, ReservedConcurrency: -1,
		Source: &assembly.FunctionSource{Module: module, Package: module + "/internal/local/functions/testdata/" + pkg},
	}
	for _, c := range change {
		c(f)
	}
	return f
}

// limited gives a function a timeout that a test can wait for.
func limited(f *assembly.Function) { f.Timeout = 300 * time.Millisecond }

// newRunner runs functions until the test ends, and then wants nothing left.
func newRunner(t testing.TB, cfg Config) *Runner {
	t.Helper()
	cfg.AppDir, cfg.CacheDir, cfg.Region = cmp.Or(cfg.AppDir, moduleDir), cmp.Or(cfg.CacheDir, cache), "eu-west-1"
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.processes != 0 || m.events != 0 || len(m.live) != 0 {
			t.Errorf("after Close: %d places, %d events, %d processes", m.processes, m.events, len(m.live))
		}
	})
	return m
}

func of(functions ...*assembly.Function) Config { return Config{Functions: functions} }

// event is what testdata/probe understands.
type event struct {
	Do   string
	Text string
	Size int
	URL  string
}

// answer is what testdata/probe answers.
type answer struct {
	Text     string
	PID      int
	Count    int
	Request  string
	ARN      string
	Trace    string
	Deadline int64
	Dir      string
	Env      []string
}

// send invokes a function and expects an answer.
func send(t testing.TB, m *Runner, f *assembly.Function, e event) answer {
	t.Helper()
	result, err := invoke(t, m, f, e)
	if err != nil || result.FunctionError != "" {
		t.Fatalf("%+v: %s %s, %v", e, result.FunctionError, result.Payload, err)
	}
	var a answer
	if err := json.Unmarshal(result.Payload, &a); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	return a
}

func invoke(t testing.TB, m *Runner, f *assembly.Function, e any) (Result, error) {
	t.Helper()
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return m.Invoke(t.Context(), f.ARN, payload)
}

// fails invokes a function and expects it to fail with an error of Lambda.
func fails(t *testing.T, m *Runner, f *assembly.Function, e any) errorDocument {
	t.Helper()
	result, err := invoke(t, m, f, e)
	if err != nil || result.FunctionError != "Unhandled" {
		t.Fatalf("%q %s, %v; want a function error", result.FunctionError, result.Payload, err)
	}
	var doc errorDocument
	if err := json.Unmarshal(result.Payload, &doc); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	return doc
}

// barrier lets functions that fetch its URL go on when open is called, and
// says on arrived that one has come.
type barrier struct {
	url     string
	arrived chan struct{}
	open    func()
	close   func()
}

func newBarrier(t *testing.T) barrier {
	t.Helper()
	arrived, gate := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
	}))
	open := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(func() { open(); server.Close() })
	return barrier{url: server.URL, arrived: arrived, open: open, close: server.Close}
}

// wait waits for n functions to arrive.
func (b barrier) wait(n int) {
	for range n {
		<-b.arrived
	}
}

// logLines collects log records as JSON lines.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

// writeModule writes a module without dependencies that is a function.
func writeModule(t *testing.T, source string) (dir string, f *assembly.Function) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.com/fn\n\ngo 1.24\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f = probe()
	f.Source = &assembly.FunctionSource{Module: "example.com/fn", Package: "example.com/fn"}
	return dir, f
}

// errorAs is errors.As for one type.
func errorAs[T error](err error) (T, bool) {
	var target T
	ok := errors.As(err, &target)
	return target, ok
}
