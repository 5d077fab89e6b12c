package rules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each rule finds in testdata/<id>/fail* exactly what the golden file beside a
// template says, and nothing in testdata/<id>/pass*.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, rule := range rules.All {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			kinds := map[string]int{}
			for _, file := range templates(t, rule.ID) {
				kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), "-")
				kinds[kind]++
				got := findings(t, rule, file)
				switch kind {
				case "pass":
					if got != "" {
						t.Errorf("%s: found\n%s", file, got)
					}
				case "fail":
					compare(t, strings.TrimSuffix(file, filepath.Ext(file))+".golden", got)
				default:
					t.Errorf("%s: a template is named pass or fail, with -more behind it", file)
				}
			}
			if kinds["pass"] == 0 || kinds["fail"] == 0 {
				t.Errorf("the rule has %d passing and %d failing templates", kinds["pass"], kinds["fail"])
			}
		})
	}
}

func templates(t *testing.T, id string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.yaml", "*.json"} {
		files, err := filepath.Glob(filepath.Join("testdata", id, pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, files...)
	}
	return out
}

// findings are those of a rule in a template, a line for the place of each and
// one for the message. What decides about a request has to be understood, or a
// slip in a template would pass for one that is in order.
func findings(t *testing.T, rule audit.Rule, file string) string {
	t.Helper()
	a, err := assembly.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	models, err := a.Models("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if err := m.Servable(); err != nil && !strings.Contains(file, "-unread") {
			t.Errorf("%s: %v", file, err)
		}
	}
	result, err := audit.Run(models, []audit.Rule{rule}, audit.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range result.Findings {
		fmt.Fprintf(&out, "%s %s (%s)\n\t%s\n", f.Severity, f.Path, f.LogicalID, f.Message)
	}
	if strings.Contains(strings.ToLower(out.String()), "planted") {
		t.Errorf("%s: a secret shows in\n%s", file, out.String())
	}
	return out.String()
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if got == "" {
		t.Errorf("%s: nothing found", golden)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: found\n%s\nwant\n%s", golden, got, want)
	}
}

// docs/reference/audit.md is what the rules say.
func TestReference(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := audit.WriteReference(&out, rules.All); err != nil {
		t.Fatal(err)
	}
	compare(t, filepath.FromSlash("../../../docs/reference/audit.md"), out.String())
}

// Every rule says what it is, and testdata holds nothing of a rule that is not.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, rule := range rules.All {
		for name, text := range map[string]string{
			"id": rule.ID, "title": rule.Title, "why": rule.Why, "fix": rule.Fix, "source": rule.Source.Title,
		} {
			if text == "" || strings.TrimSpace(text) != text {
				t.Errorf("%s: the %s is %q", rule.ID, name, text)
			}
		}
		if strings.HasSuffix(rule.Title, ".") || !strings.HasSuffix(rule.Why, ".") || !strings.HasSuffix(rule.Fix, ".") {
			t.Errorf("%s: a title is no sentence, and the others are", rule.ID)
		}
		if !strings.HasPrefix(rule.Source.URL, "https://") || !slices.Contains(audit.Severities, rule.Severity) || rule.Check == nil {
			t.Errorf("%s: a source has an address, and a rule a severity and a check", rule.ID)
		}
		if _, err := os.Stat(strings.ReplaceAll(rule.ID, "-", "_") + ".go"); err != nil {
			t.Errorf("%s: a rule stands in a file of its own: %v", rule.ID, err)
		}
		if slices.Contains(ids, rule.ID) {
			t.Errorf("%s stands there twice", rule.ID)
		}
		ids = append(ids, rule.ID)
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !slices.Contains(ids, folder.Name()) {
			t.Errorf("testdata/%s is of no rule", folder.Name())
		}
	}
}
