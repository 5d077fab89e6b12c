package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// TestBuiltInResponses holds each type's own answer.
func TestBuiltInResponses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind      string
		status    int
		body      string
		errorType string
	}{
		{"MISSING_AUTHENTICATION_TOKEN", 403, missingBody, "MissingAuthenticationTokenException"},
		{"UNAUTHORIZED", 401, unauthorizedBody, "UnauthorizedException"},
		{"ACCESS_DENIED", 403, `{"Message":"User is not authorized to access this resource"}`, "AccessDeniedException"},
		{"AUTHORIZER_FAILURE", 500, internalBody, ""},
		{"AUTHORIZER_CONFIGURATION_ERROR", 500, `{"message":null}`, "AuthorizerConfigurationException"},
		{"INVALID_API_KEY", 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"THROTTLED", 429, `{"message":"Too Many Requests"}`, "TooManyRequestsException"},
		{"QUOTA_EXCEEDED", 429, `{"message":"Limit Exceeded"}`, "LimitExceededException"},
		{"INVALID_SIGNATURE", 403, `{"message":"The request signature we calculated does not match the signature you provided."}`, "InvalidSignatureException"},
		{"EXPIRED_TOKEN", 403, `{"message":"The security token included in the request is expired"}`, "ExpiredTokenException"},
		{"BAD_REQUEST_PARAMETERS", 400, `{"message":"Missing required request parameters"}`, "BadRequestException"},
		{"BAD_REQUEST_BODY", 400, `{"message":"Invalid request body"}`, "BadRequestException"},
		{"UNSUPPORTED_MEDIA_TYPE", 415, `{"message":"Unsupported Media Type"}`, "BadRequestException"},
		{"REQUEST_TOO_LARGE", 413, `{"message":"Request Too Long"}`, "RequestTooLargeException"},
		{"INTEGRATION_TIMEOUT", 504, `{"message":"Endpoint request timed out"}`, "InternalServerErrorException"},
		{"INTEGRATION_FAILURE", 500, internalBody, "InternalServerErrorException"},
		{"API_CONFIGURATION_ERROR", 500, internalBody, "InternalServerErrorException"},
		{"WAF_FILTERED", 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"RESOURCE_NOT_FOUND", 404, `{"message":"Not Found"}`, "NotFoundException"},
		{"DEFAULT_4XX", 400, `{"message":"Bad Request"}`, "BadRequestException"},
		{"DEFAULT_5XX", 500, internalBody, "InternalServerErrorException"},
	}
	if len(tests) != len(responseTypes) {
		t.Errorf("%d types tested of %d", len(tests), len(responseTypes))
	}
	g := serve(t, testConfig())
	for _, test := range tests {
		c := g.newCall(httptest.NewRequest(http.MethodGet, "/", nil))
		a := c.refuse(failure{kind: test.kind})
		if a.status != test.status || string(a.body) != test.body || a.header.Get("x-amzn-ErrorType") != test.errorType ||
			a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s %v", test.kind, a.status, a.body, a.header)
		}
	}
}

func TestCustomizedResponses(t *testing.T) {
	t.Parallel()
	header := func(values ...string) map[string]string {
		parameters := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			parameters["gatewayresponse.header."+values[i]] = values[i+1]
		}
		return parameters
	}
	type responses = map[string]assembly.GatewayResponse
	tests := map[string]struct {
		responses responses
		target    string
		status    int
		body      string
		headers   map[string]string
	}{
		"specific before default": {
			responses{
				"UNAUTHORIZED": {Parameters: header("WWW-Authenticate", "'Bearer'")},
				"DEFAULT_4XX":  {StatusCode: 418, Parameters: header("X-Default", "'yes'")},
			},
			"/notes/7", 401, unauthorizedBody, map[string]string{"WWW-Authenticate": "Bearer", "X-Default": ""},
		},
		"default before built-in": {
			responses{"DEFAULT_4XX": {Parameters: header("X-Default", "'yes'")}, "DEFAULT_5XX": {StatusCode: 599}},
			"/notes/7", 401, unauthorizedBody, map[string]string{"X-Default": "yes", "X-Amzn-Errortype": "UnauthorizedException"},
		},
		"status of the default": {responses{"DEFAULT_4XX": {StatusCode: 418}}, "/notes/7", 418, unauthorizedBody, nil},
		"unknown route":         {responses{"MISSING_AUTHENTICATION_TOKEN": {StatusCode: 404}}, "/nowhere", 404, missingBody, nil},
		"5XX": {
			responses{"DEFAULT_5XX": {StatusCode: 503, Templates: json200(`{"error":$context.error.messageString}`)}},
			"/broken", 503, `{"error":"Internal server error"}`, nil,
		},
		"mapped headers": {
			responses{"UNAUTHORIZED": {Parameters: header(
				"X-Header", "method.request.header.x-sent", "X-Query", "method.request.querystring.q", "X-Path", "method.request.path.id",
				"X-Stage", "stageVariables.colour", "X-Context", "context.httpMethod", "X-Absent", "method.request.header.nope",
				"X-Claim", "context.authorizer.claims.sub", "X-Empty", "''", "X-Host", "method.request.header.Host",
			)}},
			"/notes/7?q=a&q=b", 401, unauthorizedBody, map[string]string{
				"X-Header": "two", "X-Query": "b", "X-Path": "7", "X-Stage": "blue", "X-Context": "GET", "X-Absent": "", "X-Claim": "", "X-Host": "example.com",
			},
		},
		"a header cannot be split": {
			responses{"UNAUTHORIZED": {Parameters: header("X-Query", "method.request.querystring.q")}},
			"/notes/7?q=a%0d%0aX-Forged:1", 401, unauthorizedBody, map[string]string{"X-Query": "", "X-Forged": ""},
		},
		"template": {
			responses{"UNAUTHORIZED": {Templates: map[string]string{
				"text/html": `<p>$context.error.message</p>`,
				"text/plain": `$context.error.message|$context.error.messageString|$context.error.responseType|$context.error.validationErrorString|` +
					`$context.resourcePath|$context.resourceId|$context.stage|$context.apiId|$context.accountId|$context.requestTime|$context.requestTimeEpoch|` +
					`$context.path|$context.domainName|$context.domainPrefix|$context.identity.sourceIp|$context.protocol|$stageVariables.colour|` +
					`$method.request.path.id|$context.authorizer.claims.sub|$notAVariable $5 #set.`,
			}}},
			"/notes/7", 401, `Unauthorized|"Unauthorized"|UNAUTHORIZED||/notes/{id}|res123|dev|api123|000000000000|21/Nov/2026:02:05:00 +0000|1795226700000|` +
				`/notes/7|127.0.0.1:4010|127|192.0.2.1|HTTP/1.1|blue|7||$notAVariable $5 #set.`,
			map[string]string{"Content-Type": "text/plain"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := proxy("GET", "/broken", open)
			broken.Integration = assembly.Integration{Unsupported: "reason"}
			c := testConfig(proxy("GET", "/notes/{id}", cognito("notes/read")), broken)
			c.API.GatewayResponses = test.responses
			c.Stage.Variables = map[string]string{"colour": "blue"}
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodGet, test.target, nil)
			r.Header["X-Sent"] = []string{"one", "two"}
			r.Header.Set("Accept", "text/plain")
			w := g.do(r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, test.status, test.body)
			}
			for name, want := range test.headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}
