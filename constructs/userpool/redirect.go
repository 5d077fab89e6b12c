package userpool

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxRedirects is how many callbacks, and how many logouts, Cognito takes for
// a client ("Quotas in Amazon Cognito").
const maxRedirects = 100

var (
	redirectPattern  = regexp.MustCompile(`^[\x21-\x7e]+$`)
	hostPattern      = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$`)
	ownSchemePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$`)
	loopbackHosts    = []string{"localhost", "127.0.0.1", "[::1]"}
)

// redirectProblems checks a list of URLs to which Cognito sends browsers.
func (s *signIn) redirectProblems(at string, urls []string) []error {
	var problems []error
	if len(urls) > maxRedirects {
		problems = append(problems, fmt.Errorf("%s: %d URLs; Cognito takes %d", at, len(urls), maxRedirects))
	}
	for i, text := range urls {
		if awscdkToken(text) {
			continue // known when it is deployed
		}
		if slices.Contains(urls[:i], text) {
			problems = append(problems, fmt.Errorf("%s[%d]: twice", at, i))
		}
		if err := s.redirectProblem(text); err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %w", at, i, err))
		}
	}
	return problems
}

// redirectProblem says why users must not be sent to a URL ("Application-
// specific settings with app clients", Amazon Cognito; RFC 6749 section 3.1.2;
// RFC 8252 section 7). A browser takes the code along, so nothing but https, the
// user's own machine and an app's own scheme may get it.
func (s *signIn) redirectProblem(text string) error {
	if len(text) > 1024 || !redirectPattern.MatchString(text) {
		return fmt.Errorf("%q: 1 to 1,024 printable characters of ASCII; escape the others", text)
	}
	if authority, found := authority(text); found && strings.Contains(authority, "@") {
		// It may be a password, so the value is not repeated.
		return errors.New("holds a user name or password before the host; leave it out")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "":
		return fmt.Errorf("%q: no absolute URL", text)
	case strings.Contains(text, "#"):
		return fmt.Errorf("%q: has a fragment; leave out what begins with #", text)
	case strings.Contains(text, "*"):
		return fmt.Errorf("%q: has a wildcard; Cognito compares whole URLs, so write each of them", text)
	case !strings.HasPrefix(text, u.Scheme+":"):
		return fmt.Errorf("%q: write the scheme in lower case; Cognito compares letter by letter", text)
	case u.Scheme == "https":
		return httpsProblem(u, text)
	case u.Scheme == "http":
		return loopbackProblem(u, text)
	case !s.ownSchemes:
		return fmt.Errorf("%q: write an https URL, or http on localhost, 127.0.0.1 or [::1]", text)
	case !ownSchemePattern.MatchString(u.Scheme):
		return fmt.Errorf("%q: an app's own scheme is a domain name of yours in reverse, such as com.example.shop:/callback (RFC 8252 section 7.1)", text)
	case u.Opaque != "" || text == u.Scheme+":":
		return fmt.Errorf("%q: write a slash after %s:", text, u.Scheme)
	}
	return nil
}

// authority is what stands between // and the path.
func authority(text string) (string, bool) {
	_, rest, found := strings.Cut(text, "//")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest, found
}

func httpsProblem(u *url.URL, text string) error {
	if !hostPattern.MatchString(u.Hostname()) {
		return fmt.Errorf("%q: no host; write its name in lower case", text)
	}
	return portProblem(u, text)
}

func loopbackProblem(u *url.URL, text string) error {
	host, port := u.Host, u.Port()
	if port != "" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	if !slices.Contains(loopbackHosts, host) {
		return fmt.Errorf("%q: plain http sends the code in the clear; write https, or a host of localhost, 127.0.0.1 or [::1]", text)
	}
	return portProblem(u, text)
}

func portProblem(u *url.URL, text string) error {
	port := u.Port()
	if n, err := strconv.Atoi(port); strings.HasSuffix(u.Host, ":") || port != "" && (err != nil || n < 1 || n > 65535) {
		return fmt.Errorf("%q: no port; 1 to 65535", text)
	}
	return nil
}
