package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/audit"
)

// The app's own stages are in order. One that says production and keeps nothing
// is not, and the app fails after it has said where and how to mend it.
func TestRunAudits(t *testing.T) {
	t.Setenv("CDK_CONTEXT_JSON", `{"aws:cdk:bundling-stacks": [], "aws:cdk:enable-path-metadata": true}`)
	t.Setenv("CDK_OUTDIR", t.TempDir())
	if said, err := listen(t, func() error { return run("stages") }); err != nil || strings.Contains(said, "gatewright audit") {
		t.Errorf("our stages: %v\n%s", err, said)
	}
	t.Setenv("CDK_OUTDIR", t.TempDir())
	stages := t.TempDir()
	if err := os.WriteFile(filepath.Join(stages, "prod.yaml"), []byte("name: prod\nregion: eu-west-1\nretain: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := listen(t, func() error { return run(stages) })
	if err == nil || err.Error() != "the audit found errors; mend them, or accept them with a reason in "+audit.ConfigFile {
		t.Errorf("production that keeps nothing: %v", err)
	}
	for _, want := range []string{"error  stateful-unretained", "  prod/Identity/", "  why   gatewright audit --explain stateful-unretained"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}

// listen returns what goes to stderr meanwhile.
func listen(t *testing.T, do func() error) (string, error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = file
	result := do()
	os.Stderr = stderr
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(said), result
}
