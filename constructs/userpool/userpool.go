// Package userpool declares an Amazon Cognito user pool with its domain, the
// resource servers that define scopes, and the clients that may ask for them.
//
//	users := userpool.New(stack, "Users", userpool.Props{
//		ResourceServers: []userpool.ResourceServer{{
//			ID:     "orders",
//			Scopes: userpool.Scopes{"read": "Read orders"},
//		}},
//		Clients: []userpool.Client{userpool.Machine{
//			Name:   "billing",
//			Scopes: []string{"orders/read"},
//		}},
//	})
//
// Each kind of client is its own type, so a client cannot be given a setting
// that its kind must not have. CDK's own defaults for clients (the implicit
// grant, https://example.com as a callback, the administrative scope) never
// appear.
package userpool

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// DefaultAccessTokenLifetime is how long an access token is valid by default.
const DefaultAccessTokenLifetime = 15 * time.Minute

// Props describes a user pool.
type Props struct {
	// ResourceServers define the scopes that clients ask for and routes take.
	// Default: none. An id or a scope that Cognito would refuse is an error.
	ResourceServers []ResourceServer
	// Clients are the programs that may obtain tokens. Default: none. A name
	// twice, or a scope that no resource server defines, is an error.
	Clients []Client
	// AccessTokenLifetime is how long an access token is valid, in whole
	// minutes from 5 minutes to 24 hours. Default: 15 minutes.
	AccessTokenLifetime time.Duration
	// DomainPrefix is the pool's host below amazoncognito.com, unique among
	// all accounts of a Region: 1 to 63 lower-case letters, digits and
	// hyphens. Default: one made from the stack's id when it is deployed.
	DomainPrefix string
	// RemovalPolicy says what happens to the pool, and all its users, when its
	// stack is deleted. Default: RETAIN, with deletion protection.
	RemovalPolicy awscdk.RemovalPolicy
}

// UserPool is a user pool with its domain, resource servers and clients.
type UserPool struct {
	// Pool, Domain, ResourceServers (by id) and Clients (by name) are the
	// CDK's objects.
	Pool            awscognito.UserPool
	Domain          awscognito.UserPoolDomain
	ResourceServers map[string]awscognito.UserPoolResourceServer
	Clients         map[string]awscognito.UserPoolClient

	scopes []string
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
	u := &UserPool{
		Pool: pool,
		Domain: pool.AddDomain(jsii.String("Domain"), &awscognito.UserPoolDomainOptions{
			CognitoDomain: &awscognito.CognitoDomainOptions{DomainPrefix: jsii.String(p.domainPrefix(this))},
		}),
		ResourceServers: map[string]awscognito.UserPoolResourceServer{},
		Clients:         map[string]awscognito.UserPoolClient{},
		scopes:          p.definedScopes(),
	}
	for _, server := range p.ResourceServers {
		u.ResourceServers[server.ID] = server.declare(this, pool)
	}
	for _, client := range p.Clients {
		u.Clients[client.name()] = u.declareClient(this, client, p)
	}
	return u
}

func newPool(this constructs.Construct, p Props) awscognito.UserPool {
	return awscognito.NewUserPool(this, jsii.String("Pool"), &awscognito.UserPoolProps{
		AccountRecovery:     awscognito.AccountRecovery_EMAIL_ONLY,
		AutoVerify:          &awscognito.AutoVerifiedAttrs{Email: jsii.Bool(true)},
		DeletionProtection:  jsii.Bool(p.RemovalPolicy == awscdk.RemovalPolicy_RETAIN),
		FeaturePlan:         awscognito.FeaturePlan_ESSENTIALS,
		PasswordPolicy:      &awscognito.PasswordPolicy{MinLength: jsii.Number(12)},
		RemovalPolicy:       p.RemovalPolicy,
		SelfSignUpEnabled:   jsii.Bool(false),
		SignInAliases:       &awscognito.SignInAliases{Email: jsii.Bool(true)},
		SignInCaseSensitive: jsii.Bool(false),
	})
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

// Scopes returns every scope that the pool's resource servers define, in
// order: "orders/read".
func (u *UserPool) Scopes() []string { return slices.Clone(u.scopes) }

// CreateOnly returns the values whose change gives the pool a new ARN behind
// an unchanged reference (AWS::Cognito::UserPool, "Update requires:
// Replacement").
func (u *UserPool) CreateOnly() []any {
	resource := u.Pool.Node().DefaultChild().(awscognito.CfnUserPool)
	return []any{resource.AliasAttributes(), resource.UsernameAttributes(), resource.UsernameConfiguration()}
}

func (p Props) withDefaults() Props {
	if p.AccessTokenLifetime == 0 {
		p.AccessTokenLifetime = DefaultAccessTokenLifetime
	}
	if p.RemovalPolicy == "" {
		p.RemovalPolicy = awscdk.RemovalPolicy_RETAIN
	}
	return p
}

func (p Props) definedScopes() []string {
	var scopes []string
	for _, server := range p.ResourceServers {
		for _, name := range slices.Sorted(maps.Keys(server.Scopes)) {
			scopes = append(scopes, server.ID+"/"+name)
		}
	}
	slices.Sort(scopes)
	return scopes
}
