// Package caller tells a handler who is calling.
//
//	func handle(ctx context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
//		c := caller.From(r)
//		if c.Kind == caller.KindAnyone {
//			…
//		}
//		…
//	}
//
// It reads what API Gateway's authorizer verified and nothing that the client
// sent: no header, no query parameter, no token.
package caller

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Kind says what a caller proved itself to be.
type Kind string

// The kinds of caller. A caller that proved nothing is KindAnyone.
const (
	KindAnyone Kind = "anyone" // nothing was verified
	KindUser   Kind = "user"   // a signed-in user, through a client
	KindClient Kind = "client" // a program on its own account (client_credentials)
)

// Caller is who calls. The zero Caller's Kind is empty: only [From] makes one.
type Caller struct {
	Kind Kind
	// Subject is the user's id (sub), or the client's own where there is no user.
	Subject string
	// Client is the id of the app client that the token was issued to.
	Client string
	// Scopes are what the client may do, in the token's order. Never nil.
	Scopes []string
	// Claims are all of the token's claims, as texts, the way API Gateway
	// hands them on. Empty where nothing was verified.
	Claims map[string]string
}

// From returns who sent a request that API Gateway handed to a Lambda function
// ("Integrate a REST API with an Amazon Cognito user pool": the claims of a
// verified token stand in requestContext.authorizer.claims).
func From(r events.APIGatewayProxyRequest) Caller {
	anyone := Caller{Kind: KindAnyone, Scopes: []string{}, Claims: map[string]string{}}
	verified, ok := r.RequestContext.Authorizer["claims"].(map[string]any)
	if !ok {
		return anyone
	}
	claims := make(map[string]string, len(verified))
	for name, value := range verified {
		claims[name] = fmt.Sprint(value)
	}
	c := Caller{Subject: claims["sub"], Claims: claims, Scopes: strings.Fields(claims["scope"])}
	switch claims["token_use"] {
	case "access":
		c.Client = claims["client_id"]
		c.Kind = KindUser
		if claims["username"] == "" {
			c.Kind = KindClient
		}
	case "id":
		c.Client, c.Kind = claims["aud"], KindUser
	}
	if c.Kind == "" || c.Subject == "" || c.Client == "" {
		return anyone
	}
	return c
}

// Has reports whether the caller has a scope.
func (c Caller) Has(scope string) bool { return slices.Contains(c.Scopes, scope) }
