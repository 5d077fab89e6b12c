package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Outcome is what becomes of a request. Its zero value refuses.
type Outcome int

// Outcomes.
const (
	Forbidden    Outcome = iota // the caller is known and may not: 403
	Unauthorized                // nobody that is known calls: 401
	Undecided                   // it cannot be decided now: 500
	Allowed
)

func (o Outcome) String() string {
	return [...]string{"forbidden", "unauthorized", "undecided", "allowed"}[o]
}

// Reasons of a [Decision] beyond those of a token.
const (
	ReasonAllowed      Reason = "allowed"
	ReasonNoCredential Reason = "no credential" //nolint:gosec // a reason, no credential
	ReasonCredential   Reason = "credential"    // not exactly one, or of a scheme that is not taken
	ReasonMethodARN    Reason = "method ARN"    // not the ARN of a call to the route, or not fit for a policy
	ReasonNotAccess    Reason = "not an access token"
	ReasonRoute        Reason = "route"  // it has no rule
	ReasonClient       Reason = "client" // the token was issued to one that may not call the route
	ReasonScope        Reason = "scope"  // the token carries none of the route's
)

// Route says who may call one method of one resource.
type Route struct {
	Method   string   // "GET"
	Resource string   // path of the API's resource: "/v1/orders/{id}"
	Scopes   []string // any one suffices; none admits nobody
	Clients  []string // names of the clients that may call; none admits nobody
}

// Pool is a user pool whose tokens are taken.
type Pool struct {
	Verifier *Verifier
	Clients  map[string]string // names of its app clients, by id
}

// Request is what a decision rests on. Nothing else of a request counts.
type Request struct {
	MethodARN     string // of the call, as API Gateway forms it
	Method        string
	Resource      string   // path of the API's resource
	Authorization []string // values of all Authorization headers

	// CredentialInQuery is set where the query string holds one, too.
	CredentialInQuery bool
}

// Identity is who calls.
type Identity struct {
	Subject  string
	Username string // empty for a client on its own account
	ClientID string
	Client   string // its name; empty if it has none here
	Scopes   []string
}

// Decision is the answer to a [Request]. Its zero value refuses.
type Decision struct {
	Outcome  Outcome
	Reason   Reason   // for logs; the caller learns the outcome only
	Identity Identity // who calls, where the outcome is Allowed or Forbidden
}

// Authorizer decides about the calls of an API. Its zero value refuses all. It
// is safe for concurrent use.
type Authorizer struct {
	routes map[string]Route // by method and resource
	pools  map[string]Pool  // by issuer
}

// NewAuthorizer returns an Authorizer for the routes, with the tokens of the
// pools. It fails if a route or an issuer stands twice, if a pool has no
// verifier, or if a route names a client that no pool has.
func NewAuthorizer(routes []Route, pools []Pool) (*Authorizer, error) {
	a := &Authorizer{routes: map[string]Route{}, pools: map[string]Pool{}}
	var problems []error
	names := map[string]bool{}
	for i, pool := range pools {
		if pool.Verifier == nil || pool.Verifier.config.Issuer == "" {
			problems = append(problems, fmt.Errorf("authn: pool %d has no verifier", i))
			continue
		}
		issuer := pool.Verifier.config.Issuer
		if _, twice := a.pools[issuer]; twice {
			problems = append(problems, fmt.Errorf("authn: two pools of the issuer %s", issuer))
		}
		a.pools[issuer] = pool
		for _, name := range pool.Clients {
			names[name] = name != ""
		}
	}
	for _, route := range routes {
		pattern := route.Method + " " + route.Resource
		if _, twice := a.routes[pattern]; twice {
			problems = append(problems, fmt.Errorf("authn: two rules for %s", pattern))
		}
		a.routes[pattern] = route
		for _, name := range route.Clients {
			if !names[name] {
				problems = append(problems, fmt.Errorf("authn: %s: no user pool has a client called %q", pattern, name))
			}
		}
	}
	return a, errors.Join(problems...)
}

// Decide says what becomes of a request. A token is verified before the route's
// rule counts, so that only its holder learns what the rule is.
func (a *Authorizer) Decide(ctx context.Context, r Request) Decision {
	if !namesCall(r.MethodARN, r.Method, r.Resource) {
		return Decision{Outcome: Unauthorized, Reason: ReasonMethodARN}
	}
	text, reason := bearer(r)
	if reason != "" {
		return Decision{Outcome: Unauthorized, Reason: reason}
	}
	token, err := verify(ctx, text, func(issuer string) *Verifier { return a.pools[issuer].Verifier })
	if err != nil {
		d := Decision{Outcome: Unauthorized, Reason: ReasonOf(err)}
		if d.Reason == ReasonNoKeys {
			d.Outcome = Undecided
		}
		return d
	}
	if token.Use != UseAccess {
		return Decision{Outcome: Unauthorized, Reason: ReasonNotAccess}
	}
	d := Decision{Identity: Identity{
		Subject: token.Subject, Username: token.Username, Scopes: token.Scopes,
		ClientID: token.ClientID, Client: a.pools[token.Issuer].Clients[token.ClientID],
	}}
	route, known := a.routes[r.Method+" "+r.Resource]
	switch {
	case !known:
		d.Reason = ReasonRoute
	case d.Identity.Client == "" || !slices.Contains(route.Clients, d.Identity.Client):
		d.Reason = ReasonClient
	case !token.HasAnyScope(route.Scopes):
		d.Reason = ReasonScope
	default:
		d.Outcome, d.Reason = Allowed, ReasonAllowed
	}
	return d
}

// bearer returns the one bearer token of a request (RFC 6750 section 2), or why
// there is none. A scheme's name is written in any case (RFC 9110 section
// 11.1).
func bearer(r Request) (string, Reason) {
	if len(r.Authorization) == 0 {
		return "", ReasonNoCredential
	}
	scheme, token, ok := strings.Cut(r.Authorization[0], " ")
	if len(r.Authorization) > 1 || r.CredentialInQuery || !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", ReasonCredential
	}
	return token, ""
}

// maxARNBytes bounds the resource of an authorizer's policy ("Output from an
// API Gateway Lambda authorizer": 512 bytes).
const maxARNBytes = 512

// namesCall reports whether arn is that of a call to method and resource,
// "arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>",
// and fit to be the resource of a policy: there * and ? stand for anything and
// ${ begins a variable.
func namesCall(arn, method, resource string) bool {
	if len(arn) > maxARNBytes || strings.ContainsFunc(arn, notInARN) || strings.Contains(arn, "${") {
		return false
	}
	rest, ok := strings.CutPrefix(arn, "arn:")
	_, rest, partition := strings.Cut(rest, ":")
	rest, service := strings.CutPrefix(rest, "execute-api:")
	_, rest, region := strings.Cut(rest, ":")
	_, rest, account := strings.Cut(rest, ":")
	_, rest, api := strings.Cut(rest, "/")
	_, rest, stage := strings.Cut(rest, "/")
	called, path, verb := strings.Cut(rest, "/")
	return ok && partition && service && region && account && api && stage && verb &&
		called == method && below(strings.TrimPrefix(resource, "/"), path)
}

func notInARN(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`*?"\`, r) }

// below reports whether a path, without its first slash, is one of the resource.
// API Gateway ignores one slash at a path's end.
func below(resource, path string) bool {
	for {
		want, moreWanted, deeper := strings.Cut(resource, "/")
		if strings.HasPrefix(want, "{") {
			if strings.HasSuffix(want, "+}") {
				return path != ""
			}
			want, _, _ = strings.Cut(path, "/")
			if want == "" {
				return false
			}
		}
		rest, ok := strings.CutPrefix(path, want)
		if !deeper || !ok {
			return ok && (rest == "" || rest == "/")
		}
		if resource = moreWanted; rest == "" || rest[0] != '/' {
			return false
		}
		path = rest[1:]
	}
}
