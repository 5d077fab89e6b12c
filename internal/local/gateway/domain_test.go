package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestBasePath(t *testing.T) {
	t.Parallel()
	domain := func(base, stage string) assembly.Domain {
		return assembly.Domain{Name: "api.example.com", BasePath: base, Stage: stage}
	}
	one, deeper := []assembly.Domain{domain("v1", "dev")}, []assembly.Domain{domain("v1", "dev"), domain("v", "dev"), domain("", "dev"), domain("x", "test")}
	tests := map[string]struct {
		domains []assembly.Domain
		path    string
		want    string // resource, or empty for a refusal
	}{
		"none":              {nil, "/notes", "/notes"},
		"empty":             {[]assembly.Domain{domain("", "dev")}, "/notes", "/notes"},
		"of another stage":  {[]assembly.Domain{domain("v1", "test")}, "/notes", "/notes"},
		"stripped":          {one, "/v1/notes", "/notes"},
		"root":              {one, "/v1", "/"},
		"root with a slash": {one, "/v1/", "/"},
		"left out":          {one, "/notes", ""},
		"more than it":      {one, "/v12/notes", ""},
		"another case":      {one, "/V1/notes", ""},
		"escaped":           {one, "/%761/notes", ""},
		"twice":             {one, "/v1/v1/notes", ""},
		"slashes":           {one, "/v1//notes", ""},
		"dots":              {one, "/v1/../v1/notes", ""},
		"the longest":       {deeper, "/v1/notes", "/notes"},
		"the shorter":       {deeper, "/v/notes", "/notes"},
		"the empty one":     {deeper, "/notes", "/notes"},
		"not whole parts":   {deeper, "/v12/notes", "/v12/notes"},
		"foreign":           {deeper, "/x/notes", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(proxy("GET", "/notes", open), proxy("GET", "/v12/notes", open), proxy("GET", "/", open))
			c.API.Domains = test.domains
			g := serve(t, c)
			w := g.get(test.path, "")
			if test.want == "" {
				if w.Code != 403 || g.functions.calls() != 0 {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
				return
			}
			event := g.functions.event(t)
			context := event["requestContext"].(map[string]any)
			if w.Code != 200 || event["resource"] != test.want || event["path"] != test.path || context["path"] != test.path || context["stage"] != "dev" {
				t.Errorf("got %d, resource %v, path %v, context %v", w.Code, event["resource"], event["path"], context["path"])
			}
		})
	}
}

// The execute-api host knows stages, and no base path.
func TestBasePathNotOnExecuteAPI(t *testing.T) {
	t.Parallel()
	c := testConfig(proxy("GET", "/notes", open))
	c.API.Domains = []assembly.Domain{{Name: "api.example.com", BasePath: "v1", Stage: "dev"}}
	for path, status := range map[string]int{"/dev/notes": 200, "/dev/v1/notes": 403, "/v1/notes": 403} {
		g := serve(t, c)
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "api123.execute-api.localhost"
		if w := g.do(r); w.Code != status {
			t.Errorf("%s: got %d", path, w.Code)
		}
		if status == 200 && g.functions.event(t)["path"] != "/notes" {
			t.Errorf("the event's path is %v", g.functions.event(t)["path"])
		}
	}
}
