package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
)

// countsSoon says when a change reaches the authorizer.
var countsSoon = fmt.Sprintf("It counts within %d seconds.", int(authn.FreshFor.Seconds()))

// customerJSON is a customer as --json prints it (docs/reference/customers.md).
// Within a version of Gatewright members may be added, and none changes.
type customerJSON struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Plan    string       `json:"plan"`
	Status  authn.Status `json:"status"`
	Scopes  []string     `json:"scopes"`
	Created time.Time    `json:"created"`
	Updated time.Time    `json:"updated"`
	Keys    []keyJSON    `json:"keys"`
}

// keyJSON is a key as --json prints it, without the secret.
type keyJSON struct {
	ID       string     `json:"id"`
	Label    string     `json:"label"`
	State    string     `json:"state"` // live, expired, revoked
	Scopes   []string   `json:"scopes"`
	Withheld []string   `json:"withheld"` // of the scopes, those that the customer lacks now
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"` // null for never
	Revoked  *time.Time `json:"revoked"` // null where it is not
	Replaces *string    `json:"replaces"`
}

// issuedJSON is a key that was just made: the only output with a secret.
type issuedJSON struct {
	Customer string `json:"customer"`
	keyJSON
	Replaced      *keyJSON `json:"replaced,omitempty"` // by a rotation
	Key           string   `json:"key"`
	BasicUser     string   `json:"basicUser"`
	BasicPassword string   `json:"basicPassword"`
}

func describeCustomer(c *customers.Customer, now time.Time) customerJSON {
	return customerJSON{
		ID: c.ID, Name: c.Name, Plan: c.Plan, Status: c.Status, Scopes: append([]string{}, c.Scopes...),
		Created: c.Created.UTC(), Updated: c.Updated.UTC(), Keys: describeKeys(c, now),
	}
}

func describeKeys(c *customers.Customer, now time.Time) []keyJSON {
	keys := make([]keyJSON, 0, len(c.Keys))
	for _, k := range c.Keys {
		keys = append(keys, describeKey(c, k, now))
	}
	return keys
}

func describeKey(c *customers.Customer, k customers.Key, now time.Time) keyJSON {
	out := keyJSON{
		ID: k.ID, Label: k.Label, State: "live", Scopes: append([]string{}, k.Scopes...), Withheld: append([]string{}, c.Withheld(k)...),
		Created: k.Created.UTC(), Expires: orNil(k.Expires.UTC()), Revoked: orNil(k.Revoked.UTC()), Replaces: orNil(k.Replaces),
	}
	switch {
	case out.Revoked != nil:
		out.State = "revoked"
	case !k.Live(now):
		out.State = "expired"
	}
	return out
}

// orNil is nil for a zero value, which JSON writes as null.
func orNil[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeCustomer shows a customer and its keys to people.
func writeCustomer(w io.Writer, c *customers.Customer) error {
	_, err := fmt.Fprintf(w, "%s\n  id       %s\n  status   %s\n  plan     %s\n  scopes   %s\n  created  %s\n  updated  %s\n",
		shown(c.Name), c.ID, c.Status, orNone(c.Plan), list(c.Scopes), utc(c.Created), utc(c.Updated))
	return err
}

// writeKeys shows a customer's keys as a table, the ones that were made last at the
// end. A scope without effect stands in parentheses.
func writeKeys(w io.Writer, c *customers.Customer, now time.Time) error {
	if len(c.Keys) == 0 {
		_, err := fmt.Fprintln(w, "no keys")
		return err
	}
	colored := colors(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "KEY\t%s\tUNTIL\tCREATED\tSCOPES\tLABEL\n", paint("STATE", plain, colored))
	withheld := false
	for _, k := range c.Keys {
		state, color, until := stateOf(k, now)
		label := shown(k.Label)
		if k.Replaces != "" {
			label = strings.TrimSpace(label + " (replaces " + shown(k.Replaces) + ")")
		}
		scopes, without := slices.Clone(k.Scopes), c.Withheld(k)
		for i, scope := range scopes {
			if slices.Contains(without, scope) {
				scopes[i], withheld = "("+scope+")", true
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", shown(k.ID), paint(state, color, colored), until, utc(k.Created), list(scopes), label)
	}
	if err := table.Flush(); err != nil || !withheld {
		return err
	}
	_, err := fmt.Fprintln(w, "(SCOPE): without effect, as the customer does not have it now")
	return err
}

// stateOf is a key's state for people, and the time that it is about.
func stateOf(k customers.Key, now time.Time) (state, color, until string) {
	switch {
	case !k.Revoked.IsZero():
		return "revoked", red, utc(k.Revoked)
	case !k.Live(now):
		return "expired", red, utc(k.Expires)
	case !k.Expires.IsZero():
		return "expires", yellow, utc(k.Expires)
	}
	return "live", green, ""
}

// writeCustomers shows one page of customers. Its columns line up with those of
// the pages before, but for plans of an unusual length.
func writeCustomers(w io.Writer, page []customers.Customer, now time.Time, heading bool) error {
	const row = "%-12s  %s  %4v  %-23s  %-12s  %s\n"
	colored := colors(w)
	if heading && len(page) > 0 {
		if _, err := fmt.Fprintf(w, row, "CUSTOMER", "STATUS   ", "KEYS", "CREATED", "PLAN", "NAME"); err != nil {
			return err
		}
	}
	for _, c := range page {
		live := 0
		for _, k := range c.Keys {
			if k.Live(now) {
				live++
			}
		}
		color := map[authn.Status]string{authn.StatusActive: green, authn.StatusSuspended: yellow, authn.StatusClosed: red}[c.Status]
		status := paint(fmt.Sprintf("%-9s", c.Status), color, colored)
		if _, err := fmt.Fprintf(w, row, c.ID, status, live, utc(c.Created), orNone(c.Plan), shown(c.Name)); err != nil {
			return err
		}
	}
	return nil
}

// Colours, all of one length, as a table counts their bytes.
const (
	plain  = "\x1b[00m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

func paint(text, color string, colored bool) string {
	if !colored {
		return text
	}
	return color + text + "\x1b[0m"
}

// colors reports whether text may have colours: on a terminal only.
func colors(w io.Writer) bool { return terminalWidth(w) > 0 && os.Getenv("NO_COLOR") == "" }

// utc is a time as people read it.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

func list(words []string) string { return orNone(strings.Join(words, ", ")) }

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return shown(text)
}

// shown keeps a text that others wrote into the table from steering the
// terminal.
func shown(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// customerList prints a list of customers as its pages come. As JSON it is one
// object whatever the number of pages.
type customerList struct {
	w          io.Writer
	json       bool
	begun      bool // the JSON object is
	customers  int  // that were printed
	unreadable []string
}

func (l *customerList) add(page *customers.Page) error {
	for _, err := range page.Unreadable {
		l.unreadable = append(l.unreadable, oneLine(err))
	}
	now := time.Now()
	if !l.json {
		first := l.customers == 0
		l.customers += len(page.Customers)
		return writeCustomers(l.w, page.Customers, now, first)
	}
	var out strings.Builder
	if !l.begun {
		out.WriteString(`{"customers": [`)
		l.begun = true
	}
	for i := range page.Customers {
		data, err := json.Marshal(describeCustomer(&page.Customers[i], now))
		if err != nil {
			return err
		}
		if l.customers > 0 {
			out.WriteByte(',')
		}
		l.customers++
		out.WriteString("\n  ")
		out.Write(data)
	}
	_, err := io.WriteString(l.w, out.String())
	return err
}

// end closes the list; next is the cursor of what is behind it.
func (l *customerList) end(next string) error {
	switch {
	case !l.json && l.customers == 0:
		_, err := fmt.Fprintln(l.w, "no customers")
		return err
	case !l.json:
		return nil
	}
	data, err := json.Marshal(struct {
		Unreadable []string `json:"unreadable"`
		Next       *string  `json:"next"`
	}{append([]string{}, l.unreadable...), orNil(next)})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.w, "\n], %s\n", strings.TrimPrefix(string(data), "{"))
	return err
}
