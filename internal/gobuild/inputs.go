package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
)

// listedPackage is what `go list -json` says of a package.
type listedPackage struct {
	Dir        string
	ImportPath string
	Name       string
	Root       string // GOROOT for the standard library
	Standard   bool
	Module     *listedModule
	Error      *struct{ Err string }

	GoFiles        []string
	IgnoredGoFiles []string // left out by a build constraint, until that changes
	SFiles         []string
	HFiles         []string
	EmbedFiles     []string
}

// Inputs lists, sorted, what s must be built anew for once it changes: the
// sources and embedded files of every package that goes into it from a module
// that is being worked on, their directories (a new file counts), go.mod and
// go.sum, and the Go release. A package that does not load is no failure: what
// could be found is returned, so a mended file is noticed.
//
// Modules in the module cache do not change; go.mod and go.sum stand for them.
func Inputs(ctx context.Context, appDir string, s Source, t Target) ([]string, error) {
	dir, err := Dir(ctx, appDir, s)
	if err != nil {
		return nil, err
	}
	out, err := goCommand(ctx, dir, t, "list", "-deps", "-e", "-tags", buildTags,
		"-json=Dir,Root,Standard,Module,GoFiles,IgnoredGoFiles,SFiles,HFiles,EmbedFiles", "--", s.Package)
	if err != nil {
		return nil, fmt.Errorf("listing the files of %s: %w", s.Package, err)
	}
	goMod := filepath.Join(dir, "go.mod")
	inputs := map[string]bool{goMod: true, sumFile(goMod): true}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg listedPackage
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("listing the files of %s: unreadable answer of go list: %w", s.Package, err)
		}
		pkg.addTo(inputs)
	}
	return slices.Sorted(maps.Keys(inputs)), nil
}

// addTo adds what of the package may change between two builds.
func (p *listedPackage) addTo(inputs map[string]bool) {
	if p.Standard {
		inputs[filepath.Join(p.Root, "VERSION")] = true
		return
	}
	if m := p.Module; p.Dir == "" || m == nil || !m.Main && (m.Replace == nil || m.Replace.Version != "") {
		return
	}
	if p.Module.GoMod != "" {
		inputs[p.Module.GoMod] = true
	}
	inputs[p.Dir] = true
	for _, names := range [][]string{p.GoFiles, p.IgnoredGoFiles, p.SFiles, p.HFiles, p.EmbedFiles} {
		for _, name := range names {
			file := filepath.Join(p.Dir, name)
			inputs[file] = true
			inputs[filepath.Dir(file)] = true
		}
	}
}
