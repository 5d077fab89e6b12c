// Package functions runs Lambda functions on this machine, each execution
// environment as a process of its own that speaks the AWS Lambda Runtime API
// ("Using the Lambda runtime API for custom runtimes" in the Lambda Developer
// Guide).
//
// A function whose source is known is built for the host, and built again on
// the next event after its source has changed. Any other function runs if its
// asset holds an executable for the host; otherwise invoking it says why not.
//
// A process starts from an empty environment: nothing of the developer's own
// environment, credentials least of all, reaches a function.
package functions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Config says which functions to run and how. The zero value of an optional
// field is the default that its comment names.
type Config struct {
	Functions []*assembly.Function

	// AppDir is where the app lies, whose go.mod names the functions' modules.
	// CacheDir holds what has been built. Both are needed as soon as one
	// function has a source.
	AppDir   string
	CacheDir string

	// Region is what functions see as AWS_REGION. It is required.
	Region string

	// Environment returns what one process gets besides its own variables, as
	// "NAME=value": credentials of its role, endpoints. It is called at every
	// start of a process and wins over everything else. Optional.
	Environment func(*assembly.Function) []string

	// Authorizes reports whether a function, by its ARN, is a Lambda authorizer, to
	// whom the error "Unauthorized" is an answer and no fault. Default: none is.
	Authorizes func(arn string) bool

	// Log receives what functions print, a record per line with the attribute
	// "fn", and what happens to them. Nothing is logged by default.
	Log *slog.Logger

	// Progress receives one line for each step of Prepare. Optional.
	Progress func(string)

	// InitTimeout bounds the time from a process's start until it asks for its
	// first event: 10 seconds, as on AWS.
	InitTimeout time.Duration

	// IdleTimeout is how long an environment without events is kept: 5 minutes.
	IdleTimeout time.Duration

	// MaxConcurrency is the number of events in work at once over all
	// functions, beyond which an event is throttled: 1000, as in a new account's
	// quota on AWS.
	MaxConcurrency int

	// MaxProcesses is the number of processes at once: 64. An event beyond it
	// waits, because the limit is this machine's and not one of AWS.
	MaxProcesses int
}

// Result is how an invocation ended, as the Invoke API of Lambda reports it.
type Result struct {
	Payload []byte // the function's answer, or a JSON error document

	// FunctionError is "Unhandled" where the function failed, empty otherwise.
	FunctionError string
}

// Runner runs the functions of one stage.
type Runner struct {
	cfg       Config
	functions map[string]*function // by ARN
	starter   *starter
	stop      context.CancelFunc
	stopped   context.Context // ends with the runner, which outlives every call
	work      sync.WaitGroup  // invocations and processes

	mu        sync.Mutex
	closed    bool
	events    int           // events in work, over all functions
	processes int           // environments that exist or are about to
	changed   chan struct{} // closed and replaced when an environment may be had
	live      map[*environment]struct{}
}

// function is one function and its idle environments.
type function struct {
	*assembly.Function
	program program

	// Guarded by Runner.mu:
	events int            // events in work
	idle   []*environment // the most recently used one last
}

// New checks cfg. It starts no process and builds nothing.
func New(cfg Config) (*Runner, error) {
	if cfg.Region == "" {
		return nil, errors.New("functions: no region")
	}
	cfg.InitTimeout = cmp.Or(cfg.InitTimeout, 10*time.Second)
	cfg.IdleTimeout = cmp.Or(cfg.IdleTimeout, 5*time.Minute)
	cfg.MaxConcurrency = cmp.Or(cfg.MaxConcurrency, 1000)
	cfg.MaxProcesses = cmp.Or(cfg.MaxProcesses, 64)
	if cfg.Authorizes == nil {
		cfg.Authorizes = func(string) bool { return false }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Runner{
		cfg:       cfg,
		functions: make(map[string]*function, len(cfg.Functions)),
		changed:   make(chan struct{}),
		live:      make(map[*environment]struct{}),
	}
	for _, f := range cfg.Functions {
		if f.ARN == "" || m.functions[f.ARN] != nil {
			return nil, fmt.Errorf("functions: %s: ARN %q is empty or used twice", f.Path, f.ARN)
		}
		program, err := newProgram(cfg, f)
		if err != nil {
			return nil, fmt.Errorf("functions: %s: %w", f.Path, err)
		}
		m.functions[f.ARN] = &function{Function: f, program: program}
	}
	m.stopped, m.stop = context.WithCancel(context.Background())
	m.starter = newStarter()
	return m, nil
}

// Prepare builds every function whose source is known. The functions that do
// not build are in its error as *BuildError, joined; each is tried again when
// it is invoked. A function that cannot be served here is none of them:
// invoking it tells.
func (m *Runner) Prepare(ctx context.Context) error {
	progress := m.cfg.Progress
	if progress == nil {
		progress = func(string) {}
	}
	var failed []error
	for _, f := range m.cfg.Functions {
		if f.Source == nil {
			continue
		}
		progress("building " + f.Source.Package)
		if _, err := m.functions[f.ARN].program.executable(ctx); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if m.cfg.CacheDir != "" {
		pruneBuilds(m.cfg.CacheDir)
	}
	return errors.Join(failed...)
}

// Unserved says why a function without a source cannot run here, before it is
// invoked; it is empty where it can.
func (m *Runner) Unserved(functionARN string) string {
	fn := m.functions[functionARN]
	if fn == nil || fn.Source != nil {
		return ""
	}
	_, err := fn.program.executable(m.stopped)
	var unavailable *UnavailableError
	if errors.As(err, &unavailable) {
		return unavailable.Reason
	}
	return ""
}

// Invoke passes payload to a function and waits for its answer. A function
// that fails is no error of Invoke, but a Result with a FunctionError.
//
// Errors: *UnavailableError where the function cannot be served here,
// *BuildError where its source does not build, *ThrottledError and
// *TooLargeError as on AWS, ErrClosed after Close. Where ctx ends first, its
// error is returned and the function works on, as on AWS when a caller leaves.
func (m *Runner) Invoke(ctx context.Context, functionARN string, payload []byte) (Result, error) {
	fn := m.functions[functionARN]
	if fn == nil {
		return Result{}, &UnavailableError{Function: functionARN, Reason: "no such function in the assembly"}
	}
	if len(payload) > maxRequestBytes {
		return Result{}, &TooLargeError{Function: fn.Name, Bytes: len(payload)}
	}
	if err := m.admit(fn); err != nil {
		return Result{}, err
	}
	inv := newInvocation(fn, payload)
	go func() {
		defer m.work.Done()
		m.handle(ctx, fn, inv) // goes on for a caller that leaves
	}()
	select {
	case out := <-inv.done:
		return out.Result, out.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// admit counts an event in, or refuses it.
func (m *Runner) admit(fn *function) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case fn.ReservedConcurrency >= 0 && fn.events >= fn.ReservedConcurrency:
		return &ThrottledError{Function: fn.Name, Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	case m.events >= m.cfg.MaxConcurrency:
		return &ThrottledError{Function: fn.Name, Reason: "ConcurrentInvocationLimitExceeded"}
	}
	m.events++
	fn.events++
	m.work.Add(1)
	return nil
}

// dismiss counts an event out.
func (m *Runner) dismiss(fn *function) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events--
	fn.events--
}

// Close stops every process and waits until nothing of the runner is left: no
// process, listener or goroutine. A process gets shutdownGrace after SIGTERM,
// or less if ctx ends before, and then SIGKILL. Invocations under way fail.
func (m *Runner) Close(ctx context.Context) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.stop()
	for env := range m.live {
		go env.shutdown(ctx)
	}
	m.mu.Unlock()

	m.work.Wait()
	m.starter.close()
	return nil
}
