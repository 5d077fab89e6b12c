//go:build unix

package functions

import (
	"os/exec"
	"runtime"
	"syscall"
)

const (
	termSignal = syscall.SIGTERM
	killSignal = syscall.SIGKILL
)

// signal reaches the process and everything it has started, which share a
// process group. A group that is gone is no error.
func (e *environment) signal(s syscall.Signal) {
	_ = syscall.Kill(-e.cmd.Process.Pid, s)
}

// starter starts processes from one operating-system thread that lives as long
// as the runner. On Linux a process is killed when its parent dies, and the
// parent, to the kernel, is the thread that started it (prctl(2),
// PR_SET_PDEATHSIG): any other thread might end before.
type starter struct {
	requests chan startRequest
	ended    chan struct{}
}

type startRequest struct {
	cmd    *exec.Cmd
	result chan error
}

func newStarter() *starter {
	s := &starter{requests: make(chan startRequest), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for r := range s.requests {
			r.result <- r.cmd.Start()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	r := startRequest{cmd: cmd, result: make(chan error, 1)}
	s.requests <- r
	return <-r.result
}

// close ends the thread; no process may be running any more.
func (s *starter) close() {
	close(s.requests)
	<-s.ended
}
