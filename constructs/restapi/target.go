package restapi

import (
	"github.com/aws/constructs-go/constructs/v10"
)

// Target answers a route. gofunction.Function is one; so may be a type of the
// app's own. Targets are compared with ==, so a Target is a pointer.
type Target interface {
	// Integration returns the x-amazon-apigateway-integration object
	// ("x-amazon-apigateway-integration object", Amazon API Gateway). It is
	// called once for each API.
	Integration() map[string]any
	// AllowInvoke lets API Gateway call the target on behalf of an execute-api
	// ARN that names one API and stage. It is called once for each API, and
	// declares what it needs in scope.
	AllowInvoke(scope constructs.Construct, executeAPIARN string)
	// CreateOnly returns the values whose change replaces the target behind an
	// unchanged reference. The API is deployed anew when one changes.
	CreateOnly() []any
}
