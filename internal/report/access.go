package report

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// adminScope is carried by the access tokens of users who sign in by Cognito's
// own API, whatever their client's scopes are.
const adminScope = "aws.cognito.signin.user.admin"

// request is any request of a route.
type request struct {
	assembly.Authorization
	place        assembly.Place
	key          bool
	method, path string
	apiID        string
	region       string
	account      string
	stages       []string
	policy       []iam.Statement
}

// access lists who may make a request. A key is asked for besides everything
// else, so it makes nobody a caller except where nothing else is asked.
func (b *builder) access(r request) []Access {
	list := []Access{}
	switch r.Type {
	case assembly.AuthorizationCognito, assembly.AuthorizerJWT:
		list = b.tokens(r)
	case assembly.AuthorizationCustom:
		if r.Rules != nil {
			list = b.ruled(r)
			break
		}
		list = append(list, Access{Caller: b.add(b.authorizer(r.Authorizer)), Conditional: true})
	case assembly.AuthorizationIAM:
		list = b.signed(r)
	default: // NONE, and what is not understood, which could be just that
		caller := Caller{ID: KindAnyone, Kind: KindAnyone, Name: "anyone"}
		if r.key {
			caller = Caller{ID: KindKey, Kind: KindKey, Name: "API key"}
		}
		list = append(list, Access{Caller: b.add(caller), Conditional: r.Type != assembly.AuthorizationNone})
	}
	if r.key {
		list = b.keyed(r, list)
	}
	// What signs nothing is anonymous to a resource policy, which then has to
	// allow it besides everything else.
	if r.policy != nil && r.Type != assembly.AuthorizationIAM && r.Type != "" {
		list = b.bounded(r, list)
	}
	return list
}

// keyed leaves of a list what an API key of the template opens. Without a plan
// on any stage no key does, and on one without a key of the template somebody
// must have added one elsewhere. A plan of which not all is known may be on any
// stage and let anything pass.
func (b *builder) keyed(r request, list []Access) []Access {
	planned, held := false, false
	for _, plan := range b.model.UsagePlans {
		covers := slices.ContainsFunc(plan.Stages, func(s assembly.UsagePlanStage) bool {
			return s.APIID == r.apiID && slices.Contains(r.stages, s.Stage) && admits(plan, s, r.method+" "+r.path)
		})
		planned = planned || covers || !b.model.Known(plan.Place, "ApiStages", "Quota", "Throttle")
		held = held || covers && slices.ContainsFunc(b.model.APIKeys, func(k *assembly.APIKey) bool {
			return k.Enabled && slices.Contains(plan.KeyIDs, k.ID)
		})
	}
	if !planned {
		return []Access{}
	}
	for i := range list {
		list[i].Conditional = list[i].Conditional || !held
	}
	return list
}

// admits reports whether a plan lets any request of a route pass.
func admits(plan *assembly.UsagePlan, stage assembly.UsagePlanStage, route string) bool {
	throttle := plan.Throttle
	if own, ok := stage.Throttles[route]; ok {
		throttle = &own
	}
	closed := throttle != nil && (throttle.Rate == 0 || throttle.Burst == 0)
	return !closed && (plan.Quota == nil || plan.Quota.Limit > 0)
}

// bounded leaves of a list what a resource policy does.
func (b *builder) bounded(r request, list []Access) []Access {
	if len(r.stages) == 0 {
		return list
	}
	allowed, possible := true, false
	for _, stage := range r.stages {
		q := b.invoke(r, stage)
		allowed = allowed && iam.Evaluate(r.policy, q) == iam.Allowed
		possible = possible || iam.Possible(r.policy, q)
	}
	if !possible {
		return []Access{}
	}
	for i := range list {
		list[i].Conditional = list[i].Conditional || !allowed
	}
	return list
}

func (b *builder) authorizer(a *assembly.Authorizer) Caller {
	if a == nil {
		return Caller{ID: KindAuthorizer, Kind: KindAuthorizer, Name: "authorizer"}
	}
	// Authorizers of one body share its place.
	return Caller{ID: KindAuthorizer + ":" + a.Path + ":" + a.Name, Kind: KindAuthorizer, Name: a.Name, Path: a.Path}
}

// client describes a client of a user pool.
func (b *builder) client(pool *assembly.UserPool, c assembly.UserPoolClient) Caller {
	caller := Caller{
		ID: KindClient + ":" + c.Path, Kind: KindClient, Name: b.name(c.Place), Path: c.Path, Of: pool.Path, Flows: c.Flows, Scopes: c.Scopes,
	}
	for _, property := range grantProperties {
		if !b.model.Known(c.Place, property) {
			caller.Unknown = append(caller.Unknown, property)
		}
	}
	return caller
}

// tokens lists the clients whose tokens a route takes, and the issuers that the
// stage does not declare.
func (b *builder) tokens(r request) []Access {
	list := []Access{}
	a := r.Authorizer
	if a == nil {
		return append(list, b.unknownIssuer())
	}
	found := false
	for _, pool := range b.model.UserPools {
		if pool.Issuer != a.Issuer && !slices.Contains(a.ProviderARNs, pool.ARN) {
			continue
		}
		found = true
		list = append(list, b.clients(pool, pool.Clients, asked{
			scopes: r.Scopes, jwt: a.Type == assembly.AuthorizerJWT, audiences: a.Audiences,
			open: !b.model.Known(r.place, "AuthorizationScopes"), anyAudience: !b.model.Known(a.Place, "JwtConfiguration"),
		})...)
	}
	for _, arn := range a.ProviderARNs {
		if b.model.UserPool(arn) == nil {
			list = append(list, b.issuer(arn))
		}
	}
	switch jwt := a.Type == assembly.AuthorizerJWT; {
	case jwt && a.Issuer == "", !jwt && len(a.ProviderARNs) == 0, !b.model.Known(a.Place, "ProviderARNs"), b.strays:
		list = append(list, b.unknownIssuer())
	case jwt && !found:
		list = append(list, b.issuer(a.Issuer))
	}
	return list
}

// ruled lists the customers and the clients whom Gatewright's own Lambda
// authorizer lets pass.
func (b *builder) ruled(r request) []Access {
	list := []Access{}
	if len(r.Rules.Key) > 0 {
		list = append(list, Access{Caller: b.add(Caller{ID: KindCustomer, Kind: KindCustomer, Name: "customers"})})
	}
	for _, pool := range b.model.UserPools {
		for _, c := range pool.Clients {
			list = append(list, b.ruledClient(r.Rules, pool, c)...)
		}
	}
	return list
}

// ruledClient lists a client that satisfies one of the rules, or would on
// conditions.
func (b *builder) ruledClient(rules *assembly.CallerRules, pool *assembly.UserPool, c assembly.UserPoolClient) []Access {
	var found []Access
	for _, rule := range rules.Tokens {
		if len(rule.Scopes) == 0 || !rule.Takes(pool, c) {
			continue
		}
		found = append(found, b.clients(pool, []assembly.UserPoolClient{c}, asked{scopes: rule.Scopes})...)
	}
	if i := slices.IndexFunc(found, func(a Access) bool { return !a.Conditional }); i > 0 {
		found[0] = found[i]
	}
	return found[:min(len(found), 1)]
}

// clients lists those of a pool that can obtain a token which is asked for, and
// on conditions those that could if more of them, or of the route, were known.
func (b *builder) clients(pool *assembly.UserPool, clients []assembly.UserPoolClient, by asked) []Access {
	var list []Access
	for _, c := range clients {
		switch {
		case by.known() && by.takes(c):
			list = append(list, Access{Caller: b.add(b.client(pool, c))})
		case by.atMost(c).takes(b.atMost(c, by)):
			list = append(list, Access{Caller: b.add(b.client(pool, c)), Conditional: true})
		}
	}
	return list
}

func (b *builder) issuer(name string) Access {
	return Access{
		Caller:      b.add(Caller{ID: KindIssuer + ":" + name, Kind: KindIssuer, Name: name[strings.LastIndexAny(name, "/")+1:]}),
		Conditional: true,
	}
}

// unknownIssuer is whoever issues tokens to a route whose authorizer is not
// known.
func (b *builder) unknownIssuer() Access {
	return Access{Caller: b.add(Caller{ID: KindIssuer, Kind: KindIssuer, Name: "unknown issuer"}), Conditional: true}
}

// signed lists the roles and guests who may make a signed request, and the
// resource policy's other principals.
func (b *builder) signed(r request) []Access {
	list := []Access{}
	asked := b.askedOf(r)
	for i, role := range b.model.Roles {
		access, ok := asRole(r, role, i, asked)
		if !ok {
			continue
		}
		guests := b.guests[role.ARN]
		for _, pool := range guests {
			access.Caller = b.add(Caller{ID: KindGuest + ":" + pool.Path, Kind: KindGuest, Name: b.name(pool.Place), Path: pool.Path, Of: role.Path})
			list = append(list, access)
		}
		if len(guests) == 0 {
			access.Caller = b.add(Caller{ID: KindRole + ":" + role.Path, Kind: KindRole, Name: b.name(role.Place), Path: role.Path})
			list = append(list, access)
		}
	}
	// Outside the stage, policies that are not known here may allow it.
	list = append(list, Access{Caller: b.add(Caller{ID: KindSigned, Kind: KindSigned, Name: "others who sign"}), Conditional: true})
	return list
}

// question is what a route's request to one stage asks of policies, and what
// those of each role say of it.
type question struct {
	stage string
	iam.Request
	byRole map[int][]iam.Statement
}

func (b *builder) askedOf(r request) []question {
	var out []question
	for _, stage := range r.stages {
		q := b.invoke(r, stage)
		out = append(out, question{stage, q, b.roles.About(q.Resource)})
	}
	return out
}

// asRole asks the role's policies, and in the same account those of the API as
// one with them ("IAM and resource policies", Amazon API Gateway). A principal
// of another account needs both.
func asRole(r request, role *assembly.Role, i int, asked []question) (Access, bool) {
	var allowed, possible []string
	for _, q := range asked {
		own := q.byRole[i]
		if len(own)+len(r.policy) == 0 {
			continue // nothing allows it
		}
		q.Principals = []string{role.ARN}
		q.Context = map[string][]string{"aws:SecureTransport": {"true"}, "aws:PrincipalArn": q.Principals}
		sets := [][]iam.Statement{slices.Concat(own, r.policy)}
		if !strings.Contains(role.ARN, ":"+r.account+":") {
			sets = [][]iam.Statement{own, r.policy}
		}
		if !slices.ContainsFunc(sets, func(s []iam.Statement) bool { return iam.Evaluate(s, q.Request) != iam.Allowed }) {
			allowed = append(allowed, q.stage)
		}
		if !slices.ContainsFunc(sets, func(s []iam.Statement) bool { return !iam.Possible(s, q.Request) }) {
			possible = append(possible, q.stage)
		}
	}
	access := Access{Conditional: len(allowed) < len(possible)}
	if len(possible) < len(r.stages) {
		access.Stages = possible
	}
	return access, len(possible) > 0
}

// invoke is a route's request to a stage. API Gateway speaks TLS only; of what
// else a condition may ask for nothing is known.
func (b *builder) invoke(r request, stage string) iam.Request {
	segments := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	for i, segment := range segments {
		switch {
		case strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "+}"), segment == "$default":
			segments[i] = "**"
		case strings.HasPrefix(segment, "{"):
			segments[i] = "*"
		}
	}
	method := r.method
	if method == "ANY" {
		method = "*"
	}
	return iam.Request{
		Action:   "execute-api:Invoke",
		Resource: strings.Join([]string{"arn", assembly.Partition(r.region), "execute-api", r.region, r.account, ""}, ":") + strings.Join(append([]string{r.apiID, stage, method}, segments...), "/"),
		Context:  map[string][]string{"aws:SecureTransport": {"true"}, "aws:PrincipalArn": nil},
	}
}
