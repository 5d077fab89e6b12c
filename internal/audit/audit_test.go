package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

// named finds every function, and warns about each table.
var named = []audit.Rule{
	{ID: "table-there", Severity: audit.Warning, Title: "A table", Why: "Because.", Fix: "Remove it.", Source: audit.Source{Title: "Nobody", URL: "https://example.com/table"},
		Check: func(m *assembly.Model, r *audit.Report) {
			for _, res := range m.Resources {
				if res.Type == "AWS::DynamoDB::Table" {
					r.Find(res.Place, "the table %s", res.LogicalID)
				}
			}
		}},
	{ID: "function-there", Severity: audit.Error, Title: "A function", Why: "Because.", Fix: "Remove it.", Source: audit.Source{Title: "Nobody", URL: "https://example.com/function"},
		Check: func(m *assembly.Model, r *audit.Report) {
			for _, f := range m.Functions {
				r.Find(f.Place, "the function %s", f.LogicalID)
				r.FindAs(audit.Note, f.Place, "by the way, %s", f.LogicalID)
			}
		}},
}

var may = time.Date(2026, 5, 31, 23, 59, 0, 0, time.UTC)

func place(id string) assembly.Place {
	return assembly.Place{Stack: "Api", LogicalID: id, Path: "dev/Api/" + id + "/Resource"}
}

// aModel has a table and two functions; what the metadata of the second and of
// the template suppresses is given.
func aModel(ofB, ofTemplate any) *assembly.Model {
	m := &assembly.Model{
		Resources: []*assembly.Resource{
			{Place: place("Table"), Type: "AWS::DynamoDB::Table"},
			{Place: place("A"), Type: "AWS::Lambda::Function"},
			{Place: place("B"), Type: "AWS::Lambda::Function", Metadata: map[string]any{}},
		},
		Functions:     []*assembly.Function{{Place: place("B")}, {Place: place("A")}},
		NotUnderstood: []assembly.Problem{{Path: "dev/Api/X", Text: "AWS::X::Y is not understood"}},
		Metadata:      map[string]map[string]any{},
	}
	if ofB != nil {
		m.Resources[2].Metadata[audit.MetadataKey] = ofB
	}
	if ofTemplate != nil {
		m.Metadata["Api"] = map[string]any{audit.MetadataKey: ofTemplate}
	}
	return m
}

func list(entries ...map[string]any) any {
	out := []any{}
	for _, e := range entries {
		out = append(out, e)
	}
	return out
}

func config(t *testing.T, text string) (audit.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "audit.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := audit.ReadConfig(file, named)
	if err != nil {
		return c, &assembly.InputError{Text: strings.ReplaceAll(err.Error(), filepath.ToSlash(file)+":", "")}
	}
	return c, nil
}

func TestSuppression(t *testing.T) {
	t.Parallel()
	all := []string{"error A the function A", "error B the function B", "warning Table the table Table", "note A by the way, A", "note B by the way, B"}
	without := func(gone ...string) []string {
		var out []string
		for _, line := range all {
			kept := true
			for _, g := range gone {
				kept = kept && line != g
			}
			if kept {
				out = append(out, line)
			}
		}
		return out
	}
	tests := []struct {
		name            string
		ofB, ofTemplate any
		config          string
		partial         bool
		want            []string
		suppressed      []string // place, reason and end
		unused          string
	}{
		{name: "none", want: all},
		{name: "of a resource", ofB: list(map[string]any{"rule": "function-there", "reason": "ours"}),
			want: without("error B the function B", "note B by the way, B"), suppressed: []string{"B ours", "B ours"}},
		{name: "of a template", ofTemplate: list(map[string]any{"rule": "table-there", "reason": "ours", "until": "2026-05-31"}),
			want: without("warning Table the table Table"), suppressed: []string{"Table ours until 2026-05-31"}},
		{name: "of another rule", ofB: list(map[string]any{"rule": "table-there", "reason": "ours"}), want: all,
			unused: "dev/Api/B/Resource: gatewright:suppress[0]: suppresses nothing; remove it"},
		{name: "expired", ofTemplate: list(map[string]any{"rule": "table-there", "reason": "for now", "until": "2026-05-30"}),
			want: []string{all[0], all[1], all[2] + " (its suppression expired on 2026-05-30: for now)", all[3], all[4]}},
		{name: "expired, and another that has not", ofTemplate: list(map[string]any{"rule": "table-there", "reason": "for now", "until": "2026-05-30"}, map[string]any{"rule": "table-there", "reason": "longer"}),
			want: without("warning Table the table Table"), suppressed: []string{"Table longer"}},
		{name: "of a file", config: "suppressions:\n  - rule: function-there\n    path: dev/*/A/*\n    reason: ours\n    until: 2026-06-01\n",
			want: without("error A the function A", "note A by the way, A"), suppressed: []string{"A ours until 2026-06-01", "A ours until 2026-06-01"}},
		{name: "of a file, deep", config: "suppressions: [{rule: function-there, path: dev/**, reason: ours}]",
			want: []string{all[2]}, suppressed: []string{"A ours", "B ours", "A ours", "B ours"}},
		{name: "of a file, too shallow", config: "suppressions: [{rule: function-there, path: dev/*, reason: ours}]", want: all,
			unused: "audit.yaml:1:17: suppressions[0]: suppresses nothing; remove it"},
		{name: "of a file, for another stage", config: "suppressions: [{rule: function-there, path: prod/*, reason: ours}]", want: all, partial: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := audit.Options{Now: may, Partial: tt.partial}
			if tt.config != "" {
				var err error
				if o.Config, err = config(t, tt.config); err != nil {
					t.Fatal(err)
				}
			}
			// The same stack twice is the same finding.
			model := aModel(tt.ofB, tt.ofTemplate)
			result, err := audit.Run([]*assembly.Model{model, aModel(nil, nil)}, named, o)
			if err != nil {
				t.Fatal(err)
			}
			var found, suppressed []string
			for _, f := range result.Findings {
				found = append(found, string(f.Severity)+" "+f.LogicalID+" "+f.Message)
			}
			for _, s := range result.Suppressed {
				line := s.LogicalID + " " + s.Reason
				if s.Until != "" {
					line += " until " + s.Until
				}
				suppressed = append(suppressed, line)
			}
			same(t, "found", found, tt.want)
			same(t, "suppressed", suppressed, tt.suppressed)
			unused := strings.Join(result.Unused, "\n")
			if i := strings.Index(unused, "audit.yaml"); i > 0 {
				unused = unused[i:]
			}
			if unused != tt.unused {
				t.Errorf("unused: %q, want %q", unused, tt.unused)
			}
		})
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s\n%s\nwant\n%s", what, g, w)
	}
}

func TestMalformedMetadata(t *testing.T) {
	t.Parallel()
	const at = "dev/Api/B/Resource: gatewright:suppress"
	tests := []struct {
		value any
		want  string
	}{
		{"all", at + ` is no list; write [{"rule": "…", "reason": "…"}]`},
		{[]any{"table-there"}, at + `[0] is no object; write {"rule": "…", "reason": "…"}`},
		{list(map[string]any{"reason": "ours"}), at + "[0]: no rule; it is required"},
		{list(map[string]any{"rule": "table-there"}), at + "[0]: no reason; write why the finding is acceptable"},
		{list(map[string]any{"rule": "", "reason": "ours"}), at + "[0]: rule is no text; write one"},
		{list(map[string]any{"rule": "table-there", "reason": " "}), at + "[0]: no reason; write why the finding is acceptable"},
		{list(map[string]any{"rule": "table-there", "reason": map[string]any{"Ref": "X"}}), at + "[0]: reason is no text; write one"},
		{list(map[string]any{"rule": "table-there", "reason": "ours", "path": "x"}), at + `[0]: unknown key "path"; the keys are rule, reason, until`},
		{list(map[string]any{"rule": "there-a-table", "reason": "ours"}), at + `[0]: no rule "there-a-table"; did you mean table-there?`},
		{list(map[string]any{"rule": "nonsense", "reason": "ours"}), at + `[0]: no rule "nonsense"; gatewright audit --list-rules lists them`},
		{list(map[string]any{"rule": "table-there", "reason": "ours", "until": "2026-02-30"}), at + `[0]: until "2026-02-30" is no date; write the last day, such as 2027-01-31`},
	}
	for _, tt := range tests {
		_, err := audit.Run([]*assembly.Model{aModel(tt.value, nil)}, named, audit.Options{Now: may})
		wantInputError(t, err, tt.want)
	}
}

func wantInputError(t *testing.T, err error, want string) {
	t.Helper()
	coded, ok := err.(interface{ ExitCode() int })
	if !ok || coded.ExitCode() != 2 || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{"", "1:1: the file is empty; write suppressions or remove it"},
		{"suppression: []\n", `1:1: unknown key "suppression"; the keys are suppressions` + "\n1:1: no suppressions; it is required"},
		{"suppressions: all\n", "1:15: suppressions is not a list; write [{rule: …, path: …, reason: …}]"},
		{"suppressions:\n  - rule: table-there\n    path: '**'\n", "2:5: no suppressions[0].reason; it is required"},
		{"suppressions:\n  - rule: table-there\n    path: '**'\n    reason: '  '\n", "4:13: suppressions[0]: no reason; write why the finding is acceptable"},
		{"suppressions:\n  - {rule: table-their, path: '**', reason: x}\n", `2:12: suppressions[0]: no rule "table-their"; did you mean table-there?`},
		{"suppressions:\n  - {rule: table-there, path: '**', reason: x, until: soon}\n", `2:55: suppressions[0]: until "soon" is no date; write the last day, such as 2027-01-31`},
		{"suppressions:\n  - {rule: table-there, path: '**', reason: 7}\n", "2:45: suppressions[0].reason takes text such as why the finding is acceptable, not a value of type integer"},
		{"suppressions: [{}]\n", "1:16: suppressions[0] is empty; write {rule: …, path: …, reason: …} or remove the key"},
		{"suppressions: [all]\n", "1:16: suppressions[0] is not a mapping; write {rule: …, path: …, reason: …}"},
		{"suppressions: []\n---\nx: 1\n", "2:1: a second document; keep everything in one"},
	}
	for _, tt := range tests {
		_, err := config(t, tt.yaml)
		wantInputError(t, err, tt.want)
	}
	if _, err := audit.ReadConfig(filepath.Join(t.TempDir(), "missing.yaml"), named); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("a missing file gave %v", err)
	}
	if _, err := audit.ReadConfig("", named); err != nil {
		t.Errorf("without %s: %v", audit.ConfigFile, err)
	}
}

// hostile is what a template could do to whoever prints it.
func hostile() audit.Result {
	result, err := audit.Run([]*assembly.Model{aModel(list(map[string]any{"rule": "function-there", "reason": "a|b"}), list(map[string]any{"rule": "table-there", "reason": "x", "until": "2026-01-01"}))}, named, audit.Options{Now: may})
	if err != nil {
		panic(err)
	}
	result.Findings[0].Message = "the \x1b[2J function | <img src=x> of @someone\n# in many words that go on and on until a line is full of them"
	return result
}

func TestText(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := (audit.Text{Width: 60}).Write(&out, hostile()); err != nil {
		t.Fatal(err)
	}
	want := `error  function-there  A function
  dev/Api/A/Resource (A)
    the [2J function | <img src=x> of @someone # in many
      words that go on and on until a line is full of them
  mend  Remove it.
  why   gatewright audit --explain function-there

warning  table-there  A table
  dev/Api/Table/Resource (Table)
    the table Table (its suppression expired on 2026-01-01:
      x)
  mend  Remove it.
  why   gatewright audit --explain table-there

note  function-there  A function
  dev/Api/A/Resource (A)
    by the way, A
  mend  Remove it.
  why   gatewright audit --explain function-there

not understood, and so not audited:
  dev/Api/X: AWS::X::Y is not understood

1 error, 1 warning, 1 note; 2 suppressed; 1 part not understood
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := (audit.Text{Color: true}).Write(&out, hostile()); err != nil {
		t.Fatal(err)
	}
	if line, _, _ := strings.Cut(out.String(), "\n"); line != "\x1b[31merror\x1b[0m  \x1b[1mfunction-there\x1b[0m  A function" {
		t.Errorf("in colours: %q", line)
	}
	out.Reset()
	if err := (audit.Text{}).Write(&out, audit.Result{}); err != nil || out.String() != "nothing found\n" {
		t.Errorf("nothing: %q, %v", out.String(), err)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := audit.WriteMarkdown(&out, hostile()); err != nil {
		t.Fatal(err)
	}
	want := `**gatewright audit:** 1 error, 1 warning, 1 note; 2 suppressed; 1 part not understood

| severity | rule | where | what | mend |
|---|---|---|---|---|
| error | [function-there](https://example.com/function) | dev/Api/A/Resource | the  &#91;2J function &#124; &#60;img src=x&#62; of &#64;someone &#35; in many words that go on and on until a line is full of them | Remove it. |
| warning | [table-there](https://example.com/table) | dev/Api/Table/Resource | the table Table (its suppression expired on 2026-01-01: x) | Remove it. |
| note | [function-there](https://example.com/function) | dev/Api/A/Resource | by the way, A | Remove it. |

<details><summary>2 suppressed</summary>

- function-there: dev/Api/B/Resource: the function B. Reason: a&#124;b
- function-there: dev/Api/B/Resource: by the way, B. Reason: a&#124;b

</details>

<details><summary>1 not understood, and so not audited</summary>

- dev/Api/X: AWS::X::Y is not understood

</details>
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// The JSON form is a contract: names, and lists that are never null.
func TestJSON(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	result, err := audit.Run(nil, named, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.WriteJSON(&out, result); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(out.String()), ""); got != `{"findings":[],"suppressed":[],"notUnderstood":[]}` {
		t.Errorf("nothing: %s", got)
	}
	out.Reset()
	if err := audit.WriteJSON(&out, hostile()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"rule":"table-there","severity":"warning","title":"A table","path":"dev/Api/Table/Resource","logicalId":"Table","message":"the table Table (its suppression expired on 2026-01-01: x)","fix":"Remove it.","source":"https://example.com/table"}`,
		`"source":"https://example.com/function","reason":"a|b","until":""}`,
		`"notUnderstood":[{"path":"dev/Api/X","text":"AWS::X::Y is not understood","hides":false}]`,
	} {
		compact := strings.NewReplacer("\n", "", "    ", "", "  ", "", `": `, `":`).Replace(out.String())
		if !strings.Contains(compact, want) {
			t.Errorf("no %s in\n%s", want, compact)
		}
	}
}

// What could hide a finding comes first, and the last line says so.
func TestHidden(t *testing.T) {
	t.Parallel()
	m := aModel(nil, nil)
	m.NotUnderstood = append(m.NotUnderstood, assembly.Problem{Path: "dev/Api/Fn::ForEach::Routes", Text: "a loop", Decides: true, Hides: true})
	result, err := audit.Run([]*assembly.Model{m}, nil, audit.Options{Now: may})
	if err != nil {
		t.Fatal(err)
	}
	var text, markdown strings.Builder
	if err := (audit.Text{}).Write(&text, result); err != nil {
		t.Fatal(err)
	}
	const want = `incomplete  not understood, and so not audited; there may be more to find:
  dev/Api/Fn::ForEach::Routes: a loop

not understood, and so not audited:
  dev/Api/X: AWS::X::Y is not understood

nothing found in what is understood; 2 parts not understood, 1 of which could hide more
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	if err := audit.WriteMarkdown(&markdown, result); err != nil {
		t.Fatal(err)
	}
	if got := markdown.String(); !strings.Contains(got, "\n**Incomplete:** not understood, and so not audited: dev/Api/Fn::ForEach::Routes: a loop\n") || strings.Count(got, "a loop") != 1 {
		t.Errorf("got %s", got)
	}
}
