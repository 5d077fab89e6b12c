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
	SoftwareTokenMFA   bool   // authenticator apps are a second factor
	DeletionProtection bool

	PasswordPolicy     PasswordPolicy
	UsernameAttributes []string // "email", "phone_number": what people sign in with instead of a name of their own
	AliasAttributes    []string // what they may sign in with beside it
	AutoVerified       []string // what a code is sent to when somebody signs up
	Recovery           []string // "verified_email", "verified_phone_number", "admin_only", in order
	CaseSensitive      bool     // "Name" and "name" are two users
	// Attributes are what is declared of users beside the standard attributes,
	// or over them.
	Attributes []UserAttribute

	Groups []UserPoolGroup

	// Triggers are the ARNs of the functions of LambdaConfig, by its key; empty
	// for a function that is not known here.
	Triggers map[string]string
	// PreTokenFunctionARN is what changes tokens before they are signed, by an
	// event of PreTokenVersion: "V1_0" (ID tokens of users), "V2_0" (access tokens
	// of users, too) or "V3_0" (those of machines, too). Without a trigger both are
	// empty; a trigger whose function is not known has a version only.
	PreTokenFunctionARN string
	PreTokenVersion     string
}

// UserPoolGroup is an AWS::Cognito::UserPoolGroup.
type UserPoolGroup struct {
	Place
	Name        string
	Description string
	RoleARN     string
	Precedence  int // the lower, the more important; -1 for none
}

// PasswordPolicy is what a pool asks of a password.
type PasswordPolicy struct {
	MinLength                              int // characters
	Lowercase, Uppercase, Numbers, Symbols bool
	// TemporaryLifetime is how long somebody may wait before changing a password
	// that an operator has set. Seven days by default.
	TemporaryLifetime time.Duration
}

// UserAttribute is an attribute of a pool's schema.
type UserAttribute struct {
	Name     string // "email", "custom:plan"
	Type     string // "String", "Number", "DateTime" or "Boolean"
	Required bool
	Mutable  bool
	// MinLength and MaxLength bound a string; MaxLength is 2,048 by default.
	MinLength, MaxLength int
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

	// RotatesRefreshTokens is set where each refresh token works once, or again
	// within RetryGracePeriod, at most a minute.
	RotatesRefreshTokens bool
	RetryGracePeriod     time.Duration

	// ReadAttributes and WriteAttributes are what it sees and sets of its users;
	// nil where the template has none, which means every standard attribute.
	ReadAttributes, WriteAttributes []string

	SessionLifetime time.Duration // of a challenge in a sign-in; three minutes by default

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
// it, and those of AWS that are known here. Any other managed policy stands by
// its ARN.
type Role struct {
	Place
	Name     string
	ARN      string
	Trust    []iam.Statement
	Policies []Policy

	// Managed are the ARNs of attached policies whose statements are not known.
	Managed []string
	// Bounded is set where a permissions boundary, which is not read, may keep
	// the role from what its policies allow.
	Bounded bool
}

// Policy is an inline or managed policy of a role. One whose document was not
// understood may deny everything, which its only statement says.
type Policy struct {
	Place
	Name       string
	Statements []iam.Statement
}
