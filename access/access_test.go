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
	fmt.Println(access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")))
	fmt.Println(access.Rule{}.Validate())
	// Output:
	// public: health check
	// scope notes/read or notes/write
	// scope web/use from website or mobile
	// scope orders/read, or key with orders/read
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
		{"key", access.Key("orders/read", "orders/write"), "key with orders/read or orders/write", ""},
		{"key without scopes", access.Key(), "key with ", `access.Key needs at least one scope, such as "notes/read"`},
		{"key with a malformed scope", access.Key("read"), "key with read", "malformed scope \"read\"; write \"<resource server>/<name>\""},
		{"key from a client", access.Key("a/b").From("website"), "key with a/b", "a customer's key is issued to no app client; From narrows access.Scopes only"},
		{"key with a reason", access.Rule{Kind: access.KindKey, Reason: "x", Scopes: []string{"a/b"}}, "key with a/b", "access.Key takes no reason; only a public route needs one"},
		{"token or key", access.AnyOf(access.Scopes("a/b").From("website"), access.Key("a/c")), "scope a/b from website, or key with a/c", ""},
		{"tokens of two clients", access.AnyOf(access.Scopes("a/b").From("website"), access.Scopes("a/c").From("partner")), "scope a/b from website, or scope a/c from partner", ""},
		{"any of nothing", access.AnyOf(), "", "access.AnyOf needs two rules or more; write a single one as it is"},
		{"any of one", access.AnyOf(access.Key("a/b")), "key with a/b", "access.AnyOf needs two rules or more; write a single one as it is"},
		{"any with a public one", access.AnyOf(access.Key("a/b"), access.Public("x")), "key with a/b, or public: x",
			"AnyOf rule 2: a public route lets anyone in, whatever else it takes; write access.Public alone"},
		{"any within any", access.AnyOf(access.Key("a/b"), access.AnyOf(access.Scopes("a/b"), access.Key("a/b"))), "key with a/b, or scope a/b, or key with a/b",
			"AnyOf rule 2: access.AnyOf within access.AnyOf; name all rules in one"},
		{"any with two keys", access.AnyOf(access.Key("a/b"), access.Key("a/c")), "key with a/b, or key with a/c",
			"access.AnyOf has access.Key more than once; any one of a key's scopes suffices, so name them all in one"},
		{"any with guests", access.AnyOf(access.Key("a/b"), access.Rule{Kind: "guest"}), `key with a/b, or unknown kind "guest"`,
			`AnyOf rule 2: IAM decides about callers of kind "guest", and API Gateway allows one type of authorization for each method; give them a route of their own`},
		{"any with an invalid one", access.AnyOf(access.Key("a/b"), access.Scopes("b", "c"), access.Rule{}), "key with a/b, or scope b or c, or no rule",
			"AnyOf rule 2: malformed scope \"b\"; write \"<resource server>/<name>\"\n" +
				"AnyOf rule 2: malformed scope \"c\"; write \"<resource server>/<name>\"\n" +
				`AnyOf rule 3: no access rule; write access.Public("why") if anyone may call it`},
		{"any from clients", access.AnyOf(access.Key("a/b"), access.Scopes("a/b")).From("website"), "key with a/b, or scope a/b",
			"access.AnyOf takes rules alone; reasons, scopes and clients belong to those"},
		{"scopes with rules", access.Rule{Kind: access.KindScopes, Scopes: []string{"a/b"}, Any: []access.Rule{access.Key("a/b")}}, "scope a/b", "only access.AnyOf holds other rules"},
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
	either := access.AnyOf(rule, access.Key("notes/read"))
	rule.Scopes[0] = "notes/write"
	alternatives := either.Alternatives()
	alternatives[1] = access.Rule{}
	if rule.Scopes[0] = "notes/read"; either.Any[0].Scopes[0] != "notes/read" || either.Any[1].Kind != access.KindKey {
		t.Error("AnyOf shares its caller's slice")
	}
	if alone := rule.Alternatives(); len(alone) != 1 || !reflect.DeepEqual(alone[0], rule) {
		t.Errorf("one rule's alternatives are %v", alone)
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
