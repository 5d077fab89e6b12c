package rules

import (
	"strconv"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var tokenLifetime = audit.Rule{
	ID:       "token-lifetime",
	Severity: audit.Warning,
	Title:    "Tokens that live too long",
	Why: "Nobody can call an access or ID token back: API Gateway takes it until it expires, even after the user signed " +
		"out or was deleted. An hour, Cognito's default, is as long as tokens of users should last, and 12 hours those of" +
		" machines. A refresh token over 90 days is a password that nobody changes.",
	Fix: "Shorten AccessTokenValidity and IdTokenValidity to an hour or less, 12 hours for machines, and " +
		"RefreshTokenValidity to 90 days. Refresh tokens keep users signed in.",
	Source: audit.Source{
		Title: "Using tokens with user pools, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		known := func(c assembly.UserPoolClient, validity string) bool {
			return m.Known(c.Place, validity, "TokenValidityUnits")
		}
		for _, c := range clientsOf(m) {
			limit, whose := 12*time.Hour, "machines"
			if usersSignIn(m, c) {
				limit, whose = time.Hour, "users"
				if c.RefreshTokenLifetime > 90*24*time.Hour && known(c, "RefreshTokenValidity") {
					r.Find(c.Place, "refresh tokens of the client %s live %d days; the limit is 90", nameOf(c), c.RefreshTokenLifetime/(24*time.Hour))
				}
				if c.IDTokenLifetime > limit && known(c, "IdTokenValidity") {
					r.Find(c.Place, "ID tokens of the client %s live %s; the limit for %s is %s", nameOf(c), inHours(c.IDTokenLifetime), whose, inHours(limit))
				}
			}
			if c.AccessTokenLifetime > limit && known(c, "AccessTokenValidity") {
				r.Find(c.Place, "access tokens of the client %s live %s; the limit for %s is %s", nameOf(c), inHours(c.AccessTokenLifetime), whose, inHours(limit))
			}
		}
	},
}

func inHours(d time.Duration) string {
	if d == time.Hour {
		return "1 hour"
	}
	return strconv.FormatFloat(d.Hours(), 'f', -1, 64) + " hours"
}
