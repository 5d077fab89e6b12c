package assembly_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// lone loads a template that stands for itself.
func lone(t *testing.T, name, text string) (*assembly.Assembly, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	put(t, file, text)
	return assembly.Load(file)
}

func loneModel(t *testing.T, name, text string) *assembly.Model {
	t.Helper()
	a, err := lone(t, name, text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const inYAML = `# A comment
AWSTemplateFormatVersion: 2010-09-09
Description: >-
  Two lines
  of text
Parameters:
  Stage: {Type: String, Default: dev}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  Not: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, {Condition: Not}]
  One: !Or
    - !Condition IsDev
    - Condition: Not
Mappings:
  Names:
    dev: {Short: d}
Resources:
  V:
    Type: Custom::Value
    DeletionPolicy: Retain
    UpdateReplacePolicy: Snapshot
    Metadata: {Owner: shop}
    Properties:
      Date: 2012-10-17
      Time: 2001-12-14T21:59:43Z
      Octal: 0123
      Hexadecimal: 0xFF
      Separated: 1_000
      Sexagesimal: 190:20:30
      Account: 012345678901
      Number: 29000
      Exact: 1.10
      Signed: +12
      True: [true, yes, On]
      False: [false, No, OFF]
      Quoted: ['yes', "no", '1', "\u00e9\n"]
      Block: |
        {
          "a": "${b}"
        }
      200: numeric key
      Ref: !Ref Stage
      GetAtt: !GetAtt Role.Arn
      Listed: !GetAtt [Role, Arn]
      Sub: !Sub "${Stage}-x"
      Variables: !Sub
        - "${A}-${Stage}"
        - A: !Select [1, !Split [",", "x,y"]]
      Join: !Join
        - ":"
        - - a
          - !If [IsDev, b, !Ref "AWS::NoValue"]
          - !If
            - Not
            - c
            - !Ref AWS::NoValue
      Map: !FindInMap [Names, !Ref Stage, Short]
      Base64:
        Fn::Base64: !Sub |
          ${Stage}
      Zones: !GetAZs ""
      Cidr: !Cidr ["10.0.0.0/16", 1, 8]
      Length: !Length [a, b]
      JSON: !ToJsonString {a: 1}
      Long: {"Fn::Join": ["", [a, 'b']]}
      Text: !!str 7
      Flow: {Region: !Ref AWS::Region, Sub: [!Sub "${Stage}", !Sub http://x:80/y, !Ref AWS::Partition]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument: {Statement: []}
`

const inJSON = `{
	"Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
	"Conditions": {
		"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, "Not": {"Fn::Not": [{"Condition": "IsDev"}]},
		"Both": {"Fn::And": [{"Condition": "IsDev"}, {"Condition": "Not"}]}, "One": {"Fn::Or": [{"Condition": "IsDev"}, {"Condition": "Not"}]}},
	"Mappings": {"Names": {"dev": {"Short": "d"}}},
	"Resources": {
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": []}}},
		"V": {"Type": "Custom::Value", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Snapshot", "Metadata": {"Owner": "shop"}, "Properties": {
			"Date": "2012-10-17", "Time": "2001-12-14T21:59:43Z", "Octal": "0123", "Hexadecimal": "0xFF", "Separated": "1_000", "Sexagesimal": "190:20:30",
			"Account": "012345678901", "Number": 29000, "Exact": 1.10, "Signed": "+12",
			"True": [true, true, true], "False": [false, false, false], "Quoted": ["yes", "no", "1", "é\n"],
			"Block": "{\n  \"a\": \"${b}\"\n}\n", "200": "numeric key",
			"Ref": "dev", "GetAtt": "arn:aws:iam::000000000000:role/r", "Listed": "arn:aws:iam::000000000000:role/r",
			"Sub": "dev-x", "Variables": "y-dev", "Join": "a:b", "Map": "d", "Base64": "ZGV2Cg==",
			"Zones": ["us-east-1a", "us-east-1b", "us-east-1c"], "Cidr": ["10.0.0.0/24"], "Length": 2, "JSON": "{\"a\":1}", "Long": "ab", "Text": "7",
			"Flow": {"Region": "us-east-1", "Sub": ["dev", "http://x:80/y", "aws"]}}}}}`

// YAML, with every short form, means what its JSON means.
func TestYAML(t *testing.T) {
	t.Parallel()
	got, want := loneModel(t, "shop.template.yaml", inYAML), loneModel(t, "shop.template.json", inJSON)
	if got.Stage != "shop" || !reflect.DeepEqual(got, want) {
		for i, r := range got.Resources {
			for name, value := range r.Properties {
				if !reflect.DeepEqual(value, want.Resources[i].Properties[name]) {
					t.Errorf("%s.%s: got %#v, want %#v", r.LogicalID, name, value, want.Resources[i].Properties[name])
				}
			}
		}
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	v := got.Resources[1]
	if v.DeletionPolicy != "Retain" || v.UpdateReplacePolicy != "Snapshot" || v.Metadata["Owner"] != "shop" || v.Type != "Custom::Value" || v.Path != "shop/V" {
		t.Errorf("read %+v", v)
	}
}

// A file that cannot be read says where.
func TestMalformedTemplates(t *testing.T) {
	t.Parallel()
	const resources = "Resources:\n  A:\n    Type: T\n    Properties:\n      V: "
	tests := []struct{ name, file, text, want string }{
		{"JSON", "t.json", "{\n  \"Resources\": {\n    \"A\": }\n}", "t.json:3:10: invalid character '}'"},
		{"cut JSON", "t.json", "{\n  \"Resources\": {", "t.json:2:16: unexpected EOF"},
		{"more JSON", "t.json", `{"Resources": {}} x`, "t.json:1:"},
		{"a name twice in JSON", "t.json", `{"Resources": {"A": 1, "A": 2}}`, `"A" stands twice in one object`},
		{"deep JSON", "t.json", `{"A":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}", "nested more than 200 deep"},
		{"YAML", "t.yaml", "Resources:\n  A: [1\n", "t.yaml:2:6: sequence end token"},
		{"tab", "t.yaml", "Resources:\n\tA: b\n", "t.yaml:2:"},
		{"a name twice in YAML", "t.yaml", "Resources:\n  A: 1\n  A: 2\n", `t.yaml:3:3: "A" stands twice in one object`},
		{"an alias", "t.yaml", "Resources: &x\n  A: *x\n", "t.yaml:1:12: anchors, aliases and merges are not understood"},
		{"a merge", "t.yaml", "Resources:\n  <<: {}\n", "t.yaml:2:3: anchors"},
		{"an unknown tag", "t.yaml", resources + "!Foo x\n", "t.yaml:5:10: the tag !Foo is not understood"},
		{"binary", "t.yaml", resources + "!!binary aGk=\n", "t.yaml:5:10: the tag !!binary is not understood"},
		{"a key that is a list", "t.yaml", "? [a]\n: b\n", "t.yaml:1:1: a key that is no text"},
		{"a function without a value", "t.yaml", "Resources:\n  A:\n    Type: T\n    Properties:\n      Z: !GetAZs\n  B:\n    Type: T\n", "t.yaml:6:3: stands no further right"},
		{"a function without a value in a list", "t.yaml", "Resources:\n  A:\n    - !GetAZs\n    - b\n", "t.yaml:4:5: stands no further right"},
		{"two documents", "t.yaml", "a: b\n---\nc: d\n", "t.yaml:3:2: a second document"},
		{"deep YAML", "t.yaml", "A: " + strings.Repeat("[", 300) + strings.Repeat("]", 300), "t.yaml:1:204: nested more than 200 deep"},
		{"deep lists", "t.yaml", strings.Repeat("- ", 300) + "a", "nested more than 200 deep"},
		{"tags without end", "t.yaml", "A: " + strings.Repeat("!Sub ", 300) + "a", "too many tags"},
		{"long YAML", "t.yaml", "A: " + strings.Repeat("x", 1<<20), "longer than 1 MB"},
		{"long JSON", "t.json", `{"A": "` + strings.Repeat("x", 8<<20), "longer than 8 MB"},
		{"empty", "t.yaml", "# nothing\n", "empty"},
		{"no resources", "t.yaml", "name: dev\n", "no Resources; it is no CloudFormation template"},
		{"a list", "t.yaml", "- a\n", "a template is an object, not a list"},
		{"resources that are a list", "t.yaml", "Resources: []\n", "Resources: a list where an object is due"},
		{"a resource that is a text", "t.yaml", "Resources: {A: b}\n", "Resources.A: a value where an object is due"},
		{"a type that is none", "t.yaml", "Resources: {A: {Type: [b]}}\n", "Resources.A.Type: a list where a text is due"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := lone(t, tt.file, tt.text)
			var input *assembly.InputError
			if !errors.As(err, &input) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A stage is named after its template's file.
func TestLoneTemplate(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Shop.template.json": "Shop", "shop.yaml": "shop", "shop.v2.yml": "shop.v2", "shop.template": "shop", "shop": "shop"} {
		a, err := lone(t, name, `{"Resources": {"A": {"Type": "T"}}}`)
		if err != nil || !reflect.DeepEqual(a.Stages(), []string{want}) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	if m := loneModel(t, "shop.json", "\ufeff"+template(withPool(anyPool))); len(m.RestAPIs) != 1 || m.Region != "us-east-1" || m.Account != "000000000000" {
		t.Errorf("read %+v", m)
	}
}

// What a macro makes of a template is not known.
func TestTransforms(t *testing.T) {
	t.Parallel()
	const body = `, "Resources": {"F": {"Type": "AWS::Serverless::Function"}, "Fn::ForEach::Each": ["x", {"Ref": "Nobody"}, {}]}}`
	m := loneModel(t, "t.json", `{"Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31", {"Name": "Mine"}]`+body)
	var got []string
	for _, p := range m.NotUnderstood {
		if !p.Decides {
			t.Errorf("%s is only listed", p)
		}
		got = append(got, p.String())
	}
	want := []string{"t: Transform AWS::Serverless-2016-10-31 is not understood", "t: Transform Mine is not understood",
		"t/F: AWS::Serverless::Function is not understood", "t/Fn::ForEach::Each: Fn::ForEach::Each is not understood: refers to Nobody, which the template of t does not hold"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What a condition leaves out is not deployed; what depends on an unknown one
// is kept, and nothing is served from it.
func TestConditionalResources(t *testing.T) {
	t.Parallel()
	m := loneModel(t, "t.json", `{
		"Parameters": {"Open": {"Type": "String"}, "Stage": {"Type": "String", "Default": "dev"}},
		"Conditions": {"Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, "Prod": {"Fn::Not": [{"Condition": "Dev"}]}, "Maybe": {"Fn::Equals": [{"Ref": "Open"}, "x"]}},
		"Resources": {"A": {"Type": "T", "Condition": "Dev"}, "B": {"Type": "T", "Condition": "Prod"}, "C": {"Type": "AWS::WAFv2::IPSet", "Condition": "Maybe"}, "E": {"Type": "T", "Condition": "Maybe"}, "D": {"Type": "T"}},
		"Outputs": {"A": {"Condition": "Dev", "Value": "a"}, "B": {"Condition": "Prod", "Value": "b"}}}`)
	var ids []string
	for _, r := range m.Resources {
		ids = append(ids, r.LogicalID)
	}
	if !reflect.DeepEqual(ids, []string{"A", "C", "D", "E"}) || !reflect.DeepEqual(m.Outputs["t"], map[string]string{"A": "a"}) {
		t.Errorf("deployed %v with %v", ids, m.Outputs)
	}
	const text = "condition Maybe depends on what is not known here: parameter Open has no default"
	want := []assembly.Problem{{Path: "t/C", Text: text, Decides: true}, {Path: "t/E", Text: text}}
	if !reflect.DeepEqual(m.NotUnderstood, want) {
		t.Errorf("got %v", m.NotUnderstood)
	}
}

// A file of the assembly stands in place of the macro that includes it.
func TestInclude(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "t.template.json"), `{"Resources": {
		"A": {"Type": "T", "Properties": {"Body": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": {"Fn::Sub": "s3://assets-${AWS::Region}/abc.yaml"}}}}}},
		"B": {"Type": "T", "Properties": {"Body": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://assets/other.yaml"}}}}},
		"C": {"Type": "T", "Properties": {"Body": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://assets/self.json"}}}}}}}`)
	put(t, filepath.Join(dir, "t.assets.json"), `{"files": {"abc": {"source": {"path": "body.yaml"}, "destinations": {"d": {"objectKey": "abc.yaml"}}},
		"self": {"source": {"path": "self.json"}, "destinations": {"d": {"objectKey": "self.json"}}}}}`)
	put(t, filepath.Join(dir, "body.yaml"), "openapi: 3.0.1\nregion: {Ref: AWS::Region}\n")
	put(t, filepath.Join(dir, "self.json"), `{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://assets/self.json"}}}`)
	a, err := assembly.Load(filepath.Join(dir, "t.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Resources[0].Properties["Body"], (map[string]any{"openapi": "3.0.1", "region": "us-east-1"}); !reflect.DeepEqual(got, want) {
		t.Errorf("included %v", got)
	}
	for i, want := range []string{1: `no asset of the assembly has the key "other.yaml"`, 2: "in a circle"} {
		if u, _ := m.Resources[i].Properties["Body"].(assembly.Unknown); !strings.Contains(u.Reason, want) {
			t.Errorf("%d: got %+v, want %q", i, u, want)
		}
	}
}

func TestNoTemplate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "nothing")} {
		_, err := assembly.Load(path)
		if err == nil || !strings.Contains(err.Error(), "is no cloud assembly: it has no manifest.json; name the folder that cdk synth wrote, cdk.out by default, or a CloudFormation template") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Model("", assembly.Options{}); err == nil || !strings.Contains(err.Error(), "has no stack") {
		t.Errorf("an empty assembly: %v", err)
	}
}

// With AWS::LanguageExtensions a policy may be a function; one that is not
// known decides about no request.
func TestDeletionPolicies(t *testing.T) {
	t.Parallel()
	m := loneModel(t, "t.json", `{"Transform": "AWS::LanguageExtensions", "Parameters": {"Stage": {"Type": "String", "Default": "prod"}, "Open": {"Type": "String"}},
		"Conditions": {"Keep": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
		"Resources": {"A": {"Type": "T", "DeletionPolicy": {"Fn::If": ["Keep", "Retain", "Delete"]}, "UpdateReplacePolicy": {"Ref": "Open"}}}}`)
	if a := m.Resources[0]; a.DeletionPolicy != "Retain" || a.UpdateReplacePolicy != "" {
		t.Errorf("read %+v", a)
	}
	if !lists(m, "A.UpdateReplacePolicy", false) || m.Servable() != nil {
		t.Errorf("not understood: %v", m.NotUnderstood)
	}
}
