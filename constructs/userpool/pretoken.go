package userpool

import (
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
	// triggerClaims is the environment variable that names the claims.
	triggerClaims = "ACCESS_TOKEN_CLAIMS"
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

// addPreToken declares the function that writes user attributes into access
// tokens, and lets the pool call it. The function knows nothing of the pool,
// so neither waits for the other.
func addPreToken(this constructs.Construct, pool awscognito.UserPool, claims []string) *gofunction.Function {
	trigger := gofunction.New(this, "PreToken", gofunction.Props{
		Package:     triggerPackage,
		Description: "Writes user attributes into access tokens",
		Environment: map[string]string{triggerClaims: strings.Join(claims, ",")},
		// Cognito waits no longer ("Working with Lambda triggers").
		Timeout: 5 * time.Second,
	})
	pool.AddTrigger(awscognito.UserPoolOperation_PRE_TOKEN_GENERATION_CONFIG(), trigger.Function, awscognito.LambdaVersion_V2_0)
	return trigger
}
