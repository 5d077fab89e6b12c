package local

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/functions"
	"github.com/gatewright/gatewright/internal/local/gateway"
	"github.com/gatewright/gatewright/internal/local/guard"
	"github.com/gatewright/gatewright/internal/local/requestlog"
)

// newGateway serves every stage of the API, with a verifier for each user pool.
func (s *stage) newGateway() (http.Handler, error) {
	verifiers := map[string]gateway.TokenVerifier{}
	for _, pool := range s.model.UserPools {
		verifier, err := authn.NewVerifier(authn.Config{
			Issuer: pool.Issuer,
			Keys:   authn.KeySet(s.cognito.PublicKeys(pool.ID)),
		})
		if err != nil {
			return nil, fmt.Errorf("user pool %s: %w", pool.Path, err)
		}
		verifiers[pool.ARN] = verifier
	}
	return gateway.All(gateway.Config{
		API:       s.api,
		Region:    s.api.Region,
		Account:   s.api.Account,
		Functions: invoker{s.functions},
		MayInvoke: func(functionARN, sourceARN string) bool {
			return s.model.MayInvoke(functionARN, "apigateway.amazonaws.com", sourceARN)
		},
		Verifiers: verifiers,
		Usage:     gateway.NewUsage(s.keys, s.model.UsagePlans),
		Log:       s.listenerLog(s.ports.api),
	}, s.api.Stages)
}

// invoker gives the gateway the functions without either knowing the other.
type invoker struct{ functions *functions.Runner }

func (i invoker) Invoke(ctx context.Context, functionARN string, payload []byte) (answer []byte, functionError string, err error) {
	result, err := i.functions.Invoke(ctx, functionARN, payload)
	return result.Payload, result.FunctionError, err
}

// listenerLog tells the listeners' lines apart.
func (s *stage) listenerLog(p *port) *slog.Logger { return s.log.With("listener", p.name) }

// guard keeps other machines' names and other sites' pages away from a
// listener. Pages that the template's CORS allows may call the API and ask for
// tokens.
func (s *stage) guard(p *port, next http.Handler) http.Handler {
	policy := guard.Policy{Hosts: s.ports.names(p)}
	if p != s.ports.aws {
		policy.Origins = s.api.CORSOrigins()
	}
	if p == s.ports.api {
		policy.Hosts = append(policy.Hosts, s.executeHost())
	}
	return guard.Wrap(next, policy, func(status int, reason string, r *http.Request) {
		requestlog.Write(s.listenerLog(p), r, requestlog.Line{Status: status, Reason: reason})
	})
}

// executeHost stands for the API's host under execute-api.<region>.amazonaws.com.
func (s *stage) executeHost() string {
	return s.api.ID + ".execute-api.localhost:" + strconv.Itoa(s.ports.api.number)
}

// callable are the routes that a person would try: all but the preflights. One
// whose function cannot run here is unsupported.
func (s *stage) callable() []assembly.Route {
	var routes []assembly.Route
	for _, r := range s.api.Routes {
		if r.Method == http.MethodOptions && r.Integration.Type == assembly.IntegrationMock {
			continue
		}
		r.Integration.Unsupported = cmp.Or(r.Integration.Unsupported, s.functions.Unserved(r.Integration.FunctionARN))
		routes = append(routes, r)
	}
	return routes
}
