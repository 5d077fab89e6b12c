package awsapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
	"github.com/gatewright/gatewright/internal/local/cognito/idp"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// policies gives the test's role statements, and no other role anything.
func policies(t *testing.T, statements string) func(string) ([]iam.Statement, string) {
	t.Helper()
	parsed, err := iam.ParsePolicy(`{"Version": "2012-10-17", "Statement": [` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return func(arn string) ([]iam.Statement, string) {
		if arn != roleARN {
			return nil, "none of ours"
		}
		return parsed, ""
	}
}

// permitted serves two tables and a user pool API to a role with the statements.
func permitted(t *testing.T, log io.Writer, policies func(string) ([]iam.Statement, string)) *awsapi.Endpoint {
	t.Helper()
	key := assembly.TableKey{Hash: "owner"}
	notes := &assembly.Table{
		Name: "notes", OnDemand: true, Attributes: map[string]string{"owner": "S", "day": "S"}, Key: key,
		Indexes: []assembly.TableIndex{{Name: "by-day", Key: assembly.TableKey{Hash: "day"}, Projection: "ALL"}},
	}
	service, err := tables.New([]*assembly.Table{notes, {Name: "other", OnDemand: true, Attributes: map[string]string{"owner": "S"}, Key: key}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := awsapi.New(awsapi.Config{
		Account: account, Region: region, Log: slog.New(slog.NewJSONHandler(log, nil)), Policies: policies,
		Services: map[string]awsapi.Service{"dynamodb": service, "cognito-idp": idp.New(map[string]*directory.Directory{})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// call sends an operation as a caller and returns the error's type and message.
func call(t *testing.T, e *awsapi.Endpoint, as iam.Credential, action, body string) (status int, code, message string) {
	t.Helper()
	service, operation, _ := strings.Cut(action, ":")
	target := map[string]string{"dynamodb": "DynamoDB_20120810.", "cognito-idp": "AWSCognitoIdentityProviderService."}[service]
	w := request{
		header: map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target + operation},
		body:   body, as: as, service: service, at: time.Now(),
	}.send(t, e)
	var failure struct {
		Type    string `json:"__type"`
		Message string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &failure); err != nil {
		t.Fatalf("%s: %s", action, w.Body)
	}
	return w.Code, failure.Type[strings.LastIndexByte(failure.Type, '#')+1:], failure.Message
}

const (
	tableARN = "arn:aws:dynamodb:eu-west-1:000000000000:table/notes"
	poolARN  = "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_Pool"
	get      = `{"TableName": "notes", "Key": {"owner": {"S": "a"}}}`
	query    = `{"TableName": "notes", "IndexName": "by-day", "KeyConditionExpression": "#d = :d", "ExpressionAttributeNames": {"#d": "day"}, "ExpressionAttributeValues": {":d": {"S": "x"}}}`
	batch    = `{"RequestItems": {"notes": [{"PutRequest": {"Item": {"owner": {"S": "a"}}}}], "other": [{"PutRequest": {"Item": {"owner": {"S": "a"}}}}]}}`
)

func allow(action, resource string) string {
	return `{"Effect": "Allow", "Action": "` + action + `", "Resource": "` + resource + `"}`
}

// A role may do what its policies allow, on every resource of an operation.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const elsewhere = "arn:aws:dynamodb:eu-west-1:000000000000:table/other"
	condition := func(operator, key, value string) string {
		return `{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": {"` + operator + `": {"` + key + `": "` + value + `"}}}`
	}
	for name, test := range map[string]struct {
		statements, action, body string
		resource                 string // that is not allowed; empty where the operation runs
		explicit                 bool
	}{
		"allowed":                 {allow("dynamodb:GetItem", tableARN), "dynamodb:GetItem", get, "", false},
		"by wildcards":            {allow("dynamodb:*Item", "arn:aws:dynamodb:*:*:table/no*"), "dynamodb:GetItem", get, "", false},
		"nothing":                 {"", "dynamodb:GetItem", get, tableARN, false},
		"another action":          {allow("dynamodb:PutItem", tableARN), "dynamodb:GetItem", get, tableARN, false},
		"another table":           {allow("dynamodb:*", elsewhere), "dynamodb:GetItem", get, tableARN, false},
		"another Region":          {allow("dynamodb:*", strings.Replace(tableARN, "eu-west-1", "us-east-1", 1)), "dynamodb:GetItem", get, tableARN, false},
		"another account":         {allow("dynamodb:*", strings.Replace(tableARN, account, "111122223333", 1)), "dynamodb:GetItem", get, tableARN, false},
		"another service":         {allow("cognito-idp:*", "*"), "dynamodb:GetItem", get, tableARN, false},
		"denied":                  {allow("*", "*") + `, {"Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": "` + tableARN + `"}`, "dynamodb:GetItem", get, tableARN, true},
		"perhaps denied":          {allow("*", "*") + `, {"Effect": "Deny", "Action": "` + iam.Unknown + `", "Resource": "*"}`, "dynamodb:GetItem", get, tableARN, true},
		"a table that is not":     {allow("dynamodb:*", tableARN), "dynamodb:GetItem", strings.Replace(get, "notes", "none", 1), strings.Replace(tableARN, "notes", "none", 1), false},
		"describe":                {allow("dynamodb:DescribeTable", tableARN), "dynamodb:DescribeTable", `{"TableName": "notes"}`, "", false},
		"list":                    {allow("dynamodb:ListTables", "*"), "dynamodb:ListTables", `{}`, "", false},
		"list, a table named":     {allow("dynamodb:*", tableARN), "dynamodb:ListTables", `{"TableName": "notes"}`, "*", false},
		"list, one table":         {allow("dynamodb:ListTables", tableARN), "dynamodb:ListTables", `{}`, "*", false},
		"index":                   {allow("dynamodb:Query", tableARN+"/index/*"), "dynamodb:Query", query, "", false},
		"index, only the table":   {allow("dynamodb:Query", tableARN), "dynamodb:Query", query, tableARN + "/index/by-day", false},
		"scan of an index":        {allow("dynamodb:Scan", tableARN), "dynamodb:Scan", `{"TableName": "notes", "IndexName": "by-day"}`, tableARN + "/index/by-day", false},
		"batch":                   {allow("dynamodb:BatchWriteItem", "arn:aws:dynamodb:*:*:table/*"), "dynamodb:BatchWriteItem", batch, "", false},
		"batch, one of two":       {allow("dynamodb:BatchWriteItem", tableARN), "dynamodb:BatchWriteItem", batch, elsewhere, false},
		"batch, only single puts": {allow("dynamodb:PutItem", "*"), "dynamodb:BatchWriteItem", batch, tableARN, false},
		"batch of nothing":        {allow("dynamodb:*", tableARN), "dynamodb:BatchWriteItem", `{"RequestItems": {}}`, "*", false},
		"a batch said twice":      {allow("dynamodb:BatchWriteItem", elsewhere), "dynamodb:BatchWriteItem", `{"RequestItems": {"notes": []}, ` + batch[1:], tableARN, false},
		"no table":                {allow("dynamodb:*", tableARN), "dynamodb:GetItem", `{}`, "*", false},
		"no name of a table":      {allow("dynamodb:*", tableARN), "dynamodb:GetItem", strings.Replace(get, "notes", "notes/x", 1), "*", false},
		"no JSON":                 {allow("dynamodb:*", tableARN), "dynamodb:GetItem", `{`, "*", false},
		"the caller's role":       {condition("ArnEquals", "aws:PrincipalArn", roleARN), "dynamodb:GetItem", get, "", false},
		"another role":            {condition("ArnEquals", "aws:PrincipalArn", roleARN+"2"), "dynamodb:GetItem", get, tableARN, false},
		"the caller's address":    {condition("IpAddress", "aws:SourceIp", "192.0.2.0/24"), "dynamodb:GetItem", get, "", false},
		"another address":         {condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"), "dynamodb:GetItem", get, tableARN, false},
		"the Region asked":        {condition("StringEquals", "aws:RequestedRegion", region), "dynamodb:GetItem", get, "", false},
		"the account":             {condition("StringEquals", "aws:PrincipalAccount", account), "dynamodb:GetItem", get, "", false},
		"no user":                 {condition("Null", "aws:username", "true"), "dynamodb:GetItem", get, "", false},
		"a key that is not known": {condition("ForAllValues:StringEquals", "dynamodb:LeadingKeys", "a"), "dynamodb:GetItem", get, tableARN, false},

		"a pool":           {allow("cognito-idp:AdminGetUser", poolARN), "cognito-idp:AdminGetUser", `{"UserPoolId": "eu-west-1_Pool"}`, "", false},
		"another pool":     {allow("cognito-idp:AdminGetUser", poolARN+"2"), "cognito-idp:AdminGetUser", `{"UserPoolId": "eu-west-1_Pool"}`, poolARN, false},
		"no pool":          {allow("cognito-idp:*", poolARN), "cognito-idp:AdminGetUser", `{"Username": "a"}`, "*", false},
		"no id of a pool":  {allow("cognito-idp:*", poolARN), "cognito-idp:AdminGetUser", `{"UserPoolId": "a:b"}`, "*", false},
		"every pool":       {allow("cognito-idp:ListUserPools", "*"), "cognito-idp:ListUserPools", `{"MaxResults": 1}`, "", false},
		"every pool, one":  {allow("cognito-idp:ListUserPools", poolARN), "cognito-idp:ListUserPools", `{"MaxResults": 1, "UserPoolId": "eu-west-1_Pool"}`, "*", false},
		"for anybody":      {"", "cognito-idp:SignUp", `{}`, "", false},
		"denied to no use": {`{"Effect": "Deny", "Action": "*", "Resource": "*"}`, "cognito-idp:InitiateAuth", `{}`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			e := permitted(t, &log, policies(t, test.statements))
			status, code, message := call(t, e, e.RoleCredential(roleARN), test.action, test.body)
			if test.resource == "" {
				if code == "AccessDeniedException" || status >= 500 {
					t.Errorf("got %d %s: %s", status, code, message)
				}
				return
			}
			want := "User: arn:aws:sts::000000000000:assumed-role/notes-role/gatewright is not authorized to perform: " + test.action + " on resource: " + test.resource
			if test.explicit {
				want += " with an explicit deny in an identity-based policy"
			} else {
				want += " because no identity-based policy allows the " + test.action + " action"
			}
			if status != http.StatusBadRequest || code != "AccessDeniedException" || message != want {
				t.Errorf("got %d %s: %s\nwant %s", status, code, message, want)
			}
			var line struct{ Decision, Reason string }
			if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Decision != "deny" || line.Reason != "AccessDeniedException: "+want {
				t.Errorf("logged %s", log.String())
			}
		})
	}
}

// While something of a role is not known, it may do nothing, and the error and
// the log say what.
func TestUnknownPolicies(t *testing.T) {
	t.Parallel()
	everything := policies(t, allow("*", "*"))
	for name, test := range map[string]struct {
		policies func(string) ([]iam.Statement, string)
		role     string
		want     string
	}{
		"of a role's policies": {func(arn string) ([]iam.Statement, string) {
			statements, _ := everything(arn)
			return statements, "one is not read"
		}, roleARN, roleARN + " may do nothing: one is not read)"},
		"of another role":  {everything, roleARN + "2", roleARN + "2 may do nothing: none of ours)"},
		"of anything here": {nil, roleARN, roleARN + " may do nothing: no policies are known)"},
	} {
		var log bytes.Buffer
		e := permitted(t, &log, test.policies)
		status, code, message := call(t, e, e.RoleCredential(test.role), "dynamodb:GetItem", get)
		if status != http.StatusBadRequest || code != "AccessDeniedException" || !strings.HasSuffix(message, test.want) || !strings.Contains(log.String(), test.want) {
			t.Errorf("%s: %d %s: %s", name, status, code, message)
		}
	}
}

// The operator has no policies and may do everything; nobody needs a permission
// to ask who they are; what is not served is no question of permission.
func TestNoPermissionNeeded(t *testing.T) {
	t.Parallel()
	e := permitted(t, io.Discard, nil)
	if status, code, message := call(t, e, e.Operator(), "dynamodb:GetItem", get); status != http.StatusOK {
		t.Errorf("the operator: %d %s: %s", status, code, message)
	}
	w := who(e.RoleCredential(roleARN))
	w.at = time.Now()
	if answer := w.send(t, e); answer.Code != http.StatusOK {
		t.Errorf("GetCallerIdentity: %d %s", answer.Code, answer.Body)
	}
	for _, action := range []string{"dynamodb:CreateTable", "cognito-idp:CreateUserPool"} {
		if status, code, _ := call(t, e, e.RoleCredential(roleARN), action, `{}`); status != http.StatusNotImplemented || code != "UnknownOperationException" {
			t.Errorf("%s: %d %s", action, status, code)
		}
	}
}
