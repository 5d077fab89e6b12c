package synth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// graceTime is what a canceled app gets to clean up, which `go run` uses to
	// remove its build directory.
	graceTime = 2 * time.Second

	tailLines   = 20       // of a failed app's output, in the error
	maxLineSize = 64 << 10 // a longer line is broken
)

// command is a shell command in a process group of its own, so that it can be
// ended with everything it started: sh, go, the app, and jsii's Node process.
type command struct {
	line string
	dir  string
	env  []string
	live io.Writer // gets the output as it comes; nil to keep only its tail
}

// run runs the command and calls slow every so often until it has ended.
func (c command) run(ctx context.Context, every time.Duration, slow func()) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", c.line) //nolint:gosec // running cdk.json's command is the purpose
	out := &output{live: c.live}
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = graceTime
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot run the CDK app %q: %w", c.line, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			out.mu.Lock()
			slow()
			out.mu.Unlock()
		case err := <-ended:
			// What outlives the shell would go on writing to a directory that
			// is about to be moved. Nothing is left in the usual case.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			return c.failure(ctx, err, out)
		}
	}
}

// failure says how the command failed, or returns nil where it did not.
func (c command) failure(ctx context.Context, err error, out *output) error {
	lines := out.end()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// go run repeats what the shell's exit code says.
	if last := len(lines) - 1; last >= 0 && strings.HasPrefix(lines[last], "exit status ") {
		lines = lines[:last]
	}
	// Not wrapped: an exec.ExitError has an ExitCode, which is the app's, and a
	// command would exit with it.
	how := err.Error()
	if c.live != nil || len(lines) == 0 {
		return fmt.Errorf("the CDK app %q failed (%s)", c.line, how)
	}
	return fmt.Errorf("the CDK app %q failed (%s):\n  %s", c.line, how, strings.Join(lines, "\n  "))
}

// output takes the app's output line by line, drops jsii's notes about the age
// of Node, and keeps the last lines.
type output struct {
	mu      sync.Mutex
	live    io.Writer
	partial []byte
	tail    []string
}

// Write implements io.Writer. It never fails: what cannot be shown must not
// stop the app.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, part := range bytes.SplitAfter(p, []byte("\n")) {
		o.partial = append(o.partial, part...)
		if bytes.HasSuffix(part, []byte("\n")) || len(o.partial) > maxLineSize {
			o.flush()
		}
	}
	return len(p), nil
}

// end returns the last lines.
func (o *output) end() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	return o.tail
}

func (o *output) flush() {
	line := strings.TrimRight(string(o.partial), "\r\n")
	o.partial = o.partial[:0]
	plain := ansi.ReplaceAllString(line, "")
	if plain == "" || strings.HasPrefix(plain, "!!") && strings.HasSuffix(plain, "!!") {
		return
	}
	if o.live != nil {
		_, _ = fmt.Fprintln(o.live, line)
	}
	o.tail = append(o.tail, plain)
	if len(o.tail) > tailLines {
		o.tail = o.tail[1:]
	}
}

// ansi matches terminal colours.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")
