package restapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/internal/apispec"
	"github.com/gatewright/gatewright/internal/authconfig"
)

const (
	// Every call waits for it, and its share of a processor grows with memory.
	authorizerMemoryMB = 512
	// API Gateway waits for an authorizer no longer.
	authorizerTimeout = 10 * time.Second
)

// authorizer is the API's Lambda authorizer, which decides about the routes that
// the user pools' own cannot decide about.
type authorizer struct {
	function *gofunction.Function
	rules    []byte // content of authconfig.FileName
}

// needsAuthorizer reports whether a rule is beyond the user pools' own authorizer.
func (p Props) needsAuthorizer() bool {
	for _, route := range p.Routes {
		if apispec.NeedsAuthorizer(route.Access) {
			return true
		}
	}
	return false
}

// declareAuthorizer declares the function with its rules, which are code, and
// the pools, the ids of clients and the table, which are known when it is deployed
// only.
func (p Props) declareAuthorizer(this constructs.Construct) (*authorizer, error) {
	declared := p.rules()
	rules, err := declared.Encode()
	if err != nil {
		return nil, fmt.Errorf("write the Lambda authorizer's rules: %w", err)
	}
	pools, err := json.Marshal(p.trustedPools())
	if err != nil {
		return nil, fmt.Errorf("write the Lambda authorizer's user pools: %w", err)
	}
	environment := map[string]string{authconfig.EnvUserPools: string(pools)}
	if declared.TakesKeys() {
		kept, err := json.Marshal(p.Customers.Config())
		if err != nil {
			return nil, fmt.Errorf("write the Lambda authorizer's customers: %w", err)
		}
		environment[authconfig.EnvCustomers] = string(kept)
	}
	function := gofunction.New(this, "Authorizer", gofunction.Props{
		Package:             authconfig.Package,
		Description:         "Decides who may call the routes that name clients or take keys",
		Environment:         environment,
		MemoryMB:            authorizerMemoryMB,
		Timeout:             authorizerTimeout,
		LogRetention:        p.AccessLog.Retention,
		ReservedConcurrency: p.AuthorizerConcurrency,
		Files:               map[string][]byte{authconfig.FileName: rules},
	})
	if declared.TakesKeys() {
		p.Customers.GrantRead(function.Role)
	}
	return &authorizer{function: function, rules: rules}, nil
}

// rules are those of the routes that the authorizer decides about; it refuses
// all others.
func (p Props) rules() authconfig.Rules {
	rules := authconfig.Rules{KeyHeader: p.KeyHeader}
	for pattern, route := range p.Routes {
		if !apispec.NeedsAuthorizer(route.Access) {
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		out := authconfig.Route{Method: method, Path: path}
		for _, rule := range route.Access.Alternatives() {
			if rule.Kind == access.KindKey {
				out.Key = &authconfig.Key{Scopes: rule.Scopes}
				continue
			}
			out.Tokens = append(out.Tokens, authconfig.Token{Scopes: rule.Scopes, Clients: rule.Clients, AnyClient: len(rule.Clients) == 0})
		}
		rules.Routes = append(rules.Routes, out)
	}
	return rules
}

// keyScopes are the scopes of keys that some route takes, each once.
func (p Props) keyScopes() []string {
	scopes := []string{}
	for _, route := range p.Routes {
		for _, rule := range route.Access.Alternatives() {
			if rule.Kind == access.KindKey {
				scopes = append(scopes, rule.Scopes...)
			}
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// takesKeys reports whether some route takes customers' keys.
func (p Props) takesKeys() bool { return len(p.keyScopes()) > 0 }

// trustedPools are the pools whose tokens the authorizer takes, with the clients
// that a rule names: all of them where a rule takes any client, else those that
// have such a client. Whoever is not known to the authorizer is refused.
func (p Props) trustedPools() []authconfig.UserPool {
	named, any := map[string]bool{}, false
	for _, route := range p.Routes {
		if !apispec.NeedsAuthorizer(route.Access) {
			continue
		}
		for _, rule := range route.Access.Alternatives() {
			any = any || rule.Kind == access.KindScopes && len(rule.Clients) == 0
			for _, name := range rule.Clients {
				named[name] = true
			}
		}
	}
	pools := []authconfig.UserPool{}
	for _, pool := range p.UserPools {
		clients := map[string]string{}
		for name := range named {
			if client, ok := pool.Clients[name]; ok {
				clients[name] = *client.UserPoolClientId()
			}
		}
		if any || len(clients) > 0 {
			pools = append(pools, authconfig.UserPool{Issuer: pool.Issuer(), Clients: clients})
		}
	}
	return pools
}

// uri is where API Gateway calls the function.
func (a *authorizer) uri() string { return a.function.Integration()["uri"].(string) }

// allowInvoke lets this API, and no other, call the function as an authorizer.
// API Gateway makes up an authorizer's id when it imports the body, so the ARN
// is that of any of the API's authorizers.
func (a *authorizer) allowInvoke(this constructs.Construct, api awsapigateway.SpecRestApi) {
	a.function.AllowInvoke(this, *awscdk.Stack_Of(this).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("execute-api"), Resource: api.RestApiId(), ResourceName: jsii.String("authorizers/*"),
	}))
}

// clientScopes are what each client of the pools may ask for; nil where that is
// not known. A name that two pools have stands for both clients.
func (p Props) clientScopes() map[string][]string {
	all := map[string][]string{}
	for _, pool := range p.UserPools {
		if pool == nil {
			continue // validate reports it
		}
		for _, name := range slices.Sorted(maps.Keys(pool.Clients)) {
			scopes, known := pool.ClientScopes(name)
			before, twice := all[name]
			switch {
			case !known || twice && before == nil:
				all[name] = nil
			default:
				all[name] = append(before, scopes...)
			}
		}
	}
	return all
}
