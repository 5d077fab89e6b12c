package assembly_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

func readRole(t *testing.T, stacks ...[2]string) (*assembly.Model, map[string]*assembly.Role) {
	t.Helper()
	m := read(t, stacks...)
	roles := map[string]*assembly.Role{}
	for _, role := range m.Roles {
		roles[role.LogicalID] = role
	}
	return m, roles
}

func policyNames(role *assembly.Role) []string {
	var out []string
	for _, p := range role.Policies {
		out = append(out, p.Name)
	}
	return out
}

const (
	invoke = `"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*"}]}`
	trust  = `"AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}`
)

// A policy belongs to a role wherever it says so: in the role, beside it, from
// either side, in another stack, and where AWS wrote it.
func TestRolePolicies(t *testing.T) {
	t.Parallel()
	m, roles := readRole(t,
		[2]string{"Shared", `{"Resources": {"Exported": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "exported", "Path": "/team/", ` + invoke + `}}},
			"Outputs": {"Arn": {"Value": {"Ref": "Exported"}, "Export": {"Name": "Shared:Arn"}}}}`},
		[2]string{"Api", `{"Resources": {
			"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "x", "Body": {"openapi": "3.0.1", "info": {"title": "x", "version": "1"}, "paths": {}}}},
			"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}},
			"Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/", "RoleName": "caller", ` + trust + `,
				"Policies": [{"PolicyName": "inline", ` + invoke + `}],
				"ManagedPolicyArns": [{"Ref": "Managed"}, {"Fn::ImportValue": "Shared:Arn"}, "arn:aws:iam::aws:policy/AdministratorAccess",
					"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/AWSDenyAll"]}},
			"Other": {"Type": "AWS::IAM::Role", "Properties": {` + trust + `}},
			"Beside": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "beside", "Roles": [{"Ref": "Role"}], ` + invoke + `}},
			"Single": {"Type": "AWS::IAM::RolePolicy", "Properties": {"PolicyName": "single", "RoleName": {"Ref": "Role"}, ` + invoke + `}},
			"Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "managed", "Roles": [{"Ref": "Other"}], ` + invoke + `}}}}`})
	role := roles["Role"]
	if got, want := policyNames(role), []string{"inline", "beside", "single", "managed", "exported", "AdministratorAccess", "service-role/AWSLambdaBasicExecutionRole"}; !sameSet(got, want) {
		t.Errorf("the role's policies are %v, want %v", got, want)
	}
	if role.Name != "caller" || role.ARN != "arn:aws:iam::111122223333:role/team/caller" {
		t.Errorf("the role is %s, %s", role.Name, role.ARN)
	}
	if want := []string{"arn:aws:iam::aws:policy/AWSDenyAll"}; !reflect.DeepEqual(role.Managed, want) {
		t.Errorf("unread policies are %v, want %v", role.Managed, want)
	}
	want := []iam.Statement{{Effect: iam.Allow, Actions: []string{"execute-api:Invoke"}, Resources: []string{"arn:aws:execute-api:*:*:*"}}}
	if !reflect.DeepEqual(role.Policies[0].Statements, want) {
		t.Errorf("the statements are %+v", role.Policies[0].Statements)
	}
	if got := role.Trust[0].Principals["Service"]; !reflect.DeepEqual(got, []string{"lambda.amazonaws.com"}) {
		t.Errorf("it trusts %v", got)
	}
	if got := policyNames(roles["Other"]); !reflect.DeepEqual(got, []string{"managed"}) {
		t.Errorf("the other role's policies are %v", got)
	}
	if problemsOf(m) != nil {
		t.Errorf("listed %q", problemsOf(m))
	}
}

func sameSet(a, b []string) bool {
	seen := map[string]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

// What is not read of roles is listed, and never grants.
func TestUnreadPolicies(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, resources, listed string }{
		{"malformed", `"Role": {"Type": "AWS::IAM::Role", "Properties": {` + trust + `, "Policies": [{"PolicyName": "x", "PolicyDocument": {"Statement": {"Effect": "Allow"}}}]}}`,
			"Api/Role.Policies[0].PolicyDocument: Statement[0]: either Action or NotAction is due; it counts as one that denies everything"},
		{"a principal", `"Role": {"Type": "AWS::IAM::Role", "Properties": {` + trust + `, "Policies": [{"PolicyName": "x", "PolicyDocument": {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::1:root"}}}}]}}`,
			"Api/Role.Policies[0].PolicyDocument: a statement names a principal, and a role's own policy must not; it counts as one that denies everything"},
		{"unknown trust", `"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Fn::ImportValue": "x"}}}`,
			"Api/Role.AssumeRolePolicyDocument: the policy is no object"},
		{"boundary", `"Role": {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": "arn", ` + trust + `}}`,
			"Api/Role: PermissionsBoundary is not read"},
		{"user", `"User": {"Type": "AWS::IAM::User", "Properties": {"Policies": [{"PolicyName": "x", ` + invoke + `}]}}`, "Api/User.Policies[0]: it lets a user or a group call APIs"},
		{"user of every ARN", `"User": {"Type": "AWS::IAM::User", "Properties": {"Policies": [{"PolicyName": "x", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:*"}]}}]}}`, "Api/User.Policies[0]: it lets a user or a group call APIs"},
		{"user of a bucket", `"User": {"Type": "AWS::IAM::User", "Properties": {"Policies": [{"PolicyName": "x", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::x"}]}}]}}`, ""},
		{"group", `"Policy": {"Type": "AWS::IAM::GroupPolicy", "Properties": {"PolicyName": "x", "GroupName": "staff", ` + invoke + `}}`, "Api/Policy: it lets staff call APIs"},
		{"foreign role", `"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "x", "Roles": ["theirs"], ` + invoke + `}}`, "Api/Policy: it lets theirs call APIs"},
		{"a user's queue", `"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "x", "Users": ["u"], ` + strings.Replace(invoke, "execute-api:Invoke", "sqs:*", 1) + `}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, roles := readRole(t, [2]string{"Api", `{"Resources": {` + tt.resources + `}}`})
			if got := strings.Join(problemsOf(m), "\n"); !strings.HasPrefix(got, tt.listed) || tt.listed == "" && got != "" || strings.Contains(got, "\n") {
				t.Errorf("listed %q, want %q", got, tt.listed)
			}
			if err := m.Servable(); err != nil {
				t.Errorf("not served: %v", err)
			}
			role := roles["Role"]
			if bounded := role != nil && role.Bounded; bounded != (tt.name == "boundary") {
				t.Errorf("bounded: %v", bounded)
			}
			if tt.name == "malformed" {
				got := iam.Evaluate(role.Policies[0].Statements, iam.Request{Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:eu-west-1:111122223333:a/b/GET/"})
				if got != iam.ExplicitDeny {
					t.Errorf("a policy that is not understood: %v", got)
				}
			}
		})
	}
}

// Part of a statement that is not known leaves the rest of it.
func TestUnknownInPolicy(t *testing.T) {
	t.Parallel()
	_, roles := readRole(t, [2]string{"Api", `{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {` + trust + `, "Policies": [{"PolicyName": "x",
		"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ["arn:aws:execute-api:*:*:a/*", {"Fn::ImportValue": "x"}]}]}}]}}}}`})
	if got, want := roles["Role"].Policies[0].Statements[0].Resources, []string{"arn:aws:execute-api:*:*:a/*", iam.Unknown}; !reflect.DeepEqual(got, want) {
		t.Errorf("the resources are %v, want %v", got, want)
	}
}
