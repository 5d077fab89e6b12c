package idp

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// poolName is a UserPoolDescriptionType.
type poolName struct {
	Id   string //nolint:revive // AWS's name
	Name string
}

func (a *API) listUserPools(_ context.Context, in *struct {
	MaxResults int    `check:"required"`
	NextToken  string `check:"max=131072"`
}) (any, error) {
	some, following, err := page(slices.Sorted(maps.Keys(a.pools)), &in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	answer := struct {
		UserPools []poolName
		NextToken string `json:",omitempty"`
	}{[]poolName{}, following}
	for _, id := range some {
		answer.UserPools = append(answer.UserPools, poolName{id, a.pools[id].Pool().Name})
	}
	return answer, nil
}

// clientName is a UserPoolClientDescription.
type clientName struct {
	ClientId   string //nolint:revive // AWS's name
	UserPoolId string //nolint:revive // AWS's name
	ClientName string
}

func (a *API) listUserPoolClients(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	MaxResults *int
	NextToken  string `check:"max=131072"`
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	some, following, err := page(d.Pool().Clients, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	answer := struct {
		UserPoolClients []clientName
		NextToken       string `json:",omitempty"`
	}{[]clientName{}, following}
	for _, c := range some {
		answer.UserPoolClients = append(answer.UserPoolClients, clientName{c.ID, in.UserPoolId, c.Name})
	}
	return answer, nil
}

// schemaType is a SchemaAttributeType.
type schemaType struct {
	Name              string
	AttributeDataType string
	Mutable           bool
	Required          bool
}

// passwordPolicy is a PasswordPolicyType.
type passwordPolicy struct {
	MinimumLength                 int
	RequireUppercase              bool
	RequireLowercase              bool
	RequireNumbers                bool
	RequireSymbols                bool
	TemporaryPasswordValidityDays int
}

type policies struct {
	PasswordPolicy passwordPolicy
}

type createConfig struct {
	AllowAdminCreateUserOnly bool
}

type usernameConfig struct {
	CaseSensitive bool
}

// poolType is what is known of a UserPoolType.
type poolType struct {
	Id                     string //nolint:revive // AWS's name
	Name                   string
	Arn                    string
	MfaConfiguration       string
	Policies               policies
	SchemaAttributes       []schemaType
	AutoVerifiedAttributes []string `json:",omitempty"`
	AliasAttributes        []string `json:",omitempty"`
	UsernameAttributes     []string `json:",omitempty"`
	UsernameConfiguration  usernameConfig
	AdminCreateUserConfig  createConfig
	DeletionProtection     string
	Domain                 string         `json:",omitempty"`
	CustomDomain           string         `json:",omitempty"`
	LambdaConfig           map[string]any `json:",omitempty"`
	EstimatedNumberOfUsers int
}

func (a *API) describeUserPool(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	p := d.Pool()
	policy := p.PasswordPolicy
	answer := poolType{
		Id: p.ID, Name: p.Name, Arn: p.ARN, MfaConfiguration: p.MFA,
		Policies: policies{passwordPolicy{
			policy.MinLength, policy.Uppercase, policy.Lowercase, policy.Numbers, policy.Symbols, int(policy.TemporaryLifetime / (24 * time.Hour)),
		}},
		AutoVerifiedAttributes: p.AutoVerified, AliasAttributes: p.AliasAttributes, UsernameAttributes: p.UsernameAttributes,
		UsernameConfiguration: usernameConfig{p.CaseSensitive}, AdminCreateUserConfig: createConfig{!p.SelfSignUp},
		DeletionProtection: "INACTIVE", Domain: p.DomainPrefix, CustomDomain: p.CustomDomain,
		LambdaConfig: lambdaConfig(p), EstimatedNumberOfUsers: len(d.Users(nil)),
	}
	if p.DeletionProtection {
		answer.DeletionProtection = "ACTIVE"
	}
	for _, s := range d.Schema() {
		answer.SchemaAttributes = append(answer.SchemaAttributes, schemaType{s.Name, s.Type, s.Mutable, s.Required})
	}
	return struct{ UserPool poolType }{answer}, nil
}

// preTokenConfig is a PreTokenGenerationVersionConfigType.
type preTokenConfig struct {
	LambdaVersion string
	LambdaArn     string
}

// lambdaConfig is a LambdaConfigType. Its other objects, of senders and of
// federation, are left out: nothing here calls them.
func lambdaConfig(p *assembly.UserPool) map[string]any {
	out := map[string]any{}
	for name, functionARN := range p.Triggers {
		switch name {
		case "PreTokenGenerationConfig":
			out[name] = preTokenConfig{p.PreTokenVersion, functionARN}
		case "CustomEmailSender", "CustomSMSSender", "InboundFederation":
		default:
			out[name] = functionARN
		}
	}
	return out
}

type rotation struct {
	Feature                 string
	RetryGracePeriodSeconds int
}

// units are a TokenValidityUnitsType: everything is said in minutes.
type units struct {
	AccessToken, IdToken, RefreshToken string //nolint:revive // AWS's names
}

// clientType is a UserPoolClientType.
type clientType struct {
	UserPoolId                      string //nolint:revive // AWS's name
	ClientName                      string
	ClientId                        string    //nolint:revive // AWS's name
	ClientSecret                    string    `json:",omitempty"`
	AllowedOAuthFlows               []string  `json:",omitempty"`
	AllowedOAuthScopes              []string  `json:",omitempty"`
	AllowedOAuthFlowsUserPoolClient bool      `json:",omitempty"`
	CallbackURLs                    []string  `json:",omitempty"`
	LogoutURLs                      []string  `json:",omitempty"`
	ExplicitAuthFlows               []string  `json:",omitempty"`
	ReadAttributes                  []string  `json:",omitempty"`
	WriteAttributes                 []string  `json:",omitempty"`
	RefreshTokenRotation            *rotation `json:",omitempty"`
	PreventUserExistenceErrors      string
	EnableTokenRevocation           bool
	AccessTokenValidity             int
	IdTokenValidity                 int //nolint:revive // AWS's name
	RefreshTokenValidity            int
	TokenValidityUnits              units
	AuthSessionValidity             int
}

func (a *API) describeUserPoolClient(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"`  //nolint:revive // AWS's name
	ClientId   string `check:"required,max=128"` //nolint:revive // AWS's name
}) (any, error) {
	_, c, err := a.poolClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	return struct{ UserPoolClient clientType }{clientOf(in.UserPoolId, c)}, nil
}

func clientOf(poolID string, c *directory.Client) clientType {
	minutes := func(d time.Duration) int { return int(d / time.Minute) }
	declared := c.UserPoolClient
	out := clientType{
		UserPoolId: poolID, ClientName: declared.Name, ClientId: declared.ID, ClientSecret: c.Secret,
		AllowedOAuthFlows: declared.Flows, AllowedOAuthScopes: declared.Scopes, AllowedOAuthFlowsUserPoolClient: declared.OAuth,
		CallbackURLs: declared.Callbacks, LogoutURLs: declared.Logouts, ExplicitAuthFlows: declared.AuthFlows,
		ReadAttributes: declared.ReadAttributes, WriteAttributes: declared.WriteAttributes,
		PreventUserExistenceErrors: "LEGACY", EnableTokenRevocation: declared.Revokes,
		AccessTokenValidity: minutes(declared.AccessTokenLifetime), IdTokenValidity: minutes(declared.IDTokenLifetime),
		RefreshTokenValidity: minutes(declared.RefreshTokenLifetime), TokenValidityUnits: units{"minutes", "minutes", "minutes"},
		AuthSessionValidity: max(minutes(declared.SessionLifetime), 3),
	}
	if declared.HidesUsers {
		out.PreventUserExistenceErrors = "ENABLED"
	}
	if declared.RotatesRefreshTokens {
		out.RefreshTokenRotation = &rotation{"ENABLED", int(declared.RetryGracePeriod.Seconds())}
	}
	return out
}
