package local

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/functions"
	"github.com/gatewright/gatewright/internal/local/gateway"
	"github.com/gatewright/gatewright/internal/local/guard"
	"github.com/gatewright/gatewright/internal/local/requestlog"
)

// newGateway serves the API with a verifier for each user pool of the stage.
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
	return gateway.New(gateway.Config{
		API:       s.api,
		Stage:     s.apiStage,
		Region:    s.model.Region,
		Account:   s.model.Account,
		Functions: invoker{s.functions},
		MayInvoke: func(functionARN, sourceARN string) bool {
			return s.model.MayInvoke(functionARN, "apigateway.amazonaws.com", sourceARN)
		},
		Verifiers: verifiers,
		Log:       s.listenerLog(s.ports.api),
	})
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
		policy.Hosts = append(policy.Hosts, s.api.ID+".execute-api.localhost:"+strconv.Itoa(p.number))
	}
	return guard.Wrap(next, policy, func(status int, reason string, r *http.Request) {
		requestlog.Write(s.listenerLog(p), r, requestlog.Line{Status: status, Reason: reason})
	})
}

// callable are the routes that a person would try: all but the preflights.
func (s *stage) callable() []assembly.Route {
	return slices.DeleteFunc(slices.Clone(s.api.Routes), func(r assembly.Route) bool {
		return r.Method == http.MethodOptions && r.Integration.Type == assembly.IntegrationMock
	})
}
