package assembly_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// looped is a template with loops of every kind: in each section, within one
// another, in properties, over lists of every source, with functions that take
// the identifier ("Fn::ForEach", AWS CloudFormation template reference).
const looped = `
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "Success, Failure"}
  Stage: {Type: String, Default: dev}
Mappings:
  Chosen: {Condition: {B: IsB, C: Never}}
  Of: {Public: {Zones: [A]}}
Conditions:
  Never: !Equals [a, b]
  Fn::ForEach::Each:
    - Zone
    - [A, B]
    - Is${Zone}: !Equals [!Ref Zone, B]
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
  Fn::ForEach::Topics:
    - Name
    - !Ref Names
    - Topic${Name}:
        Type: AWS::SNS::Topic
        Properties:
          TopicName: !Join [".", [!Ref Name, fifo]]
          Text: !Sub "${Name} of ${Stage} and ${!Name}"
          Nothing: ${Other}
          Self: !Ref
            Fn::Sub: Topic${Name}
          Queue: !GetAtt [!Sub ["Qu${Rest}", {Rest: eue}], Arn]
  Fn::ForEach::Gateways:
    - Zone
    - [A, B, C]
    - Gateway${Zone}:
        Type: AWS::EC2::NatGateway
        Condition: !FindInMap [Chosen, Condition, !Ref Zone, {DefaultValue: !Ref "AWS::NoValue"}]
  Fn::ForEach::Outer:
    - Prefix
    - [Transit, Public]
    - Nacl${Prefix}: {Type: "AWS::EC2::NetworkAcl"}
      Fn::ForEach::Inner:
        - Suffix
        - !FindInMap [Of, !Ref Prefix, Zones, {DefaultValue: [A, B]}]
        - ${Prefix}Subnet${Suffix}:
            Type: AWS::EC2::Subnet
            Properties: {Acl: !Ref "Nacl${Prefix}"}
  Fn::ForEach::Dashed:
    - Name
    - [first-one, second.two]
    - Bucket&{Name}:
        Type: AWS::S3::Bucket
        Properties:
          BucketName: !Ref Name
          Fn::ForEach::Each:
            - Key
            - [One, Two]
            - ${Key}: ${Key}-${Name}
              Deep&{Name}${Key}: [1, {"${Key}": true}]
Outputs:
  Fn::ForEach::Arns:
    - Name
    - !Split [",", "Success,Failure"]
    - Arn${Name}:
        Value: !GetAtt ["Topic${Name}", TopicName]
`

const unlooped = `
Parameters: {Names: {Type: CommaDelimitedList, Default: "Success, Failure"}, Stage: {Type: String, Default: dev}}
Conditions: {Never: !Equals [a, b], IsA: !Equals [A, B], IsB: !Equals [B, B]}
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
  TopicSuccess: {Type: "AWS::SNS::Topic", Properties: {TopicName: Success.fifo, Text: "Success of dev and ${Name}", Nothing: "${Other}", Self: !Ref TopicSuccess, Queue: !GetAtt Queue.Arn}}
  TopicFailure: {Type: "AWS::SNS::Topic", Properties: {TopicName: Failure.fifo, Text: "Failure of dev and ${Name}", Nothing: "${Other}", Self: !Ref TopicFailure, Queue: !GetAtt Queue.Arn}}
  GatewayA: {Type: "AWS::EC2::NatGateway"}
  GatewayB: {Type: "AWS::EC2::NatGateway", Condition: IsB}
  NaclTransit: {Type: "AWS::EC2::NetworkAcl"}
  NaclPublic: {Type: "AWS::EC2::NetworkAcl"}
  TransitSubnetA: {Type: "AWS::EC2::Subnet", Properties: {Acl: !Ref NaclTransit}}
  TransitSubnetB: {Type: "AWS::EC2::Subnet", Properties: {Acl: !Ref NaclTransit}}
  PublicSubnetA: {Type: "AWS::EC2::Subnet", Properties: {Acl: !Ref NaclPublic}}
  Bucketfirstone: {Type: "AWS::S3::Bucket", Properties: {BucketName: first-one, One: One-first-one, Two: Two-first-one, DeepfirstoneOne: [1, {One: true}], DeepfirstoneTwo: [1, {Two: true}]}}
  Bucketsecondtwo: {Type: "AWS::S3::Bucket", Properties: {BucketName: second.two, One: One-second.two, Two: Two-second.two, DeepsecondtwoOne: [1, {One: true}], DeepsecondtwoTwo: [1, {Two: true}]}}
Outputs:
  ArnSuccess: {Value: !GetAtt TopicSuccess.TopicName}
  ArnFailure: {Value: !GetAtt TopicFailure.TopicName}
`

// A loop is what it makes.
func TestForEach(t *testing.T) {
	t.Parallel()
	got, want := loneModel(t, "shop.yaml", looped), loneModel(t, "shop.yaml", unlooped)
	if !reflect.DeepEqual(got, want) {
		show := func(m *assembly.Model) string {
			data, _ := json.MarshalIndent(map[string]any{"resources": m.Resources, "outputs": m.Outputs, "listed": m.NotUnderstood}, "", " ")
			return string(data)
		}
		t.Errorf("got  %s\nwant %s", show(got), show(want))
	}
}

// A nested stack's loop goes over what the stack around it passes.
func TestForEachInNestedStack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/outer.yaml", "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml, Parameters: {Names: [b, c]}}}}")
	put(t, dir+"/inner.yaml", "Transform: [AWS::LanguageExtensions]\nParameters: {Names: {Type: CommaDelimitedList, Default: a}}\nResources: {\"Fn::ForEach::Each\": [X, !Ref Names, {\"T${X}\": {Type: T}}]}")
	a, err := assembly.Load(dir + "/outer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range m.Resources {
		ids = append(ids, r.LogicalID)
	}
	if got := strings.Join(ids, " "); got != "N Tb Tc" {
		t.Errorf("deployed are %s; listed is %v", got, m.NotUnderstood)
	}
}

// A loop that cannot be known, or that AWS refuses, is listed with the reason,
// and decides wherever it could make resources.
func TestForEachNotUnderstood(t *testing.T) {
	t.Parallel()
	const extended, body = "Transform: AWS::LanguageExtensions\nParameters: {P: {Type: CommaDelimitedList}}\n", `{"T${X}": {Type: T}}`
	loop := func(list, fragment string) string {
		return extended + "Resources: {\"Fn::ForEach::Each\": [X, " + list + ", " + fragment + "], TA: {Type: T}}"
	}
	tests := []struct {
		name, template, want string
		listedOnly           bool
	}{
		{"an unknown list", loop("!Ref P", body), "t/Fn::ForEach::Each: Fn::ForEach::Each is not understood: parameter P has no default", false},
		{"an unknown item", loop("[b, !ImportValue x]", body), `Fn::ForEach::Each is not understood: no stack of this stage exports "x"`, false},
		{"no list", loop("a", body), "Fn::ForEach::Each is not understood: a value where a list is due", false},
		{"a list of lists", loop("[[a]]", body), "its list holds a list where a text is due", false},
		{"no fragment", loop("[a]", "b"), "an identifier, a list and an object are due", false},
		{"the same twice", loop("[a, b]", "{T: {Type: T}}"), "it makes T twice; each key needs ${X}", false},
		{"what is there", loop("[A]", body), "it makes TA, which is there already", false},
		{"no logical id", loop("[a-b]", body), `it makes "Ta-b", which is no logical id; &{X} leaves out what no id may have`, false},
		{"an unknown list within", loop("[a]", "{\"Fn::ForEach::Inner\": [Y, !Ref P, {\"${X}${Y}\": {Type: T}}]}"), "Fn::ForEach::Inner is not understood: parameter P has no default", false},
		{"without the transform", "Resources: {\"Fn::ForEach::Each\": [X, [a], " + body + "], A: {Type: T}}", "t/Fn::ForEach::Each: Fn::ForEach::Each is not understood without the transform AWS::LanguageExtensions", false},
		{"in properties", extended + `Resources: {TA: {Type: "AWS::ApiGateway::RestApi", Properties: {"Fn::ForEach::Each": [X, !Ref P, {"${X}": a}]}}}`, "Fn::ForEach::Each is not understood: parameter P has no default", false},
		{"beside properties", extended + `Resources: {TA: {Type: "AWS::ApiGateway::RestApi", Properties: {Name: a, "Fn::ForEach::Each": [X, !Ref P, {"${X}": a}]}}}`, "Fn::ForEach::Each is not understood: parameter P has no default", false},
		{"of outputs", extended + `Resources: {TA: {Type: T}}` + "\nOutputs: {\"Fn::ForEach::Each\": [X, !Ref P, {\"O${X}\": {Value: a}}]}", "t.Outputs.Fn::ForEach::Each: Fn::ForEach::Each is not understood: parameter P has no default", true},
		{"a condition", extended + `Resources: {TA: {Type: "AWS::ApiGateway::RestApi", Condition: !Select [0, !Ref P]}}`, "depends on what is not known here: parameter P has no default", false},
		{"of conditions", extended + "Conditions: {\"Fn::ForEach::Each\": [X, !Ref P, {\"C${X}\": !Equals [a, a]}]}\nResources: {TA: {Type: T}}", "t.Conditions.Fn::ForEach::Each: Fn::ForEach::Each is not understood: parameter P has no default", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := loneModel(t, "t.yaml", tt.template)
			listed, decides := "", false
			for _, p := range m.NotUnderstood {
				listed += p.String() + "\n"
				decides = decides || p.Decides
			}
			if !strings.Contains(listed, tt.want) || decides == tt.listedOnly {
				t.Errorf("listed %q, deciding %t; want %q", listed, decides, tt.want)
			}
			if len(m.Resources) != 1 {
				t.Errorf("%d resources", len(m.Resources))
			}
		})
	}
}

// Loops within loops stop where they make too much, and say so.
func TestForEachFlood(t *testing.T) {
	t.Parallel()
	var list []string
	for i := range 60 {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint("i", i)))
	}
	items := "[" + strings.Join(list, ",") + "]"
	for name, innermost := range map[string]string{"resources": `{"${A}${B}${C}${D}${E}": {"Type": "T"}}`, "nothing": `{}`} {
		fragment := innermost
		for _, id := range []string{"E", "D", "C", "B", "A"} {
			fragment = fmt.Sprintf(`{"Fn::ForEach::%s": [%q, %s, %s]}`, id, id, items, fragment)
		}
		m := loneModel(t, "t.json", `{"Transform": "AWS::LanguageExtensions", "Resources": `+fragment+`}`)
		if len(m.NotUnderstood) != 1 || !strings.Contains(m.NotUnderstood[0].Text, "it makes more than is read here") {
			t.Errorf("%s: %d resources, listed %v", name, len(m.Resources), m.NotUnderstood)
		}
	}
}
