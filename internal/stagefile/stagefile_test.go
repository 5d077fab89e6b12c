package stagefile

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadRepositoryStages(t *testing.T) {
	t.Parallel()
	stages, err := ReadDir("../../stages")
	if err != nil {
		t.Fatal(err)
	}
	want := []Stage{
		{Name: "dev", Region: "eu-west-1", Origins: []string{"http://localhost:4013"}, Callbacks: []string{"http://localhost:4013/callback"},
			Logouts: []string{"http://localhost:4013/"}, MobileCallbacks: []string{"com.example.gatewright:/callback", "http://127.0.0.1:4014/callback"}, SelfSignUp: true,
			TokenLifetime: 15 * time.Minute, RefreshTokenLifetime: 12 * time.Hour, Throttle: Throttle{50, 100}, LogRetentionDays: 7, File: "../../stages/dev.yaml"},
		{Name: "prod", Region: "eu-central-1", Account: "111122223333",
			Origins: []string{"https://shop.example.com", "https://www.example.com"}, Callbacks: []string{"https://shop.example.com/callback"},
			Logouts: []string{"https://shop.example.com/"}, MobileCallbacks: []string{"com.example.shop:/callback"},
			TokenLifetime: 15 * time.Minute, RefreshTokenLifetime: 12 * time.Hour, Retain: true, Throttle: Throttle{200, 400}, LogRetentionDays: 365, File: "../../stages/prod.yaml"},
	}
	if !reflect.DeepEqual(stages, want) {
		t.Errorf("stages/ holds\n%+v\nwant\n%+v", stages, want)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, yaml string
		change     func(*Stage) // of what the least file gives
	}{
		{"the least", "name: dev\nregion: eu-west-1\n", func(*Stage) {}},
		{"everything", "---\nname: dev # why not\nregion: 'us-gov-west-1'\naccount: \"012345678901\"\norigins: [ https://shop.example.com:8443, https://b.example ]\ntokenLifetime: 1h30m\nrefreshTokenLifetime: 87600h\n" +
			"callbacks: [https://shop.example.com/cb?x=y, \"http://[::1]:8080/cb\"]\nlogouts: [https://shop.example.com]\nmobileCallbacks: [com.example.shop:/cb, https://shop.example.com/app]\nselfSignUp: true\nretain: false\nthrottle: {rate: 0.5, burst: 1}\nlogRetention: 3653\n" +
			"domain: {zone: example.com, zoneId: Z0123456789ABCDEFGHIJ, api: example.com}\n",
			func(s *Stage) {
				s.Region, s.Account = "us-gov-west-1", "012345678901"
				s.TokenLifetime, s.RefreshTokenLifetime = 90*time.Minute, 10*365*24*time.Hour
				s.Origins = []string{"https://shop.example.com:8443", "https://b.example"}
				s.Callbacks = []string{"https://shop.example.com/cb?x=y", "http://[::1]:8080/cb"}
				s.Logouts, s.MobileCallbacks = []string{"https://shop.example.com"}, []string{"com.example.shop:/cb", "https://shop.example.com/app"}
				s.SelfSignUp = true
				s.Retain, s.Throttle, s.LogRetentionDays = false, Throttle{0.5, 1}, 3653
				s.Domain = &Domain{"example.com", "Z0123456789ABCDEFGHIJ", "example.com"}
			}},
		{"a domain to look up", "name: dev\nregion: eu-west-1\naccount: 123456789012\ndomain:\n  api: api.example.com\n  zone: example.com\n", func(s *Stage) {
			s.Account, s.Domain = "123456789012", &Domain{Zone: "example.com", API: "api.example.com"}
		}},
		{"half a throttle", "name: dev\nregion: eu-west-1\nthrottle:\n  rate: 1_000\n", func(s *Stage) { s.Throttle.Rate = 1000 }},
		{"an account that YAML takes for a number", "name: dev\nregion: eusc-de-east-1\naccount: 123456789012", func(s *Stage) {
			s.Region, s.Account = "eusc-de-east-1", "123456789012"
		}},
		{"an account that YAML might take for an octal number", "name: dev\nregion: eu-west-1\naccount: 001234567012\n", func(s *Stage) { s.Account = "001234567012" }},
		{"byte order mark and CRLF", "\ufeffname: dev\r\nregion: eu-west-1\r\norigins: []\r\n", func(*Stage) {}},
		{"the longest and a flow mapping", "{name: dev, region: ap-southeast-2, tokenLifetime: 24h}", func(s *Stage) {
			s.Region, s.TokenLifetime, s.RefreshTokenLifetime = "ap-southeast-2", 24*time.Hour, 24*time.Hour
		}},
		{"the shortest session, before its token", "name: dev\nregion: eu-west-1\nrefreshTokenLifetime: 60m\ntokenLifetime: 1h\n", func(s *Stage) {
			s.TokenLifetime, s.RefreshTokenLifetime = time.Hour, time.Hour
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "dev.yaml", tt.yaml)
			got, err := Read(file)
			if err != nil {
				t.Fatal(err)
			}
			want := Stage{Name: "dev", Region: "eu-west-1", TokenLifetime: 15 * time.Minute, RefreshTokenLifetime: 12 * time.Hour, Retain: true, LogRetentionDays: 30, File: file}
			tt.change(&want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestReadProblems shows each error as a developer sees it, without the folder.
func TestReadProblems(t *testing.T) {
	t.Parallel()
	const head = "name: dev\nregion: eu-west-1\n"
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"empty", "", []string{`1:1: the file is empty; write at least name and region`}},
		{"comments only", "# later\n", []string{`1:1: the file is empty; write at least name and region`}},
		{"a list", "- name: dev\n", []string{`1:1: not a mapping; write keys and values such as name: dev`}},
		{"a directive", "%YAML 1.2\n---\n" + head, []string{`1:1: not a mapping; write keys and values such as name: dev`}},
		{"not YAML", head + "origins: [\n", []string{`3:10: not YAML: sequence end token ']' not found`}},
		{"two documents", head + "---\nname: prod\n", []string{`3:1: a second document; give each stage a file of its own`}},
		{"two documents and more", "region: eu-west-1\nlifetime: 15m\n---\n", []string{
			`2:1: unknown key "lifetime"; the keys are name, region, account, origins, callbacks, logouts, mobileCallbacks, selfSignUp, tokenLifetime, refreshTokenLifetime, retain, throttle, logRetention, domain`,
			`1:1: no name; it is required`,
			`3:1: a second document; give each stage a file of its own`}},
		{"nothing required", "origins: []\n", []string{
			`1:1: no name; it is required`,
			`1:1: no region; it is required`}},
		{"all problems at once", "# a comment\nname: dev\nRegion: eu-west-1\nregion: Ireland\naccount: 1234\ntokenLifetime: 2m\norigin: x\n", []string{
			`3:1: unknown key "Region"; the keys are name, region, account, origins, callbacks, logouts, mobileCallbacks, selfSignUp, tokenLifetime, refreshTokenLifetime, retain, throttle, logRetention, domain`,
			`4:9: region "Ireland" is no AWS Region; write one such as eu-west-1`,
			`5:10: account "1234" is no AWS account; write its 12 digits, or remove the key to use the account of whoever deploys`,
			`6:16: tokenLifetime 2m is outside what Cognito takes; write 5m to 24h`,
			`7:1: unknown key "origin"; the keys are name, region, account, origins, callbacks, logouts, mobileCallbacks, selfSignUp, tokenLifetime, refreshTokenLifetime, retain, throttle, logRetention, domain`}},
		{"duplicate keys", head + "region: eu-west-2\n", []string{`3:1: region is set twice, first in line 2; keep one`}},
		{"keys without a value", "name:\nregion: eu-west-1\norigins: ~\n", []string{
			`1:1: name has no value; write one or remove the key`,
			`3:1: origins has no value; write one or remove the key`}},
		{"wrong types", "name: 5\nregion: [eu-west-1]\naccount: 12.5\norigins: https://shop.example.com\ntokenLifetime: 15\n", []string{
			`1:7: name takes text such as dev, not a value of type integer`,
			`2:9: region takes text such as eu-west-1, not a value of type sequence`,
			`3:10: account takes text such as "123456789012", not a value of type float`,
			`4:10: origins is not a list; write [https://shop.example.com]`,
			`5:16: tokenLifetime takes text such as 15m, not a value of type integer`}},
		{"indirections", "name: &n dev\nregion: !!str eu-west-1\ntokenLifetime: *n\n<<: *n\n", []string{
			`1:7: name takes text such as dev, not a value of type anchor`,
			`2:9: region takes text such as eu-west-1, not a value of type tag`,
			`3:16: tokenLifetime takes text such as 15m, not a value of type alias`,
			`4:1: unknown key "<<"; the keys are name, region, account, origins, callbacks, logouts, mobileCallbacks, selfSignUp, tokenLifetime, refreshTokenLifetime, retain, throttle, logRetention, domain`}},
		{"another file's name", "name: prod\nregion: eu-west-1\n", []string{`1:7: name "prod" differs from the file's name; write "dev" or rename the file to prod.yaml`}},
		{"no stage name", "name: 'dev stage'\nregion: eu-west-1\n", []string{`1:7: name "dev stage" is no stage name; write a letter, then up to 63 letters, digits and hyphens`}},
		{"a lifetime without a unit", head + "tokenLifetime: '15'\n", []string{`3:16: tokenLifetime "15" is no duration; write a number with its unit, such as 15m`}},
		{"a lifetime over a day", head + "tokenLifetime: 24h1m\n", []string{`3:16: tokenLifetime 24h1m is outside what Cognito takes; write 5m to 24h`}},
		{"a negative lifetime", head + "tokenLifetime: -15m\n", []string{`3:16: tokenLifetime -15m is outside what Cognito takes; write 5m to 24h`}},
		{"a lifetime with seconds", head + "tokenLifetime: 15m30s\n", []string{`3:16: tokenLifetime 15m30s is not in whole minutes; write one such as 15m`}},
		{"a session shorter than Cognito takes", head + "refreshTokenLifetime: 59m\n", []string{`3:23: refreshTokenLifetime 59m is outside what Cognito takes; write 60m to 87600h`}},
		{"a session of more than ten years", head + "refreshTokenLifetime: 87601h\n", []string{`3:23: refreshTokenLifetime 87601h is outside what Cognito takes; write 60m to 87600h`}},
		{"a session in days", head + "refreshTokenLifetime: 30d\n", []string{`3:23: refreshTokenLifetime "30d" is no duration; write a number with its unit, such as 12h`}},
		{"a session shorter than a token", head + "refreshTokenLifetime: 2h\ntokenLifetime: 2h1m\n", []string{
			`3:1: refreshTokenLifetime is shorter than the tokenLifetime, which Cognito refuses; write 3h or more`}},
		{"two origins", head + "origins:\n  - https://a.example\n  - https://b.example/\n", []string{
			`5:5: origins[1] "https://b.example/" is never sent by a browser; write https://b.example`}},
		{"an origin twice", head + "origins: [https://a.example, https://a.example]\n", []string{`3:30: origins[1] "https://a.example" stands there twice; keep one`}},
		{"an origin of the wrong type", head + "origins: [80]\n", []string{`3:11: origins[0] takes text such as https://shop.example.com, not a value of type integer`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "dev.yaml", tt.yaml)
			got, err := Read(file)
			wantProblems(t, err, filepath.ToSlash(file)+":", tt.want)
			if !reflect.DeepEqual(got, Stage{}) {
				t.Errorf("a broken file gave %+v", got)
			}
		})
	}
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	stage := func(name string) string { return "name: " + name + "\nregion: eu-west-1\n" }
	tests := []struct {
		name  string
		files map[string]string
		want  []string // stage names
		fails []string // problems, without the folder
	}{
		{name: "sorted by name, other files left alone",
			files: map[string]string{"dev.yaml": stage("dev"), "dev-eu.yaml": stage("dev-eu"), "README.md": "x", ".dev.yaml": "x", "schema.json": "{}"},
			want:  []string{"dev", "dev-eu"}},
		{name: "empty", fails: []string{": no stage file in it; write one such as /dev.yaml"}},
		{name: "the problems of all files",
			files: map[string]string{"a.yaml": "", "b.yaml": stage("a"), "c.yml": stage("c"), "d.yaml": stage("d")},
			fails: []string{
				"/a.yaml:1:1: the file is empty; write at least name and region",
				`/b.yaml:1:7: name "a" differs from the file's name; write "b" or rename the file to a.yaml`,
				"/c.yml: not read, because stage files end in .yaml; rename it"}},
		{name: "names that differ in case only",
			files: map[string]string{"Dev.yaml": stage("Dev"), "dev.yaml": stage("dev")},
			fails: []string{"/dev.yaml: differs from /Dev.yaml in case only; rename one"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) < len(tt.files) {
				t.Skip("this file system does not tell upper case from lower case")
			}
			stages, err := ReadDir(dir)
			wantProblems(t, err, dir, tt.fails)
			var names []string
			for _, stage := range stages {
				names = append(names, stage.Name)
			}
			if !reflect.DeepEqual(names, tt.want) {
				t.Errorf("got the stages %v, want %v", names, tt.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "stages")
	if _, err := ReadDir(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing directory gave: %v", err)
	}
	file := filepath.Join(missing, "dev.yaml")
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a missing file gave: %v", err)
	}
}

// FuzzRead looks for a file that makes the parser or the reader panic, and for
// a reading that is neither an error nor a usable stage.
func FuzzRead(f *testing.F) {
	f.Add([]byte("name: dev\nregion: eu-west-1\norigins: [https://a.example]\ntokenLifetime: 15m\n"))
	f.Add([]byte("? a\n: [b, {c: *d}]\n---\n...\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader("stages/dev.yaml")
		r.read(data)
		if len(r.Problems) == 0 && (r.stage.Name != "dev" || r.stage.Region == "" || r.stage.TokenLifetime < minTokenLifetime || r.stage.RefreshTokenLifetime < r.stage.TokenLifetime || r.stage.Domain != nil && r.stage.Account == "") {
			t.Errorf("%q was read as %+v", data, r.stage)
		}
	})
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// wantProblems compares an error's lines, without the prefix wherever it
// stands, with the wanted ones.
func wantProblems(t *testing.T, err error, prefix string, want []string) {
	t.Helper()
	var got string
	if err != nil {
		got = strings.ReplaceAll(err.Error(), prefix, "")
	}
	if wanted := strings.Join(want, "\n"); got != wanted {
		t.Errorf("got\n%s\nwant\n%s", got, wanted)
	}
}
