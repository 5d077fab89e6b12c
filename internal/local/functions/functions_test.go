package functions

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	f := probe()
	m := newRunner(t, of(f))
	before := time.Now()
	a := send(t, m, f, event{Text: "hello"})
	if a.Text != "hello" || a.Count != 1 || a.ARN != f.ARN {
		t.Errorf("answer = %+v", a)
	}
	if len(a.Request) != 36 || a.Request[14] != '4' {
		t.Errorf("request id %q is no random UUID", a.Request)
	}
	if !strings.HasPrefix(a.Trace, "Root=1-") || len(a.Trace) != len("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0") {
		t.Errorf("trace = %q", a.Trace)
	}
	if d := time.UnixMilli(a.Deadline); d.Before(before.Add(f.Timeout-time.Second)) || d.After(time.Now().Add(f.Timeout)) {
		t.Errorf("deadline = %v", d)
	}
}

// TestReuse shows that calls one after the other share a process, and that
// events at the same time do not.
func TestReuse(t *testing.T) {
	t.Parallel()
	f := probe()
	m := newRunner(t, of(f))
	const together = 5
	b := newBarrier(t)
	answers := make(chan answer, together)
	for range together {
		go func() { answers <- send(t, m, f, event{URL: b.url}) }()
	}
	b.wait(together) // all are in their function at once
	b.open()
	pids := map[int]bool{}
	for range together {
		pids[(<-answers).PID] = true
	}
	if len(pids) != together {
		t.Errorf("%d events at once ran in %d processes", together, len(pids))
	}
	first := send(t, m, f, event{})
	for i := 1; i < 10; i++ {
		if a := send(t, m, f, event{}); a.PID != first.PID || a.Count != first.Count+i {
			t.Fatalf("call %d: process %d, its event %d; want process %d, event %d", i, a.PID, a.Count, first.PID, first.Count+i)
		}
	}
	if !pids[first.PID] {
		t.Error("a new process was started although others were idle")
	}
}

// TestWorkAfterTheAnswer shows that the answer does not wait for what a runtime
// does after it, and that its environment is not used meanwhile.
func TestWorkAfterTheAnswer(t *testing.T) {
	t.Parallel()
	f := raw("works-on", func(f *assembly.Function) { f.ReservedConcurrency = 1 })
	m := newRunner(t, of(f))
	b := newBarrier(t)
	if result, err := invoke(t, m, f, b.url); err != nil || string(result.Payload) != `"early"` {
		t.Fatalf("%s, %v", result.Payload, err)
	}
	if _, err := invoke(t, m, f, b.url); err == nil {
		t.Error("an environment that still works took another event")
	}
	b.open()
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	reserved := func(n int) func(*assembly.Function) {
		return func(f *assembly.Function) { f.ReservedConcurrency = n }
	}
	tests := []struct {
		name string
		cfg  Config
		busy int // events that fit
		want string
	}{
		{"reserved 2", of(probe(reserved(2))), 2, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"reserved 0", of(probe(reserved(0))), 0, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"account", Config{Functions: []*assembly.Function{probe()}, MaxConcurrency: 2}, 2, "ConcurrentInvocationLimitExceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, f := newRunner(t, tt.cfg), tt.cfg.Functions[0]
			b := newBarrier(t)
			var busy sync.WaitGroup
			for range tt.busy {
				busy.Go(func() { send(t, m, f, event{URL: b.url}) })
			}
			b.wait(tt.busy)
			_, err := invoke(t, m, f, event{})
			throttled, ok := errorAs[*ThrottledError](err)
			if !ok || throttled.Reason != tt.want {
				t.Errorf("error = %v", err)
			}
			b.open()
			busy.Wait()
			for range min(tt.busy*10, 10) { // places are free as soon as their answers are there
				send(t, m, f, event{})
			}
		})
	}
}

// TestMaxProcesses shows that events wait for a process where there can be no
// more, and that an idle one of another function makes room.
func TestMaxProcesses(t *testing.T) {
	t.Parallel()
	f, other := probe(), raw("echo")
	m := newRunner(t, Config{Functions: []*assembly.Function{f, other}, MaxProcesses: 1})
	if result, err := invoke(t, m, other, "x"); err != nil || string(result.Payload) != `"x"` {
		t.Fatalf("%s, %v", result.Payload, err)
	}
	b := newBarrier(t)
	var busy sync.WaitGroup
	pids := make(chan int, 2)
	for range 2 {
		busy.Go(func() { pids <- send(t, m, f, event{URL: b.url}).PID })
	}
	b.wait(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Invoke(ctx, other.ARN, []byte("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that left got %v", err)
	}
	b.open()
	busy.Wait()
	if first, second := <-pids, <-pids; first != second {
		t.Errorf("processes %d and %d where one was allowed", first, second)
	}
}

func TestPayloadLimits(t *testing.T) {
	t.Parallel()
	f := probe()
	m := newRunner(t, of(f))
	_, err := m.Invoke(t.Context(), f.ARN, make([]byte, maxRequestBytes+1))
	if e, ok := errorAs[*TooLargeError](err); !ok || e.Bytes != maxRequestBytes+1 {
		t.Errorf("error = %v", err)
	}
	length := maxRequestBytes - len(`{"Do":"length","Text":""}`)
	fits := `{"Do":"length","Text":"` + strings.Repeat("y", length) + `"}`
	if result, err := m.Invoke(t.Context(), f.ARN, []byte(fits)); err != nil || string(result.Payload) != strconv.Itoa(length) {
		t.Errorf("an event of %d bytes: %s, %v", len(fits), result.Payload, err)
	}
	// A JSON string has two quotes more.
	if result, err := invoke(t, m, f, event{Do: "big", Size: maxAnswerBytes - 2}); err != nil || len(result.Payload) != maxAnswerBytes {
		t.Errorf("the largest answer: %d bytes, %s, %v", len(result.Payload), result.FunctionError, err)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	f := probe(func(f *assembly.Function) {
		if f.CodeDir, err = filepath.Rel(cwd, dir); err != nil { // as an assembly that is named by a relative path has it
			t.Fatal(err)
		}
		f.Environment = map[string]string{"TABLE": "orders", "LANG": "C", "AWS_REGION": "mars-1", "ENDPOINT": "template"}
	})
	starts := 0
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, Environment: func(of *assembly.Function) []string {
		starts++
		return []string{"AWS_ACCESS_KEY_ID=ROLE-" + of.Name, "ENDPOINT=local"}
	}})
	a := send(t, m, f, event{})
	send(t, m, f, event{})
	if starts != 1 {
		t.Errorf("Environment was called %d times for one process", starts)
	}
	got := map[string]string{}
	for _, v := range a.Env {
		name, value, _ := strings.Cut(v, "=")
		if got[name] = value; strings.Contains(v, planted) {
			t.Errorf("the developer's own %s reached the function", name)
		}
	}
	for name, want := range map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "probe", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/probe", "LAMBDA_TASK_ROOT": dir, "_HANDLER": "bootstrap", "TZ": ":UTC",
		"PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TABLE": "orders", "LANG": "C",
		"AWS_ACCESS_KEY_ID": "ROLE-probe", "ENDPOINT": "local",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	if home, _ := os.UserHomeDir(); got["HOME"] == "" || got["HOME"] == home || got["TMPDIR"] != got["HOME"] {
		t.Errorf("HOME = %q, TMPDIR = %q", got["HOME"], got["TMPDIR"])
	}
	for _, name := range []string{"HOME", "TMPDIR", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID", "PWD"} {
		delete(got, name)
	}
	if len(got) != 0 {
		t.Errorf("not expected: %v", got)
	}
	if a.Dir != dir {
		t.Errorf("it runs in %s, not in its asset", a.Dir)
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	f := probe()
	var logs logLines
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, Log: logs.logger()})
	send(t, m, f, event{Do: "print", Text: "one\ntwo"})
	fails(t, m, f, event{Do: "exit", Size: 2})
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"msg":"one","fn":"probe"`, `"msg":"two","fn":"probe"`, `"msg":"to stderr","fn":"probe"`,
		`"msg":"START","fn":"probe","requestId":"`, `"cold":true`, `"cold":false`,
		`"level":"ERROR","msg":"ERROR","fn":"probe","requestId":"`, `"errorType":"Runtime.ExitError"`,
	} {
		if !strings.Contains(logs.String(), want) {
			t.Errorf("no %s in\n%s", want, logs.String())
		}
	}
}

// "Unauthorized" is an authorizer's answer, and any other function's fault.
func TestUnauthorizedInTheLog(t *testing.T) {
	t.Parallel()
	for _, authorizes := range []bool{true, false} {
		f := probe()
		var logs logLines
		c := Config{Functions: []*assembly.Function{f}, Log: logs.logger()}
		if authorizes {
			c.Authorizes = func(arn string) bool { return arn == f.ARN }
		}
		m := newRunner(t, c)
		fails(t, m, f, event{Do: "fail", Text: "Unauthorized"})
		if got := strings.Contains(logs.String(), `"msg":"ERROR"`); got == authorizes {
			t.Errorf("an authorizer %v: an error in the log %v", authorizes, got)
		}
		fails(t, m, f, event{Do: "fail", Text: "unauthorized"})
		if !strings.Contains(logs.String(), `"msg":"ERROR"`) {
			t.Errorf("an authorizer %v: no error in the log", authorizes)
		}
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	script := t.TempDir()
	if err := os.WriteFile(filepath.Join(script, "bootstrap"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	foreignTo := func(change func(*assembly.Function)) *assembly.Function {
		f := probe(func(f *assembly.Function) { f.Source = nil }, change)
		return f
	}
	tests := []struct {
		name string
		f    *assembly.Function
		want string
	}{
		{"another runtime", foreignTo(func(f *assembly.Function) { f.Runtime, f.Handler = "nodejs22.x", "index.handler" }),
			"only OS-only runtimes run here (runtime nodejs22.x, handler index.handler, arm64)"},
		{"no code", foreignTo(func(*assembly.Function) {}), "the assembly has no code of it"},
		{"no bootstrap", foreignTo(func(f *assembly.Function) { f.CodeDir = t.TempDir() }), "its bootstrap is no Linux executable"},
		{"a script", foreignTo(func(f *assembly.Function) { f.CodeDir = script }), "its bootstrap is no Linux executable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newRunner(t, of(tt.f))
			if err := m.Prepare(t.Context()); err != nil {
				t.Errorf("Prepare: %v", err)
			}
			_, err := invoke(t, m, tt.f, event{})
			if e, ok := errorAs[*UnavailableError](err); !ok || !strings.Contains(e.Error(), tt.want) {
				t.Errorf("error = %v", err)
			}
			if reason := m.Unserved(tt.f.ARN); !strings.Contains(reason, tt.want) {
				t.Errorf("unserved because %q", reason)
			}
		})
	}
	if reason := newRunner(t, of(probe())).Unserved(probe().ARN); reason != "" {
		t.Errorf("a function with a source is unserved because %q", reason)
	}
	m := newRunner(t, of())
	if _, err := m.Invoke(t.Context(), "arn:aws:lambda:eu-west-1:1:function:none", nil); err == nil {
		t.Error("an unknown function was invoked")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no region", Config{}, "no region"},
		{"no directories", Config{Region: "eu-west-1", Functions: []*assembly.Function{probe()}}, "needs AppDir and CacheDir"},
		{"an ARN twice", Config{Region: "eu-west-1", AppDir: ".", CacheDir: ".", Functions: []*assembly.Function{probe(), probe()}}, "used twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	dir, broken := writeModule(t, "package main\n\nfunc main() { undeclared() }\n")
	var steps []string
	m := newRunner(t, Config{Functions: []*assembly.Function{broken}, AppDir: dir, Progress: func(s string) { steps = append(steps, s) }})
	err := m.Prepare(t.Context())
	if e, ok := errorAs[*BuildError](err); !ok || !strings.Contains(e.Error(), "undefined: undeclared") {
		t.Errorf("error = %v", err)
	}
	if want := []string{"building example.com/fn"}; !slices.Equal(steps, want) {
		t.Errorf("progress = %q", steps)
	}
}

// BenchmarkInvokeWarm measures one event through a warm process.
func BenchmarkInvokeWarm(b *testing.B) {
	f := probe()
	m := newRunner(b, of(f))
	send(b, m, f, event{})
	payload := []byte(`{"Do":"fail"}`)
	for b.Loop() {
		if _, err := m.Invoke(b.Context(), f.ARN, payload); err != nil {
			b.Fatal(err)
		}
	}
}
