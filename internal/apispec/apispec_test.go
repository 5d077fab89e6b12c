package apispec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/internal/apispec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func lambda(name string) map[string]any {
	return map[string]any{"type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + name + "/invocations"}
}

func note() apispec.Body {
	return apispec.Body{Name: "Note", Schema: map[string]any{
		"type": "object",
		"properties": map[string]any{
			"title": map[string]any{"type": "string", "minLength": 1, "maxLength": 200},
			"text":  map[string]any{"type": "string", "maxLength": 10_000},
		},
		"required":             []string{"title"},
		"additionalProperties": false,
	}}
}

func notes() apispec.Spec {
	read, write := access.Scopes("notes/read", "notes/write"), access.Scopes("notes/write")
	return apispec.Spec{
		Title: "notes",
		Routes: map[string]apispec.Route{
			"GET /v1/status":         {Access: access.Public("health check"), Integration: lambda("status")},
			"GET /v1/notes":          {Access: read, Integration: lambda("notes"), Query: map[string]apispec.Parameter{"limit": {Description: "1 to 100"}, "cursor": {}}},
			"POST /v1/notes":         {Access: write, Integration: lambda("notes"), Body: note()},
			"GET /v1/notes/{id}":     {Access: read, Integration: lambda("notes")},
			"GET /v1/files/{proxy+}": {Access: read, Integration: lambda("files")},
		},
		UserPools: []string{"arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_example"},
		Scopes:    []string{"notes/read", "notes/write"},
		Origins:   []string{"https://notes.example.com"},
	}
}

// status is one open route for pages of several origins.
func status() apispec.Spec {
	return apispec.Spec{
		Title:       "status",
		Description: "Is it up?",
		Routes: map[string]apispec.Route{"GET /status": {
			Access: access.Public("health check"), Integration: lambda("status"),
			Query: map[string]apispec.Parameter{"of": {Required: true}},
		}},
		Origins: []string{"https://a.example.com", "http://[::1]:4013"},
		Headers: []string{"X-Request-Id"},
	}
}

// session is a route of clients that are named, and none that is not.
func session() apispec.Spec {
	return apispec.Spec{
		Title: "session",
		Routes: map[string]apispec.Route{
			"GET /session": {Access: access.Scopes("web/use").From("website", "mobile"), Integration: lambda("session")},
		},
		UserPools:     []string{"arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_example"},
		Scopes:        []string{"notes/read", "web/use"},
		Clients:       map[string][]string{"website": {"openid", "web/use"}, "mobile": nil, "machine": {"notes/read"}},
		AuthorizerURI: lambda("authorizer")["uri"].(string),
	}
}

// Input and expected document, side by side.
func TestDocumentGolden(t *testing.T) {
	t.Parallel()
	for _, spec := range []apispec.Spec{notes(), status(), session()} {
		doc, err := spec.Document()
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, doc, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", spec.Title+".openapi.json")
		if *update {
			if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pretty.Bytes(), want) {
			t.Errorf("the document differs from %s; run with -update and read the difference\n%s", golden, pretty.Bytes())
		}
	}
}

func TestDocumentIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := notes().Document()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // map order differs between iterations
		again, err := notes().Document()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("the same spec gave different bytes")
		}
	}
}

// An independent reader finds the document valid and the security where it
// should be.
func TestDocumentIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	spec := notes()
	spec.Clients, spec.AuthorizerURI = session().Clients, session().AuthorizerURI
	spec.Scopes = append(spec.Scopes, "web/use")
	spec.Routes["GET /session"] = session().Routes["GET /session"]
	delete(spec.Routes, "GET /v1/files/{proxy+}") // API Gateway's own notation
	doc, err := spec.Document()
	if err != nil {
		t.Fatal(err)
	}
	api, err := openapi3.NewLoader().LoadFromData(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	for path, item := range api.Paths.Map() {
		for method, op := range item.Operations() {
			protected := op.Security != nil && len(*op.Security) > 0
			open := method == "OPTIONS" || path == "/v1/status"
			if protected == open {
				t.Errorf("%s %s: protected is %v", method, path, protected)
			}
		}
	}
}

// CORS headers and the challenge stand on API Gateway's own answers.
func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	var doc struct {
		Responses map[string]struct {
			Parameters map[string]string `json:"responseParameters"`
		} `json:"x-amazon-apigateway-gateway-responses"`
	}
	read := func(spec apispec.Spec) {
		data, err := spec.Document()
		if err != nil {
			t.Fatal(err)
		}
		doc.Responses = nil
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
	}
	read(notes())
	for _, name := range []string{"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED"} {
		if got := doc.Responses[name].Parameters["gatewayresponse.header.Access-Control-Allow-Origin"]; got != "'https://notes.example.com'" {
			t.Errorf("%s allows the origin %q", name, got)
		}
	}
	if got := doc.Responses["UNAUTHORIZED"].Parameters["gatewayresponse.header.WWW-Authenticate"]; got != "'Bearer'" {
		t.Errorf("UNAUTHORIZED names the scheme %q", got)
	}

	keys := notes()
	keys.Customers, keys.AuthorizerURI, keys.Title = true, "x", `Notes "of" o'Hara \ é`
	keys.Routes = map[string]apispec.Route{"GET /x": {Access: access.AnyOf(access.Scopes("notes/read"), access.Key("notes/read")), Integration: lambda("x")}}
	read(keys)
	if got := doc.Responses["UNAUTHORIZED"].Parameters["gatewayresponse.header.WWW-Authenticate"]; got != `'Bearer, Basic realm="Notes -of- o-Hara - -", charset="UTF-8"'` {
		t.Errorf("UNAUTHORIZED names the schemes %s", got)
	}

	open := notes()
	open.Origins = nil
	open.Routes = map[string]apispec.Route{"GET /v1/status": notes().Routes["GET /v1/status"]}
	read(open)
	if len(doc.Responses) != 0 {
		t.Errorf("an open API without origins customizes %v", doc.Responses)
	}
}

// The routes of named clients are the Lambda authorizer's, all others with a
// scope the user pools' own; an authorizer that no route has is not declared.
func TestAuthorizers(t *testing.T) {
	t.Parallel()
	both := session()
	both.Routes["GET /notes"] = apispec.Route{Access: access.Scopes("notes/read"), Integration: lambda("notes")}
	open := session()
	open.Routes = map[string]apispec.Route{"GET /status": {Access: access.Public("health check"), Integration: lambda("status")}}
	keys := session()
	keys.Customers = true
	keys.Routes = map[string]apispec.Route{
		"GET /a": {Access: access.Key("notes/read"), Integration: lambda("notes")},
		"GET /b": {Access: access.AnyOf(access.Scopes("notes/read"), access.Key("notes/read")), Integration: lambda("notes")},
		"GET /c": {Access: access.Scopes("notes/read"), Integration: lambda("notes")},
	}
	limited := session()
	limited.Routes = map[string]apispec.Route{
		"GET /a": {Access: access.Scopes("notes/read"), Integration: lambda("notes"), APIKeyRequired: true},
		"GET /b": {Access: access.Scopes("web/use").From("website"), Integration: lambda("notes"), APIKeyRequired: true},
	}
	tests := []struct {
		name           string
		spec           apispec.Spec
		routes, scheme string
	}{
		{"API keys besides", limited, "/a [{UserPool: [notes/read]}] /a [{api_key: []}] /b [{gatewright: []}] /b [{api_key: []}]", "UserPool api_key gatewright"},
		{"keys", keys, "/a [{gatewright: []}] /b [{gatewright: []}] /c [{UserPool: [notes/read]}]", "UserPool gatewright"},
		{"both", both, "/notes [{UserPool: [notes/read]}] /session [{gatewright: []}]", "UserPool gatewright"},
		{"named clients", session(), "/session [{gatewright: []}]", "gatewright"},
		{"scopes", notes(), "", "UserPool"},
		{"neither", open, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, err := tt.spec.Document()
			if err != nil {
				t.Fatal(err)
			}
			var doc struct {
				Paths map[string]struct {
					Get struct{ Security []map[string][]string }
				}
				Components struct {
					SecuritySchemes map[string]any
				}
				Responses map[string]any `json:"x-amazon-apigateway-gateway-responses"`
			}
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(doc.Components.SecuritySchemes)), " "); got != tt.scheme {
				t.Errorf("authorizers %q, want %q", got, tt.scheme)
			}
			var routes []string
			for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
				for _, requirement := range doc.Paths[path].Get.Security {
					for name, scopes := range requirement {
						routes = append(routes, fmt.Sprintf("%s [{%s: %v}]", path, name, scopes))
					}
				}
			}
			if got := strings.Join(routes, " "); tt.routes != "" && got != tt.routes {
				t.Errorf("routes %s, want %s", got, tt.routes)
			}
			if _, challenge := doc.Responses["UNAUTHORIZED"]; challenge != (tt.scheme != "") {
				t.Errorf("a 401 names its scheme: %v", challenge)
			}
		})
	}
}

// The scheme of an API key has no authorizer, and no type of its own: as API
// Gateway's documentation has it.
func TestAPIKeyScheme(t *testing.T) {
	t.Parallel()
	spec := session()
	route := spec.Routes["GET /session"]
	route.APIKeyRequired = true
	spec.Routes["GET /session"] = route
	data, err := spec.Document()
	if err != nil {
		t.Fatal(err)
	}
	if want := `"api_key":{"type":"apiKey","name":"x-api-key","in":"header"}`; !strings.Contains(string(data), want) {
		t.Errorf("got %s", data)
	}
}

// Without the header no request starts the function; where a key may come in
// another one, each does.
func TestIdentitySource(t *testing.T) {
	t.Parallel()
	spec := session()
	for header, want := range map[bool]string{false: `"identitySource":"method.request.header.Authorization"`, true: `"authorizerUri":"` + spec.AuthorizerURI + `","authorizerResultTtlInSeconds":0}`} {
		spec.KeyHeader = header
		data, err := spec.Document()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), want) || header == strings.Contains(string(data), "identitySource") {
			t.Errorf("got %s", data)
		}
	}
}

func TestOperationIDsAreUnique(t *testing.T) {
	t.Parallel()
	spec := notes()
	status := spec.Routes["GET /v1/status"]
	for _, pattern := range []string{"GET /a/b", "GET /a-b", "GET /a.b", "GET /"} {
		spec.Routes[pattern] = status
	}
	doc, err := spec.Document()
	if err != nil {
		t.Fatal(err)
	}
	api, err := openapi3.NewLoader().LoadFromData(doc)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for path, item := range api.Paths.Map() {
		for method, op := range item.Operations() {
			if other, taken := seen[op.OperationID]; taken {
				t.Errorf("%s %s and %s share the operation id %s", method, path, other, op.OperationID)
			}
			seen[op.OperationID] = method + " " + path
		}
	}
	if seen["getV1NotesId"] != "GET /v1/notes/{id}" {
		t.Errorf("GET /v1/notes/{id} is not named getV1NotesId: %v", seen)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	public := apispec.Route{Access: access.Public("test"), Integration: lambda("x")}
	with := func(patterns ...string) func(*apispec.Spec) {
		return func(s *apispec.Spec) {
			for _, pattern := range patterns {
				s.Routes[pattern] = public
			}
		}
	}
	rule := func(rule access.Rule) func(*apispec.Spec) {
		return func(s *apispec.Spec) { s.Routes["GET /x"] = apispec.Route{Access: rule, Integration: lambda("x")} }
	}
	limited := func(rule access.Rule) func(*apispec.Spec) {
		return func(s *apispec.Spec) {
			s.Routes["GET /x"] = apispec.Route{Access: rule, Integration: lambda("x"), APIKeyRequired: true}
		}
	}
	tests := []struct {
		name   string
		change func(*apispec.Spec)
		want   string
	}{
		{"nothing wrong", func(*apispec.Spec) {}, ""},
		{"no title", func(s *apispec.Spec) { s.Title = "" }, "the API has no title"},
		{"no routes", func(s *apispec.Spec) { s.Routes = nil }, "the API has no routes"},
		{"no rule", rule(access.Rule{}), `GET /x: no access rule; write access.Public("why") if anyone may call it`},
		{"no reason", rule(access.Public("")), `GET /x: access.Public needs a reason, such as "health check"`},
		{"unknown scope", rule(access.Scopes("notes/erase")), `GET /x: unknown scope "notes/erase"; the user pools define notes/read, notes/write`},
		{"no user pool", func(s *apispec.Spec) {
			s.UserPools = nil
			s.Routes = map[string]apispec.Route{"GET /x": {Access: access.Scopes("notes/read"), Integration: lambda("x")}}
		}, "GET /x: asks for a scope, but the API has no user pool"},
		{"client", rule(access.Scopes("notes/read").From("website")), ""},
		{"client of which nothing is known", rule(access.Scopes("notes/read").From("app")), ""},
		{"one scope of two", rule(access.Scopes("notes/read", "notes/write").From("website")), ""},
		{"unknown client", rule(access.Scopes("notes/read").From("shopfront")), `GET /x: unknown client "shopfront"; the user pools have app, website`},
		{"client without the scope", rule(access.Scopes("notes/write").From("website", "app")),
			`GET /x: client "website" may ask for none of the scopes, only for notes/read; give it one or leave it out`},
		{"no client", rule(access.Scopes("notes/read").From()), `GET /x: From needs the names of app clients, such as "website"`},
		{"clients without an authorizer", func(s *apispec.Spec) {
			s.AuthorizerURI = ""
			rule(access.Scopes("notes/read").From("website"))(s)
		}, "GET /x: it takes a Lambda authorizer to decide, and the API has none"},
		{"clients without a user pool", func(s *apispec.Spec) {
			s.UserPools = nil
			s.Routes = map[string]apispec.Route{"GET /x": {Access: access.Scopes("notes/read").From("website"), Integration: lambda("x")}}
		}, "GET /x: asks for a scope, but the API has no user pool"},
		{"public from a client", rule(access.Public("x").From("website")), "GET /x: a public route takes every client"},
		{"key", rule(access.Key("notes/read")), ""},
		{"key with a scope of the customers' own", rule(access.Key("files/read")), ""},
		{"token or key", rule(access.AnyOf(access.Scopes("notes/read"), access.Key("notes/read", "files/read"))), ""},
		{"key with an unknown scope", rule(access.Key("notes/erase")), `GET /x: unknown scope "notes/erase" of a key; the user pools and the customers define files/read, notes/read, notes/write`},
		{"token with a scope of keys", rule(access.AnyOf(access.Scopes("files/read"), access.Key("files/read"))), `GET /x: unknown scope "files/read"; the user pools define notes/read, notes/write`},
		{"unknown client of one of two rules", rule(access.AnyOf(access.Scopes("notes/read").From("shop"), access.Key("notes/read"))), `GET /x: unknown client "shop"`},
		{"key without customers", func(s *apispec.Spec) {
			s.Customers = false
			rule(access.Key("notes/read"))(s)
		}, "GET /x: takes customers' keys, but the API has no customers"},
		{"key without an authorizer", func(s *apispec.Spec) {
			s.AuthorizerURI = ""
			rule(access.Key("notes/read"))(s)
		}, "GET /x: it takes a Lambda authorizer to decide, and the API has none"},
		{"API key", limited(access.Scopes("notes/read")), ""},
		{"API key beside a customer's", limited(access.Key("notes/read")), ""},
		{"API key alone", limited(access.Public("x")), "GET /x: APIKeyRequired on a public route, whose only protection would be the key"},
		{"API key in a header of customers' keys", func(s *apispec.Spec) {
			s.KeyHeader = true
			limited(access.Key("notes/read"))(s)
		}, "GET /x: APIKeyRequired together with KeyHeader; x-api-key holds either a customer's key or one of API Gateway's"},
		{"guests", rule(access.Rule{Kind: "guest"}), `GET /x: unknown kind of access rule "guest"`},
		{"guests or keys", rule(access.AnyOf(access.Rule{Kind: "guest"}, access.Key("notes/read"))), `GET /x: AnyOf rule 1: IAM decides about callers of kind "guest"`},
		{"no target", func(s *apispec.Spec) { s.Routes["GET /x"] = apispec.Route{Access: public.Access} }, "GET /x: no target"},
		{"no path", with("GET"), `GET: malformed pattern; write "GET /path"`},
		{"two spaces", with("GET  /x"), `GET  /x: malformed pattern; write "GET /path"`},
		{"lower-case method", with("get /x"), `get /x: unknown method "get"; one of DELETE, GET, HEAD, PATCH, POST, PUT`},
		{"own preflight", with("OPTIONS /x"), "OPTIONS /x: OPTIONS is answered by the generated CORS preflight; leave the route out"},
		{"relative path", with("GET x"), `GET x: path "x" does not start with a slash`},
		{"trailing slash", with("GET /x/"), `GET /x/: path "/x/" ends with a slash`},
		{"empty part", with("GET /x//y"), `GET /x//y: malformed path part ""; letters, digits and . _ : - or one whole {variable}`},
		{"encoded part", with("GET /x%2fy"), `GET /x%2fy: malformed path part "x%2fy"; letters, digits and . _ : - or one whole {variable}`},
		{"wildcard part", with("GET /x*"), `GET /x*: malformed path part "x*"; letters, digits and . _ : - or one whole {variable}`},
		{"half a variable", with("GET /x{id}"), `GET /x{id}: malformed path part "x{id}"; letters, digits and . _ : - or one whole {variable}`},
		{"dot segment", with("GET /x/../y"), `GET /x/../y: path part ".." would be normalized away by clients`},
		{"greedy in the middle", with("GET /{all+}/x"), "GET /{all+}/x: greedy variable {all+} is not at the end of the path"},
		{"variable twice", with("GET /{id}/x/{id}"), `GET /{id}/x/{id}: path variable "id" twice`},
		{"reserved", with("GET /ping", "GET /sping"), "GET /ping: API Gateway reserves the path /ping\nGET /sping: API Gateway reserves the path /sping"},
		{"reserved only at the root", with("GET /v1/ping"), ""},
		{"siblings", with("GET /a/{id}", "GET /a/{name}/b"), "GET /a/{name}/b: variable {name} conflicts with that of GET /a/{id}; siblings share one variable"},
		{"greedy sibling", with("GET /a/{id}", "GET /a/{id+}"), "GET /a/{id}: variable {id} conflicts with that of GET /a/{id+}; siblings share one variable"},
		{"same variable again", with("GET /a/{id}", "GET /a/{id}/b", "PUT /a/{id}"), ""},
		{"cousins", with("GET /a/{id}", "GET /b/{name}"), ""},
		{"every problem at once", func(s *apispec.Spec) {
			with("GET /ping", "GET /a/{id}", "GET /a/{name}")(s)
			rule(access.Rule{})(s)
			s.Title = ""
		}, "GET /ping: API Gateway reserves the path /ping\n" +
			"GET /a/{name}: variable {name} conflicts with that of GET /a/{id}; siblings share one variable\n" +
			"the API has no title\n" +
			`GET /x: no access rule; write access.Public("why") if anyone may call it`},
		{"two origins", func(s *apispec.Spec) { s.Origins = append(s.Origins, "https://b.example.com") }, ""},
		{"an origin twice", func(s *apispec.Spec) { s.Origins = append(s.Origins, s.Origins...) }, `origin "https://notes.example.com" twice`},
		{"headers for pages", func(s *apispec.Spec) { s.Headers = []string{"X-Request-Id", "X-Amz-Date"} }, ""},
		{"headers for nobody", func(s *apispec.Spec) { s.Origins, s.Headers = nil, []string{"X-A"} }, "headers for pages to send, but no origin whose pages may call"},
		{"any header", func(s *apispec.Spec) { s.Headers = []string{"*"} }, `header "*": no header's name; write each out, such as X-Request-Id`},
		{"header that ends its quotes", func(s *apispec.Spec) { s.Headers = []string{"X-A'"} }, `header "X-A'": no header's name`},
		{"header twice", func(s *apispec.Spec) { s.Headers = []string{"X-A", "x-a"} }, `header "x-a" twice; Authorization, Content-Type, If-Match, If-None-Match are always allowed`},
		{"header of every API", func(s *apispec.Spec) { s.Headers = []string{"authorization"} }, `header "authorization" twice`},
		{"malformed origin", func(s *apispec.Spec) { s.Origins = []string{"notes.example.com/"} }, `origin "notes.example.com/" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"too large", func(s *apispec.Spec) {
			for i := range 4000 {
				s.Routes[fmt.Sprintf("GET /%04d", i)] = public
			}
		}, "the API's definition has 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := notes()
			spec.Routes = maps.Clone(spec.Routes)
			spec.Clients = map[string][]string{"website": {"notes/read"}, "app": nil}
			spec.Customers, spec.KeyScopes = true, []string{"files/read"}
			spec.AuthorizerURI = lambda("authorizer")["uri"].(string)
			tt.change(&spec)
			err := spec.Validate()
			switch {
			case err == nil && tt.want != "":
				t.Errorf("no error, want %q", tt.want)
			case err != nil && (tt.want == "" || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("got %q\nwant %q", err, tt.want)
			}
		})
	}
}
