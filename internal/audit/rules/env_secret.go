package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var envSecret = audit.Rule{
	ID:       "env-secret",
	Severity: audit.Error,
	Title:    "A secret in a function's environment",
	Why: "Whoever may look at a function sees its environment: in the console, by lambda:GetFunctionConfiguration, in the " +
		"template and in what deployed it. So a dynamic reference to a secret, a NoEcho parameter or a client's secret is" +
		" spelled out there for many who should not have it. A literal counts where the variable's name says SECRET, " +
		"PASSWORD, TOKEN, API_KEY, PRIVATE_KEY or CREDENTIAL and the value is no ARN, address, path, number or name. The " +
		"value itself is never shown.",
	Fix: "Give the function the ARN or the name of a secret, the permission to read it, and let it read the secret when it" +
		" starts.",
	Source: audit.Source{
		Title: "Working with Lambda environment variables, AWS Lambda",
		URL:   "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, f := range m.Functions {
			for _, name := range slices.Sorted(maps.Keys(f.Unresolved)) {
				if f.Unresolved[name].Secret {
					r.Find(f.Place, "the environment variable %s holds a secret that deploying spells out", name)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(f.Environment)) {
				if namesSecret(name) && looksSecret(name, f.Environment[name], f.Stack) {
					r.Find(f.Place, "the environment variable %s holds a literal that looks like a secret", name)
				}
			}
		}
	},
}

var (
	secretName = regexp.MustCompile(`(?i)SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL`)
	// aboutSecret ends a name of what is about a secret, and none.
	aboutSecret = regexp.MustCompile(`(?i)(ARNS?|NAME|ID|URL|URI|PATH|FILE|TABLE|BUCKET|QUEUE|TOPIC|STORE|FUNCTION|PARAMETER|PREFIX|HEADER|ENDPOINT|ISSUER|AUDIENCE|TYPE|USE|VERSION|REGION|LENGTH|SIZE|COUNT|LIMIT|TTL|LIFETIME|EXPIRY|SECONDS|MINUTES|HOURS|DAYS|ENABLED|STAGE|ALGORITHM)$`)
	// plainValue is empty, a number, a duration, a switch, an ARN, an address or
	// a path. A capital or another sign between slashes may be Base64.
	plainValue = regexp.MustCompile(`^([0-9.]*[a-z]?|true|false|yes|no|on|off|none|null|arn:.*|[a-z][a-z0-9+.-]*://.*|/.*|[a-z0-9_.-]+(/[a-z0-9_.-]+)+)$`)
	// wordsOnly is a name in words: "orders-db-credentials".
	wordsOnly = regexp.MustCompile(`^[A-Za-z]+([-_.:][A-Za-z]+)*$`)
)

func namesSecret(variable string) bool {
	return secretName.MatchString(variable) && !aboutSecret.MatchString(variable)
}

// looksSecret reports whether a value is one and not something about it. What a
// password is made of tells nothing, so every text under such a name is one. A
// name that CloudFormation makes up begins with the stack's.
func looksSecret(variable, value, stack string) bool {
	if plainValue.MatchString(value) || strings.HasPrefix(value, stack+"-") {
		return false
	}
	return strings.Contains(strings.ToUpper(variable), "PASSW") || !wordsOnly.MatchString(value)
}
