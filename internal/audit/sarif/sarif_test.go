package sarif

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gatewright/gatewright/internal/audit"
)

var rules = []audit.Rule{
	{ID: "one", Severity: audit.Note, Title: "One", Why: "Because.", Fix: "Mend it.", Source: audit.Source{Title: "A page", URL: "https://example.com/one"}},
	{ID: "two", Severity: audit.Warning, Title: "Two", Why: "Because.", Fix: "Mend it.", Source: audit.Source{Title: "A page", URL: "https://example.com/two"}},
}

func finding(rule string) audit.Finding {
	return audit.Finding{Rule: rule, Severity: audit.Error, Path: "dev/Api/A", LogicalID: "A1", Message: "it is wrong", Fix: "Mend it."}
}

// What is written satisfies the schema of SARIF 2.1.0, and says what code hosts
// ask for: a rule of the run, a level, a file, and a place within the app.
func TestWrite(t *testing.T) {
	t.Parallel()
	result := audit.Result{
		Findings:      []audit.Finding{finding("two"), finding("one")},
		Suppressed:    []audit.Suppressed{{Finding: finding("two"), Reason: "ours", Until: "2027-01-31"}},
		NotUnderstood: []audit.Unread{{Path: "dev/Api/X", Text: "AWS::X::Y is not understood"}},
	}
	for name, r := range map[string]audit.Result{"something": result, "nothing": {}} {
		if err := newReport(r, rules, "cdk.out/manifest.json").Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, result, rules, "cdk out/manifest.json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ ID, HelpURI string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					LogicalLocations []struct{ FullyQualifiedName, Name, Kind string }
				}
				Suppressions []struct{ Kind, Justification string }
			}
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	run := got.Runs[0]
	if got.Version != "2.1.0" || len(run.Tool.Driver.Rules) != 2 || len(run.Results) != 3 {
		t.Fatalf("got %s", out.String())
	}
	for i, want := range []string{"two", "one", "two"} {
		r := run.Results[i]
		if r.RuleID != want || run.Tool.Driver.Rules[r.RuleIndex].ID != want || r.Level != "error" || r.Message.Text != "it is wrong. Mend: Mend it." {
			t.Errorf("result %d: %+v", i, r)
		}
		location := r.Locations[0]
		if location.PhysicalLocation.ArtifactLocation.URI != "cdk%20out/manifest.json" || location.LogicalLocations[0].FullyQualifiedName != "dev/Api/A" || location.LogicalLocations[0].Name != "A1" {
			t.Errorf("result %d is at %+v", i, location)
		}
		if suppressed := len(r.Suppressions) == 1; suppressed != (i == 2) || suppressed && r.Suppressions[0].Justification != "ours (until 2027-01-31)" {
			t.Errorf("result %d is suppressed by %+v", i, r.Suppressions)
		}
	}
	if notes := run.Invocations[0].ToolExecutionNotifications; len(notes) != 1 || notes[0].Message.Text != "not understood: dev/Api/X: AWS::X::Y is not understood" {
		t.Errorf("not understood: %+v", notes)
	}
}
