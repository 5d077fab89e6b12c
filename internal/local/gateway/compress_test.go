package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestCompression(t *testing.T) {
	t.Parallel()
	of := func(size int) *assembly.Compression { return &assembly.Compression{MinimumBytes: size} }
	tests := map[string]struct {
		compression *assembly.Compression
		accept      []string
		answer      string // headers and body
		compressed  bool
	}{
		"off":             {nil, []string{"gzip"}, `"body":"hello"`, false},
		"on":              {of(0), []string{"gzip"}, `"body":"hello"`, true},
		"just enough":     {of(5), []string{"gzip"}, `"body":"hello"`, true},
		"too small":       {of(6), []string{"gzip"}, `"body":"hello"`, false},
		"empty":           {of(0), []string{"gzip"}, `"body":""`, false},
		"not asked for":   {of(0), nil, `"body":"hello"`, false},
		"any":             {of(0), []string{"*"}, `"body":"hello"`, false},
		"another":         {of(0), []string{"br, deflate"}, `"body":"hello"`, false},
		"among others":    {of(0), []string{"br", "deflate, GZIP;q=0.5"}, `"body":"hello"`, true},
		"refused":         {of(0), []string{"gzip;q=0"}, `"body":"hello"`, false},
		"bad weight":      {of(0), []string{"gzip;q=x"}, `"body":"hello"`, false},
		"already encoded": {of(0), []string{"gzip"}, `"body":"hello","headers":{"content-encoding":"br"}`, false},
		"no content":      {of(0), []string{"gzip"}, `"body":"hello","statusCode":204`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("GET", "/a", open))
			c.API.Compression = test.compression
			c.Functions = &fakeFunctions{output: "{" + test.answer + "}"}
			g := serve(t, c)
			r := httptest.NewRequest(http.MethodGet, "/a", nil)
			r.Header["Accept-Encoding"] = test.accept
			w := g.do(r)
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != test.compressed {
				t.Fatalf("compressed: %v, headers %v", got, w.Header())
			}
			if !test.compressed {
				return
			}
			reader, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(reader); err != nil || string(body) != "hello" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
}

// A function and its validator get the body that the client compressed.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	const good = `{"title":"a","text":"b"}`
	gzipped := func(text string) string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return out.String()
	}
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	_, _ = w.Write([]byte(good))
	_ = w.Close()
	tests := map[string]struct {
		off    bool
		coding []string
		body   string
		want   int
	}{
		"gzip":          {false, []string{"GZIP"}, gzipped(good), 200},
		"deflate":       {false, []string{"deflate"}, deflated.String(), 200},
		"identity":      {false, []string{"identity"}, good, 200},
		"invalid":       {false, []string{"gzip"}, gzipped(`{}`), 400},
		"not gzip":      {false, []string{"gzip"}, good, 415},
		"cut off":       {false, []string{"gzip"}, gzipped(good)[:20], 415},
		"unknown":       {false, []string{"br"}, good, 415},
		"twice":         {false, []string{"gzip", "gzip"}, gzipped(gzipped(good)), 415},
		"a bomb":        {false, []string{"gzip"}, gzipped(strings.Repeat(" ", maxBodyBytes+1)), 413},
		"off, as it is": {true, []string{"gzip"}, gzipped(good), 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(validatedRoute(assembly.Validator{Body: true}, open))
			if !test.off {
				c.API.Compression = &assembly.Compression{}
			}
			g := serve(t, c)
			r := post("/notes/7", "application/json", test.body)
			r.Header["Content-Encoding"] = test.coding
			if w := g.do(r); w.Code != test.want || (w.Code == 200) != (g.functions.calls() == 1) {
				t.Fatalf("got %d %s, want %d: %s", w.Code, w.Body, test.want, g.logged)
			}
			if test.want == 200 && g.functions.event(t)["body"] != good {
				t.Errorf("the function got %v", g.functions.event(t)["body"])
			}
		})
	}
}

// Answers of the gateway itself are not compressed, and preflights stay whole.
func TestCompressionLeavesOthers(t *testing.T) {
	t.Parallel()
	preflight := mocked(assembly.Integration{RequestTemplates: json200(`{"statusCode":204}`), Responses: []assembly.IntegrationResponse{{StatusCode: 204, Templates: json200(ownPreflight)}}})
	c := testConfig(preflight, proxy("GET", "/a", cognito("notes/read")))
	c.API.Compression = &assembly.Compression{}
	for _, method := range []string{"OPTIONS", "GET"} {
		g := serve(t, c)
		r := httptest.NewRequest(method, "/a", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		if w := g.do(r); w.Header().Get("Content-Encoding") != "" || fmt.Sprint(w.Code) != map[string]string{"OPTIONS": "204", "GET": "401"}[method] {
			t.Errorf("%s: got %d %v", method, w.Code, w.Header())
		}
	}
}
