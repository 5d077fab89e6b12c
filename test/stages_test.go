package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/constructs/restapi"
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

func aStage() stagefile.Stage {
	return stagefile.Stage{
		Name: "test", Region: "eu-west-1", Account: "111122223333", Origins: []string{"https://shop.example.com"},
		TokenLifetime: 15 * time.Minute, Retain: true, LogRetentionDays: 30,
	}
}

// The lifetimes of a stage file, the longest too, hold for every client.
func TestStageLifetimes(t *testing.T) {
	s := aStage()
	s.TokenLifetime, s.RefreshTokenLifetime = 24*time.Hour, 48*time.Hour
	s.Callbacks = []string{"https://shop.example.com/callback"}
	for _, client := range ofType(stackOf(t, stageTemplates(t, s, asDeclared), "Identity"), "AWS::Cognito::UserPoolClient") {
		p, refresh := client["Properties"].(object), "null"
		if p["ClientName"] == "website" {
			refresh = "2880"
		}
		if access := text(t, p["AccessTokenValidity"]); access != "1440" || text(t, p["RefreshTokenValidity"]) != refresh {
			t.Errorf("%v: access tokens are good for %s minutes, refresh tokens for %v", p["ClientName"], access, p["RefreshTokenValidity"])
		}
	}
}

// stageTemplates synthesizes one stage after change was let loose on it.
func stageTemplates(t *testing.T, s stagefile.Stage, change func(awscdk.Stage)) map[string]object {
	t.Helper()
	app := newApp(t)
	change(stacks.New(app, s))
	return synth(t, app)
}

func asDeclared(awscdk.Stage) {}

// stackOf returns the template whose name holds the stack's id.
func stackOf(t *testing.T, templates map[string]object, id string) object {
	t.Helper()
	for name, template := range templates {
		if strings.Contains(name, id) {
			return template
		}
	}
	t.Fatalf("no stack %s", id)
	return nil
}

func TestStageRetention(t *testing.T) {
	for retain, want := range map[bool]string{true: "Retain", false: "Delete"} {
		s := aStage()
		s.Retain, s.LogRetentionDays = retain, 5
		templates := stageTemplates(t, s, asDeclared)
		for name, template := range templates {
			for id, r := range template["Resources"].(object) {
				resource := r.(object)
				switch resource["Type"] {
				case "AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable":
					if resource["DeletionPolicy"] != want {
						t.Errorf("retain %v: %s has the deletion policy %v", retain, id, resource["DeletionPolicy"])
					}
				case "AWS::Logs::LogGroup":
					if days := resource["Properties"].(object)["RetentionInDays"]; days != 5.0 {
						t.Errorf("%s: the log %s is kept for %v days", name, id, days)
					}
				}
			}
		}
	}
}

// CDK's names for numbers of days mean those numbers.
func TestLogRetention(t *testing.T) {
	app := newApp(t)
	for _, days := range []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653} {
		s := aStage()
		s.Name, s.LogRetentionDays = fmt.Sprintf("kept%d", days), days
		var log constructs.IConstruct = stacks.New(app, s)
		for _, id := range []string{"Api", "Status", "Log", "Resource"} {
			log = log.Node().FindChild(jsii.String(id))
		}
		if got := *log.(awslogs.CfnLogGroup).RetentionInDays(); got != float64(days) {
			t.Errorf("%d days are %v", days, got)
		}
	}
	s := aStage()
	s.LogRetentionDays = 31
	if got := problem(t, func(stack awscdk.Stack) { stacks.New(awscdk.App_Of(stack), s) }); !strings.Contains(got, "logs cannot be kept for 31 days") {
		t.Errorf("31 days: %q", got)
	}
}

// What `cdk ls` lists, and where each stack goes.
func TestStageNames(t *testing.T) {
	app := newApp(t)
	for _, s := range stages(t) {
		stacks.New(app, s)
	}
	var got []string
	for _, nested := range *app.Synth(nil).NestedAssemblies() {
		for _, stack := range *nested.NestedAssembly().Stacks() {
			got = append(got, *stack.DisplayName()+" "+*stack.Environment().Account+" "+*stack.Environment().Region)
		}
	}
	slices.Sort(got)
	want := []string{
		"dev/Api (dev-Api) unknown-account eu-west-1", "dev/Identity (dev-Identity) unknown-account eu-west-1",
		"prod/Api (prod-Api) 111122223333 eu-central-1", "prod/Identity (prod-Identity) 111122223333 eu-central-1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What the schema of stage files says of a throttle that is left out is what the
// API then has.
func TestThrottleDefaults(t *testing.T) {
	type property struct {
		Description string
		Default     any
		Properties  map[string]property
	}
	var schema property
	if err := json.Unmarshal(readFile(t, "../stages/stage.schema.json"), &schema); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{"rate": restapi.DefaultRateLimit, "burst": restapi.DefaultBurstLimit} {
		said := schema.Properties["throttle"].Properties[key]
		if said.Default != want || !strings.HasSuffix(said.Description, fmt.Sprintf(" Default: %g.", want)) {
			t.Errorf("throttle.%s is %g by default; the schema says %v, %q", key, want, said.Default, said.Description)
		}
	}
	api := stackOf(t, stageTemplates(t, aStage(), asDeclared), "Api")
	for _, setting := range only(t, api, "AWS::ApiGateway::Stage")["MethodSettings"].([]any) {
		s := setting.(object)
		if s["ThrottlingRateLimit"] != float64(restapi.DefaultRateLimit) || s["ThrottlingBurstLimit"] != float64(restapi.DefaultBurstLimit) {
			t.Errorf("a stage without a throttle has %s", text(t, s))
		}
	}
}

// Stacks are deployed in order, Identity first, and no reference keeps one of
// them from being changed: no template, before or after a change, exports or
// imports, so CloudFormation holds neither back for the other's sake; and all
// that the new Api reads of Identity is there once the new Identity is deployed.
func TestNoExportLocks(t *testing.T) {
	find := func(scope constructs.IConstruct, path ...string) constructs.IConstruct {
		for _, id := range path {
			scope = scope.Node().FindChild(jsii.String(id))
		}
		return scope
	}
	before := outputsRead(t, stackOf(t, stageTemplates(t, aStage(), asDeclared), "Api"))
	for name, change := range map[string]func(awscdk.Stage){
		"nothing changed": asDeclared,
		"a function renamed": func(stage awscdk.Stage) {
			find(stage, "Api", "Status", "Function", "Resource").(awslambda.CfnFunction).SetFunctionName(jsii.String("renamed"))
		},
		"a client replaced": func(stage awscdk.Stage) {
			for _, c := range *find(stage, "Identity", "Users").Node().FindAll(constructs.ConstructOrder_PREORDER) {
				if client, ok := c.(awscognito.CfnUserPoolClient); ok {
					client.OverrideLogicalId(jsii.String("Replaced" + *client.Node().Addr()))
				}
			}
		},
		"the pool replaced": func(stage awscdk.Stage) {
			find(stage, "Identity", "Users", "Pool", "Resource").(awscognito.CfnUserPool).OverrideLogicalId(jsii.String("Replaced"))
		},
	} {
		templates := stageTemplates(t, aStage(), change)
		identity, api := stackOf(t, templates, "Identity"), stackOf(t, templates, "Api")
		for id, template := range templates {
			if all := text(t, template); strings.Contains(all, "Fn::ImportValue") || strings.Contains(all, `"Export"`) {
				t.Errorf("%s: %s is locked by an export", name, id)
			}
		}
		if strings.Contains(text(t, identity), "Fn::GetStackOutput") {
			t.Errorf("%s: Identity needs another stack first", name)
		}
		read := outputsRead(t, api)
		if len(read) == 0 {
			t.Errorf("%s: Api reads nothing of Identity", name)
		}
		// Where nothing is replaced that Api reads, the Api that is deployed can be
		// deployed again meanwhile.
		if !strings.HasSuffix(name, "replaced") {
			read = append(read, before...)
		}
		for _, output := range read {
			if identity["Outputs"].(object)[output] == nil {
				t.Errorf("%s: Api reads %s, which Identity does not say", name, output)
			}
		}
	}
}

// outputsRead are the outputs of Identity that a template reads.
func outputsRead(t *testing.T, api object) []string {
	t.Helper()
	var names []string
	walk(api, func(key string, value any) {
		if key != "Fn::GetStackOutput" {
			return
		}
		reference := value.(object)
		output, ok := reference["OutputName"].(string)
		if !ok || reference["StackName"] != "test-Identity" {
			t.Errorf("Api reads %s", text(t, value))
		}
		names = append(names, output)
	})
	return names
}

func walk(value any, visit func(key string, value any)) {
	switch v := value.(type) {
	case object:
		for key, member := range v {
			visit(key, member)
			walk(member, visit)
		}
	case []any:
		for _, member := range v {
			walk(member, visit)
		}
	}
}

// A stage with a domain needs no look-up and no credentials, and the local
// runtime understands its template.
func TestStageDomain(t *testing.T) {
	s := aStage()
	s.Domain = &stagefile.Domain{Zone: "example.com", ZoneID: "Z0123456789ABCDEFGHIJ", API: "api.example.com"}
	app := newApp(t)
	stacks.New(app, s)
	templates := synth(t, app)
	api := stackOf(t, templates, "Api")
	if n := len(ofType(api, "AWS::Route53::RecordSet")); n != 2 {
		t.Errorf("%d records", n)
	}
	if got := text(t, api["Outputs"].(object)[stacks.OutputName]); !strings.Contains(got, `https://api.example.com/\"`) || strings.Contains(got, ".execute-api.") {
		t.Errorf("the stage's output is %s", got)
	}
	a, err := assembly.Load(*app.Outdir())
	if err != nil {
		t.Fatal(err)
	}
	model, err := a.Model("test", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := model.RestAPIs[0]; !got.ExecuteAPIDisabled {
		t.Errorf("the model's API is %+v", got)
	}
	logging, err := a.LoggingStages("test")
	if err != nil || len(logging) != 1 || logging[0].Region != "eu-west-1" || logging[0].Account != "111122223333" {
		t.Errorf("stages with logs: %+v, %v", logging, err)
	}
}

// One stage alone declares nothing of the others, so their look-ups stay undone.
func TestOneStageLooksUpNothingElse(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"dev.yaml":  "name: dev\nregion: eu-west-1\n",
		"prod.yaml": "name: prod\nregion: eu-west-1\naccount: '111122223333'\ndomain: {zone: example.com, api: api.example.com}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	missing := func(stages ...stagefile.Stage) int {
		app := newApp(t)
		for _, s := range stages {
			stacks.New(app, s)
		}
		count := 0
		for _, nested := range *app.Synth(nil).NestedAssemblies() {
			if asked := nested.NestedAssembly().Manifest().Missing; asked != nil {
				count += len(*asked)
			}
		}
		return count
	}
	dev, err := stagefile.ReadStage(dir, "dev")
	if err != nil {
		t.Fatal(err)
	}
	all, err := stagefile.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := missing(dev); n != 0 {
		t.Errorf("dev alone asks for %d look-ups", n)
	}
	if n := missing(all...); n != 1 {
		t.Errorf("all stages ask for %d look-ups, want prod's", n)
	}
}

// The app declares what the context of the CDK CLI asks for.
func TestApp(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tests := []struct {
		name    string
		context object
		want    string // ids of what is declared, or what the app says
	}{
		{"all stages", object{}, "assembly-dev assembly-prod"},
		{"one stage", object{"stage": "dev"}, "assembly-dev"},
		{"an account", object{"account-of": "prod"}, "Account"},
		{"an unknown stage", object{"stage": "test"}, `no stage "test": stages/test.yaml does not exist`},
		{"a path", object{"stage": "../stages/dev"}, `"../stages/dev" is no stage name; write the name of a file in stages without .yaml`},
		{"no name", object{"stage": ""}, `"" is no stage name; write the name of a file in stages without .yaml`},
		{"an unknown account", object{"account-of": "test"}, `context account-of: no stage "test": stages/test.yaml does not exist`},
		{"both", object{"stage": "dev", "account-of": "dev"}, "the context has both stage and account-of; the role belongs to no stage, so give one of them"},
		{"no text", object{"stage": 5}, "context stage is 5; write the name of a stage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// jsii may remark something, but never on the app's own line.
			if got := runApp(t, binary, tt.context); !slices.Contains(strings.Split(got, "\n"), tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// runApp runs the app as the CDK CLI does and returns the ids of what it
// declared, or all that it said when it failed.
func runApp(t *testing.T, binary string, context object) string {
	t.Helper()
	context["aws:cdk:bundling-stacks"] = []string{}
	out := t.TempDir()
	cmd := exec.Command(binary)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+text(t, context))
	if said, err := cmd.CombinedOutput(); err != nil {
		return string(said)
	}
	data, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Artifacts map[string]struct{ Type string }
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	var declared []string
	for id, artifact := range manifest.Artifacts {
		if artifact.Type == "aws:cloudformation:stack" || artifact.Type == "cdk:cloud-assembly" {
			declared = append(declared, id)
		}
	}
	slices.Sort(declared)
	return strings.Join(declared, " ")
}

// The account's stack is the same for all stages of an account and Region, and
// stays out of theirs.
func TestAccountStack(t *testing.T) {
	app := newApp(t)
	stack := stacks.NewAccount(app, aStage())
	if *stack.StackName() != "Gatewright-Account" || *stack.Account() != "111122223333" || *stack.Region() != "eu-west-1" {
		t.Errorf("stack %s in %s, %s", *stack.StackName(), *stack.Account(), *stack.Region())
	}
	template := synth(t, app)["Account"]
	only(t, template, "AWS::ApiGateway::Account")
	for id, r := range template["Resources"].(object) {
		if r.(object)["DeletionPolicy"] != "Retain" {
			t.Errorf("%s is deleted with the stack", id)
		}
	}
	for name, template := range stageTemplates(t, aStage(), asDeclared) {
		if len(ofType(template, "AWS::ApiGateway::Account")) != 0 {
			t.Errorf("%s sets the account's role as a side effect", name)
		}
	}
}
