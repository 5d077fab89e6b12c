package gateway

import (
	"bufio"
	"net/http"
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
		"GET /signed HTTP/1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a, Signature=b, SignedHeaders=c\r\nDate: d\r\n\r\n",
	} {
		f.Add(seed)
	}
	c := testConfig(
		proxy("GET", "/v1/status", open), proxy("GET", "/v1/whoami", cognito("notes/read")), proxy("POST", "/notes/{id}", cognito("notes/write")),
		proxy("ANY", "/files/{path+}", cognito("notes/read")), proxy("GET", "/signed", iam), proxy("GET", "/mine", anyID),
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
		g := serve(t, config)
		w := g.do(r)
		line := g.line(t)
		if line["reason"] == "panic" {
			t.Fatalf("panic on %q", raw)
		}
		if w.Code < 200 {
			t.Errorf("status %d", w.Code)
		}
		if functions.calls() == 0 {
			return
		}
		event := functions.event(t)
		template := event["resource"].(string)
		if path := event["path"].(string); !templateMatches(template, path) || strings.Contains(path, "..") && hidesDots(path) {
			t.Fatalf("%s reached %s", path, template)
		}
		if template == "/v1/status" {
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
