package local

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
)

// demoUser is who can sign in at every pool where people do.
const demoUser = "demo@example.com"

// seed makes a user for each pool with a client that signs people in, with a
// password of this run. One that the pool does not take, because it asks for
// more of its users, is left out.
func (s *stage) seed() {
	if s.config.NoSeed {
		return
	}
	user := User{Username: demoUser, Password: "Aa1-" + rand.Text()}
	for _, pool := range s.model.UserPools {
		if !slices.ContainsFunc(pool.Clients, signsPeopleIn) {
			continue
		}
		attributes := map[string]string{"email": demoUser, "email_verified": "true"}
		if _, err := s.cognito.Directories()[pool.ID].Add(user.Username, user.Password, attributes); err != nil {
			_, _ = fmt.Fprintf(s.config.Stderr, "no demo user in %s: %v\n", pool.Path, err)
			continue
		}
		s.users = []User{user} // the same in every pool
	}
}

func signsPeopleIn(c assembly.UserPoolClient) bool {
	return c.OAuth && slices.Contains(c.Flows, "code") || slices.Contains(c.AuthFlows, "ALLOW_USER_SRP_AUTH")
}
