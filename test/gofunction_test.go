package test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/gofunction"
)

const statusPackage = "github.com/gatewright/gatewright/lambdas/status"

func declareFunction(change func(*gofunction.Props)) func(awscdk.Stack) {
	return func(stack awscdk.Stack) {
		p := gofunction.Props{Package: "../lambdas/status"}
		change(&p)
		gofunction.New(stack, "Status", p)
	}
}

func TestGoFunction(t *testing.T) {
	template := declare(t, declareFunction(func(*gofunction.Props) {}))
	function := only(t, template, "AWS::Lambda::Function")
	for name, want := range map[string]string{
		"Architectures": `["arm64"]`,
		"Handler":       `"bootstrap"`,
		"Runtime":       `"provided.al2023"`,
		"MemorySize":    `256`,
		"Timeout":       `10`,
		"Environment":   `null`,
	} {
		if got := text(t, function[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	// The role writes the function's own log and nothing else.
	policy := only(t, template, "AWS::IAM::Policy")
	if got, want := text(t, policy["PolicyDocument"].(object)["Statement"]),
		`[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::GetAtt":["StatusLog0A52AC35","Arn"]}}]`; got != want {
		t.Errorf("the role may %s, want %s", got, want)
	}
	if role := only(t, template, "AWS::IAM::Role"); role["ManagedPolicyArns"] != nil {
		t.Errorf("the role has the managed policies %v", role["ManagedPolicyArns"])
	}
	if got := text(t, only(t, template, "AWS::Logs::LogGroup")["RetentionInDays"]); got != "30" {
		t.Errorf("logs are kept for %s days", got)
	}
	// The metadata names the source, and no path of this machine.
	for _, resource := range ofType(template, "AWS::Lambda::Function") {
		got := text(t, resource["Metadata"].(object)[gofunction.MetadataKey])
		if want := `{"module":"github.com/gatewright/gatewright","package":"` + statusPackage + `","version":""}`; got != want {
			t.Errorf("metadata is %s, want %s", got, want)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text(t, template), root) {
		t.Error("the template names a path of this machine")
	}
}

func TestGoFunctionProblems(t *testing.T) {
	tests := []struct {
		name   string
		change func(*gofunction.Props)
		want   string
	}{
		{"no package", func(p *gofunction.Props) { p.Package = "" }, "Shop/Status: no Package"},
		{"unknown package", func(p *gofunction.Props) { p.Package = "./nowhere" }, "nowhere"},
		{"no main package", func(p *gofunction.Props) { p.Package = "../access" }, "main"},
		{"too little memory", func(p *gofunction.Props) { p.MemoryMB = 64 }, "MemoryMB is 64; Lambda takes 128 to 10240"},
		{"too long", func(p *gofunction.Props) { p.Timeout = time.Hour }, "Timeout is 1h0m0s; Lambda takes whole seconds from 1s to 15m"},
		{"a name with a space", func(p *gofunction.Props) { p.Environment = map[string]string{"1-a b": "x"} }, `Environment "1-a b": no variable's name`},
		{"Lambda's own name", func(p *gofunction.Props) { p.Environment = map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"} }, `Shop/Status: Environment "AWS_LAMBDA_RUNTIME_API"`},
		{"part seconds", func(p *gofunction.Props) { p.Timeout = 1500 * time.Millisecond }, "Timeout is 1.5s"},
		{"long description", func(p *gofunction.Props) { p.Description = strings.Repeat("é", 257) }, "Description has 257 characters; Lambda takes 256"},
		{"a file in another folder", func(p *gofunction.Props) { p.Files = map[string][]byte{"../rates.json": nil} }, `Shop/Status: Files "../rates.json": no name of a file beside the executable`},
		{"a file without a name", func(p *gofunction.Props) { p.Files = map[string][]byte{"": nil} }, `Files "": no name`},
		{"a hidden file", func(p *gofunction.Props) { p.Files = map[string][]byte{".env": nil} }, `Files ".env": no name`},
		{"the executable itself", func(p *gofunction.Props) { p.Files = map[string][]byte{"bootstrap": nil} }, `Files "bootstrap": no name`},
		{"what stands in for it", func(p *gofunction.Props) { p.Files = map[string][]byte{"unbundled": nil} }, `Files "unbundled": no name`},
		{"a long name", func(p *gofunction.Props) { p.Files = map[string][]byte{strings.Repeat("a", 256): nil} }, `a": no name`},
		{"large environment", func(p *gofunction.Props) {
			p.Environment = map[string]string{"NAME": strings.Repeat("v", 4086)} // and {"NAME":""}
		}, "Shop/Status: Environment has 4097 bytes; Lambda takes 4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareFunction(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}

// The largest environment that Lambda takes, beside what is known only when
// the stack is deployed.
func TestGoFunctionLargestEnvironment(t *testing.T) {
	got := problem(t, func(stack awscdk.Stack) {
		declareFunction(func(p *gofunction.Props) {
			p.Description = strings.Repeat("é", 256)
			p.Environment = map[string]string{"NAME": strings.Repeat("&", 4075), "LATE": *stack.StackId()} // and {"LATE":"","NAME":""}
		})(stack)
	})
	if got != "" {
		t.Error(got)
	}
}

// Files stand beside the executable, compiled or not, where anyone may read
// them, and another content is another code.
func TestGoFunctionFiles(t *testing.T) {
	asset := func(content string, context *map[string]any) string {
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false), Context: context})
		files := map[string][]byte{"rates.json": []byte(content)}
		declareFunction(func(p *gofunction.Props) { p.Files = files })(newStack(app, "Shop"))
		clear(files)
		code := only(t, synth(t, app)["Shop"], "AWS::Lambda::Function")["Code"].(object)
		hash := strings.TrimSuffix(code["S3Key"].(string), ".zip")
		file := filepath.Join(*app.Outdir(), "asset."+hash, "rates.json")
		if got := string(readFile(t, file)); got != content {
			t.Errorf("the file holds %q, want %q", got, content)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("the file has the mode %v, %v", info.Mode(), err)
		}
		return hash
	}
	unbundled := &map[string]any{"aws:cdk:bundling-stacks": []string{}}
	first := asset("1", unbundled)
	if again, other := asset("1", unbundled), asset("2", unbundled); again != first || other == first {
		t.Errorf("the assets are %s, again %s, with another file %s", first, again, other)
	}
	asset("1", nil)
}

// What is deployed is a static arm64 binary, and the same one each time.
func TestGoFunctionBuild(t *testing.T) {
	build := func() (asset string, dir string) {
		dir = t.TempDir()
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(dir), AnalyticsReporting: jsii.Bool(false)})
		declareFunction(func(*gofunction.Props) {})(newStack(app, "Shop"))
		code := only(t, synth(t, app)["Shop"], "AWS::Lambda::Function")["Code"].(object)
		return strings.TrimSuffix(code["S3Key"].(string), ".zip"), dir
	}
	first, dir := build()
	binary := filepath.Join(dir, "asset."+first, "bootstrap")
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 {
		t.Errorf("built for %s", file.Machine)
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("linked with %v, %v", libraries, err)
	}
	if info, err := os.Stat(binary); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("bootstrap cannot be executed: %v, %v", info, err)
	}
	if again, _ := build(); again != first {
		t.Errorf("the same sources gave the assets %s and %s", first, again)
	}
}
