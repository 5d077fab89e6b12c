package authconfig_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/authconfig"
)

var rules = authconfig.Rules{Routes: []authconfig.Route{
	{Method: "GET", Path: "/v1/session", Tokens: []authconfig.Token{{Scopes: []string{"web/use"}, Clients: []string{"website", "mobile"}}}},
	{Method: "POST", Path: "/v1/notes/{id}", Tokens: []authconfig.Token{{Scopes: []string{"a/b", "a/c"}, AnyClient: true}}, Key: &authconfig.Key{Scopes: []string{"a/b"}}},
	{Method: "GET", Path: "/v1/notes/{id}", Key: &authconfig.Key{Scopes: []string{"a/b"}}},
}}

const file = `{"version":2,"routes":[
{"method":"GET","path":"/v1/notes/{id}","key":{"scopes":["a/b"]}},
{"method":"POST","path":"/v1/notes/{id}","tokens":[{"scopes":["a/b","a/c"],"anyClient":true}],"key":{"scopes":["a/b"]}},
{"method":"GET","path":"/v1/session","tokens":[{"scopes":["web/use"],"clients":["website","mobile"]}]}
]}
`

func TestEncodeAndParse(t *testing.T) {
	t.Parallel()
	data, err := rules.Encode()
	if err != nil || string(data) != file {
		t.Fatalf("got %s, %v\nwant %s", data, err, file)
	}
	if rules.Version != 0 || rules.Routes[0].Path != "/v1/session" {
		t.Error("Encode changed the rules of its caller")
	}
	got, err := authconfig.Parse(data)
	if err != nil || got.Version != authconfig.Version || len(got.Routes) != 3 || !reflect.DeepEqual(got.Routes[2], rules.Routes[0]) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.KeyHeader || !got.TakesTokens() || !got.TakesKeys() {
		t.Errorf("got %+v", got)
	}
	got.KeyHeader, got.Routes = true, got.Routes[:1]
	if got.TakesTokens() {
		t.Error("a route that takes keys alone takes tokens")
	}
	again, err := got.Encode()
	if err != nil || !strings.HasPrefix(string(again), `{"version":2,"keyHeader":true,"routes":[`) {
		t.Errorf("got %s, %v", again, err)
	}
	if parsed, err := authconfig.Parse(again); err != nil || !parsed.KeyHeader {
		t.Errorf("got %+v, %v", parsed, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	route := func(change func(*authconfig.Route)) authconfig.Rules {
		r := authconfig.Route{Method: "GET", Path: "/x", Tokens: []authconfig.Token{{Scopes: []string{"a/b"}, Clients: []string{"website"}}}}
		change(&r)
		return authconfig.Rules{Routes: []authconfig.Route{r}}
	}
	tests := []struct {
		name  string
		rules authconfig.Rules
		want  string
	}{
		{"another version", authconfig.Rules{Version: 1, Routes: rules.Routes}, "version 1 is not understood; 2 is"},
		{"no routes", authconfig.Rules{}, "no routes"},
		{"route twice", authconfig.Rules{Routes: append(rules.Routes[:1:1], rules.Routes[0])}, "routes[1] GET /v1/session: a second time"},
		{"method in lower case", route(func(r *authconfig.Route) { r.Method = "get" }), "routes[0] get /x: the method is unknown"},
		{"preflight", route(func(r *authconfig.Route) { r.Method = "OPTIONS" }), "routes[0] OPTIONS /x: the method is unknown"},
		{"relative path", route(func(r *authconfig.Route) { r.Path = "x" }), `routes[0] GET x: the path does not start with a slash, or holds one of "*?$ "`},
		{"wildcard", route(func(r *authconfig.Route) { r.Path = "/*" }), `routes[0] GET /*: the path does not start with a slash, or holds one of "*?$ "`},
		{"no credential", route(func(r *authconfig.Route) { r.Tokens = nil }), "routes[0] GET /x: it takes no credential, so nobody may call it"},
		{"no scopes, empty client", route(func(r *authconfig.Route) { r.Tokens = []authconfig.Token{{Clients: []string{""}}} }),
			"routes[0] GET /x: no scopes, or an empty one\nroutes[0] GET /x: neither clients nor any client, both, or an empty one"},
		{"no clients", route(func(r *authconfig.Route) { r.Tokens[0].Clients = nil }), "routes[0] GET /x: neither clients nor any client, both, or an empty one"},
		{"clients and any client", route(func(r *authconfig.Route) { r.Tokens[0].AnyClient = true }), "routes[0] GET /x: neither clients nor any client, both, or an empty one"},
		{"keys without scopes", route(func(r *authconfig.Route) { r.Key = &authconfig.Key{} }), "routes[0] GET /x: keys without scopes, or with an empty one"},
		{"keys with an empty scope", route(func(r *authconfig.Route) { r.Key = &authconfig.Key{Scopes: []string{"a/b", ""}} }), "routes[0] GET /x: keys without scopes, or with an empty one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data, err := test.rules.Encode()
			if err == nil || err.Error() != test.want || data != nil {
				t.Errorf("got %v; want %s", err, test.want)
			}
		})
	}
}

// Parse takes one spelling only.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	replace := func(old, text string) string {
		if !strings.Contains(file, old) {
			t.Fatalf("the file has no %s", old)
		}
		return strings.Replace(file, old, text, 1)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "x", "null": "null", "trailing text": file + "x", "second value": file + "{}", "no last line end": strings.TrimSpace(file),
		"no version": replace(`"version":2,`, ""), "version 0": replace(`"version":2`, `"version":0`), "version 1": replace(`"version":2`, `"version":1`),
		"version as a text": replace(`"version":2`, `"version":"1"`), "unknown member": replace(`"version":2`, `"version":1,"mode":"open"`),
		"unknown member of a route": replace(`"method":"GET"`, `"public":true,"method":"GET"`), "member twice": replace(`"scopes":["a/b"]`, `"scopes":["x/y"],"scopes":["a/b"]`),
		"member in another case": replace(`"scopes"`, `"Scopes"`), "another order": replace(`"method":"GET","path":"/v1/notes/{id}"`, `"path":"/v1/notes/{id}","method":"GET"`),
		"key null": replace(`"key":{"scopes":["a/b"]}`, `"key":null`), "a space": replace(`:["`, `: ["`), "any client and clients": replace(`"anyClient":true`, `"clients":["x"],"anyClient":true`), "no client at all": replace(`,"anyClient":true`, ``),
		"key header off": replace(`"version":2`, `"version":2,"keyHeader":false`), "escaped": replace("website", `w\u0065bsite`),
		"route twice": replace("POST", "GET"), "no clients": replace(`["website","mobile"]`, `[]`),
	} {
		if rules, err := authconfig.Parse([]byte(text)); err == nil || len(rules.Routes) != 0 || !strings.HasPrefix(err.Error(), authconfig.FileName+": ") {
			t.Errorf("%s: got %+v, %v", name, rules, err)
		}
	}
}

func TestParseUserPools(t *testing.T) {
	t.Parallel()
	const good = `[{"issuer":"https://a","clients":{"website":"1","mobile":"2"}},{"issuer":"https://b","clients":{"website":"1"}}]`
	pools, err := authconfig.ParseUserPools(" " + good + "\n")
	if err != nil || len(pools) != 2 || pools[0].Clients["mobile"] != "2" || pools[1].Issuer != "https://b" {
		t.Errorf("got %+v, %v", pools, err)
	}
	for text, want := range map[string]string{
		"":              "USER_POOLS is not set",
		"x":             "USER_POOLS: invalid character 'x' looking for beginning of value",
		"null":          "USER_POOLS is no list",
		good + "]":      "USER_POOLS: there is more after the end",
		`[{}]`:          "USER_POOLS[0]: the issuer \"\" is empty or named twice",
		`[{"pool":""}]`: `USER_POOLS: json: unknown field "pool"`,
		strings.Replace(good, "https://b", "https://a", 1): `USER_POOLS[1]: the issuer "https://a" is empty or named twice`,
		strings.Replace(good, `"2"`, `"1"`, 1):             `the client "`,
		strings.Replace(good, `"2"`, `""`, 1):              `USER_POOLS[0]: the client "mobile": its name or its id is empty, or its id another's`,
		strings.Replace(good, `mobile`, ``, 1):             `USER_POOLS[0]: the client "": its name or its id is empty, or its id another's`,
	} {
		if _, err := authconfig.ParseUserPools(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %s", text, err, want)
		}
	}
}

// An API whose routes take keys alone has no user pool, and one whose rules name
// no client needs none of a pool's.
func TestParseNoUserPools(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`[]`: 0, `[{"issuer":"https://a","clients":{}}]`: 1} {
		if pools, err := authconfig.ParseUserPools(text); err != nil || len(pools) != want {
			t.Errorf("%s: got %+v, %v", text, pools, err)
		}
	}
}

func TestParseCustomers(t *testing.T) {
	t.Parallel()
	const good = `{"table":"Customers","prefix":"gw","tag":"dev"}`
	if c, err := authconfig.ParseCustomers(good); err != nil || *c != (authconfig.Customers{Table: "Customers", Prefix: "gw", Tag: "dev"}) {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := authconfig.ParseCustomers(""); err != nil || c != nil {
		t.Errorf("got %+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"x": "CUSTOMERS: invalid character 'x' looking for beginning of value", "null": "CUSTOMERS: the table", "{}": "CUSTOMERS: the table",
		good + "{}": "CUSTOMERS: there is more after the end", `{"open":true}`: `CUSTOMERS: json: unknown field "open"`,
		strings.Replace(good, "Customers", "", 1): "CUSTOMERS: the table", strings.Replace(good, "gw", "", 1): "CUSTOMERS: the table",
		strings.Replace(good, "dev", "", 1): "CUSTOMERS: the table",
	} {
		if c, err := authconfig.ParseCustomers(text); err == nil || c != nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %+v, %v", text, c, err)
		}
	}
}
