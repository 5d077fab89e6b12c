// Package userpool declares an Amazon Cognito user pool with its domain, the
// resource servers that define scopes, and the clients that may ask for them.
//
//	users := userpool.New(stack, "Users", userpool.Props{
//		ResourceServers: []userpool.ResourceServer{{
//			ID:     "orders",
//			Scopes: userpool.Scopes{"read": "Read orders"},
//		}},
//		Clients: []userpool.Client{
//			userpool.Browser{
//				Name:      "website",
//				Scopes:    []string{"openid", "orders/read"},
//				Callbacks: []string{"https://shop.example.com/callback"},
//			},
//			userpool.Machine{Name: "billing", Scopes: []string{"orders/read"}},
//		},
//	})
//
// Each kind of client is its own type, so a client cannot be given a setting
// that its kind must not have. CDK's own defaults for clients (the implicit
// grant, https://example.com as a callback, the administrative scope) never
// appear. [Import] takes a pool that exists already.
//
// Users sign in with their e-mail address and only at the pool's own domain,
// never with a password that an app has seen, unless a client is given SRP.
// Nobody learns from an answer whether a user exists.
package userpool

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/gofunction"
)

// How long tokens are valid by default.
const (
	DefaultAccessTokenLifetime = 15 * time.Minute
	DefaultIDTokenLifetime     = 15 * time.Minute
)

// Props describes a user pool.
type Props struct {
	// ResourceServers define the scopes that clients ask for and routes take.
	// Default: none. An id or a scope that Cognito would refuse is an error.
	ResourceServers []ResourceServer
	// Clients are the programs that may obtain tokens. Default: none. A nil
	// client, a name twice, or a scope that no resource server defines, is an
	// error.
	Clients []Client
	// AccessTokenLifetime is how long an access token is valid, in whole
	// minutes from 5 minutes to 24 hours. Another is an error. Default: 15
	// minutes.
	AccessTokenLifetime time.Duration
	// IDTokenLifetime is how long an ID token is valid, in whole minutes from
	// 5 minutes to 24 hours. Another is an error. Default: 15 minutes.
	IDTokenLifetime time.Duration
	// AccessTokenClaims are user attributes to write into users' access
	// tokens, where handlers read them: "email". An e-mail address or a phone
	// number is written once it is verified; others as they are, and with
	// SelfSignUp or SRP a user makes up the standard ones. A machine's tokens
	// have no user and stay as they are. A function of this module does it; it is
	// built with the app. A custom attribute ("custom:tier") is one that you add
	// to the pool's schema through Pool; where one is a claim, no client lets a
	// user write any custom one. Default: none. A claim that Cognito writes
	// itself (sub, iss, exp, …) is an error.
	AccessTokenClaims []string
	// SDKScopes are scopes of the resource servers for the access tokens of
	// users whom an app has signed in itself, by SRP, as SDKs do: Cognito gives
	// those none. The same function as for AccessTokenClaims adds them to every
	// token with aws.cognito.signin.user.admin. Default: none. One that a client
	// with SRP may not ask for, one twice, and any without such a client, is an
	// error.
	SDKScopes []string
	// Password says which passwords users may choose. Default: 12 characters
	// with a lower-case and an upper-case letter, a digit and a symbol.
	Password PasswordPolicy
	// MFA says whether users prove a second factor, by an authenticator app:
	// MFAOff, MFAOptional or MFARequired. Another is an error. Default: MFAOff.
	MFA MFA
	// SelfSignUp lets anyone make a user, with a code sent to the e-mail
	// address. Default: false, users are created by those who may.
	SelfSignUp bool
	// DomainPrefix is the pool's host below amazoncognito.com, unique among
	// all accounts of a Region: 1 to 63 lower-case letters, digits and, within,
	// hyphens. Another is an error, and so is one that holds "aws", "amazon" or
	// "cognito", which Cognito reserves. Default: one made from the stack's id
	// when it is deployed.
	DomainPrefix string
	// RemovalPolicy says what happens to the pool, and all its users, when its
	// stack is deleted: RETAIN, which comes with deletion protection, or
	// DESTROY. Another is an error. Default: RETAIN.
	RemovalPolicy awscdk.RemovalPolicy
}

// UserPool is a user pool with its domain, resource servers and clients:
// declared by [New], or one that exists, by [Import].
type UserPool struct {
	// Pool, Domain, ResourceServers (by id) and Clients (by name) are the
	// CDK's objects. An imported pool has no ResourceServers, and a Domain
	// only where the import names one.
	Pool            awscognito.IUserPool
	Domain          awscognito.IUserPoolDomain
	ResourceServers map[string]awscognito.UserPoolResourceServer
	Clients         map[string]awscognito.IUserPoolClient
	// PreToken is the function behind AccessTokenClaims and SDKScopes; nil
	// without them.
	PreToken *gofunction.Function

	scopes       []string
	clientScopes map[string][]string // by client's name; an imported pool's are not known
	issuer       string
	baseURL      string
}

// New declares the pool. It panics with an error that names the construct and
// holds every problem where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *UserPool {
	this := constructs.NewConstruct(scope, jsii.String(id))
	p = p.withDefaults()
	if err := p.validate(); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	pool := newPool(this, p)
	domain := pool.AddDomain(jsii.String("Domain"), &awscognito.UserPoolDomainOptions{
		CognitoDomain: &awscognito.CognitoDomainOptions{DomainPrefix: jsii.String(p.domainPrefix(this))},
	})
	u := &UserPool{
		Pool:            pool,
		Domain:          domain,
		ResourceServers: map[string]awscognito.UserPoolResourceServer{},
		Clients:         map[string]awscognito.IUserPoolClient{},
		scopes:          p.definedScopes(),
		clientScopes:    map[string][]string{},
		issuer:          *pool.UserPoolProviderUrl(),
		baseURL:         *domain.BaseUrl(nil),
	}
	for _, server := range p.ResourceServers {
		u.ResourceServers[server.ID] = server.declare(this, pool)
	}
	for _, client := range p.Clients {
		u.declareClient(this, client.describe(), p)
	}
	if len(p.AccessTokenClaims) > 0 || len(p.SDKScopes) > 0 {
		u.PreToken = addPreToken(this, pool, p)
	}
	return u
}

func newPool(this constructs.Construct, p Props) awscognito.UserPool {
	settings := &awscognito.UserPoolProps{
		AccountRecovery:     awscognito.AccountRecovery_EMAIL_ONLY,
		AutoVerify:          &awscognito.AutoVerifiedAttrs{Email: jsii.Bool(true)},
		DeletionProtection:  jsii.Bool(p.RemovalPolicy == awscdk.RemovalPolicy_RETAIN),
		FeaturePlan:         awscognito.FeaturePlan_ESSENTIALS,
		PasswordPolicy:      p.Password.cdk(),
		RemovalPolicy:       p.RemovalPolicy,
		SelfSignUpEnabled:   jsii.Bool(p.SelfSignUp),
		SignInAliases:       &awscognito.SignInAliases{Email: jsii.Bool(true)},
		SignInCaseSensitive: jsii.Bool(false),
	}
	p.MFA.apply(settings)
	return awscognito.NewUserPool(this, jsii.String("Pool"), settings)
}

// domainPrefix makes a prefix that no other account has: the random part of
// the stack's id (arn:…:stack/<name>/<uuid>), which stays as long as the stack
// does, and the construct's address within the app.
func (p Props) domainPrefix(this constructs.Construct) string {
	if p.DomainPrefix != "" {
		return p.DomainPrefix
	}
	parts := awscdk.Fn_Split(jsii.String("/"), awscdk.Stack_Of(this).StackId(), nil)
	uuid := awscdk.Fn_Select(jsii.Number(2), parts)
	return fmt.Sprintf("gw-%s-%s", *uuid, (*this.Node().Addr())[2:10])
}

// ARN is the pool's ARN.
func (u *UserPool) ARN() string { return *u.Pool.UserPoolArn() }

// Issuer is what the pool's tokens carry as iss. Its keys are at
// <Issuer>/.well-known/jwks.json.
func (u *UserPool) Issuer() string { return u.issuer }

// BaseURL is where users sign in and the token endpoint is, without a trailing
// slash; "" for an imported pool without a domain.
func (u *UserPool) BaseURL() string { return u.baseURL }

// Scopes returns every scope that the pool's resource servers define, in
// order: "orders/read".
func (u *UserPool) Scopes() []string { return slices.Clone(u.scopes) }

// ClientScopes returns what a client may ask for, by its name, and whether that
// is known: of an imported pool's clients it is not.
func (u *UserPool) ClientScopes(name string) (scopes []string, known bool) {
	scopes, known = u.clientScopes[name]
	return slices.Clone(scopes), known
}

// CreateOnly returns the values that only a new pool can have otherwise, with a
// new ARN behind an unchanged reference ("Settings you can't change", Amazon
// Cognito). An imported pool has none: its ARN is what the app wrote.
func (u *UserPool) CreateOnly() []any {
	resource, declared := u.Pool.Node().DefaultChild().(awscognito.CfnUserPool)
	if !declared {
		return nil
	}
	return []any{resource.AliasAttributes(), resource.UsernameAttributes(), resource.UsernameConfiguration()}
}

func (p Props) withDefaults() Props {
	p.AccessTokenLifetime = cmp.Or(p.AccessTokenLifetime, DefaultAccessTokenLifetime)
	p.IDTokenLifetime = cmp.Or(p.IDTokenLifetime, DefaultIDTokenLifetime)
	p.Password = p.Password.withDefaults()
	p.RemovalPolicy = cmp.Or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN)
	return p
}

func (p Props) definedScopes() []string { return scopesOf(p.ResourceServers) }

func (p Props) firstPartyScopes() []string {
	return scopesOf(slices.DeleteFunc(slices.Clone(p.ResourceServers), func(s ResourceServer) bool { return !s.FirstParty }))
}

func scopesOf(servers []ResourceServer) []string {
	var scopes []string
	for _, server := range servers {
		for _, name := range slices.Sorted(maps.Keys(server.Scopes)) {
			scopes = append(scopes, server.ID+"/"+name)
		}
	}
	slices.Sort(scopes)
	return scopes
}
