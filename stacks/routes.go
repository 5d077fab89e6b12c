package stacks

import (
	"strings"

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
	origins := map[string]string{"ORIGINS": strings.Join(s.Origins, " ")}
	status := gofunction.New(stack, "Status", gofunction.Props{
		Package:      "github.com/gatewright/gatewright/lambdas/status",
		Description:  "GET /v1/status: the API is up",
		Environment:  origins,
		LogRetention: logRetention(s.LogRetentionDays),
	})
	whoami := gofunction.New(stack, "Whoami", gofunction.Props{
		Package:      "github.com/gatewright/gatewright/lambdas/whoami",
		Description:  "GET /v1/whoami: who is calling",
		Environment:  origins,
		LogRetention: logRetention(s.LogRetentionDays),
	})
	routes := noteRoutes(declareNotes(stack, s))
	routes["GET /v1/status"] = restapi.Route{Access: access.Public("health check"), Target: status}
	routes["GET /v1/whoami"] = restapi.Route{Access: access.Scopes(notesRead, notesWrite), Target: whoami}
	if clients := i.ownClients(); len(clients) > 0 {
		session := gofunction.New(stack, "Session", gofunction.Props{
			Package:      "github.com/gatewright/gatewright/lambdas/session",
			Description:  "GET /v1/session: who is signed in, for the website and the app",
			Environment:  origins,
			LogRetention: logRetention(s.LogRetentionDays),
		})
		routes["GET /v1/session"] = restapi.Route{Access: access.Scopes(webUse).From(clients...), Target: session}
	}
	return restapi.New(stack, "API", restapi.Props{
		UserPools:  []*userpool.UserPool{i.users},
		Customers:  i.customers,
		Origins:    s.Origins,
		Domain:     declareDomain(stack, s),
		RateLimit:  s.Throttle.Rate,
		BurstLimit: s.Throttle.Burst,
		AccessLog:  restapi.AccessLog{Retention: logRetention(s.LogRetentionDays)},
		Routes:     routes,
	})
}
