package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
)

// operator is what the commands about customers and keys have in common: the
// stage, and for whom to print.
type operator struct {
	target
	json bool
}

func (o *operator) addFlags(cmd *cobra.Command) {
	o.target.addFlags(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON for programs (docs/reference/customers.md)")
	cmd.ValidArgsFunction = cobra.NoFileCompletions // ids are the table's to know
}

// addScopes adds the flag of scopes, which a stage of this machine completes.
func (o *operator) addScopes(cmd *cobra.Command, scopes *[]string, what string) {
	cmd.Flags().StringSliceVar(scopes, "scope", nil, "`SCOPE` "+what+", of those that the stage's routes take; repeatedly or separated by commas")
	complete := func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		if o.deployed() { // AWS answers too slowly for that
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ready, err := o.read(cmd.Context())
		if err != nil || ready.CustomerTable == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp // completion has nowhere to say why not
		}
		return ready.CustomerTable.Scopes, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc("scope", complete); err != nil {
		panic(err) // the flag is defined above
	}
}

func newCustomersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "customers",
		Short: "Create, list and change the customers of a stage",
		Long: `Customers call the API with static keys. These commands read and write the table
in which a stage keeps them: of a stage that gatewright up serves from this
directory, or of a deployed one with your own AWS identity.

A change counts within ten seconds.

Exit codes: 0 done, 1 refused, not found or failed, 2 bad input.`,
		Example: `  gatewright customers create --name "Acme Ltd" --plan pro --scope notes/read
  gatewright customers list
  gatewright customers show Q7pk2mXtWc0a --stack prod-Api    of a deployed stage`,
		Args: oneOf, RunE: showHelp,
	}
	cmd.AddCommand(newCustomersCreateCommand(), newCustomersListCommand(), newCustomersShowCommand(), newCustomersChangeCommand())
	return cmd
}

func newCustomersCreateCommand() *cobra.Command {
	var o operator
	var n customers.NewCustomer
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Create a customer",
		Long: `Create makes a customer, active and without keys. Its scopes are what its keys may
have; without any no key can be made yet.

Who gives the id with --id can run the command again where its answer was lost:
the customer is made once.`,
		Example: `  gatewright customers create --name "Acme Ltd" --scope notes/read
  gatewright customers create --name "Acme Ltd" --plan pro --scope notes/read,notes/write --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return createCustomer(cmd, o, n) },
	}
	o.addFlags(cmd)
	o.addScopes(cmd, &n.Scopes, "that its keys may have")
	flags := cmd.Flags()
	flags.StringVar(&n.Name, "name", "", "`NAME` for people, up to 100 characters")
	flags.StringVar(&n.Plan, "plan", "", "`PLAN`, a word that the backend is told with each call")
	flags.StringVar(&n.ID, "id", "", "`ID` of 12 letters and digits; a new one by default")
	return cmd
}

func createCustomer(cmd *cobra.Command, o operator, n customers.NewCustomer) error {
	if n.Name == "" {
		return badInputf("a customer has no name; give it one with --name")
	}
	table, err := o.openCustomers(cmd.Context())
	if err != nil {
		return err
	}
	if err := table.checkScopes(n.Scopes); err != nil {
		return err
	}
	if n.ID == "" {
		n.ID = authn.NewCustomerID() // for an error to name
	}
	c, err := table.store.Create(cmd.Context(), n)
	if errors.Is(err, customers.ErrUnknown) {
		return fmt.Errorf("%w: the same command with --id %s", table.explain(err), n.ID)
	}
	if err != nil {
		return table.explain(err)
	}
	return o.showCustomer(cmd.OutOrStdout(), c, countsSoon+"\n"+table.nextStep(c))
}

// nextStep is what a customer lacks that was just created.
func (t *customerTable) nextStep(c *customers.Customer) string {
	switch {
	case c.Status != authn.StatusActive: // it was there before
		return strings.TrimSuffix(opensNothing(c), "\n")
	case len(c.Scopes) == 0:
		return fmt.Sprintf("next: gatewright customers change %s --scope SCOPE%s, of %s", c.ID, t.flag, strings.Join(t.about.Scopes, ", "))
	}
	return "next: gatewright keys create " + c.ID + t.flag
}

// showCustomer prints a customer, and for people a last word.
func (o operator) showCustomer(stdout io.Writer, c *customers.Customer, note string) error {
	now := time.Now()
	if o.json {
		return writeJSON(stdout, describeCustomer(c, now))
	}
	if err := writeCustomer(stdout, c); err != nil || note == "" {
		return err
	}
	_, err := fmt.Fprintln(stdout, "\n"+note)
	return err
}

// listFlags are the flags of `gatewright customers list`.
type listFlags struct {
	operator
	limit  int
	cursor string
	all    bool
}

func newCustomersListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List customers, a page at a time",
		Long: `List prints one page of customers, in the table's own order, and how to go on.
With --all it prints one page after the other and holds one at a time, however
many customers there are.

Who cannot be read is named at the end, and the exit code is 1: such a customer
cannot call.`,
		Example: `  gatewright customers list
  gatewright customers list --limit 10 --cursor 1.Q7pk2mXtWc0a
  gatewright customers list --all --json --stack prod-Api`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.all && cmd.Flags().Changed("limit") {
				return badInputf("--limit is the size of one page and --all prints every page; give one of them")
			}
			return listCustomers(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.limit, "limit", 50, fmt.Sprintf("customers on a page, 1 to %d", customers.MaxPage))
	flags.StringVar(&f.cursor, "cursor", "", "begin behind the page that ended with `CURSOR`")
	flags.BoolVar(&f.all, "all", false, "print every page")
	return cmd
}

func listCustomers(ctx context.Context, f listFlags, stdout, stderr io.Writer) error {
	table, err := f.openCustomers(ctx)
	if err != nil {
		return err
	}
	if f.all {
		f.limit = customers.MaxPage
	}
	out := &customerList{w: stdout, json: f.json}
	cursor := f.cursor
	for {
		page, err := table.store.List(ctx, cursor, f.limit)
		if err != nil {
			return table.explain(err)
		}
		if err := out.add(page); err != nil {
			return err
		}
		if cursor = page.Next; cursor == "" || !f.all {
			break
		}
	}
	if err := out.end(cursor); err != nil {
		return err
	}
	if cursor != "" && !f.json {
		_, _ = fmt.Fprintf(stderr, "there may be more: gatewright customers list --limit %d --cursor %s%s\n", f.limit, cursor, table.flag)
	}
	if len(out.unreadable) > 0 {
		return fmt.Errorf("%s cannot be read, and cannot call:\n  %s", plural(len(out.unreadable), "customer"), strings.Join(out.unreadable, "\n  "))
	}
	return nil
}

func newCustomersShowCommand() *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use:   "show CUSTOMER",
		Short: "Show a customer and its keys",
		Long: `Show prints a customer and its keys, as they are in the table now. A key's secret
is not among it: nobody keeps it.`,
		Example: `  gatewright customers show Q7pk2mXtWc0a
  gatewright customers show Q7pk2mXtWc0a --json`,
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
			stdout := cmd.OutOrStdout()
			if err := o.showCustomer(stdout, c, ""); err != nil || o.json {
				return err
			}
			_, _ = fmt.Fprintln(stdout)
			return writeKeys(stdout, c, time.Now())
		},
	}
	o.addFlags(cmd)
	return cmd
}

// changeFlags are the flags of `gatewright customers change`.
type changeFlags struct {
	operator
	name, plan, status string
	scopes             []string
	yes                bool
}

func newCustomersChangeCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:   "change CUSTOMER",
		Short: "Change a customer's name, plan, scopes or status",
		Long: `Change changes what is named and leaves the rest.

Scopes replace all that the customer has, and --scope '' takes every one. What is
taken, none of its keys has from then on. What is given reaches keys that had it
before, and those that are made from then on: to take a scope from one key for
good, revoke that key.

A suspended customer cannot call, and can be active again. Closed is final, which
is why it wants --yes.`,
		Example: `  gatewright customers change Q7pk2mXtWc0a --plan gold
  gatewright customers change Q7pk2mXtWc0a --scope notes/read --scope notes/write
  gatewright customers change Q7pk2mXtWc0a --status suspended
  gatewright customers change Q7pk2mXtWc0a --status closed --yes`,
		Args: wants("CUSTOMER"),
		RunE: func(cmd *cobra.Command, args []string) error { return changeCustomer(cmd, f, args[0]) },
	}
	f.addFlags(cmd)
	f.addScopes(cmd, &f.scopes, "that its keys may have; '' for none")
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "`NAME` for people, up to 100 characters")
	flags.StringVar(&f.plan, "plan", "", "`PLAN`, a word that the backend is told with each call; '' for none")
	flags.StringVar(&f.status, "status", "", "`STATUS`: active, suspended or closed")
	flags.BoolVar(&f.yes, "yes", false, "close the customer, although that is final")
	if err := cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(statuses, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

var statuses = []string{string(authn.StatusActive), string(authn.StatusSuspended), string(authn.StatusClosed)}

func changeCustomer(cmd *cobra.Command, f changeFlags, id string) error {
	var ch customers.Change
	changed := cmd.Flags().Changed
	if !changed("name") && !changed("plan") && !changed("scope") && !changed("status") {
		return badInputf("nothing is to change; give --name, --plan, --scope or --status")
	}
	if changed("name") {
		ch.Name = &f.name
	}
	if changed("plan") {
		ch.Plan = &f.plan
	}
	if changed("scope") {
		ch.Scopes = append([]string{}, f.scopes...) // none is not nil
	}
	if changed("status") {
		if !slices.Contains(statuses, f.status) {
			return badInputf("--status %s; write %s", quoted(f.status), strings.Join(statuses, ", "))
		}
		ch.Status = new(authn.Status(f.status))
	}
	if f.status == string(authn.StatusClosed) && !f.yes {
		return badInputf("closing a customer is final: it never calls again; add --yes if that is meant, or write --status suspended")
	}
	table, err := f.openCustomers(cmd.Context())
	if err != nil {
		return err
	}
	if err := table.checkScopes(ch.Scopes); err != nil {
		return err
	}
	c, err := table.store.Change(cmd.Context(), id, ch)
	if err != nil {
		return table.explain(err)
	}
	return f.showCustomer(cmd.OutOrStdout(), c, countsSoon)
}

// wants asks for exactly the arguments of the names.
func wants(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("%s takes %s, not %d arguments", cmd.Name(), strings.Join(names, " and "), len(args))
		}
		return nil
	}
}

// oneOf refuses what is none of a command's own commands. It does not repeat much:
// a key may have been pasted.
func oneOf(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("%s has no command %s; it has %s", cmd.Name(), quoted(args[0]), strings.Join(names, ", "))
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
