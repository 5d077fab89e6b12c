package userpool

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	problems = append(problems, lifetimeProblems("AccessTokenLifetime", p.AccessTokenLifetime, shortest, longest)...)
	problems = append(problems, lifetimeProblems("IDTokenLifetime", p.IDTokenLifetime, shortest, longest)...)
	problems = append(problems, claimProblems(p.AccessTokenClaims)...)
	problems = append(problems, p.sdkScopeProblems()...)
	problems = append(problems, p.Password.problems()...)
	problems = append(problems, p.MFA.problems()...)
	if p.DomainPrefix != "" && !isToken(p.DomainPrefix) {
		problems = append(problems, prefixProblems(p.DomainPrefix)...)
	}
	if p.RemovalPolicy != awscdk.RemovalPolicy_RETAIN && p.RemovalPolicy != awscdk.RemovalPolicy_DESTROY {
		problems = append(problems, fmt.Errorf("RemovalPolicy is %s; RETAIN or DESTROY", p.RemovalPolicy))
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
			if n := utf8.RuneCountInString(description); n == 0 || n > 256 {
				problems = append(problems, fmt.Errorf("%s: scope %q has a description of %d characters; Cognito takes 1 to 256", at, name, n))
			}
		}
	}
	return problems
}

func (p Props) clientProblems() []error {
	var problems []error
	seen := map[string]bool{}
	for i, declared := range p.Clients {
		if declared == nil {
			problems = append(problems, fmt.Errorf("Clients[%d]: nil; write userpool.Machine{…}", i))
			continue
		}
		c := declared.describe()
		at := fmt.Sprintf("Clients[%d] %q", i, c.name)
		if !clientPattern.MatchString(c.name) {
			problems = append(problems, fmt.Errorf("%s: malformed Name; 1 to 128 letters, digits, spaces and + = , . @ - _", at))
		}
		if seen[c.name] {
			problems = append(problems, fmt.Errorf("%s: Name twice", at))
		}
		seen[c.name] = true
		problems = append(problems, p.scopeProblems(at, c)...)
		if c.signIn != nil {
			problems = append(problems, c.signIn.problems(at, p)...)
		}
	}
	return problems
}

// Scopes that speak of a user. phone is not among them: users have e-mail
// addresses.
var userScopes = []string{"openid", "email", "profile"}

func (p Props) scopeProblems(at string, c client) []error {
	var problems []error
	if len(c.scopes) == 0 || len(c.scopes) > 50 {
		problems = append(problems, fmt.Errorf("%s: %d scopes; Cognito takes 1 to 50", at, len(c.scopes)))
	}
	defined, firstParty := p.definedScopes(), p.firstPartyScopes()
	ofUser := false
	for _, scope := range c.scopes {
		switch {
		case c.signIn == nil && slices.Contains(firstParty, scope):
			problems = append(problems, fmt.Errorf("%s: scope %q is first-party, for apps through which users sign in; give the machine another", at, scope))
		case slices.Contains(defined, scope):
		case !slices.Contains(userScopes, scope):
			problems = append(problems, fmt.Errorf("%s: unknown scope %q; the resource servers define %q", at, scope, defined))
		case c.signIn == nil:
			problems = append(problems, fmt.Errorf("%s: scope %q speaks of a user, and a machine has none", at, scope))
		default:
			ofUser = true
		}
	}
	if ofUser && !slices.Contains(c.scopes, "openid") {
		problems = append(problems, fmt.Errorf("%s: email and profile need openid; write it too", at))
	}
	return problems
}

// problems are those of a client that signs users in.
func (s *signIn) problems(at string, p Props) []error {
	var problems []error
	if len(s.callbacks) == 0 {
		problems = append(problems, fmt.Errorf("%s: no Callbacks; write where users come back to after signing in", at))
	}
	problems = append(problems, s.redirectProblems(at+": Callbacks", s.callbacks)...)
	problems = append(problems, s.redirectProblems(at+": Logouts", s.logouts)...)
	problems = append(problems, lifetimeProblems(at+": RefreshTokenLifetime", s.refreshTokenLifetime, time.Hour, 3650*24*time.Hour)...)
	if other := max(p.AccessTokenLifetime, p.IDTokenLifetime); s.refreshTokenLifetime < other {
		problems = append(problems, fmt.Errorf("%s: RefreshTokenLifetime is %s, shorter than the other tokens' %s", at, s.refreshTokenLifetime, other))
	}
	return problems
}

// How short and long access and ID tokens may live.
const (
	shortest = 5 * time.Minute
	longest  = 24 * time.Hour
)

func lifetimeProblems(name string, l, least, most time.Duration) []error {
	if l < least || l > most || l%time.Minute != 0 {
		return []error{fmt.Errorf("%s is %s; Cognito takes whole minutes from %s to %s", name, l, short(least), short(most))}
	}
	return nil
}

// short leaves out what is zero: "5m" for 5m0s.
func short(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
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

// isToken reports whether a text is known only when the stack is deployed.
func isToken(text string) bool { return *awscdk.Token_IsUnresolved(text) }
