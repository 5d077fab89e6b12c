package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A --ready-file beside the state file describes the same run, and makes no second
// stage of it.
func TestRunningStages(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{
		"dev.json":   `{"stage":"dev","auth":"http://127.0.0.1:4011","aws":"http://127.0.0.1:4012"}`,
		"ready.json": `{"stage":"dev","auth":"http://127.0.0.1:4011","aws":"http://127.0.0.1:4012"}`,
		"prod.json":  `{"stage":"prod","auth":"http://127.0.0.1:5011","aws":"http://127.0.0.1:5012"}`,
		"other.json": `{"stage":"x"}`,
		"text.json":  `text`,
	} {
		if err := os.WriteFile(filepath.Join(stateDir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	running, err := runningStages()
	if err != nil || len(running) != 2 || running[0].Stage != "dev" || running[1].Stage != "prod" {
		t.Errorf("got %d stages, %v", len(running), err)
	}
}
