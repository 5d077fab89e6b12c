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

// The template holds what was declared, letter by letter.
func TestUserPoolRedirects(t *testing.T) {
	everybody := []string{"https://shop.example.com", "https://shop.example.com/callback?from=login&a=%2Fb", "http://[::1]:4013/callback"}
	apps := append([]string{"com.example.shop:/callback", "com.example.shop://callback"}, everybody...)
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

// Callbacks and logouts of each kind of client are checked; what is wrong with
// which stands in internal/apispec.
func TestUserPoolRedirectProblems(t *testing.T) {
	const foreign, reverse = "is neither https nor http on this machine", "has a scheme that is no domain name in reverse"
	for url, want := range map[string]map[string]string{ // by kind of client
		"https://Shop.Example.com/":           {"browser": "has no valid host", "mobile": "has no valid host", "server": "has no valid host"},
		"com.example.shop:/callback":          {"browser": foreign, "mobile": "", "server": foreign},
		"myapp://callback":                    {"browser": foreign, "mobile": reverse, "server": foreign},
		"https://ann:geheim@shop.example.com": {"browser": "holds a user name", "mobile": "holds a user name", "server": "holds a user name"},
	} {
		for kind, client := range sentTo("https://good.example.com/", url) {
			got := problem(t, func(stack awscdk.Stack) {
				userpool.New(stack, "Users", userpool.Props{Clients: []userpool.Client{client}})
			})
			for _, list := range []string{"Callbacks", "Logouts"} {
				_, line, found := strings.Cut(got, `Clients[0] "c": `+list+"[1]: ")
				line, _, _ = strings.Cut(line, "\n")
				if found != (want[kind] != "") || !strings.Contains(line, want[kind]) {
					t.Errorf("%s: got  %q\nwant %q for %s", kind, got, want[kind], list)
				}
			}
			if strings.Contains(got, "geheim") {
				t.Errorf("%q repeats a password", got)
			}
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
		`Clients[0] "c": Logouts: 101 URIs; Cognito takes 100`:    many,
		`Clients[0] "c": Callbacks: 101 URIs; Cognito takes 100`:  many,
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
