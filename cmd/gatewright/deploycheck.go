package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatewright/gatewright/internal/assembly"
)

func newDeployCheckCommand() *cobra.Command {
	var dir, stage string
	cmd := &cobra.Command{
		Use:   "deploy-check",
		Short: "Check before a deployment that API Gateway can write the stage's logs",
		Long: `Deploy-check asks AWS whether API Gateway has its logging role, of which there is
one for each account and Region. A stage with an access log fails to deploy
where the role was never set, after everything else has been created.

It uses the AWS CLI with the credentials of the environment and changes nothing.
A stage without logs needs no credentials. With credentials of another account
it says that nothing was checked, and passes. "make deploy" runs it.`,
		Example: `  gatewright deploy-check --stage dev                      check what cdk synth wrote into cdk.out
  gatewright deploy-check --stage dev --assembly other.out`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return deployCheck(cmd.Context(), dir, stage, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&dir, "assembly", "cdk.out", "read the cloud assembly in `DIR`")
	cmd.Flags().StringVar(&stage, "stage", "", "`ID` of a CDK Stage or stack; optional where there is only one")
	if err := cmd.RegisterFlagCompletionFunc("stage", completeStage); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// deployCheck checks each account and Region that the stage logs in, once.
func deployCheck(ctx context.Context, dir, stage string, stderr io.Writer) error {
	a, err := assembly.Load(dir)
	if err != nil {
		return err
	}
	logging, err := a.LoggingStages(stage)
	if err != nil {
		return err
	}
	type target struct{ account, region string }
	checked := map[target]bool{}
	var problems []error
	for _, l := range logging {
		to := target{l.Account, l.Region}
		if checked[to] {
			continue
		}
		checked[to] = true
		problems = append(problems, checkLoggingRole(ctx, l, stage, stderr))
	}
	return errors.Join(problems...)
}

func checkLoggingRole(ctx context.Context, l assembly.LoggingStage, stage string, stderr io.Writer) error {
	var caller struct {
		Account string `json:"Account"`
	}
	var in []string // a Region that the app leaves open is the CLI's own
	where := "the AWS CLI's own Region"
	if l.Region != "" {
		in, where = []string{"--region", l.Region}, l.Region
	}
	err := runAWS(ctx, &caller, append([]string{"sts", "get-caller-identity"}, in...)...)
	if errors.Is(err, errNoCLI) {
		return badInputf("the AWS CLI is missing, so nobody knows whether API Gateway can write logs; install it, or deploy unchecked with npx cdk deploy")
	}
	if err != nil {
		return err
	}
	if l.Account != "" && l.Account != caller.Account {
		// The CDK CLI may well assume a role there; this command does not.
		_, _ = fmt.Fprintf(stderr, "not checked: the credentials are for account %s, and %s is deployed to %s; if the deployment fails with \"CloudWatch Logs role ARN must be set\", %s\n",
			caller.Account, l.Path, l.Account, deployRole(stage))
		return nil
	}
	var account struct {
		Role string `json:"cloudwatchRoleArn"`
	}
	if err := runAWS(ctx, &account, append([]string{"apigateway", "get-account"}, in...)...); err != nil {
		return err
	}
	if account.Role == "" {
		return fmt.Errorf("API Gateway has no logging role in account %s, %s, and %s writes logs; %s, then deploy again",
			caller.Account, where, l.Path, deployRole(stage))
	}
	return nil
}

// deployRole says how the role is set: by the construct in any app, and by a
// target in this repository.
func deployRole(stage string) string {
	if stage == "" {
		stage = "NAME"
	}
	return "deploy a stack with constructs/apigatewayaccount there once (in Gatewright's own repository: make deploy-account STAGE=" + stage + ")"
}

// errNoCLI says that there is no AWS CLI on this machine.
var errNoCLI = badInput{errors.New("the AWS CLI is missing, by which deployed stages are read; install it")}

// runAWS runs the AWS CLI and reads its answer.
func runAWS(ctx context.Context, answer any, args ...string) error {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "aws", append(args, "--output", "json")...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch command := "aws " + strings.Join(args, " "); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errNoCLI
	case err != nil:
		return fmt.Errorf("%s: %w\n  %s", command, err, strings.ReplaceAll(strings.TrimSpace(stderr.String()), "\n", "\n  "))
	}
	// API Gateway's answer is empty where nothing was ever set.
	if len(bytes.TrimSpace(stdout.Bytes())) == 0 {
		return nil
	}
	if err := json.Unmarshal(stdout.Bytes(), answer); err != nil {
		return fmt.Errorf("aws %s: its answer is no JSON: %w", strings.Join(args, " "), err)
	}
	return nil
}
