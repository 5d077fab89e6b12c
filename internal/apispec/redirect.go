package apispec

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// MaxRedirects is how many callbacks, and how many logouts, Cognito takes
	// for a user-pool client ("Quotas in Amazon Cognito").
	MaxRedirects = 100

	// maxRedirectLength is in characters ("CreateUserPoolClient", Amazon
	// Cognito).
	maxRedirectLength = 1024

	exampleRedirect = "https://shop.example.com/callback"
)

var (
	printable       = regexp.MustCompile(`^[\x21-\x7e]*$`)
	redirectHost    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
	ownScheme       = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	loopbackTargets = []string{"localhost", "127.0.0.1", "[::1]"}
)

// CheckRedirect reports why users must not be sent to a URI after signing in or
// out, with the mend ("Application-specific settings with app clients", Amazon
// Cognito; RFC 6749 section 3.1.2; RFC 8252 section 7).
//
// The browser takes a code along, so nothing but https, the user's own machine
// and, with ownSchemes, an app's own scheme may get it. Cognito compares URIs
// letter by letter, so a spelling that no client sends would never match.
func CheckRedirect(uri string, ownSchemes bool) error {
	problem := redirectProblem(uri, ownSchemes)
	switch {
	case problem == "":
		return nil
	case strings.Contains(uri, "@") || len(uri) > maxRedirectLength:
		// Before an @ may stand a password, so the value is not repeated.
		return errors.New(problem)
	}
	return fmt.Errorf("%q %s", uri, problem)
}

func redirectProblem(uri string, ownSchemes bool) string {
	u, err := url.Parse(uri)
	switch {
	case strings.Contains(authority(uri), "@"):
		return "holds a user name or password; write it without, such as " + exampleRedirect
	case len(uri) > maxRedirectLength:
		return fmt.Sprintf("has %d characters; Cognito takes %d", len(uri), maxRedirectLength)
	case !printable.MatchString(uri):
		return "has a space or another character that a URI cannot hold; escape it, such as %20"
	case err != nil || u.Scheme == "":
		return "is no absolute URI; write one such as " + exampleRedirect
	case strings.Contains(uri, "#"):
		return "has a fragment, which Cognito refuses; remove the # and what follows"
	case strings.Contains(uri, "*"):
		return "has a wildcard, and Cognito compares whole URIs; write each of them"
	case !strings.HasPrefix(uri, u.Scheme+":"):
		return "has a scheme in upper case, and Cognito compares letter by letter; write " + u.Scheme
	case u.Scheme == "https" || u.Scheme == "http":
		return webProblem(u)
	case !ownSchemes:
		return "is neither https nor http on this machine; write one such as " + exampleRedirect
	case !ownScheme.MatchString(u.Scheme):
		return "has a scheme that is no domain name in reverse; write one such as com.example.shop:/callback (RFC 8252 section 7.1)"
	case u.Opaque != "" || uri == u.Scheme+":":
		return fmt.Sprintf("has no slash after its scheme; write %s:/callback", u.Scheme)
	}
	return ""
}

// authority is what stands between // and the path.
func authority(uri string) string {
	_, rest, _ := strings.Cut(uri, "//")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func webProblem(u *url.URL) string {
	port := u.Port()
	host := strings.TrimSuffix(u.Host, ":"+port)
	switch n, err := strconv.Atoi(port); {
	case u.Scheme == "http" && !slices.Contains(loopbackTargets, host):
		return "is not encrypted, which is for localhost, 127.0.0.1 and [::1] only; write https"
	case u.Scheme == "https" && !redirectHost.MatchString(host):
		return "has no valid host; write its name in lower case, such as " + exampleRedirect
	case strings.HasSuffix(u.Host, ":") || port != "" && (err != nil || n < 1 || n > 65535):
		return "has no valid port; write 1 to 65535 or leave it out"
	}
	return ""
}
