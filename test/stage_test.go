package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local"
	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

var update = flag.Bool("update", false, "rewrite the golden templates")

func stages(t *testing.T) []stagefile.Stage {
	t.Helper()
	all, err := stagefile.ReadDir("../stages")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no stages")
	}
	return all
}

// assetHash stands in a template wherever a function's code does.
var assetHash = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// One golden file for each stage holds all its templates. Read a difference
// before accepting it (make snapshots): a changed logical id of a user pool is
// data loss.
func TestGoldenTemplates(t *testing.T) {
	for _, stage := range stages(t) {
		app := newApp(t)
		stacks.New(app, stage)
		var got bytes.Buffer
		templates := synth(t, app)
		encoder := json.NewEncoder(&got)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(templates); err != nil {
			t.Fatal(err)
		}
		masked := assetHash.ReplaceAll(got.Bytes(), []byte("<asset>"))
		golden := filepath.Join("testdata", stage.Name+".templates.json")
		if *update {
			if err := os.MkdirAll("testdata", 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, masked, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(masked, want) {
			t.Errorf("stage %s differs from %s; run make snapshots and read the difference", stage.Name, golden)
		}
	}
}

// The same sources give the same assembly, byte for byte.
func TestSynthesisIsDeterministic(t *testing.T) {
	assembly := func() map[string]string {
		dir := t.TempDir()
		app := awscdk.NewApp(&awscdk.AppProps{
			Outdir:             jsii.String(dir),
			AnalyticsReporting: jsii.Bool(false),
			Context:            &map[string]any{"aws:cdk:bundling-stacks": []string{}},
		})
		for _, stage := range stages(t) {
			stacks.New(app, stage)
		}
		app.Synth(nil)
		files := map[string]string{}
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(filepath.Join(dir, path))
			files[path] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	first, again := assembly(), assembly()
	if len(first) < 6 {
		t.Fatalf("an assembly of %d files", len(first))
	}
	for _, path := range slices.Sorted(maps.Keys(first)) {
		if again[path] != first[path] {
			t.Errorf("%s differs between two syntheses", path)
		}
	}
	if len(again) != len(first) {
		t.Errorf("%d files, then %d", len(first), len(again))
	}
}

// No stack exports anything: an export that another stack imports can be
// neither changed nor removed.
func TestNoExports(t *testing.T) {
	app := newApp(t)
	for _, stage := range stages(t) {
		stacks.New(app, stage)
	}
	for id, template := range synth(t, app) {
		outputs, _ := template["Outputs"].(object)
		for name, output := range outputs {
			if export, locked := output.(object)["Export"]; locked {
				t.Errorf("stack %s exports %s as %v", id, name, export)
			}
		}
	}
}

// The output of a deployed stage says what the ready file of a local one says,
// under the same names.
func TestStageOutput(t *testing.T) {
	app := newApp(t)
	stage := stages(t)[0]
	stacks.New(app, stage)
	a, err := assembly.Load(*app.Synth(nil).Directory())
	if err != nil {
		t.Fatal(err)
	}
	model, err := a.Model(stage.Name, assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, outputs := range model.Outputs {
		output, ok := outputs[stacks.OutputName]
		if !ok {
			continue
		}
		var ready local.Ready
		decoder := json.NewDecoder(bytes.NewReader([]byte(output)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&ready); err != nil {
			t.Fatalf("%s: %v", output, err)
		}
		ids := map[string]string{}
		for _, client := range model.UserPools[0].Clients {
			ids[client.Name] = client.ID
		}
		for _, client := range ready.UserPools[0].Clients {
			if client.ID != ids[client.Name] || client.Secret != "" {
				t.Errorf("the client is %+v", client)
			}
		}
		if ready.Stage != stage.Name || ready.APIID != model.RestAPIs[0].ID || len(ready.UserPools[0].Clients) != len(ids) {
			t.Errorf("the output is %s", output)
		}
		return
	}
	t.Errorf("no stack has the output %s", stacks.OutputName)
}
