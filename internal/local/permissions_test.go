package local

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// A function that lacks a permission hears so from its AWS SDK, on this machine
// as on AWS. The stage's other route is behind a TOKEN authorizer, which is a
// function of this machine, too.
func TestPermissionsOfFunctions(t *testing.T) {
	t.Parallel()
	out, log := &started{done: make(chan struct{})}, &bytes.Buffer{}
	const (
		reader   = "User: arn:aws:sts::000000000000:assumed-role/reader/gatewright is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:000000000000:table/kept because no identity-based policy allows the dynamodb:PutItem action"
		stranger = "(locally arn:aws:iam::000000000000:role/imported may do nothing: the role is none of the stage's"
	)
	t.Cleanup(func() {
		for _, want := range []string{`"reason":"AccessDeniedException: ` + reader + `"`, stranger} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("the log has no line, or more than one, with %s:\n%s", want, log)
			}
		}
	})
	p := &plain{Ready: start(t, Config{Assembly: "testdata/keeping", AppDir: "../.."}, out, log)}
	for _, test := range []struct {
		method, path, token string
		status              int
		body                string
	}{
		{"GET", "/kept", "open", 200, "done"},
		{"GET", "/kept", "open", 200, "done"},
		{"GET", "/kept", "shut", 403, "with an explicit deny"},
		{"GET", "/kept", "Open", 401, "Unauthorized"},
		{"GET", "/kept", "", 401, "Unauthorized"},
		{"PUT", "/kept", "", 500, "AccessDeniedException: " + reader},
		{"GET", "/stranger", "", 500, stranger},
	} {
		header := map[string]string{}
		if test.token != "" {
			header["X-Token"] = test.token
		}
		if status, body, _ := p.send(t, test.method, test.path, header); status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s %s with %q: got %d %s, want %d %s", test.method, test.path, test.token, status, body, test.status, test.body)
		}
	}
}

// What a role may do is known whole or not at all.
func TestPoliciesOfRoles(t *testing.T) {
	t.Parallel()
	allow := assembly.Policy{Name: "all", Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}}}}
	misread := assembly.Policy{
		Name: "odd", Place: assembly.Place{Path: "App/Odd"},
		Statements: []iam.Statement{{Effect: iam.Deny, Actions: []string{iam.Unknown}, Resources: []string{iam.Unknown}}},
	}
	vague := assembly.Policy{Name: "vague", Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{iam.Unknown}, Resources: []string{iam.Unknown}}}}
	denied := assembly.Policy{Name: "some", Statements: []iam.Statement{{Effect: iam.Deny, Actions: []string{"s3:*"}, Resources: []string{iam.Unknown}}}}
	s := &stage{model: &assembly.Model{Roles: []*assembly.Role{
		{ARN: "known", Policies: []assembly.Policy{allow, vague, denied}},
		{ARN: "none"},
		{ARN: "misread", Policies: []assembly.Policy{allow, misread}},
		{ARN: "managed", Policies: []assembly.Policy{allow}, Managed: []string{"arn:a", "arn:b"}},
		{ARN: "bounded", Policies: []assembly.Policy{allow}, Bounded: true},
	}}}
	for role, want := range map[string]string{
		"known":    "",
		"none":     "",
		"misread":  "its policy odd (App/Odd) is not understood",
		"managed":  "the text of its managed policies is not known here: arn:a, arn:b; write what they allow in the app",
		"bounded":  "its permissions boundary is not read",
		"imported": "the role is none of the stage's, so its policies are not known; declare it in the app",
		"":         "the role is none of the stage's, so its policies are not known; declare it in the app",
	} {
		statements, unknown := s.policies(role)
		if unknown != want || role == "known" && len(statements) != 3 {
			t.Errorf("%s: %d statements, %q; want %q", role, len(statements), unknown, want)
		}
	}
}
