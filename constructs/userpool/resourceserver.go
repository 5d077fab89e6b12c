package userpool

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Scopes maps the name of a scope, without its resource server, to what it
// lets a caller do: {"read": "Read orders"}.
type Scopes map[string]string

// ResourceServer is an API, or a part of one, that defines scopes (RFC 6749
// section 3.3; "Scopes, M2M, and resource servers", Amazon Cognito).
type ResourceServer struct {
	// ID is the part of a scope before its last slash: "orders", or a URL; 1 to
	// 256 printable characters of ASCII without space, quote and backslash.
	// Another, or one that is taken, is an error.
	ID string
	// Scopes are what a client may ask for, 1 to 100. A name has 1 to 256 such
	// characters and no slash, a description 1 to 256 characters. Another is an
	// error.
	Scopes Scopes
	// FirstParty keeps the scopes for your own apps, through which users sign
	// in: a [Machine] that asks for one is an error. It stands in the template's
	// metadata. Default: false.
	FirstParty bool
}

// FirstPartyMetadataKey marks a resource server's template as FirstParty.
const FirstPartyMetadataKey = "gatewright:first-party"

// unnamed is what Cognito takes in an identifier and not in a name (API
// reference: CreateResourceServer).
var unnamed = regexp.MustCompile(`[^\w+=,.@-]`)

func (s ResourceServer) declare(this constructs.Construct, pool awscognito.UserPool) awscognito.UserPoolResourceServer {
	var scopes []awscognito.ResourceServerScope
	for _, name := range slices.Sorted(maps.Keys(s.Scopes)) {
		scopes = append(scopes, awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{
			ScopeName:        jsii.String(name),
			ScopeDescription: jsii.String(s.Scopes[name]),
		}))
	}
	declared := awscognito.NewUserPoolResourceServer(this, jsii.String(childID("ResourceServer", s.ID)), &awscognito.UserPoolResourceServerProps{
		Identifier:                 jsii.String(s.ID),
		Scopes:                     &scopes,
		UserPool:                   pool,
		UserPoolResourceServerName: jsii.String(unnamed.ReplaceAllString(s.ID, "-")),
	})
	if s.FirstParty {
		declared.Node().DefaultChild().(awscognito.CfnUserPoolResourceServer).AddMetadata(jsii.String(FirstPartyMetadataKey), true)
	}
	return declared
}

// childID names a construct after a thing that the user named. A slash would
// part the construct's path.
func childID(kind, name string) string {
	return kind + "." + strings.ReplaceAll(name, "/", "-")
}
