package stacks

import (
	"strings"

	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// The scopes of the reference API. webUse is for the stage's own website and app:
// no machine is given it.
const (
	notesRead  = "notes/read"
	notesWrite = "notes/write"
	webUse     = "web/use"
)

// appClient is a client and what the stage's output says of it.
type appClient struct {
	client    userpool.Client
	name      string
	flow      string
	scopes    []string
	callbacks []string
	own       bool // the website or the app
}

// appClients are the stage's clients: two programs that call the API on their
// own account, each with notes of its own, and the website and the app, where
// the stage says to which pages their users return after signing in.
func appClients(s stagefile.Stage) []appClient {
	scopes := []string{notesRead, notesWrite}
	var clients []appClient
	for _, name := range []string{"machine", "batch"} {
		clients = append(clients, appClient{
			client: userpool.Machine{Name: name, Scopes: scopes},
			name:   name, flow: "client_credentials", scopes: scopes,
		})
	}
	signIn := append([]string{"openid", "email", webUse}, scopes...)
	if len(s.Callbacks) > 0 {
		clients = append(clients, appClient{
			client: userpool.Browser{
				Name: "website", Scopes: signIn, Callbacks: s.Callbacks, Logouts: s.Logouts,
				RefreshTokenLifetime: s.RefreshTokenLifetime,
			},
			name: "website", flow: "code", scopes: signIn, callbacks: s.Callbacks, own: true,
		})
	}
	if len(s.MobileCallbacks) > 0 {
		clients = append(clients, appClient{
			client: userpool.Mobile{Name: "mobile", Scopes: signIn, Callbacks: s.MobileCallbacks},
			name:   "mobile", flow: "code", scopes: signIn, callbacks: s.MobileCallbacks, own: true,
		})
	}
	return clients
}

// identity is what the Api stack needs of the Identity stack.
type identity struct {
	users     *userpool.UserPool
	clients   []appClient
	customers *customers.Customers
}

// ownClients are the names of the website's and the app's.
func (i *identity) ownClients() []string {
	var names []string
	for _, c := range i.clients {
		if c.own {
			names = append(names, c.name)
		}
	}
	return names
}

func declareIdentity(stack constructs.Construct, s stagefile.Stage) *identity {
	clients := appClients(s)
	var declared []userpool.Client
	for _, c := range clients {
		declared = append(declared, c.client)
	}
	i := &identity{clients: clients}
	servers := []userpool.ResourceServer{{
		ID:     "notes",
		Scopes: userpool.Scopes{"read": "Read notes", "write": "Create, change and delete notes"},
	}}
	if len(i.ownClients()) > 0 {
		servers = append(servers, userpool.ResourceServer{
			ID: "web", Scopes: userpool.Scopes{"use": "Use the website or the app"}, FirstParty: true,
		})
	}
	i.users = userpool.New(stack, "Users", userpool.Props{
		ResourceServers:     servers,
		Clients:             declared,
		AccessTokenLifetime: s.TokenLifetime,
		SelfSignUp:          s.SelfSignUp,
		RemovalPolicy:       removal(s),
	})
	i.customers = customers.New(stack, "Customers", customers.Props{StageTag: stageTag(s.Name), RemovalPolicy: removal(s)})
	return i
}

// stageTag is how a stage is called in its customers' keys: by its name without
// hyphens, or, where that is too long, as the construct makes one.
func stageTag(name string) string {
	tag := strings.ReplaceAll(name, "-", "")
	if len(tag) > 16 {
		return ""
	}
	return tag
}
