package main

import (
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/report"
)

var reportFormats = []string{"text", "json", "md"}

func newReportCommand() *cobra.Command {
	var format, stage string
	cmd := &cobra.Command{
		Use:   "report [PATH]",
		Short: "Show who may call what: each route by kinds of caller",
		Long: `Report prints the access matrix of a CDK app, or of a CloudFormation template
from anywhere: for each route who may call it, which scopes, keys and signatures
it asks for, its limits, what is validated and what answers, and why a public
route is public.

PATH is a folder that cdk synth wrote, or a template in JSON or YAML; cdk.out by
default. What the template holds and Gatewright does not understand is listed at
the end. Nothing reaches AWS.

Exit codes: 0 reported, 2 bad input.`,
		Example: `  gatewright report                           what cdk synth wrote to cdk.out
  gatewright report template.yaml             a template of any tool
  gatewright report cdk.out --stage prod      one stage of several
  gatewright report --format json | jq '.stages[].apis[].routes[] | select(.access[].caller == "anyone") | .id'
                                              every route that anyone may call`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "cdk.out"
			if len(args) == 1 {
				path = args[0]
			}
			return writeReport(cmd.OutOrStdout(), path, stage, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "write `FORMAT`: text, json or md")
	cmd.Flags().StringVar(&stage, "stage", "", "report on one CDK Stage or stack, by its `ID`; all of them by default")
	for flag, complete := range map[string]cobra.CompletionFunc{
		"stage": completeStage, "format": cobra.FixedCompletions(reportFormats, cobra.ShellCompDirectiveNoFileComp),
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // the flags are defined above
		}
	}
	return cmd
}

func writeReport(w io.Writer, path, stage, format string) error {
	if !slices.Contains(reportFormats, format) {
		return badInputf("--format is %q; write text, json or md", format)
	}
	models, err := readModels(path, stage)
	if err != nil {
		return err
	}
	r := report.New(models...)
	switch format {
	case "json":
		return r.JSON(w)
	case "md":
		return r.Markdown(w)
	default:
		width := terminalWidth(w)
		return r.Text(w, report.TextOptions{Width: width, Colour: width > 0 && os.Getenv("NO_COLOR") == ""})
	}
}

// readModels reads one stage of an assembly, or every one.
func readModels(path, stage string) ([]*assembly.Model, error) {
	a, err := assembly.Load(path)
	if err != nil {
		return nil, err
	}
	stages := []string{stage}
	if stage == "" {
		stages = a.Stages()
	}
	var models []*assembly.Model
	for _, id := range stages {
		m, err := a.Model(id, assembly.Options{})
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}
