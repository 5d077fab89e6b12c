package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Create, list, rotate and revoke a customer's keys",
		Long: `A key is what a customer's tool sends with each call, as a bearer token, as user
and password of HTTP Basic, or in x-api-key where the API takes that. It is
printed once, by create or rotate: what is kept cannot be turned back into it.

A change counts within ten seconds.

Exit codes: 0 done, 1 refused, not found or failed, 2 bad input.`,
		Example: `  gatewright keys create Q7pk2mXtWc0a --label "till 4"
  gatewright keys rotate Q7pk2mXtWc0a R9zL4e --overlap 7d
  gatewright keys revoke Q7pk2mXtWc0a R9zL4e --stack prod-Api    of a deployed stage`,
		Args: oneOf, RunE: showHelp,
	}
	cmd.AddCommand(newKeysCreateCommand(), newKeysListCommand(), newKeysRotateCommand(), newKeysRevokeCommand())
	return cmd
}

func newKeysCreateCommand() *cobra.Command {
	var o operator
	var r customers.NewKeyRequest
	var expires string
	cmd := &cobra.Command{
		Use:   "create CUSTOMER",
		Short: "Create a key, and print it once",
		Long: `Create makes a key of a customer and prints it, with how to send it. It has the
scopes that the customer has now, unless some of them are named.`,
		Example: `  gatewright keys create Q7pk2mXtWc0a --label "till 4" --expires 90d
  gatewright keys create Q7pk2mXtWc0a --scope notes/read --expires 2027-01-31T00:00:00Z
  gatewright keys create Q7pk2mXtWc0a --json > key.json`,
		Args: wants("CUSTOMER"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if cmd.Flags().Changed("expires") {
				if r.Expires, err = parseEnd(expires, time.Now()); err != nil {
					return err
				}
			}
			if cmd.Flags().Changed("scope") && len(r.Scopes) == 0 {
				return badInputf("--scope names none; leave it out for all scopes of the customer")
			}
			table, err := o.openCustomers(cmd.Context())
			if err != nil {
				return err
			}
			if err := table.checkScopes(r.Scopes); err != nil {
				return err
			}
			issued, err := table.store.CreateKey(cmd.Context(), args[0], table.format(), r)
			if err != nil {
				return table.explain(err)
			}
			return o.showIssued(cmd.OutOrStdout(), table, issued)
		},
	}
	o.addFlags(cmd)
	o.addScopes(cmd, &r.Scopes, "that it may use (default: all of the customer's)")
	flags := cmd.Flags()
	flags.StringVar(&r.Label, "label", "", "`LABEL` for people, up to 100 characters")
	flags.StringVar(&expires, "expires", "", "`WHEN` it ends: 90d, 24h or 2027-01-31T00:00:00Z; never by default")
	return cmd
}

func newKeysListCommand() *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use:   "list CUSTOMER",
		Short: "List a customer's keys",
		Long: `List prints the customer's keys in the order in which they were made: live, with an
end that is known (expires), expired, or revoked. Of those that have ended, the
last 20 are kept.`,
		Example: `  gatewright keys list Q7pk2mXtWc0a
  gatewright keys list Q7pk2mXtWc0a --json`,
		Args: wants("CUSTOMER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			table, err := o.openCustomers(cmd.Context())
			if err != nil {
				return err
			}
			c, err := table.store.Get(cmd.Context(), args[0])
			if err != nil {
				return table.explain(err)
			}
			now := time.Now()
			if o.json {
				return writeJSON(cmd.OutOrStdout(), describeKeys(c, now))
			}
			if err := writeKeys(cmd.OutOrStdout(), c, now); err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), opensNothing(c))
			return err
		},
	}
	o.addFlags(cmd)
	return cmd
}

func newKeysRotateCommand() *cobra.Command {
	var o operator
	var overlap string
	cmd := &cobra.Command{
		Use:   "rotate CUSTOMER KEY",
		Short: "Replace a key: both are good for a while",
		Long: `Rotate makes the successor of a key and prints it, with how to send it. It has the
label, the scopes and the lifetime of the key that it replaces, which ends after
the overlap.`,
		Example: `  gatewright keys rotate Q7pk2mXtWc0a R9zL4e
  gatewright keys rotate Q7pk2mXtWc0a R9zL4e --overlap 7d
  gatewright keys rotate Q7pk2mXtWc0a R9zL4e --overlap 0s    the old key ends now`,
		Args: wants("CUSTOMER", "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			both, err := parseSpan(overlap)
			if err != nil {
				return badInputf("--overlap %s is no duration; write one such as 24h or 7d", quoted(overlap))
			}
			table, err := o.openCustomers(cmd.Context())
			if err != nil {
				return err
			}
			issued, err := table.store.RotateKey(cmd.Context(), args[0], args[1], table.format(), both)
			if err != nil {
				return table.explain(err)
			}
			return o.showIssued(cmd.OutOrStdout(), table, issued)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&overlap, "overlap", "24h", "`HOW-LONG` the replaced key stays good: 24h, 7d, at most 90d")
	return cmd
}

func newKeysRevokeCommand() *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use:   "revoke CUSTOMER KEY",
		Short: "End a key now",
		Long: `Revoke ends a key for good. A key that was sent before may still be taken for ten
seconds. To revoke a key twice does no harm.`,
		Example: `  gatewright keys revoke Q7pk2mXtWc0a R9zL4e`,
		Args:    wants("CUSTOMER", "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			table, err := o.openCustomers(cmd.Context())
			if err != nil {
				return err
			}
			c, err := table.store.RevokeKey(cmd.Context(), args[0], args[1])
			if err != nil {
				return table.explain(err)
			}
			k, ok := c.Key(args[1])
			if !ok {
				return fmt.Errorf("key %s was revoked, and others dropped it from the record at once", args[1])
			}
			if o.json {
				return writeJSON(cmd.OutOrStdout(), describeKey(c, k, time.Now()))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Key %s of %s (%s) is revoked since %s. %s\n", k.ID, shown(c.Name), c.ID, utc(k.Revoked), countsSoon)
			return err
		},
	}
	o.addFlags(cmd)
	return cmd
}

// showIssued prints a key that was just made, which nobody can print again.
func (o operator) showIssued(stdout io.Writer, table *customerTable, issued *customers.IssuedKey) error {
	var err error
	if o.json {
		err = writeJSON(stdout, describeIssued(issued, time.Now()))
	} else {
		_, err = io.WriteString(stdout, issuedText(issued, table.about.KeyHeader))
	}
	if err != nil {
		return fmt.Errorf("key %[1]s was made but could not be printed: %[2]w; nobody has its secret, so revoke it: gatewright keys revoke %[3]s %[1]s%[4]s",
			issued.Key.ID, err, issued.Customer.ID, table.flag)
	}
	return nil
}

func describeIssued(issued *customers.IssuedKey, now time.Time) issuedJSON {
	out := issuedJSON{
		Customer: issued.Customer.ID, keyJSON: describeKey(issued.Customer, issued.Key, now),
		Key: issued.Text(), BasicUser: issued.BasicUser(), BasicPassword: issued.BasicPassword(),
	}
	if old, ok := issued.Customer.Key(issued.Key.Replaces); ok {
		replaced := describeKey(issued.Customer, old, now)
		out.Replaced = &replaced
	}
	return out
}

// issuedText is a new key and how to send it: in x-api-key where keyHeader is set.
func issuedText(issued *customers.IssuedKey, keyHeader bool) string {
	k, c := issued.Key, issued.Customer
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "Key %s of %s (%s), shown this once: nobody keeps it.\n\n", k.ID, shown(c.Name), c.ID)
	end := "never"
	if !k.Expires.IsZero() {
		end = utc(k.Expires)
	}
	_, _ = fmt.Fprintf(&out, "  key      %s\n  scopes   %s\n  expires  %s\n\n", issued.Text(), list(k.Scopes), end)
	_, _ = fmt.Fprintf(&out, "Send it with each call, as a bearer token:\n\n  Authorization: Bearer %s\n\n", issued.Text())
	_, _ = fmt.Fprintf(&out, "or as HTTP Basic:\n\n  user      %s\n  password  %s\n\n", issued.BasicUser(), issued.BasicPassword())
	if keyHeader {
		_, _ = fmt.Fprintf(&out, "or in a header of its own:\n\n  x-api-key: %s\n\n", issued.Text())
	}
	if old, ok := c.Key(k.Replaces); ok {
		_, _ = fmt.Fprintf(&out, "The key %s, which it replaces, is good until %s.\n", old.ID, utc(old.Expires))
	}
	return out.String() + countsSoon + "\n" + opensNothing(c)
}

// opensNothing says so where a customer's keys are not taken, whatever their state.
func opensNothing(c *customers.Customer) string {
	if c.Status == authn.StatusActive {
		return ""
	}
	return fmt.Sprintf("%s is %s, so none of its keys opens anything.\n", shown(c.Name), c.Status)
}

// parseEnd reads when a key is to end: from now on for a while, or a time.
func parseEnd(text string, now time.Time) (time.Time, error) {
	if span, err := parseSpan(text); err == nil {
		return now.Add(span), nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return end, badInputf("--expires %s is neither a duration nor a time; write one such as 90d, 24h or 2027-01-31T00:00:00Z", quoted(text))
	}
	return end, nil
}

// parseSpan reads a duration as Go writes it, or whole days: "90d".
func parseSpan(text string) (time.Duration, error) {
	const day, mostDays = 24 * time.Hour, 100 * 366
	digits, inDays := strings.CutSuffix(text, "d")
	if !inDays {
		return time.ParseDuration(text)
	}
	days, err := strconv.Atoi(digits)
	if err != nil || days < 0 || days > mostDays {
		return 0, fmt.Errorf("not a number of days up to %d", mostDays)
	}
	return time.Duration(days) * day, nil
}
