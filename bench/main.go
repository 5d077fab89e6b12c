// Command bench measures what the project's goals speak of and prints each
// number beside its goal. A goal that is missed is reported, not failed: the
// numbers of a shared machine are no test.
//
//	go run ./bench        (or: make bench)
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

const (
	gatewright = ".gatewright/bin/gatewright"
	assembly   = ".gatewright/cdk.out"
	starts     = 5
)

// measurement is one line of the report.
type measurement struct {
	what  string
	value float64
	unit  string
	goal  float64 // at most this much; 0 for none
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	verifier, err := measureVerifier(ctx)
	if err != nil {
		return err
	}
	up, err := measureUp(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\tgoal\t")
	for _, m := range append(verifier, up...) {
		goal, verdict := "", ""
		if m.goal > 0 {
			goal = fmt.Sprintf("≤ %g %s", m.goal, m.unit)
			if verdict = "met"; m.value > m.goal {
				verdict = "missed"
			}
		}
		fmt.Fprintf(table, "%s\t%.3g %s\t%s\t%s\n", m.what, m.value, m.unit, goal, verdict)
	}
	return table.Flush()
}

var ratio = regexp.MustCompile(`([0-9.]+) x/raw-rsa`)

var allocations = regexp.MustCompile(`(?m)^BenchmarkVerify(?:-\d+)?\s.*\s([0-9]+) allocs/op`)

// measureVerifier compares verifying a token with one raw RSA verification,
// in the same process and on one processor.
func measureVerifier(ctx context.Context) ([]measurement, error) {
	fmt.Fprintln(os.Stderr, "measuring the token verifier …")
	cmd := exec.CommandContext(ctx, "go", "test", "./internal/authn", "-run", "^$", "-bench", "Verify$|Ratio", "-benchmem", "-benchtime", "2s", "-count", "3", "-cpu", "1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the verifier's benchmark: %w\n%s", err, out)
	}
	r, err := median(ratio, out)
	if err != nil {
		return nil, err
	}
	a, err := median(allocations, out)
	if err != nil {
		return nil, err
	}
	return []measurement{
		{"verify a token, against one raw RSA-2048 verification", r, "×", 1.15},
		{"verify a token, allocations", a, "allocations", 0},
	}, nil
}

func median(pattern *regexp.Regexp, out []byte) (float64, error) {
	var values []float64
	for _, match := range pattern.FindAllSubmatch(out, -1) {
		value, err := strconv.ParseFloat(string(match[1]), 64)
		if err != nil {
			return 0, err
		}
		values = append(values, value)
	}
	return middle(values, pattern.String()+" in:\n"+string(out))
}

func middle(values []float64, what string) (float64, error) {
	if len(values) == 0 {
		return 0, errors.New("no measurement of " + what)
	}
	slices.Sort(values)
	return values[len(values)/2], nil
}

// measureUp starts the dev stage several times from an assembly that is there
// already, with every cache warm.
func measureUp(ctx context.Context) ([]measurement, error) {
	fmt.Fprintln(os.Stderr, "measuring gatewright up …")
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
		{"gatewright up, from start to ready after synthesis", r, "s", 3},
		{"gatewright up, resident memory when idle", m, "MB", 150},
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
