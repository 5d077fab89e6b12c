package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	gatewright = ".gatewright/bin/gatewright"
	assembly   = ".gatewright/cdk.out"
	starts     = 5
)

// measureUp starts the dev stage several times from an assembly that is there
// already, with every cache warm.
func measureUp(ctx context.Context) ([]measurement, error) {
	if _, _, err := start(ctx, "--stage", "dev"); err != nil { // synthesizes, builds functions
		return nil, err
	}
	var ready, memory []float64
	for range starts {
		seconds, megabytes, err := start(ctx, "--assembly", assembly)
		if err != nil {
			return nil, err
		}
		ready, memory = append(ready, seconds), append(memory, megabytes)
	}
	r, err := middle(ready, "start")
	if err != nil {
		return nil, err
	}
	m, err := middle(memory, "memory")
	return []measurement{
		atMost("gatewright up, from start to ready after synthesis", r, "s", 3),
		atMost("gatewright up, resident memory when idle", m, "MB", 150),
	}, err
}

// start runs the stage until it is ready, lets it idle, and stops it.
func start(ctx context.Context, arguments ...string) (seconds, megabytes float64, err error) {
	dir, err := os.MkdirTemp("", "gatewright-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	ready := filepath.Join(dir, "ready.json")
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, gatewright, append([]string{"up", "--listen", "127.0.0.1:0", "--ready-file", ready}, arguments...)...)
	cmd.Stderr = &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("%w; run: make bench", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		select {
		case err := <-ended:
			return 0, 0, fmt.Errorf("gatewright up ended: %w\n%s", err, stderr.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	seconds = time.Since(began).Seconds()
	time.Sleep(2 * time.Second)
	megabytes, err = resident(cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		return 0, 0, err
	}
	return seconds, megabytes, <-ended
}

// resident reads a process's resident memory where the system shows it.
func resident(pid int) (megabytes float64, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory is measured on Linux only: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", pid)
}
