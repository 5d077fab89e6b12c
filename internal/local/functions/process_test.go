package functions

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// TestClose shows that neither an idle nor a busy process outlives Close, nor
// anything that they have started, nor a goroutine.
func TestClose(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	f := probe()
	m := newRunner(t, of(f))
	b := newBarrier(t)
	idle := send(t, m, f, event{}).PID
	grandchild := send(t, m, f, event{Do: "spawn"}).PID
	busy := make(chan error, 1)
	go func() {
		_, err := m.Invoke(context.Background(), f.ARN, []byte(`{"URL":"`+b.url+`"}`))
		busy <- err
	}()
	b.wait(1)
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-busy; !errors.Is(err, ErrClosed) {
		t.Errorf("the event under way ended with %v", err)
	}
	if _, err := m.Invoke(t.Context(), f.ARN, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("an event after Close ended with %v", err)
	}
	if err := syscall.Kill(idle, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is left: %v", idle, err)
	}
	eventually(t, "the grandchild has ended", func() bool { return ended(grandchild) })
	b.open()
	b.close()
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

// TestCloseKills shows that a process which ignores SIGTERM is killed.
func TestCloseKills(t *testing.T) {
	t.Parallel()
	dir, f := writeModule(t, `package main

import ("net/http"; "os"; "os/signal"; "syscall")

func main() {
	signal.Ignore(syscall.SIGTERM)
	for {
		resp, err := http.Get("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			select {}
		}
		resp.Body.Close()
		http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/invocation/"+
			resp.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "", nil)
	}
}
`)
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, AppDir: dir})
	if result, err := invoke(t, m, f, "x"); err != nil || result.FunctionError != "" {
		t.Fatalf("%s, %v", result.Payload, err)
	}
	gone := theOnly(t, m).gone
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no grace
	if err := m.Close(ctx); err != nil {
		t.Fatal(err)
	}
	<-gone
}

// TestNothingWorksOn shows that what a process has started ends with it, and
// that the next event finds a fresh process.
func TestNothingWorksOn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		ending event
		want   string
	}{
		{"after a timeout", event{URL: newBarrier(t).url}, "Sandbox.Timedout"},
		{"after an exit", event{Do: "exit", Size: 1}, "Runtime.ExitError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := probe(func(f *assembly.Function) { f.Timeout = 2 * time.Second })
			m := newRunner(t, of(f))
			grandchild := send(t, m, f, event{Do: "spawn"}).PID
			env := theOnly(t, m)
			if doc := fails(t, m, f, tt.ending); doc.ErrorType != tt.want {
				t.Errorf("got %+v", doc)
			}
			<-env.gone
			eventually(t, "the grandchild has ended", func() bool { return ended(grandchild) })
			if a := send(t, m, f, event{}); a.Count != 1 {
				t.Errorf("the next event ran in a used process: %+v", a)
			}
		})
	}
}

// TestCallerLeaves shows that a function works on when its caller has left, and
// that its environment is used again.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	f := probe()
	m := newRunner(t, of(f))
	b := newBarrier(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := m.Invoke(ctx, f.ARN, []byte(`{"URL":"`+b.url+`"}`))
		left <- err
	}()
	b.wait(1)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	b.open()
	eventually(t, "the environment is idle", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.functions[f.ARN].idle) == 1
	})
	if a := send(t, m, f, event{}); a.Count != 2 {
		t.Errorf("answer = %+v", a)
	}
}

// TestIdleEnvironmentsEnd covers an environment that is idle for too long, and
// one whose process ends while it is idle.
func TestIdleEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	f := probe()
	t.Run("too long", func(t *testing.T) {
		t.Parallel()
		m := newRunner(t, Config{Functions: []*assembly.Function{f}, IdleTimeout: 100 * time.Millisecond})
		send(t, m, f, event{})
		eventually(t, "the environment has ended", func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.processes == 0
		})
		if a := send(t, m, f, event{}); a.Count != 1 {
			t.Errorf("answer = %+v", a)
		}
	})
	t.Run("killed from outside", func(t *testing.T) {
		t.Parallel()
		m := newRunner(t, of(f))
		a := send(t, m, f, event{})
		env := theOnly(t, m)
		if err := syscall.Kill(a.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-env.gone
		if a := send(t, m, f, event{}); a.Count != 1 {
			t.Errorf("answer = %+v", a)
		}
	})
}

// TestParentDeath shows that functions end when the process that runs them is
// killed outright.
func TestParentDeath(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a process's life to its parent's")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "GATEWRIGHT_TEST_PARENT="+cache, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent printed %q: %v", line, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || ended(pid) {
		t.Fatalf("process %q does not run: %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	eventually(t, "the function has ended", func() bool { return ended(pid) })
}

// parent is the process that TestParentDeath kills: it runs one function that
// would never end by itself, prints its process id and waits.
func parent(builds string) {
	started := make(chan struct{})
	f := raw("silent")
	m, err := New(Config{
		Functions: []*assembly.Function{f}, Region: "eu-west-1", AppDir: moduleDir, CacheDir: builds,
		Log: slog.New(slog.NewTextHandler(writerFunc(func(p []byte) {
			if strings.Contains(string(p), "silent now") {
				close(started)
			}
		}), nil)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _, _ = m.Invoke(context.Background(), f.ARN, nil) }()
	<-started
	m.mu.Lock()
	for env := range m.live {
		fmt.Println(env.cmd.Process.Pid)
	}
	m.mu.Unlock()
	select {}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// theOnly is the one environment there is.
func theOnly(t *testing.T, m *Runner) *environment {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.live) != 1 {
		t.Fatalf("%d environments", len(m.live))
	}
	for env := range m.live {
		return env
	}
	return nil
}

// ended says whether a process that is no child of ours has ended. Whoever
// adopted it may be slow to bury it.
func ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// eventually waits for what nobody announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !is() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("still not so: %s", what)
		}
	}
}
