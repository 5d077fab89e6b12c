package stacks

import (
	"time"

	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/constructs/userpool"
)

// The scopes of the reference API.
const (
	notesRead  = "notes/read"
	notesWrite = "notes/write"
)

// machine is the client of programs that call the API on their own account.
var machine = userpool.Machine{Name: "machine", Scopes: []string{notesRead, notesWrite}}

// identity is what the Api stack needs of the Identity stack.
type identity struct {
	users *userpool.UserPool
}

func declareIdentity(stack constructs.Construct, tokenLifetime time.Duration) *identity {
	return &identity{users: userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{
			ID:     "notes",
			Scopes: userpool.Scopes{"read": "Read notes", "write": "Create, change and delete notes"},
		}},
		Clients:             []userpool.Client{machine},
		AccessTokenLifetime: tokenLifetime,
	})}
}
