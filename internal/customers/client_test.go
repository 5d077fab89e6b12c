package customers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func functionEnvironment(changes map[string]string) func(string) string {
	return func(name string) string {
		if value, ok := changes[name]; ok {
			return value
		}
		return map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "planted", "AWS_SESSION_TOKEN": "t"}[name]
	}
}

// A table that does not answer is asked again after a second, three times in all,
// so that a look-up ends before the authorizer gives it up.
func TestFunctionClientAsksAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	table := newInProcess(t)
	customer := acme(t, storeOver(table))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client gives up
			<-r.Context().Done()
			return
		}
		answer, err := table.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(w, answer.Body)
	}))
	defer server.Close()
	client, err := NewFunctionClient(functionEnvironment(map[string]string{"AWS_ENDPOINT_URL": server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := NewStore(client, tableName).Get(t.Context(), customer.ID); err != nil || found.ID != customer.ID || asked.Load() != 2 {
		t.Errorf("%v, %v after %d requests", found, err, asked.Load())
	}
	o := client.Options()
	if bound := o.HTTPClient.(*http.Client).Timeout; bound != time.Second || o.RetryMaxAttempts != 3 {
		t.Errorf("%v, %d attempts", bound, o.RetryMaxAttempts)
	}
}

func TestFunctionClientEnvironment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		_, err := NewFunctionClient(functionEnvironment(map[string]string{name: ""}))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "planted") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	for want, changes := range map[string]map[string]string{
		"":         nil,
		"http://a": {"AWS_ENDPOINT_URL": "http://a"},
		"http://b": {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"},
	} {
		client, err := NewFunctionClient(functionEnvironment(changes))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if endpoint := client.Options().BaseEndpoint; endpoint != nil {
			got = *endpoint
		}
		if got != want || client.Options().Region != "eu-west-1" {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
