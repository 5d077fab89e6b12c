package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Exit codes of every subcommand. Packages below give an error its code with a
// method ExitCode() int; 3 (access widened) and 4 (unsupported template) come
// from them.
const (
	exitOK     = 0
	exitFailed = 1 // finding, difference, refusal, failure
	exitUsage  = 2 // usage, bad input, port taken
)

// exitError is an error that says what to exit with.
type exitError interface {
	error
	ExitCode() int
}

// badInput is an error about what the command was given.
type badInput struct{ error }

// ExitCode implements exitError.
func (badInput) ExitCode() int { return exitUsage }

// badInputf returns a badInput.
func badInputf(format string, args ...any) error {
	return badInput{fmt.Errorf(format, args...)}
}

// exitCode returns the code of the first error in the chain that has one. The
// code of a process that was run does not count: it is not about this command.
func exitCode(err error) int {
	coded, ok := errors.AsType[exitError](err)
	if !ok {
		return exitFailed
	}
	if _, process := coded.(*exec.ExitError); process { //nolint:errorlint // this very error, not one it wraps
		return exitFailed
	}
	return coded.ExitCode()
}

// printError prints an error with the program's name, in red on a terminal.
func printError(w io.Writer, err error) {
	name := "gatewright:"
	if terminalWidth(w) > 0 && os.Getenv("NO_COLOR") == "" {
		name = "\x1b[31m" + name + "\x1b[0m"
	}
	_, _ = fmt.Fprintln(w, name, strings.TrimSpace(err.Error()))
}

// hint prints the command that says more.
func hint(w io.Writer, command string) {
	_, _ = fmt.Fprintln(w, "see", command)
}
