package assembly

import (
	"time"

	"github.com/gatewright/gatewright/internal/iam"
)

// UserPool is an AWS::Cognito::UserPool, its domain, resource servers and clients.
type UserPool struct {
	Place
	ID     string // "eu-west-1_AbCdEfGhI"
	ARN    string
	Name   string
	Issuer string // what its tokens carry as iss

	DomainPrefix    string // of its host under amazoncognito.com; empty for none
	CustomDomain    string // host of its own, such as "auth.example.com"; empty for none
	ResourceServers []ResourceServer
	Clients         []UserPoolClient

	// SelfSignUp is set where anyone may create a user.
	SelfSignUp         bool
	MFA                string // "OFF", "ON" or "OPTIONAL"
	DeletionProtection bool

	// Triggers are the ARNs of the functions of LambdaConfig, by its key; empty
	// for a function that is not known here.
	Triggers map[string]string
	// PreTokenFunctionARN is what changes users' tokens before they are signed,
	// by an event of version 2; machines' tokens stay as they are. Empty for none.
	PreTokenFunctionARN string
}

// ResourceServer is an AWS::Cognito::UserPoolResourceServer.
type ResourceServer struct {
	Place
	Identifier string
	Scopes     []string // full names: "notes/read"
}

// UserPoolClient is an AWS::Cognito::UserPoolClient.
type UserPoolClient struct {
	Place
	ID        string
	Name      string
	HasSecret bool

	OAuth     bool     // AllowedOAuthFlowsUserPoolClient
	Flows     []string // "client_credentials", "code", "implicit"
	Scopes    []string // full names
	Callbacks []string
	Logouts   []string

	// AuthFlows are the sign-ins without a browser that it may use, as
	// ExplicitAuthFlows names them today ("ALLOW_USER_SRP_AUTH"). Cognito's
	// default where the template has none.
	AuthFlows []string
	// HidesUsers is set where an unknown user and a wrong password look alike.
	HidesUsers bool
	// Revokes is set where its refresh tokens can be revoked, as by default.
	Revokes bool

	// RotatesRefreshTokens is set where each refresh token works once.
	RotatesRefreshTokens bool

	AccessTokenLifetime  time.Duration // one hour by default
	IDTokenLifetime      time.Duration // one hour by default
	RefreshTokenLifetime time.Duration // 30 days by default
}

// IdentityPool is an AWS::Cognito::IdentityPool with its roles.
type IdentityPool struct {
	Place
	ID      string // "eu-west-1:00000000-0000-0000-0000-000000000000"
	Name    string
	Guests  bool // AllowUnauthenticatedIdentities
	Classic bool // AllowClassicFlow

	GuestRoleARN string // empty for none
	UserRoleARN  string // of users who signed in; empty for none
	// ClientIDs are the user-pool clients whose users it takes.
	ClientIDs []string
	// Providers are the other ways to sign in: hosts and ARNs of identity
	// providers.
	Providers []string
}

// Role is an AWS::IAM::Role with every policy of the stage that is attached to
// it, and those of AWS that speak of every API. Any other managed policy stands
// by its ARN.
type Role struct {
	Place
	Name     string
	ARN      string
	Trust    []iam.Statement
	Policies []Policy

	// Managed are the ARNs of attached policies whose statements are not known.
	Managed []string
}

// Policy is an inline or managed policy of a role. One whose document was not
// understood may deny everything, which its only statement says.
type Policy struct {
	Place
	Name       string
	Statements []iam.Statement
}
