// Package test holds everything that needs jsii: construct tests, golden
// templates and the end-to-end tests. Its tests never run in parallel: they
// share one Node process that takes no locks.
package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// newApp returns an app that synthesizes into a folder of the test's own and
// compiles no function.
func newApp(t *testing.T) awscdk.App {
	t.Helper()
	return awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(t.TempDir()),
		AnalyticsReporting: jsii.Bool(false),
		Context: &map[string]any{
			"aws:cdk:bundling-stacks":           []string{},
			"aws:cdk:enable-path-metadata":      true,
			"@aws-cdk/aws-iam:minimizePolicies": true,
			"@aws-cdk/core:checkSecretUsage":    true,
		},
	})
}

func newStack(app awscdk.App, id string) awscdk.Stack {
	return awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		Env: &awscdk.Environment{Region: jsii.String("eu-west-1")},
	})
}

// object is a piece of a template.
type object = map[string]any

// synth returns each stack's template by file name, without its extension.
func synth(t *testing.T, app awscdk.App) map[string]object {
	t.Helper()
	dir := *app.Synth(nil).Directory()
	templates := map[string]object{}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".template.json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		template := object{}
		templates[strings.TrimSuffix(filepath.Base(path), ".template.json")] = template
		return json.Unmarshal(data, &template)
	})
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

// declare synthesizes one stack that holds what declared adds to it.
func declare(t *testing.T, declared func(awscdk.Stack)) object {
	t.Helper()
	app := newApp(t)
	declared(newStack(app, "Shop"))
	return synth(t, app)["Shop"]
}

// problem returns the text of the error that a construct panics with.
func problem(t *testing.T, declared func(awscdk.Stack)) (text string) {
	t.Helper()
	defer func() {
		thrown := recover()
		err, ok := thrown.(error)
		if thrown != nil && !ok {
			t.Errorf("panicked with a %T instead of an error: %v", thrown, thrown)
		}
		if ok {
			text = err.Error()
		}
	}()
	declared(newStack(newApp(t), "Shop"))
	return ""
}

// ofType returns a template's resources of a type, by logical id.
func ofType(template object, kind string) map[string]object {
	out := map[string]object{}
	for id, r := range template["Resources"].(object) {
		if resource := r.(object); resource["Type"] == kind {
			out[id] = resource
		}
	}
	return out
}

// only returns the properties of the template's one resource of a type.
func only(t *testing.T, template object, kind string) object {
	t.Helper()
	all := ofType(template, kind)
	if len(all) != 1 {
		t.Fatalf("%d resources of type %s, want one", len(all), kind)
	}
	for _, resource := range all {
		properties, _ := resource["Properties"].(object)
		return properties
	}
	return nil
}

func text(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
