// Command pretoken is a user pool's pre-token-generation trigger: it writes
// user attributes into access tokens, so that handlers need no ID token, and
// scopes into those of users whom an app has signed in itself.
//
// ACCESS_TOKEN_CLAIMS names the attributes, separated by commas. Each becomes a
// claim of the same name. An e-mail address and a phone number are written once
// they are verified, and not before: anybody may have typed them in. An
// attribute that the user does not have is left out.
//
// SDK_SCOPES names the scopes, separated by spaces. They are added where the
// token carries aws.cognito.signin.user.admin, as after a sign-in by the user
// pool's API, which SDKs use; such a token carries no other scope by itself. A
// sign-in at the pool's own pages gets what its client asked for.
//
// At least one of the two is set.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if err := run(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(getenv func(string) string) error {
	t, err := parse(getenv("ACCESS_TOKEN_CLAIMS"), getenv("SDK_SCOPES"))
	if err != nil {
		return err
	}
	lambda.Start(t.handle)
	return nil
}

// trigger is what to write.
type trigger struct {
	attributes []string // names of user attributes
	sdkScopes  []string
}

// parse fails where there is nothing to write: a pool without either needs no
// trigger, so the configuration got lost.
func parse(claims, scopes string) (t trigger, err error) {
	if claims == "" && scopes == "" {
		return trigger{}, errors.New("neither ACCESS_TOKEN_CLAIMS nor SDK_SCOPES is set; write names of user attributes, or scopes")
	}
	if t.attributes, err = names("ACCESS_TOKEN_CLAIMS", "names of user attributes, separated by commas", claims, ","); err != nil {
		return trigger{}, err
	}
	if t.sdkScopes, err = names("SDK_SCOPES", "scopes, separated by spaces", scopes, " "); err != nil {
		return trigger{}, err
	}
	return t, nil
}

// names splits a variable's list; none is an empty list, an empty name in one
// an error.
func names(variable, mend, list, separator string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	parts := strings.Split(list, separator)
	if slices.Contains(parts, "") {
		return nil, fmt.Errorf("%s is %q; write %s", variable, list, mend)
	}
	return parts, nil
}

// sdkScope is what Cognito gives a sign-in by the user pool's API, and no client
// of constructs/userpool may ask for ("Scopes, M2M, and resource servers").
const sdkScope = "aws.cognito.signin.user.admin"

// verifiable are the attributes that Cognito verifies.
var verifiable = []string{"email", "phone_number"}

// handle answers an event of version 2 ("Pre token generation Lambda trigger",
// Amazon Cognito). It never fails: a failure would keep users out.
func (t trigger) handle(_ context.Context, e events.CognitoEventUserPoolsPreTokenGenV2_0) (events.CognitoEventUserPoolsPreTokenGenV2_0, error) {
	claims := map[string]any{}
	for _, name := range t.attributes {
		value, ok := e.Request.UserAttributes[name]
		if ok && (!slices.Contains(verifiable, name) || e.Request.UserAttributes[name+"_verified"] == "true") {
			claims[name] = value
		}
	}
	access := events.AccessTokenGenerationV2_0{ClaimsToAddOrOverride: claims}
	if slices.Contains(e.Request.Scopes, sdkScope) {
		access.ScopesToAdd = t.sdkScopes
	}
	e.Response.ClaimsAndScopeOverrideDetails = events.ClaimsAndScopeOverrideDetailsV2_0{
		AccessTokenGeneration: access,
		// Left out, it would take the user out of every group.
		GroupOverrideDetails: e.Request.GroupConfiguration,
	}
	return e, nil
}
