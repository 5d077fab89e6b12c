package functions

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// invocation is one event on its way through a function.
type invocation struct {
	requestID   string
	traceID     string
	functionARN string
	payload     []byte
	deadline    time.Time // set before the event is handed out

	answered chan outcome // holds what the process answered
	done     chan outcome // holds what Invoke returns
}

func newInvocation(fn *function, payload []byte) *invocation {
	return &invocation{
		requestID:   uuid.NewString(),
		traceID:     newTraceID(time.Now()),
		functionARN: fn.ARN,
		payload:     payload,
		answered:    make(chan outcome, 1),
		done:        make(chan outcome, 1),
	}
}

// settleTime is how long an answer waits for the process to ask for its next
// event. Nearly always it does so at once and is then idle when the caller has
// the answer, so calls one after the other share an environment. A function
// that works on after its answer delays it by no more than this.
const settleTime = 50 * time.Millisecond

// handle takes an admitted event through a function.
func (m *Runner) handle(ctx context.Context, fn *function, inv *invocation) {
	out, remainder := m.process(ctx, fn, inv)
	if remainder != nil {
		m.deliver(fn, inv, out)
		remainder()
		m.dismiss(fn)
		return
	}
	// Dismissed first: the caller's next event must find the place free.
	m.dismiss(fn)
	m.deliver(fn, inv, out)
}

// deliver hands the outcome to Invoke.
func (m *Runner) deliver(fn *function, inv *invocation, out outcome) {
	if m.stopped.Err() != nil && (out.err != nil || out.FunctionError != "") {
		out = outcome{err: ErrClosed}
	}
	if out.FunctionError != "" && (!out.refuses || !m.cfg.Authorizes(fn.ARN)) {
		m.cfg.Log.Error("ERROR", "fn", fn.Name, "requestId", inv.requestID, "errorType", out.errorType)
	}
	inv.done <- out
}

// process finds an environment for the event and runs it there. The remainder,
// if there is one, waits for a function that works on after its answer.
func (m *Runner) process(ctx context.Context, fn *function, inv *invocation) (outcome, func()) {
	path, err := fn.program.executable(m.stopped)
	if err != nil {
		return outcome{err: err}, nil
	}
	env, err := m.acquire(ctx, fn, path)
	if err != nil {
		return outcome{err: err}, nil
	}
	m.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "START", slog.String("fn", fn.Name),
		slog.String("requestId", inv.requestID), slog.Bool("cold", env == nil))
	inv.deadline = time.Now().Add(fn.timeout())
	if env == nil {
		var out outcome
		if env, out = m.coldStart(fn, path, inv); env == nil {
			return out, nil
		}
	}
	limit := time.After(time.Until(inv.deadline))
	out, alive := env.run(inv, fn.timeout(), limit)
	if !alive {
		env.kill()
		return out, nil
	}
	if env.settled(time.After(settleTime)) {
		m.keep(fn, env)
		return out, nil
	}
	return out, func() {
		if env.settled(limit) {
			m.keep(fn, env)
			return
		}
		env.kill()
	}
}

// coldStart starts an environment in a place that acquire has reserved. Where
// its init phase fails or takes longer than InitTimeout it is started once
// more, now on the time of the event ("Understanding the Lambda execution
// environment lifecycle"). Without an environment, outcome says why.
func (m *Runner) coldStart(fn *function, path string, inv *invocation) (*environment, outcome) {
	env, err := m.launch(fn, path)
	if err != nil {
		return nil, startFailure(inv, err)
	}
	if _, ready := env.awaitInit(inv, m.cfg.InitTimeout, time.After(m.cfg.InitTimeout)); ready {
		inv.deadline = time.Now().Add(fn.timeout())
		return env, outcome{}
	}
	env.kill()

	m.cfg.Log.Warn("INIT failed, trying once more", "fn", fn.Name, "requestId", inv.requestID)
	m.reserve()
	inv.deadline = time.Now().Add(fn.timeout())
	if env, err = m.launch(fn, path); err != nil {
		return nil, startFailure(inv, err)
	}
	out, ready := env.awaitInit(inv, fn.timeout(), time.After(fn.timeout()))
	if !ready {
		env.kill()
		return nil, out
	}
	return env, outcome{}
}

// startFailure is the outcome where no process could be started.
func startFailure(inv *invocation, err error) outcome {
	return failure("Runtime.InvalidEntrypoint", fmt.Sprintf("RequestId: %s Error: %v", inv.requestID, err))
}

// timeout is the function's limit, 3 seconds where the template has none.
func (f *function) timeout() time.Duration { return cmp.Or(f.Timeout, 3*time.Second) }

// newTraceID returns an X-Ray header for a trace that nobody samples.
func newTraceID(now time.Time) string {
	var b [20]byte
	_, _ = rand.Read(b[:])                                                                       // it never fails
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", uint32(now.Unix()), b[:12], b[12:]) //nolint:gosec // 32 bits, as the format has it
}

// newLogStream returns a log stream's name as Lambda forms it.
func newLogStream(now time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return now.UTC().Format("2006/01/02/") + "[$LATEST]" + hex.EncodeToString(b[:])
}
