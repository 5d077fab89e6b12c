package access_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/access"
)

func Example() {
	fmt.Println(access.Public("health check"))
	fmt.Println(access.Scopes("notes/read", "notes/write"))
	fmt.Println(access.Scopes("web/use").From("website", "mobile"))
	fmt.Println(access.Rule{}.Validate())
	// Output:
	// public: health check
	// scope notes/read or notes/write
	// scope web/use from website or mobile
	// no access rule; write access.Public("why") if anyone may call it
}

func TestRule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		rule   access.Rule
		text   string
		errors string // empty for a valid rule
	}{
		{"public", access.Public("health check"), "public: health check", ""},
		{"one scope", access.Scopes("notes/read"), "scope notes/read", ""},
		{"several scopes", access.Scopes("notes/read", "notes/write"), "scope notes/read or notes/write", ""},
		{"resource server that is a URL", access.Scopes("https://notes.example.com/read"), "scope https://notes.example.com/read", ""},
		{"zero", access.Rule{}, "no rule", `no access rule; write access.Public("why") if anyone may call it`},
		{"no reason", access.Public(" "), "public:  ", `access.Public needs a reason, such as "health check"`},
		{"no scopes", access.Scopes(), "scope ", `access.Scopes needs at least one scope, such as "notes/read"`},
		{"every problem at once", access.Scopes("notes/read", "read", "a b/c", "notes/read"), "scope notes/read or read or a b/c or notes/read",
			"malformed scope \"read\"; write \"<resource server>/<name>\"\n" +
				"malformed scope \"a b/c\"; write \"<resource server>/<name>\"\n" +
				"scope \"notes/read\" twice"},
		{"unknown kind", access.Rule{Kind: "anyone"}, `unknown kind "anyone"`, `unknown kind of access rule "anyone"; use the functions of package access`},
		{"scopes on a public rule", access.Rule{Kind: access.KindPublic, Reason: "x", Scopes: []string{"a/b"}}, "public: x", "a public route takes no scopes; use access.Scopes"},
		{"reason on a scope rule", access.Rule{Kind: access.KindScopes, Reason: "x", Scopes: []string{"a/b"}}, "scope a/b", "access.Scopes takes no reason; only a public route needs one"},
		{"from one client", access.Scopes("web/use").From("website"), "scope web/use from website", ""},
		{"from several clients", access.Scopes("a/b", "a/c").From("web site", "mobile"), "scope a/b or a/c from web site or mobile", ""},
		{"from others after all", access.Scopes("a/b").From("website").From("mobile"), "scope a/b from mobile", ""},
		{"from nobody", access.Scopes("a/b").From(), "scope a/b from ", `From needs the names of app clients, such as "website"`},
		{"from nobody after all", access.Scopes("a/b").From("website").From(), "scope a/b from ", `From needs the names of app clients, such as "website"`},
		{"from a client without a name", access.Scopes("a/b").From("website", " "), "scope a/b from website or  ", `From needs the names of app clients, such as "website"`},
		{"from a client twice", access.Scopes("a/b").From("website", "website"), "scope a/b from website or website", `client "website" twice`},
		{"public from a client", access.Public("x").From("website"), "public: x", "a public route takes every client; write access.Scopes(…).From(…)"},
		{"from a client without scopes", access.Scopes().From("website"), "scope  from website", `access.Scopes needs at least one scope, such as "notes/read"`},
		{"clients without a kind", access.Rule{Clients: []string{"website"}}, `unknown kind ""`, `unknown kind of access rule ""; use the functions of package access`},
		{"fields without a kind", access.Rule{Scopes: []string{"a/b"}}, `unknown kind ""`, `unknown kind of access rule ""; use the functions of package access`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.rule.String(); got != tt.text {
				t.Errorf("String() = %q, want %q", got, tt.text)
			}
			var got string
			if err := tt.rule.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.errors {
				t.Errorf("Validate() = %q, want %q", got, tt.errors)
			}
		})
	}
}

// A rule is data: it survives JSON, and does not share the caller's slice.
func TestRuleIsPlainData(t *testing.T) {
	t.Parallel()
	scopes, clients := []string{"notes/read"}, []string{"website"}
	every := access.Scopes(scopes...)
	rule := every.From(clients...)
	scopes[0], clients[0] = "notes/write", "mobile"
	if rule.Scopes[0] != "notes/read" || rule.Clients[0] != "website" {
		t.Error("the rule shares its caller's slice")
	}
	if every.Clients != nil {
		t.Error("From changed the rule that it narrows")
	}
	data, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	var back access.Rule
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rule, back) {
		t.Errorf("%#v came back as %#v", rule, back)
	}
}
