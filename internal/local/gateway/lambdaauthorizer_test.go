package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

const (
	callersARN = "arn:aws:lambda:eu-west-1:000000000000:function:callers"
	callARN    = "arn:aws:execute-api:eu-west-1:000000000000:api123/dev/GET/v1/session"
)

func custom(ttl time.Duration, sources ...string) assembly.Authorization {
	return assembly.Authorization{Type: assembly.AuthorizationCustom, Authorizer: &assembly.Authorizer{
		ID: "auth01", Name: "gatewright", Type: assembly.AuthorizerRequest, FunctionARN: callersARN, IdentitySources: sources, CacheTTL: ttl,
	}}
}

const header = "method.request.header.Authorization"

// twoFunctions are an authorizer's and a backend's.
type twoFunctions struct {
	fakeFunctions // the backend
	authorizer    fakeFunctions
}

func (f *twoFunctions) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	if arn == callersARN {
		return f.authorizer.Invoke(ctx, arn, payload)
	}
	return f.fakeFunctions.Invoke(ctx, arn, payload)
}

func serveCustom(t *testing.T, f *twoFunctions, routes ...assembly.Route) *testGateway {
	t.Helper()
	c := testConfig(routes...)
	c.Functions = f
	return serveWith(t, c, f)
}

func serveWith(t *testing.T, c Config, f *twoFunctions) *testGateway {
	t.Helper()
	c.Functions = f
	g := serve(t, c)
	g.functions = &f.fakeFunctions
	return g
}

// says is an authorizer's answer; more are further members.
func says(effect, resource, more string) string {
	return fmt.Sprintf(`{"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":%q,"Resource":%q}]}%s}`, effect, resource, more)
}

const (
	deniedBody   = `{"Message":"User is not authorized to access this resource"}`
	explicitBody = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
	misanswered  = `{"message":null}`
)

func TestLambdaAuthorizer(t *testing.T) {
	t.Parallel()
	allow := says("Allow", callARN, "")
	statement := func(members string) string {
		return `{"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[` + members + `]}}`
	}
	type want struct {
		status          int
		body, errorType string
		reason          string
	}
	allowed := want{200, "ok", "", "authorizer"}
	denied := want{403, deniedBody, "AccessDeniedException", "authorizer: no statement of its policy allows the call"}
	explicit := want{403, explicitBody, "AccessDeniedException", "authorizer: an explicit deny"}
	unauthorized := want{401, unauthorizedBody, "UnauthorizedException", "authorizer: Unauthorized"}
	failed := want{500, internalBody, "", "authorizer error"}
	malformed := func(why string) want {
		return want{500, misanswered, "AuthorizerConfigurationException", "malformed answer of the authorizer: " + why}
	}
	type reply struct {
		output, functionError string
		err                   error
	}
	context := func(text string) reply {
		return reply{output: says("Allow", callARN, `,"context":`+text)}
	}
	tests := map[string]struct {
		authorizer reply
		want       want
	}{
		"allow":                       {reply{output: allow}, allowed},
		"allow the stage":             {reply{output: says("Allow", "arn:aws:execute-api:*:*:api123/dev/*", "")}, allowed},
		"deny":                        {reply{output: says("Deny", callARN, "")}, explicit},
		"deny wins":                   {reply{output: statement(`{"Action":"execute-api:*","Effect":"Allow","Resource":"*"},{"Action":"*","Effect":"Deny","Resource":"` + callARN + `"}`)}, explicit},
		"another method":              {reply{output: says("Allow", strings.Replace(callARN, "GET", "POST", 1), "")}, denied},
		"another stage":               {reply{output: says("Allow", strings.Replace(callARN, "/dev/", "/prod/", 1), "")}, denied},
		"another API":                 {reply{output: says("Allow", strings.Replace(callARN, "api123", "api124", 1), "")}, denied},
		"deny of another":             {reply{output: says("Deny", callARN+"/x", "")}, denied},
		"no statement":                {reply{output: statement("")}, denied},
		"another action":              {reply{output: statement(`{"Action":"execute-api:ManageConnections","Effect":"Allow","Resource":"*"}`)}, denied},
		"unknown condition":           {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/x":"y"}}}`)}, denied},
		"source address":              {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`)}, allowed},
		"another source address":      {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`)}, denied},
		"context":                     {context(`{"a":"b","n":1.50,"t":true,"f":false,"e":""}`), allowed},
		"empty context":               {context(`{}`), allowed},
		"null context":                {context(`null`), allowed},
		"usage key":                   {reply{output: says("Allow", callARN, `,"usageIdentifierKey":"k"`)}, allowed},
		"Unauthorized":                {reply{output: `{"errorMessage":"Unauthorized","errorType":"errorString"}`, functionError: "Unhandled"}, unauthorized},
		"unauthorized":                {reply{output: `{"errorMessage":"unauthorized"}`, functionError: "Unhandled"}, failed},
		"Unauthorized with more":      {reply{output: `{"errorMessage":"Unauthorized "}`, functionError: "Unhandled"}, failed},
		"Unauthorized as an answer":   {reply{output: `"Unauthorized"`}, malformed("not a JSON object")},
		"an answer like an error":     {reply{output: `{"errorMessage":"Unauthorized"}`}, malformed("errorMessage is malformed")},
		"another error":               {reply{output: `{"errorMessage":"planted-secret"}`, functionError: "Unhandled"}, failed},
		"an error with a policy":      {reply{output: allow, functionError: "Unhandled"}, failed},
		"an error that is no JSON":    {reply{output: `x`, functionError: "Unhandled"}, failed},
		"not invoked":                 {reply{err: errThrottled}, want{500, internalBody, "", "authorizer not invoked: throttled"}},
		"no JSON":                     {reply{output: `planted-secret`}, malformed("not a JSON object")},
		"null":                        {reply{output: `null`}, malformed("not a JSON object")},
		"no principal":                {reply{output: strings.Replace(allow, `"principalId":"u1",`, "", 1)}, malformed("no principalId")},
		"empty principal":             {reply{output: strings.Replace(allow, `"u1"`, `""`, 1)}, malformed("no principalId")},
		"principal of another type":   {reply{output: strings.Replace(allow, `"u1"`, `7`, 1)}, malformed("principalId is malformed")},
		"no policy":                   {reply{output: `{"principalId":"u1"}`}, malformed("no policyDocument")},
		"null policy":                 {reply{output: `{"principalId":"u1","policyDocument":null}`}, malformed("policyDocument is malformed")},
		"policy as a text":            {reply{output: `{"principalId":"u1","policyDocument":"{}"}`}, malformed("policyDocument is malformed")},
		"effect in lower case":        {reply{output: says("allow", callARN, "")}, malformed("policyDocument is malformed")},
		"unknown element":             {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","Open":true}`)}, malformed("policyDocument is malformed")},
		"a principal in an Allow":     {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","Principal":"*"}`)}, malformed("policyDocument is malformed")},
		"NotPrincipal":                {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*","NotPrincipal":"*"}`)}, malformed("policyDocument is malformed")},
		"unknown member":              {reply{output: says("Allow", callARN, `,"isAuthorized":true`)}, malformed("isAuthorized is malformed")},
		"usage key of another type":   {reply{output: says("Allow", callARN, `,"usageIdentifierKey":7`)}, malformed("usageIdentifierKey is malformed")},
		"object in the context":       {context(`{"a":{}}`), malformed("context is malformed")},
		"list in the context":         {context(`{"a":["b"]}`), malformed("context is malformed")},
		"null in the context":         {context(`{"a":null}`), malformed("context is malformed")},
		"context as a list":           {context(`["a"]`), malformed("context is malformed")},
		"too large":                   {context(`{"a":"` + strings.Repeat("x", maxAnswerBytes-len(allow)) + `"}`), malformed("larger than 8 KB")},
		"resource too long":           {reply{output: says("Allow", callARN+strings.Repeat("x", maxResourceBytes), "")}, malformed("policyDocument is malformed")},
		"denial with a bad context":   {reply{output: says("Deny", callARN, `,"context":{"a":[]}`)}, malformed("context is malformed")},
		"allow and a bad NotResource": {reply{output: statement(`{"Action":"execute-api:Invoke","Effect":"Allow","NotResource":"` + strings.Repeat("x", maxResourceBytes+1) + `"}`)}, malformed("policyDocument is malformed")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &twoFunctions{}
			f.authorizer.output, f.authorizer.functionError, f.authorizer.err = test.authorizer.output, test.authorizer.functionError, test.authorizer.err
			g := serveCustom(t, f, proxy("GET", "/v1/session", custom(0, header)))
			w := g.get("/v1/session", "Bearer planted-token")
			check(t, w, test.want.status, test.want.body, test.want.errorType)
			if ran := f.calls() > 0; ran != (test.want.status == 200) || f.authorizer.calls() != 1 {
				t.Errorf("the backend ran: %v; the authorizer ran %d times", ran, f.authorizer.calls())
			}
			if reason := g.line(t)["reason"]; reason != test.want.reason {
				t.Errorf("logged reason %q, want %q", reason, test.want.reason)
			}
			if strings.Contains(w.Body.String()+g.logged.String(), "planted") {
				t.Error("the credential, or the authorizer's text, shows")
			}
		})
	}
}

// A function may take ten seconds.
func TestLambdaAuthorizerTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &twoFunctions{}
		f.authorizer.block = true
		g := serveCustom(t, f, proxy("GET", "/v1/session", custom(0, header)))
		began := time.Now()
		check(t, g.get("/v1/session", "x"), 500, internalBody, "")
		if spent := time.Since(began); spent != authorizerTimeout || f.calls() != 0 {
			t.Errorf("waited %v; the backend ran %d times", spent, f.calls())
		}
		if reason := g.line(t)["reason"]; reason != "authorizer timeout" {
			t.Errorf("reason %q", reason)
		}
	})
}

func TestLambdaAuthorizerNeedsAPermission(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Allow", callARN, "")
	c := testConfig(proxy("GET", "/v1/session", custom(0, header)))
	var mu sync.Mutex
	var asked [][2]string
	permitted := false
	c.MayInvoke = func(function, source string) bool {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, [2]string{function, source})
		return permitted
	}
	g := serveWith(t, c, f)
	check(t, g.get("/v1/session", "x"), 500, misanswered, "AuthorizerConfigurationException")
	if f.authorizer.calls()+f.calls() != 0 {
		t.Error("a function ran")
	}
	permitted = true
	if w := g.get("/v1/session", "x"); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
	source := [2]string{callersARN, "arn:aws:execute-api:eu-west-1:000000000000:api123/authorizers/auth01"}
	if want := [][2]string{source, source, {functionARN, callARN}}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v; want %v", asked, want)
	}
}

func TestIdentitySources(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sources []string
		change  func(*http.Request)
		missing string // the source that is said to be missing
	}{
		"none asked for":         {nil, nil, ""},
		"header":                 {[]string{header}, func(r *http.Request) { r.Header.Set("Authorization", "x") }, ""},
		"header in another case": {[]string{"method.request.header.x-KEY"}, func(r *http.Request) { r.Header.Set("X-Key", "x") }, ""},
		"no header":              {[]string{header}, nil, header},
		"empty header":           {[]string{header}, func(r *http.Request) { r.Header.Set("Authorization", "") }, header},
		"query":                  {[]string{"method.request.querystring.q"}, func(r *http.Request) { r.URL.RawQuery = "q=1" }, ""},
		"empty query":            {[]string{"method.request.querystring.q"}, func(r *http.Request) { r.URL.RawQuery = "q=&Q=1" }, "method.request.querystring.q"},
		"stage variable":         {[]string{"stageVariables.tenant"}, nil, ""},
		"no stage variable":      {[]string{"stageVariables.other"}, nil, "stageVariables.other"},
		"context":                {[]string{"context.identity.sourceIp", "context.httpMethod"}, nil, ""},
		"empty context":          {[]string{"context.identity.userAgent"}, nil, "context.identity.userAgent"},
		"one of two":             {[]string{header, "method.request.querystring.q"}, func(r *http.Request) { r.Header.Set("Authorization", "x") }, "method.request.querystring.q"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &twoFunctions{}
			f.authorizer.output = says("Allow", callARN, "")
			c := testConfig(proxy("GET", "/v1/session", custom(0, test.sources...)))
			c.Stage.Variables = map[string]string{"tenant": "a"}
			g := serveWith(t, c, f)
			r := httptest.NewRequest(http.MethodGet, "/v1/session", nil)
			if test.change != nil {
				test.change(r)
			}
			w := g.do(r)
			if test.missing == "" {
				if w.Code != 200 || f.authorizer.calls() != 1 {
					t.Errorf("got %d; the authorizer ran %d times", w.Code, f.authorizer.calls())
				}
				return
			}
			check(t, w, 401, unauthorizedBody, "UnauthorizedException")
			if reason := g.line(t)["reason"]; f.authorizer.calls() != 0 || reason != "no identity source "+test.missing {
				t.Errorf("the authorizer ran %d times; reason %q", f.authorizer.calls(), reason)
			}
		})
	}
}

func TestAuthorizerEvent(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Allow", "*", `,"context":{"kind":"user","n":1.50,"t":true,"claims":"x","principalId":"forged"}`)
	g := serveCustom(t, f, proxy("POST", "/v1/notes/{id}", custom(0, header)), proxy("GET", "/", custom(0, header)))
	r := httptest.NewRequest(http.MethodPost, "/v1/notes/a%2Fb?q=1&q=2", strings.NewReader("planted body"))
	r.Header["Authorization"] = []string{"first", "second"}
	if w := g.do(r); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	asked, got := f.authorizer.event(t), f.event(t)
	for _, member := range []string{"resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters"} {
		if !reflect.DeepEqual(asked[member], got[member]) {
			t.Errorf("%s: the authorizer sees %v, the backend %v", member, asked[member], got[member])
		}
	}
	context := got["requestContext"].(map[string]any)
	authorizer := context["authorizer"]
	delete(context, "authorizer")
	if want := map[string]any{"kind": "user", "n": "1.50", "t": "true", "claims": "x", "principalId": "u1", "integrationLatency": 0.0}; !reflect.DeepEqual(authorizer, want) {
		t.Errorf("the backend sees %v; want %v", authorizer, want)
	}
	if !reflect.DeepEqual(asked["requestContext"], any(context)) {
		t.Errorf("the authorizer sees %v, the backend %v", asked["requestContext"], context)
	}
	if asked["type"] != "REQUEST" || asked["methodArn"] != "arn:aws:execute-api:eu-west-1:000000000000:api123/dev/POST/v1/notes/a%2Fb" || len(asked) != 12 {
		t.Errorf("the authorizer is asked %v", asked)
	}
	f.authorizer.payloads = nil
	g.get("/", "x")
	bare := f.authorizer.event(t)
	for _, member := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if !reflect.DeepEqual(bare[member], map[string]any{}) {
			t.Errorf("%s of a bare request is %v", member, bare[member])
		}
	}
	if bare["methodArn"] != "arn:aws:execute-api:eu-west-1:000000000000:api123/dev/GET/" {
		t.Errorf("methodArn %v", bare["methodArn"])
	}
}

func TestMethodARNTooLong(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Allow", "*", "")
	g := serveCustom(t, f, proxy("GET", "/v1/{id}", custom(0)))
	const base = "arn:aws:execute-api:eu-west-1:000000000000:api123/dev/GET/v1/"
	if w := g.get("/v1/"+strings.Repeat("a", maxMethodARNBytes-len(base)), ""); w.Code != 200 {
		t.Errorf("the longest: %d", w.Code)
	}
	w := g.get("/v1/"+strings.Repeat("a", maxMethodARNBytes-len(base)+1), "")
	if w.Code != 414 || f.authorizer.calls() != 1 {
		t.Errorf("one more: %d %s; the authorizer ran %d times", w.Code, w.Body, f.authorizer.calls())
	}
}

// The cache is by identity source; its policy is evaluated for each call.
func TestAuthorizerCache(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Allow", callARN, `,"context":{"kind":"user"}`)
	auth := custom(time.Minute, header, "method.request.querystring.t")
	c := testConfig(proxy("GET", "/v1/session", auth), proxy("GET", "/v1/other", auth), proxy("POST", "/v1/session", auth))
	now := testNow
	c.Now = func() time.Time { return now }
	g := serveWith(t, c, f)
	expect := func(method, target, credential string, status, asked int) {
		t.Helper()
		r := httptest.NewRequest(method, target, nil)
		r.Header["Authorization"] = strings.Split(credential, "|")
		if w := g.do(r); w.Code != status || f.authorizer.calls() != asked {
			t.Errorf("%s %s: %d, want %d; the authorizer ran %d times, want %d", method, target, w.Code, status, f.authorizer.calls(), asked)
		}
	}
	expect("GET", "/v1/session?t=1", "a", 200, 1)
	expect("GET", "/v1/session?t=1", "a", 200, 1)
	expect("GET", "/v1/other?t=1", "a", 403, 1)
	expect("POST", "/v1/session?t=1", "a", 403, 1)
	expect("GET", "/v1/session?t=1", "b", 200, 2)
	expect("GET", "/v1/session?t=2", "a", 200, 3)
	expect("GET", "/v1/session?t=1&t=1", "a", 200, 4)
	expect("GET", "/v1/session?t=1", "b|a", 200, 5) // another caller than a alone
	expect("GET", "/v1/session", "a", 401, 5)
	expect("GET", "/v1/session?t=1&t=2", "d", 200, 6)
	expect("GET", "/v1/session?t=1%002", "d", 200, 7) // one value, and not two
	now = now.Add(time.Minute - 1)
	expect("GET", "/v1/session?t=1", "a", 200, 7)
	now = now.Add(1)
	f.authorizer.output = says("Deny", callARN, "")
	expect("GET", "/v1/session?t=1", "a", 403, 8)
	expect("GET", "/v1/session?t=1", "a", 403, 8)
	f.authorizer.output = "malformed"
	expect("GET", "/v1/session?t=1", "c", 500, 9)
	expect("GET", "/v1/session?t=1", "c", 500, 10) // what went wrong is not remembered
	f.authorizer.output, f.authorizer.functionError = `{"errorMessage":"Unauthorized"}`, "Unhandled"
	expect("GET", "/v1/session?t=1", "c", 401, 11)
	expect("GET", "/v1/session?t=1", "c", 401, 12)
}

func TestAnswerCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := &answerCache{ttl: time.Minute}
	for i := range 3 * maxCached {
		c.put([]string{fmt.Sprint(i)}, &authorizerAnswer{}, testNow)
	}
	if len(c.answers) > maxCached {
		t.Errorf("%d answers", len(c.answers))
	}
	if cacheKey([]string{"a", "b"}) == cacheKey([]string{"a1:b"}) || cacheKey([]string{"ab", ""}) == cacheKey([]string{"a", "b"}) {
		t.Error("two callers share a key")
	}
}

func TestNewRefusesLambdaAuthorizers(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*assembly.Authorizer){
		"names no function": func(a *assembly.Authorizer) { a.FunctionARN = "" },
		"a role that invokes its function is not checked":                 func(a *assembly.Authorizer) { a.Credentials = "arn:role" },
		"no identity source says for whom":                                func(a *assembly.Authorizer) { a.CacheTTL, a.IdentitySources = 1, nil },
		`the identity source "method.request.path.id" is not understood`:  func(a *assembly.Authorizer) { a.IdentitySources = []string{"method.request.path.id"} },
		`the identity source "context.authorizer.x" is not understood`:    func(a *assembly.Authorizer) { a.IdentitySources = []string{"context.authorizer.x"} },
		`the identity source "context.error.message" is not understood`:   func(a *assembly.Authorizer) { a.IdentitySources = []string{"context.error.message"} },
		`the identity source "context.identity.caller" is not understood`: func(a *assembly.Authorizer) { a.IdentitySources = []string{"context.identity.caller"} },
		`the identity source "method.request.multi" is not understood`:    func(a *assembly.Authorizer) { a.IdentitySources = []string{header, "method.request.multi"} },
	} {
		auth := custom(0, header)
		change(auth.Authorizer)
		c := testConfig(proxy("GET", "/a", auth), proxy("GET", "/b", open))
		c.Functions = &fakeFunctions{}
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "GET /a (dev/Api/API): authorizer gatewright") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
}

// Gateway responses may show what an authorizer said of the caller it denies.
func TestAuthorizerInGatewayResponses(t *testing.T) {
	t.Parallel()
	f := &twoFunctions{}
	f.authorizer.output = says("Deny", "*", `,"context":{"why":"no plan","claims":"x"}`)
	c := testConfig(proxy("GET", "/v1/session", custom(0, header)))
	c.API.GatewayResponses["ACCESS_DENIED"] = assembly.GatewayResponse{Templates: map[string]string{
		"application/json": `$context.authorizer.why|$context.authorizer.principalId|$context.authorizer.claims|$context.authorizer.claims.sub|$context.authorizer.none`,
	}}
	if w := serveWith(t, c, f).get("/v1/session", "x"); w.Code != 403 || w.Body.String() != "no plan|u1|x||" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
