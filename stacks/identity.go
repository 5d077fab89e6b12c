package stacks

import (
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/constructs/userpool"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// The scopes of the reference API.
const (
	notesRead  = "notes/read"
	notesWrite = "notes/write"
)

// appClient is a client and what the stage's output says of it.
type appClient struct {
	client    userpool.Client
	name      string
	flow      string
	scopes    []string
	callbacks []string
}

// appClients are the stage's clients: two programs that call the API on their
// own account, each with notes of its own, and the website, where the stage
// says to which pages its users return after signing in.
func appClients(s stagefile.Stage) []appClient {
	scopes := []string{notesRead, notesWrite}
	var clients []appClient
	for _, name := range []string{"machine", "batch"} {
		clients = append(clients, appClient{
			client: userpool.Machine{Name: name, Scopes: scopes},
			name:   name, flow: "client_credentials", scopes: scopes,
		})
	}
	if len(s.Callbacks) > 0 {
		scopes := append([]string{"openid", "email"}, scopes...)
		clients = append(clients, appClient{
			client: userpool.Browser{
				Name: "website", Scopes: scopes, Callbacks: s.Callbacks,
				RefreshTokenLifetime: s.RefreshTokenLifetime,
			},
			name: "website", flow: "code", scopes: scopes, callbacks: s.Callbacks,
		})
	}
	return clients
}

// identity is what the Api stack needs of the Identity stack.
type identity struct {
	users   *userpool.UserPool
	clients []appClient
}

func declareIdentity(stack constructs.Construct, s stagefile.Stage) *identity {
	clients := appClients(s)
	var declared []userpool.Client
	for _, c := range clients {
		declared = append(declared, c.client)
	}
	return &identity{clients: clients, users: userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{
			ID:     "notes",
			Scopes: userpool.Scopes{"read": "Read notes", "write": "Create, change and delete notes"},
		}},
		Clients:             declared,
		AccessTokenLifetime: s.TokenLifetime,
		RemovalPolicy:       removal(s),
	})}
}
