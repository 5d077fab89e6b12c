// Command gatewright is the CDK app: one CDK Stage for each file in stages/.
//
//	npx cdk synth                  every stage
//	npx cdk deploy "dev/*"         one stage
//	npx cdk synth -c stage=dev     only that stage's file is read
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

func main() {
	err := run("stages")
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

// run declares every stage and synthesizes the app. Constructs panic with an
// error where their props are unusable; whoever runs the app wants the error,
// not a trace.
func run(dir string) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			problem, ok := thrown.(error)
			if !ok {
				panic(thrown)
			}
			err = problem
		}
	}()
	app := awscdk.NewApp(nil)
	only, _ := app.Node().TryGetContext(jsii.String("stage")).(string)
	stages, err := read(dir, only)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		stacks.New(app, stage)
	}
	app.Synth(nil)
	return nil
}

// read returns the named stage, or all.
func read(dir, only string) ([]stagefile.Stage, error) {
	if only == "" {
		return stagefile.ReadDir(dir)
	}
	file := filepath.Join(dir, only+".yaml")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no stage %q: %s does not exist", only, file)
	}
	stage, err := stagefile.Read(file)
	return []stagefile.Stage{stage}, err
}
