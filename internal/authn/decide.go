package authn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
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
	ReasonKeyForm      Reason = "key form" // not of a key's form, or its checksum does not match
	ReasonStage        Reason = "stage"    // a key of another stage
	ReasonKey          Reason = "key"      // no such key, or not its secret
	ReasonRevoked      Reason = "revoked"
	ReasonStatus       Reason = "status"   // the customer is suspended or closed
	ReasonNoStore      Reason = "no store" // the customers could not be read: nothing can be decided
	ReasonRoute        Reason = "route"    // it has no rule, or none for this kind of caller
	ReasonClient       Reason = "client"   // the token was issued to one that may not call the route
	ReasonScope        Reason = "scope"    // the caller has none of the route's
)

// Route says who may call one method of one resource. Its zero value admits
// nobody.
type Route struct {
	Method   string      // "GET"
	Resource string      // path of the API's resource: "/v1/orders/{id}"
	Tokens   []TokenRule // access tokens are taken that satisfy any one
	Key      []string    // keys are taken that have any one of these scopes
}

// TokenRule says which access tokens a route takes. Its zero value admits none.
type TokenRule struct {
	Scopes    []string // any one suffices; none admits nobody
	Clients   []string // names of the clients that may call
	AnyClient bool     // every client of the pools may, whatever Clients says
}

// Pool is a user pool whose tokens are taken.
type Pool struct {
	Verifier *Verifier
	Clients  map[string]string // names of its app clients, by id
}

// AuthorizerConfig is what an [Authorizer] goes by.
type AuthorizerConfig struct {
	Routes []Route
	Pools  []Pool
	// Customers are whose keys are taken; nil where none are. A source before
	// which no [CustomerCache] stands is asked for each request.
	Customers CustomerSource
	// Keys is the form of those keys. Required with Customers.
	Keys KeyFormat
	// KeyHeader is set where keys may come in x-api-key, too.
	KeyHeader bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Request is what a decision rests on. Nothing else of a request counts.
type Request struct {
	MethodARN     string // of the call, as API Gateway forms it
	Method        string
	Resource      string   // path of the API's resource
	Authorization [][]byte // values of all Authorization headers; none is kept
	APIKey        [][]byte // values of all x-api-key headers

	// CredentialInQuery is set where the query string holds one, too.
	CredentialInQuery bool
}

// Kind says what sort of caller an [Identity] is of.
type Kind string

// The kinds of caller.
const (
	KindUser     Kind = "user"     // somebody who signed in
	KindClient   Kind = "client"   // an app client on its own account
	KindCustomer Kind = "customer" // the holder of a key
)

// Identity is who calls.
type Identity struct {
	Kind    Kind
	Subject string // the user, the client, or the customer
	Scopes  []string

	Username string // of a user
	ClientID string // that a token was issued to
	Client   string // its name; empty if it has none here

	Customer, Key, Plan string // of a customer: its id, the key's id, and its plan
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
	routes    map[call]*Route
	pools     map[string]Pool // by issuer
	customers CustomerSource  // nil where no keys are taken
	keys      KeyFormat
	keyHeader bool
	now       func() time.Time

	mu   sync.Mutex
	seen generations[Digest, *verifiedToken] // tokens that were verified, by the digest of their signature's text
}

// call is what a route is found by.
type call struct{ method, resource string }

// NewAuthorizer returns an Authorizer. It fails if a route or an issuer stands
// twice, if a pool has no verifier, if a route names a client that no pool has
// or takes what the API has no source of, and if the form of keys is unusable.
func NewAuthorizer(c AuthorizerConfig) (*Authorizer, error) {
	a := &Authorizer{
		routes: map[call]*Route{}, pools: map[string]Pool{},
		customers: c.Customers, keys: c.Keys, keyHeader: c.KeyHeader, now: c.Now,
		seen: generations[Digest, *verifiedToken]{limit: maxTokens},
	}
	if a.now == nil {
		a.now = time.Now
	}
	var problems []error
	if c.Customers != nil {
		problems = append(problems, c.Keys.Validate())
	}
	names := map[string]bool{}
	for i, pool := range c.Pools {
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
	for _, route := range c.Routes {
		pattern, key := route.Method+" "+route.Resource, call{route.Method, route.Resource}
		if _, twice := a.routes[key]; twice {
			problems = append(problems, fmt.Errorf("authn: two rules for %s", pattern))
		}
		a.routes[key] = &route
		problems = append(problems, a.routeProblems(pattern, route, names)...)
	}
	return a, errors.Join(problems...)
}

func (a *Authorizer) routeProblems(pattern string, route Route, names map[string]bool) []error {
	var problems []error
	if len(route.Tokens) > 0 && len(a.pools) == 0 {
		problems = append(problems, fmt.Errorf("authn: %s: takes tokens, but there is no user pool", pattern))
	}
	if len(route.Key) > 0 && a.customers == nil {
		problems = append(problems, fmt.Errorf("authn: %s: takes keys, but there are no customers", pattern))
	}
	for _, rule := range route.Tokens {
		for _, name := range rule.Clients {
			if !names[name] {
				problems = append(problems, fmt.Errorf("authn: %s: no user pool has a client called %q", pattern, name))
			}
		}
	}
	return problems
}

// Decide says what becomes of a request. A credential is verified before the
// route's rule counts, so that only its holder learns what the rule is.
func (a *Authorizer) Decide(ctx context.Context, r Request) Decision {
	if !namesCall(r.MethodARN, r.Method, r.Resource) {
		return Decision{Outcome: Unauthorized, Reason: ReasonMethodARN}
	}
	sent, reason := a.credential(r)
	if reason != "" {
		return Decision{Outcome: Unauthorized, Reason: reason}
	}
	var d Decision
	if len(sent.key) > 0 {
		d.Identity, d.Outcome, d.Reason = a.decideKey(ctx, sent.key)
	} else {
		d.Identity, d.Outcome, d.Reason = a.decideToken(ctx, sent.token)
	}
	if d.Outcome != Allowed {
		return d
	}
	d.Reason = a.routes[call{r.Method, r.Resource}].refuses(&d.Identity)
	if d.Reason != ReasonAllowed {
		d.Outcome = Forbidden
	}
	return d
}

// decideToken identifies the holder of an access token.
func (a *Authorizer) decideToken(ctx context.Context, text []byte) (Identity, Outcome, Reason) {
	token, err := a.verify(ctx, text)
	if err != nil {
		reason := ReasonOf(err)
		if reason == ReasonNoKeys {
			return Identity{}, Undecided, reason
		}
		return Identity{}, Unauthorized, reason
	}
	if token.Use != UseAccess {
		return Identity{}, Unauthorized, ReasonNotAccess
	}
	kind := KindUser
	if token.Username == "" {
		kind = KindClient
	}
	return Identity{
		Kind: kind, Subject: token.Subject, Username: token.Username, Scopes: token.Scopes,
		ClientID: token.ClientID, Client: a.pools[token.Issuer].Clients[token.ClientID],
	}, Allowed, ""
}

// verify verifies a token, or remembers that it did: the same text, signed with
// the same key. It is forgotten when it expires, and when its issuer's keys are
// read anew and do not hold that key. What is remembered is no credential: what
// was signed, and a digest of the signature. So only who knows the signature has
// anything compared with what was signed.
func (a *Authorizer) verify(ctx context.Context, text []byte) (*Token, error) {
	first := bytes.IndexByte(text, '.')
	dot := first + 1 + bytes.IndexByte(text[first+1:], '.')
	if first < 0 || dot == first || len(text) > MaxTokenBytes || len(text)-dot > maxSignatureText {
		return nil, refuse(ReasonMalformed)
	}
	digest := sha256.Sum256(text[dot:])
	a.mu.Lock()
	known, ok := a.seen.get(digest)
	a.mu.Unlock()
	if ok && known.signed == string(text[:dot]) {
		v := a.pools[known.Issuer].Verifier
		key, err := v.config.Keys.Key(ctx, known.kid)
		if err == nil && key == known.key && v.config.Now().Before(known.Expires) {
			return known.Token, nil
		}
		a.mu.Lock()
		a.seen.remove(digest)
		a.mu.Unlock()
	}
	verified, err := verify(ctx, text, func(issuer string) *Verifier { return a.pools[issuer].Verifier })
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.seen.put(digest, verified)
	a.mu.Unlock()
	return verified.Token, nil
}

// refuses says why a route does not take a caller, or that it does.
func (r *Route) refuses(caller *Identity) Reason {
	if r == nil {
		return ReasonRoute
	}
	if caller.Kind == KindCustomer {
		switch {
		case len(r.Key) == 0:
			return ReasonRoute
		case !holdsAny(caller.Scopes, r.Key):
			return ReasonScope
		}
		return ReasonAllowed
	}
	reason := ReasonRoute
	for i := range r.Tokens {
		rule := &r.Tokens[i]
		switch {
		case !rule.AnyClient && (caller.Client == "" || !slices.Contains(rule.Clients, caller.Client)):
			if reason != ReasonScope {
				reason = ReasonClient
			}
		case !holdsAny(caller.Scopes, rule.Scopes):
			reason = ReasonScope
		default:
			return ReasonAllowed
		}
	}
	return reason
}
