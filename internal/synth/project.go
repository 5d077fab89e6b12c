package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxContextEnv is how much context goes into the environment. Linux takes
// 128 KiB per variable; more goes into a file.
const maxContextEnv = 100 << 10

// overflowSuffix names that file after the output directory.
const overflowSuffix = ".context.json"

// Context keys of the CDK CLI ("cx-api/lib/app.ts").
const (
	contextPathMetadata     = "aws:cdk:enable-path-metadata"
	contextAssetMetadata    = "aws:cdk:enable-asset-metadata"
	contextVersionReporting = "aws:cdk:version-reporting"
	contextBundlingStacks   = "aws:cdk:bundling-stacks"
)

// cliVariables are the environment variables in which the CDK CLI speaks to an
// app. Those of a CLI that runs around this process are not meant for this app.
var cliVariables = []string{
	"CDK_OUTDIR", "CDK_CONTEXT_JSON", "CONTEXT_OVERFLOW_LOCATION_ENV",
	"CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION",
	"CDK_CLI_ASM_VERSION", "CDK_CLI_VERSION",
	"CDK_DEBUG", "CDK_ERROR_FILE", "CDK_PERF_COUNTERS_FILE",
}

// project is what cdk.json and cdk.context.json say.
type project struct {
	build, command string
	context        map[string]json.RawMessage
}

// readProject reads cdk.json and, where there is one, cdk.context.json. The
// former wins, as in the CLI.
func readProject(dir string) (project, error) {
	file := filepath.Join(dir, "cdk.json")
	var config struct {
		App     json.RawMessage            `json:"app"`
		Build   string                     `json:"build"`
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := readJSON(file, &config); errors.Is(err, fs.ErrNotExist) {
		return project{}, fmt.Errorf("no CDK app here: %s does not exist; run this in the app's directory, or name a synthesized cloud assembly with --assembly", file)
	} else if err != nil {
		return project{}, err
	}
	command, err := appCommand(config.App)
	if err != nil {
		return project{}, fmt.Errorf("%s: %w", file, err)
	}
	if info, err := os.Stat(resolve(dir, command)); err == nil && info.IsDir() {
		return project{}, fmt.Errorf("%s: \"app\" names a directory, not a command; use it with --assembly %s", file, command)
	}
	var looked map[string]json.RawMessage // the results of context lookups
	if err := readJSON(filepath.Join(dir, "cdk.context.json"), &looked); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return project{}, err
	}
	context := make(map[string]json.RawMessage)
	maps.Copy(context, looked)
	maps.Copy(context, config.Context)
	return project{build: config.Build, command: command, context: context}, nil
}

// appCommand returns "app" as a shell command. The CLI joins a list with spaces.
func appCommand(app json.RawMessage) (string, error) {
	var command string
	var words []string
	switch {
	case len(app) == 0:
	case json.Unmarshal(app, &command) == nil:
	case json.Unmarshal(app, &words) == nil:
		command = strings.Join(words, " ")
	default:
		return "", errors.New(`"app" is not text; write the command that runs the app, such as "go run ."`)
	}
	if strings.TrimSpace(command) == "" {
		return "", errors.New(`no "app"; write the command that runs the app, such as "app": "go run ."`)
	}
	return command, nil
}

// resolve returns path as seen from dir.
func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func readJSON(file string, v any) error {
	data, err := os.ReadFile(file) //nolint:gosec // a fixed name in the directory the caller names
	if err != nil {
		return err
	}
	err = json.Unmarshal(data, v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s:%d: %w", file, 1+bytes.Count(data[:syntax.Offset], []byte("\n")), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// environment returns this process's environment with what the CDK CLI would
// add. Account and Region stay unset, so an app that leaves them open is
// synthesized as such.
func environment(o Options, context map[string]json.RawMessage, out string) ([]string, error) {
	all := make(map[string]any, len(context)+len(o.Context))
	for key, value := range context {
		all[key] = value
	}
	for key, value := range o.Context {
		all[key] = value
	}
	// The paths make reports readable; the asset metadata says which asset is
	// whose code; the version report would add a resource that no app declares.
	all[contextPathMetadata] = true
	all[contextAssetMetadata] = true
	all[contextVersionReporting] = false
	all[contextBundlingStacks] = []string{}
	if o.Bundle {
		all[contextBundlingStacks] = []string{"**"}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, inputError{fmt.Errorf("cdk.json: context: %w", err)}
	}
	env := []string{"CDK_OUTDIR=" + out}
	if len(text) <= maxContextEnv {
		env = append(env, "CDK_CONTEXT_JSON="+string(text))
	} else {
		file := out + overflowSuffix
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, fmt.Errorf("synth: %w", err)
		}
		env = append(env, "CDK_CONTEXT_JSON={}", "CONTEXT_OVERFLOW_LOCATION_ENV="+file)
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !slices.Contains(cliVariables, name) {
			env = append(env, variable)
		}
	}
	return env, nil
}
