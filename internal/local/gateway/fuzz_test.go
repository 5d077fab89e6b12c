package gateway

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// FuzzGateway sends raw HTTP/1.1. Whatever it is, nothing panics, and a function
// runs only on a public route or for a verified token with a scope of the route
// whose template the raw path matches.
func FuzzGateway(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /v1/whoami HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer access-read\r\n\r\n",
		"GET /v1/whoami/../status HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /notes/a%2fb?q=1;r HTTP/1.1\r\nHost: api123.execute-api.localhost\r\nContent-Length: 3\r\n\r\nabc",
		"POST /dev/notes/{x} HTTP/1.1\r\nHost: api123.execute-api.localhost:1\r\nX-HTTP-Method-Override: GET\r\nAuthorization: id\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
		"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /files/a/../b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"POST /checked?q=1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{\"title\":\"a\",\"text\":\"b\"}\n",
		"POST /checked?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 18\r\n\r\n{\"title\":1e999999}",
		"OPTIONS /a HTTP/1.1\r\nHost: h\r\nOrigin: https://b.example.com\r\n\r\n",
		"GET /keyed HTTP/1.1\r\nHost: h\r\nX-API-Key: planted-secret-of-a\r\n\r\n",
		"GET /signed HTTP/1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a, Signature=b, SignedHeaders=c\r\nDate: d\r\n\r\n",
	} {
		f.Add(seed)
	}
	checked := validatedRoute(assembly.Validator{Body: true, Parameters: true}, open)
	checked.Path, checked.RequiredParameters = "/checked", []assembly.Parameter{{Name: "q", In: "query"}}
	checked.Models["application/json"] = json.RawMessage(`{"type": "object", "required": ["title"]}`)
	c := testConfig(
		checked, mocked(assembly.Integration{
			RequestTemplates: json200(`{"statusCode":204}`),
			Responses:        []assembly.IntegrationResponse{{StatusCode: 204, Templates: json200(ownPreflight)}},
		}),
		proxy("GET", "/v1/status", open), proxy("GET", "/v1/whoami", cognito("notes/read")), proxy("POST", "/notes/{id}", cognito("notes/write")),
		proxy("ANY", "/files/{path+}", cognito("notes/read")), proxy("GET", "/signed", signedOnly), proxy("GET", "/mine", anyID),
		keyed("GET", "/keyed", open),
	)
	c.API.GatewayResponses["UNAUTHORIZED"] = assembly.GatewayResponse{
		Parameters: map[string]string{"gatewayresponse.header.X-Echo": "method.request.querystring.q"},
		Templates:  json200(`{"path":"$context.path","id":"$method.request.path.id"}`),
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			t.Skip("not HTTP")
		}
		r.RemoteAddr = "127.0.0.1:1"
		functions := &fakeFunctions{}
		config := c
		config.Functions = functions
		config.Usage = NewUsage([]*assembly.APIKey{testKey("a")}, []*assembly.UsagePlan{testPlan("plan", "a")})
		g := serve(t, config)
		w := g.do(r)
		line := g.line(t)
		if line["reason"] == "panic" {
			t.Fatalf("panic on %q", raw)
		}
		if w.Code < 200 {
			t.Errorf("status %d", w.Code)
		}
		allowed := w.Header().Values("Access-Control-Allow-Origin")
		if len(allowed) > 1 || len(allowed) == 1 && !strings.Contains(ownPreflight, `"`+allowed[0]+`"`) {
			t.Errorf("allows %q", allowed)
		}
		if functions.calls() == 0 {
			return
		}
		event := functions.event(t)
		template := event["resource"].(string)
		if path := event["path"].(string); !templateMatches(template, path) || strings.Contains(path, "..") && hidesDots(path) {
			t.Fatalf("%s reached %s", path, template)
		}
		switch template {
		case "/v1/status":
			return
		case "/checked":
			checkAdmitted(t, r, event)
			return
		case "/keyed":
			if keys := r.Header.Values("X-Api-Key"); len(keys) != 1 || keys[0] != valueOf("a") {
				t.Fatalf("ran with the keys %q", keys)
			}
			return
		}
		sent := r.Header.Values("Authorization")
		if len(sent) != 1 {
			t.Fatalf("%s ran with %d tokens", template, len(sent))
		}
		token := testTokens[strings.TrimPrefix(sent[0], "Bearer ")]
		for _, route := range c.API.Routes {
			if route.Path != template {
				continue
			}
			scopes := route.Authorization.Scopes
			if token == nil || template == "/signed" || len(scopes) > 0 && !token.HasAnyScope(scopes) || len(scopes) == 0 && token.Use != "id" {
				t.Fatalf("%s ran without a token for it", template)
			}
		}
	})
}

// checkAdmitted holds a request that a validator let pass against what it asks.
func checkAdmitted(t *testing.T, r *http.Request, event map[string]any) {
	t.Helper()
	query, _ := event["queryStringParameters"].(map[string]any)
	if q, _ := query["q"].(string); strings.TrimSpace(q) == "" {
		t.Fatalf("ran without its parameter: %v", query)
	}
	body, _ := event["body"].(string)
	switch mediaType(r.Header.Get("Content-Type")) {
	case "", "application/json":
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &members) != nil || members["title"] == nil {
			t.Fatalf("ran with the body %q", body)
		}
	case "text/json":
		var items []json.RawMessage
		if json.Unmarshal([]byte(body), &items) != nil || items == nil {
			t.Fatalf("ran with the body %q", body)
		}
	}
}

// FuzzScript: a template is refused or runs, puts out no more than a response
// may hold, and sets nothing that could break out of its line.
func FuzzScript(f *testing.F) {
	f.Add(ownPreflight, "https://a.example.com")
	f.Add(cdkPreflight, "https://c.example.com")
	f.Add(matching(`https://[a-z]+\.example\.com`), "https://a.example.com")
	f.Add(`#if("a" == "a")#if($input.params().header.get("Origin") == "b")c#end#end`, "b")
	f.Add(chosenStatus, "internal")
	f.Add(`#set($o = $input.params('Origin'))#if(!($o.matches("a") && $o != "b") || $o.equals('c'))$o#elseif((1 == 2))${o}#else$!o $context.stage#end`, "c")
	f.Add(`#set($context.responseOverride.status = 302)#set($context.responseOverride.header.Location = $context.path)`, "x")
	f.Add(strings.Repeat(`#if(("a" == "a"))`, 60)+strings.Repeat("#end", 60), "")
	g := serve(f, testConfig())
	f.Fuzz(func(t *testing.T, template, origin string) {
		s, err := parseScript(template, true)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header["Origin"] = []string{origin}
		made, err := s.run(g.newCall(r))
		if err != nil {
			return
		}
		if s.fixed && made.text != template || len(made.text) > maxBodyBytes {
			t.Errorf("makes %q", made.text)
		}
		if made.status != 0 && (made.status < 200 || made.status > 599) {
			t.Errorf("sets the status %d", made.status)
		}
		for name, value := range made.headers {
			if !validHeaderName(name) || !validHeaderValue(value) || framing[strings.ToLower(name)] {
				t.Errorf("sets %q to %q", name, value)
			}
		}
	})
}
