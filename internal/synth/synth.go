// Package synth runs a CDK app and keeps its cloud assembly, without the CDK
// CLI and without an AWS account.
//
// It tells the app what the CLI would tell it: where to write, the context of
// cdk.json and cdk.context.json, and the settings that ask for construct paths
// in the templates. The names come from aws-cdk-lib (cx-api/lib/cxapi.ts) and
// from the CLI's own execution of an app. What the CLI does beyond that is left
// out: ~/.cdk.json, default credentials, context lookups.
package synth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// slowAfter is how often a running synthesis says that it is still running.
const slowAfter = 10 * time.Second

// Options says which app to synthesize and where to.
type Options struct {
	Dir string // holds cdk.json; the working directory by default
	Out string // the cloud assembly's directory, absolute or relative to Dir

	// Context overrides entries of cdk.json's context, e.g. stage=dev.
	Context map[string]string

	// Bundle builds the assets of all stacks. By default none is built: the
	// templates are the same, except for asset hashes.
	Bundle bool

	// Progress is called, never concurrently, with a line when the synthesis
	// starts, every ten seconds while it runs and when it has ended well. Nil
	// for silence.
	Progress func(line string)

	// Verbose copies the app's output to Stderr as it comes. Otherwise its last
	// lines are part of the error when it fails.
	Verbose bool
	Stderr  io.Writer
}

// inputError is an error in what the caller gave, as opposed to a failed app.
type inputError struct{ error }

// ExitCode is what a command exits with: 2, bad input.
func (inputError) ExitCode() int { return 2 }

// Run synthesizes the app of o.Dir into o.Out.
//
// The app writes beside o.Out, which is replaced only after success: a failed
// or canceled run leaves the previous assembly as it was. When ctx ends, the
// app and every process it started are ended too, and the error is ctx.Err().
func Run(ctx context.Context, o Options) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	app, err := readProject(dir)
	if err != nil {
		return inputError{err}
	}
	out := resolve(dir, o.Out)
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	unlock, err := lock(out + ".lock")
	if err != nil {
		return err
	}
	defer unlock()

	fresh := out + ".new"
	if err := os.RemoveAll(fresh); err != nil { // left by a run that was killed
		return fmt.Errorf("synth: %w", err)
	}
	if err := os.Mkdir(fresh, 0o750); err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	defer func() {
		_ = os.RemoveAll(fresh) // the next run would remove it as well
		_ = os.Remove(fresh + overflowSuffix)
	}()

	env, err := environment(o, app.context, fresh)
	if err != nil {
		return err
	}
	if err := runCommands(ctx, o, dir, app, env); err != nil {
		return err
	}
	if err := checkManifest(fresh, app.command); err != nil {
		return err
	}
	return replace(out, fresh)
}

// checkManifest refuses an assembly that the app did not write, or wrote with
// placeholders for what it wants looked up in an AWS account.
func checkManifest(dir, command string) error {
	var manifest struct {
		Missing []struct {
			Key string `json:"key"`
		} `json:"missing"`
	}
	err := readJSON(filepath.Join(dir, "manifest.json"), &manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the CDK app %q ended well and wrote no manifest.json; it has to call Synth, and to leave AppProps.Outdir unset (or name what it wrote with --assembly)", command)
	}
	if err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	if len(manifest.Missing) == 0 {
		return nil
	}
	keys := make([]string, len(manifest.Missing))
	for i, missing := range manifest.Missing {
		keys[i] = missing.Key
	}
	return fmt.Errorf("the CDK app needs values from an AWS account: %s; run cdk synth once with credentials and keep the cdk.context.json it writes", strings.Join(keys, ", "))
}

// runCommands runs cdk.json's build command, where there is one, and its app
// command, reporting progress.
func runCommands(ctx context.Context, o Options, dir string, app project, env []string) error {
	progress := o.Progress
	if progress == nil {
		progress = func(string) {}
	}
	what := "synthesizing " + cmp.Or(o.Context["stage"], "the app")
	start := time.Now()
	progress(what + " …")
	for _, line := range []string{app.build, app.command} {
		if line == "" {
			continue
		}
		c := command{line: line, dir: dir, env: env}
		if o.Verbose {
			c.live = o.Stderr
		}
		err := c.run(ctx, slowAfter, func() {
			progress(fmt.Sprintf("%s … %s; the first build of awscdk takes a minute or more", what, time.Since(start).Round(time.Second)))
		})
		if err != nil {
			return err
		}
	}
	progress(fmt.Sprintf("%s … %.1fs", what, time.Since(start).Seconds()))
	return nil
}

// lock keeps two runs from writing the same directory, since one of them would
// go on with a mixture of both. The lock ends with the process that holds it.
func lock(file string) (unlock func(), err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // beside the output the caller names
	if err != nil {
		return nil, fmt.Errorf("synth: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor fits an int
		_ = f.Close()
		return nil, fmt.Errorf("synth: another gatewright is synthesizing into %s; try again when it is done", filepath.Dir(file))
	}
	return func() {
		// Closing is not enough: a child that is just being started holds the
		// descriptor until it runs its program.
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) //nolint:gosec // as above
		_ = f.Close()
	}, nil
}

// replace puts fresh where out is. Directories cannot be exchanged in one step
// everywhere, so out stands aside for the moment and comes back on failure.
func replace(out, fresh string) error {
	aside := out + ".old"
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	if err := os.Rename(out, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("synth: %w", err)
	}
	if err := os.Rename(fresh, out); err != nil {
		return fmt.Errorf("synth: %w", errors.Join(err, os.Rename(aside, out)))
	}
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	return nil
}
