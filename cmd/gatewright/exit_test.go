package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/spf13/cobra"
)

type coded int

func (coded) Error() string   { return "coded" }
func (c coded) ExitCode() int { return int(c) }

func TestExitCode(t *testing.T) {
	t.Parallel()
	process := exec.Command("sh", "-c", "exit 3").Run()
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"any error", errors.New("x"), 1},
		{"bad input", badInputf("x"), 2},
		{"bad input, wrapped", fmt.Errorf("up: %w", badInputf("x")), 2},
		{"an unsupported template, joined", errors.Join(errors.New("x"), coded(4)), 4},
		{"a process that was run", fmt.Errorf("go build: %w", process), 1},
		{"a code given to a failed process", badInput{process}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := exitCode(tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		width int
		want  string
	}{
		{"a file", 0, "one …\nlonger than the terminal …\n"},
		{"a terminal", 10, "\r\x1b[Kone …\r\x1b[Klonger th\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p := progress{w: &out, width: tt.width}
			p.show("one …")
			p.show("longer than the terminal …")
			p.end()
			if got := out.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version version
		want    string
	}{
		{version{Version: "v0.1.0", Go: "go1.26.0"}, "v0.1.0 go1.26.0"},
		{version{Version: "(devel)", Commit: "1a2b", Go: "go1.26.0"}, "(devel) (commit 1a2b) go1.26.0"},
		{version{Version: "(devel)", Commit: "1a2b", Modified: true, Go: "go1.26.0"}, "(devel) (commit 1a2b, modified) go1.26.0"},
	}
	for _, tt := range tests {
		if got := tt.version.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// Every command shows how it is used.
func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := newRootCommand(nil, func() {})
	if len(root.Commands()) < 4 {
		t.Errorf("only %d commands", len(root.Commands()))
	}
	walk(root)
}
