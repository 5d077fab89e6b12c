package functions

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

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
		return &foreign{function: f, find: sync.OnceValues(func() (string, error) { return hostBootstrap(f, cfg.CacheDir) })}, nil
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
	function *assembly.Function
	find     func() (string, error)
}

func (p *foreign) executable(context.Context) (string, error) {
	file, err := p.find()
	if err != nil {
		f := p.function
		return "", &UnavailableError{Function: f.Name, Reason: fmt.Sprintf("%v (runtime %s, handler %s, %s)", err, f.Runtime, f.Handler, f.Architecture)}
	}
	return file, nil
}

// machines are the ELF machine types of the architectures that Lambda has.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// hostBootstrap finds an executable for this machine in a function's asset, or
// says why there is none. A zip file is unpacked into cacheDir.
func hostBootstrap(f *assembly.Function, cacheDir string) (string, error) {
	const noSource = "it carries no source that Gatewright can build, and "
	switch {
	case !strings.HasPrefix(f.Runtime, "provided"):
		return "", errors.New(noSource + "only OS-only runtimes run here")
	case f.CodeDir == "":
		return "", errors.New(noSource + "the assembly has no code of it")
	}
	dir := f.CodeDir
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		if dir, err = unpack(dir, cacheDir); err != nil {
			return "", fmt.Errorf(noSource+"its asset cannot be unpacked: %w", err)
		}
	}
	file := filepath.Join(dir, "bootstrap")
	binary, err := elf.Open(file)
	if err != nil {
		return "", errors.New(noSource + "its bootstrap is no Linux executable")
	}
	defer func() { _ = binary.Close() }()
	if machine, ok := machines[runtime.GOARCH]; !ok || runtime.GOOS != "linux" || binary.Machine != machine {
		return "", fmt.Errorf("its bootstrap is built for another machine than this one, which is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return filepath.Abs(file)
}
