package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const noteModel = `{"allOf": [{"$ref": "#/definitions/Note"}], "definitions": {"Note": {"type": "object", "required": ["title", "text"], "additionalProperties": false,
	"properties": {"title": {"type": "string", "minLength": 1, "maxLength": 5}, "text": {"type": "string", "pattern": "^[a-z]*$"},
		"size": {"type": "number", "minimum": 0, "exclusiveMinimum": true}, "parent": {"$ref": "#/definitions/Note"}}}}}`

func validatedRoute(v assembly.Validator, a assembly.Authorization) assembly.Route {
	r := proxy("POST", "/notes/{id}", a)
	r.Validator = &v
	r.RequiredParameters = []assembly.Parameter{{Name: "X-Client", In: "header"}, {Name: "id", In: "path"}, {Name: "a", In: "query"}, {Name: "b", In: "query"}}
	r.Models = map[string]json.RawMessage{"application/json": json.RawMessage(noteModel), "text/json": json.RawMessage(`{"type": "array"}`)}
	return r
}

func post(target, contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

const invalidBody = `{"message":"Invalid request body"}`

func TestValidateBody(t *testing.T) {
	t.Parallel()
	const good = `{"title":"a","text":"b"}`
	tests := map[string]struct {
		contentType, body string
		valid             bool
	}{
		"good":               {"application/json", good, true},
		"with parameters":    {"Application/JSON; charset=utf-8", good, true},
		"no type":            {"", good, true},
		"no type, bad":       {"", `{}`, false},
		"missing":            {"application/json", `{"title":"a"}`, false},
		"unknown member":     {"application/json", `{"title":"a","text":"b","x":1}`, false},
		"wrong type":         {"application/json", `{"title":1,"text":"b"}`, false},
		"too short":          {"application/json", `{"title":"","text":"b"}`, false},
		"five characters":    {"application/json", `{"title":"ééééé","text":"b"}`, true},
		"six characters":     {"application/json", `{"title":"éééééé","text":"b"}`, false},
		"pattern":            {"application/json", `{"title":"a","text":"B"}`, false},
		"draft-04 bound":     {"application/json", `{"title":"a","text":"b","size":0}`, false},
		"above it":           {"application/json", `{"title":"a","text":"b","size":0.1}`, true},
		"reference":          {"application/json", `{"title":"a","text":"b","parent":{"title":"a"}}`, false},
		"empty":              {"application/json", ``, false},
		"no JSON":            {"application/json", `{`, false},
		"two values":         {"application/json", good + good, false},
		"null":               {"application/json", `null`, false},
		"huge number":        {"application/json", `{"title":"a","text":"b","size":1e999999999}`, false},
		"large exponent":     {"application/json", `{"title":"a","text":"b","size":1e100000}`, false},
		"deep":               {"application/json", strings.Repeat("[", 100_000), false},
		"the second model":   {"text/json", `[]`, true},
		"of the first":       {"text/json", good, false},
		"undeclared type":    {"text/plain", `{`, true}, // the function refuses it
		"undeclared, hidden": {"text/plain, application/json", `{`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, testConfig(validatedRoute(assembly.Validator{Body: true}, open)))
			w := g.do(post("/notes/7", test.contentType, test.body))
			if test.valid {
				if w.Code != 200 || g.functions.calls() != 1 {
					t.Errorf("got %d %s: %s", w.Code, w.Body, g.logged)
				}
				return
			}
			check(t, w, 400, invalidBody, "BadRequestException")
			if g.functions.calls() != 0 {
				t.Error("the function ran")
			}
		})
	}
}

// Which of several content types AWS looks at is unknown, so each counts.
func TestValidateEveryContentType(t *testing.T) {
	t.Parallel()
	for _, types := range [][]string{{"text/plain", "application/json"}, {"application/json", "text/plain"}, {"text/plain", ""}} {
		g := serve(t, testConfig(validatedRoute(assembly.Validator{Body: true}, open)))
		r := post("/notes/7", "", `{"bad":1}`)
		r.Header["Content-Type"] = types
		check(t, g.do(r), 400, invalidBody, "BadRequestException")
		if g.functions.calls() != 0 {
			t.Errorf("%q: the function ran", types)
		}
	}
}

func TestValidateParameters(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ target, client, want string }{
		"all":           {"/notes/7?a=1&b=2", "x", ""},
		"one":           {"/notes/7?a=1", "x", "b"},
		"two":           {"/notes/7", "x", "a, b"},
		"blank":         {"/notes/7?a=&b=%20", "x", "a, b"},
		"header":        {"/notes/7?a=1&b=2", "", "X-Client"},
		"exact names":   {"/notes/7?A=1&b=2", "x", "a"},
		"before a body": {"/notes/7?b=2", "", "X-Client, a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(validatedRoute(assembly.Validator{Body: true, Parameters: true}, open))
			c.API.GatewayResponses["BAD_REQUEST_PARAMETERS"] = assembly.GatewayResponse{Parameters: map[string]string{"gatewayresponse.header.X-Details": "context.error.validationErrorString"}}
			g := serve(t, c)
			r := post(test.target, "application/json", `{}`)
			if test.client != "" {
				r.Header.Set("x-client", test.client)
			}
			w := g.do(r)
			if test.want == "" {
				check(t, w, 400, invalidBody, "BadRequestException")
				return
			}
			check(t, w, 400, `{"message":"Missing required request parameters: [`+test.want+`]"}`, "BadRequestException")
			if got := w.Header().Get("X-Details"); got != "["+test.want+"]" || g.functions.calls() != 0 {
				t.Errorf("details %q", got)
			}
		})
	}
}

// What a validator does not check, and routes without one, stay as they are.
func TestValidateOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]assembly.Route{
		"neither":    validatedRoute(assembly.Validator{}, open),
		"parameters": validatedRoute(assembly.Validator{Parameters: true}, open),
		"none":       {Method: "POST", Path: "/notes/{id}", Authorization: open, Integration: proxy("POST", "/", open).Integration, Models: validatedRoute(assembly.Validator{}, open).Models},
	} {
		r := post("/notes/7?a=1&b=2", "application/json", `{`)
		r.Header.Set("X-Client", "x")
		if w := serve(t, testConfig(route)).do(r); w.Code != 200 {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
}

func TestValidateOrderAndLog(t *testing.T) {
	t.Parallel()
	const secret = "planted-secret"
	c := testConfig(validatedRoute(assembly.Validator{Body: true}, cognito("notes/read")))
	c.Stage.Default.Throttle = &assembly.Throttle{Rate: 1, Burst: 1}
	g := serve(t, c)
	send := func(token string) *httptest.ResponseRecorder {
		g.logged.Reset()
		r := post("/notes/7", "application/json", `{"title":"`+secret+`","`+secret+`":1}`)
		r.Header.Set("Authorization", token)
		return g.do(r)
	}
	check(t, send("bad"), 401, unauthorizedBody, "UnauthorizedException")
	check(t, send("access-read"), 400, invalidBody, "BadRequestException")
	line := g.line(t)
	if line["decision"] != "deny" || !strings.Contains(line["reason"].(string), "/definitions/Note/properties/title/maxLength") {
		t.Errorf("logged %v", line)
	}
	if strings.Contains(g.logged.String(), secret) {
		t.Error("the log holds what was sent")
	}
	check(t, send("access-read"), 429, `{"message":"Too Many Requests"}`, "TooManyRequestsException")
}

func TestDefaultModel(t *testing.T) {
	t.Parallel()
	route := validatedRoute(assembly.Validator{Body: true}, open)
	route.Models["$default"] = json.RawMessage(`{"type": "boolean"}`)
	g := serve(t, testConfig(route))
	check(t, g.do(post("/notes/7", "text/plain", `1`)), 400, invalidBody, "BadRequestException")
	if w := g.do(post("/notes/7", "text/plain", `true`)); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
}

// doubled is a model that asks for 2^n checks of one value.
func doubled(n int) string {
	var definitions []string
	for i := range n {
		definitions = append(definitions, fmt.Sprintf(`"d%d": {"allOf": [{"$ref": "#/definitions/d%d"}, {"$ref": "#/definitions/d%d"}]}`, i, i+1, i+1))
	}
	return `{"$ref": "#/definitions/d0", "definitions": {` + strings.Join(definitions, ", ") + fmt.Sprintf(`, "d%d": {"type": "object"}}}`, n)
}

// A model that cannot be applied closes its route, and no other.
func TestModelUnsupported(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, model := range map[string]string{
		"no JSON": `{`, "no schema": `{"type": 7}`, "pattern": `{"pattern": "(?=a)"}`, "elsewhere": `{"$ref": "https://example.com/schema.json"}`,
		"file": `{"$ref": "file://` + file + `"}`, "dangling": `{"$ref": "#/definitions/None"}`, "doubled": doubled(27),
	} {
		route := validatedRoute(assembly.Validator{Body: true}, open)
		route.Models["application/json"] = json.RawMessage(model)
		g := serve(t, testConfig(route, proxy("GET", "/b", open)))
		check(t, g.do(post("/notes/7", "text/plain", `{}`)), 500, internalBody, "InternalServerErrorException")
		if reason := g.line(t)["reason"].(string); !strings.Contains(reason, "the model for application/json") {
			t.Errorf("%s: reason %q", name, reason)
		}
		if w := g.get("/b", ""); w.Code != 200 {
			t.Errorf("%s: the other route answers %d", name, w.Code)
		}
	}
	route := validatedRoute(assembly.Validator{Parameters: true}, open)
	route.RequiredParameters = []assembly.Parameter{{Name: "session", In: "cookie"}}
	g := serve(t, testConfig(route))
	check(t, g.do(post("/notes/7", "", ``)), 500, internalBody, "InternalServerErrorException")
}
