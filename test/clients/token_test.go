package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestToken signs a person in with `gatewright token`, both ways that the answer
// comes back, and has `gatewright inspect` say whose token it is.
func TestToken(t *testing.T) {
	p := serve(t)
	t.Run("loopback", func(t *testing.T) {
		c := p.startToken(t, "--client", "mobile", "--no-browser", "--json")
		at := p.signIn(t, c.page(t))
		// What is not the callback is nobody's, and does not end the sign-in.
		elsewhere := *at
		elsewhere.Path = "/elsewhere"
		if status, _ := fetch(t, elsewhere.String(), nil); status != http.StatusNotFound {
			t.Errorf("another path answers %d", status)
		}
		if status, _ := fetch(t, at.String(), func(r *http.Request) { r.Host = "evil.example" }); status != http.StatusNotFound {
			t.Errorf("another host answers %d", status)
		}
		if status, body := fetch(t, at.String(), nil); status != http.StatusOK || !strings.HasPrefix(body, "Done. ") {
			t.Errorf("the callback answers %d %s", status, body)
		}
		var got struct {
			Access    string `json:"access_token"`
			ID        string `json:"id_token"`
			Refresh   string `json:"refresh_token"`
			Type      string `json:"token_type"`
			ExpiresIn int    `json:"expires_in"`
		}
		if err := json.Unmarshal([]byte(c.printed(t)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Refresh == "" || got.Type != "Bearer" || got.ExpiresIn < 3590 || got.ExpiresIn > 3600 {
			t.Errorf("a refresh token: %t, type %s, expires in %d s", got.Refresh != "", got.Type, got.ExpiresIn)
		}
		p.wantInspected(t, got.Access, "An access token, signed by its issuer and valid now.", "  scopes   openid, email, notes/read\n")
		p.wantInspected(t, got.ID, "An ID token, which says who a user is and opens no route with scopes, signed by its issuer and valid now.", "")
	})
	t.Run("paste", func(t *testing.T) {
		c := p.startToken(t, "--client", "website", "--paste", "--scope", "openid,notes/read")
		c.types(t, p.signIn(t, c.page(t)).String())
		access := strings.TrimSpace(c.printed(t))
		p.wantInspected(t, access, "An access token, ", "  scopes   openid, notes/read\n")
		if status, _ := fetch(t, p.API+"/v1/whoami", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+access) }); status != http.StatusOK {
			t.Errorf("the API answers %d", status)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for what, want := range map[string]string{
			"error=access_denied":                           `the sign-in page refuses: "access_denied"`,
			"error=invalid_request&error_description=a%1Bb": `the sign-in page refuses: "a\x1bb"`,
			"code=nobody":                                   "the token endpoint refuses: invalid_grant",
		} {
			c := p.startToken(t, "--client", "website", "--paste")
			page, err := url.Parse(c.page(t))
			if err != nil {
				t.Fatal(err)
			}
			c.types(t, page.Query().Get("redirect_uri")+"?state="+page.Query().Get("state")+"&"+what)
			c.ends(t, false)
			if c.out.Len() > 0 || !strings.HasSuffix(c.said.String(), "gatewright: "+want+"\n") {
				t.Errorf("%s: %q, %s", what, c.out, c.said)
			}
		}
	})
	p.checkLog(t)
}

// wantInspected checks what inspect says of a token of the demo user.
func (p *pool) wantInspected(t *testing.T, token, first, scopes string) {
	t.Helper()
	inspect := exec.CommandContext(t.Context(), p.binary, "inspect")
	inspect.Dir, inspect.Stdin = p.dir, strings.NewReader(token)
	out, err := inspect.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := string(out)
	// A pool whose users sign in by e-mail address calls each by the subject.
	_, after, _ := strings.Cut(said, "\n  user     ")
	user, rest, _ := strings.Cut(after, " (")
	subject, _, _ := strings.Cut(rest, ")\n")
	if !strings.HasPrefix(said, first) || len(subject) != 36 || user != subject || strings.Contains(said, "  scopes ") != (scopes != "") || !strings.Contains(said, scopes) ||
		!strings.Contains(said, "\n  issuer   "+p.UserPools[0].Issuer+"\n") || !strings.Contains(said, ", in 59 minutes\n") {
		t.Errorf("it says\n%s", said)
	}
	name, _, _ := strings.Cut(said[strings.Index(said, "  client   ")+len("  client   "):], " (")
	if p.client(t, name).ID == "" {
		t.Errorf("the client is called %q", name)
	}
	if strings.Contains(said, token[strings.LastIndex(token, "."):]) {
		t.Error("it says the signature")
	}
}

// tokenCommand is a running `gatewright token`.
type tokenCommand struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *bufio.Reader
	out    *bytes.Buffer // on stdout, once it has ended
	said   *bytes.Buffer // on stderr, so far
}

func (p *pool) startToken(t *testing.T, arguments ...string) *tokenCommand {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c := &tokenCommand{cmd: exec.CommandContext(ctx, p.binary, append([]string{"token"}, arguments...)...), out: &bytes.Buffer{}, said: &bytes.Buffer{}}
	c.cmd.Dir, c.cmd.Stdout = p.dir, c.out
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stderr = stdin, bufio.NewReader(io.TeeReader(stderr, c.said))
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// page reads on to the sign-in page's address.
func (c *tokenCommand) page(t *testing.T) string {
	t.Helper()
	for {
		line, err := c.stderr.ReadString('\n')
		if err != nil {
			t.Fatalf("no address: %v, %s", err, c.said)
		}
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "http") {
			return line
		}
	}
}

func (c *tokenCommand) types(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		t.Fatalf("%v: %s", err, c.said)
	}
}

// printed is what the command prints until it ends, which it does well.
func (c *tokenCommand) printed(t *testing.T) string {
	t.Helper()
	c.ends(t, true)
	return c.out.String()
}

// ends waits for the command.
func (c *tokenCommand) ends(t *testing.T, well bool) {
	t.Helper()
	if _, err := io.ReadAll(c.stderr); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); (err == nil) != well {
		t.Fatalf("it ends with %v: %s", err, c.said)
	}
}

// fetch visits an address, after a change to the request.
func fetch(t *testing.T, address string, change func(*http.Request)) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}
