package assembly

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A pool that two APIs use, with a client in a stack of its own, is one thing
// to ask about; an API beside them is another.
func TestModels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const stack = `{"type": "aws:cloudformation:stack", "dependencies": [%], "properties": {"templateFile": "$.json"}}`
	api := `{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi"}}}`
	files := map[string]string{
		"Users.json":   `{"Resources": {"Pool": {"Type": "AWS::Cognito::UserPool"}}, "Metadata": {"note": "ours"}}`,
		"Clients.json": `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}`,
		"Shop.json":    api, "Admin.json": api, "Other.json": api,
	}
	var artifacts []string
	for name, on := range map[string]string{"Users": "", "Clients": `"Users"`, "Shop": `"Users"`, "Admin": `"Users"`, "Other": ""} {
		artifacts = append(artifacts, `"`+name+`": `+strings.NewReplacer("%", on, "$", name).Replace(stack))
	}
	files["manifest.json"] = `{"artifacts": {` + strings.Join(artifacts, ", ") + `}}`
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string][]string{
		"":     {"API API Pool Topic", "API"},
		"Shop": {"API API Pool Topic"}, "Clients": {"API API Pool Topic"}, "Other": {"API"},
	} {
		models, err := a.Models(stage, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, m := range models {
			var kinds []string
			for _, kind := range []string{"API", "Pool", "Topic"} {
				for _, res := range m.Resources {
					if res.LogicalID == kind {
						kinds = append(kinds, kind)
					}
				}
			}
			got[strings.Join(kinds, " ")] = true
			if len(m.UserPools) == 1 && m.Metadata["Users"]["note"] != "ours" {
				t.Errorf("%q: the template's Metadata is %v", stage, m.Metadata)
			}
		}
		if len(models) != len(want) {
			t.Errorf("%q: %d models, want %d", stage, len(models), len(want))
		}
		for _, w := range want {
			if !got[w] {
				t.Errorf("%q: got %v, want %s", stage, got, w)
			}
		}
	}
	if _, err := a.Models("Nothing", Options{}); err == nil || !strings.Contains(err.Error(), `has no stage "Nothing"`) {
		t.Errorf("no such stage: %v", err)
	}
}
