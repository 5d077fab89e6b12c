package functions

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		f           *assembly.Function
		event       any
		wantType    string
		wantMessage string // {id} stands for the request id
		survives    bool   // the process goes on
	}{
		{"returns an error", probe(), event{Do: "fail", Text: "no"}, "errorString", "no", true},
		{"panics", probe(), event{Do: "panic", Text: "help"}, "string", "help", false},
		{"exits with 1", probe(), event{Do: "exit", Size: 1}, "Runtime.ExitError",
			"RequestId: {id} Error: Runtime exited with error: exit status 1", false},
		{"exits with 0", probe(), event{Do: "exit"}, "Runtime.ExitError",
			"RequestId: {id} Error: Runtime exited without providing a reason", false},
		{"answers too much", probe(), event{Do: "big", Size: maxAnswerBytes}, "Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes).", false},
		{"is silent", raw("silent", limited), "x", "Sandbox.Timedout",
			"RequestId: {id} Error: Task timed out after 0.30 seconds", false},
		{"is never ready", raw("never-ready", limited), "x", "Sandbox.Timedout",
			"RequestId: {id} Error: Task timed out after 0.30 seconds", false},
		{"exits at start", raw("init-exit"), "x", "Runtime.ExitError",
			"RequestId: {id} Error: Runtime exited with error: exit status 3", false},
		{"reports an init error", raw("init-error"), "x", "Function.Broken", "no table", false},
		{"breaks off", raw("breaks-off"), "x", "Runtime.TruncatedResponse", "RequestId: {id} Error: the answer broke off", true},
		{"fails in a trailer", raw("trailer"), "x", "Function.Half", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newRunner(t, Config{Functions: []*assembly.Function{tt.f}, InitTimeout: 500 * time.Millisecond})
			doc := fails(t, m, tt.f, tt.event)
			message := doc.ErrorMessage
			if rest, ok := strings.CutPrefix(message, "RequestId: "); ok {
				id, _, _ := strings.Cut(rest, " ")
				message = strings.Replace(message, id, "{id}", 1)
			}
			if doc.ErrorType != tt.wantType || message != tt.wantMessage {
				t.Errorf("got %+v", doc)
			}
			m.mu.Lock()
			idle := len(m.functions[tt.f.ARN].idle)
			m.mu.Unlock()
			if (idle == 1) != tt.survives {
				t.Errorf("%d idle environments afterwards", idle)
			}
			if tt.f.Name == "probe" {
				send(t, m, tt.f, event{}) // the next event finds a sound process
			}
		})
	}
}

func TestBrokenRuntimes(t *testing.T) {
	t.Parallel()
	tests := []struct{ mode, want string }{
		{"garbage", "\x00not JSON"}, // passed on: API Gateway makes a 502 of it
		{"wrong-id", `"400"`},
		{"answers-twice", `"first"`},
		{"asks-twice", `"403"`},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			f := raw(tt.mode)
			var logs logLines
			m := newRunner(t, Config{Functions: []*assembly.Function{f}, Log: logs.logger()})
			for range 2 {
				result, err := invoke(t, m, f, "x")
				if err != nil || result.FunctionError != "" || string(result.Payload) != tt.want {
					t.Fatalf("%q, %v; want %q", result.Payload, err, tt.want)
				}
			}
			if err := m.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.mode == "answers-twice" && !strings.Contains(logs.String(), "statuses 202 400") {
				t.Errorf("the second answer was not refused:\n%s", logs.String())
			}
		})
	}
}

// TestInitIsTriedTwice shows that a process which does not get ready in time is
// started once more, on the event's own time.
func TestInitIsTriedTwice(t *testing.T) {
	t.Parallel()
	f := raw("slow-once:" + filepath.Join(t.TempDir(), "started"))
	m := newRunner(t, Config{Functions: []*assembly.Function{f}, InitTimeout: 300 * time.Millisecond})
	if result, err := invoke(t, m, f, "x"); err != nil || string(result.Payload) != `"x"` {
		t.Errorf("%q %s, %v", result.FunctionError, result.Payload, err)
	}
}
