package assembly

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// doubling is a template whose functions each use the one before twice.
func doubling(section, first, each, last string) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, `{"%s": {"N0": %s`, section, first)
	for i := range 60 {
		_, _ = fmt.Fprintf(&b, `, "N%d": %s`, i+1, strings.ReplaceAll(each, "PREVIOUS", fmt.Sprintf("N%d", i)))
	}
	_, _ = fmt.Fprintf(&b, `%s}}`, last)
	return b.String()
}

// Templates that would take all time and memory.
var floods = map[string]string{
	"names": doubling("Resources", `{"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "0123456789"}}`,
		`{"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Join": ["", [{"Ref": "PREVIOUS"}, {"Ref": "PREVIOUS"}]]}}}`, ""),
	"substitutions": doubling("Resources", `{"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "0123456789"}}`,
		`{"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${PREVIOUS.TopicName}${PREVIOUS.TopicName}"}}}`, ""),
	"outputs": doubling("Outputs", `{"Value": "0123456789"}`, `{"Value": [{"Fn::GetStackOutput": {"StackName": "S", "OutputName": "PREVIOUS"}},
		{"Fn::GetStackOutput": {"StackName": "S", "OutputName": "PREVIOUS"}}]}`, ""),
	"conditions": doubling("Conditions", `{"Fn::Equals": [{"Ref": "Nobody"}, "x"]}`,
		`{"Fn::And": [{"Condition": "PREVIOUS"}, {"Fn::Not": [{"Fn::Not": [{"Condition": "PREVIOUS"}]}]}]}`, `}, "Resources": {"A": {"Type": "T", "Condition": "N60"}`),
	"mappings": `{"Mappings": {"M": {"a": {"b": ` + strings.Repeat(`{"Fn::FindInMap": ["M", "a", "b"], "x": `, 50) + `1` + strings.Repeat("}", 50) + `}}},
		"Resources": {"A": {"Type": "T", "Properties": {"P": {"Fn::FindInMap": ["M", "a", "b"]}}}}}`,
	"lists": doubling("Resources", `{"Type": "AWS::SSM::Parameter", "Properties": {"Value": "0,1"}}`,
		`{"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::ToJsonString": [{"Fn::GetAtt": "PREVIOUS.Value"}, {"Fn::GetAtt": "PREVIOUS.Value"}]}}}`, ""),
}

// read makes a model of a template as far as it parses.
func read(data []byte) (*Model, error) {
	value, err := parse(data)
	if err != nil {
		return nil, err
	}
	t, err := newTemplate(value)
	if err != nil {
		return nil, err
	}
	s := &stack{id: "S", name: "S", path: "S", account: unknownAccount, region: unknownRegion, template: t}
	if err := s.expand(); err != nil {
		return nil, err
	}
	a := &Assembly{Dir: "S", units: []unit{newUnit("S", []*stack{s})}}
	return a.Model("", Options{})
}

// size is what a value takes, roughly.
func size(value any) int {
	switch v := value.(type) {
	case map[string]any:
		n := 1
		for key, member := range v {
			n += len(key) + size(member)
		}
		return n
	case []any:
		n := 1
		for _, member := range v {
			n += size(member)
		}
		return n
	case Unknown:
		return len(v.At) + len(v.Reason) + len(v.Text)
	default:
		return 1 + len(text(value))
	}
}

// A template that grows without measure stops, and says so.
func TestFloods(t *testing.T) {
	t.Parallel()
	for name, template := range floods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !json.Valid([]byte(template)) {
				t.Fatal("the template is no JSON")
			}
			m, err := read([]byte(template))
			if err != nil {
				t.Fatal(err)
			}
			total, stopped := 0, false
			for _, res := range m.Resources {
				total += size(res.Properties)
				for _, u := range unknowns(res.Properties) {
					stopped = stopped || strings.Contains(u.Reason, "beyond what is resolved here")
				}
			}
			if total > 8*leastWork {
				t.Errorf("the model takes %d bytes", total)
			}
			if name == "names" && !stopped {
				t.Error("it has resolved the whole flood")
			}
		})
	}
}

// FuzzTemplate reads anything as a template: it ends, in bounded memory, and
// never panics.
func FuzzTemplate(f *testing.F) {
	for _, template := range floods {
		f.Add([]byte(template))
	}
	for _, seed := range []string{
		"", "{", "{}", "[]", "a: b", "\ufeff{}", "Resources: {A: {Type: T}}", `{"Resources": {"A": {"Type": "T"}}}`,
		"Resources:\n  A:\n    Type: !Sub '${B}'\n    Properties: !If [C, !Ref D, !GetAtt E.F]\n",
		"A: &x [*x]\n", "<<: {a: b}\n", "? a\n: b\n", "a: !Ref\nb: |\n  c\n", "- - - a\n", "a: {b: !Ref AWS::Region}\n", "a: \"\\ud800\"\n",
		`{"Transform": "AWS::LanguageExtensions", "Parameters": {"L": {"Type": "CommaDelimitedList", "Default": "a,b"}}, "Resources": {"Fn::ForEach::A": ["X", {"Ref": "L"}, {"R${X}": {"Type": "T",
			"Condition": {"Fn::Sub": "${X}"}, "Properties": {"Fn::ForEach::B": ["Y", ["&{X}", "-"], {"P&{Y}": {"Ref": "X"}}]}}}]}}`,
		"Outputs: {A: {Value: !ImportValue x, Export: {Name: !ImportValue x}}}",
		"Parameters: {P: {Type: List<Number>, Default: 1}}\nResources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref P}}}",
		"Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x, Parameters: !Ref A}}}",
		"Conditions: {C: !Equals [a, !FindInMap [M, a, b]]}\nResources: {A: {Type: AWS::ApiGateway::RestApi, Condition: C, Properties: {Body: {openapi: 3.0.1}}}}",
		"Resources: {A: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, HttpMethod: !Ref A}}}",
		"Resources: {A: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [!Ref X]}}, B: {Type: AWS::IAM::Role, Properties: {Policies: [!Ref X]}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := read(data)
		if err != nil {
			return
		}
		total := 0
		for _, res := range m.Resources {
			total += size(res.Properties)
		}
		if total > 8*leastWork {
			t.Errorf("%d bytes of template make a model of %d", len(data), total)
		}
	})
}

// FuzzIntrinsic resolves anything in place of a value. What is known holds no
// function any more.
func FuzzIntrinsic(f *testing.F) {
	for _, seed := range []string{
		`{"Ref": "P"}`, `{"Fn::Sub": "${A.Arn}${!x}${P}"}`, `{"Fn::Sub": ["${a}", {"a": {"Ref": "L"}}]}`, `{"Fn::Join": [",", {"Ref": "L"}]}`,
		`{"Fn::Split": [",", "a,b"]}`, `{"Fn::Select": [-1, [1]]}`, `{"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 1]}`, `{"Fn::Cidr": ["::/0", 256, 128]}`,
		`{"Fn::FindInMap": ["M", "a", "b", {"DefaultValue": []}]}`, `{"Fn::GetAZs": []}`, `{"Fn::Length": {"Fn::Split": ["", "x"]}}`,
		`{"Fn::Base64": {"Ref": "AWS::NoValue"}}`, `{"Fn::ToJsonString": {"a": {"Ref": "AWS::NoValue"}}}`, `{"Fn::GetStackOutput": {"StackName": "S", "OutputName": "O"}}`,
		`{"Fn::ImportValue": {"Ref": "P"}}`, `{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}}`,
		`"{{resolve:secretsmanager:x}}"`, `{"Fn::Equals": [1, 1]}`, `{"Condition": "C"}`, `[null]`, `{"Fn::GetAtt": ["A", {"Ref": "P"}]}`, `{"Fn::GetAtt": ["N", "Outputs.X"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := parse(append([]byte(`{"Parameters": {"P": {"Type": "String", "Default": "p"}, "L": {"Type": "CommaDelimitedList", "Default": "a,b"}, "U": {"Type": "String"}},
			"Conditions": {"C": {"Fn::Equals": [{"Ref": "U"}, "x"]}}, "Mappings": {"M": {"a": {"b": [1]}}},
			"Resources": {"A": {"Type": "AWS::Lambda::Function"}, "N": {"Type": "AWS::CloudFormation::Stack"}},
			"Outputs": {"O": {"Value": `), append(data, `, "Export": {"Name": "p"}}}}`...)...))
		if err != nil {
			return
		}
		tree, err := newTemplate(value)
		if err != nil {
			return
		}
		s := &stack{id: "S", name: "S", path: "S", account: unknownAccount, region: unknownRegion, template: tree}
		r := newResolver([]*stack{s}, Options{})
		got := r.output(s, "O", "S")
		if n := size(got); n > 8*leastWork {
			t.Errorf("%s makes %d bytes", data, n)
		}
		checkResolved(t, got)
	})
}

func checkResolved(t *testing.T, value any) {
	switch v := value.(type) {
	case map[string]any:
		if name, _, ok := intrinsic(v); ok && name != "Condition" {
			t.Errorf("%s is left", name)
		}
		for _, member := range v {
			checkResolved(t, member)
		}
	case []any:
		for _, member := range v {
			checkResolved(t, member)
		}
	case Unknown:
		if v.Reason == "" {
			t.Error("an Unknown without a reason")
		}
	case string, json.Number, bool, noValue:
	default:
		t.Errorf("a %T", value)
	}
}
