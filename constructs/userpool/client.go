package userpool

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Client is a program that may obtain tokens. [Machine] is one.
type Client interface {
	name() string
	scopes() []string
	// settings are what this kind of client differs in.
	settings() awscognito.UserPoolClientProps
}

// Machine is a server without a user. It proves itself with a secret and gets
// tokens by the client_credentials grant (RFC 6749 section 4.4), for scopes of
// resource servers only.
type Machine struct {
	// Name tells the client from the pool's others.
	Name string
	// Scopes are what the client may ask for, at least one.
	Scopes []string
}

var _ Client = Machine{}

func (m Machine) name() string     { return m.Name }
func (m Machine) scopes() []string { return m.Scopes }

func (m Machine) settings() awscognito.UserPoolClientProps {
	return awscognito.UserPoolClientProps{
		GenerateSecret: jsii.Bool(true),
		OAuth: &awscognito.OAuthSettings{
			Flows: &awscognito.OAuthFlows{ClientCredentials: jsii.Bool(true)},
		},
	}
}

// declareClient adds to a kind's settings what all clients share. Cognito
// refuses a client whose scopes do not exist yet, so a client waits for the
// resource servers that define them.
func (u *UserPool) declareClient(this constructs.Construct, c Client, p Props) awscognito.UserPoolClient {
	settings := c.settings()
	settings.UserPool = u.Pool
	settings.UserPoolClientName = jsii.String(c.name())
	settings.OAuth.Scopes = oauthScopes(c.scopes())
	settings.AccessTokenValidity = minutes(p.AccessTokenLifetime)
	settings.EnableTokenRevocation = jsii.Bool(true)
	settings.PreventUserExistenceErrors = jsii.Bool(true)
	// Left out, Cognito would allow SRP and custom sign-in.
	settings.AuthFlows = &awscognito.AuthFlow{UserSrp: jsii.Bool(false), Custom: jsii.Bool(false)}

	client := awscognito.NewUserPoolClient(this, jsii.String(childID("Client", c.name())), &settings)
	for _, id := range slices.Sorted(maps.Keys(u.ResourceServers)) {
		if definesAny(id, c.scopes()) {
			client.Node().AddDependency(u.ResourceServers[id])
		}
	}
	return client
}

func definesAny(serverID string, scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool {
		return scope[:strings.LastIndex(scope, "/")] == serverID
	})
}

func oauthScopes(names []string) *[]awscognito.OAuthScope {
	var scopes []awscognito.OAuthScope
	for _, name := range names {
		scopes = append(scopes, awscognito.OAuthScope_Custom(jsii.String(name)))
	}
	return &scopes
}

func minutes(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Minutes(jsii.Number(d.Minutes()))
}
