package assembly_test

import (
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const source = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/x"

// A permission grants exactly what it names; one with a condition that cannot
// be checked grants nothing, and is still there to be seen.
func TestPermissionConditions(t *testing.T) {
	t.Parallel()
	const fn = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	tests := []struct {
		name, properties string
		target           string
		may              bool
		condition        string
	}{
		{"by ARN", `"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]}, "SourceArn": "arn:aws:execute-api:eu-west-1:111122223333:abc/*/GET/*"`, fn, true, ""},
		{"an alias", `"FunctionName": {"Ref": "Alias"}`, fn + ":live", true, ""},
		{"an alias, for the function", `"FunctionName": {"Ref": "Alias"}`, fn, false, ""},
		{"the function, for an alias", `"FunctionName": {"Ref": "Fn"}`, fn + ":live", false, ""},
		{"another API", `"FunctionName": "orders", "SourceArn": "arn:aws:execute-api:eu-west-1:111122223333:other/*"`, fn, false, ""},
		{"another account", `"FunctionName": "orders", "SourceAccount": "999988887777"`, fn, false, "SourceAccount 999988887777"},
		{"organization", `"FunctionName": "orders", "PrincipalOrgID": "o-1"`, fn, false, "PrincipalOrgID"},
		{"token", `"FunctionName": "orders", "EventSourceToken": "t", "FunctionUrlAuthType": "NONE"`, fn, false, "EventSourceToken, FunctionUrlAuthType"},
		{"unknown source", `"FunctionName": "orders", "SourceArn": {"Fn::ImportValue": "x"}`, fn, false, "SourceArn"},
		{"malformed source", `"FunctionName": "orders", "SourceArn": []`, fn, false, "SourceArn"},
		{"unknown function", `"FunctionName": {"Fn::ImportValue": "x"}`, fn, false, "FunctionName"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := model(t, write(t, [2]string{"S", `{"Resources": {
				"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "orders", "Role": "r"}},
				"Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
				"Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Fn"}, "Name": "live", "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]}}},
				"Permission": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", ` + tt.properties + `}}}}`}), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := m.MayInvoke(tt.target, "apigateway.amazonaws.com", source); got != tt.may {
				t.Errorf("may invoke: %t", got)
			}
			if m.MayInvoke(tt.target, "events.amazonaws.com", source) {
				t.Error("another service may invoke")
			}
			if got := m.Permissions[0].Condition; got != tt.condition {
				t.Errorf("the condition is %q, want %q", got, tt.condition)
			}
			if m.Function(tt.target) != m.Functions[0] || m.Function(fn+"s") != nil {
				t.Errorf("%s names %v", tt.target, m.Function(tt.target))
			}
			if err := m.Servable(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A variable whose value is known on AWS only is told from one without a value.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	m, err := model(t, write(t, [2]string{"S", `{"Parameters": {"Key": {"Type": "String", "NoEcho": true, "Default": "planted-secret"}},
		"Resources": {"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::ImportValue": "x"}, "Code": {"ImageUri": "i"}, "Timeout": 30, "Environment": {"Variables": {
			"TABLE": "orders", "DAYS": 7, "KEY": {"Ref": "Key"}, "PASSWORD": "{{resolve:secretsmanager:db:SecretString:password}}",
			"URL": "https://{{resolve:ssm:host}}/", "ELSEWHERE": {"Fn::ImportValue": "x"}}}}}}}`}), "")
	if err != nil {
		t.Fatal(err)
	}
	f := m.Functions[0]
	if want := map[string]string{"TABLE": "orders", "DAYS": "7"}; !reflect.DeepEqual(f.Environment, want) {
		t.Errorf("the environment is %v", f.Environment)
	}
	for name, want := range map[string]struct {
		secret bool
		text   string
	}{
		"KEY": {true, ""}, "PASSWORD": {true, "{{resolve:secretsmanager:db:SecretString:password}}"},
		"URL": {false, "https://{{resolve:ssm:host}}/"}, "ELSEWHERE": {false, ""},
	} {
		if got, ok := f.Unresolved[name]; !ok || got.Secret != want.secret || got.Text != want.text {
			t.Errorf("%s is %+v", name, got)
		}
	}
	if err := m.Servable(); err != nil {
		t.Errorf("not served: %v", err)
	}
	if m.Function("arn:aws:lambda:eu-west-1:111122223333:function:other") != (*assembly.Function)(nil) {
		t.Error("another function is found")
	}
}
