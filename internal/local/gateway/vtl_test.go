package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/internal/apispec"
	"github.com/gatewright/gatewright/internal/assembly"
)

// ownPreflight is what constructs/restapi writes for several origins.
var ownPreflight = originTemplate("https://a.example.com", "https://b.example.com")

// originTemplate takes it from the document of an API for those origins.
func originTemplate(origins ...string) string {
	data, err := apispec.Spec{
		Title:   "two origins",
		Origins: origins,
		Routes:  map[string]apispec.Route{"GET /a": {Access: access.Public("test"), Integration: map[string]any{"type": "mock"}}},
	}.Document()
	if err != nil {
		panic(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Integration struct {
				Responses map[string]struct{ ResponseTemplates map[string]string }
			} `json:"x-amazon-apigateway-integration"`
		}
	}
	if err := json.Unmarshal(data, &document); err != nil {
		panic(err)
	}
	return document.Paths["/a"]["options"].Integration.Responses["default"].ResponseTemplates["application/json"]
}

// cdkPreflight is what the CDK's addCorsPreflight writes for three origins; the
// first one stands in the mapped header.
const cdkPreflight = `#set($origin = $input.params().header.get("Origin"))
#if($origin == "")
  #set($origin = $input.params().header.get("origin"))
#end
#if($origin == "https://b.example.com" || $origin == "https://c.example.com")
  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
#end`

func matching(expression string) string {
	return `#set($o = $input.params().header.get("Origin"))#if($o.matches("` + expression + `"))#set($context.responseOverride.header.Access-Control-Allow-Origin = $o)#end`
}

func TestPreflightForSeveralOrigins(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		template, mapped, origin string
		allowed, vary            string
	}{
		"own, first":         {ownPreflight, "", "https://a.example.com", "https://a.example.com", "Origin"},
		"own, second":        {ownPreflight, "", "https://b.example.com", "https://b.example.com", "Origin"},
		"own, foreign":       {ownPreflight, "", "https://c.example.com", "", ""},
		"own, longer":        {ownPreflight, "", "https://a.example.com.evil.example", "", ""},
		"own, none":          {ownPreflight, "", "", "", ""},
		"own, null":          {ownPreflight, "", "null", "", ""},
		"CDK, mapped":        {cdkPreflight, "https://a.example.com", "https://a.example.com", "https://a.example.com", ""},
		"CDK, second":        {cdkPreflight, "https://a.example.com", "https://b.example.com", "https://b.example.com", ""},
		"CDK, foreign":       {cdkPreflight, "https://a.example.com", "https://x.example.com", "https://a.example.com", ""},
		"expression":         {matching(`https://[a-z0-9-]+\.example\.com`), "", "https://shop-1.example.com", "https://shop-1.example.com", ""},
		"dot is a dot":       {matching(`https://.+\.example\.com`), "", "https://shopxexample.com", "", ""},
		"whole text, after":  {matching(`https://a`), "", "https://a.evil.example", "", ""},
		"whole text, before": {matching(`a\.example`), "", "https://a.example", "", ""},
		"alternatives":       {matching(`https://a|http://b`), "", "https://abc", "", ""},
		"one of them":        {matching(`https://(a|b)\.c`), "", "https://b.c", "https://b.c", ""},
		"beyond ASCII":       {matching(`https://.*`), "", "https://a\u2028", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response := assembly.IntegrationResponse{StatusCode: 204, Templates: json200(test.template), Parameters: map[string]string{
				"method.response.header.Access-Control-Allow-Methods": "'GET'",
			}}
			if test.mapped != "" {
				response.Parameters["method.response.header.access-control-allow-origin"] = "'" + test.mapped + "'"
			}
			g := serve(t, testConfig(mocked(assembly.Integration{RequestTemplates: json200(`{"statusCode":204}`), Responses: []assembly.IntegrationResponse{response}})))
			r := httptest.NewRequest(http.MethodOptions, "/a", nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := g.do(r)
			if w.Code != 204 || strings.Join(w.Header().Values("Access-Control-Allow-Origin"), "+") != test.allowed || w.Header().Get("Vary") != test.vary ||
				w.Header().Get("Access-Control-Allow-Methods") != "GET" {
				t.Errorf("got %d %v: %s", w.Code, w.Header(), g.logged)
			}
		})
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ template, text string }{
		"text":                 {"{\"a\": 1}\n  \\ 'b'", "{\"a\": 1}\n  \\ 'b'"},
		"directives leave":     {"a\n  #set($x = \"1\")  \nb\n", "a\nb\n"},
		"within a line":        {"a #set($x = \"1\") b", "a  b"},
		"true":                 {`#set($x = "1")#if($x == "1")yes#end`, "yes"},
		"false":                {`#set($x = "1")#if("2" == $x)yes#end!`, "!"},
		"either":               {`#set($x = "")#if($x == "1" || $x == "")yes#end`, "yes"},
		"nested":               {`#set($x = "1")#if($x == "1")a#if($x == "2")b#end#if($x == "1")c#end#end`, "ac"},
		"set within":           {`#set($x = "1")#if($x == "1")#set($x = "2")#end#if($x == "2")two#end`, "two"},
		"own within":           {`#if("" == "")#set($y = "2")#if($y == "2")two#end#end`, "two"},
		"header in any case":   {`#if($input.params().header.get("x-NAME") == "v")yes#end`, "yes"},
		"the last of several":  {`#if($input.params().header.get("X-Two") == "2")yes#end`, "yes"},
		"a header that is not": {`#if($input.params().header.get("X-None") == "")none#end`, "none"},
		"else": {`#if("a" == "b")a#else
b#end`, "b"},
		"else if":             {`#if("a" == "b")a#elseif("a" == "a")b#elseif("a" == "a")c#else d#end`, "b"},
		"else of nested":      {`#if("a" == "a")#if("a" == "b")a#else b#end#else c#end`, " b"},
		"and before or":       {`#if("a" == "a" || "a" == "a" && "a" == "b")yes#end`, "yes"},
		"and":                 {`#if("a" == "a" && "a" == "b")yes#end`, ""},
		"parentheses":         {`#if(("a" == "a" || "a" == "a") && "a" == "b")yes#end`, ""},
		"not":                 {`#if(!("a" == "b"))yes#end`, "yes"},
		"not twice":           {`#if(!!("a" == "b"))yes#end`, ""},
		"not of a method":     {`#if(!$context.stage.matches("d.v"))yes#else no#end`, " no"},
		"not the same":        {`#if("a" != "b")yes#end`, "yes"},
		"single quotes":       {`#set($x = 'a"b')#if($x == 'a"b')$x#end`, `a"b`},
		"equals":              {`#set($x = "a")#if($x.equals("a") && !$x.equals(1))yes#end`, "yes"},
		"numbers":             {`#set($x = 200)#if($x == 200 && $x != 201)$x#end`, "200"},
		"references":          {`#set($x = "1")$x ${x}2 $!x. $!{x}`, "1 12 1. 1"},
		"indented reference":  {"#set($x = \"1\")\na\n  $x", "a\n  1"},
		"parameter by place":  {`$input.params("id") $input.params('q') $input.params("X-Two") $input.params("X-None").`, "1 query 2 ."},
		"query before header": {`$input.params("X-Name")`, "first"},
		"each place":          {`$input.params().path.get("id") $input.params().querystring.get('q') $input.params().header.get("X-Name")`, "1 query v"},
		"context":             {`$context.httpMethod $context.stage, $context.identity.sourceIp.`, "GET dev, 192.0.2.1."},
		"spaces":              {"#set( $x =\n\"1\" )#if( $x == \"1\"  ||  $x == \"2\" )yes#end", "yes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parseScript(test.template, true)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/p/1?q=query&X-Name=first", nil)
			r.Header = http.Header{"X-Name": {"v"}, "X-Two": {"1", "2"}}
			g := serve(t, testConfig(proxy("GET", "/p/{id}", open)))
			c := g.newCall(r)
			if f := c.match(); f != nil {
				t.Fatal(f)
			}
			if made, err := s.run(c); err != nil || made.text != test.text {
				t.Errorf("got %q, %v; want %q", made.text, err, test.text)
			}
		})
	}
}

func TestScriptUnsupported(t *testing.T) {
	t.Parallel()
	for _, template := range []string{
		"$x", "$input.body", "#end", "#else", "#elseif(1 == 1)", "## comment", "#* *#", `#set($x = "1"`, `#set($x = 1.5)`, `#set($x = 007)`, `#set($x = -1)`, `#set($x = "a$b")`,
		`#set($x = "a\"b")`, `#set($x = $y)`, `#set($x = $x)`, `#set($input = "x")`, `#set($context = "x")`, `#set($context.responseOverride = "200")`,
		`#set($context.authorizer.claims = "x")`, `#set($context.responseOverride.header.Content-Length = "1")`, `#set("a" = "b")`,
		`#set($x = "1" + "2")`, `#set($x = "1")#if($x)a#end`, `#if("" == "")`, `#if("" == "" and "" == "")#end`, `#if(!"" == "")#end`,
		`#if("" == "" == "")#end`, `#if(("" == "") == ("" == ""))#end`, `#if("1" == 1)#end`, `#if(1 > 0)#end`, `#if(("" == "")#end`, `#if(true)#end`,
		`#if("" == "")a#elseif#end`, `#if("" == "")#else#else#end`, `#if("" == "")#else#elseif("" == "")#end`, `#if("" == "")#{else}#end`,
		`#if("" == "")#set($y = "1")#end#if($y == "1")#end`, `#if("" == "")#set($y = "1")#else$y#end`, `#set($x = 1)#set($x = "1")`, `#set($x = 1)#if($x.matches("1"))#end`,
		`#set($x = $input.params())`, `#set($x = $input.params().header.get("a b"))`, `#set($x = $input.params("a b"))`, `$input.params("a").b`, `$input.path("$.a")`, `$input.json("$")`,
		`#set($x = $input.params().header.get($y))`, `#set($x = "a")#set($z = $x.length())`, `#set($x = "a")#set($z = $x-y)`, `\#set($x = "1")`,
		`#endif`, `#if("" == "")#endif`, `#if("" == "")#{end}`, `#foreach($a in $b)#end`, `#set($x="a")$x.y`, `#set($x="a")$x-y`, `#set($x="a")$x[0]`, `#set($x="a")$x_y`,
		`$context.error.message`, `$context.identity.apiKey`, `$context.nothing`, `$context.stage.length()`, `$context.authorizer.claims.sub`, `$stageVariables.a`, `$util.escapeJavaScript("a")`, "$5",
		matching(`(?i)a`), matching(`(?=a)a`), matching(`a++`), matching(`a*+`), matching(`[a[b]]`), matching(`[a&&b]`), matching(`a{2}`),
		matching(`\p{L}`), matching(`\1`), matching(`\bA`), matching(`(a`), matching(``), matching(`a$`), matching("a b"),
		"#if" + strings.Repeat("(", 1000), "#if(" + strings.Repeat("!", 1000), strings.Repeat(`#if("" == "")`, 1000) + strings.Repeat("#end", 1000) + "$", strings.Repeat(" ", maxTemplateBytes+1),
	} {
		if _, err := parseScript(template, true); err == nil {
			t.Errorf("%.200s is understood", template)
		}
	}
}

// A template whose values add up to more than a response may hold makes none.
func TestScriptIsBounded(t *testing.T) {
	t.Parallel()
	s, err := parseScript(strings.Repeat(`$input.params("X")`, 20), true)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X", strings.Repeat("x", maxBodyBytes/10))
	if made, err := s.run(serve(t, testConfig()).newCall(r)); err == nil || len(made.text) > maxBodyBytes {
		t.Errorf("makes %d bytes, %v", len(made.text), err)
	}
}

// Whatever but a comparison of its own is put into a template that allows
// origins, it allows no others or is not served.
func TestScriptNeverAllowsMore(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"#set(", ")", "#if(", "#end", "$origin", " == ", " || ", `""`, `"https://a.example.com"`, "\n", " ", "$context.responseOverride.header.Vary", " = ", `\`, ".matches(", "x",
	}
	g := serve(t, testConfig())
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(ownPreflight)).Draw(t, "at")
		inserted := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces"), "")
		s, err := parseScript(ownPreflight[:at]+inserted+ownPreflight[at:], true)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", "https://evil.example")
		if made, err := s.run(g.newCall(r)); err == nil && made.headers["Access-Control-Allow-Origin"] == "https://evil.example" && !strings.Contains(inserted, "==") && !strings.Contains(inserted, "$origin") {
			t.Fatalf("inserting %q at %d allows any origin", inserted, at)
		}
	})
}
