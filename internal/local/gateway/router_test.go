package gateway

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/internal/assembly"
)

func tree(t testing.TB, patterns ...string) *node {
	t.Helper()
	root := &node{}
	for _, pattern := range patterns {
		method, path, _ := strings.Cut(pattern, " ")
		if err := root.add(&route{Route: assembly.Route{Method: method, Path: path}}); err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
	}
	return root
}

// found writes what find returns as "GET /path name=value".
func (n *node) found(method, path string) string {
	r, parameters := n.find(method, path)
	if r == nil {
		return ""
	}
	out := r.Method + " " + r.Path
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		out += fmt.Sprintf(" %s=%s", name, parameters[name])
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := tree(
		t, "GET /", "GET /v1/whoami", "ANY /v1/any", "GET /v1/any", "GET /v1/{id}", "GET /v1/{id}/tags/{tag}",
		"POST /test", "ANY /test/any", "OPTIONS /{proxy+}", "ANY /files/{path+}", "GET /a/{x}/c", "GET /{y}/b/d",
	)
	tests := map[string]string{
		"GET /":                    "GET /",
		"GET /v1/whoami":           "GET /v1/whoami",
		"GET /v1/other":            "GET /v1/{id} id=other",
		"GET /v1/any":              "GET /v1/any",
		"PUT /v1/any":              "ANY /v1/any",
		"GET /v1/7/tags/x":         "GET /v1/{id}/tags/{tag} id=7 tag=x",
		"GET /v1":                  "",
		"POST /v1/whoami":          "",
		"OPTIONS /test":            "OPTIONS /{proxy+} proxy=test", // recorded on AWS
		"POST /test":               "POST /test",
		"OPTIONS /test/any":        "ANY /test/any",
		"GET /test/any":            "ANY /test/any",
		"DELETE /files/a/b":        "ANY /files/{path+} path=a/b",
		"GET /files":               "",
		"GET /files/":              "",
		"OPTIONS /files":           "OPTIONS /{proxy+} proxy=files",
		"GET /a/b/d":               "GET /{y}/b/d y=a", // back from /a/{x}/c
		"GET /a/b/c":               "GET /a/{x}/c x=b",
		"GET /v1/whoami/":          "GET /v1/whoami",
		"GET /v1/whoami//":         "",
		"GET //v1/whoami":          "",
		"GET /v1//whoami":          "",
		"GET //":                   "",
		"GET /v1/%77hoami":         "GET /v1/{id} id=%77hoami",
		"GET /V1/whoami":           "",
		"GET /v1/a%2Fb":            "GET /v1/{id} id=a%2Fb",
		"GET /v1%2Fwhoami":         "",
		"GET /v1/test%2Balias@x.y": "GET /v1/{id} id=test%2Balias@x.y",
		"GET /v1/...":              "GET /v1/{id} id=...",
		"GET /v1/a.b":              "GET /v1/{id} id=a.b",
		"GET /v1/.":                "",
		"GET /v1/..":               "",
		"GET /v1/%2e%2E":           "",
		"GET /v1/x/../whoami":      "",
		"GET /files/..%2Fv1":       "",
		"GET /files/a%5C..%5Cb":    "",
		"GET /files/%zz":           "",
		"ANY /v1/any":              "",
		"PROPFIND /v1/any":         "",
		"GET ":                     "",
		"OPTIONS *":                "",
	}
	for request, want := range tests {
		method, path, _ := strings.Cut(request, " ")
		if got := root.found(method, path); got != want {
			t.Errorf("%s: got %q, want %q", request, got, want)
		}
	}
}

var partText = rapid.SampledFrom([]string{"a", "b", "v1", "{x}", "{y}", "{rest+}"})

// TestFindIsNeverWider compares the tree with regular expressions over the raw
// path: what is found matches its own template and method.
func TestFindIsNeverWider(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := &node{}
		var templates []string
		for range rapid.IntRange(1, 12).Draw(t, "routes") {
			path := "/" + strings.Join(rapid.SliceOfN(partText, 0, 4).Draw(t, "parts"), "/")
			method := rapid.SampledFrom([]string{"GET", "POST", "ANY"}).Draw(t, "method")
			if root.add(&route{Route: assembly.Route{Method: method, Path: path}}) == nil {
				templates = append(templates, method+" "+path)
			}
		}
		piece := rapid.SampledFrom([]string{"a", "b", "v1", "/", "//", ".", "..", "%2f", "%2e", "%61", "é", "{x}", ""})
		path := "/" + strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "path"), "")
		method := rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "request method")

		r, parameters := root.find(method, path)
		if r == nil {
			for _, template := range templates {
				declared, templatePath, _ := strings.Cut(template, " ")
				if declared == method && templatePath == strings.TrimSuffix(path, "/") && !strings.Contains(path, "//") && !strings.Contains(path, "{") {
					t.Fatalf("%s %s: not found among %q", method, path, templates)
				}
			}
			return
		}
		if r.Method != method && r.Method != anyMethod {
			t.Fatalf("%s %s reached method %s", method, path, r.Method)
		}
		if !templateMatches(r.Path, path) || strings.Contains(path, "//") {
			t.Fatalf("%s reached %s", path, r.Path)
		}
		filled := r.Path
		for name, value := range parameters {
			filled = strings.NewReplacer("{"+name+"}", value, "{"+name+"+}", value).Replace(filled)
		}
		if len(parameters) <= 1 && strings.TrimSuffix(filled, "/") != strings.TrimSuffix(path, "/") {
			t.Fatalf("%s: parameters %v do not rebuild it from %s", path, parameters, r.Path)
		}
	})
}

var (
	greedyPart   = regexp.MustCompile(`\\\{[a-z]+\\\+\\\}`)
	variablePart = regexp.MustCompile(`\\\{[a-z]+\\\}`)
)

func templateMatches(template, path string) bool {
	expression := variablePart.ReplaceAllString(greedyPart.ReplaceAllString(regexp.QuoteMeta(template), `.+`), `[^/]+`)
	return regexp.MustCompile(`^` + strings.TrimSuffix(expression, "/") + `/?$`).MatchString(path)
}

// TestMoreSpecificWins holds the order of siblings for every path they share.
func TestMoreSpecificWins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]string{"/x/a", "/x/{v}", "/x/{g+}", "/{g+}"}).Draw(t, "order")
		root := &node{}
		for _, path := range order {
			if err := root.add(&route{Route: assembly.Route{Method: "GET", Path: path}}); err != nil {
				t.Fatal(err)
			}
		}
		for path, want := range map[string]string{"/x/a": "/x/a", "/x/b": "/x/{v}", "/x/a/b": "/x/{g+}", "/y": "/{g+}"} {
			if r, _ := root.find("GET", path); r == nil || r.Path != want {
				t.Fatalf("%s did not reach %s", path, want)
			}
		}
	})
}
