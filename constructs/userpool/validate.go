package userpool

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// What Cognito takes (API reference: CreateResourceServer, CreateUserPoolClient,
// CreateUserPoolDomain).
var (
	serverIDPattern  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{1,256}$`)
	scopeNamePattern = regexp.MustCompile(`^[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]{1,256}$`)
	clientPattern    = regexp.MustCompile(`^[\w+=,.@ -]{1,128}$`)
	prefixPattern    = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
)

func (p Props) validate() error {
	problems := p.serverProblems()
	problems = append(problems, p.clientProblems()...)
	if l := p.AccessTokenLifetime; l < 5*time.Minute || l > 24*time.Hour || l%time.Minute != 0 {
		problems = append(problems, fmt.Errorf("AccessTokenLifetime is %s; Cognito takes whole minutes from 5m to 24h", l))
	}
	if p.DomainPrefix != "" && !awscdkToken(p.DomainPrefix) {
		problems = append(problems, prefixProblems(p.DomainPrefix)...)
	}
	return errors.Join(problems...)
}

func (p Props) serverProblems() []error {
	var problems []error
	seen := map[string]bool{}
	for i, server := range p.ResourceServers {
		at := fmt.Sprintf("ResourceServers[%d] %q", i, server.ID)
		if !serverIDPattern.MatchString(server.ID) {
			problems = append(problems, fmt.Errorf("%s: malformed ID; 1 to 256 printable characters without space, quote and backslash", at))
		}
		if seen[server.ID] {
			problems = append(problems, fmt.Errorf("%s: ID twice", at))
		}
		seen[server.ID] = true
		if len(server.Scopes) == 0 || len(server.Scopes) > 100 {
			problems = append(problems, fmt.Errorf("%s: %d scopes; Cognito takes 1 to 100", at, len(server.Scopes)))
		}
		for name, description := range server.Scopes {
			if !scopeNamePattern.MatchString(name) {
				problems = append(problems, fmt.Errorf("%s: malformed scope %q; write its name without the resource server", at, name))
			}
			if description == "" {
				problems = append(problems, fmt.Errorf("%s: scope %q has no description; Cognito wants one", at, name))
			}
		}
	}
	return problems
}

func (p Props) clientProblems() []error {
	var problems []error
	defined := p.definedScopes()
	seen := map[string]bool{}
	for i, client := range p.Clients {
		if client == nil {
			problems = append(problems, fmt.Errorf("Clients[%d]: nil; write userpool.Machine{…}", i))
			continue
		}
		at := fmt.Sprintf("Clients[%d] %q", i, client.name())
		if !clientPattern.MatchString(client.name()) {
			problems = append(problems, fmt.Errorf("%s: malformed Name; 1 to 128 letters, digits, spaces and + = , . @ - _", at))
		}
		if seen[client.name()] {
			problems = append(problems, fmt.Errorf("%s: Name twice", at))
		}
		seen[client.name()] = true
		if len(client.scopes()) == 0 || len(client.scopes()) > 50 {
			problems = append(problems, fmt.Errorf("%s: %d scopes; Cognito takes 1 to 50", at, len(client.scopes())))
		}
		for _, scope := range client.scopes() {
			if !slices.Contains(defined, scope) {
				problems = append(problems, fmt.Errorf("%s: unknown scope %q; the resource servers define %q", at, scope, defined))
			}
		}
	}
	return problems
}

func prefixProblems(prefix string) []error {
	var problems []error
	if !prefixPattern.MatchString(prefix) {
		problems = append(problems, fmt.Errorf("DomainPrefix is %q; 1 to 63 lower-case letters, digits and hyphens", prefix))
	}
	for _, word := range []string{"aws", "amazon", "cognito"} {
		if strings.Contains(prefix, word) {
			problems = append(problems, fmt.Errorf("DomainPrefix is %q; Cognito reserves the word %q", prefix, word))
		}
	}
	return problems
}

// awscdkToken reports whether a text is only known when it is deployed.
func awscdkToken(text string) bool { return *awscdk.Token_IsUnresolved(text) }
