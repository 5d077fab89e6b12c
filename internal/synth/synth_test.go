package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// good is an app that writes an assembly and what it was told.
const good = `env > "$CDK_OUTDIR/env"; echo '{"version":"48.0.0"}' > "$CDK_OUTDIR/manifest.json"`

func TestRun(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{"cdk.json": app(good), "out/manifest.json": "old", "out/left": "x", "out.new/killed": "x"})
	var lines []string
	err := Run(t.Context(), Options{Dir: dir, Out: "out", Context: map[string]string{"stage": "dev"},
		Progress: func(line string) { lines = append(lines, line) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); !slices.Equal(got, []string{"cdk.json", "out/env", "out/manifest.json", "out.lock"}) {
		t.Errorf("the directory holds %v", got)
	}
	if want := regexp.MustCompile(`^synthesizing dev …\nsynthesizing dev … \d+\.\ds$`); !want.MatchString(strings.Join(lines, "\n")) {
		t.Errorf("progress was %q, want it to match %s", lines, want)
	}
}

func TestRunAbsoluteOut(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{"cdk.json": app(good)})
	out := filepath.Join(t.TempDir(), "deep", "cdk.out")
	if err := Run(t.Context(), Options{Dir: dir, Out: out}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "manifest.json")); err != nil {
		t.Error(err)
	}
}

// TestEnvironment cannot run in parallel, since it plays a CDK CLI around it.
func TestEnvironment(t *testing.T) {
	for _, name := range cliVariables {
		t.Setenv(name, "from outside")
	}
	t.Setenv("KEPT", "yes")
	dir := appDir(t, map[string]string{
		"cdk.json": `{"app": ["go", "run", "."], "context": {"b": 2, "c": {"deep": 12345678901234567890}, "stage": "prod",
			"aws:cdk:enable-path-metadata": false}}`,
		"cdk.context.json": `{"a": 1, "b": 1}`,
	})
	tests := []struct {
		name    string
		options Options
		want    string // context
	}{
		{"no bundling", Options{Context: map[string]string{"stage": "dev"}},
			`{"a":1,"aws:cdk:bundling-stacks":[],"aws:cdk:enable-asset-metadata":true,"aws:cdk:enable-path-metadata":true,"aws:cdk:version-reporting":false,"b":2,"c":{"deep":12345678901234567890},"stage":"dev"}`},
		{"bundling", Options{Bundle: true},
			`{"a":1,"aws:cdk:bundling-stacks":["**"],"aws:cdk:enable-asset-metadata":true,"aws:cdk:enable-path-metadata":true,"aws:cdk:version-reporting":false,"b":2,"c":{"deep":12345678901234567890},"stage":"prod"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app, err := readProject(dir)
			if err != nil {
				t.Fatal(err)
			}
			if app.command != "go run ." {
				t.Errorf("the command is %q", app.command)
			}
			env, err := environment(tt.options, app.context, "/out")
			if err != nil {
				t.Fatal(err)
			}
			var cdk []string
			for _, variable := range env {
				if name, _, _ := strings.Cut(variable, "="); slices.Contains(cliVariables, name) {
					cdk = append(cdk, variable)
				}
			}
			if want := []string{"CDK_OUTDIR=/out", "CDK_CONTEXT_JSON=" + tt.want}; !slices.Equal(cdk, want) {
				t.Errorf("got  %q\nwant %q", cdk, want)
			}
			if !slices.Contains(env, "KEPT=yes") {
				t.Error("the rest of the environment is gone")
			}
		})
	}
}

// TestLargeContext has more context than one environment variable can hold.
func TestLargeContext(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"cdk.json":         app(good + `; cp "$CONTEXT_OVERFLOW_LOCATION_ENV" "$CDK_OUTDIR/context"`),
		"cdk.context.json": `{"large": "` + strings.Repeat("x", 200<<10) + `"}`,
	})
	if err := Run(t.Context(), Options{Dir: dir, Out: "out", Context: map[string]string{"stage": "dev"}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out", "context"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got["stage"] != "dev" || len(got) != 6 {
		t.Errorf("the app got %d context values, stage %v", len(got), got["stage"])
	}
	if got := list(t, dir); slices.Contains(got, "out.new.context.json") {
		t.Errorf("the directory holds %v", got)
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  string // with $DIR for the app's directory
		code  int
	}{
		{"no app here", nil,
			"no CDK app here: $DIR/cdk.json does not exist; run this in the app's directory, or name a synthesized cloud assembly with --assembly", 2},
		{"broken cdk.json", map[string]string{"cdk.json": "{\n\"app\": \"x\",\n}"},
			"$DIR/cdk.json:3: invalid character '}' looking for beginning of object key string", 2},
		{"broken cdk.context.json", map[string]string{"cdk.json": app(good), "cdk.context.json": "[]"},
			"$DIR/cdk.context.json: json: cannot unmarshal array into Go value of type map[string]json.RawMessage", 2},
		{"no command", map[string]string{"cdk.json": `{"context": {}}`},
			`$DIR/cdk.json: no "app"; write the command that runs the app, such as "app": "go run ."`, 2},
		{"a command of another type", map[string]string{"cdk.json": `{"app": {"go": "run"}}`},
			`$DIR/cdk.json: "app" is not text; write the command that runs the app, such as "go run ."`, 2},
		{"a directory as the command", map[string]string{"cdk.json": app("cdk.out"), "cdk.out/manifest.json": "{}"},
			`$DIR/cdk.json: "app" names a directory, not a command; use it with --assembly cdk.out`, 2},
		{"a failing app", map[string]string{"cdk.json": app(`echo one; echo '  two' >&2; echo 'exit status 1' >&2; exit 7`)},
			"the CDK app \"echo one; echo '  two' >&2; echo 'exit status 1' >&2; exit 7\" failed (exit status 7):\n  one\n    two", 1},
		{"a silent failure", map[string]string{"cdk.json": app("exit 3")},
			`the CDK app "exit 3" failed (exit status 3)`, 1},
		{"a failing build", map[string]string{"cdk.json": `{"build": "echo no; false", "app": "true"}`},
			"the CDK app \"echo no; false\" failed (exit status 1):\n  no", 1},
		{"no assembly", map[string]string{"cdk.json": app("true")},
			`the CDK app "true" ended well and wrote no manifest.json; it has to call Synth, and to leave AppProps.Outdir unset (or name what it wrote with --assembly)`, 1},
		{"lookups", map[string]string{"cdk.json": app(`echo '{"missing":[{"key":"vpc"},{"key":"ami"}]}' > $CDK_OUTDIR/manifest.json`)},
			"the CDK app needs values from an AWS account: vpc, ami; run cdk synth once with credentials and keep the cdk.context.json it writes", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := appDir(t, tt.files)
			old := filepath.Join(dir, "out", "manifest.json")
			write(t, old, "old")
			err := Run(t.Context(), Options{Dir: dir, Out: "out"})
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "$DIR"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			// An exec.ExitError in the chain would pass the app's own code on.
			code := 1
			if coded, ok := errors.AsType[interface {
				error
				ExitCode() int
			}](err); ok {
				code = coded.ExitCode()
			}
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if data, err := os.ReadFile(old); err != nil || string(data) != "old" {
				t.Errorf("the assembly before is %q, %v", data, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "out.new")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what the app wrote is left: %v", err)
			}
		})
	}
}

func TestRunLocked(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{"cdk.json": app(good)})
	unlock, err := lock(filepath.Join(dir, "out.lock"))
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), Options{Dir: dir, Out: "out"})
	if want := "synth: another gatewright is synthesizing into " + dir + "; try again when it is done"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	unlock()
	if err := Run(t.Context(), Options{Dir: dir, Out: "out"}); err != nil {
		t.Errorf("after the other one: %v", err)
	}
}

// TestRunCanceled ends an app whose child does not listen to SIGINT. The child
// holds the write end of a pipe, which tells when it is gone.
func TestRunCanceled(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{"cdk.json": app(`exec 3>alive; (trap '' INT; exec sleep 600) >/dev/null 2>&1 & echo started; wait`)})
	fifo := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := os.ReadFile(fifo)
		gone <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := Run(ctx, Options{Dir: dir, Out: "out", Verbose: true, Stderr: writerFunc(func(p []byte) {
		if string(p) == "started\n" {
			cancel()
		}
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if err := <-gone; err != nil {
		t.Error(err)
	}
	if got := list(t, dir); !slices.Equal(got, []string{"alive", "cdk.json", "out.lock"}) {
		t.Errorf("the directory holds %v", got)
	}
}

// TestSlow has an app that goes on only after it was reported as slow.
func TestSlow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := command{line: "while ! test -e go; do sleep 0.01; done", dir: dir, env: os.Environ()}
	called := 0
	if err := c.run(t.Context(), 1, func() { called++; write(t, filepath.Join(dir, "go"), "") }); err != nil || called == 0 {
		t.Errorf("reported %d times, %v", called, err)
	}
}

func TestVerbose(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{"cdk.json": app("echo out; echo err >&2; printf end; exit 1")})
	var stderr bytes.Buffer
	err := Run(t.Context(), Options{Dir: dir, Out: "out", Verbose: true, Stderr: &stderr})
	if want := `the CDK app "echo out; echo err >&2; printf end; exit 1" failed (exit status 1)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := stderr.String(); got != "out\nerr\nend\n" {
		t.Errorf("stderr got %q", got)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLineSize+1)
	var many, last []string
	for i := range 30 {
		line := strings.Repeat("y", i+1)
		if many = append(many, line); i >= 10 {
			last = append(last, line)
		}
	}
	tests := []struct {
		name string
		in   []string // writes
		want []string
	}{
		{"nothing", nil, nil},
		{"lines in pieces", []string{"a", "b\nc", "\r\n", "\n", "d"}, []string{"ab", "c", "d"}},
		{"jsii's box", []string{
			"!!!!!!!!!!!!!!!!!!!\n!!               !!\n",
			"!!  Node 20 is end-of-life and not supported anymore.  !!\n",
			"\x1b[31m!!!!!!!!!!!!!!!!!!!\x1b[39m\nwell!!\n!!x\n"}, []string{"well!!", "!!x"}},
		{"colours", []string{"\x1b[1;31merror\x1b[0m: \n"}, []string{"error: "}},
		{"the last lines only", []string{strings.Join(many, "\n")}, last},
		{"a line without end", []string{long, "z"}, []string{long, "z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var o output
			for _, text := range tt.in {
				if n, err := o.Write([]byte(text)); n != len(text) || err != nil {
					t.Fatal(n, err)
				}
			}
			if got := o.end(); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// app returns a cdk.json with a command.
func app(command string) string {
	data, _ := json.Marshal(map[string]string{"app": command})
	return string(data)
}

func appDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// list returns the files below dir.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
