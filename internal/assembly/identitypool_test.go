package assembly_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestIdentityPool(t *testing.T) {
	t.Parallel()
	m, err := model(t, write(t, [2]string{"S", `{"Resources": {
		"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}}},
		"Guest": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "guest", ` + trust + `}},
		"Visitors": {"Type": "AWS::Cognito::IdentityPool", "Metadata": {"aws:cdk:path": "App/Visitors"}, "Properties": {"AllowUnauthenticatedIdentities": true, "AllowClassicFlow": true, "IdentityPoolName": "visitors",
			"CognitoIdentityProviders": [{"ClientId": {"Ref": "Client"}, "ProviderName": {"Fn::GetAtt": ["Pool", "ProviderName"]}}],
			"SupportedLoginProviders": {"accounts.google.com": "id"}, "DeveloperProviderName": "own"}},
		"Closed": {"Type": "AWS::Cognito::IdentityPool", "Properties": {"AllowUnauthenticatedIdentities": false}},
		"Roles": {"Type": "AWS::Cognito::IdentityPoolRoleAttachment", "Properties": {"IdentityPoolId": {"Ref": "Visitors"},
			"Roles": {"unauthenticated": {"Fn::GetAtt": ["Guest", "Arn"]}, "authenticated": "arn:aws:iam::111122223333:role/users"},
			"RoleMappings": {"x": {"Type": "Token"}}}},
		"Tags": {"Type": "AWS::Cognito::IdentityPoolPrincipalTag", "Properties": {"IdentityPoolId": {"Ref": "Visitors"}}}}}`}), "")
	if err != nil {
		t.Fatal(err)
	}
	closed, visitors := m.IdentityPools[0], *m.IdentityPools[1]
	if closed.Guests || closed.GuestRoleARN != "" || closed.ClientIDs != nil {
		t.Errorf("the closed pool is %+v", closed)
	}
	if !strings.HasPrefix(visitors.ID, "eu-west-1:") || len(visitors.ID) != len("eu-west-1:")+36 {
		t.Errorf("the id is %s", visitors.ID)
	}
	visitors.ID = ""
	want := assembly.IdentityPool{
		Place: assembly.Place{Stack: "S", LogicalID: "Visitors", Path: "App/Visitors"}, Name: "visitors", Guests: true, Classic: true,
		GuestRoleARN: "arn:aws:iam::111122223333:role/guest", UserRoleARN: "arn:aws:iam::111122223333:role/users",
		ClientIDs: []string{m.UserPools[0].Clients[0].ID}, Providers: []string{"accounts.google.com", "own"},
	}
	if !reflect.DeepEqual(visitors, want) {
		t.Errorf("got  %+v\nwant %+v", visitors, want)
	}
	if got := problemsOf(m); len(got) != 2 || !strings.HasPrefix(got[0], "S/Roles: RoleMappings are not read") || !strings.HasPrefix(got[1], "S/Tags: principal tags are not read") {
		t.Errorf("listed %q", got)
	}
	if err := m.Servable(); err != nil {
		t.Errorf("not served: %v", err)
	}
}
