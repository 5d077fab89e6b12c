package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

var update = flag.Bool("update", false, "rewrite the golden event")

// fullRequest sends what an event can show.
func fullRequest(t *testing.T) (*testGateway, *httptest.ResponseRecorder) {
	t.Helper()
	c := testConfig(proxy("POST", "/v1/notes/{id}/{rest+}", cognito("notes/read")))
	c.Stage.Variables = map[string]string{"colour": "blue"}
	g := serve(t, c)
	r := httptest.NewRequest(http.MethodPost, "/v1/notes/a%2Fb/x/test%2Balias@x.y/?q=1&q=two+words&email=a%2Bb&flag&a;b=2", strings.NewReader(`{"a":"é"}`))
	r.RemoteAddr = "127.0.0.1:50000"
	r.Host = "127.0.0.1:4010"
	r.Header = http.Header{
		"Accept": {"*/*"}, "Authorization": {"Bearer access-read"}, "Content-Type": {"application/json"}, "User-Agent": {"curl/8"},
		"X-Multi": {"one", "two"}, "X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Proto": {"gopher"}, "X-Forwarded-Port": {"1"},
		"X-Amzn-Remapped-Authorization": {"forged"}, "Via": {"1.1 proxy"}, "Date": {"today"}, "Content-Length": {"9"},
		"X-Amzn-Trace-Id": {"Root=1-67891233-abcdef012345678912345678"},
		// None of these reaches a function.
		"Connection": {"keep-alive"}, "Content-Md5": {"x"}, "Expect": {"100-continue"}, "Max-Forwards": {"2"}, "Proxy-Authenticate": {"x"},
		"Server": {"x"}, "Te": {"deflate"}, "Trailer": {"Expires"}, "Transfer-Encoding": {"chunked"}, "Upgrade": {"h2c"}, "Www-Authenticate": {"x"},
	}
	return g, g.do(r)
}

func TestEventGolden(t *testing.T) {
	t.Parallel()
	g, w := fullRequest(t)
	if w.Code != 200 {
		t.Fatalf("got %d: %s", w.Code, g.logged)
	}
	event := g.functions.event(t)
	trace := event["headers"].(map[string]any)[traceHeader].(string)
	parent := strings.Split(trace, ";")[1]
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(event); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		w.Header().Get("x-amzn-RequestId"), "REQUEST-ID", w.Header().Get("x-amz-apigw-id"), "EXTENDED-ID", parent, "Parent=PARENT",
	).Replace(got.String())
	golden := filepath.Join("testdata", "event.golden.json")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the event differs from %s (-update rewrites it):\n%s", golden, text)
	}
}

// TestEventShape holds the event against the type that Go functions decode it
// into: each of its members is there.
func TestEventShape(t *testing.T) {
	t.Parallel()
	g, _ := fullRequest(t)
	event := g.functions.event(t)
	var decoded events.APIGatewayProxyRequest
	if err := json.Unmarshal(g.functions.payloads[0], &decoded); err != nil {
		t.Fatal(err)
	}
	if decoded.RequestContext.Authorizer["claims"].(map[string]any)["client_id"] != "client-1" || decoded.Body != `{"a":"é"}` {
		t.Errorf("decoded %+v", decoded)
	}
	// Absent without an API key or mutual TLS.
	absent := []string{"apiKey", "apiKeyId", "clientCert"}
	var compare func(at string, shape reflect.Type, value any)
	compare = func(at string, shape reflect.Type, value any) {
		if shape.Kind() != reflect.Struct {
			return
		}
		members, _ := value.(map[string]any)
		for field := range shape.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if slices.Contains(absent, name) {
				continue
			}
			member, ok := members[name]
			if !ok {
				t.Errorf("%s.%s is missing", at, name)
			}
			compare(at+"."+name, field.Type, member)
		}
	}
	compare("event", reflect.TypeFor[events.APIGatewayProxyRequest](), event)
}

// TestEmptyEvent checks the nulls, as recorded of a GET without anything.
func TestEmptyEvent(t *testing.T) {
	t.Parallel()
	g := serve(t, testConfig(proxy("GET", "/a", open)))
	r := httptest.NewRequest(http.MethodGet, "/a", nil)
	g.do(r)
	event := g.functions.event(t)
	for _, name := range []string{"body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if value, ok := event[name]; !ok || value != nil {
			t.Errorf("%s is %v, want null", name, value)
		}
	}
	context := event["requestContext"].(map[string]any)
	if _, ok := context["authorizer"]; ok {
		t.Error("a public route has an authorizer")
	}
	if id := context["identity"].(map[string]any); id["userAgent"] != nil || id["user"] != nil || id["sourceIp"] == "" {
		t.Errorf("identity %v", id)
	}
}

func TestBinaryRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		types  []string
		sent   string
		binary bool
	}{
		"text":           {[]string{"image/png"}, "application/json", false},
		"none":           {nil, "image/png", false},
		"exact":          {[]string{"image/png"}, "image/PNG; q=1", true},
		"class":          {[]string{"image/*"}, "image/webp", true},
		"class boundary": {[]string{"image/*"}, "imagex/webp", false},
		"all":            {[]string{"*/*"}, "", true},
		"no type":        {[]string{"image/png"}, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("POST", "/a", open))
			c.API.BinaryMediaTypes = test.types
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodPost, "/a", strings.NewReader("\xff\x00"))
			r.Header.Set("Content-Type", test.sent)
			g.do(r)
			event := g.functions.event(t)
			want := "\ufffd\x00"
			if test.binary {
				want = base64.StdEncoding.EncodeToString([]byte("\xff\x00"))
			}
			if event["isBase64Encoded"] != test.binary || event["body"] != want {
				t.Errorf("got %v %q", event["isBase64Encoded"], event["body"])
			}
		})
	}
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	q := parseQuery("a=1&a=2+3&b=%2B&c&d=%zz&&e=x=y")
	want := query{
		last: map[string]string{"a": "2 3", "b": "+", "c": "", "d": "%zz", "e": "x=y"},
		all:  map[string][]string{"a": {"1", "2 3"}, "b": {"+"}, "c": {""}, "d": {"%zz"}, "e": {"x=y"}},
	}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("got %v", q)
	}
	if q := parseQuery(""); q.last != nil || q.all != nil {
		t.Errorf("an empty query is %v", q)
	}
}
