package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
	"github.com/gatewright/gatewright/internal/local"
)

// customerTable is the table of a stage's customers, as its operator reaches it.
type customerTable struct {
	store  *customers.Store
	about  local.CustomerTable
	stage  string // "stage dev", for people
	region string
	flag   string // that names the same stage to another command: " --stack dev-Api"
	local  bool
}

// openCustomers connects to the customers of the stage. A stage of this machine
// has its own credentials; a deployed one is reached with the identity of whoever
// runs the command. No request is sent yet, but for the credentials.
func (t *target) openCustomers(ctx context.Context) (*customerTable, error) {
	ready, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	if ready.CustomerTable == nil || ready.CustomerTable.Name == "" { // an app may describe none
		return nil, badInputf(`stage %s has no customers, as no route of its API takes their keys; give a route access.Key("…") and the API its Customers, then start or deploy the stage again`, ready.Stage)
	}
	table := &customerTable{about: *ready.CustomerTable, stage: "stage " + ready.Stage, region: ready.Region, local: !t.deployed()}
	switch {
	case t.deployed():
		table.flag = " --stack " + t.stack
	case t.stage != "":
		table.flag = " --stage " + t.stage
	}
	if table.local && !listens(ctx, ready.AWS) {
		return nil, table.noAnswer(nil)
	}
	client, err := newTableClient(ctx, ready, t.deployed())
	if err != nil {
		return nil, err
	}
	table.store = customers.NewStore(client, table.about.Name).WithFlags(table.flag)
	return table, nil
}

// listens reports whether somebody listens at the address of a stage of this
// machine. One that was killed leaves its state file, and a change would wait long
// for an answer.
func listens(ctx context.Context, address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

func newTableClient(ctx context.Context, ready *local.Ready, deployed bool) (*dynamodb.Client, error) {
	if !deployed {
		return dynamodb.New(dynamodb.Options{
			Region: ready.Region, BaseEndpoint: aws.String(ready.AWS),
			Credentials: credentials.NewStaticCredentialsProvider(ready.AWSCredentials.AccessKeyID, ready.AWSCredentials.SecretAccessKey, ""),
		}), nil
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(ready.Region))
	if err != nil {
		return nil, badInputf("the AWS settings cannot be read: %s; check AWS_PROFILE and ~/.aws/config", oneLine(err))
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("there are no AWS credentials: %s; name a profile with AWS_PROFILE, or sign in (aws sso login, aws configure)", oneLine(err))
	}
	return dynamodb.NewFromConfig(settings), nil
}

// format is what keys of the stage look like.
func (t *customerTable) format() authn.KeyFormat {
	return authn.KeyFormat{Prefix: t.about.Prefix, Tag: t.about.Tag}
}

// checkScopes refuses scopes that no route of the stage takes of a key.
func (t *customerTable) checkScopes(scopes []string) error {
	for _, scope := range scopes {
		if !slices.Contains(t.about.Scopes, scope) {
			return badInputf("no route of %s takes the scope %s of a key; there are: %s", t.stage, quoted(scope), strings.Join(t.about.Scopes, ", "))
		}
	}
	return nil
}

// explain puts what the table answered in one line with the mend, and gives it its
// exit code.
func (t *customerTable) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, customers.ErrUnknown):
		// Not wrapped: what nobody knows is said even where it was Ctrl-C.
		return errors.New(oneLine(err))
	case errors.Is(err, customers.ErrInvalid):
		return badInput{err}
	case errors.Is(err, customers.ErrNotFound), errors.Is(err, customers.ErrRefused), errors.Is(err, customers.ErrConflict), errors.Is(err, context.Canceled):
		return err
	}
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return err // ours: what stands in the table is not understood
	}
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return t.noAnswer(operation)
	}
	return t.refusal(operation.OperationName, answer)
}

// noAnswer is the error of a table that nothing was heard of.
func (t *customerTable) noAnswer(err error) error {
	if t.local {
		return fmt.Errorf("%s does not answer; is it still running? Start it with gatewright up", t.stage)
	}
	return fmt.Errorf("the table %s in %s does not answer: %s; check the network, and run it again", t.about.Name, t.region, oneLine(err))
}

// refusal is the error of a table that answered with an error. Nothing was
// written.
func (t *customerTable) refusal(operation string, answer smithy.APIError) error {
	where := fmt.Sprintf("the table %s of %s in %s", t.about.Name, t.stage, t.region)
	throttled := retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(answer) == aws.TrueTernary
	switch code := answer.ErrorCode(); {
	case throttled:
		return fmt.Errorf("%s is throttled, and nothing was changed; wait a little, and run it again", where)
	case code == "AccessDeniedException":
		return fmt.Errorf("your AWS identity may not call dynamodb:%s on %s; sign in as one that may (aws sts get-caller-identity says who you are)", operation, where)
	case code == "ResourceNotFoundException":
		return fmt.Errorf("%s is not there for your AWS identity; sign in to the stage's own account, or deploy the stage again", where)
	case slices.Contains([]string{"ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException", "IncompleteSignatureException"}, code):
		return fmt.Errorf("AWS does not take your credentials (%s); sign in again (aws sso login, aws configure), and check AWS_PROFILE", code)
	default:
		return fmt.Errorf("%s refuses dynamodb:%s: %s: %s", where, operation, code, oneLine(errors.New(answer.ErrorMessage())))
	}
}

// oneLine is an error's text without line breaks.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// quoted is an input as an error shows it: what is as long as a key's secret is
// not repeated.
func quoted(value string) string {
	if len(value) > 32 {
		return fmt.Sprintf("(of %d bytes, not repeated here)", len(value))
	}
	return fmt.Sprintf("%q", value)
}
