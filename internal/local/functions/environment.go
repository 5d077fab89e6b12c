package functions

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// shutdownGrace is the time between SIGTERM and SIGKILL, as in Lambda's
// shutdown phase for a function with internal extensions.
const shutdownGrace = 500 * time.Millisecond

// environment is one process of a function and the runtime API it talks to.
type environment struct {
	fn   *function
	path string // the executable it runs
	api  *runtimeAPI
	cmd  *exec.Cmd
	home string        // private to it: HOME and TMPDIR
	gone chan struct{} // closed once the process has ended and is cleaned up

	idleSince time.Time   // guarded by Runner.mu, as is
	idleTimer *time.Timer // nil before it was first idle
}

// launch starts a process in a place that is already reserved, and gives the
// place back if it cannot.
func (m *Runner) launch(fn *function, path string) (*environment, error) {
	env, err := m.newEnvironment(fn, path)
	if err != nil {
		m.vacate(nil)
		return nil, err
	}
	logs := &lineWriter{log: m.cfg.Log, function: fn.Name}
	env.cmd.Stdout, env.cmd.Stderr = logs, logs
	if err := m.starter.start(env.cmd); err != nil {
		env.cleanUp()
		m.vacate(nil)
		return nil, err
	}
	m.work.Add(1) // the event that launches is counted, so Close is still waiting
	go func() {
		defer m.work.Done()
		_ = env.cmd.Wait()     // how it ended stands in ProcessState
		env.signal(killSignal) // whatever it has started
		logs.flush()
		env.cleanUp()
		m.vacate(env)
		close(env.gone)
	}()
	if !m.register(env) {
		env.kill()
		return nil, ErrClosed
	}
	return env, nil
}

// newEnvironment prepares everything but the process.
func (m *Runner) newEnvironment(fn *function, path string) (*environment, error) {
	home, err := os.MkdirTemp("", "gatewright-function-*")
	if err != nil {
		return nil, err
	}
	api, err := newRuntimeAPI()
	if err != nil {
		_ = os.RemoveAll(home)
		return nil, err
	}
	cmd := exec.CommandContext(context.Background(), path) // Close ends it, with its group
	cmd.Dir = taskRoot(fn, path)
	cmd.Env = variables(m.cfg, fn, cmd.Dir, home, api.address)
	cmd.SysProcAttr = processAttributes()
	// A grandchild may hold the output open; it is killed, and not waited for.
	cmd.WaitDelay = time.Second
	return &environment{fn: fn, path: path, api: api, cmd: cmd, home: home, gone: make(chan struct{})}, nil
}

// cleanUp removes what belongs to the environment besides its process.
func (e *environment) cleanUp() {
	e.api.close()
	_ = os.RemoveAll(e.home)
}

// awaitInit waits until the process asks for its first event. If it does not,
// outcome says how the init phase ended; limit is the time that stands in it.
func (e *environment) awaitInit(inv *invocation, limit time.Duration, over <-chan time.Time) (outcome, bool) {
	select {
	case <-e.api.idle:
		return outcome{}, true
	case document := <-e.api.initError:
		return reported(document), false
	case <-e.gone:
		select {
		case document := <-e.api.initError:
			return reported(document), false
		default:
			return exited(inv.requestID, e.exitState()), false
		}
	case <-over:
		return timedOut(inv.requestID, limit), false
	}
}

// run hands the event to the process and waits for the answer, until over. The
// process must be killed where it is not alive afterwards.
func (e *environment) run(inv *invocation, limit time.Duration, over <-chan time.Time) (out outcome, alive bool) {
	select {
	case <-e.api.idle: // left over from a request that was repeated
	default:
	}
	select {
	case e.api.events <- inv:
	case <-e.gone:
		return exited(inv.requestID, e.exitState()), false
	case <-over:
		return timedOut(inv.requestID, limit), false
	}
	select {
	case out = <-inv.answered:
		return out, true
	case <-e.gone:
		select {
		case out = <-inv.answered: // it answered and ended at once
			return out, false
		default:
			return exited(inv.requestID, e.exitState()), false
		}
	case <-over:
		return timedOut(inv.requestID, limit), false
	}
}

// settled waits until the process asks for its next event, and says whether it
// did before it ended or the time was over.
func (e *environment) settled(over <-chan time.Time) bool {
	select {
	case <-e.api.idle:
		return true
	case <-e.gone:
		return false
	case <-over:
		return false
	}
}

// exitState says how the process ended: empty for exit code 0, otherwise like
// "exit status 1" or "signal: killed".
func (e *environment) exitState() string {
	if state := e.cmd.ProcessState; state != nil && !state.Success() {
		return state.String()
	}
	return ""
}

// kill ends the process and everything it started, and waits for it.
func (e *environment) kill() {
	select {
	case <-e.gone: // its process group's number may belong to others by now
		return
	default:
	}
	e.signal(killSignal)
	<-e.gone
}

// shutdown lets the process end by itself for a moment, then kills it.
func (e *environment) shutdown(ctx context.Context) {
	e.signal(termSignal)
	select {
	case <-e.gone:
		return
	case <-ctx.Done():
	case <-time.After(shutdownGrace):
	}
	e.kill()
}

// taskRoot is the directory that a function finds its files in: its asset, or
// where it was built if there is none. It is absolute, because the process
// starts in it.
func taskRoot(fn *function, path string) string {
	if info, err := os.Stat(fn.CodeDir); err == nil && info.IsDir() {
		if dir, err := filepath.Abs(fn.CodeDir); err == nil {
			return dir
		}
	}
	return filepath.Dir(path)
}
