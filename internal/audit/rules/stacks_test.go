package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/audit/rules"
)

// The stacks of testdata/stacks are in the manner of public examples. Each was
// written with what is wrong with it, in expected.txt, before any rule saw it:
// a line for each finding, its rule and the resource's path. template.json is
// what the app beside it synthesizes.
func TestStacks(t *testing.T) {
	t.Parallel()
	lists, err := filepath.Glob("../testdata/stacks/*/expected.txt")
	if err != nil || len(lists) < 10 {
		t.Fatalf("%d stacks, %v", len(lists), err)
	}
	for _, list := range lists {
		folder := filepath.Dir(list)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			templates, err := filepath.Glob(filepath.Join(folder, "template.*"))
			if err != nil || len(templates) != 1 {
				t.Fatalf("templates %v, %v", templates, err)
			}
			result, err := rules.Audit(rules.Target{Path: templates[0], Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			expected, err := os.ReadFile(filepath.Join(folder, "expected.txt"))
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(strings.Split(string(expected), "\n"), func(line string) bool { return line == "" })
			var got []string
			for _, f := range result.Findings {
				got = append(got, f.Rule+" "+f.Path)
			}
			for _, part := range result.NotUnderstood {
				got = append(got, "notUnderstood "+part.Path)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("found\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
