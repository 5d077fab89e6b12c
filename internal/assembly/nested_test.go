package assembly_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const outerStack = `{
	"Parameters": {"Open": {"Type": "String"}},
	"Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
	"Resources": {
		"Inner": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:cdk:path": "App/Inner.NestedStack/Inner.NestedStackResource", "aws:asset:path": "inner.json"},
			"Properties": {"TemplateURL": {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/assets/abc.json"]]},
				"Parameters": {"Name": {"Fn::Sub": "${AWS::StackName}-orders"}, "Tags": "a,b", "Passed": {"Ref": "Open"}, "Hidden": "planted-secret", "Left": {"Ref": "AWS::NoValue"}}}},
		"Off": {"Type": "AWS::CloudFormation::Stack", "Condition": "No", "Properties": {"TemplateURL": "https://s3/assets/abc.json"}},
		"V": {"Type": "Custom::Value", "Properties": {
			"Arn": {"Fn::GetAtt": ["Inner", "Outputs.Arn"]}, "Deep": {"Fn::GetAtt": "Inner.Outputs.Deep"}, "Id": {"Ref": "Inner"},
			"Wrong": {"Fn::GetAtt": ["Inner", "Outputs.Wrong"]}}}}}`

const innerStack = `{
	"Parameters": {"Name": {"Type": "String"}, "Tags": {"Type": "CommaDelimitedList"}, "Passed": {"Type": "String", "Default": "not passed"},
		"Hidden": {"Type": "String", "NoEcho": "true"}, "Left": {"Type": "String", "Default": "left out"}},
	"Resources": {
		"Fn": {"Type": "AWS::Lambda::Function", "Metadata": {"aws:cdk:path": "App/Inner/Fn/Resource"}, "Properties": {"FunctionName": {"Ref": "Name"}, "Role": "r"}},
		"Innermost": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./innermost.yaml", "Parameters": {"Passed": {"Ref": "Passed"}}}},
		"W": {"Type": "Custom::Value", "Properties": {"Tags": {"Ref": "Tags"}, "Passed": {"Ref": "Passed"}, "Hidden": {"Ref": "Hidden"}, "Left": {"Ref": "Left"}}}},
	"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Fn", "Arn"]}}, "Deep": {"Value": {"Fn::GetAtt": ["Innermost", "Outputs.Name"]}}}}`

const innermostStack = `
Parameters: {Passed: {Type: String}}
Resources:
  X: {Type: "Custom::Value", Properties: {Passed: !Ref Passed}}
Outputs:
  Name: {Value: !Ref AWS::StackName}
`

// writeNested puts an assembly with one stack and its nested ones into a folder.
func writeNested(t *testing.T, outer string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "manifest.json"), `{"artifacts": {
		"Outer": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1", "displayName": "App", "dependencies": ["Outer.assets"], "properties": {"templateFile": "Outer.template.json"}},
		"Outer.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Outer.assets.json"}}}}`)
	put(t, filepath.Join(dir, "Outer.assets.json"), `{"files": {"abc": {"source": {"path": "inner.json"}, "destinations": {"d": {"objectKey": "abc.json"}}}}}`)
	put(t, filepath.Join(dir, "Outer.template.json"), outer)
	put(t, filepath.Join(dir, "inner.json"), innerStack)
	put(t, filepath.Join(dir, "innermost.yaml"), innermostStack)
	return dir
}

func TestNestedStacks(t *testing.T) {
	t.Parallel()
	m, err := model(t, writeNested(t, outerStack), "")
	if err != nil {
		t.Fatal(err)
	}
	properties := map[string]map[string]any{}
	places := map[string]assembly.Place{}
	for _, r := range m.Resources {
		properties[r.LogicalID], places[r.LogicalID] = r.Properties, r.Place
	}
	v, w, x := properties["V"], properties["W"], properties["X"]
	if v["Arn"] != "arn:aws:lambda:eu-west-1:111122223333:function:Outer-orders" || m.Functions[0].ARN != v["Arn"] {
		t.Errorf("the output is %v, the function %+v", v["Arn"], m.Functions[0])
	}
	id, _ := v["Id"].(string)
	if name, _ := v["Deep"].(string); !strings.HasPrefix(name, "Outer-Inner-") || !strings.Contains(name, "-Innermost-") || !strings.Contains(id, ":stack/Outer-Inner-") {
		t.Errorf("the innermost stack is named %v, the inner one's id is %v", v["Deep"], v["Id"])
	}
	if u, _ := v["Wrong"].(assembly.Unknown); u.Reason != `stack App/Inner has no output "Wrong"` {
		t.Errorf("a wrong output is %+v", v["Wrong"])
	}
	if !reflect.DeepEqual(w["Tags"], []any{"a", "b"}) || w["Left"] != "left out" {
		t.Errorf("passed %v", w)
	}
	// A default does not hold for what is passed and unknown.
	for _, passed := range []any{w["Passed"], x["Passed"]} {
		if u, _ := passed.(assembly.Unknown); u.At != "App/Inner.NestedStack/Inner.NestedStackResource.Parameters.Passed" || u.Reason != "parameter Open has no default" {
			t.Errorf("passed %+v", passed)
		}
	}
	if u, _ := w["Hidden"].(assembly.Unknown); !u.Secret || strings.Contains(u.Reason, "planted") {
		t.Errorf("the secret is %+v", w["Hidden"])
	}
	want := map[string]assembly.Place{
		"Fn": {Stack: "Outer/Inner", LogicalID: "Fn", Path: "App/Inner/Fn/Resource"},
		"W":  {Stack: "Outer/Inner", LogicalID: "W", Path: "App/Inner/W"},
		"X":  {Stack: "Outer/Inner/Innermost", LogicalID: "X", Path: "App/Inner/Innermost/X"},
	}
	for id, place := range want {
		if places[id] != place {
			t.Errorf("%s is at %+v, want %+v", id, places[id], place)
		}
	}
	if m.Outputs["Outer/Inner"]["Arn"] != v["Arn"] || len(m.Resources) != 6 {
		t.Errorf("%d resources, outputs %v", len(m.Resources), m.Outputs)
	}
}

// A stack may hold what closes an API: one that is missing stops the stage.
func TestMissingNestedStack(t *testing.T) {
	t.Parallel()
	missing := strings.Replace(outerStack, `"V": {`, `"Far": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3/other/x.json"}},
		"Z": {"Type": "Custom::Value", "Properties": {"Far": {"Fn::GetAtt": ["Far", "Outputs.X"]}}}, "V": {`, 1)
	_, err := model(t, writeNested(t, missing), "")
	if err == nil || !strings.Contains(err.Error(), "App/Far: the template of the nested stack is not in the assembly") {
		t.Errorf("got %v", err)
	}
	whole := strings.Replace(outerStack, `"Parameters": {"Name"`, `"Parameters": {"Fn::If": ["No", {}, {}]}, "Other": {"Name"`, 1)
	m, err := model(t, writeNested(t, whole), "")
	if err == nil || !strings.Contains(err.Error(), "App/Inner.NestedStack/Inner.NestedStackResource.Parameters: passed as a whole by a function is not understood") {
		t.Errorf("got %v, %v", m, err)
	}
}

// A template that nests itself comes to an end.
func TestEndlessNesting(t *testing.T) {
	t.Parallel()
	_, err := lone(t, "self.yaml", "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: self.yaml}}\n  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: self.yaml}}\n")
	if err == nil || !strings.Contains(err.Error(), "more than 200 nested stacks") {
		t.Errorf("got %v", err)
	}
}

// A CDK Stage may stand in another one.
func TestNestedStages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inner := filepath.Join(dir, "assembly-Prod", "assembly-Prod-Inner")
	if err := os.MkdirAll(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	stage := func(name, directory string) string {
		return `{"artifacts": {"` + directory + `": {"type": "cdk:cloud-assembly", "displayName": "` + name + `", "properties": {"directoryName": "` + directory + `"}}`
	}
	const stack = `, "S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.json"}}}}`
	put(t, filepath.Join(dir, "manifest.json"), stage("Prod", "assembly-Prod")+`}}`)
	put(t, filepath.Join(dir, "assembly-Prod", "manifest.json"), stage("Prod/Inner", "assembly-Prod-Inner")+stack)
	put(t, filepath.Join(dir, "assembly-Prod", "S.json"), `{"Resources": {"A": {"Type": "T"}}}`)
	put(t, filepath.Join(inner, "manifest.json"), `{"artifacts": {"none": {"type": "cdk:tree"}`+stack)
	put(t, filepath.Join(inner, "S.json"), `{"Resources": {"B": {"Type": "T"}}}`)
	a, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a.Stages(), []string{"Prod", "Prod/Inner"}) {
		t.Errorf("the stages are %v", a.Stages())
	}
	m, err := model(t, dir, "Prod/Inner")
	if err != nil || m.Resources[0].LogicalID != "B" {
		t.Errorf("got %+v, %v", m, err)
	}
	put(t, filepath.Join(inner, "manifest.json"), stage("x", "../..")+`}}`)
	if _, err := assembly.Load(dir); err == nil || !strings.Contains(err.Error(), "which is not within the folder") {
		t.Errorf("an assembly outside of its folder: %v", err)
	}
}

// Without a choice, the only unit with a REST API is meant; every stack is in
// some unit.
func TestUnits(t *testing.T) {
	t.Parallel()
	dir := write(t, [2]string{"Shared", `{"Resources": {"A": {"Type": "T"}}}`}, [2]string{"Shop", template(withPool(anyPool), `"D": {"Type": "T", "Metadata": {"on": "Shared"}}`)},
		[2]string{"Jobs", `{"Resources": {"B": {"Type": "T", "Metadata": {"on": "Shared"}}}}`}, [2]string{"Lone", `{"Resources": {"C": {"Type": "T"}}}`})
	a, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a.Stages(), []string{"Jobs", "Lone", "Shop"}) {
		t.Errorf("the stages are %v", a.Stages())
	}
	for stage, want := range map[string]string{"": "Shop", "Jobs": "Jobs"} {
		m, err := model(t, dir, stage)
		if err != nil || m.Stage != want || m.Resources[0].Stack == "Lone" {
			t.Errorf("%q: %+v, %v", stage, m, err)
		}
	}
}
