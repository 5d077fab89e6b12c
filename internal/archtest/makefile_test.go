package archtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// STAGE names what is deployed and destroyed: it comes from the command line,
// and nothing in it is run.
func TestMakeStage(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("make is missing")
		}
		t.Skip("make is missing")
	}
	bin := t.TempDir()                                                                                             // a CDK CLI that says what it was asked for
	if err := os.WriteFile(filepath.Join(bin, "npx"), []byte("#!/bin/sh\necho npx \"$@\"\n"), 0o755); err != nil { //nolint:gosec // run by make
		t.Fatal(err)
	}
	marker := filepath.Join(bin, "ran")
	tests := []struct {
		argument    string
		environment string
		output      string
	}{
		{"STAGE=dev", "", "npx cdk destroy dev/* -c stage=dev"},
		{"", "", "name the stage"},
		{"", "STAGE=prod", "name the stage"},
		{"STAGE=", "", "no stage's name"},
		{"STAGE=*", "", "no stage's name"},
		{"STAGE=`touch " + marker + "`", "", "no stage's name"},
		{"STAGE=$(shell touch " + marker + ")", "", "no stage's name"},
		{`STAGE=a"; touch ` + marker + `; "`, "", "no stage's name"},
	}
	for _, tt := range tests {
		arguments := []string{"-o", "node_modules", "destroy"}
		if tt.argument != "" {
			arguments = append(arguments, tt.argument)
		}
		cmd := exec.CommandContext(t.Context(), "make", arguments...) //nolint:gosec // arguments of this test
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "MAKEFLAGS=", "MAKEOVERRIDES=")
		if tt.environment != "" {
			cmd.Env = append(cmd.Env, tt.environment)
		}
		out, err := cmd.CombinedOutput()
		if refused := err != nil; refused != (tt.output != "npx cdk destroy dev/* -c stage=dev") || !strings.Contains(string(out), tt.output) {
			t.Errorf("%q %q: %v, %s", tt.argument, tt.environment, err, out)
		}
	}
	if _, err := os.Stat(marker); !errors.Is(err, os.ErrNotExist) {
		t.Error("what STAGE held was run")
	}
}
