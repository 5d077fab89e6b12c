package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/local"
	"github.com/gatewright/gatewright/internal/synth"
)

const (
	stateDir = ".gatewright" // in the app's directory

	// followingPorts is how many ports after the API's the other listeners may
	// take: sign-in, the AWS endpoint and a website.
	followingPorts = 3
)

// serveFunc serves a stage until ctx ends.
type serveFunc func(ctx context.Context, c local.Config) error

// upFlags are the flags of `gatewright up`.
type upFlags struct {
	stage, assembly, api string
	listen               string
	expose               bool
	readyFile            string
	signingKey           string
	noSeed               bool
	verbose              bool
}

func newUpCommand(serve serveFunc) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Serve a stage on this machine, from its own synthesized template",
		Long: `Up serves one stage of a CDK app on this machine: its API with the access
rules of the template, its Go functions, and tokens from its own user pool.

It synthesizes the app that cdk.json names, without building its assets, or
takes an assembly that exists already. Nothing reaches AWS. State is in memory
and gone when it stops.`,
		Example: `  gatewright up                                  synthesize the app in this directory and serve it
  gatewright up --stage dev                      the same, where there are several stages
  gatewright up --assembly cdk.out --stage dev   serve what cdk synth wrote
  gatewright up --listen 127.0.0.1:0 --ready-file ready.json
                                                 take free ports and write down which`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), f, serve, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stage, "stage", "", "`ID` of a CDK Stage or stack; optional where there is only one")
	flags.StringVar(&f.assembly, "assembly", "", "serve the cloud assembly in `DIR` instead of synthesizing")
	flags.StringVar(&f.api, "api", "", "`ID` of the REST API; optional where there is only one")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4010", "`ADDRESS` of the API; the other listeners take the next ports, and port 0 takes free ones")
	flags.BoolVar(&f.expose, "expose", false, "allow a --listen that other machines can reach")
	flags.StringVar(&f.readyFile, "ready-file", "", "when ready, write URLs and credentials as JSON to `FILE`, readable by you only")
	flags.StringVar(&f.signingKey, "signing-key", "", "sign tokens with the RSA key in a PEM `FILE` instead of a new one, to make your own in tests")
	flags.BoolVar(&f.noSeed, "no-seed", false, "do not create users and customers to try things with")
	flags.BoolVar(&f.verbose, "verbose", false, "show the CDK app's output as it comes")
	if err := cmd.RegisterFlagCompletionFunc("stage", completeStage); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// up checks the flags before it does anything slow, synthesizes where that is
// asked for, and serves.
func up(ctx context.Context, f upFlags, serve serveFunc, stdout, stderr io.Writer) error {
	if err := checkListen(f.listen, f.expose); err != nil {
		return err
	}
	config := local.Config{
		Assembly: f.assembly, AppDir: ".", StateDir: stateDir,
		Stage: f.stage, API: f.api,
		Listen: f.listen, Expose: f.expose, ReadyFile: f.readyFile, NoSeed: f.noSeed,
		Stdout: stdout, Stderr: stderr,
	}
	if f.signingKey != "" {
		key, err := readSigningKey(f.signingKey)
		if err != nil {
			return badInput{err}
		}
		config.SigningKey = key
	}
	if config.Assembly == "" {
		config.Assembly = filepath.Join(stateDir, "cdk.out")
		if err := synthesize(ctx, config.Assembly, f, stderr); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(config.Assembly, "manifest.json")); err != nil {
		return badInputf("--assembly %s is no cloud assembly: %w; name the directory that cdk synth wrote, usually cdk.out", config.Assembly, err)
	}
	return serve(ctx, config)
}

// synthesize synthesizes the app of the working directory.
func synthesize(ctx context.Context, out string, f upFlags, stderr io.Writer) error {
	options := synth.Options{Out: out, Verbose: f.verbose, Stderr: stderr}
	if f.stage != "" {
		options.Context = map[string]string{"stage": f.stage}
	}
	p := progress{w: stderr}
	if !f.verbose { // the app's lines would stand between
		p.width = terminalWidth(stderr)
	}
	options.Progress = p.show
	defer p.end()
	return synth.Run(ctx, options)
}

// checkListen refuses an address that cannot be served, and one that other
// machines can reach unless that is asked for.
func checkListen(address string, expose bool) error {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return badInputf("--listen %q is no address; write host and port, such as 127.0.0.1:4010", address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port > 65535-followingPorts {
		return badInputf("--listen %q has no usable port; write 1 to %d, since the next ports are used too, or 0 for free ones", address, 65535-followingPorts)
	}
	if !expose && !isLoopback(host) {
		return badInputf("--listen %q can be reached from other machines; write 127.0.0.1:%d, or add --expose if that is meant", address, port)
	}
	return nil
}

// isLoopback reports whether a host is this machine by its spelling. Other
// names are not looked up, because what they mean may change.
func isLoopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost"
}

// completeStage offers the names of the files in stages/, unread: completion
// has to be quick, and the files' names are the stages' names.
func completeStage(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	files, _ := filepath.Glob(filepath.Join("stages", "*.yaml")) // the pattern is well-formed
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// noArgs refuses surplus arguments in words that fit a command without any.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes flags only, not %q", cmd.Name(), args[0])
	}
	return nil
}
