package functions

import "syscall"

// processAttributes puts a process into a group of its own and ties its life to
// ours, so that not even SIGKILL leaves functions behind.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
