package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func mocked(i assembly.Integration) assembly.Route {
	r := proxy("OPTIONS", "/a", open)
	i.Type = assembly.IntegrationMock
	r.Integration = i
	return r
}

func json200(template string) map[string]string {
	return map[string]string{"application/json": template}
}

func TestMock(t *testing.T) {
	t.Parallel()
	noContent := []assembly.IntegrationResponse{{StatusCode: 204, Parameters: map[string]string{
		"method.response.header.Access-Control-Allow-Origin": "'https://a.example'", "method.response.header.Date": "'never'",
	}}}
	several := []assembly.IntegrationResponse{
		{StatusCode: 500, SelectionPattern: `5\d\d`},
		{StatusCode: 418, SelectionPattern: `4\d\d`},
		{StatusCode: 404, SelectionPattern: `40[0-9]`, Templates: map[string]string{"text/plain": "gone", "application/json": `{"a":1}`}},
		{StatusCode: 200, SelectionPattern: `2`},
		{StatusCode: 202},
	}
	tests := map[string]struct {
		integration assembly.Integration
		contentType string
		accept      string
		status      int
		body        string
		header      string
	}{
		"preflight":           {assembly.Integration{RequestTemplates: json200(`{"statusCode":204}`), Responses: noContent}, "", "", 204, "", "Access-Control-Allow-Origin: https://a.example"},
		"remapped header":     {assembly.Integration{RequestTemplates: json200(`{"statusCode":204}`), Responses: noContent}, "", "", 204, "", "X-Amzn-Remapped-Date: never"},
		"as CDK writes it":    {assembly.Integration{RequestTemplates: json200(`{ statusCode: 200 }`), Responses: noContent}, "", "", 204, "", ""},
		"as CDK writes it, 2": {assembly.Integration{RequestTemplates: json200(`{statusCode: 200}`), Responses: noContent}, "application/json; charset=utf-8", "", 204, "", ""},
		"status in a text":    {assembly.Integration{RequestTemplates: json200(`{"statusCode":"200","x":1}`), Responses: noContent}, "", "", 204, "", ""},
		"pattern is whole":    {assembly.Integration{RequestTemplates: json200(`{"statusCode":200}`), Responses: several}, "", "", 202, "", ""},
		"pattern":             {assembly.Integration{RequestTemplates: json200(`{"statusCode":503}`), Responses: several}, "", "", 500, "", ""},
		"own status wins":     {assembly.Integration{RequestTemplates: json200(`{"statusCode":404}`), Responses: several}, "", "", 404, `{"a":1}`, "Content-Type: application/json"},
		"accepted type":       {assembly.Integration{RequestTemplates: json200(`{"statusCode":404}`), Responses: several}, "", "text/plain, */*", 404, "gone", "Content-Type: text/plain"},
		"no response": {
			assembly.Integration{RequestTemplates: json200(`{"statusCode":200}`), Responses: several[:1]},
			"", "", 500, internalBody, "",
		},
		"never, no match":      {assembly.Integration{PassthroughBehavior: "NEVER", RequestTemplates: json200(`{"statusCode":200}`), Responses: noContent}, "text/plain", "", 415, `{"message":"Unsupported Media Type"}`, ""},
		"never, no templates":  {assembly.Integration{PassthroughBehavior: "NEVER", Responses: noContent}, "", "", 415, `{"message":"Unsupported Media Type"}`, ""},
		"templates, no match":  {assembly.Integration{PassthroughBehavior: "WHEN_NO_TEMPLATES", RequestTemplates: json200(`{"statusCode":200}`), Responses: noContent}, "text/plain", "", 415, `{"message":"Unsupported Media Type"}`, ""},
		"passed through":       {assembly.Integration{PassthroughBehavior: "WHEN_NO_MATCH", RequestTemplates: json200(`{"statusCode":200}`), Responses: noContent}, "text/plain", "", 500, internalBody, ""},
		"passed through, none": {assembly.Integration{PassthroughBehavior: "WHEN_NO_TEMPLATES", Responses: noContent}, "", "", 500, internalBody, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, testConfig(mocked(test.integration)))
			r := httptest.NewRequest(http.MethodOptions, "/a", nil)
			r.Header.Set("Content-Type", test.contentType)
			r.Header.Set("Accept", test.accept)
			w := g.do(r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %s: %s", w.Code, w.Body, g.logged)
			}
			if name, want, ok := strings.Cut(test.header, ": "); ok && w.Header().Get(name) != want {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

// TestMockUnsupported: what the templates' language would have to do leaves the
// route unserved, with its reason in the log.
func TestMockUnsupported(t *testing.T) {
	t.Parallel()
	response := func(r assembly.IntegrationResponse) assembly.Integration {
		return assembly.Integration{RequestTemplates: json200(`{"statusCode":200}`), Responses: []assembly.IntegrationResponse{r}}
	}
	tests := map[string]struct {
		integration assembly.Integration
		reason      string
	}{
		"VTL request":     {assembly.Integration{RequestTemplates: json200(`{"statusCode":$input.json("$.status")}`)}, "the application/json request template: \"$input.json"},
		"no status":       {assembly.Integration{RequestTemplates: json200(`{"status":200}`)}, "names no statusCode"},
		"not an object":   {assembly.Integration{RequestTemplates: json200(`200`)}, "names no statusCode"},
		"none at times":   {assembly.Integration{RequestTemplates: json200(`{"statusCode":$input.params("s")}`)}, "makes no statusCode"},
		"overriding":      {assembly.Integration{RequestTemplates: json200(`#set($context.responseOverride.status = 200){"statusCode":200}`)}, "#set of something other"},
		"status 100 set":  {response(assembly.IntegrationResponse{StatusCode: 200, Templates: json200(`#set($context.responseOverride.status = 100)`)}), "no final status"},
		"passthrough":     {assembly.Integration{PassthroughBehavior: "SOMETIMES"}, "passthrough behavior"},
		"VTL response":    {response(assembly.IntegrationResponse{StatusCode: 200, Templates: json200(`$input.body`)}), "the application/json response template: \"$input.body\" is not understood"},
		"mapped header":   {response(assembly.IntegrationResponse{StatusCode: 200, Parameters: map[string]string{"method.response.header.X": "method.request.header.Y"}}), "not a fixed text"},
		"unknown mapping": {response(assembly.IntegrationResponse{StatusCode: 200, Parameters: map[string]string{"method.response.header.X": "integration.response.body"}}), "not understood"},
		"no header":       {response(assembly.IntegrationResponse{StatusCode: 200, Parameters: map[string]string{"method.response.body": "'x'"}}), "names no response header"},
		"lookahead":       {response(assembly.IntegrationResponse{StatusCode: 200, SelectionPattern: "(?=2)"}), "selection pattern"},
		"status 100":      {response(assembly.IntegrationResponse{StatusCode: 100}), "no final status"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, testConfig(mocked(test.integration)))
			check(t, g.do(httptest.NewRequest(http.MethodOptions, "/a", nil)), 500, internalBody, "InternalServerErrorException")
			if reason := g.line(t)["reason"].(string); !strings.Contains(reason, test.reason) {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

// chosenStatus is a request template in the manner of the mock integrations in
// AWS's documentation.
const chosenStatus = `{
  #if( $input.params('scope') == "internal" )
    "statusCode": 200
  #elseif ($input.params('scope').matches("[45]0[0-9]"))
    "statusCode": $input.params('scope')
  #else
    "statusCode": 500
  #end
}`

func TestMockChoosesItsStatus(t *testing.T) {
	t.Parallel()
	c := testConfig(mocked(assembly.Integration{
		RequestTemplates: json200(chosenStatus),
		Responses: []assembly.IntegrationResponse{
			{StatusCode: 200, Templates: json200(`{"for":"$input.params('scope')","stage":"$context.stage"}`)},
			{StatusCode: 404, SelectionPattern: `4\d\d`, Templates: json200(
				"#set($context.responseOverride.status = 410)\n#set($context.responseOverride.header.X-Why = 'gone')\n{}")},
			{StatusCode: 500, SelectionPattern: `5\d{2}`, Templates: json200(`{"message":"Internal error"}`)},
		},
	}))
	for target, want := range map[string]struct {
		status int
		body   string
	}{
		"/a?scope=internal": {200, `{"for":"internal","stage":"dev"}`},
		"/a?scope=404":      {410, "{}"},
		"/a?scope=503":      {500, `{"message":"Internal error"}`},
		"/a?scope=4040":     {500, `{"message":"Internal error"}`},
		"/a":                {500, `{"message":"Internal error"}`},
	} {
		g := serve(t, c)
		w := g.do(httptest.NewRequest(http.MethodOptions, target, nil))
		if w.Code != want.status || w.Body.String() != want.body || (w.Header().Get("X-Why") == "gone") != (want.status == 410) {
			t.Errorf("%s: got %d %s %v", target, w.Code, w.Body, w.Header())
		}
	}
}

// A header that no method response declares is one that AWS does not deploy.
func TestMockHeadersAreDeclared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		declared map[int][]string
		status   int
	}{
		"not known":          {nil, 204},
		"declared":           {map[int][]string{204: {"vary", "Allow"}}, 204},
		"none":               {map[int][]string{}, 500},
		"another":            {map[int][]string{204: {"Allow"}}, 500},
		"for another status": {map[int][]string{200: {"Vary"}}, 500},
	} {
		r := mocked(assembly.Integration{
			RequestTemplates: json200(`{ statusCode: 200 }`),
			Responses:        []assembly.IntegrationResponse{{StatusCode: 204, Parameters: map[string]string{"method.response.header.Vary": "'Origin'"}}},
		})
		r.ResponseHeaders = test.declared
		g := serve(t, testConfig(r))
		w := g.do(httptest.NewRequest(http.MethodOptions, "/a", nil))
		if w.Code != test.status {
			t.Errorf("%s: got %d", name, w.Code)
		}
		if reason := g.line(t)["reason"].(string); test.status == 500 && !strings.Contains(reason, "declares the header Vary") {
			t.Errorf("%s: reason %q", name, reason)
		}
	}
}
