package rules

import (
	"net"
	"net/url"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var callbackInsecure = audit.Rule{
	ID:       "callback-insecure",
	Severity: audit.Error,
	Title:    "A callback that is not the app's own, or not encrypted",
	Why: "After sign-in the browser hands the authorization code to the callback. https://example.com is what the CDK " +
		"writes where none is stated, and belongs to somebody else. Over plain http anyone on the way reads the code; " +
		"only a callback on the user's own machine (localhost or a loopback address) needs no encryption.",
	Fix: "State the callbacks of the app, with https (in the CDK: oAuth: {callbackUrls: [...]}).",
	Source: audit.Source{
		Title: "RFC 9700: Best Current Practice for OAuth 2.0 Security, section 2.6",
		URL:   "https://www.rfc-editor.org/rfc/rfc9700#section-2.6",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, c := range clientsOf(m) {
			for _, callback := range c.Callbacks {
				u, err := url.Parse(callback)
				switch {
				case err != nil:
				case u.Scheme == "https" && u.Host == "example.com" && strings.Trim(u.Path, "/") == "":
					r.Find(c.Place, "the client %s has the CDK's default callback %s", nameOf(c), u.Redacted())
				case u.Scheme == "http" && !isLoopback(u.Hostname()):
					r.Find(c.Place, "the client %s has the unencrypted callback %s", nameOf(c), u.Redacted())
				}
			}
		}
	},
}

// isLoopback reports whether a host is the user's own machine (RFC 8252,
// section 7.3).
func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
