package test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/constructs/userpool"
)

// sentTo has one client of each kind that sends users to the same URLs.
func sentTo(urls ...string) map[string]userpool.Client {
	scopes := []string{"openid"}
	return map[string]userpool.Client{
		"browser": userpool.Browser{Name: "c", Scopes: scopes, Callbacks: urls, Logouts: urls},
		"mobile":  userpool.Mobile{Name: "c", Scopes: scopes, Callbacks: urls, Logouts: urls},
		"server":  userpool.Server{Name: "c", Scopes: scopes, Callbacks: urls, Logouts: urls},
	}
}

// A code is sent over https, to the user's own machine, or to an app's own
// scheme (RFC 8252 section 7), and the template says so letter by letter.
func TestUserPoolRedirects(t *testing.T) {
	everybody := []string{
		"https://shop.example.com", "https://shop.example.com/", "https://shop.example.com:8443/callback?from=login&a=%2Fb",
		"https://shop.example.com/@me", "https://xn--bcher-kva.example/", "https://192.0.2.7/", "https://localhost/",
		"http://localhost", "http://localhost:4013/callback", "http://127.0.0.1:4013/callback", "http://[::1]:4013/callback", "http://[::1]",
	}
	apps := append([]string{"com.example.shop:/callback", "com.example.shop://callback", "com.example.shop:/", "com.my-shop.app2:/a?b=c"}, everybody...)
	for kind, urls := range map[string][]string{"browser": everybody, "mobile": apps, "server": everybody} {
		client := only(t, declare(t, func(stack awscdk.Stack) {
			userpool.New(stack, "Users", userpool.Props{Clients: []userpool.Client{sentTo(urls...)[kind]}})
		}), "AWS::Cognito::UserPoolClient")
		for _, property := range []string{"CallbackURLs", "LogoutURLs"} {
			var got []string
			for _, url := range client[property].([]any) {
				got = append(got, url.(string))
			}
			if !reflect.DeepEqual(got, urls) {
				t.Errorf("%s: %s are %v, want %v", kind, property, got, urls)
			}
		}
	}
}

// A part that is only known when the stack is deployed is not checked.
func TestUserPoolRedirectByToken(t *testing.T) {
	declare(t, func(stack awscdk.Stack) {
		userpool.New(stack, "Users", userpool.Props{Clients: []userpool.Client{sentTo("https://" + *stack.Account() + ".example.com/")["browser"]}})
	})
}

func TestUserPoolRedirectProblems(t *testing.T) {
	const (
		loopback = "write https, or a host of localhost, 127.0.0.1 or [::1]"
		reverse  = "an app's own scheme is a domain name of yours in reverse"
		others   = "write an https URL, or http on localhost, 127.0.0.1 or [::1]"
	)
	tests := []struct {
		name, url string
		want      map[string]string // by kind of client; "" for all others
	}{
		{"plain http", "http://shop.example.com/", map[string]string{"": loopback}},
		{"a name that begins like this machine", "http://localhost.example.com/", map[string]string{"": loopback}},
		{"a name that ends like this machine", "http://my.localhost/", map[string]string{"": loopback}},
		{"another loopback address", "http://127.0.0.2/", map[string]string{"": loopback}},
		{"an address in disguise", "http://0x7f000001/", map[string]string{"": loopback}},
		{"every address", "http://0.0.0.0:4013/", map[string]string{"": loopback}},
		{"another spelling of the address", "http://[0:0:0:0:0:0:0:1]/", map[string]string{"": loopback}},
		{"no address", "http:///callback", map[string]string{"": loopback}},
		{"fragment", "https://shop.example.com/#/callback", map[string]string{"": "has a fragment"}},
		{"empty fragment", "https://shop.example.com/#", map[string]string{"": "has a fragment"}},
		{"wildcard", "https://*.example.com/", map[string]string{"": "has a wildcard"}},
		{"relative", "/callback", map[string]string{"": "no absolute URL"}},
		{"no scheme", "shop.example.com/callback", map[string]string{"": "no absolute URL"}},
		{"without a host", "https:///callback", map[string]string{"": "no host"}},
		{"without slashes", "https:callback", map[string]string{"": "no host"}},
		{"host in upper case", "https://Shop.example.com/", map[string]string{"": "no host; write its name in lower case"}},
		{"scheme in upper case", "HTTPS://shop.example.com/", map[string]string{"": "write the scheme in lower case"}},
		{"host with a dot at its end", "https://shop.example.com./", map[string]string{"": "no host"}},
		{"backslash", `https://shop.example.com\.evil.example/`, map[string]string{"": "no absolute URL"}},
		{"port 0", "https://shop.example.com:0/", map[string]string{"": "no port; 1 to 65535"}},
		{"large port", "http://localhost:65536/", map[string]string{"": "no port"}},
		{"empty port", "https://shop.example.com:/", map[string]string{"": "no port"}},
		{"space", "https://shop.example.com/a b", map[string]string{"": "1 to 1,024 printable characters"}},
		{"line feed", "https://shop.example.com/\n", map[string]string{"": "1 to 1,024 printable characters"}},
		{"other letters", "https://shop.example.com/ü", map[string]string{"": "1 to 1,024 printable characters"}},
		{"too long", "https://shop.example.com/" + strings.Repeat("a", 1000), map[string]string{"": "1 to 1,024 printable characters"}},
		{"empty", "", map[string]string{"": "1 to 1,024 printable characters"}},
		{"script", "javascript:alert(1)", map[string]string{"": others, "mobile": reverse}},
		{"data", "data:text/html,x", map[string]string{"": others, "mobile": reverse}},
		{"file", "file:///etc/passwd", map[string]string{"": others, "mobile": reverse}},
		{"scheme without a dot", "myapp://callback", map[string]string{"": others, "mobile": reverse}},
		{"scheme without a path", "com.example.shop:callback", map[string]string{"": others, "mobile": "write a slash after com.example.shop:"}},
		{"scheme alone", "com.example.shop:", map[string]string{"": others, "mobile": "write a slash after com.example.shop:"}},
		{"scheme in upper case", "com.example.Shop:/callback", map[string]string{"": "write the scheme in lower case"}},
		{"user", "https://ann:geheim@shop.example.com/", map[string]string{"": "holds a user name or password"}},
	}
	for _, tt := range tests {
		for kind, client := range sentTo("https://good.example.com/", tt.url) {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				want, own := tt.want[kind]
				if !own {
					want = tt.want[""]
				}
				got := problem(t, func(stack awscdk.Stack) {
					userpool.New(stack, "Users", userpool.Props{Clients: []userpool.Client{client}})
				})
				for _, list := range []string{"Callbacks", "Logouts"} {
					line := ""
					for candidate := range strings.SplitSeq(got, "\n") {
						if strings.Contains(candidate, `Clients[0] "c": `+list+"[1]: ") {
							line = candidate
						}
					}
					if !strings.Contains(line, want) {
						t.Errorf("got  %q\nwant %q for %s", got, want, list)
					}
				}
				if strings.Contains(got, "geheim") {
					t.Errorf("%q repeats a password", got)
				}
			})
		}
	}
}

func TestUserPoolRedirectLists(t *testing.T) {
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf("https://shop.example.com/%d", i))
	}
	for want, urls := range map[string][]string{
		`Clients[0] "c": Callbacks[1]: twice`:                     {"https://shop.example.com/", "https://shop.example.com/"},
		`Clients[0] "c": Logouts: 101 URLs; Cognito takes 100`:    many,
		`Clients[0] "c": Callbacks: 101 URLs; Cognito takes 100`:  many,
		`Clients[0] "c": no Callbacks; write where users come ba`: nil,
	} {
		got := problem(t, func(stack awscdk.Stack) {
			userpool.New(stack, "Users", userpool.Props{Clients: []userpool.Client{sentTo(urls...)["server"]}})
		})
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
