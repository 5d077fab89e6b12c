package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pkg/browser"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/local"
)

// secretVariable holds the secret of a deployed client.
const secretVariable = "GATEWRIGHT_CLIENT_SECRET" //nolint:gosec // a name, no credential

// tokenFlags are the flags of `gatewright token`.
type tokenFlags struct {
	target
	client    string
	scopes    []string
	json      bool
	noBrowser bool
	paste     bool
	timeout   time.Duration
}

func newTokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Get an access token as any client of a stage",
		Long: `Token gets an access token as a client of a stage would, and prints it.

A client of its own account asks by client_credentials. For a client with users
the sign-in page opens in a browser, and the token comes back to one of the
client's loopback callbacks, which has to be free. With --paste it comes back by
hand: sign in anywhere, and paste the address that the browser ended at.

The secret of a deployed client is read from ` + secretVariable + `, or by the
AWS CLI with your own identity. It is never an argument, and never printed.

Exit codes: 0 printed, 1 refused, 2 bad input.`,
		Example: `  gatewright token --client machine
  curl -H "Authorization: Bearer $(gatewright token --client machine)" http://127.0.0.1:4010/v1/whoami
  gatewright token --client mobile --scope openid --scope notes/read --json
  gatewright token --client machine --stack dev-Api    of a deployed stage`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return token(cmd.Context(), f, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.client, "client", "", "app client, by its `NAME`; optional where there is only one")
	flags.StringSliceVar(&f.scopes, "scope", nil, "ask for a `SCOPE`, repeatedly or separated by commas; by default all that the client may have")
	flags.BoolVar(&f.json, "json", false, "print the whole answer of the token endpoint as JSON")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "print the sign-in page's address instead of opening it")
	flags.BoolVar(&f.paste, "paste", false, "read the address that the sign-in ended at from standard input")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for somebody to sign in")
	return cmd
}

// tokenAnswer is what --json prints, as the token endpoint names it.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
}

func token(ctx context.Context, f tokenFlags, stdin io.Reader, stdout, stderr io.Writer) error {
	stage, err := f.read(ctx)
	if err != nil {
		return err
	}
	pool, client, err := findClient(stage, f.client)
	if err != nil {
		return err
	}
	if client.Secret == "" && f.deployed() {
		if client.Secret, err = deployedSecret(ctx, pool.ID, client); err != nil {
			return err
		}
	}
	scopes := f.scopes
	if len(scopes) == 0 {
		scopes = client.Scopes
	}
	// What the endpoint needs is said at once, and no answer is waited for long.
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: 30 * time.Second})
	var got *oauth2.Token
	switch {
	case slices.Contains(client.Flows, "client_credentials"):
		config := clientcredentials.Config{
			ClientID: client.ID, ClientSecret: client.Secret, TokenURL: stage.Auth + "/oauth2/token",
			Scopes: scopes, AuthStyle: oauth2.AuthStyleInHeader,
		}
		got, err = config.Token(ctx)
	case slices.Contains(client.Flows, "code"):
		got, err = signIn(ctx, f, stage, client, scopes, stdin, stderr)
	default:
		return badInputf("the client %s has no flow that this command knows: %s", client.Name, cmp.Or(strings.Join(client.Flows, ", "), "none"))
	}
	if err != nil {
		return tokenError(err)
	}
	if !f.json {
		_, err = fmt.Fprintln(stdout, got.AccessToken)
		return err
	}
	id, _ := got.Extra("id_token").(string)
	lifetime, _ := got.Extra("expires_in").(float64)
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(tokenAnswer{ //nolint:gosec // the token is what was asked for
		AccessToken: got.AccessToken, IDToken: id, RefreshToken: got.RefreshToken,
		TokenType: got.TokenType, ExpiresIn: int64(lifetime),
	})
}

// tokenError says what the token endpoint said, and nothing else of its answer.
func tokenError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" {
		return fmt.Errorf("the token endpoint refuses: %s", refused.ErrorCode)
	}
	if errors.As(err, &refused) {
		return fmt.Errorf("the token endpoint answers %s", refused.Response.Status)
	}
	return err
}

// deployedSecret is empty for a public client.
func deployedSecret(ctx context.Context, poolID string, client local.Client) (string, error) {
	if secret := os.Getenv(secretVariable); secret != "" {
		return secret, nil
	}
	var answer struct {
		UserPoolClient struct{ ClientSecret string }
	}
	err := runAWS(ctx, &answer, "cognito-idp", "describe-user-pool-client", "--user-pool-id", poolID, "--client-id", client.ID)
	return answer.UserPoolClient.ClientSecret, err
}

// signIn has somebody sign in on the page of the user pool.
func signIn(ctx context.Context, f tokenFlags, stage *local.Ready, client local.Client, scopes []string, stdin io.Reader, stderr io.Writer) (*oauth2.Token, error) {
	callback, listener, err := callbackOf(ctx, client, f.paste)
	if err != nil {
		return nil, err
	}
	config := oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: callback, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: stage.Auth + "/oauth2/authorize", TokenURL: stage.Auth + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	if client.Secret != "" {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	page := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	open := !f.noBrowser && !f.paste && browser.OpenURL(page) == nil
	if open {
		_, _ = fmt.Fprintln(stderr, "sign in in the browser; waiting …")
	} else {
		_, _ = fmt.Fprintf(stderr, "sign in here:\n\n  %s\n\n", page)
	}
	var answer url.Values
	if f.paste {
		_, _ = fmt.Fprintf(stderr, "then paste the address that begins with %s\n", callback)
		answer, err = pasted(ctx, stdin, callback)
	} else {
		answer, err = awaited(ctx, listener, callback)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("nobody signed in within %s", f.timeout)
	case err != nil:
		return nil, err
	case subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(state)) != 1:
		return nil, errors.New("the answer belongs to another sign-in (its state is not ours); try again")
	case answer.Get("error") != "":
		return nil, fmt.Errorf("the sign-in page refuses: %q", cmp.Or(answer.Get("error_description"), answer.Get("error")))
	}
	return config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
}

// callbackOf picks where the browser returns to: the first loopback callback
// that can be listened on (RFC 8252 section 7.3), or any for pasting.
func callbackOf(ctx context.Context, client local.Client, paste bool) (string, net.Listener, error) {
	if paste && len(client.Callbacks) > 0 {
		return client.Callbacks[0], nil, nil
	}
	var taken error
	for _, callback := range client.Callbacks {
		parsed, err := url.Parse(callback)
		if err != nil || parsed.Scheme != "http" || parsed.Port() == "" {
			continue
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", parsed.Host)
		if err == nil {
			return callback, listener, nil
		}
		taken = err
	}
	if taken != nil {
		return "", nil, badInputf("no loopback callback of the client %s is free: %w; stop what listens there, or use --paste", client.Name, taken)
	}
	return "", nil, badInputf("the client %s has no loopback callback with a port; use --paste, or add one such as http://127.0.0.1:4014/callback to its Callbacks", client.Name)
}

// awaited serves the callback until the browser comes.
func awaited(ctx context.Context, listener net.Listener, callback string) (url.Values, error) {
	parsed, err := url.Parse(callback)
	if err != nil {
		return nil, err
	}
	answers := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != parsed.Host || r.URL.Path != cmp.Or(parsed.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = io.WriteString(w, "Done. You can close this page and go back to the terminal.\n")
		select {
		case answers <- r.URL.Query():
		default: // a second answer is nobody's
		}
	})}
	go func() { _ = server.Serve(listener) }() // ends with the server
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // the page has been answered
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pasted reads the address that a sign-in ended at.
func pasted(ctx context.Context, stdin io.Reader, callback string) (url.Values, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(stdin).ReadString('\n')
		lines <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case l := <-lines:
		address := strings.TrimSpace(l.text)
		query, found := strings.CutPrefix(address, callback+"?")
		if !found {
			return nil, badInputf("what was pasted does not begin with %s?", callback)
		}
		return url.ParseQuery(query)
	}
}
