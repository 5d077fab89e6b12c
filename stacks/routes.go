package stacks

import (
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// declareAPI declares the reference API: every route, who may call it, and
// what answers.
func declareAPI(stack constructs.Construct, s stagefile.Stage, i *identity) *restapi.RestAPI {
	status := gofunction.New(stack, "Status", gofunction.Props{
		Package:     "github.com/gatewright/gatewright/lambdas/status",
		Description: "GET /v1/status: the API is up",
	})
	whoami := gofunction.New(stack, "Whoami", gofunction.Props{
		Package:     "github.com/gatewright/gatewright/lambdas/whoami",
		Description: "GET /v1/whoami: who is calling",
	})
	return restapi.New(stack, "API", restapi.Props{
		UserPools: []*userpool.UserPool{i.users},
		Origins:   s.Origins,
		Routes: restapi.Routes{
			"GET /v1/status": {Access: access.Public("health check"), Target: status},
			"GET /v1/whoami": {Access: access.Scopes(notesRead, notesWrite), Target: whoami},
		},
	})
}
