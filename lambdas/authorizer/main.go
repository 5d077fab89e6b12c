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
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
)

func main() {
	h, err := start(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "authorizer:", err)
		os.Exit(1)
	}
	lambda.Start(h)
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
	return newHandler(config{
		rules: rules, userPools: getenv(authconfig.EnvUserPools),
		log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
}

// config is what a handler is made of.
type config struct {
	rules     []byte // content of authconfig.FileName
	userPools string // value of authconfig.EnvUserPools
	log       *slog.Logger

	// For tests; zero values are the defaults of package authn.
	now       func() time.Time
	transport http.RoundTripper
}

// newHandler fails unless all of the configuration is there and fits together.
// It sends no request.
func newHandler(c config) (*handler, error) {
	rules, rulesErr := authconfig.Parse(c.rules)
	userPools, poolsErr := authconfig.ParseUserPools(c.userPools)
	if err := errors.Join(rulesErr, poolsErr); err != nil {
		return nil, err
	}
	var pools []authn.Pool
	for _, p := range userPools {
		pool, err := c.pool(p)
		if err != nil {
			return nil, err
		}
		pools = append(pools, pool)
	}
	var routes []authn.Route
	for _, r := range rules.Routes {
		routes = append(routes, authn.Route{Method: r.Method, Resource: r.Path, Scopes: r.Token.Scopes, Clients: r.Token.Clients})
	}
	authorizer, err := authn.NewAuthorizer(routes, pools)
	if err != nil {
		return nil, err
	}
	return &handler{decide: authorizer.Decide, log: c.log}, nil
}

func (c config) pool(p authconfig.UserPool) (authn.Pool, error) {
	keys, err := authn.NewRemoteKeys(authn.RemoteConfig{URL: p.Issuer + "/.well-known/jwks.json", Transport: c.transport, Now: c.now})
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
