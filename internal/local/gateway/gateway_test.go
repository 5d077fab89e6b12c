package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	iampolicy "github.com/gatewright/gatewright/internal/iam"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	foreign := cognito("a/b")
	foreign.Authorizer.ProviderARNs = []string{poolARN, "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/other"}
	lambda, validated := cognito("a/b"), cognito("a/b")
	lambda.Authorizer.Type = "TOKEN"
	validated.Authorizer.Validation = "[a-z]+"
	tests := map[string]struct {
		route assembly.Route
		want  string
	}{
		"zero authorization":  {proxy("GET", "/a", assembly.Authorization{}), `authorization of type "" is not served`},
		"custom":              {proxy("GET", "/a", assembly.Authorization{Type: "CUSTOM"}), "a Lambda authorizer is named and not there"},
		"no authorizer":       {proxy("GET", "/a", assembly.Authorization{Type: "COGNITO_USER_POOLS"}), "names its user pools"},
		"foreign pool":        {proxy("GET", "/a", foreign), "userpool/other is not served"},
		"token's expression":  {proxy("GET", "/a", validated), "IdentityValidationExpression"},
		"token authorizer":    {proxy("GET", "/a", lambda), "names its user pools"},
		"lower-case method":   {proxy("get", "/a", open), "unknown method"},
		"no slash":            {proxy("GET", "a", open), "start with a slash"},
		"empty part":          {proxy("GET", "/a//b", open), "empty or a dot part"},
		"dot part":            {proxy("GET", "/a/..", open), "empty or a dot part"},
		"half a variable":     {proxy("GET", "/a{b}", open), "malformed path part"},
		"open variable":       {proxy("GET", "/{a", open), "malformed path part"},
		"nameless variable":   {proxy("GET", "/{}", open), "malformed path part"},
		"nameless greedy":     {proxy("GET", "/{+}", open), "malformed path part"},
		"greedy in the midst": {proxy("GET", "/{a+}/b", open), "not the last part"},
		"variable twice":      {proxy("GET", "/{a}/{a}", open), "malformed path part"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(test.route)
			c.Functions = &fakeFunctions{}
			_, err := New(c)
			var unsupported *UnsupportedError
			if !errors.As(err, &unsupported) || len(unsupported.Problems) != 1 || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), test.route.Method+" "+test.route.Path+" (dev/Api/API)") {
				t.Errorf("got %v, want one problem with %q and its route", err, test.want)
			}
		})
	}
}

func TestNewListsAllProblems(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("GET", "/a", assembly.Authorization{}), proxy("GET", "/b", open), proxy("GET", "/b", open))
	c.Functions = &fakeFunctions{}
	c.API.GatewayResponses = map[string]assembly.GatewayResponse{
		"NOT_A_TYPE":    {StatusCode: 42},
		"UNAUTHORIZED":  {Parameters: map[string]string{"gatewayresponse.header.X": "integration.response.header.Y"}},
		"ACCESS_DENIED": {Parameters: map[string]string{"gatewayresponse.header.Content-Length": "'1'"}},
		"THROTTLED":     {Parameters: map[string]string{"gatewayresponse.header.X": "'a\nb'"}},
		"DEFAULT_4XX":   {Parameters: map[string]string{"method.response.header.X": "'a'"}},
		"DEFAULT_5XX":   {Templates: map[string]string{"text/plain": "$context.unknown"}},
	}
	c.API.Policy = []iampolicy.Statement{}
	c.API.EndpointTypes = []string{"PRIVATE"}
	c.API.APIKeySource = "AUTHORIZER"
	c.API.Routes[0].APIKeyRequired = true
	_, err := New(c)
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || len(unsupported.Problems) != 12 || unsupported.ExitCode() != 4 {
		t.Errorf("want twelve problems, got %v", err)
	}
}

func TestNewWantsItsParts(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*Config){
		"API":       func(c *Config) { c.API = nil },
		"stage":     func(c *Config) { c.Stage.Name = "" },
		"functions": func(c *Config) { c.Functions = nil },
		"MayInvoke": func(c *Config) { c.MayInvoke = nil },
	} {
		c := testConfig()
		c.Functions = &fakeFunctions{}
		breakIt(&c)
		if _, err := New(c); err == nil {
			t.Errorf("no error without %s", name)
		}
	}
}

func TestUnsupportedIntegrationAnswers500(t *testing.T) {
	t.Parallel()
	r := proxy("GET", "/a", cognito("notes/read"))
	r.Integration = assembly.Integration{Type: "HTTP_PROXY"}
	g := serve(t, testConfig(r, proxy("GET", "/b", open)))
	check(t, g.get("/a", ""), 401, unauthorizedBody, "UnauthorizedException")
	g.logged.Reset()
	check(t, g.get("/a", "access-read"), 500, internalBody, "InternalServerErrorException")
	if line := g.line(t); !strings.Contains(line["reason"].(string), "HTTP_PROXY") {
		t.Errorf("the log does not say why: %v", line)
	}
	if w := g.get("/b", ""); w.Code != 200 {
		t.Errorf("the other route answers %d", w.Code)
	}
}

func TestExecuteAPIHost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		host, target string
		disabled     bool
		status       int
		path         string // of the event
	}{
		"stage and path":     {"api123.execute-api.localhost:4010", "/dev/v1/status", false, 200, "/v1/status"},
		"no port":            {"API123.execute-api.localhost", "/dev/v1/status", false, 200, "/v1/status"},
		"final dot":          {"api123.execute-api.localhost.:4010", "/dev/v1/status", false, 200, "/v1/status"},
		"root":               {"api123.execute-api.localhost", "/dev", false, 200, "/"},
		"root with slash":    {"api123.execute-api.localhost", "/dev/", false, 200, "/"},
		"no stage":           {"api123.execute-api.localhost", "/v1/status", false, 403, ""},
		"escaped stage":      {"api123.execute-api.localhost", "/%64ev/v1/status", false, 403, ""},
		"slashes before":     {"api123.execute-api.localhost", "//dev/v1/status", false, 403, ""},
		"foreign API":        {"other.execute-api.localhost", "/dev/v1/status", false, 403, ""},
		"disabled":           {"api123.execute-api.localhost", "/dev/v1/status", true, 403, ""},
		"disabled, own name": {"127.0.0.1:4010", "/v1/status", true, 403, ""}, // no domain leads to it either
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("GET", "/v1/status", open), proxy("GET", "/", open))
			c.API.ExecuteAPIDisabled = test.disabled
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodGet, test.target, nil)
			r.Host = test.host
			w := g.do(r)
			if test.status == 403 {
				check(t, w, 403, `{"message":"Forbidden"}`, "ForbiddenException")
				return
			}
			event := g.functions.event(t)
			context := event["requestContext"].(map[string]any)
			wantDomain := test.host
			if w.Code != 200 || event["path"] != test.path || context["path"] != test.target || context["domainName"] != wantDomain {
				t.Errorf("got %d, path %v, context path %v, domain %v", w.Code, event["path"], context["path"], context["domainName"])
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const tooLong = "HTTP content length exceeded 10485760 bytes."
	big := bytes.Repeat([]byte("x"), maxBodyBytes+1)
	tests := map[string]struct {
		body   []byte
		length int64
		header int
		status int
		want   string
	}{
		"small":           {[]byte("x"), 1, 0, 200, "ok"},
		"declared":        {nil, maxBodyBytes + 1, 0, 413, tooLong},
		"undeclared":      {big, -1, 0, 413, tooLong},
		"Lambda payload":  {big[:maxPayloadBytes], -1, 0, 413, `{"message":"Request Too Long"}`},
		"headers":         {nil, 0, maxHeaderBytes, 431, "HTTP header is larger than 10240 bytes."},
		"headers just so": {nil, 0, maxHeaderBytes - len("POST/v1/notesHTTP/1.1"), 200, "ok"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("POST", "/v1/notes", open))
			// None of these answers can be customized.
			c.API.GatewayResponses["DEFAULT_4XX"] = assembly.GatewayResponse{StatusCode: 418}
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodPost, "/v1/notes", bytes.NewReader(test.body))
			r.ContentLength = test.length
			if test.header > 0 {
				r.Header.Set("X-Long", strings.Repeat("h", test.header))
			}
			w := g.do(r)
			if w.Code != test.status || w.Body.String() != test.want {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if ran := g.functions.calls() > 0; ran != (test.status == 200) {
				t.Errorf("the function ran: %v", ran)
			}
		})
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	const secret = "planted-secret"
	g := serve(t, testConfig(proxy("GET", "/v1/{id}", cognito("notes/read"))))
	for _, test := range []struct{ authorization, decision, reason string }{
		{"access-read", "allow", "token"},
		{"Bearer " + secret, "deny", "token: signature"},
	} {
		g.logged.Reset()
		r := httptest.NewRequest(http.MethodGet, "/v1/a%0Ab?q="+secret, nil)
		r.Header.Set("Authorization", test.authorization)
		r.Header.Set("X-Secret", secret)
		g.do(r)
		line := g.line(t)
		if line["decision"] != test.decision || line["reason"] != test.reason || line["path"] != "/v1/a%0Ab" ||
			line["route"] != "GET /v1/{id}" || line["method"] != "GET" || line["status"] == nil || line["latency_ms"] == nil {
			t.Errorf("line %v", line)
		}
		if strings.Contains(g.logged.String(), secret) {
			t.Error("the log holds a secret")
		}
	}
}

func TestPanicIsARefusal(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("GET", "/a", open))
	c.MayInvoke = func(string, string) bool { panic("planted-secret") }
	g := serve(t, c)
	check(t, g.get("/a", ""), 500, internalBody, "InternalServerErrorException")
	if strings.Contains(g.logged.String(), "planted-secret") {
		t.Error("the log holds the panic's value")
	}
}

func TestMethodOverride(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []string
		want   string // method of the event, or empty for a refusal
	}{
		{nil, "GET"},
		{[]string{"DELETE"}, ""},
		{[]string{"PUT"}, "PUT"},
		{[]string{"put"}, "GET"},
		{[]string{"PUT", "PUT"}, "GET"},
		{[]string{"ANY"}, "GET"},
	} {
		g := serve(t, testConfig(proxy("GET", "/a", open), proxy("PUT", "/a", open), proxy("DELETE", "/a", cognito("notes/write"))))
		r := httptest.NewRequest(http.MethodGet, "/a", nil)
		r.Header["X-Http-Method-Override"] = test.values
		w := g.do(r)
		if test.want == "" {
			check(t, w, 401, unauthorizedBody, "UnauthorizedException")
			continue
		}
		event := g.functions.event(t)
		_, forwarded := event["headers"].(map[string]any)["X-Http-Method-Override"]
		if event["httpMethod"] != test.want || forwarded {
			t.Errorf("%v: method %v, header forwarded: %v", test.values, event["httpMethod"], forwarded)
		}
	}
}

func TestTracingHeader(t *testing.T) {
	t.Parallel()
	const root = "1-67891233-abcdef012345678912345678"
	for sent, kept := range map[string]bool{
		"": false, "Root=" + root: true, "Self=1-2-3;Root=" + root + ";Sampled=1": true, "Root=1-2-3": false, "Root=" + root + "\"": false,
	} {
		if got := traceID(sent, testNow); strings.Contains(got, root) != kept || !strings.HasPrefix(got, "Root=1-") {
			t.Errorf("%q became %q", sent, got)
		}
	}
}
