package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/local"
)

// target says which stage a command speaks to: one that `gatewright up` serves
// from this directory, or one that is deployed.
type target struct {
	stage, stack string
}

func (t *target) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.stage, "stage", "", "stage that gatewright up serves from this directory, by its `ID`; optional where there is only one")
	cmd.Flags().StringVar(&t.stack, "stack", "", "deployed stage, by the `NAME` of its stack with the output Gatewright (dev-Api), read by the AWS CLI")
	if err := cmd.RegisterFlagCompletionFunc("stage", completeRunning); err != nil {
		panic(err) // the flag is defined above
	}
}

// deployed reports whether the stage is on AWS.
func (t *target) deployed() bool { return t.stack != "" }

// read describes the stage.
func (t *target) read(ctx context.Context) (*local.Ready, error) {
	if t.deployed() && t.stage != "" {
		return nil, badInputf("--stage names a stage that runs here and --stack one that is deployed; give one of them")
	}
	if t.deployed() {
		return readOutput(ctx, t.stack)
	}
	running, err := runningStages()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range running {
		if r.Stage == t.stage || t.stage == "" && len(running) == 1 {
			return r, nil
		}
		names = append(names, r.Stage)
	}
	switch {
	case len(names) == 0:
		return nil, badInputf("no stage runs from this directory; start one with gatewright up, or name a deployed one with --stack")
	case t.stage == "":
		return nil, badInputf("several stages run from this directory; name one with --stage: %s", strings.Join(names, ", "))
	default:
		return nil, badInputf("the stage %q does not run from this directory; %s does", t.stage, strings.Join(names, ", "))
	}
}

// runningStages are those whose state files stand in this directory.
func runningStages() ([]*local.Ready, error) {
	files, err := filepath.Glob(filepath.Join(stateDir, "*.json"))
	if err != nil {
		return nil, err
	}
	var running []*local.Ready
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // in the state folder
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just stopped
		}
		if err != nil {
			return nil, err
		}
		r := &local.Ready{}
		if json.Unmarshal(data, r) != nil || r.Auth == "" {
			continue // another file than a stage's
		}
		// A --ready-file in the folder describes the same run again.
		if !slices.ContainsFunc(running, func(other *local.Ready) bool { return other.AWS == r.AWS }) {
			running = append(running, r)
		}
	}
	return running, nil
}

// completeRunning offers the stages that run from this directory.
func completeRunning(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	running, _ := runningStages() // completion has nowhere to say why not
	var ids []string
	for _, r := range running {
		ids = append(ids, r.Stage)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// outputName is the stack output that describes a deployed stage.
const outputName = "Gatewright"

// readOutput reads what a deployed stage says of itself.
func readOutput(ctx context.Context, stack string) (*local.Ready, error) {
	var answer struct {
		Stacks []struct {
			Outputs []struct{ OutputKey, OutputValue string }
		}
	}
	if err := runAWS(ctx, &answer, "cloudformation", "describe-stacks", "--stack-name", stack); err != nil {
		return nil, err
	}
	for _, s := range answer.Stacks {
		for _, output := range s.Outputs {
			if output.OutputKey != outputName {
				continue
			}
			r := &local.Ready{}
			if err := json.Unmarshal([]byte(output.OutputValue), r); err != nil {
				return nil, fmt.Errorf("the output %s of the stack %s is not understood: %w", outputName, stack, err)
			}
			return r, nil
		}
	}
	return nil, badInputf("the stack %s has no output %s; name the stage's Api stack, such as dev-Api", stack, outputName)
}

// client returns the app client with a name, or the only one.
func findClient(r *local.Ready, name string) (local.UserPool, local.Client, error) {
	var names []string
	var only local.Client
	var of local.UserPool
	for _, pool := range r.UserPools {
		for _, c := range pool.Clients {
			if c.Name == name {
				return pool, c, nil
			}
			names, of, only = append(names, c.Name), pool, c
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return of, only, badInputf("stage %s has no app client", r.Stage)
	case name == "" && len(names) == 1:
		return of, only, nil
	case name == "":
		return of, only, badInputf("name the app client with --client: %s", strings.Join(names, ", "))
	default:
		return of, only, badInputf("stage %s has no app client %q; it has %s", r.Stage, name, strings.Join(names, ", "))
	}
}
