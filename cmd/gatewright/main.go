// Command gatewright runs, checks and explains a stage of a CDK app that
// decides who may call an HTTP API, without an AWS account.
//
// It exits with 0 when all is well, also after SIGINT, and otherwise with the
// codes of exit.go.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/local"
)

func main() {
	// A second signal changes nothing: stopping takes seconds at most, and cut
	// short it would leave credentials in files.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code. An error is printed
// here and nowhere else.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ran := false // set when the command line was understood
	root := newRootCommand(local.Run, func() { ran = true })
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitOK // stopped on request before there was anything to serve
	case !ran:
		printError(stderr, err)
		hint(stderr, cmd.CommandPath()+" --help")
		return exitUsage
	}
	printError(stderr, err)
	return exitCode(err)
}

// describeCompletion adds to cobra's own command, which explains itself at
// length, what to type.
func describeCompletion(completion *cobra.Command) {
	completion.Example = "  source <(gatewright completion bash)"
	for _, shell := range completion.Commands() {
		shell.Example = map[string]string{
			"bash":       "  source <(gatewright completion bash)",
			"zsh":        "  source <(gatewright completion zsh)",
			"fish":       "  gatewright completion fish | source",
			"powershell": "  gatewright completion powershell | Out-String | Invoke-Expression",
		}[shell.Name()]
	}
}

// newRootCommand returns the command tree. serve runs a stage; ran is called
// before any subcommand.
func newRootCommand(serve serveFunc, ran func()) *cobra.Command {
	root := &cobra.Command{
		Use:   "gatewright",
		Short: "Runs and explains who may call your API, without an AWS account",
		Long: `Gatewright decides who may call an HTTP API on AWS, and proves it.

This command reads what a CDK app synthesizes and needs no AWS account.`,
		Example: `  gatewright up                serve the app in this directory
  gatewright up --stage dev    serve one of its stages
  gatewright report            show who may call what
  gatewright audit             list what is wrong with that, and the mend`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			ran()
		},
	}
	root.AddCommand(newUpCommand(serve), newAuditCommand(), newReportCommand(), newTokenCommand(), newInspectCommand(), newCustomersCommand(), newKeysCommand(), newDeployCheckCommand(), newVersionCommand())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			describeCompletion(cmd)
		}
	}
	return root
}
