package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// deploymentHash is what the CDK makes of everything that a deployment depends
// on, its own version among it. The audit does not look at it.
var deploymentHash = regexp.MustCompile(`(Deployment[0-9A-F]{8})[0-9a-f]{32}`)

// TestAuditStacks synthesizes the apps in Go that the audit's rules are shown:
// each template.json is what main.go beside it gives.
func TestAuditStacks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs four CDK apps")
	}
	apps, err := filepath.Glob("../internal/audit/testdata/stacks/*/main.go")
	if err != nil || len(apps) != 4 {
		t.Fatal(apps, err)
	}
	for _, app := range apps {
		folder := filepath.Dir(app)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			out := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "go", "run", "./"+filepath.ToSlash(folder))
			cmd.Env = append(os.Environ(), "CDK_OUTDIR="+out, `CDK_CONTEXT_JSON={"aws:cdk:enable-path-metadata":true}`)
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			made, err := filepath.Glob(filepath.Join(out, "*.template.json"))
			if err != nil || len(made) != 1 {
				t.Fatal(made, err)
			}
			if !reflect.DeepEqual(masked(t, made[0]), masked(t, filepath.Join(folder, "template.json"))) {
				t.Errorf("template.json is not what main.go gives; copy the one that this writes:\ncd internal/audit/testdata/stacks/%s && CDK_CONTEXT_JSON='{\"aws:cdk:enable-path-metadata\":true}' CDK_OUTDIR=out go run .", filepath.Base(folder))
			}
		})
	}
}

func masked(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template any
	if err := json.Unmarshal(deploymentHash.ReplaceAll(data, []byte("$1")), &template); err != nil {
		t.Fatal(err)
	}
	return template
}
