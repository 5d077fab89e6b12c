package functions

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestSurvive holds the rows of MUST-SURVIVE that this package answers for.
func TestSurvive(t *testing.T) {
	t.Parallel()
	t.Run("56_web_page_on_the_developers_machine", func(t *testing.T) {
		t.Parallel()
		a := startAPI(t)
		page := func(change func(*http.Request)) int {
			status, _ := a.call(t, http.MethodPost, "init/error", "{}", change)
			return status
		}
		for name, change := range map[string]func(*http.Request){
			"rebound name":   func(r *http.Request) { r.Host = "evil.example" },
			"localhost":      func(r *http.Request) { r.Host = strings.Replace(a.address, "127.0.0.1", "localhost", 1) },
			"Origin":         func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"Origin null":    func(r *http.Request) { r.Header.Set("Origin", "null") },
			"own Origin":     func(r *http.Request) { r.Header.Set("Origin", "http://"+a.address) },
			"Sec-Fetch-Site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") },
		} {
			if status := page(change); status != http.StatusForbidden {
				t.Errorf("%s: %d", name, status)
			}
		}
		if len(a.initError) != 0 {
			t.Error("a page was taken for the function")
		}
	})
}

func TestRuntimeAPI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path, body string
		wantStatus               int
		wantBody                 string
	}{
		{"extensions", http.MethodPost, "../../2020-01-01/extension/register", "{}", http.StatusNotFound, "404 page not found"},
		{"unknown path", http.MethodGet, "restore/next", "", http.StatusNotFound, "404 page not found"},
		{"wrong method", http.MethodPost, "invocation/next", "", http.StatusMethodNotAllowed, "Method Not Allowed"},
		{"no event", http.MethodPost, "invocation/x/response", "", http.StatusBadRequest,
			`{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`},
		{"no event to fail", http.MethodPost, "invocation/x/error", "", http.StatusBadRequest,
			`{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`},
		{"init error", http.MethodPost, "init/error", "{}", http.StatusAccepted, `{"status":"OK"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, body := startAPI(t).call(t, tt.method, tt.path, tt.body, nil)
			if status != tt.wantStatus || strings.TrimSpace(body) != tt.wantBody {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// TestRuntimeAPIEvent follows one event, and what is refused on its way.
func TestRuntimeAPIEvent(t *testing.T) {
	t.Parallel()
	a := startAPI(t)
	inv := newInvocation(&function{Function: probe()}, []byte(`{"n":1}`))
	go func() { a.events <- inv }()
	steps := []struct {
		method, path, body string
		want               int
	}{
		{http.MethodGet, "invocation/next", "", http.StatusOK},
		{http.MethodGet, "invocation/next", "", http.StatusForbidden}, // not before the answer
		{http.MethodPost, "init/error", "{}", http.StatusForbidden},   // too late
		{http.MethodPost, "invocation/" + uuid.NewString() + "/response", "1", http.StatusBadRequest},
		{http.MethodPost, "invocation/" + inv.requestID + "/response", "2", http.StatusAccepted},
		{http.MethodPost, "invocation/" + inv.requestID + "/response", "3", http.StatusBadRequest},
		{http.MethodPost, "invocation/" + inv.requestID + "/error", "4", http.StatusBadRequest},
	}
	for i, s := range steps {
		status, body := a.call(t, s.method, s.path, s.body, nil)
		if status != s.want || i == 0 && body != `{"n":1}` {
			t.Errorf("step %d, %s %s: %d %s", i, s.method, s.path, status, body)
		}
	}
	if out := <-inv.answered; string(out.Payload) != "2" || out.FunctionError != "" {
		t.Errorf("outcome = %+v", out)
	}
}

func TestRuntimeAPITooLarge(t *testing.T) {
	t.Parallel()
	a := startAPI(t)
	inv := newInvocation(&function{Function: probe()}, nil)
	go func() { a.events <- inv }()
	if status, _ := a.call(t, http.MethodGet, "invocation/next", "", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	status, body := a.call(t, http.MethodPost, "invocation/"+inv.requestID+"/response", strings.Repeat("x", maxAnswerBytes+1), nil)
	want := `{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size (6291556 bytes)."}`
	if status != http.StatusRequestEntityTooLarge || strings.TrimSpace(body) != want {
		t.Errorf("%d %s", status, body)
	}
	if out := <-inv.answered; out.FunctionError != unhandled {
		t.Errorf("outcome = %+v", out)
	}
}

func startAPI(t *testing.T) *runtimeAPI {
	t.Helper()
	a, err := newRuntimeAPI()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

// call makes one request below /2018-06-01/runtime/.
func (a *runtimeAPI) call(t *testing.T, method, path, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	url := "http://" + a.address + "/2018-06-01/runtime/" + path
	if rest, ok := strings.CutPrefix(path, "../.."); ok {
		url = "http://" + a.address + rest
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // what should be refused may wait instead
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}
