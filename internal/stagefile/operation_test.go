package stagefile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewright/gatewright/internal/apispec"
)

func TestReadOperationProblems(t *testing.T) {
	t.Parallel()
	const head = "name: dev\nregion: eu-west-1\naccount: 123456789012\n"
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"retain in words", head + "retain: yes please\n", []string{`4:9: retain is neither true nor false; write true to keep users and notes when the stage is deleted`}},
		{"a throttle of the wrong type", head + "throttle: 100\n", []string{`4:11: throttle is not a mapping; write {rate: 100, burst: 200}`}},
		{"an empty throttle", head + "throttle: {}\n", []string{`4:11: throttle is empty; write {rate: 100, burst: 200} or remove the key`}},
		{"a throttle in who knows which base", head + "throttle: {rate: 010, burst: 0x10}\n", []string{
			"4:18: throttle.rate is 010; write a whole number in base 10, without a 0 before it",
			"4:30: throttle.burst is 0x10; write a whole number in base 10, without a 0 before it",
		}},
		{"an impossible throttle", head + "throttle:\n  rate: 0\n  burst: 2.5\n  quota: 7\n", []string{
			`5:9: throttle.rate is 0; write more than 0 and at most 10000 requests a second, which is what an account has by default`,
			`6:10: throttle.burst is 2.5; write a whole number`,
			`7:3: unknown key "throttle.quota"; the keys are rate, burst`}},
		{"a throttle beyond all accounts", head + "throttle: {rate: 10001, burst: 99999999999999999999}\n", []string{
			`4:18: throttle.rate is 10001; write more than 0 and at most 10000 requests a second, which is what an account has by default`,
			`4:32: throttle.burst takes a number of requests, not a value of type string`}},
		{"no number", head + "throttle: {rate: .nan, burst: '5'}\n", []string{
			`4:18: throttle.rate takes a number of requests a second, not a value of type nan`,
			`4:31: throttle.burst takes a number of requests, not a value of type string`}},
		{"days that CloudWatch does not know", head + "logRetention: 31\n", []string{
			`4:15: logRetention takes a number of days that CloudWatch knows, not 31; write one of 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653`}},
		{"days as text", head + "logRetention: '30'\n", []string{
			`4:15: logRetention takes a number of days that CloudWatch knows, not 30; write one of 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653`}},
		{"callbacks", head + "callbacks:\n  - https://Shop.example.com\n  - https://me:secret@shop.example.com\n  - com.example.shop:/cb\n  - 7\n  - https://a.example\n  - https://a.example\n", []string{
			`5:5: callbacks[0] "https://Shop.example.com" has no valid host; write its name in lower case, such as https://shop.example.com/callback`,
			`6:5: callbacks[1] holds a user name or password; write it without, such as https://shop.example.com/callback`,
			`7:5: callbacks[2] "com.example.shop:/cb" is neither https nor http on this machine; write one such as https://shop.example.com/callback`,
			`8:5: callbacks[3] takes text such as https://shop.example.com/callback, not a value of type integer`,
			`10:5: callbacks[5] "https://a.example" stands there twice; keep one`}},
		{"callbacks that are no list", head + "callbacks: https://a.example\n", []string{`4:12: callbacks is not a list; write [https://shop.example.com/callback]`}},
		{"logouts", head + "callbacks: [https://a.example]\nlogouts:\n  - http://a.example/\n  - com.example.shop:/\n", []string{
			`6:5: logouts[0] "http://a.example/" is not encrypted, which is for localhost, 127.0.0.1 and [::1] only; write https`,
			`7:5: logouts[1] "com.example.shop:/" is neither https nor http on this machine; write one such as https://shop.example.com/callback`}},
		{"logouts alone", head + "logouts: [https://a.example/]\n", []string{
			`4:1: logouts without callbacks, so nobody signs in to a website; write callbacks or remove the key`}},
		{"logouts that are no list", head + "callbacks: []\nlogouts: 7\n", []string{`5:10: logouts is not a list; write [https://shop.example.com/]`}},
		{"mobile callbacks", head + "mobileCallbacks:\n  - shop:/cb\n  - com.example.shop:cb\n  - 7\n  - com.example.shop:/cb\n  - com.example.shop:/cb\n", []string{
			`5:5: mobileCallbacks[0] "shop:/cb" has a scheme that is no domain name in reverse; write one such as com.example.shop:/callback (RFC 8252 section 7.1)`,
			`6:5: mobileCallbacks[1] "com.example.shop:cb" has no slash after its scheme; write com.example.shop:/callback`,
			`7:5: mobileCallbacks[2] takes text such as com.example.shop:/callback, not a value of type integer`,
			`9:5: mobileCallbacks[4] "com.example.shop:/cb" stands there twice; keep one`}},
		{"mobile callbacks that are no list", head + "mobileCallbacks: com.example.shop:/cb\n", []string{`4:18: mobileCallbacks is not a list; write [com.example.shop:/callback]`}},
		{"sign-up in words", head + "selfSignUp: maybe\n", []string{`4:13: selfSignUp is neither true nor false; write true to let anyone make a user`}},
		{"a domain without an account", "name: dev\nregion: eu-west-1\ndomain: {zone: example.com, api: api.example.com}\n", []string{
			`3:1: domain without an account; write the account whose zone it is, 12 digits`}},
		{"half a domain", head + "domain:\n  zone: example.com\n", []string{`5:3: no domain.api; it is required`}},
		{"a domain of the wrong type", head + "domain: api.example.com\n", []string{`4:9: domain is not a mapping; write {zone: example.com, api: api.example.com}`}},
		{"a name outside the zone", head + "domain:\n  zone: example.com\n  zoneId: /hostedzone/Z1\n  api: api.example.org\n", []string{
			`6:11: domain.zoneId "/hostedzone/Z1" is no hosted zone's id; write what follows /hostedzone/, such as Z0123456789ABCDEFGHIJ`,
			`7:8: domain.api "api.example.org" is not in the zone "example.com"; write a name such as api.example.com`}},
		{"a domain without values", head + "domain:\n  zone:\n  api: 7\n", []string{
			`5:3: domain.zone has no value; write one or remove the key`,
			`6:8: domain.api takes text such as api.example.com, not a value of type integer`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "dev.yaml", tt.yaml)
			_, err := Read(file)
			wantProblems(t, err, filepath.ToSlash(file)+":", tt.want)
		})
	}
}

func TestOverlappingDomains(t *testing.T) {
	t.Parallel()
	stage := func(name, zone, api string) string {
		return fmt.Sprintf("name: %s\nregion: eu-west-1\naccount: 123456789012\ndomain:\n  zone: %s\n  api: %s\n", name, zone, api)
	}
	const cutOut = `lies in the zone "dev.example.com" of DIR/a.yaml, whose name servers answer for it; use that zone, or another name`
	tests := []struct{ name, a, b, want string }{
		{"two names in one zone", stage("a", "example.com", "a.example.com"), stage("b", "example.com", "b.example.com"), ""},
		{"a name below another", stage("a", "example.com", "api.example.com"), stage("b", "example.com", "b.api.example.com"), ""},
		{"the same name", stage("a", "example.com", "api.example.com"), stage("b", "example.com", "api.example.com"),
			`DIR/b.yaml:6:8: domain.api "api.example.com" is also that of DIR/a.yaml; give each stage its own`},
		{"a name in a zone that is cut out", stage("a", "dev.example.com", "api.dev.example.com"), stage("b", "example.com", "b.dev.example.com"),
			`DIR/b.yaml:6:8: domain.api "b.dev.example.com" ` + cutOut},
		{"a name beside a zone that is cut out", stage("a", "dev.example.com", "api.dev.example.com"), stage("b", "example.com", "api.example.com"), ""},
		{"a broken file", "name: [\n", stage("b", "example.com", "b.example.com"), "DIR/a.yaml:1:7: not YAML: sequence end token ']' not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{"a.yaml": tt.a, "b.yaml": tt.b} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			check := func(err error, want string) {
				t.Helper()
				got := ""
				if err != nil {
					got = strings.ReplaceAll(err.Error(), filepath.ToSlash(dir), "DIR")
				}
				if got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
			_, err := ReadDir(dir)
			check(err, tt.want)
			// One stage alone: what is broken elsewhere is left alone, an
			// overlap is not.
			b, err := ReadStage(dir, "b")
			if tt.name == "a broken file" {
				tt.want = ""
			}
			check(err, tt.want)
			if err == nil && b.Name != "b" {
				t.Errorf("read stage %q", b.Name)
			}
		})
	}
}

func TestReadStageName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":            `"" is no stage name; write the name of a file in ../../stages without .yaml`,
		"../dev":      `"../dev" is no stage name`,
		"a/b":         `"a/b" is no stage name`,
		`a\b`:         `is no stage name`,
		".":           `"." is no stage name`,
		"dev.yaml":    `"dev.yaml" is no stage name`,
		"acceptance":  `no stage "acceptance": ../../stages/acceptance.yaml does not exist`,
		"dev\x00prod": `is no stage name`,
	} {
		if _, err := ReadStage("../../stages", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}

const schemaFile = "../../stages/stage.schema.json"

// property is a JSON Schema as far as the Go type is compared with it.
type property struct {
	Type                 any                 `json:"type"`
	Description          string              `json:"description"`
	Pattern              string              `json:"pattern"`
	Enum                 []int               `json:"enum"`
	MaxItems             int                 `json:"maxItems"`
	Default              any                 `json:"default"`
	Required             []string            `json:"required"`
	Properties           map[string]property `json:"properties"`
	AdditionalProperties *bool               `json:"additionalProperties"`
}

// The schema and the Go type have the same keys, types and required keys.
func TestSchemaEqualsType(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema property
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	sameKeys(t, "", reflect.TypeFor[Stage](), schema)
	for key, want := range map[string]string{
		schema.Properties["name"].Pattern:                             namePattern.String(),
		schema.Properties["region"].Pattern:                           regionPattern.String(),
		schema.Properties["account"].Pattern:                          accountPattern.String(),
		schema.Properties["domain"].Properties["zoneId"].Pattern:      zoneIDPattern.String(),
		fmt.Sprint(schema.Properties["logRetention"].Enum):            fmt.Sprint(logRetentions),
		fmt.Sprint(schema.Properties["logRetention"].Default):         fmt.Sprint(DefaultLogRetentionDays),
		fmt.Sprint(schema.Properties["tokenLifetime"].Default):        strings.TrimSuffix(DefaultTokenLifetime.String(), "0s"),
		fmt.Sprint(schema.Properties["refreshTokenLifetime"].Default): strings.TrimSuffix(DefaultRefreshTokenLifetime.String(), "0m0s"),
		fmt.Sprint(schema.Properties["callbacks"].MaxItems):           fmt.Sprint(apispec.MaxRedirects),
		fmt.Sprint(schema.Properties["logouts"].MaxItems):             fmt.Sprint(apispec.MaxRedirects),
		fmt.Sprint(schema.Properties["mobileCallbacks"].MaxItems):     fmt.Sprint(apispec.MaxRedirects),
		fmt.Sprint(schema.Properties["selfSignUp"].Default):           fmt.Sprint(newReader("").stage.SelfSignUp),
		fmt.Sprint(schema.Properties["retain"].Default):               fmt.Sprint(newReader("").stage.Retain),
	} {
		if key != want {
			t.Errorf("the schema says %s, the reader %s", key, want)
		}
	}
	var known []string
	for _, f := range newReader("").fields() {
		known = append(known, f.Key)
	}
	for key := range schema.Properties {
		if !slices.Contains(known, key) {
			t.Errorf("the reader does not know %s", key)
		}
	}
	if len(known) != len(schema.Properties) {
		t.Errorf("the reader knows %d keys, the schema %d", len(known), len(schema.Properties))
	}
}

func sameKeys(t *testing.T, at string, typ reflect.Type, schema property) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	kinds := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Slice: "array", reflect.Struct: "object", reflect.Float64: "number", reflect.Int: "integer",
	}
	want := kinds[typ.Kind()]
	if typ == reflect.TypeFor[time.Duration]() {
		want = "string"
	}
	if got := fmt.Sprint(schema.Type); got != want && (at != "account" || got != "[string integer]") {
		t.Errorf("%s has the type %s in the schema, want %s", at, got, want)
	}
	if schema.Description == "" {
		t.Errorf("%s has no description", at)
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("%q takes unknown keys", at)
	}
	keys := map[string]bool{}
	var required []string
	for i := range typ.NumField() {
		key, options, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if key == "-" {
			continue
		}
		keys[key] = true
		if options == "" {
			required = append(required, key)
		}
		sub, ok := schema.Properties[key]
		if !ok {
			t.Errorf("the schema has no %s", dotted(at, key))
			continue
		}
		sameKeys(t, dotted(at, key), typ.Field(i).Type, sub)
	}
	for key := range schema.Properties {
		if !keys[key] {
			t.Errorf("the type has no %s", dotted(at, key))
		}
	}
	if !slices.Equal(required, schema.Required) {
		t.Errorf("%q requires %v in the schema, want %v", at, schema.Required, required)
	}
}

// What the reader takes, an editor with the schema takes, and what an editor
// marks, the reader refuses. The files of the repository name the schema.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	const head = "name: dev\nregion: eu-west-1\n"
	const account = head + "account: 123456789012\n"
	tests := []struct {
		yaml  string
		valid bool
	}{
		{head, true},
		{account + "domain: {zone: example.com, api: api.example.com, zoneId: Z1}\n", true},
		{head + "domain: {zone: example.com, api: api.example.com}\n", false},
		{account + "domain: {zone: example.com}\n", false},
		{account + "domain: {zone: example.com, api: API.example.com}\n", false},
		{account + "domain: {zone: example.com, api: api.example.com, zoneId: z1}\n", false},
		{head + "throttle: {rate: 0.5, burst: 5000}\n", true},
		{head + "throttle: {rate: 0}\n", false},
		{head + "throttle: {burst: 5001}\n", false},
		{head + "throttle: {}\n", false},
		{head + "retain: false\n", true},
		{head + "retain: 'false'\n", false},
		{head + "logRetention: 14\n", true},
		{head + "logRetention: 15\n", false},
		{head + "origins: [https://a.example, http://localhost:4013]\n", true},
		{head + "origins: [https://a.example/]\n", false},
		{head + "origins: [https://a.example, https://a.example]\n", false},
		{head + "callbacks: [https://a.example/cb, 'http://127.0.0.1:8080/cb']\n", true},
		{head + "callbacks: ['https://a.example?to=@me', 'https://a.example/@me', 'http://[::1]/']\n", true},
		{head + "callbacks: ['shop:/cb']\n", false},
		{head + "callbacks: ['https://A.example/']\n", false},
		{head + "callbacks: ['https://me@a.example/']\n", false},
		{head + "callbacks: ['https://a.example/" + strings.Repeat("a", 1024) + "']\n", false},
		{head + "callbacks: ['https://a.example/#cb']\n", false},
		{head + "callbacks: [https://a.example]\nlogouts: [https://a.example/]\n", true},
		{head + "callbacks: [https://a.example]\nlogouts: ['shop:/cb']\n", false},
		{head + "logouts: [https://a.example/]\n", false},
		{head + "mobileCallbacks: ['com.example.shop:/cb', 'http://127.0.0.1:4014/cb']\n", true},
		{head + "mobileCallbacks: ['shop:/cb']\n", false},
		{head + "mobileCallbacks: ['Com.example.shop:/cb']\n", false},
		{head + "mobileCallbacks: ['com.example.shop:cb']\n", false},
		{head + "mobileCallbacks: ['com.example.shop:/#cb']\n", false},
		{head + "selfSignUp: true\n", true},
		{head + "selfSignUp: 'true'\n", false},
		{head + "tokenLifetime: 1h30m\n", true},
		{head + "tokenLifetime: 15\n", false},
		{head + "refreshTokenLifetime: 720h\n", true},
		{head + "refreshTokenLifetime: 30d\n", false},
		{head + "surprise: 1\n", false},
		{"name: dev\n", false},
		{"name: 1dev\nregion: eu-west-1\n", false},
	}
	for _, tt := range tests {
		var value any
		if err := yaml.Unmarshal([]byte(tt.yaml), &value); err != nil {
			t.Fatal(err)
		}
		r := newReader("dev.yaml")
		r.read([]byte(tt.yaml))
		if bySchema, byReader := schema.Validate(normal(t, value)), len(r.Problems) == 0; (bySchema == nil) != tt.valid || byReader != tt.valid {
			t.Errorf("%s: want valid %v; the schema says %v, the reader %v", tt.yaml, tt.valid, bySchema, r.Problems)
		}
	}
	files, err := filepath.Glob("../../stages/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(data), "# yaml-language-server: $schema=stage.schema.json\n") {
			t.Errorf("%s does not name the schema in its first line", file)
		}
		var value map[string]any
		if err := yaml.Unmarshal(data, &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(normal(t, value)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func normal(t *testing.T, value any) any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func dotted(at, key string) string { return strings.TrimPrefix(at+"."+key, ".") }
