// Package archtest holds the rules about who may import whom. Test files are
// exempt. Each generated awscdk package starts a Node process from its init: a
// Lambda function or a command that imports one pays for it at every start.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gatewright/gatewright"

// rule bounds what the packages under a prefix may reach, directly and through
// others.
type rule struct {
	packages string // import path below the module; "" is the app itself
	// direct bounds the module's own packages that may be imported directly;
	// nil leaves them open.
	direct []string
	// outside bounds modules beyond the standard library; nil leaves them open.
	outside []string
	// never may not be reached, not even through others.
	never []string
	why   string
}

const (
	awscdk    = "github.com/aws/aws-cdk-go"
	jsii      = "github.com/aws/jsii-runtime-go"
	sdk       = "github.com/aws/aws-sdk-go-v2"
	lambdaGo  = "github.com/aws/aws-lambda-go"
	construct = "github.com/aws/constructs-go"
)

var none = []string{}

var rules = []rule{
	{"access", []string{"internal/apispec", "internal/authconfig"}, none, []string{awscdk, jsii, sdk}, "rules are plain data that everything reads"},
	{"internal/apispec", []string{"access", "internal/authconfig"}, none, []string{awscdk, jsii, sdk}, "the document is pure, and so testable in milliseconds"},
	{"internal/gobuild", none, none, []string{awscdk, jsii, sdk}, "constructs and the local runtime build functions the same way"},
	{"internal/authn", none, none, nil, "what decides about tokens is read in one sitting and has no supply chain"},
	{"internal/customers", []string{"internal/authn"}, []string{sdk, "github.com/aws/smithy-go"}, []string{awscdk, jsii, sdk + "/config"}, "the authorizer and the command read the same records"},
	{"caller", []string{"access"}, []string{lambdaGo + "/events"}, []string{awscdk, jsii, sdk}, "every handler carries it"},
	{"lambdas/", []string{"internal/authn", "internal/authconfig", "internal/customers", "caller"}, []string{lambdaGo, sdk}, []string{awscdk, jsii}, "a Lambda function starts in milliseconds"},
	{"internal/assembly", nil, nil, []string{awscdk, jsii, module + "/constructs"}, "a command starts no Node process"},
	{"internal/audit", nil, nil, []string{awscdk, jsii, module + "/constructs", module + "/internal/local"}, "a rule is a pure function of what is deployed"},
	{"internal/iam", nil, nil, []string{awscdk, jsii, module + "/constructs"}, "a command starts no Node process"},
	{"internal/report", []string{"internal/assembly", "internal/iam"}, none, []string{awscdk, jsii, module + "/internal/local"}, "the matrix is pure, and so testable in milliseconds"},
	{"internal/local", nil, nil, []string{awscdk, jsii, module + "/constructs", module + "/stacks"}, "the runtime knows the template and nothing else"},
	{"internal/stagefile", nil, nil, []string{awscdk, jsii, module + "/constructs", module + "/internal/local"}, "the app and the command read the same stages"},
	{"internal/synth", nil, nil, []string{awscdk, jsii, module + "/constructs"}, "a command starts no Node process"},
	{"cmd/", nil, nil, []string{awscdk, jsii, module + "/constructs", module + "/stacks"}, "a command starts no Node process"},
	{"constructs/", []string{"access", "internal/apispec", "internal/authconfig", "internal/gobuild", "constructs/"}, []string{awscdk, jsii, construct}, []string{module + "/lambdas", module + "/stacks", module + "/internal/local"}, "other apps import them"},
	{"stacks", []string{"constructs/", "access", "internal/stagefile"}, nil, []string{module + "/internal/local", module + "/internal/audit"}, "what is deployed does not depend on how it is served or checked"},
	{"", []string{"stacks", "internal/stagefile", "internal/assembly", "internal/audit"}, nil, []string{module + "/internal/local"}, "the app declares"},
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

// list returns the module's packages, and whether any package is of the
// standard library.
func list(t *testing.T) (own []listed, standard func(string) bool) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	std := map[string]bool{"C": true}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		std[p.ImportPath] = p.Standard
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			own = append(own, p)
		}
	}
	return own, func(path string) bool { return std[path] }
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages, standard := list(t)
	if len(packages) < 15 {
		t.Fatalf("only %d packages", len(packages))
	}
	for _, r := range rules {
		matched := 0
		for _, p := range packages {
			if r.covers(p.ImportPath) {
				matched++
				for _, broken := range r.check(p, standard) {
					t.Errorf("%s: %s (%s)", p.ImportPath, broken, r.why)
				}
			}
		}
		if matched == 0 {
			t.Errorf("no package is covered by the rule for %q", r.packages)
		}
	}
}

func (r rule) covers(path string) bool {
	below := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	return below == r.packages || r.packages != "" && strings.HasPrefix(below, strings.TrimSuffix(r.packages, "/")+"/")
}

func (r rule) check(p listed, standard func(string) bool) []string {
	var broken []string
	for _, path := range p.Deps {
		for _, banned := range r.never {
			if within(path, banned) {
				broken = append(broken, "reaches "+path)
			}
		}
	}
	for _, path := range p.Imports {
		switch below, own := strings.CutPrefix(path, module+"/"); {
		case own:
			if r.direct != nil && !r.covers(path) && !slices.ContainsFunc(r.direct, func(allowed string) bool { return within(below, allowed) }) {
				broken = append(broken, "imports "+path)
			}
		case !standard(path):
			if r.outside != nil && !slices.ContainsFunc(r.outside, func(allowed string) bool { return within(path, allowed) }) {
				broken = append(broken, "imports "+path)
			}
		}
	}
	return broken
}

func within(path, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// The rules themselves find what they are there to find.
func TestRulesCatchOffenders(t *testing.T) {
	t.Parallel()
	standard := func(path string) bool { return !strings.Contains(path, ".") }
	tests := []struct {
		p    listed
		want string
	}{
		{listed{ImportPath: module + "/lambdas/x", Deps: []string{awscdk + "/awscdk/v2"}}, "reaches " + awscdk + "/awscdk/v2"},
		{listed{ImportPath: module + "/internal/authn", Imports: []string{"github.com/golang-jwt/jwt/v5"}}, "imports github.com/golang-jwt/jwt/v5"},
		{listed{ImportPath: module + "/internal/authn", Imports: []string{module + "/caller"}}, "imports " + module + "/caller"},
		{listed{ImportPath: module + "/constructs/x", Imports: []string{module + "/lambdas/y"}}, "imports " + module + "/lambdas/y"},
		{listed{ImportPath: module + "/constructs/x", Imports: []string{"os", module + "/constructs/y"}}, ""},
		{listed{ImportPath: module, Imports: []string{module + "/internal/local"}}, "imports " + module + "/internal/local"},
	}
	for _, tt := range tests {
		var got []string
		for _, r := range rules {
			if r.covers(tt.p.ImportPath) {
				got = append(got, r.check(tt.p, standard)...)
			}
		}
		if joined := strings.Join(got, "; "); !strings.Contains(joined, tt.want) || tt.want == "" && joined != "" {
			t.Errorf("%s: got %q, want %q", tt.p.ImportPath, joined, tt.want)
		}
	}
}

var environment = regexp.MustCompile(`os\.(Getenv|LookupEnv|Environ)`)

// A construct takes its configuration from its props, never from the machine.
func TestConstructsReadNoEnvironment(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"../../constructs", "../../stacks"} {
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			source, err := os.ReadFile(filepath.Join(folder, path))
			if found := environment.Find(source); found != nil {
				t.Errorf("%s/%s: %s", folder, path, found)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
