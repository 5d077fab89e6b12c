// Package sarif writes what an audit found in the Static Analysis Results
// Interchange Format 2.1.0, which code hosts show beside the code.
package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/gatewright/gatewright/internal/audit"
)

const toolAddress = "https://github.com/gatewright/gatewright"

// Write prints a result of the rules. Every finding stands in the file that was
// audited, a template or the manifest of an assembly, and in a resource by its
// construct path.
func Write(w io.Writer, r audit.Result, rules []audit.Rule, file string) error {
	if err := newReport(r, rules, file).PrettyWrite(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newReport(r audit.Result, rules []audit.Rule, file string) *sarif.Report {
	run := sarif.NewRunWithInformationURI("gatewright audit", toolAddress)
	for _, rule := range rules {
		run.AddRule(rule.ID).
			WithDescription(rule.Title).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText(rule.Why)).
			WithHelp(sarif.NewMultiformatMessageString().
				WithText(rule.Why + "\n\nMend: " + rule.Fix + "\n\nSource: " + rule.Source.Title + ", " + rule.Source.URL).
				WithMarkdown(rule.Why + "\n\n**Mend:** " + rule.Fix + "\n\n**Source:** [" + rule.Source.Title + "](" + rule.Source.URL + ")")).
			WithHelpURI(rule.Source.URL).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(string(rule.Severity)))
	}
	file = address(file)
	for _, f := range r.Findings {
		run.AddResult(result(run, f, file))
	}
	for _, s := range r.Suppressed {
		reason := s.Reason
		if s.Until != "" {
			reason += " (until " + s.Until + ")"
		}
		run.AddResult(result(run, s.Finding, file).AddSuppression(sarif.NewSuppression().
			WithKind("external").WithJustification(reason)))
	}
	invocation := sarif.NewInvocation().WithExecutionSuccessful(true)
	for _, u := range r.NotUnderstood {
		level := "note"
		if u.Hides {
			level = "warning"
		}
		invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel(level).
			WithMessage(sarif.NewTextMessage("not understood: " + u.Path + ": " + u.Text)))
	}
	run.AddInvocation(invocation)
	return sarif.NewReport().AddRun(run)
}

func result(run *sarif.Run, f audit.Finding, file string) *sarif.Result {
	location := sarif.NewLocationWithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewSimpleArtifactLocation(file)).
		WithRegion(sarif.NewRegion().WithStartLine(1))).
		AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(f.Path).WithName(f.LogicalID).WithKind("resource"))
	sum := sha256.Sum256([]byte(f.Rule + "\x00" + f.Path + "\x00" + f.Message)) // the same alert in the next run
	return sarif.NewRuleResult(f.Rule).
		WithRuleIndex(run.GetRuleIndex(f.Rule)).
		WithLevel(string(f.Severity)).
		WithMessage(sarif.NewTextMessage(f.Message + ". Mend: " + f.Fix)).
		AddLocation(location).
		WithPartialFingerprints(map[string]string{"gatewright/v1": hex.EncodeToString(sum[:])})
}

// address is a file as a relative reference, or as a URI where it is absolute.
func address(file string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(file))}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}
