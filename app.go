// Command gatewright is the CDK app: one CDK Stage for each file in stages/. It
// audits what it has synthesized, and fails where somebody could call what they
// should not.
//
//	npx cdk synth                          every stage
//	npx cdk deploy "dev/*"                 one stage
//	npx cdk deploy "dev/*" -c stage=dev    one stage, and nothing of the others is declared or looked up
//	npx cdk deploy Account -c account-of=dev
//	                                       API Gateway's logging role, once for dev's account and Region
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

// Context keys of the app, for `cdk -c key=value`.
const (
	contextStage   = "stage"
	contextAccount = "account-of"
)

func main() {
	err := run("stages")
	jsii.Close()
	if err != nil {
		// jsii may have complained while it closed, without ending its line.
		fmt.Fprintf(os.Stderr, "\n%s\n", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

// run declares what the context asks for and synthesizes the app. Constructs
// panic with an error where their props are unusable; whoever runs the app
// wants the error, not a trace.
func run(dir string) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			problem, ok := thrown.(error)
			if !ok {
				panic(thrown)
			}
			err = problem
		}
	}()
	app := awscdk.NewApp(nil)
	part, err := declare(app, dir)
	if err != nil {
		return err
	}
	return check(*app.Synth(nil).Directory(), part, os.Stderr)
}

// check audits the assembly in a folder, which may be a part of the app only,
// in the words of "gatewright audit". It fails where there is an error.
func check(dir string, part bool, stderr io.Writer) error {
	result, err := rules.Audit(rules.Target{Path: dir, Part: part, Now: time.Now()})
	if err != nil {
		return err
	}
	if len(result.Findings) == 0 {
		return nil
	}
	if err := (audit.Text{}).Write(stderr, result); err != nil {
		return err
	}
	if result.Reaches(audit.Error) > 0 {
		return errors.New("the audit found errors; mend them, or accept them with a reason in " + audit.ConfigFile)
	}
	return nil
}

// declare adds every stage, the one that is named, or the account of one. It
// reports whether that is only a part of what there is.
func declare(app awscdk.App, dir string) (part bool, err error) {
	only, oneStage, err := text(app, contextStage)
	if err != nil {
		return false, err
	}
	accountOf, account, err := text(app, contextAccount)
	if err != nil {
		return false, err
	}
	switch {
	case account && oneStage:
		return false, errors.New("the context has both stage and account-of; the role belongs to no stage, so give one of them")
	case account:
		s, err := stagefile.ReadStage(dir, accountOf)
		if err != nil {
			return false, fmt.Errorf("context %s: %w", contextAccount, err)
		}
		stacks.NewAccount(app, s)
		return true, nil
	case oneStage:
		s, err := stagefile.ReadStage(dir, only)
		if err != nil {
			return false, err
		}
		stacks.New(app, s)
		return true, nil
	}
	all, err := stagefile.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, s := range all {
		stacks.New(app, s)
	}
	return false, nil
}

// text returns a value of the context, and whether there is one. One that is
// not text is an error: it is not for the app to guess which stage is meant.
func text(app awscdk.App, key string) (value string, given bool, err error) {
	switch v := app.Node().TryGetContext(jsii.String(key)).(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	default:
		return "", false, fmt.Errorf("context %s is %v; write the name of a stage", key, v)
	}
}
