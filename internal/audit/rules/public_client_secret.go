package rules

import (
	"net/url"
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var publicClientSecret = audit.Rule{
	ID:       "public-client-secret",
	Severity: audit.Error,
	Title:    "A secret on a client that cannot keep one",
	Why: "Whatever ships to users, a page or an app, is readable by them, so a secret in it is none; and code that was " +
		"written without one fails against such a client. CloudFormation does not say what a client is for. One with a " +
		"secret counts where it looks public: it may use the implicit grant, whose tokens reach a browser; or a callback " +
		"has a scheme of its own, which is an app on a device; or it may sign users in with USER_PASSWORD_AUTH, and not " +
		"with ADMIN_USER_PASSWORD_AUTH, which is the one for servers; or its only way is USER_SRP_AUTH, which spares a " +
		"device from sending the password. Codes at an https or loopback callback, and client_credentials, are no such sign.",
	Fix: "Set GenerateSecret to false and let the app use the code grant with PKCE. A server that signs users in uses " +
		"ADMIN_USER_PASSWORD_AUTH, or the code grant.",
	Source: audit.Source{
		Title: "Application-specific settings with app clients, Amazon Cognito",
		URL:   "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			if c.HasSecret && isPublic(m, c) {
				r.Find(c.Place, "the client %s has a secret, and %s", nameOf(c), publicSign(m, c))
			}
		}
	},
}

// isPublic reports whether anyone may speak in the client's name: it has no
// secret, or one that its users have, as far as anything shows.
func isPublic(m *assembly.Model, c assembly.UserPoolClient) bool {
	return !c.HasSecret && m.Known(c.Place, "GenerateSecret") || publicSign(m, c) != ""
}

// publicSign says what makes a client look public; empty where nothing does. A
// sign-in flow is one where it is Cognito's for apps, and not accompanied by
// the one for servers, which have credentials of AWS.
func publicSign(m *assembly.Model, c assembly.UserPoolClient) string {
	has := func(flow string) bool { return slices.Contains(c.AuthFlows, flow) }
	server := has("ALLOW_ADMIN_USER_PASSWORD_AUTH") || !m.Known(c.Place, "ExplicitAuthFlows")
	codes := grants(c, "code") || grants(c, "client_credentials") || !m.Known(c.Place, "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient")
	own := slices.IndexFunc(c.Callbacks, func(callback string) bool {
		u, err := url.Parse(callback)
		return err == nil && u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https"
	})
	switch {
	case slices.Contains(c.Flows, "implicit"):
		return "may use the implicit grant, whose tokens reach a browser"
	case own >= 0:
		return "its callback " + c.Callbacks[own] + " opens an app on a device"
	case has("ALLOW_USER_PASSWORD_AUTH") && !server:
		return "signs users in with USER_PASSWORD_AUTH, which a server has no need of"
	case has("ALLOW_USER_SRP_AUTH") && !server && !codes:
		return "signs users in with USER_SRP_AUTH only, which is made for devices"
	}
	return ""
}
