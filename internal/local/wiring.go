package local

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/cognito"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
	"github.com/gatewright/gatewright/internal/local/functions"
	"github.com/gatewright/gatewright/internal/local/gateway"
	"github.com/gatewright/gatewright/internal/local/guard"
	"github.com/gatewright/gatewright/internal/local/requestlog"
	"github.com/gatewright/gatewright/internal/local/site"
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

// newCognito serves the user pools. Their triggers run as every function does.
func (s *stage) newCognito() (*cognito.Server, error) {
	return cognito.New(cognito.Config{
		Pools: s.model.UserPools, BaseURL: s.ports.auth.url(), SigningKey: s.config.SigningKey,
		Account: s.model.Account, Region: s.model.Region,
		Invoke: func(ctx context.Context, functionARN string, payload []byte) ([]byte, string, error) {
			return invoker{s.functions}.Invoke(ctx, functionARN, payload) // made after the pools, before any request
		},
		Deliver: s.deliver,
		Log:     s.listenerLog(s.ports.auth),
	})
}

// deliver prints what AWS would mail or text, in one line. A name is whatever
// somebody signed up with: what does not print as it stands is quoted, so that
// none of it commands the terminal.
func (s *stage) deliver(m directory.Message) {
	name := m.Username
	if m.Destination != "" {
		name = m.Destination
	}
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		name = quoted
	}
	s.printing.Lock()
	defer s.printing.Unlock()
	_, _ = fmt.Fprintf(s.config.Stdout, "code for %s: %s (%s)\n", name, m.Code, m.Kind)
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
// listener. Pages that the template's CORS allows, and those of the website, may
// call the API, ask for tokens, and sign users in with an SDK.
func (s *stage) guard(p *port, next http.Handler) http.Handler {
	policy := guard.Policy{Hosts: s.ports.names(p)}
	if p != s.ports.site {
		policy.Origins = append(s.api.CORSOrigins(), s.siteOrigins()...)
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

// siteOrigins are the website's, as a browser sends them.
func (s *stage) siteOrigins() []string {
	if s.ports.site == nil {
		return nil
	}
	var origins []string
	for _, name := range s.ports.names(s.ports.site) {
		origins = append(origins, "http://"+name)
	}
	return origins
}

// siteURL is the website's address, by the name that the template knows it by.
func (s *stage) siteURL() string {
	for _, origin := range s.api.CORSOrigins() {
		if slices.Contains(s.siteOrigins(), origin) {
			return origin
		}
	}
	return s.ports.site.url()
}

// siteSettings are what the website's page has to know: the first client
// without a secret that returns to it, and where to.
func (s *stage) siteSettings() site.Settings {
	settings := site.Settings{API: s.apiURL(), Auth: s.ports.auth.url(), Scopes: []string{}}
	ours := func(addresses []string) string {
		i := slices.IndexFunc(addresses, func(address string) bool { return strings.HasPrefix(address, s.siteURL()+"/") })
		if i < 0 {
			return ""
		}
		return addresses[i]
	}
	for _, pool := range s.model.UserPools {
		for _, c := range pool.Clients {
			if callback := ours(c.Callbacks); callback != "" && !c.HasSecret && slices.Contains(c.Flows, "code") {
				settings.ClientID, settings.RedirectURI, settings.LogoutURI, settings.Scopes = c.ID, callback, ours(c.Logouts), c.Scopes
				return settings
			}
		}
	}
	return settings
}
