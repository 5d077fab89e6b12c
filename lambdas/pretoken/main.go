// Command pretoken is a user pool's pre-token-generation trigger: it writes
// user attributes into access tokens, so that handlers need no ID token.
//
// ACCESS_TOKEN_CLAIMS names the attributes, separated by commas. Each becomes a
// claim of the same name. An e-mail address and a phone number are written once
// they are verified, and not before: anybody may have typed them in. An
// attribute that the user does not have is left out.
package main

import (
	"context"
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
	attributes, err := parse(getenv("ACCESS_TOKEN_CLAIMS"))
	if err != nil {
		return err
	}
	lambda.Start(attributes.handle)
	return nil
}

// attributes are the names of those to write.
type attributes []string

// parse fails where there is nothing to write: a pool without claims needs no
// trigger, so the configuration got lost.
func parse(list string) (attributes, error) {
	names := strings.Split(list, ",")
	if slices.Contains(names, "") {
		return nil, fmt.Errorf("ACCESS_TOKEN_CLAIMS is %q; write names of user attributes, separated by commas", list)
	}
	return names, nil
}

// verifiable are the attributes that Cognito verifies.
var verifiable = []string{"email", "phone_number"}

// handle answers an event of version 2 ("Pre token generation Lambda trigger",
// Amazon Cognito). It never fails: a failure would keep users out.
func (a attributes) handle(_ context.Context, e events.CognitoEventUserPoolsPreTokenGenV2_0) (events.CognitoEventUserPoolsPreTokenGenV2_0, error) {
	claims := map[string]any{}
	for _, name := range a {
		value, ok := e.Request.UserAttributes[name]
		if ok && (!slices.Contains(verifiable, name) || e.Request.UserAttributes[name+"_verified"] == "true") {
			claims[name] = value
		}
	}
	e.Response.ClaimsAndScopeOverrideDetails = events.ClaimsAndScopeOverrideDetailsV2_0{
		AccessTokenGeneration: events.AccessTokenGenerationV2_0{ClaimsToAddOrOverride: claims},
		// Left out, it would take the user out of every group.
		GroupOverrideDetails: e.Request.GroupConfiguration,
	}
	return e, nil
}
