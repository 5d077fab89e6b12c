package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
	"github.com/gatewright/gatewright/internal/audit/sarif"
)

// auditFlags are the flags of `gatewright audit`.
type auditFlags struct {
	stage, format, failOn string
	config                string
	explain               string
	listRules             bool
}

var (
	auditFormats = []string{"text", "json", "sarif", "md"}
	// failOnNever is no severity, so that nothing reaches it.
	failOnNever = "never"
	failOns     = []string{string(audit.Error), string(audit.Warning), string(audit.Note), failOnNever}
)

func newAuditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit [PATH]",
		Short: "List what is wrong with who may call an API, and the mend",
		Long: `Audit reads what a CDK app, or any CloudFormation template, deploys, and lists
mistakes about who may call its APIs: each with its place, what comes of it, and
the mend. PATH is the folder that cdk synth wrote, cdk.out by default, or a
template in JSON or YAML, from any language. Nothing reaches AWS.

A finding is accepted, with a reason, in Metadata of the resource or of the
template:

  "gatewright:suppress": [{"rule": "method-open", "reason": "…", "until": "2027-01-31"}]

or in .gatewright.yaml of the working directory, by a glob on the construct path:

  suppressions:
    - rule: method-open
      path: dev/Api/**
      reason: …
      until: 2027-01-31   # the last day; without one it does not end

Exit codes: 0 nothing found that --fail-on names, 1 found, 2 bad input.`,
		Example: `  gatewright audit                               audit every stage in cdk.out
  gatewright audit cdk.out --stage prod          one of them
  gatewright audit template.yaml                 a template that no CDK wrote
  gatewright audit --explain method-open         why a rule is one, and who says so
  gatewright audit --format sarif > audit.sarif  for a code host
  gatewright audit --format md --fail-on never   for a comment on a pull request`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAudit(f, args, cmd.OutOrStdout())
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stage, "stage", "", "`ID` of a CDK Stage or stack; every one by default")
	flags.StringVar(&f.format, "format", "text", "print `FORMAT`: "+strings.Join(auditFormats, ", "))
	flags.StringVar(&f.failOn, "fail-on", string(audit.Error), "exit 1 on findings of this `SEVERITY` or worse: "+strings.Join(failOns, ", "))
	flags.StringVar(&f.config, "config", "", "read suppressions from `FILE` (default "+audit.ConfigFile+", where there is one)")
	flags.BoolVar(&f.listRules, "list-rules", false, "list the rules; with --format md, their documentation")
	flags.StringVar(&f.explain, "explain", "", "explain the `RULE`")
	complete := map[string]cobra.CompletionFunc{
		"stage":   completeStage,
		"format":  cobra.FixedCompletions(auditFormats, cobra.ShellCompDirectiveNoFileComp),
		"fail-on": cobra.FixedCompletions(failOns, cobra.ShellCompDirectiveNoFileComp),
		"explain": cobra.FixedCompletions(ruleIDs(), cobra.ShellCompDirectiveNoFileComp),
	}
	for flag, completion := range complete {
		if err := cmd.RegisterFlagCompletionFunc(flag, completion); err != nil {
			panic(err) // the flags are defined above
		}
	}
	return cmd
}

// ruleIDs are the rules with their titles, as shells show them.
func ruleIDs() []cobra.Completion {
	var out []cobra.Completion
	for _, rule := range rules.All {
		out = append(out, cobra.CompletionWithDesc(rule.ID, rule.Title))
	}
	return out
}

func runAudit(f auditFlags, args []string, stdout io.Writer) error {
	switch {
	case !slices.Contains(auditFormats, f.format):
		return badInputf("no format %q; the formats are %s", f.format, strings.Join(auditFormats, ", "))
	case !slices.Contains(failOns, f.failOn):
		return badInputf("no severity %q; --fail-on takes %s", f.failOn, strings.Join(failOns, ", "))
	case f.listRules:
		return listRules(stdout, f.format)
	case f.explain != "":
		rule, ok := rules.Find(f.explain)
		if !ok {
			return badInputf("%s", audit.UnknownRule(rules.All, f.explain))
		}
		return textFor(stdout).Explain(stdout, rule)
	}
	path := "cdk.out"
	if len(args) > 0 {
		path = args[0]
	}
	result, err := rules.Audit(rules.Target{Path: path, Stage: f.stage, Config: f.config, Now: time.Now()})
	if err != nil {
		return err
	}
	if err := writeAudit(stdout, result, f.format, path); err != nil {
		return err
	}
	if f.failOn == failOnNever {
		return nil
	}
	if n := result.Reaches(audit.Severity(f.failOn)); n > 0 {
		return fmt.Errorf("%s (--fail-on %s)", result.Counts(), f.failOn)
	}
	return nil
}

func writeAudit(w io.Writer, r audit.Result, format, path string) error {
	switch format {
	case "json":
		return audit.WriteJSON(w, r)
	case "md":
		return audit.WriteMarkdown(w, r)
	case "sarif":
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, "manifest.json")
		}
		return sarif.Write(w, r, rules.All, path)
	default:
		return textFor(w).Write(w, r)
	}
}

// textFor is how text is written: in colours on a terminal only.
func textFor(w io.Writer) audit.Text {
	width := terminalWidth(w)
	return audit.Text{Width: width, Color: width > 0 && os.Getenv("NO_COLOR") == ""}
}

func listRules(stdout io.Writer, format string) error {
	switch format {
	case "text":
	case "md":
		return audit.WriteReference(stdout, rules.All)
	default:
		return badInputf("rules are listed as text or md, not as %s; --format json has the rule of each finding", format)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, rule := range rules.All {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", rule.ID, rule.Severity, rule.Title); err != nil {
			return err
		}
	}
	return w.Flush()
}
