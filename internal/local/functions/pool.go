package functions

import (
	"context"
	"slices"
	"time"
)

// acquire finds an environment for an event of fn, the most recently used idle
// one first. Without one it reserves a place for a new environment and returns
// nil. While all places are taken it waits, unless another function's idle
// environment can make room.
func (m *Runner) acquire(ctx context.Context, fn *function, path string) (*environment, error) {
	for {
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			return nil, ErrClosed
		}
		if env := m.takeIdle(fn, path); env != nil {
			m.mu.Unlock()
			return env, nil
		}
		if m.processes < m.cfg.MaxProcesses {
			m.processes++
			m.mu.Unlock()
			return nil, nil
		}
		if env := m.longestIdle(); env != nil {
			m.retire(env)
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-m.stopped.Done():
			return nil, ErrClosed
		}
	}
}

// takeIdle takes the most recently used idle environment that runs path, and
// retires those that run what the function was before. m.mu is held.
func (m *Runner) takeIdle(fn *function, path string) *environment {
	for len(fn.idle) > 0 {
		env := fn.idle[len(fn.idle)-1]
		if env.path == path {
			m.remove(env)
			return env
		}
		m.retire(env)
	}
	return nil
}

// longestIdle is the environment that has been idle for longest, nil if all
// are busy. m.mu is held.
func (m *Runner) longestIdle() *environment {
	var longest *environment
	for _, fn := range m.functions {
		if len(fn.idle) > 0 && (longest == nil || fn.idle[0].idleSince.Before(longest.idleSince)) {
			longest = fn.idle[0]
		}
	}
	return longest
}

// keep makes an environment idle.
func (m *Runner) keep(fn *function, env *environment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, alive := m.live[env]; m.closed || !alive {
		return // Close ends it, or it has ended by itself
	}
	env.idleSince = time.Now()
	env.idleTimer = time.AfterFunc(m.cfg.IdleTimeout, func() { m.reap(env) })
	fn.idle = append(fn.idle, env)
	m.announce()
}

// reap retires an environment that has been idle for too long.
func (m *Runner) reap(env *environment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed && slices.Contains(env.fn.idle, env) {
		m.retire(env)
	}
}

// retire ends an idle environment in the background. m.mu is held.
func (m *Runner) retire(env *environment) {
	m.remove(env)
	go env.shutdown(m.stopped) // launch has counted it as work until it is gone
}

// remove takes an environment off its function's idle ones. m.mu is held.
func (m *Runner) remove(env *environment) {
	if i := slices.Index(env.fn.idle, env); i >= 0 {
		env.fn.idle = slices.Delete(env.fn.idle, i, i+1)
		env.idleTimer.Stop()
	}
}

// reserve takes a place even beyond MaxProcesses: for an event that had one.
func (m *Runner) reserve() {
	m.mu.Lock()
	m.processes++
	m.mu.Unlock()
}

// register notes a process that Close has to end; false once Close has begun.
func (m *Runner) register(env *environment) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.live[env] = struct{}{}
	return true
}

// vacate gives a place back, and forgets the environment that had it, if any.
func (m *Runner) vacate(env *environment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.processes--
	if env != nil {
		delete(m.live, env)
		m.remove(env)
	}
	m.announce()
}

// announce wakes the events that wait for an environment. m.mu is held.
func (m *Runner) announce() {
	close(m.changed)
	m.changed = make(chan struct{})
}
