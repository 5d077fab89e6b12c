package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local"
)

// inspectFlags are the flags of `gatewright inspect`.
type inspectFlags struct {
	target
	issuer string
	json   bool
}

func newInspectCommand() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect [TOKEN]",
		Short: "Verify a token and say what it is, in words",
		Long: `Inspect verifies a token as the request path does, and says whose it is, what it
is good for and for how long. A token that is refused is shown as well, with the
reason and without its signature; nothing of it is to be believed.

TOKEN is read from standard input where it is left out or a hyphen: an argument
stays in the shell's history. The keys are those of the user pools of a stage
that gatewright up serves from this directory, of a deployed one (--stack), or of
an issuer that you name (--issuer). What the token itself says of its issuer is
never asked for keys.

Exit codes: 0 good, 1 refused, 2 bad input.`,
		Example: `  gatewright token --client machine | gatewright inspect
  gatewright inspect --json < token.txt
  gatewright inspect --issuer https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI < token.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspect(cmd.Context(), f, args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f.addFlags(cmd)
	cmd.Flags().StringVar(&f.issuer, "issuer", "", "take tokens of the issuer with this `URL`, and keys from below it")
	cmd.Flags().BoolVar(&f.json, "json", false, "print header, claims and verdict as JSON")
	return cmd
}

// refusedError is a token that is not good; what it is has been printed.
type refusedError struct{ reason string }

func (e refusedError) Error() string { return "the token is refused: " + e.reason }
func (refusedError) ExitCode() int   { return exitFailed }

// issuer is one whose tokens are taken, and the clients that it is known for.
type issuer struct {
	url     string
	keysURL string
	clients []local.Client
}

// verdict is what --json prints.
type verdict struct {
	Verified bool            `json:"verified"`
	Reason   string          `json:"reason,omitempty"` // why not
	Header   json.RawMessage `json:"header,omitempty"`
	Claims   json.RawMessage `json:"claims,omitempty"`
}

func inspect(ctx context.Context, f inspectFlags, args []string, stdin io.Reader, stdout io.Writer) error {
	text, err := tokenText(args, stdin)
	if err != nil {
		return err
	}
	issuers, err := f.issuers(ctx)
	if err != nil {
		return err
	}
	header, claims := decode(text)
	verified, by, reason, err := verify(ctx, issuers, text)
	if err != nil {
		return err
	}
	if f.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(verdict{Verified: verified != nil, Reason: reason, Header: header, Claims: claims})
	} else {
		_, err = io.WriteString(stdout, describeToken(verified, by, reason, claims, time.Now()))
	}
	if err == nil && verified == nil {
		return refusedError{reason}
	}
	return err
}

// tokenText is the argument, or standard input.
func tokenText(args []string, stdin io.Reader) (string, error) {
	if len(args) == 1 && args[0] != "-" {
		return trimToken(args[0]), nil
	}
	if file, ok := stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) { //nolint:gosec // a descriptor fits an int
		return "", badInputf("no token; pipe one in: gatewright token --client NAME | gatewright inspect")
	}
	data, err := io.ReadAll(io.LimitReader(stdin, 64<<10)) // no token is as long
	if err != nil {
		return "", err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return "", badInputf("no token on standard input")
	}
	return trimToken(string(data)), nil
}

// trimToken takes what people copy with a token away from it.
func trimToken(text string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "Authorization: "), "Bearer ")
}

// issuers are those whose tokens are taken.
func (f *inspectFlags) issuers(ctx context.Context) ([]issuer, error) {
	if f.issuer != "" && (f.stage != "" || f.stack != "") {
		return nil, badInputf("--issuer names an issuer, --stage and --stack those of a stage; give one of them")
	}
	if f.issuer != "" {
		return []issuer{{url: f.issuer, keysURL: f.issuer + "/.well-known/jwks.json"}}, nil
	}
	stage, err := f.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("nobody's tokens are known: %w; or name an issuer with --issuer", err)
	}
	var known []issuer
	for _, pool := range stage.UserPools {
		known = append(known, issuer{pool.Issuer, pool.JWKSURI, pool.Clients})
	}
	return known, nil
}

// verify returns what the first issuer that takes the token says of it, or why
// nobody does.
func verify(ctx context.Context, issuers []issuer, text string) (*authn.Token, issuer, string, error) {
	reason := "no user pool is known"
	for _, i := range issuers {
		keys, err := authn.NewRemoteKeys(authn.RemoteConfig{URL: i.keysURL})
		if err != nil {
			return nil, i, "", badInput{err}
		}
		verifier, err := authn.NewVerifier(authn.Config{Issuer: i.url, Keys: keys})
		if err != nil {
			return nil, i, "", badInput{err}
		}
		token, err := verifier.Verify(ctx, text)
		switch why := authn.ReasonOf(err); {
		case err == nil:
			return token, i, "", nil
		case why == "" || errors.Is(err, authn.ErrNoKeys):
			return nil, i, "", fmt.Errorf("the keys of %s cannot be read: %w", i.url, err)
		case reason == "no user pool is known" || why != authn.ReasonIssuer:
			reason = string(why)
		}
	}
	return nil, issuer{}, reason, nil
}

// decode reads header and claims without believing them; nil for what is no
// JSON.
func decode(text string) (header, claims json.RawMessage) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, nil
	}
	read := func(part string) json.RawMessage {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || !json.Valid(data) {
			return nil
		}
		return data
	}
	return read(parts[0]), read(parts[1])
}

// describeToken says what a token is, in words.
func describeToken(token *authn.Token, by issuer, reason string, claims json.RawMessage, now time.Time) string {
	var out strings.Builder
	line := func(label, text string) { _, _ = fmt.Fprintf(&out, "  %-9s%s\n", label, text) }
	if token == nil {
		out.WriteString("Refused: " + reason + ".\n")
		if claims != nil {
			out.WriteString("What it says of itself, which is not to be believed:\n\n")
			var indented bytes.Buffer
			_ = json.Indent(&indented, claims, "  ", "  ") // valid, as decode has seen
			out.WriteString("  " + printable(indented.String()) + "\n")
		}
		return out.String()
	}
	what := "An access token"
	if token.Use == authn.UseID {
		what = "An ID token, which says who a user is and opens no route with scopes"
	}
	out.WriteString(what + ", signed by its issuer and valid now.\n\n")
	line("issuer", token.Issuer)
	line("client", clientName(by, token.ClientID))
	switch {
	case token.Username != "":
		line("user", token.Username+" ("+token.Subject+")")
	case token.Subject == token.ClientID:
		line("user", "none: the client acts for itself")
	default:
		line("user", token.Subject)
	}
	if token.Use == authn.UseAccess {
		scopes := strings.Join(token.Scopes, ", ")
		if scopes == "" {
			scopes = "none, so no route with scopes takes it"
		}
		line("scopes", scopes)
	}
	if len(token.Groups) > 0 {
		line("groups", strings.Join(token.Groups, ", "))
	}
	line("issued", token.IssuedAt.Local().Format(time.DateTime)+", "+rough(now.Sub(token.IssuedAt))+" ago")
	line("expires", token.Expires.Local().Format(time.DateTime)+", in "+rough(token.Expires.Sub(now)))
	return out.String()
}

func clientName(by issuer, id string) string {
	i := slices.IndexFunc(by.clients, func(c local.Client) bool { return c.ID == id })
	if i < 0 {
		return id
	}
	return by.clients[i].Name + " (" + id + ")"
}

// rough says how long, as people do: "14 minutes".
func rough(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.of); n > 0 {
			return plural(n, unit.name)
		}
	}
	return plural(int(max(d, 0)/time.Second), "second")
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// printable replaces what would command a terminal: the token may be anybody's.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return '?'
		}
		return r
	}, text)
}
