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
		"PASSWORD, PASSWD, PASSPHRASE, PWD, PASS, TOKEN, CREDENTIAL, or KEY behind API, PRIVATE, ACCESS, AUTH, SIGNING, " +
		"ENCRYPTION, SHARED or MASTER, and the value is no ARN, address, path, number or name. Whatever the name is, a value " +
		"counts that begins as keys and tokens of AWS, GitHub, GitLab, Slack, Stripe, Google, Anthropic, OpenAI, npm and SendGrid do, or with " +
		"Bearer, that holds a private key, a JSON Web Token or password=, or that is an address with a password. The value " +
		"itself is never shown.",
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
				switch value := f.Environment[name]; {
				case credentialIn(value) != "":
					r.Find(f.Place, "the environment variable %s holds what looks like %s", name, credentialIn(value))
				case namesSecret(name) && looksSecret(name, value, f.Stack):
					r.Find(f.Place, "the environment variable %s holds a literal that looks like a secret", name)
				}
			}
		}
	},
}

var (
	secretName = regexp.MustCompile(`(?i)SECRET|TOKEN|CREDENTIAL|(API|PRIVATE|ACCESS|AUTH|SIGNING|ENCRYPTION|SHARED|MASTER)_?KEY`)
	// passwordName keeps BYPASS and COMPASS apart from DB_PASS and dbPass.
	passwordName = regexp.MustCompile(`(?i:PASSWORD|PASSWD|PASSPHRASE|PWD|(^|_)PASS(_|$))|[a-z0-9]Pass([A-Z]|$)`)
	// aboutSecret ends a name of what is about a secret, and none.
	aboutSecret = regexp.MustCompile(`(?i)(ARNS?|NAME|ID|URL|URI|PATH|FILE|TABLE|BUCKET|QUEUE|TOPIC|STORE|FUNCTION|PARAMETER|PREFIX|HEADER|ENDPOINT|ISSUER|AUDIENCE|TYPE|USE|VERSION|REGION|LENGTH|SIZE|COUNT|LIMIT|TTL|LIFETIME|EXPIRY|SECONDS|MINUTES|HOURS|DAYS|ENABLED|STAGE|ALGORITHM)$`)
	// plainValue is empty, a number, a duration, a switch, an ARN, an address or
	// a path. A capital or another sign between slashes may be Base64.
	plainValue = regexp.MustCompile(`^([0-9.]*[a-z]?|true|false|yes|no|on|off|none|null|arn:.*|[a-z][a-z0-9+.-]*://.*|/.*|[a-z0-9_.-]+(/[a-z0-9_.-]+)+)$`)
	// wordsOnly is a name in words: "orders-db-credentials".
	wordsOnly = regexp.MustCompile(`^[A-Za-z]+([-_.:][A-Za-z]+)*$`)
)

// credentials are known by their values, whatever a variable is called: by the
// beginnings that their issuers give them for that purpose ("Supported secret
// scanning patterns", GitHub documentation; RFC 7519; RFC 7468), or by where
// they stand in an address (RFC 3986, section 3.2.1). What stands in for a value
// that is filled in later is none.
var credentials = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"a key of AWS", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"a token of GitHub", regexp.MustCompile(`\b(gh[pousr]_|github_pat_)[0-9A-Za-z_]{8,}`)},
	{"a token of GitLab", regexp.MustCompile(`\bglpat-[0-9A-Za-z_-]{8,}`)},
	{"a token of Slack", regexp.MustCompile(`\bxox[a-z]-[0-9A-Za-z-]{8,}|\bxapp-[0-9A-Za-z-]{8,}|hooks\.slack\.com/services/.`)},
	{"a key of Stripe", regexp.MustCompile(`\b([sr]k_(live|test)|whsec)_[0-9A-Za-z_]{8,}`)},
	{"a key of Google", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"a key of an AI service", regexp.MustCompile(`\bsk-(ant-|proj-)[0-9A-Za-z_-]{8,}`)},
	{"a token of npm", regexp.MustCompile(`\bnpm_[0-9A-Za-z]{36}`)},
	{"a key of SendGrid", regexp.MustCompile(`\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----`)},
	{"a bearer token", regexp.MustCompile(`^Bearer +[0-9A-Za-z._~+/-]{8,}=*$`)},
	{"a JSON Web Token", regexp.MustCompile(`\beyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+`)},
	{"an address with a password", regexp.MustCompile(`[A-Za-z][0-9A-Za-z+.-]*://[^\s/?#@:]*:[^\s/?#@${<*][^\s/?#@]*@`)},
	{"a connection string with a password", regexp.MustCompile(`(?i)(^|[;\s?&])(password|pwd)=[^;\s&${<*]`)},
}

// credentialIn says what kind of credential a value holds; empty for none.
func credentialIn(value string) string {
	for _, c := range credentials {
		if c.pattern.MatchString(value) {
			return c.what
		}
	}
	return ""
}

func namesSecret(variable string) bool {
	return (secretName.MatchString(variable) || passwordName.MatchString(variable)) && !aboutSecret.MatchString(variable)
}

// looksSecret reports whether a value is one and not something about it. What a
// password is made of tells nothing, so every text under such a name is one. A
// name that CloudFormation makes up begins with the stack's.
func looksSecret(variable, value, stack string) bool {
	if plainValue.MatchString(value) || strings.HasPrefix(value, stack+"-") {
		return false
	}
	return passwordName.MatchString(variable) || !wordsOnly.MatchString(value)
}
