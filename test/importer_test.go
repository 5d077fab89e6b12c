package test

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/internal/authconfig"
)

// importer is examples/importer as another team would have it: a module of its
// own somewhere else, which takes this one from a module proxy.
type importer struct {
	published
	dir    string
	binary string
}

// TestImporter builds and synthesizes the importing app, functions included.
func TestImporter(t *testing.T) {
	needs(t, "go", "node", "git")
	app := newImporter(t)
	t.Run("Functions", func(t *testing.T) { testImportedFunctions(t, app) })
	t.Run("Vendor", func(t *testing.T) { testVendoredImporter(t, app) })
	t.Run("VendorAlone", func(t *testing.T) { testVendorAlone(t, app) })
}

func newImporter(t *testing.T) *importer {
	t.Helper()
	app := &importer{published: publish(t), dir: t.TempDir()}
	if err := os.CopyFS(app.dir, os.DirFS("../examples/importer")); err != nil {
		t.Fatal(err)
	}
	if committed := string(readFile(t, filepath.Join(app.dir, "go.mod"))); strings.Contains(committed, "replace") {
		t.Error("the importer's go.mod replaces a module; another team has nothing to replace it with")
	}
	app.binary = filepath.Join(t.TempDir(), "shop")
	app.run(t, nil, "go", "mod", "edit", "-require="+module+"@"+app.version)
	app.run(t, nil, "go", "build", "-o", app.binary, ".")
	return app
}

// run runs a command in the app's folder and fails the test where it fails.
func (a *importer) run(t *testing.T, env []string, command ...string) {
	t.Helper()
	if out, err := a.try(env, command...); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

func (a *importer) try(env []string, command ...string) (output string, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = a.dir
	cmd.Env = append(append([]string{}, a.env...), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// synth runs the app as the CDK CLI does and returns the folder of the assembly.
func (a *importer) synth(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	a.run(t, []string{"CDK_OUTDIR=" + out}, a.binary)
	return out
}

// functions are an assembly's executables by the package they were built from.
func functions(t *testing.T, assembly string) map[string]*buildinfo.BuildInfo {
	t.Helper()
	found := map[string]*buildinfo.BuildInfo{}
	files, err := filepath.Glob(filepath.Join(assembly, "asset.*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[info.Path] = info
	}
	return found
}

// The app's own function and one of this module, each built in its own module.
func testImportedFunctions(t *testing.T, app *importer) {
	assembly := app.synth(t)
	checkFunctions(t, assembly)
	var template object
	if err := json.Unmarshal(readFile(t, filepath.Join(assembly, "Shop.template.json")), &template); err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, function := range ofType(template, "AWS::Lambda::Function") {
		sources = append(sources, text(t, function["Metadata"].(object)[gofunction.MetadataKey]))
	}
	all := strings.Join(sources, "\n")
	for _, want := range []string{
		`{"module":"example.com/shop","package":"example.com/shop/lambdas/orders","version":""}`,
		`{"module":"` + module + `","package":"` + statusPackage + `","version":"` + app.version + `"}`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no function says it is from %s:\n%s", want, all)
		}
	}
	if strings.Contains(text(t, template), app.dir) {
		t.Error("the template names a path of this machine")
	}
}

// checkFunctions wants each function built inside its own module's folder,
// whose go.sum lists all that it needs: the go command then knows its module as
// "(devel)". Built from the app, this module's would have a version.
func checkFunctions(t *testing.T, assembly string) {
	t.Helper()
	built := functions(t, assembly)
	for path, main := range map[string]string{"example.com/shop/lambdas/orders": "example.com/shop", statusPackage: module, authconfig.Package: module} {
		switch info := built[path]; {
		case info == nil:
			t.Errorf("%s is not in the assembly", path)
		case info.Main.Path != main || info.Main.Version != "(devel)":
			t.Errorf("%s was built as part of %s %s, want %s (devel)", path, info.Main.Path, info.Main.Version, main)
		}
	}
}

// A vendor directory serves the app and its own packages. Functions are built
// from whole modules, which are in the module cache besides.
func testVendoredImporter(t *testing.T, app *importer) {
	app.vendor(t)
	vendored := *app
	vendored.binary = filepath.Join(t.TempDir(), "shop")
	// Without the folder's path in them, compiled packages are found again by
	// the next run, which vendors into another folder.
	app.run(t, []string{"GOFLAGS=-mod=vendor -trimpath"}, "go", "build", "-o", vendored.binary, ".")
	app.run(t, []string{"GOFLAGS=-mod=vendor"}, "go", "build", "-o", filepath.Join(t.TempDir(), "orders"), "./lambdas/orders")
	checkFunctions(t, vendored.synth(t))
}

// With nothing but a vendor directory no function is built, and the error says
// which module is missing.
func testVendorAlone(t *testing.T, app *importer) {
	app.vendor(t)
	empty := t.TempDir()
	out, err := app.try([]string{"GOMODCACHE=" + empty, "GOPROXY=off", "CDK_OUTDIR=" + t.TempDir()}, app.binary)
	if err == nil || !strings.Contains(out, "Shop/Orders: ") || !strings.Contains(out, "github.com/aws/aws-lambda-go") || !strings.Contains(out, "GOPROXY=off") {
		t.Errorf("%v\n%s", err, out)
	}
}

func (a *importer) vendor(t *testing.T) {
	t.Helper()
	a.run(t, nil, "go", "mod", "vendor")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(a.dir, "vendor")) })
}
