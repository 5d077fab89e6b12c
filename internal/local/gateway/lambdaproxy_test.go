package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestProxyAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		output string
		status int
		body   string
		header string // name: value, looked for in the answer
	}{
		"full":              {`{"statusCode":201,"headers":{"X-A":"b"},"body":"hi","isBase64Encoded":false}`, 201, "hi", "X-A: b"},
		"default type":      {`{"statusCode":200,"body":"hi"}`, 200, "hi", "Content-Type: application/json"},
		"own type":          {`{"headers":{"content-type":"text/plain"},"body":"hi"}`, 200, "hi", "Content-Type: text/plain"},
		"empty object":      {`{}`, 200, "", ""},
		"only headers":      {`{"headers":{"test-header":"value"}}`, 200, "", "Test-Header: value"},
		"status in a text":  {`{"statusCode":"404"}`, 404, "", ""},
		"nulls":             {`{"statusCode":null,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}`, 200, "", ""},
		"boolean header":    {`{"headers":{"X-A":true}}`, 200, "", "X-A: true"},
		"both maps":         {`{"headers":{"X-A":"c"},"multiValueHeaders":{"x-a":["a","b"]}}`, 200, "", "X-A: a|b|c"},
		"same in both maps": {`{"headers":{"X-A":"b"},"multiValueHeaders":{"X-A":["a","b"]}}`, 200, "", "X-A: a|b"},
		"cookies":           {`{"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}}`, 200, "", "Set-Cookie: a=1|b=2"},
		"remapped":          {`{"statusCode":401,"headers":{"WWW-Authenticate":"Basic"}}`, 401, "", "X-Amzn-Remapped-Www-Authenticate: Basic"},
		"not the real one":  {`{"headers":{"WWW-Authenticate":"Basic"}}`, 200, "", "Www-Authenticate: "},
		"content length":    {`{"headers":{"Content-Length":"999"},"body":"hi"}`, 200, "hi", "X-Amzn-Remapped-Content-Length: 999"},
		"transfer encoding": {`{"headers":{"Transfer-Encoding":"chunked"}}`, 200, "", "Transfer-Encoding: "},
		"request id":        {`{"headers":{"x-amzn-RequestId":"forged"}}`, 200, "", "!X-Amzn-Requestid: forged"},
		"base64, text":      {`{"body":"aGk=","isBase64Encoded":true}`, 200, "aGk=", ""},
		"unknown member":    {`{"statusCode":200,"wrongValue":"value"}`, 502, internalBody, ""},
		"capital member":    {`{"StatusCode":200}`, 502, internalBody, ""},
		"error object":      {`{"errorMessage":"x","errorType":"y"}`, 502, internalBody, ""},
		"null":              {`null`, 502, internalBody, ""},
		"list":              {`[]`, 502, internalBody, ""},
		"text":              {`"hi"`, 502, internalBody, ""},
		"not JSON":          {`{"statusCode":200`, 502, internalBody, ""},
		"two values":        {`{} {}`, 502, internalBody, ""},
		"status 99":         {`{"statusCode":99}`, 502, internalBody, ""},
		"status 101":        {`{"statusCode":101}`, 502, internalBody, ""},
		"status 600":        {`{"statusCode":600}`, 502, internalBody, ""},
		"status 200.5":      {`{"statusCode":200.5}`, 502, internalBody, ""},
		"status true":       {`{"statusCode":true}`, 502, internalBody, ""},
		"object body":       {`{"body":{"a":1}}`, 502, internalBody, ""},
		"number header":     {`{"headers":{"X-A":1}}`, 502, internalBody, ""},
		"list of headers":   {`{"headers":[]}`, 502, internalBody, ""},
		"single multi":      {`{"multiValueHeaders":{"X-A":"b"}}`, 502, internalBody, ""},
		"split header":      {`{"headers":{"X-A":"b\r\nX-B: c"}}`, 502, internalBody, ""},
		"header name":       {`{"headers":{"X A":"b"}}`, 502, internalBody, ""},
		"flag in a text":    {`{"isBase64Encoded":"true"}`, 502, internalBody, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("GET", "/a", open))
			c.Functions = &fakeFunctions{output: test.output}
			g := serve(t, c)
			w := g.get("/a", "")
			errorType := ""
			if test.status == 502 {
				errorType = "InternalServerErrorException"
			} else if w.Header().Get(traceHeader) == "" {
				t.Error("no trace id in the answer")
			}
			check(t, w, test.status, test.body, errorType)
			if test.header == "" {
				return
			}
			wanted, not := strings.CutPrefix(test.header, "!")
			name, want, _ := strings.Cut(wanted, ": ")
			if got := strings.Join(w.Header()[name], "|"); (got == want) == not {
				t.Errorf("header %s is %q", name, got)
			}
		})
	}
}

func TestBinaryAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		accept, body, want string
		status             int
	}{
		{"image/png", "aGk=", "hi", 200},
		{"image/png;q=1, text/plain", "aGk=", "hi", 200},
		{"text/plain, image/png", "aGk=", "aGk=", 200}, // the first counts
		{"*/*", "aGk=", "aGk=", 200},
		{"", "aGk=", "aGk=", 200},
		{"image/png", "no base64!", internalBody, 502},
	} {
		c := testConfig(proxy("GET", "/a", open))
		c.API.BinaryMediaTypes = []string{"image/png"}
		c.Functions = &fakeFunctions{output: `{"isBase64Encoded":true,"body":"` + test.body + `"}`}
		g := serve(t, c)
		r := httptest.NewRequest(http.MethodGet, "/a", nil)
		r.Header.Set("Accept", test.accept)
		if w := g.do(r); w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s: got %d %s", test.accept, w.Code, w.Body)
		}
	}
}

func TestFunctionFails(t *testing.T) {
	t.Parallel()
	slow := proxy("GET", "/a", open)
	slow.Integration.Timeout = time.Millisecond
	tests := map[string]struct {
		route     assembly.Route
		functions *fakeFunctions
		forbidden bool
		status    int
		body      string
		reason    string
	}{
		"function error": {proxy("GET", "/a", open), &fakeFunctions{functionError: "planted-secret"}, false, 502, internalBody, "function error"},
		"throttled":      {proxy("GET", "/a", open), &fakeFunctions{err: errThrottled}, false, 500, internalBody, "function not invoked: throttled"},
		"timeout":        {slow, &fakeFunctions{block: true}, false, 504, `{"message":"Endpoint request timed out"}`, "integration timeout"},
		"no permission": {
			proxy("ANY", "/a/{b}", open), &fakeFunctions{}, true, 500, internalBody,
			"no permission lets API Gateway invoke the function for arn:aws:execute-api:eu-west-1:000000000000:api123/dev/GET/a/{b}",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(test.route)
			c.Functions = test.functions
			c.MayInvoke = func(string, string) bool { return !test.forbidden }
			g := serve(t, c)
			target := strings.Replace(test.route.Path, "{b}", "b", 1)
			check(t, g.get(target, ""), test.status, test.body, "InternalServerErrorException")
			if reason := g.line(t)["reason"]; reason != test.reason {
				t.Errorf("reason %q, want %q", reason, test.reason)
			}
			if test.forbidden && test.functions.calls() != 0 {
				t.Error("the function ran")
			}
		})
	}
}

// TestOverTheWire sends requests through a real server: HEAD, 204 and bodies.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("HEAD", "/a", open), proxy("GET", "/a", open))
	c.Functions = &fakeFunctions{output: `{"statusCode":204,"headers":{"Content-Length":"7"},"body":"ignored"}`}
	server := httptest.NewServer(serve(t, c))
	t.Cleanup(server.Close)
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != 204 {
			t.Errorf("%s: %d, %v", method, response.StatusCode, err)
		}
	}
}
