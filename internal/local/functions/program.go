package functions

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/gobuild"
)

// program is what a function's processes run.
type program interface {
	// executable returns a file to run now, building it first if need be. Its
	// error is an *UnavailableError, a *BuildError, or that of ctx.
	executable(ctx context.Context) (string, error)
}

// newProgram picks the program of a function.
func newProgram(cfg Config, f *assembly.Function) (program, error) {
	if f.Source == nil {
		file, reason := hostBootstrap(f)
		return foreign{function: f.Name, file: file, reason: reason}, nil
	}
	if cfg.AppDir == "" || cfg.CacheDir == "" {
		return nil, errors.New("a function with a source needs AppDir and CacheDir")
	}
	// Processes run elsewhere, so a relative path would miss.
	appDir, err := filepath.Abs(cfg.AppDir)
	if err != nil {
		return nil, err
	}
	cacheDir, err := filepath.Abs(cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	return &built{
		function: f.Name, appDir: appDir, cacheDir: cacheDir,
		source: gobuild.Source(*f.Source),
	}, nil
}

// foreign is a function whose executable came with the assembly, or not.
type foreign struct {
	function string
	file     string
	reason   string // why there is no file
}

func (p foreign) executable(context.Context) (string, error) {
	if p.reason != "" {
		return "", &UnavailableError{Function: p.function, Reason: p.reason}
	}
	return p.file, nil
}

// machines are the ELF machine types of the architectures that Lambda has.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// hostBootstrap finds an executable for this machine in a function's asset, or
// says why there is none.
func hostBootstrap(f *assembly.Function) (file, reason string) {
	is := fmt.Sprintf("runtime %s, handler %s, %s", f.Runtime, f.Handler, f.Architecture)
	host := runtime.GOOS + "/" + runtime.GOARCH
	switch {
	case !strings.HasPrefix(f.Runtime, "provided"):
		return "", fmt.Sprintf("it carries no source that Gatewright can build, and only OS-only runtimes run here (%s)", is)
	case f.CodeDir == "":
		return "", fmt.Sprintf("it carries no source that Gatewright can build, and the assembly has no code of it (%s)", is)
	}
	file = filepath.Join(f.CodeDir, "bootstrap")
	binary, err := elf.Open(file)
	if err != nil {
		return "", fmt.Sprintf("it carries no source that Gatewright can build, and its bootstrap is no Linux executable (%s)", is)
	}
	defer func() { _ = binary.Close() }()
	if machine, ok := machines[runtime.GOARCH]; !ok || runtime.GOOS != "linux" || binary.Machine != machine {
		return "", fmt.Sprintf("its bootstrap is built for another machine than this one, which is %s (%s)", host, is)
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return "", err.Error()
	}
	return file, ""
}
