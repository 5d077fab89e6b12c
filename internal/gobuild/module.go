package gobuild

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// listedModule is what `go list -m -json` says of a module.
type listedModule struct {
	Path    string
	Version string
	Main    bool
	Dir     string // empty for a module that is not downloaded
	GoMod   string
	Replace *listedModule
}

// Dir returns the directory of s's module, seen from the app in appDir. The
// app's own module is where the app is. Another one is where the app's go.mod
// takes it from, replace directives included, as long as it asks for the same
// version; otherwise, and where it is not there yet, it is downloaded into the
// module cache. A vendor directory holds no whole module, so it is not used.
func Dir(ctx context.Context, appDir string, s Source) (string, error) {
	if s.Version == "" {
		return ownDir(ctx, appDir, s)
	}
	found, err := listModule(ctx, appDir, s.Module)
	switch {
	case err != nil, found.Main, found.Version != s.Version:
		// The app has moved on since the source was named: the name counts.
		return download(ctx, appDir, s.Module, s.Version)
	case found.Dir != "":
		return found.Dir, nil
	case found.Replace != nil:
		return download(ctx, appDir, found.Replace.Path, found.Replace.Version)
	}
	return download(ctx, appDir, s.Module, s.Version)
}

// ownDir returns the directory of the app's own module.
func ownDir(ctx context.Context, appDir string, s Source) (string, error) {
	found, err := listModule(ctx, appDir)
	if err != nil {
		return "", fmt.Errorf("module %s, seen from %s: %w", s.Module, appDir, err)
	}
	if found.Path != s.Module || found.Dir == "" {
		return "", fmt.Errorf("module %s has no version, so it is the app's own, but %s belongs to module %s",
			s.Module, appDir, found.Path)
	}
	return found.Dir, nil
}

// listModule asks for one module, or for the main one without arguments.
func listModule(ctx context.Context, appDir string, module ...string) (listedModule, error) {
	out, err := goCommand(ctx, appDir, Host(), append([]string{"list", "-m", "-json", "--"}, module...)...)
	if err != nil {
		return listedModule{}, err
	}
	var found listedModule
	if err := json.Unmarshal(out, &found); err != nil {
		return listedModule{}, fmt.Errorf("unreadable answer of go list -m: %w", err)
	}
	return found, nil
}

// download fetches a module into the module cache and returns where it is. The
// app's go.sum is checked against where it names the module; -mod=readonly
// keeps the command from adding to it.
func download(ctx context.Context, appDir, module, version string) (string, error) {
	out, err := goCommand(ctx, appDir, Host(), "mod", "download", "-json", "--", module+"@"+version)
	var got struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err == nil && got.Dir == "" {
		err = errors.New("go mod download named no directory")
	}
	if err != nil {
		return "", fmt.Errorf("module %s@%s is needed whole to build its functions, and a vendor directory "+
			"does not hold it; `go mod download %[1]s@%[2]s` must work in %[3]s: %[4]w", module, version, appDir, err)
	}
	return got.Dir, nil
}

// sumFile is the go.sum that belongs to a go.mod.
func sumFile(goMod string) string { return filepath.Join(filepath.Dir(goMod), "go.sum") }
