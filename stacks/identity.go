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

// The clients of programs that call the API on their own account. Each has
// notes of its own.
var (
	machine  = userpool.Machine{Name: "machine", Scopes: []string{notesRead, notesWrite}}
	batch    = userpool.Machine{Name: "batch", Scopes: []string{notesRead, notesWrite}}
	machines = []userpool.Machine{machine, batch}
)

// identity is what the Api stack needs of the Identity stack.
type identity struct {
	users *userpool.UserPool
}

func declareIdentity(stack constructs.Construct, s stagefile.Stage) *identity {
	return &identity{users: userpool.New(stack, "Users", userpool.Props{
		ResourceServers: []userpool.ResourceServer{{
			ID:     "notes",
			Scopes: userpool.Scopes{"read": "Read notes", "write": "Create, change and delete notes"},
		}},
		Clients:             []userpool.Client{machine, batch},
		AccessTokenLifetime: s.TokenLifetime,
		RemovalPolicy:       removal(s),
	})}
}
