package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/local"
	"github.com/gatewright/gatewright/internal/local/site"
	"github.com/gatewright/gatewright/internal/synth"
)

const stateDir = ".gatewright" // in the app's directory

// serveFunc serves a stage until ctx ends.
type serveFunc func(ctx context.Context, c local.Config) error

// upFlags are the flags of `gatewright up`.
type upFlags struct {
	stage, assembly, api string
	listen               string
	expose               bool
	site                 string
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
and gone when it stops.

Exit codes: 0 stopped as asked, 1 failed, 2 bad input or a port that is taken,
4 the template holds what is not understood.`,
		Example: `  gatewright up                                  synthesize the app in this directory and serve it
  gatewright up --stage dev                      the same, where there are several stages
  gatewright up --assembly cdk.out --stage dev   serve what cdk synth wrote
  gatewright up --site examples/website          serve a website beside it
  gatewright up --listen 127.0.0.1:0 --ready-file ready.json
                                                 take free ports and write down which`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), f, serve, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stage, "stage", "", "CDK Stage or stack to serve, by its `ID`; optional where there is only one")
	flags.StringVar(&f.assembly, "assembly", "", "serve the cloud assembly in `DIR` instead of synthesizing")
	flags.StringVar(&f.api, "api", "", "REST API to serve, by `NAME`, id or construct path; optional where there is only one")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4010", "serve the API at `HOST:PORT`, the other listeners at the next ports; port 0 takes free ones")
	flags.BoolVar(&f.expose, "expose", false, "allow a --listen that other machines can reach; the runtime is not made for an untrusted network")
	flags.StringVar(&f.site, "site", "", "serve the static website in `DIR` at the fourth port; the page finds what it has to know in /gatewright.json")
	flags.StringVar(&f.readyFile, "ready-file", "", "when ready, write URLs and credentials as JSON to `FILE`, readable by you only")
	flags.StringVar(&f.signingKey, "signing-key", "", "sign tokens with the RSA key in a PEM `FILE` instead of a new one, so that tests can sign tokens themselves")
	flags.BoolVar(&f.noSeed, "no-seed", false, "do not create a user to try things with")
	flags.BoolVar(&f.verbose, "verbose", false, "show the CDK app's output while it is synthesized")
	if err := cmd.RegisterFlagCompletionFunc("stage", completeStage); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// up checks the flags before it does anything slow, synthesizes where that is
// asked for, and serves.
func up(ctx context.Context, f upFlags, serve serveFunc, stdout, stderr io.Writer) error {
	if err := local.CheckListen(f.listen, f.expose); err != nil {
		return err
	}
	if f.site != "" {
		website, err := site.New(f.site, site.Settings{})
		if err != nil {
			return badInput{fmt.Errorf("--site: %w", err)}
		}
		_ = website.Close() // it is there, which is all that was asked
	}
	config := local.Config{
		Assembly: f.assembly, AppDir: ".", StateDir: stateDir,
		Stage: f.stage, API: f.api,
		Listen: f.listen, Expose: f.expose, Site: f.site, ReadyFile: f.readyFile, NoSeed: f.noSeed,
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
		return fmt.Errorf("%s takes flags only, not %s", cmd.Name(), quoted(args[0]))
	}
	return nil
}
