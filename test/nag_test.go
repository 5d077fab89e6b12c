package test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/gatewright/gatewright/constructs/usageplan"
	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

// suppression accepts one finding of cdk-nag on one resource of every stage, or
// of the Account stack.
// Suppressions stand here and not in the constructs: an importing app neither
// needs cdk-nag nor inherits what was accepted for the reference stage.
type suppression struct {
	resource string // construct path below the stage, or below the Account stack
	rule     string
	reason   string
}

var suppressions = []suppression{
	{
		"Api/API/API/Resource", "AwsSolutions-APIG2",
		"Validators stand in the OpenAPI body; the rule looks for RequestValidator resources only.",
	},
	{
		"Api/API/API/DeploymentStage.live/Resource", "AwsSolutions-APIG6",
		"Execution logs repeat request headers and bodies. The access log has one line for each request, without credentials.",
	},
	{
		"Identity/Users/Pool/Resource", "AwsSolutions-COG8",
		"The Plus plan is billed for each active user. Essentials has everything the stage uses.",
	},
}

// nagLine is a line of cdk-nag's report: one rule on one resource.
type nagLine struct {
	Compliance, ExceptionReason, ResourceID, RuleID, RuleInfo, RuleLevel string
}

var accountSuppressions = []suppression{
	{
		"APIGateway/Role/Resource", "AwsSolutions-IAM4",
		"API Gateway asks for this managed policy; the role serves nothing else (Set up CloudWatch logging for REST APIs).",
	},
}

// Every stage passes cdk-nag's AWS Solutions pack, or says why it does not;
// so do a stage with a domain and the Account stack.
func TestNag(t *testing.T) {
	onDomain := aStage()
	onDomain.Name, onDomain.Domain = "domain", &stagefile.Domain{Zone: "example.com", ZoneID: "Z0123456789ABCDEFGHIJ", API: "api.example.com"}
	for _, stage := range append(stages(t), onDomain) {
		checkNag(t, func(app awscdk.App) constructs.Construct { return stacks.New(app, stage) }, 10, suppressions)
	}
	checkNag(t, func(app awscdk.App) constructs.Construct { return stacks.NewAccount(app, aStage()) }, 1, accountSuppressions)
}

// So does an app that has what no stage has: API Gateway's own keys on a plan.
func TestNagOfConstructs(t *testing.T) {
	checkNag(t, func(app awscdk.App) constructs.Construct {
		stack := newStack(app, "Shop")
		s := newShop(stack)
		limitOrders(s)
		withKeys(either)(s)
		declarePlan(s, stack, func(*usageplan.Props) {})
		return stack
	}, 10, []suppression{
		{"API/API/Resource", "AwsSolutions-APIG2", suppressions[0].reason},
		{"API/API/DeploymentStage.live/Resource", "AwsSolutions-APIG6", suppressions[1].reason},
		{"Users/Pool/Resource", "AwsSolutions-COG8", suppressions[2].reason},
		{"Everybody/Pool/Resource", "AwsSolutions-COG8", suppressions[2].reason},
	})
}

// checkNag applies the pack to what is declared, which at least so many rules
// are about.
func checkNag(t *testing.T, declare func(awscdk.App) constructs.Construct, rules int, accepted []suppression) {
	t.Helper()
	app := newApp(t)
	declared := declare(app)
	path := *declared.Node().Path()
	awscdk.Aspects_Of(declared).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
		ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
	}), nil)
	for _, s := range accepted {
		s.apply(t, declared)
	}
	lines := nagLines(t, *app.Synth(nil).Directory())
	if len(lines) < rules {
		t.Fatalf("%s: only %d rules were applied", path, len(lines))
	}
	for _, line := range lines {
		if line.RuleLevel == "Error" && line.Compliance != "Compliant" && line.Compliance != "Suppressed" && line.Compliance != "N/A" {
			t.Errorf("%s: %s: %s (%s)", line.ResourceID, line.RuleID, line.RuleInfo, line.Compliance)
		}
	}
	for _, s := range accepted {
		if !slices.ContainsFunc(lines, func(line nagLine) bool {
			return line.Compliance == "Suppressed" && line.RuleID == s.rule && line.ResourceID == path+"/"+s.resource
		}) {
			t.Errorf("%s: the suppression of %s on %s suppresses nothing; remove it", path, s.rule, s.resource)
		}
	}
}

// apply marks the resource within what is declared.
func (s suppression) apply(t *testing.T, declared constructs.Construct) {
	t.Helper()
	var at constructs.IConstruct = declared
	for part := range strings.SplitSeq(s.resource, "/") {
		if at = at.Node().TryFindChild(jsii.String(part)); at == nil {
			t.Fatalf("%s suppresses %s, but there is no such resource", s.resource, s.rule)
		}
	}
	cdknag.NagSuppressions_AddResourceSuppressions(at, &[]*cdknag.NagPackSuppression{
		{Id: jsii.String(s.rule), Reason: jsii.String(s.reason)},
	}, nil)
}

// nagLines reads the reports of an assembly's stacks.
func nagLines(t *testing.T, assembly string) []nagLine {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(assembly, "AwsSolutions-*-NagReport.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("reports %v, %v; want one for each stack", files, err)
	}
	var all []nagLine
	for _, file := range files {
		var report struct{ Lines []nagLine }
		if err := json.Unmarshal(readFile(t, file), &report); err != nil {
			t.Fatal(err)
		}
		all = append(all, report.Lines...)
	}
	return all
}
