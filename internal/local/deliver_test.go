package local

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// TestDeliver prints codes for names that somebody made up to command the
// terminal or to look like another line.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &stage{config: Config{Stdout: &out}}
	for _, test := range []struct {
		message directory.Message
		want    string
	}{
		{directory.Message{Username: "u-1", Destination: "demo@example.com", Code: "123456", Kind: "sign-up"}, "code for demo@example.com: 123456 (sign-up)\n"},
		{directory.Message{Username: "Zo\u00eb", Code: "123456", Kind: "sign-up"}, "code for Zo\u00eb: 123456 (sign-up)\n"},
		{directory.Message{Username: "a\x1b[2J\ncode for b: 1", Code: "2", Kind: "sign-up"}, `code for "a\x1b[2J\ncode for b: 1": 2 (sign-up)` + "\n"},
		{directory.Message{Username: "a\u202eb", Code: "2", Kind: "sign-up"}, `code for "a\u202eb": 2 (sign-up)` + "\n"},
	} {
		out.Reset()
		if s.deliver(test.message); out.String() != test.want {
			t.Errorf("%q, want %q", out.String(), test.want)
		}
	}
}

// TestUserPoolAPI calls the user pools' API of a running stage as an SDK does
// that signs nothing, and as a web page does.
func TestUserPoolAPI(t *testing.T) {
	t.Parallel()
	p := servePlain(t)
	client := p.UserPools[0].Clients[0].ID
	for name, test := range map[string]struct {
		operation, origin string
		status            int
		want              string // of the error
	}{
		"for anybody":    {"InitiateAuth", "", http.StatusBadRequest, "Exception"},
		"for operators":  {"AdminGetUser", "", http.StatusForbidden, "MissingAuthenticationToken"},
		"a foreign page": {"InitiateAuth", "https://evil.example", http.StatusForbidden, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.AWS, strings.NewReader(`{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"`+client+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+test.operation)
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != test.status || !strings.Contains(string(body), test.want) || strings.Contains(string(body), "Signature") {
			t.Errorf("%s: %d %s %v", name, answer.StatusCode, body, err)
		}
	}
}
