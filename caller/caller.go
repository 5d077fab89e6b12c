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
// It reads what an authorizer verified, the user pool's own or that of
// constructs/restapi, and nothing that the client sent: no header, no query
// parameter, no token.
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
	// KindCustomer is the holder of a customer's static key (access.Key).
	KindCustomer Kind = "customer"
)

// Caller is who calls. The zero Caller's Kind is empty: only [From] makes one.
type Caller struct {
	Kind Kind
	// Subject is the user's id (sub), the client's own where there is no user, or
	// the customer's.
	Subject string
	// Client is the id of the app client that the token was issued to; empty for a
	// customer.
	Client string
	// ClientName is its name, as access.Rule's From has it; empty where no rule of
	// the API names the client.
	ClientName string
	// Username is the user's name in the user pool; empty where there is no user,
	// and with an ID token.
	Username string
	// Customer is the customer's id, Key the id of the key that it sent, which is
	// no secret, and Plan the word that its operator gave it; all empty for others.
	Customer, Key, Plan string
	// Scopes are what the client or the key may do, in the token's order. Never
	// nil.
	Scopes []string
	// Claims are all of the token's claims, as texts, the way API Gateway
	// hands them on; where the Lambda authorizer decided, only token_use, sub,
	// client_id, scope and username. Empty for a customer, and where nothing was
	// verified.
	Claims map[string]string
}

// From returns who sent a request that API Gateway handed to a Lambda function.
//
// A user pool's own authorizer leaves the claims of the token that it verified
// in requestContext.authorizer.claims ("Integrate a REST API with an Amazon
// Cognito user pool"); the Lambda authorizer of constructs/restapi leaves its
// context beside principalId ("Input to a Lambda function for proxy
// integration"). What is neither, incomplete, or both at once, is nobody.
func From(r events.APIGatewayProxyRequest) Caller {
	verified := r.RequestContext.Authorizer
	_, native := verified["claims"]
	both := native && slices.ContainsFunc(lambdaKeys, func(key string) bool {
		_, set := verified[key]
		return set
	})
	var c Caller
	switch {
	case both:
	case native:
		c = fromClaims(verified)
	default:
		c = fromContext(verified)
	}
	if c.Kind == "" || c.Subject == "" || c.Client == "" && c.Kind != KindCustomer {
		return Caller{Kind: KindAnyone, Scopes: []string{}, Claims: map[string]string{}}
	}
	return c
}

// fromClaims returns a Caller without a Kind where the claims say nothing.
func fromClaims(verified map[string]any) Caller {
	object, _ := verified["claims"].(map[string]any)
	claims := make(map[string]string, len(object))
	for name, value := range object {
		claims[name] = fmt.Sprint(value)
	}
	c := Caller{Subject: claims["sub"], Claims: claims, Scopes: strings.Fields(claims["scope"])}
	switch claims["token_use"] {
	case "access":
		c.Client, c.Username = claims["client_id"], claims["username"]
		c.Kind = KindUser
		if c.Username == "" {
			c.Kind = KindClient
		}
	case "id":
		c.Client, c.Kind = claims["aud"], KindUser
	}
	return c
}

// principalID is what API Gateway calls the caller of a Lambda authorizer.
const principalID = "principalId"

// Keys of the context that the Lambda authorizer sets, all of them and always,
// as texts.
const (
	contextKind     = "kind"
	contextSubject  = "subject"
	contextClient   = "client"
	contextClientID = "clientId"
	contextScopes   = "scopes"
	contextUsername = "username"
	contextCustomer = "customer"
	contextKey      = "key"
	contextPlan     = "plan"
)

var contextKeys = []string{
	contextKind, contextSubject, contextClient, contextClientID, contextScopes, contextUsername, contextCustomer, contextKey, contextPlan,
}

// lambdaKeys are those of which no user pool's own authorizer sets any.
var lambdaKeys = append([]string{principalID}, contextKeys...)

// fromContext returns a Caller without a Kind where the context is not, word for
// word, one that our authorizer writes: another authorizer's may look alike and
// hold what a client sent.
func fromContext(verified map[string]any) Caller {
	text := map[string]string{}
	for _, key := range contextKeys {
		value, ok := verified[key].(string)
		if !ok {
			return Caller{}
		}
		text[key] = value
	}
	c := Caller{
		Kind: Kind(text[contextKind]), Subject: text[contextSubject], Username: text[contextUsername],
		Client: text[contextClientID], ClientName: text[contextClient],
		Customer: text[contextCustomer], Key: text[contextKey], Plan: text[contextPlan],
		Scopes: strings.Fields(text[contextScopes]), Claims: map[string]string{},
	}
	if verified[principalID] != c.Subject || !c.consistent() {
		return Caller{}
	}
	if c.Kind == KindCustomer {
		return c
	}
	c.Claims = map[string]string{"token_use": "access", "sub": c.Subject, "client_id": c.Client, "scope": text[contextScopes]}
	if c.Kind == KindUser {
		c.Claims["username"] = c.Username
	}
	return c
}

// consistent reports whether a caller has what its kind has, and nothing else.
func (c Caller) consistent() bool {
	ofCustomer := c.Customer != "" || c.Key != "" || c.Plan != ""
	ofToken := c.Client != "" || c.ClientName != "" || c.Username != ""
	switch c.Kind {
	case KindUser:
		return c.Username != "" && c.Client != "" && !ofCustomer
	case KindClient:
		return c.Username == "" && c.Client != "" && c.Subject == c.Client && !ofCustomer
	case KindCustomer:
		return c.Customer != "" && c.Key != "" && c.Subject == c.Customer && !ofToken
	default:
		return false
	}
}

// Has reports whether the caller has a scope.
func (c Caller) Has(scope string) bool { return slices.Contains(c.Scopes, scope) }
