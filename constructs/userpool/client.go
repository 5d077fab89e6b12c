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

// rotationGrace is how long a refresh token that was replaced works on, so
// that an app whose answer got lost may ask again. Cognito takes up to a
// minute.
const rotationGrace = 30 * time.Second

// declareClient declares a client of any kind. Cognito refuses a client whose
// scopes do not exist yet, so a client waits for the resource servers that
// define them.
func (u *UserPool) declareClient(this constructs.Construct, c client, p Props) {
	settings := awscognito.UserPoolClientProps{
		UserPool:                   u.Pool,
		UserPoolClientName:         jsii.String(c.name),
		GenerateSecret:             jsii.Bool(c.secret),
		AccessTokenValidity:        minutes(p.AccessTokenLifetime),
		EnableTokenRevocation:      jsii.Bool(true),
		PreventUserExistenceErrors: jsii.Bool(true),
		// Left out, Cognito would also allow sign-in by its own API, which
		// gives tokens the administrative scope.
		AuthFlows: &awscognito.AuthFlow{UserSrp: jsii.Bool(false), Custom: jsii.Bool(false)},
		OAuth: &awscognito.OAuthSettings{
			Flows:  &awscognito.OAuthFlows{ClientCredentials: jsii.Bool(true)},
			Scopes: oauthScopes(c.scopes),
		},
	}
	if c.signIn != nil {
		c.signIn.apply(&settings, p)
		switch {
		case c.signIn.srp:
			// With the refresh flow that the CDK adds, which excludes rotation.
			settings.AuthFlows.UserSrp = jsii.Bool(true)
		case !c.secret:
			rotate(&settings)
		}
	}
	declared := awscognito.NewUserPoolClient(this, jsii.String(childID("Client", c.name)), &settings)
	if c.signIn != nil && slices.ContainsFunc(p.AccessTokenClaims, isCustom) {
		declared.Node().DefaultChild().(awscognito.CfnUserPoolClient).SetWriteAttributes(jsii.Strings(standardAttributes...))
	}
	for _, id := range slices.Sorted(maps.Keys(u.ResourceServers)) {
		if definesAny(id, c.scopes) {
			declared.Node().AddDependency(u.ResourceServers[id])
		}
	}
	u.Clients[c.name] = declared
	u.clientScopes[c.name] = slices.Clone(c.scopes)
}

func (s *signIn) apply(settings *awscognito.UserPoolClientProps, p Props) {
	settings.IdTokenValidity = minutes(p.IDTokenLifetime)
	settings.RefreshTokenValidity = minutes(s.refreshTokenLifetime)
	settings.OAuth.Flows = &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)}
	settings.OAuth.CallbackUrls = jsii.Strings(s.callbacks...)
	if len(s.logouts) > 0 {
		settings.OAuth.LogoutUrls = jsii.Strings(s.logouts...)
	}
}

// rotate makes each refresh token work once. Cognito then refuses the
// REFRESH_TOKEN_AUTH flow, and takes an empty list of flows for its default
// one, so one flow must be named: custom sign-in, which admits nobody as long
// as the pool has no trigger that defines its challenges.
func rotate(settings *awscognito.UserPoolClientProps) {
	settings.RefreshTokenRotationGracePeriod = awscdk.Duration_Seconds(jsii.Number(rotationGrace.Seconds()))
	settings.AuthFlows = &awscognito.AuthFlow{Custom: jsii.Bool(true)}
}

func definesAny(serverID string, scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool {
		slash := strings.LastIndex(scope, "/")
		return slash >= 0 && scope[:slash] == serverID
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
