package apispec_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/apispec"
)

func TestCheckRedirect(t *testing.T) {
	t.Parallel()
	// Where the value is repeated, <> stands for it.
	const (
		absolute = "<> is no absolute URI; write one such as https://shop.example.com/callback"
		escaped  = "<> has a space or another character that a URI cannot hold; escape it, such as %20"
		upper    = "<> has a scheme in upper case, and Cognito compares letter by letter; write "
		plain    = "<> is not encrypted, which is for localhost, 127.0.0.1 and [::1] only; write https"
		host     = "<> has no valid host; write its name in lower case, such as https://shop.example.com/callback"
		port     = "<> has no valid port; write 1 to 65535 or leave it out"
		fragment = "<> has a fragment, which Cognito refuses; remove the # and what follows"
		wildcard = "<> has a wildcard, and Cognito compares whole URIs; write each of them"
		password = "holds a user name or password; write it without, such as https://shop.example.com/callback"
	)
	long := "https://shop.example.com/" + strings.Repeat("a", 1000)
	tests := []struct{ uri, want string }{
		{"https://shop.example.com", ""},
		{"https://shop.example.com/", ""},
		{"https://shop.example.com:8443/callback?from=login&a=%2Fb", ""},
		{"https://shop.example.com/@me", ""},
		{"https://shop.example.com?to=@me", ""},
		{"https://xn--bcher-kva.example/", ""},
		{"https://192.0.2.7/", ""},
		{"https://localhost/", ""},
		{"http://localhost", ""},
		{"http://localhost:4013/callback", ""},
		{"http://127.0.0.1:4013/callback", ""},
		{"http://[::1]:4013/callback", ""},
		{"http://[::1]", ""},
		{long[:1024], ""},

		{"", absolute},
		{"/callback", absolute},
		{"shop.example.com/callback", absolute},
		{`https://shop.example.com\.evil.example/`, absolute},
		{"https://[::1", absolute},
		{"HTTPS://shop.example.com/", upper + "https"},
		{"com.example.Shop:/callback", upper + "com.example.shop"},
		{"http://shop.example.com/", plain},
		{"http://localhost.example.com/", plain},
		{"http://my.localhost/", plain},
		{"http://LOCALHOST/", plain},
		{"http://127.0.0.2/", plain},
		{"http://0x7f000001/", plain},
		{"http://0.0.0.0:4013/", plain},
		{"http://[0:0:0:0:0:0:0:1]/", plain},
		{"http:///callback", plain},
		{"https:///callback", host},
		{"https:callback", host},
		{"https://Shop.Example.com/cb", host},
		{"https://a_b.example/", host},
		{"https://shop.example.com./", host},
		{"https://[::1]/", host},
		{"https://x:0/", port},
		{"https://x:99999/", port},
		{"https://x:/", port},
		{"http://localhost:", port},
		{"http://localhost:65536/", port},
		{"https://shop.example.com/#/callback", fragment},
		{"https://shop.example.com/#", fragment},
		{"https://*.example.com/", wildcard},
		{"https://shop.example.com/a b", escaped},
		{"https://shop.example.com/\n", escaped},
		{"https://shop.example.com/ü", escaped},
		{long, "has 1025 characters; Cognito takes 1024"},

		// What may be a password is not repeated.
		{"https://ann:hunter2@shop.example.com/", password},
		{"https://ann:hunter2 @shop.example.com/", password},
		{"com.example.shop://ann:hunter2@callback", password},
		{"https:ann:hunter2@shop.example.com/", strings.TrimPrefix(host, "<> ")},
		{"https://shop.example.com/@me#", strings.TrimPrefix(fragment, "<> ")},
	}
	for _, tt := range tests {
		wantRedirect(t, tt.uri, false, tt.want)
		wantRedirect(t, tt.uri, true, tt.want)
	}
}

// An app's own scheme is for those that own one (RFC 8252 section 7.1).
func TestCheckRedirectOwnSchemes(t *testing.T) {
	t.Parallel()
	const (
		foreign = "<> is neither https nor http on this machine; write one such as https://shop.example.com/callback"
		reverse = "<> has a scheme that is no domain name in reverse; write one such as com.example.shop:/callback (RFC 8252 section 7.1)"
		slash   = "<> has no slash after its scheme; write com.example.shop:/callback"
	)
	for uri, want := range map[string]string{
		"com.example.shop:/callback":  "",
		"com.example.shop://callback": "",
		"com.example.shop:/":          "",
		"com.my-shop.app2:/a?b=c":     "",
		"com.example.shop:callback":   slash,
		"com.example.shop:":           slash,
		"myapp://callback":            reverse,
		"javascript:alert(1)":         reverse,
		"data:text/html,x":            reverse,
		"file:///etc/passwd":          reverse,
	} {
		wantRedirect(t, uri, false, foreign)
		wantRedirect(t, uri, true, want)
	}
}

func wantRedirect(t *testing.T, uri string, ownSchemes bool, want string) {
	t.Helper()
	var got string
	if err := apispec.CheckRedirect(uri, ownSchemes); err != nil {
		got = err.Error()
	}
	if want = strings.Replace(want, "<>", strconv.Quote(uri), 1); got != want {
		t.Errorf("own schemes %v:\ngot  %s\nwant %s", ownSchemes, got, want)
	}
}
