package userpool

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/constructs/gofunction"
)

const (
	triggerPackage = "github.com/gatewright/gatewright/lambdas/pretoken"
	// Environment variables that name the claims and the scopes.
	triggerClaims = "ACCESS_TOKEN_CLAIMS"
	triggerScopes = "SDK_SCOPES"
)

// standardAttributes are the user attributes of OpenID Connect Core section
// 5.1 that a user pool has, without the marks that another one is verified.
var standardAttributes = []string{
	"address", "birthdate", "email", "family_name", "gender", "given_name", "locale", "middle_name",
	"name", "nickname", "phone_number", "picture", "preferred_username", "profile", "website", "zoneinfo",
}

// reservedClaims are those that Cognito writes and no trigger may ("Pre token
// generation Lambda trigger"), and those on which API Gateway, our own
// authorizers or a handler decide.
var reservedClaims = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat",
	"identities", "iss", "jti", "nbf", "nonce", "origin_jti", "scope", "sub", "token_use", "username", "version",
}

func isCustom(attribute string) bool { return strings.HasPrefix(attribute, "custom:") }

var customAttributePattern = regexp.MustCompile(`^custom:[\w.-]{1,20}$`)

func claimProblems(claims []string) []error {
	var problems []error
	for i, claim := range claims {
		at := fmt.Sprintf("AccessTokenClaims[%d] %q", i, claim)
		switch {
		case slices.Contains(claims[:i], claim):
			problems = append(problems, fmt.Errorf("%s: twice", at))
		case slices.Contains(reservedClaims, claim) || strings.HasPrefix(claim, "cognito:"):
			problems = append(problems, fmt.Errorf("%s: reserved; Cognito writes this claim itself", at))
		case !slices.Contains(standardAttributes, claim) && !customAttributePattern.MatchString(claim):
			problems = append(problems, fmt.Errorf("%s: no user attribute; write custom: and its name, or one of %s", at, strings.Join(standardAttributes, ", ")))
		}
	}
	return problems
}

// sdkScopeProblems wants every client that signs users in by SRP to be one that
// may ask for the scopes: the function adds them to the tokens of all of those,
// and a client's Scopes say all that its tokens can carry.
func (p Props) sdkScopeProblems() []error {
	var problems []error
	defined, srp := p.definedScopes(), 0
	for _, declared := range p.Clients {
		if declared == nil {
			continue // reported already
		}
		c := declared.describe()
		if c.signIn == nil || !c.signIn.srp {
			continue
		}
		srp++
		for i, scope := range p.SDKScopes {
			if slices.Contains(defined, scope) && !slices.Contains(c.scopes, scope) {
				problems = append(problems, fmt.Errorf("SDKScopes[%d] %q: the client %q may not ask for it; add it to its Scopes", i, scope, c.name))
			}
		}
	}
	if srp == 0 && len(p.SDKScopes) > 0 {
		problems = append(problems, errors.New("SDKScopes: no client has SRP, so no SDK signs users in; remove them or write SRP: true"))
	}
	for i, scope := range p.SDKScopes {
		if !slices.Contains(defined, scope) {
			problems = append(problems, fmt.Errorf("SDKScopes[%d]: unknown scope %q; the resource servers define %q", i, scope, defined))
		}
		if slices.Contains(p.SDKScopes[:i], scope) {
			problems = append(problems, fmt.Errorf("SDKScopes[%d] %q: twice", i, scope))
		}
	}
	return problems
}

// addPreToken declares the function that writes user attributes and scopes into
// access tokens, and lets the pool call it. The function knows nothing of the
// pool, not even its clients' ids, so neither waits for the other.
func addPreToken(this constructs.Construct, pool awscognito.UserPool, p Props) *gofunction.Function {
	environment := map[string]string{}
	if len(p.AccessTokenClaims) > 0 {
		environment[triggerClaims] = strings.Join(p.AccessTokenClaims, ",")
	}
	if len(p.SDKScopes) > 0 {
		environment[triggerScopes] = strings.Join(p.SDKScopes, " ") // no scope has a space
	}
	trigger := gofunction.New(this, "PreToken", gofunction.Props{
		Package:     triggerPackage,
		Description: "Writes user attributes and scopes into access tokens",
		Environment: environment,
		// Cognito waits no longer ("Working with Lambda triggers").
		Timeout: 5 * time.Second,
	})
	pool.AddTrigger(awscognito.UserPoolOperation_PRE_TOKEN_GENERATION_CONFIG(), trigger.Function, awscognito.LambdaVersion_V2_0)
	return trigger
}
