package apispec

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const exampleOrigin = "https://shop.example.com"

// An internationalized name is sent in its ASCII form ("xn--…").
var hostPattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?$`)

// CheckOrigin reports what is wrong with a web origin, with the mend.
//
// An origin is compared byte for byte with what the browser sends, which is the
// ASCII serialization of RFC 6454, section 6.2: lower case, no default port, no
// path. Any other spelling would never match and is refused with the right one.
func CheckOrigin(origin string) error {
	if strings.Contains(origin, "@") {
		// It may be a password, so the value is not repeated.
		return errors.New("holds a user name or password; write scheme, host and port only, such as " + exampleOrigin)
	}
	if strings.Contains(origin, "*") {
		return fmt.Errorf("%q has a wildcard, which would open the API to other people's pages; write each origin out, such as %s", origin, exampleOrigin)
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return fmt.Errorf("%q is no web origin; write scheme and host, such as %s", origin, exampleOrigin)
	}
	host, loopback, ok := originHost(u.Hostname())
	if !ok {
		return fmt.Errorf("%q has no valid host; write it as the browser's address bar shows it, in ASCII", origin)
	}
	port, ok := originPort(u)
	if !ok {
		return fmt.Errorf("%q has no valid port; write 1 to 65535 or leave it out", origin)
	}
	if u.Scheme == "http" && !loopback {
		return fmt.Errorf("%q is not encrypted, which is for this machine only; write https://%s", origin, host)
	}
	if sent := u.Scheme + "://" + host + port; sent != origin {
		return fmt.Errorf("%q is never sent by a browser; write %s", origin, sent)
	}
	return nil
}

// originHost returns the host as a browser sends it and whether it is this
// machine.
func originHost(name string) (host string, loopback, ok bool) {
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Is6() {
			return "[" + addr.String() + "]", addr.IsLoopback(), addr.Zone() == ""
		}
		return addr.String(), addr.IsLoopback(), true
	}
	host = strings.ToLower(name)
	loopback = host == "localhost" || strings.HasSuffix(host, ".localhost")
	return host, loopback, hostPattern.MatchString(host)
}

// originPort returns ":port", or "" for the scheme's own.
func originPort(u *url.URL) (string, bool) {
	text := u.Port()
	if text == "" {
		return "", true
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return "", false
	}
	if u.Scheme == "https" && port == 443 || u.Scheme == "http" && port == 80 {
		return "", true
	}
	return ":" + strconv.FormatUint(port, 10), true
}
