package assembly_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// around stands around a value that is to be resolved.
const around = `{
	"Parameters": {
		"Named": {"Type": "String", "Default": "by default"}, "Count": {"Type": "Number", "Default": 7},
		"Names": {"Type": "CommaDelimitedList", "Default": "a, b,c"}, "Numbers": {"Type": "List<Number>", "Default": "1,2"},
		"Empty": {"Type": "CommaDelimitedList", "Default": ""},
		"Open": {"Type": "String"}, "Hidden": {"Type": "String", "NoEcho": true, "Default": "planted-secret"},
		"Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/name"}
	},
	"Mappings": {"Sizes": {"eu-west-1": {"Disk": "large", "Zones": ["a", "b"]}}},
	"Conditions": {
		"Yes": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]},
		"Seven": {"Fn::Equals": [{"Ref": "Count"}, 7]}, "Lists": {"Fn::Equals": [{"Ref": "Names"}, ["a", "b", "c"]]},
		"Maybe": {"Fn::Equals": [{"Ref": "Open"}, "x"]}, "MaybeNot": {"Fn::Not": [{"Condition": "Maybe"}]},
		"Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, "Either": {"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]},
		"Never": {"Fn::And": [{"Condition": "Maybe"}, {"Condition": "No"}]}, "Always": {"Fn::Or": [{"Condition": "Maybe"}, {"Condition": "Yes"}]},
		"Perhaps": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "Maybe"}]},
		"Circle": {"Fn::Not": [{"Condition": "Circle"}]}, "Malformed": {"Fn::Equals": ["a"]}, "Text": "true"
	},
	"Resources": {
		"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "orders", "Role": "r"}},
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "orders", "Path": "/service/", "AssumeRolePolicyDocument": {"Statement": []}}},
		"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}}},
		"Server": {"Type": "AWS::Cognito::UserPoolResourceServer", "Properties": {"Identifier": "orders", "UserPoolId": {"Ref": "Pool"}}},
		"Gone": {"Type": "AWS::Lambda::Function", "Condition": "No", "Properties": {"Role": "r"}},
		"Chicken": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Egg"}}},
		"Egg": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Chicken"}}},
		"V": {"Type": "Custom::Value", "Properties": {"Value": VALUE}}
	},
	"Outputs": {"Out": {"Value": VALUE}, "Gone": {"Condition": "No", "Value": "x"}}
}`

// resolved returns a value as a model's resource has it, and the model.
func resolved(t *testing.T, value string) (any, *assembly.Model) {
	t.Helper()
	return resolvedIn(t, around, value)
}

func resolvedIn(t *testing.T, template, value string) (any, *assembly.Model) {
	t.Helper()
	a, err := assembly.Load(write(t, [2]string{"S", strings.ReplaceAll(template, "VALUE", value)}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Model("", assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(m.Resources, func(r *assembly.Resource) bool { return r.LogicalID == "V" })
	return m.Resources[i].Properties["Value"], m
}

func TestIntrinsics(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, want string }{
		{"literal", `"x"`, `"x"`},
		{"region", `{"Ref": "AWS::Region"}`, `"eu-west-1"`},
		{"account", `{"Ref": "AWS::AccountId"}`, `"111122223333"`},
		{"partition", `{"Ref": "AWS::Partition"}`, `"aws"`},
		{"suffix", `{"Ref": "AWS::URLSuffix"}`, `"amazonaws.com"`},
		{"stack name", `{"Ref": "AWS::StackName"}`, `"S"`},
		{"notifications", `{"Ref": "AWS::NotificationARNs"}`, `[]`},
		{"parameter", `{"Ref": "Named"}`, `"by default"`},
		{"parameter that is a number", `{"Ref": "Count"}`, `"7"`},
		{"parameter that is a list", `{"Ref": "Names"}`, `["a","b","c"]`},
		{"parameter that is a list of numbers", `{"Ref": "Numbers"}`, `["1","2"]`},
		{"parameter that is an empty list", `{"Ref": "Empty"}`, `[]`},
		{"name", `{"Ref": "Fn"}`, `"orders"`},
		{"identifier", `{"Ref": "Server"}`, `"orders"`},
		{"attribute", `{"Fn::GetAtt": ["Fn", "Arn"]}`, `"arn:aws:lambda:eu-west-1:111122223333:function:orders"`},
		{"dotted attribute", `{"Fn::GetAtt": "Role.Arn"}`, `"arn:aws:iam::111122223333:role/service/orders"`},
		{"join", `{"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, 7, true]]}`, `"a-eu-west-1-7-true"`},
		{"join of a parameter", `{"Fn::Join": ["-", {"Ref": "Names"}]}`, `"a-b-c"`},
		{"split and select", `{"Fn::Select": ["1", {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]}`, `"west"`},
		{"select beside what is unknown", `{"Fn::Select": [0, ["a", {"Ref": "Open"}]]}`, `"a"`},
		{"join of a split", `{"Fn::Join": ["/", {"Fn::Split": ["-", "a-b"]}]}`, `"a/b"`},
		{"no value", `{"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, "b"]]}`, `"a-b"`},
		{"a member named as a condition", `{"Condition": "x"}`, `{"Condition":"x"}`},
		{"no value in an object", `{"a": {"Ref": "AWS::NoValue"}, "b": 1}`, `{"b":1}`},
		{"sub", `{"Fn::Sub": "${Fn}.${Role.Arn}.${AWS::Region}.${!Literal}"}`, `"orders.arn:aws:iam::111122223333:role/service/orders.eu-west-1.${Literal}"`},
		{"sub with variables", `{"Fn::Sub": ["${A}-${Fn}", {"A": {"Ref": "AWS::Region"}}]}`, `"eu-west-1-orders"`},
		{"large number", `29000`, `29000`},
		{"number with a point", `1.10`, `1.10`},
		{"if", `{"Fn::If": ["Yes", "a", "b"]}`, `"a"`},
		{"if not", `{"Fn::If": ["No", "a", "b"]}`, `"b"`},
		{"equal numbers", `{"Fn::If": ["Seven", "a", "b"]}`, `"a"`},
		{"equal lists", `{"Fn::If": ["Lists", "a", "b"]}`, `"a"`},
		{"and", `{"Fn::If": ["Both", "a", "b"]}`, `"b"`},
		{"or", `{"Fn::If": ["Either", "a", "b"]}`, `"a"`},
		{"false whatever the unknown is", `{"Fn::If": ["Never", "a", "b"]}`, `"b"`},
		{"true whatever the unknown is", `{"Fn::If": ["Always", "a", "b"]}`, `"a"`},
		{"the same either way", `{"Fn::If": ["Maybe", "a", "a"]}`, `"a"`},
		{"condition of a policy", `[{"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]`, `[{"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]`},
		{"find in map", `{"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Disk"]}`, `"large"`},
		{"find a list in map", `{"Fn::FindInMap": ["Sizes", "eu-west-1", "Zones"]}`, `["a","b"]`},
		{"find in map, default", `{"Fn::FindInMap": ["Sizes", "eu-west-1", "Other", {"DefaultValue": {"Ref": "Named"}}]}`, `"by default"`},
		{"base64", `{"Fn::Base64": {"Ref": "Fn"}}`, `"b3JkZXJz"`},
		{"zones", `{"Fn::GetAZs": ""}`, `["eu-west-1a","eu-west-1b","eu-west-1c"]`},
		{"zones of a region", `{"Fn::GetAZs": {"Ref": "AWS::Region"}}`, `["eu-west-1a","eu-west-1b","eu-west-1c"]`},
		{"subnets", `{"Fn::Cidr": ["10.0.1.9/24", 3, "5"]}`, `["10.0.1.0/27","10.0.1.32/27","10.0.1.64/27"]`},
		{"subnets of IPv6", `{"Fn::Cidr": ["2001:db8::/56", 2]}`, `["2001:db8::/64","2001:db8:0:1::/64"]`},
		{"length", `{"Fn::Length": {"Ref": "Names"}}`, `3`},
		{"JSON", `{"Fn::ToJsonString": {"b": "<${x}>", "a": [{"Ref": "Fn"}, 1]}}`, `"{\"a\":[\"orders\",1],\"b\":\"<${x}>\"}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			value, _ := resolved(t, tt.value)
			var got strings.Builder
			encoder := json.NewEncoder(&got)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(value); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(got.String()) != tt.want {
				t.Errorf("%s resolved to %s, want %s", tt.value, got.String(), tt.want)
			}
		})
	}
}

// What is not known stands in its place, with the reason, and spreads to what
// is made of it. It is a problem of nobody who does not read it.
func TestUnknowns(t *testing.T) {
	t.Parallel()
	const at = "S/V.Value"
	tests := []struct{ name, value, at, reason string }{
		{"no default", `{"Ref": "Open"}`, at, "parameter Open has no default"},
		{"stored value", `{"Ref": "Stored"}`, at, "parameter Stored stands for a stored value"},
		{"in a join", `{"Fn::Join": ["-", ["a", {"Ref": "Open"}]]}`, at + ".Fn::Join[1]", "parameter Open"},
		{"in a sub", `{"Fn::Sub": "a-${Open}"}`, at, "parameter Open"},
		{"in a split", `{"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "Open"}]}]}`, at + ".Fn::Select.Fn::Split", "parameter Open"},
		{"in base64", `{"Fn::Base64": {"Ref": "Open"}}`, at + ".Fn::Base64", "parameter Open"},
		{"in JSON", `{"Fn::ToJsonString": {"a": {"Ref": "Open"}}}`, at + ".Fn::ToJsonString.a", "parameter Open"},
		{"selected", `{"Fn::Select": [1, ["a", {"Ref": "Open"}]]}`, at + ".Fn::Select[1]", "parameter Open"},
		{"condition", `{"Fn::If": ["Maybe", "a", "b"]}`, at, "condition Maybe depends on what is not known here: parameter Open has no default"},
		{"its opposite", `{"Fn::If": ["MaybeNot", "a", "b"]}`, at, "condition MaybeNot depends"},
		{"and", `{"Fn::If": ["Perhaps", "a", "b"]}`, at, "condition Perhaps depends"},
		{"condition that nobody declares", `{"Fn::If": ["Other", "x", "y"]}`, at, "refers to the condition Other, which the template of S does not hold"},
		{"condition in a circle", `{"Fn::If": ["Circle", "x", "y"]}`, at, "in a circle: S/Conditions.Circle → S/Conditions.Circle"},
		{"malformed condition", `{"Fn::If": ["Malformed", "x", "y"]}`, at, "malformed condition"},
		{"condition that is a text", `{"Fn::If": ["Text", "x", "y"]}`, at, "malformed condition"},
		{"malformed if", `{"Fn::If": ["Yes", "x"]}`, at, "malformed Fn::If"},
		{"not in the map", `{"Fn::FindInMap": ["Sizes", "eu-west-1", "Other"]}`, at + ".Fn::FindInMap", "no mapping Sizes has eu-west-1.Other"},
		{"unknown key of a map", `{"Fn::FindInMap": ["Sizes", {"Ref": "Open"}, "Disk"]}`, at + ".Fn::FindInMap", "parameter Open"},
		{"subnets that do not fit", `{"Fn::Cidr": ["10.0.0.0/24", 9, 5]}`, at, "holds no 9 subnets"},
		{"subnets of nothing", `{"Fn::Cidr": ["10.0.0.0", 1, 5]}`, at, "malformed Fn::Cidr"},
		{"unknown function", `{"Fn::Other": "x"}`, at, "Fn::Other is not understood"},
		{"unknown reference", `{"Ref": "Nobody"}`, at, "refers to Nobody, which the template of S does not hold"},
		{"reference to what is not deployed", `{"Ref": "Gone"}`, at, "refers to Gone"},
		{"unknown attribute", `{"Fn::GetAtt": ["Fn", "Other"]}`, at, "attribute Other of AWS::Lambda::Function is not known here"},
		{"unknown attribute in sub", `{"Fn::Sub": "${Fn.Other}"}`, at, "attribute Other"},
		{"two names that refer to each other", `{"Ref": "Chicken"}`, "S/Chicken.TopicName", "in a circle: S/Egg.TopicName → S/Chicken.TopicName → S/Egg.TopicName"},
		{"select beyond the end", `{"Fn::Select": [2, ["a", "b"]]}`, at + ".Fn::Select", "malformed Fn::Select"},
		{"join of an object", `{"Fn::Join": ["", [{"a": "b"}]]}`, at + ".Fn::Join", "an object where a text is due"},
		{"malformed join", `{"Fn::Join": "x"}`, at, "malformed Fn::Join"},
		{"malformed sub", `{"Fn::Sub": ["x", "y"]}`, at, "malformed Fn::Sub"},
		{"malformed split", `{"Fn::Split": ["", "y"]}`, at + ".Fn::Split", "malformed Fn::Split"},
		{"malformed reference", `{"Ref": ["x"]}`, at, "malformed Ref"},
		{"malformed attribute", `{"Fn::GetAtt": "Fn"}`, at, "malformed Fn::GetAtt"},
		{"null", `null`, at, "null has no place"},
		{"a function beside other keys", `{"Fn::Join": ["", ["a"]], "b": "c"}`, at, "Fn::Join beside other keys is not understood"},
		{"a macro", `{"Fn::Transform": {"Name": "Mine", "Parameters": {}}}`, at, `Fn::Transform of "Mine" is not understood`},
		{"own output in a circle", `{"Fn::GetStackOutput": {"StackName": "S", "OutputName": "Out"}}`, "S.Outputs.Out", "in a circle"},
		{"output that is not deployed", `{"Fn::GetStackOutput": {"StackName": "S", "OutputName": "Gone"}}`, at, `stack S has no output "Gone"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			value, m := resolved(t, tt.value)
			u, ok := value.(assembly.Unknown)
			if !ok || u.At != tt.at || !strings.Contains(u.Reason, tt.reason) || u.Secret || u.Text != "" {
				t.Errorf("resolved to %+v, want an Unknown at %s with %q", value, tt.at, tt.reason)
			}
			if len(m.NotUnderstood) > 0 {
				t.Errorf("nobody has read it, and yet: %v", m.NotUnderstood)
			}
			if out, ok := m.Outputs["S"]["Out"]; ok {
				t.Errorf("the output is %q", out)
			}
		})
	}
}

// A secret shows as one, its value never.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const text = "{{resolve:secretsmanager:shop:SecretString:password}}"
	tests := []struct {
		name, value, text string
		secret            bool
	}{
		{"hidden parameter", `{"Ref": "Hidden"}`, "", true},
		{"hidden parameter in a text", `{"Fn::Sub": "postgres://shop:${Hidden}@db"}`, "", true},
		{"after what is unknown for another reason", `{"Fn::Sub": "${Open}:${Hidden}"}`, "", true},
		{"client secret", `{"Fn::GetAtt": ["Client", "ClientSecret"]}`, "", true},
		{"of the secrets manager", `"` + text + `"`, text, true},
		{"in a text", `"x` + text + `y"`, "x" + text + "y", true},
		{"joined", `{"Fn::Join": ["", ["{{resolve:secretsmanager:", "shop", ":SecretString:password}}"]]}`, text, true},
		{"joined with what is unknown", `{"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Open"}, ":x}}"]]}`, "{{resolve:secretsmanager::x}}", true},
		{"secure parameter", `"{{resolve:ssm-secure:name:1}}"`, "{{resolve:ssm-secure:name:1}}", true},
		{"parameter", `"{{resolve:ssm:name}}"`, "{{resolve:ssm:name}}", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			value, _ := resolved(t, tt.value)
			u, ok := value.(assembly.Unknown)
			if !ok || u.Secret != tt.secret || u.Text != tt.text || u.Reason == "" {
				t.Errorf("resolved to %+v", value)
			}
			if strings.Contains(u.Reason+u.Text, "planted-secret") {
				t.Error("the secret shows")
			}
		})
	}
}

// A value that a secret went into is a secret, whatever made it.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		`{"Ref": "Hidden"}`, `{"Ref": "Shouted"}`, `{"Fn::If": ["Has", {"Ref": "Hidden"}, ""]}`, `{"Fn::ToJsonString": {"a": {"Ref": "Open"}, "b": {"Ref": "Hidden"}}}`,
		`{"Fn::Select": [0, {"Fn::Split": [{"Ref": "Open"}, {"Ref": "Hidden"}]}]}`, `{"Fn::If": ["Has", "{{resolve:secretsmanager:x}}", ""]}`,
		`{"Fn::Sub": "a-${Hidden}"}`, `{"Fn::Join": ["", ["a", {"Ref": "Hidden"}]]}`, `{"Fn::Base64": {"Ref": "Hidden"}}`,
	} {
		m := read(t, [2]string{"Api", `{"Parameters": {"Hidden": {"Type": "String", "NoEcho": true, "Default": "planted"}, "Shouted": {"Type": "String", "NoEcho": "True", "Default": "planted"}, "Open": {"Type": "String"}},
			"Conditions": {"Has": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Hidden"}, ""]}]}},
			"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"V": ` + value + `}}}}}}`})
		if u := m.Functions[0].Unresolved["V"]; !u.Secret || strings.Contains(u.Text+u.Reason, "planted") {
			t.Errorf("%s is %+v", value, u)
		}
	}
}
