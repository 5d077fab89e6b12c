package local

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestSample(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "minLength": 1}, "text": {"type": "string"}}}`: `{"title":"title"}`,
		`{"type": "object", "required": ["a", "n", "m", "b", "l", "e", "o"], "properties": {"a": {"type": "string", "minLength": 3}, "n": {"type": "integer"},
			"m": {"type": "number", "minimum": 5}, "b": {"type": "boolean"}, "l": {"type": "array"}, "e": {"enum": ["x", "y"]}, "o": {"type": "object"}}}`: `{"a":"a..","b":true,"e":"x","l":[],"m":5,"n":1,"o":{}}`,
		`{"allOf": [{"$ref": "#/definitions/Note"}], "definitions": {"Note": {"type": "object", "required": ["title"], "properties": {"title": {"$ref": "#/definitions/Title"}}}, "Title": {"type": "string"}}}`: `{"title":"title"}`,
		`{"allOf": [{"$ref": "#/definitions/A"}], "definitions": {"A": {"$ref": "#/definitions/A"}}}`:                                                                                                            `null`,
		`{"type": "object"}`: `{}`,
		`{}`:                 `"body"`,
		`[]`:                 ``,
	} {
		if got := sample(map[string]json.RawMessage{"application/json": json.RawMessage(schema)}); got != want {
			t.Errorf("%s: %s, want %s", schema, got, want)
		}
	}
	if got := sample(map[string]json.RawMessage{"text/csv": json.RawMessage(`{}`)}); got != "" {
		t.Errorf("another content type: %s", got)
	}
}

// The lines of a collection work one after the other: what is created is read
// and changed, then deleted.
func TestCurls(t *testing.T) {
	t.Parallel()
	model := map[string]json.RawMessage{"application/json": json.RawMessage(`{"type": "object", "required": ["it's"]}`)}
	public := assembly.Authorization{Type: assembly.AuthorizationNone}
	scoped := assembly.Authorization{Type: assembly.AuthorizationCognito, Scopes: []string{"s"}, Authorizer: &assembly.Authorizer{}}
	own := scoped
	own.Authorizer = &assembly.Authorizer{Header: "X-Token"}
	checks := &assembly.Validator{Parameters: true}
	parameters := []assembly.Parameter{{Name: "X-A", In: "header"}, {Name: "id", In: "path"}, {Name: "q", In: "query"}, {Name: "r", In: "query"}}
	asked := assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: &assembly.Authorizer{
		Name: "ours", IdentitySources: []string{"method.request.header.Authorization"},
	}}
	ruled := asked
	ruled.Rules = &assembly.CallerRules{Tokens: []assembly.TokenRule{{Clients: []string{"website", "mobile"}}}}
	askedOther := assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: &assembly.Authorizer{Name: "other"}}
	routes := []assembly.Route{
		{Method: "GET", Path: "/asked", Authorization: asked},
		{Method: "GET", Path: "/asked/other", Authorization: askedOther},
		{Method: "GET", Path: "/asked/ruled", Authorization: ruled},
		{Method: "GET", Path: "/checked", Authorization: public, Validator: checks, RequiredParameters: parameters},
		{Method: "GET", Path: "/checked/not", Authorization: public, Validator: &assembly.Validator{}, RequiredParameters: parameters},
		{Method: "DELETE", Path: "/files/{path+}", Authorization: scoped},
		{Method: "GET", Path: "/files/{path+}", Authorization: public},
		{Method: "GET", Path: "/logs/{day}", Authorization: public},
		{Method: "GET", Path: "/notes", Authorization: public},
		{Method: "POST", Path: "/notes", Models: model, Authorization: scoped},
		{Method: "DELETE", Path: "/notes/{id}", Authorization: public},
		{Method: "GET", Path: "/notes/{id}", Authorization: public},
		{Method: "PUT", Path: "/notes/{id}", Models: model, Authorization: public},
		{Method: "GET", Path: "/own", Authorization: own, APIKeyRequired: true},
		{Method: "GET", Path: "/paid", Authorization: public, APIKeyRequired: true},
		{Method: "GET", Path: "/signed", Authorization: assembly.Authorization{Type: assembly.AuthorizationIAM}},
		{Method: "POST", Path: "/unserved", Authorization: public, Integration: assembly.Integration{Unsupported: "no"}},
		{Method: "GET", Path: "/unserved/{id}", Authorization: assembly.Authorization{Type: assembly.AuthorizationCognito}},
	}
	want := []string{
		`curl -H "Authorization: Bearer $TOKEN" http://a/asked`,
		"# its Lambda authorizer, other, says what it takes",
		"# for users of website or mobile only; sign in: gatewright token --client NAME",
		`curl -H "X-A: X-A" "http://a/checked?q=q&r=r"`,
		"curl http://a/checked/not",
		"curl http://a/files/path",
		`curl -X DELETE -H "Authorization: Bearer $TOKEN" http://a/files/path`,
		"curl http://a/logs/day",
		"curl http://a/notes",
		`ID=$(curl -s -D - -o /dev/null -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"it'\''s":"it'\''s"}' http://a/notes | sed -n 's|^[Ll]ocation: .*/||p' | tr -d '\r')`,
		"curl http://a/notes/$ID",
		`curl -X PUT -H "Content-Type: application/json" -d '{"it'\''s":"it'\''s"}' http://a/notes/$ID`,
		"curl -X DELETE http://a/notes/$ID",
		`curl -H "X-Token: Bearer $TOKEN" -H "x-api-key: $KEY" http://a/own`,
		`curl -H "x-api-key: $KEY" http://a/paid`,
		"# answers 403: signatures are not evaluated yet",
		"# answers 500: no",
		"# an ID token of a user: gatewright token --client NAME --json prints one",
	}
	got := curls("http://a", routes, credentials{token: &Client{ID: "m", Scopes: []string{"notes/read"}}, apiKey: true})
	if len(got) != len(want) {
		t.Fatalf("%d lines: %v", len(got), got)
	}
	for i, line := range got {
		if line.Try != want[i] {
			t.Errorf("line %d is\n%s\nwant\n%s", i, line.Try, want[i])
		}
	}
}

// A route that requires a key which nobody has says so.
func TestCurlWithoutAKey(t *testing.T) {
	t.Parallel()
	route := assembly.Route{Method: "GET", Path: "/paid", Authorization: assembly.Authorization{Type: assembly.AuthorizationNone}, APIKeyRequired: true}
	if got := curls("http://a", []assembly.Route{route}, credentials{})[0].Try; !strings.HasPrefix(got, "# nobody can call it") {
		t.Errorf("got %q", got)
	}
}

// A line names a credential that its route takes and that there is, or says how to
// get one.
func TestCurlSendsWhatIsTaken(t *testing.T) {
	t.Parallel()
	machine := &Client{ID: "m", Scopes: []string{"notes/read"}}
	anyone, own, other, narrow := assembly.TokenRule{Scopes: []string{"notes/read"}, Issuers: []string{"i"}},
		assembly.TokenRule{Scopes: []string{"notes/read"}, Clients: []string{"machine"}, ClientIDs: []string{"m"}},
		assembly.TokenRule{Scopes: []string{"notes/read"}, Clients: []string{"website"}, ClientIDs: []string{"w"}},
		assembly.TokenRule{Scopes: []string{"notes/write"}, Issuers: []string{"i"}}
	const (
		token    = `curl -H "Authorization: Bearer $TOKEN" http://a/x`
		customer = `curl -H "Authorization: Bearer $CUSTOMER_KEY" http://a/x`
		create   = "# with a customer's key: gatewright customers create --name NAME --scope notes/read, then gatewright keys create ID"
	)
	key := []string{"notes/read", "notes/write"}
	for name, test := range map[string]struct {
		rules assembly.CallerRules
		has   credentials
		want  string
	}{
		"any client":              {assembly.CallerRules{Tokens: []assembly.TokenRule{anyone}}, credentials{token: machine}, token},
		"its client":              {assembly.CallerRules{Tokens: []assembly.TokenRule{other, own}}, credentials{token: machine}, token},
		"token or key":            {assembly.CallerRules{Tokens: []assembly.TokenRule{anyone}, Key: key}, credentials{token: machine, customer: true}, token},
		"no client of its own":    {assembly.CallerRules{Tokens: []assembly.TokenRule{anyone}, Key: key}, credentials{customer: true}, customer},
		"another's client or key": {assembly.CallerRules{Tokens: []assembly.TokenRule{other}, Key: key}, credentials{token: machine, customer: true}, customer},
		"no scope of it, or key":  {assembly.CallerRules{Tokens: []assembly.TokenRule{narrow}, Key: key}, credentials{token: machine, customer: true}, customer},
		"key alone":               {assembly.CallerRules{Key: key}, credentials{token: machine, customer: true}, customer},
		"key of nobody":           {assembly.CallerRules{Key: key}, credentials{token: machine}, create},
		"nobody at all":           {assembly.CallerRules{Tokens: []assembly.TokenRule{other}, Key: key}, credentials{}, create},
		"another's client":        {assembly.CallerRules{Tokens: []assembly.TokenRule{other}}, credentials{token: machine}, "# for users of website only; sign in: gatewright token --client NAME"},
		"no scope of it":          {assembly.CallerRules{Tokens: []assembly.TokenRule{narrow}}, credentials{token: machine}, "# no client of the stage gets a token for it without a user; sign in: gatewright token --client NAME"},
	} {
		route := assembly.Route{Method: "GET", Path: "/x", Authorization: assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: &assembly.Authorizer{}, Rules: &test.rules}}
		if got := curls("http://a", []assembly.Route{route}, test.has)[0].Try; got != test.want {
			t.Errorf("%s: got %s\nwant %s", name, got, test.want)
		}
	}
	scoped := assembly.Route{Method: "GET", Path: "/x", Authorization: assembly.Authorization{Type: assembly.AuthorizationCognito, Authorizer: &assembly.Authorizer{}, Scopes: []string{"notes/read"}}}
	if got := curls("http://a", []assembly.Route{scoped}, credentials{})[0].Try; got != "# an access token of a user: gatewright token --client NAME prints one" {
		t.Errorf("got %s", got)
	}
}
