package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gatewright": main})
}

// TestScripts runs testdata/script: what a user types and what comes back.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: goEnvironment,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "get": get, "await": await,
			"capture": capture, "fields": fields, "sends": sends, "answering": answering,
		},
		RequireExplicitExec: true,
	})
}

// exits runs a command and wants an exit code: "exits 2 gatewright up --nope".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [argument…]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// await waits until a file is there: "await ready.json".
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await file")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s does not come", args[0])
}

// get calls a path of the API that a ready file names, and wants a status and
// a body: "get ready.json /status 200 ok".
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: get ready-file path status body")
	}
	var ready struct{ API string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &ready))
	response, err := http.Get(ready.API + args[1])
	ts.Check(err)
	body, err := io.ReadAll(response.Body)
	ts.Check(errors.Join(err, response.Body.Close()))
	if got := strconv.Itoa(response.StatusCode); got != args[2] || string(body) != args[3] {
		ts.Fatalf("GET %s: got %s %s, want %s %s", args[1], got, body, args[2], args[3])
	}
}
