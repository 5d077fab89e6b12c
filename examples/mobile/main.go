// Command mobile signs its user in as an app on a device does, and calls the
// API with the token: RFC 8252, in a terminal.
//
//	go run ./examples/mobile                    the answer comes to a loopback port
//	go run ./examples/mobile -callback com.example.gatewright:/callback
//	                                            the answer comes by the app's own scheme: paste it
//
// It reads where everything is from the file that `gatewright up` writes, or from
// one with the stack output Gatewright of a deployed stage.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "mobile:", err)
		os.Exit(1)
	}
}

// stage is where the app's API and its sign-in page are.
type stage struct {
	API       string `json:"api"`
	Auth      string `json:"auth"`
	UserPools []struct {
		Issuer  string `json:"issuer"`
		Clients []struct {
			Name      string   `json:"name"`
			ID        string   `json:"id"`
			Scopes    []string `json:"scopes"`
			Callbacks []string `json:"callbacks"`
		} `json:"clients"`
	} `json:"userPools"`
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("mobile", flag.ContinueOnError)
	file := flags.String("stage", ".gatewright/dev.json", "`FILE` that describes the stage")
	callback := flags.String("callback", "http://127.0.0.1:4014/callback", "`URL` that the answer comes to, one of the client's")
	if err := flags.Parse(args); err != nil {
		return err
	}
	session, err := newSession(*file, *callback)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(stdin)
	if err := session.signIn(ctx, lines, stdout); err != nil {
		return err
	}
	return loop(ctx, session, lines, stdout)
}

// newSession finds the client mobile of a stage.
func newSession(file, callback string) (*session, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w; start the stage with make up", err)
	}
	var s stage
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, pool := range s.UserPools {
		for _, client := range pool.Clients {
			if client.Name != "mobile" {
				continue
			}
			if !slices.Contains(client.Callbacks, callback) {
				return nil, fmt.Errorf("%s is no callback of the client mobile; it has %s", callback, strings.Join(client.Callbacks, ", "))
			}
			return &session{api: s.API, auth: s.Auth, clientID: client.ID, callback: callback, scopes: client.Scopes}, nil
		}
	}
	return nil, fmt.Errorf("%s: the stage has no client mobile", file)
}

const help = "whoami, session, notes, add TITLE, refresh, anonymous, out, quit"

// loop does what its user types.
func loop(ctx context.Context, s *session, lines *bufio.Scanner, stdout io.Writer) error {
	fmt.Fprintf(stdout, "signed in as %s\n%s\n> ", s.email, help)
	for lines.Scan() {
		command, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if command == "quit" {
			return nil
		}
		answer, err := do(ctx, s, command, rest)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s\n", answer)
		if command == "out" {
			return nil
		}
		fmt.Fprint(stdout, "> ")
	}
	return lines.Err()
}

func do(ctx context.Context, s *session, command, rest string) (string, error) {
	switch command {
	case "whoami", "session":
		return s.call(ctx, http.MethodGet, "/v1/"+command, nil)
	case "notes":
		return s.call(ctx, http.MethodGet, "/v1/notes", nil)
	case "add":
		return s.call(ctx, http.MethodPost, "/v1/notes", map[string]string{"title": rest})
	case "anonymous":
		anonymous := *s
		anonymous.tokens = nil
		return anonymous.call(ctx, http.MethodGet, "/v1/whoami", nil)
	case "refresh":
		return "a new access token", s.refresh(ctx)
	case "out":
		return "signed out", s.signOut(ctx)
	default:
		return help, nil
	}
}

// call calls the API and says what it answers.
func (s *session) call(ctx context.Context, method, path string, body any) (string, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		content = strings.NewReader(string(data))
	}
	r, err := http.NewRequestWithContext(ctx, method, s.api+path, content)
	if err != nil {
		return "", err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.tokens != nil {
		if time.Until(s.tokens.Expiry) < 30*time.Second {
			if err := s.refresh(ctx); err != nil {
				return "", err
			}
		}
		r.Header.Set("Authorization", "Bearer "+s.tokens.AccessToken)
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // read below
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return fmt.Sprintf("%d %s", answer.StatusCode, strings.TrimSpace(string(data))), err
}

// query reads what a callback's address carries.
func query(address, callback string) (url.Values, error) {
	raw, ours := strings.CutPrefix(strings.TrimSpace(address), callback+"?")
	if !ours {
		return nil, fmt.Errorf("the address does not begin with %s?", callback)
	}
	return url.ParseQuery(raw)
}
