// Command authorizer is the Lambda authorizer of an API: a REQUEST authorizer
// that decides by the rules in the file beside its executable and answers with
// a policy for exactly the call that it was asked about.
//
// It answers 401 by failing with the text "Unauthorized", 403 by a Deny, and
// 500 by any other failure ("Output from an API Gateway Lambda authorizer",
// "Use API Gateway Lambda authorizers"). Nothing that it cannot read is
// allowed, and a part of its configuration that is missing stops its start.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
)

func main() {
	h, err := start(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "authorizer:", err)
		os.Exit(1)
	}
	log.SetOutput(withoutRefusals{os.Stderr})
	lambda.Start(h)
}

// withoutRefusals leaves out the line that aws-lambda-go logs for each answer that
// is an error. To say "Unauthorized" is the authorizer's work, and it logs of that
// what and as much as it will.
type withoutRefusals struct{ io.Writer }

func (w withoutRefusals) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"errorMessage":"`+errUnauthorized.Error()+`"`)) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}

// start reads the configuration of a deployed function.
func start(getenv func(string) string) (*handler, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root := cmp.Or(getenv("LAMBDA_TASK_ROOT"), filepath.Dir(executable))
	rules, err := os.ReadFile(filepath.Join(root, authconfig.FileName))
	if err != nil {
		return nil, err
	}
	c := config{
		rules: rules, userPools: getenv(authconfig.EnvUserPools), customers: getenv(authconfig.EnvCustomers),
		log:     slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		metrics: &metrics{out: os.Stderr, function: getenv("AWS_LAMBDA_FUNCTION_NAME"), now: time.Now},
	}
	c.source = func(table string) (authn.CustomerSource, error) {
		client, err := customers.NewFunctionClient(getenv)
		if err != nil {
			return nil, err
		}
		return customers.NewStore(client, table), nil
	}
	return newHandler(c)
}

// config is what a handler is made of.
type config struct {
	rules     []byte // content of authconfig.FileName
	userPools string // value of authconfig.EnvUserPools
	customers string // value of authconfig.EnvCustomers
	source    func(table string) (authn.CustomerSource, error)
	log       *slog.Logger
	metrics   *metrics

	// For tests; zero values are the defaults of package authn.
	now       func() time.Time
	transport http.RoundTripper
}

// newHandler fails unless all of the configuration is there and fits together.
// It sends no request.
func newHandler(c config) (*handler, error) {
	rules, rulesErr := authconfig.Parse(c.rules)
	userPools, poolsErr := authconfig.ParseUserPools(c.userPools)
	kept, customersErr := authconfig.ParseCustomers(c.customers)
	if err := errors.Join(rulesErr, poolsErr, customersErr); err != nil {
		return nil, err
	}
	a := authn.AuthorizerConfig{KeyHeader: rules.KeyHeader, Now: c.now}
	for _, p := range userPools {
		pool, err := c.pool(p)
		if err != nil {
			return nil, err
		}
		a.Pools = append(a.Pools, pool)
	}
	if kept != nil {
		source, err := c.source(kept.Table)
		if err != nil {
			return nil, err
		}
		a.Keys = authn.KeyFormat{Prefix: kept.Prefix, Tag: kept.Tag}
		a.Customers = authn.NewCustomerCache(counted{source, c.metrics}, c.now)
	}
	for _, r := range rules.Routes {
		a.Routes = append(a.Routes, route(r))
	}
	authorizer, err := authn.NewAuthorizer(a)
	if err != nil {
		return nil, err
	}
	return &handler{decide: authorizer.Decide, keys: a.Keys, metrics: c.metrics, log: c.log}, nil
}

func route(r authconfig.Route) authn.Route {
	out := authn.Route{Method: r.Method, Resource: r.Path}
	for _, token := range r.Tokens {
		out.Tokens = append(out.Tokens, authn.TokenRule{Scopes: token.Scopes, Clients: token.Clients, AnyClient: token.AnyClient})
	}
	if r.Key != nil {
		out.Key = r.Key.Scopes
	}
	return out
}

// counted counts how often customers are looked up.
type counted struct {
	authn.CustomerSource
	metrics *metrics
}

func (c counted) Customer(ctx context.Context, id string) (*authn.Customer, error) {
	c.metrics.tableReads.Add(1)
	return c.CustomerSource.Customer(ctx, id)
}

func (c config) pool(p authconfig.UserPool) (authn.Pool, error) {
	keys, err := authn.NewRemoteKeys(authn.RemoteConfig{
		URL: p.Issuer + "/.well-known/jwks.json", Transport: c.transport, Now: c.now,
		Read: func() { c.metrics.keySetReads.Add(1) },
	})
	if err != nil {
		return authn.Pool{}, err
	}
	verifier, err := authn.NewVerifier(authn.Config{Issuer: p.Issuer, Keys: keys, Now: c.now})
	if err != nil {
		return authn.Pool{}, err
	}
	names := make(map[string]string, len(p.Clients))
	for name, id := range p.Clients {
		names[id] = name
	}
	return authn.Pool{Verifier: verifier, Clients: names}, nil
}
