// Package gobuild builds Go Lambda functions from source, the same way for AWS
// and for the machine it runs on.
//
// A function is named by module, version and import path, never by a
// directory, so the name means the same on every machine. It is always built
// inside its module's own directory: the module's go.sum lists everything that
// its main packages need, while the go.sum of an app that merely imports the
// module lists only what the app itself compiles.
package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Target is the platform that a function is built for.
type Target struct {
	GOOS   string
	GOARCH string
}

// Lambda is what functions run on in AWS: Linux on arm64.
var Lambda = Target{GOOS: "linux", GOARCH: "arm64"}

// Host is the platform of the running process.
func Host() Target { return Target{GOOS: runtime.GOOS, GOARCH: runtime.GOARCH} }

// Source names a Go main package independently of any machine.
type Source struct {
	Module  string // module path
	Version string // module version; empty for the app's own module
	Package string // import path of the main package
}

// buildTags leaves the RPC server of the retired go1.x runtime out of
// aws-lambda-go, which needs it nowhere else.
const buildTags = "lambda.norpc"

// Resolve finds the main package that pkg names, as seen from dir: a relative
// path ("./lambdas/orders") or an import path. It fails where there is no such
// package, where it belongs to no module, and where it is not a main package.
func Resolve(ctx context.Context, dir, pkg string) (Source, error) {
	if pkg == "" || strings.Contains(pkg, "...") {
		return Source{}, fmt.Errorf("package %q: name exactly one package, such as ./lambdas/orders", pkg)
	}
	// -find reads this one package: whether its imports load shows in a build.
	out, err := goCommand(ctx, dir, Lambda, "list", "-find", "-e", "-tags", buildTags,
		"-json=ImportPath,Name,Standard,Module,Error", "--", pkg)
	if err != nil {
		return Source{}, fmt.Errorf("package %q, seen from %s: %w", pkg, dir, err)
	}
	var found listedPackage
	if err := json.Unmarshal(out, &found); err != nil {
		return Source{}, fmt.Errorf("package %q, seen from %s: unreadable answer of go list: %w", pkg, dir, err)
	}
	switch {
	case found.Error != nil:
		return Source{}, fmt.Errorf("package %q, seen from %s: %s", pkg, dir, strings.TrimSpace(found.Error.Err))
	case found.Standard || found.Module == nil:
		return Source{}, fmt.Errorf("package %q, seen from %s: it belongs to no module", pkg, dir)
	case found.Name != "main":
		return Source{}, fmt.Errorf("package %q (%s): it is package %s; a function is a main package",
			pkg, found.ImportPath, found.Name)
	}
	src := Source{Module: found.Module.Path, Version: found.Module.Version, Package: found.ImportPath}
	if found.Module.Main {
		src.Version = ""
	}
	return src, nil
}

// Build compiles s for t and puts the executable at out, whose directory is
// created if need be. The file appears complete or not at all. Where the
// compiler refuses, the error carries what it printed.
//
// Two builds of the same source with the same Go release are equal byte for
// byte, wherever the module lies.
func Build(ctx context.Context, appDir string, s Source, t Target, out string) error {
	dir, err := Dir(ctx, appDir, s)
	if err != nil {
		return err
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("building %s: %w", s.Package, err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		return fmt.Errorf("building %s: %w", s.Package, err)
	}
	// Beside out, because a rename is atomic within one file system only.
	work, err := os.MkdirTemp(filepath.Dir(out), ".build-*")
	if err != nil {
		return fmt.Errorf("building %s: %w", s.Package, err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	built := filepath.Join(work, "bootstrap")
	_, err = goCommand(ctx, dir, t, "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid=", "-tags", buildTags, "-o", built, "--", s.Package)
	if err != nil {
		return fmt.Errorf("building %s: %w", s.Package, err)
	}
	// go build exits with 0 for a package that is not main, and writes an archive.
	if info, err := os.Stat(built); err != nil || info.Mode()&0o111 == 0 {
		return fmt.Errorf("building %s: it is not a main package", s.Package)
	}
	if err := os.Rename(built, out); err != nil {
		return fmt.Errorf("building %s: %w", s.Package, err)
	}
	return nil
}

// goCommand runs the go command in dir and returns its standard output. Its
// error is what the command printed.
func goCommand(ctx context.Context, dir string, t Target, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly", "GOOS="+t.GOOS, "GOARCH="+t.GOARCH,
		// A developer's own tuning would not run on every machine of AWS.
		"GOARM64=v8.0", "GOAMD64=v1")
	// An interrupted go command still stops its compilers; a killed one would not.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr

	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the go command is not on the PATH; functions are built from source with Go")
	}
	text := strings.TrimSpace(stderr.String())
	if text == "" {
		text = strings.TrimSpace(stdout.String())
	}
	if text == "" {
		return nil, err
	}
	return nil, errors.New(text)
}
