package cognito_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// redirectTricks tries what has fooled comparisons of redirect_uri.
func redirectTricks(t *testing.T, w *world, b *browser) {
	for name, trick := range map[string]string{
		"prefix":            callback + "x",
		"deeper":            callback + "/more",
		"trailing slash":    callback + "/",
		"query":             callback + "?a=b",
		"empty query":       callback + "?",
		"fragment":          callback + "#x",
		"a known fragment":  callback + "#registered",
		"empty fragment":    callback + "#",
		"port":              "http://localhost:4014/callback",
		"no port":           "http://localhost/callback",
		"scheme":            "https://localhost:4013/callback",
		"host":              "http://127.0.0.1:4013/callback",
		"host in capitals":  "http://LOCALHOST:4013/callback",
		"path in capitals":  "http://localhost:4013/Callback",
		"user info":         "http://localhost:4013@evil.example/callback",
		"user":              "http://evil@localhost:4013/callback",
		"sub-domain":        "http://localhost:4013.evil.example/callback",
		"traversal":         "http://localhost:4013/x/../callback",
		"encoded traversal": "http://localhost:4013/%2e%2e/callback",
		"encoded letter":    "http://localhost:4013/%63allback",
		"backslash":         `http://localhost:4013\@evil.example/callback`,
		"leading space":     " " + callback,
		"trailing space":    callback + " ",
		"line break":        callback + "\r\nSet-Cookie: a=b",
		"NUL":               callback + "\x00",
		"two slashes":       "http://localhost:4013//callback",
		"less of a query":   "http://localhost:4013/other",
		"more of a query":   elsewhere + "&more=1",
		"own scheme, host":  "com.example.app://callback",
		"own scheme, more":  "com.example.app:/callback/x",
		"JavaScript":        "javascript:alert(1)",
		"relative":          "/callback",
		"scheme-relative":   "//localhost:4013/callback",
		"nobody's":          "https://evil.example/",
		"empty":             "",
	} {
		for _, path := range []string{"/oauth2/authorize", "/login", "/signup", "/confirm", "/forgotPassword"} {
			v := b.get(strings.Replace(w.request(verifier, "redirect_uri", trick), "/oauth2/authorize", path, 1))
			refusedOnPage(t, name+" at "+path, v)
		}
	}
	refusedOnPage(t, "twice", b.get(w.request(verifier)+"&redirect_uri="+url.QueryEscape(callback)))
	for _, good := range []string{elsewhere, "com.example.app:/callback"} {
		got := b.get(w.request(verifier, "redirect_uri", good)).answered(t, good)
		if got.Get("code") == "" {
			t.Errorf("%s: %v", good, got)
		}
	}
}

// refusedOnPage checks that a person sees an error and is sent nowhere.
func refusedOnPage(t *testing.T, name string, v view) {
	t.Helper()
	if v.StatusCode != http.StatusBadRequest || v.Header.Get("Location") != "" || v.find(alertPattern) == "" || strings.Contains(v.body, "evil") {
		t.Errorf("%s: %d to %q", name, v.StatusCode, v.Header.Get("Location"))
	}
}

// openRedirect tries to be sent to somebody else, signing in or out.
func openRedirect(t *testing.T, w *world, b *browser) {
	refusedOnPage(t, "unknown client", b.get(w.request(verifier, "client_id", "nobody", "redirect_uri", "https://evil.example/")))
	refusedOnPage(t, "no client", b.get(w.request(verifier, "client_id", "")))
	refusedOnPage(t, "two clients", b.get(w.request(verifier)+"&client_id="+otherID))
	refusedOnPage(t, "a pool without a domain", b.get(w.request(verifier, "client_id", bareSite)))
	for name, query := range map[string]string{
		"unknown":          "client_id=" + websiteID + "&logout_uri=https://evil.example/",
		"prefix":           "client_id=" + websiteID + "&logout_uri=" + signedOut + "x",
		"a callback":       "client_id=" + websiteID + "&logout_uri=" + callback,
		"another client's": "client_id=" + machineID + "&logout_uri=" + signedOut,
		"unknown callback": "client_id=" + websiteID + "&response_type=code&redirect_uri=https://evil.example/",
		"none":             "client_id=" + websiteID,
		"no client":        "logout_uri=" + signedOut,
		"twice":            "client_id=" + websiteID + "&logout_uri=" + signedOut + "&logout_uri=https://evil.example/",
		"bad escape":       "client_id=" + websiteID + "&logout_uri=%zz",
	} {
		refusedOnPage(t, "logout, "+name, b.get(w.base+"/logout?"+query))
	}
}
