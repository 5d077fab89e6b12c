package archtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools returns a folder with commands in place of the CDK CLI and of ours, which
// say what they were asked for, and a function that runs make with them. The
// check before a deployment ends with CHECK's exit code.
func tools(t *testing.T) (bin string, run func(environment []string, arguments ...string) (output string, err error)) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("make is missing")
		}
		t.Skip("make is missing")
	}
	bin = t.TempDir()
	for name, script := range map[string]string{
		"npx":        "#!/bin/sh\necho npx \"$@\"\n",
		"gatewright": "#!/bin/sh\necho gatewright \"$@\"\nexit ${CHECK:-0}\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil { //nolint:gosec // run by make
			t.Fatal(err)
		}
	}
	return bin, func(environment []string, arguments ...string) (string, error) {
		command := filepath.Join(bin, "gatewright")
		arguments = append([]string{"--silent", "-o", "node_modules", "-o", command, "GATEWRIGHT=" + command}, arguments...)
		cmd := exec.CommandContext(t.Context(), "make", arguments...) //nolint:gosec // arguments of this test
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "MAKEFLAGS=", "MAKEOVERRIDES=", "MAKELEVEL=") // as if no other make ran this test
		cmd.Env = append(cmd.Env, environment...)
		out, err := cmd.CombinedOutput()
		return strings.ReplaceAll(string(out), command, "gatewright"), err
	}
}

// STAGE names what is deployed and destroyed: it comes from the command line,
// and nothing in it is run.
func TestMakeStage(t *testing.T) {
	t.Parallel()
	bin, run := tools(t)
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
		arguments, environment := []string{"destroy"}, []string{}
		if tt.argument != "" {
			arguments = append(arguments, tt.argument)
		}
		if tt.environment != "" {
			environment = append(environment, tt.environment)
		}
		out, err := run(environment, arguments...)
		if refused := err != nil; refused != (tt.output != "npx cdk destroy dev/* -c stage=dev") || !strings.Contains(out, tt.output) {
			t.Errorf("%q %q: %v, %s", tt.argument, tt.environment, err, out)
		}
	}
	if _, err := os.Stat(marker); !errors.Is(err, os.ErrNotExist) {
		t.Error("what STAGE held was run")
	}
}

// What is deployed is what was checked, and nothing where the check finds that
// API Gateway could not write the stage's logs.
func TestMakeDeploy(t *testing.T) {
	t.Parallel()
	_, run := tools(t)
	const (
		synth  = "npx cdk synth --quiet dev/* -c stage=dev\n"
		check  = "gatewright deploy-check --stage dev --assembly cdk.out\n"
		deploy = "npx cdk deploy dev/* --app cdk.out\n"
	)
	if out, err := run([]string{"CHECK=0"}, "deploy", "STAGE=dev"); err != nil || out != synth+check+deploy {
		t.Errorf("%v, %s", err, out)
	}
	out, err := run([]string{"CHECK=1"}, "deploy", "STAGE=dev")
	if !strings.HasPrefix(out, synth+check+"make: ***") || strings.Contains(out, "npx cdk deploy") || err == nil {
		t.Errorf("the check fails: %v, %s", err, out)
	}
	if out, err := run(nil, "deploy"); err == nil || strings.Contains(out, "npx") {
		t.Errorf("no stage: %v, %s", err, out)
	}
}
