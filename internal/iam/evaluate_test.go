package iam

import (
	"fmt"
	"testing"
)

const (
	route      = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/orders/7"
	roleARN    = "arn:aws:iam::111122223333:role/partner"
	sessionARN = "arn:aws:sts::111122223333:assumed-role/partner/s"
)

func evaluate(t *testing.T, statements string, r Request) Decision {
	t.Helper()
	parsed, err := ParsePolicy(`{"Version": "2012-10-17", "Statement": [` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	if r.Action == "" {
		r.Action = "execute-api:Invoke"
	}
	if r.Resource == "" {
		r.Resource = route
	}
	return Evaluate(parsed, r)
}

const (
	allow = `{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:abc/live/GET/*"}`
	deny  = `{"Effect": "Deny", "Action": "execute-api:*", "Resource": "*"}`
)

// "Policy evaluation logic", "IAM JSON policy elements: NotAction" and "…:
// NotResource", IAM user guide.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, statements string
		want             Decision
	}{
		{"nothing", ``, NoMatch},
		{"allow", allow, Allowed},
		{"deny wins behind it", allow + "," + deny, ExplicitDeny},
		{"deny wins before it", deny + "," + allow, ExplicitDeny},
		{"another action", `{"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"}`, NoMatch},
		{"another resource", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/live/POST/*"}`, NoMatch},
		{"deny of another resource", allow + `, {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/live/POST/*"}`, Allowed},
		{"all but another action", `{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`, Allowed},
		{"all but this action", `{"Effect": "Allow", "NotAction": "execute-api:*", "Resource": "*"}`, NoMatch},
		{"all but another resource", `{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:other/*"}`, Allowed},
		{"all but this resource", `{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:abc/*"}`, NoMatch},
		{"deny all but this resource", allow + `, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:abc/*"}`, Allowed},
		{"deny all but another resource", allow + `, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:other/*"}`, ExplicitDeny},
		{"no resource", `{"Effect": "Allow", "Action": "*"}`, NoMatch},
		{"no actions", `{"Effect": "Allow", "Action": [], "Resource": "*"}`, NoMatch},
		{"unknown resource", `{"Effect": "Allow", "Action": "*", "Resource": "` + Unknown + `"}`, NoMatch},
		{"unknown resource beside a known one", `{"Effect": "Allow", "Action": "*", "Resource": ["` + Unknown + `", "*"]}`, Allowed},
		{"all but an unknown resource", `{"Effect": "Allow", "Action": "*", "NotResource": "` + Unknown + `"}`, NoMatch},
		{"unknown action", `{"Effect": "Allow", "Action": "` + Unknown + `", "Resource": "*"}`, NoMatch},
		{"deny of an unknown resource", allow + `, {"Effect": "Deny", "Action": "*", "Resource": "` + Unknown + `"}`, ExplicitDeny},
		{"deny of an unknown action", allow + `, {"Effect": "Deny", "Action": "` + Unknown + `", "Resource": "*"}`, ExplicitDeny},
		{"deny of all but an unknown resource", allow + `, {"Effect": "Deny", "Action": "*", "NotResource": "` + Unknown + `"}`, ExplicitDeny},
		{"deny of an unknown resource, another action", allow + `, {"Effect": "Deny", "Action": "s3:*", "Resource": "` + Unknown + `"}`, Allowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := evaluate(t, tt.statements, Request{}); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.statements, got, tt.want)
			}
		})
	}
}

// Older policies have no variables: what looks like one stands for itself. What is
// not known stays unknown.
func TestOlderVersionsHaveNoVariables(t *testing.T) {
	t.Parallel()
	const (
		arn   = "arn:aws:dynamodb:eu-west-1:000000000000:table/"
		all   = `{"Effect": "Allow", "Action": "*", "Resource": "*"}`
		own   = `{"Effect": "Allow", "Action": "*", "Resource": "` + arn + `${aws:PrincipalAccount}"}`
		but   = all + `, {"Effect": "Deny", "Action": "*", "NotResource": "` + arn + `${aws:PrincipalAccount}"}`
		where = `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}}`
	)
	for _, tt := range []struct {
		statements, resource string
		now, before          Decision
	}{
		{own, arn + "000000000000", Allowed, NoMatch},
		{own, arn + "${aws:PrincipalAccount}", NoMatch, Allowed},
		{but, arn + "000000000000", Allowed, ExplicitDeny},
		{where, arn + "x", Allowed, NoMatch},
		{`{"Effect": "Allow", "Action": "*", "Resource": "` + arn + Unknown + `"}`, arn + Unknown, NoMatch, NoMatch},
		{all + `, {"Effect": "Deny", "Action": "*", "Resource": "` + arn + Unknown + `"}`, arn + "x", ExplicitDeny, ExplicitDeny},
	} {
		for version, want := range map[string]Decision{`"Version": "2012-10-17", `: tt.now, `"Version": "2008-10-17", `: tt.before, ``: tt.before} {
			statements, err := ParsePolicy(`{` + version + `"Statement": [` + tt.statements + `]}`)
			if err != nil {
				t.Fatal(err)
			}
			r := Request{Action: "dynamodb:GetItem", Resource: tt.resource, Context: map[string][]string{"aws:PrincipalAccount": {"000000000000"}}}
			if got := Evaluate(statements, r); got != want {
				t.Errorf("%s%s of %s: %v, want %v", version, tt.statements, tt.resource, got, want)
			}
		}
	}
}

// Whether a colon in a path bounds a * or a ? is not said: so a Deny covers it, and
// an Allow does not.
func TestColonInThePath(t *testing.T) {
	t.Parallel()
	const api = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/"
	all := `{"Effect": "Allow", "Action": "*", "Resource": "` + api + `*"}`
	for _, pattern := range []string{"GET/admin/*/delete", "*/admin/*/delete", "GET/admin/?????/delete"} {
		listed := `"` + api + pattern + `"`
		for path, want := range map[string][4]Decision{
			"GET/admin/abcde/delete": {ExplicitDeny, NoMatch, Allowed, Allowed},
			"GET/admin/ab:de/delete": {ExplicitDeny, NoMatch, NoMatch, ExplicitDeny},
			"GET/admin/abcde/read":   {Allowed, Allowed, NoMatch, ExplicitDeny},
		} {
			for i, statements := range []string{
				all + `, {"Effect": "Deny", "Action": "*", "Resource": ` + listed + `}`,
				`{"Effect": "Allow", "Action": "*", "NotResource": ` + listed + `}`,
				`{"Effect": "Allow", "Action": "*", "Resource": ` + listed + `}`,
				all + `, {"Effect": "Deny", "Action": "*", "NotResource": ` + listed + `}`,
			} {
				if got := evaluate(t, statements, Request{Resource: api + path}); got != want[i] {
					t.Errorf("%s of %s: %v, want %v", statements, path, got, want[i])
				}
			}
		}
	}
	// The first five parts are bounded all the same, whatever a caller writes.
	deny := all + `, {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:execute-api:eu-*-9:111122223333:abc/*"}`
	if got := evaluate(t, deny, Request{Resource: api + "GET/x-9:111122223333:abc/y"}); got != Allowed {
		t.Errorf("a * within the Region reached into the path: %v", got)
	}
}

// "AWS JSON policy elements: Principal" and "…: NotPrincipal", IAM user guide.
func TestEvaluatePrincipals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		element string
		effect  string
		anyone  Decision // who does not sign
		partner Decision // who signs as the role
	}{
		{`"Principal": "*"`, Allow, Allowed, Allowed},
		{`"Principal": {"AWS": "*"}`, Allow, Allowed, Allowed},
		{`"Principal": {"AWS": "` + roleARN + `"}`, Allow, NoMatch, Allowed},
		{`"Principal": {"AWS": ["arn:aws:iam::1:role/x", "` + sessionARN + `"]}`, Allow, NoMatch, Allowed},
		{`"Principal": {"AWS": "arn:aws:iam::111122223333:role/other"}`, Allow, NoMatch, NoMatch},
		{`"Principal": {"AWS": "111122223333"}`, Allow, NoMatch, NoMatch}, // the account's own policies decide
		{`"Principal": {"AWS": "arn:aws:iam::111122223333:root"}`, Allow, NoMatch, NoMatch},
		{`"Principal": {"AWS": ""}`, Allow, NoMatch, NoMatch},
		{`"Principal": {"Service": "apigateway.amazonaws.com"}`, Allow, NoMatch, NoMatch},
		{`"Principal": {"AWS": "` + Unknown + `"}`, Allow, NoMatch, NoMatch},
		{`"NotPrincipal": {"AWS": "arn:aws:iam::1:role/x"}`, Allow, NoMatch, NoMatch},
		{`"Principal": "*"`, Deny, ExplicitDeny, ExplicitDeny},
		{`"Principal": {"AWS": "` + roleARN + `"}`, Deny, NoMatch, ExplicitDeny},
		{`"Principal": {"AWS": "111122223333"}`, Deny, NoMatch, ExplicitDeny},
		{`"Principal": {"AWS": "arn:aws:iam::111122223333:root"}`, Deny, NoMatch, ExplicitDeny},
		{`"Principal": {"AWS": "444455556666"}`, Deny, NoMatch, NoMatch},
		{`"Principal": {"AWS": "` + Unknown + `"}`, Deny, ExplicitDeny, ExplicitDeny},
		{`"NotPrincipal": {"AWS": "` + roleARN + `"}`, Deny, ExplicitDeny, ExplicitDeny},
		{`"NotPrincipal": {"AWS": ["` + roleARN + `", "` + sessionARN + `", "111122223333"]}`, Deny, ExplicitDeny, NoMatch},
		{`"NotPrincipal": {"AWS": ["` + roleARN + `", "` + sessionARN + `", "` + Unknown + `"]}`, Deny, ExplicitDeny, ExplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.effect+" "+tt.element, func(t *testing.T) {
			t.Parallel()
			statement := fmt.Sprintf(`{"Effect": %q, "Action": "*", "Resource": "*", %s}`, tt.effect, tt.element)
			if got := evaluate(t, statement, Request{}); got != tt.anyone {
				t.Errorf("anyone: %v, want %v", got, tt.anyone)
			}
			if got := evaluate(t, statement, Request{Principals: []string{sessionARN, roleARN}}); got != tt.partner {
				t.Errorf("partner: %v, want %v", got, tt.partner)
			}
		})
	}
}

// "IAM JSON policy elements: Condition operators", "Multivalued context keys"
// and "IAM policy elements: Variables and tags", IAM user guide. The keys k and
// many are there, gone is known to be absent, and nothing is known of any other.
func TestConditions(t *testing.T) {
	t.Parallel()
	context := map[string][]string{
		"K": {"Value"}, "many": {"a", "b"}, "gone": {}, "none": {},
		"aws:SourceIp": {"192.0.2.7"}, "aws:SecureTransport": {"true"}, "aws:username": {"a*"}, "aws:PrincipalArn": {roleARN},
	}
	const holds, fails, unknown = "holds", "fails", "is unknown"
	tests := []struct{ operator, key, values, want string }{
		{"StringEquals", "k", `"Value"`, holds},
		{"StringEquals", "k", `["x", "Value"]`, holds},
		{"StringEquals", "k", `"value"`, fails},
		{"StringEquals", "k", `"V*"`, fails},
		{"StringEquals", "k", `[]`, fails},
		{"StringEquals", "gone", `"x"`, fails},
		{"StringEquals", "other", `"x"`, unknown},
		{"StringEquals", "many", `"a"`, unknown},
		{"StringEqualsIgnoreCase", "k", `"VALUE"`, holds},
		{"StringEqualsIfExists", "gone", `"x"`, holds},
		{"StringEqualsIfExists", "k", `"x"`, fails},
		{"StringEqualsIfExists", "other", `"x"`, unknown},
		{"StringNotEquals", "k", `"x"`, holds},
		{"StringNotEquals", "k", `["x", "Value"]`, fails},
		{"StringNotEquals", "gone", `"x"`, holds},
		{"StringNotEqualsIgnoreCase", "k", `"VALUE"`, fails},
		{"StringLike", "k", `"V?l*"`, holds},
		{"StringLike", "k", `"v*"`, fails},
		{"StringNotLike", "k", `"V*"`, fails},
		{"StringNotLike", "k", `"x*"`, holds},
		{"ForAnyValue:StringEquals", "many", `["x", "b"]`, holds},
		{"ForAnyValue:StringEquals", "many", `"x"`, fails},
		{"ForAnyValue:StringEquals", "gone", `"x"`, fails},
		{"ForAnyValue:StringNotEquals", "many", `"a"`, holds},
		{"ForAnyValue:StringNotEquals", "gone", `"a"`, fails},
		{"ForAllValues:StringEquals", "many", `["a", "b", "c"]`, holds},
		{"ForAllValues:StringEquals", "many", `["a"]`, fails},
		{"ForAllValues:StringEquals", "gone", `"x"`, holds},
		{"ForAllValues:StringNotLike", "many", `"a*"`, fails},
		{"ForEveryValue:StringEquals", "many", `"a"`, unknown},
		{"ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/par*"`, holds},
		{"ArnEquals", "aws:PrincipalArn", `"arn:aws:iam::*:role/par*"`, holds},
		{"ArnLike", "aws:PrincipalArn", `"arn:aws:iam:*:role/par*"`, fails},
		{"ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/par*"`, fails},
		{"ArnNotEquals", "aws:PrincipalArn", `"arn:aws:iam::*:user/*"`, holds},
		{"Bool", "aws:SecureTransport", `true`, holds},
		{"Bool", "aws:SecureTransport", `"False"`, fails},
		{"Bool", "gone", `"false"`, fails},
		{"IpAddress", "AWS:sourceip", `["198.51.100.0/24", "192.0.2.0/29"]`, holds},
		{"IpAddress", "aws:SourceIp", `"192.0.2.7"`, holds},
		{"IpAddress", "aws:SourceIp", `"2001:db8::/32"`, fails},
		{"IpAddress", "aws:SourceIp", `"192.0.2.0/33"`, unknown},
		{"IpAddress", "k", `"192.0.2.0/29"`, unknown},
		{"NotIpAddress", "aws:SourceIp", `"192.0.2.0/29"`, fails},
		{"NotIpAddress", "aws:SourceIp", `"198.51.100.0/24"`, holds},
		{"Null", "gone", `"true"`, holds},
		{"Null", "gone", `"false"`, fails},
		{"Null", "k", `"true"`, fails},
		{"Null", "k", `false`, holds},
		{"Null", "other", `"true"`, unknown},
		{"Null", "k", `"perhaps"`, unknown},
		{"NumericEquals", "k", `1`, unknown},
		{"DateLessThan", "k", `"2026-01-01"`, unknown},
		{"StringEquals", "aws:username", `"${aws:username}"`, holds},
		{"StringLike", "k", `"${*}"`, fails},
		{"StringLike", "k", `"*${k}"`, holds},
		{"StringLike", "k", `"${aws:username}"`, fails}, // a * in a value stands for itself
		{"StringEquals", "k", `"${gone, 'Value'}"`, holds},
		{"StringEquals", "k", `"${gone}"`, unknown},
		{"StringEquals", "k", `"${many}"`, unknown},
		{"StringEquals", "k", `"${other, 'Value'}"`, unknown},
		{"StringEquals", "k", `"${k"`, unknown},
		{"StringNotEquals", "k", `"${other}"`, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.operator+" "+tt.key+" "+tt.values, func(t *testing.T) {
			t.Parallel()
			r := Request{Context: context}
			condition := fmt.Sprintf(`"Action": "*", "Resource": "*", "Condition": {%q: {%q: %s}}}`, tt.operator, tt.key, tt.values)
			allowed := evaluate(t, `{"Effect": "Allow", `+condition, r) == Allowed
			denied := evaluate(t, `{"Effect": "Deny", `+condition, r) == ExplicitDeny
			if allowed != (tt.want == holds) || denied != (tt.want != fails) {
				t.Errorf("allows %t and denies %t, want that it %s", allowed, denied, tt.want)
			}
		})
	}
}

// All operators and all keys must hold.
func TestConditionsTogether(t *testing.T) {
	t.Parallel()
	const statement = `{"Effect": %q, "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": true}}}`
	tests := []struct {
		name           string
		context        map[string][]string
		allows, denies bool
	}{
		{"all", map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"true"}}, true, true},
		{"one key fails", map[string][]string{"a": {"1"}, "b": {"3"}, "c": {"true"}}, false, false},
		{"one operator fails", map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"false"}}, false, false},
		{"one is unknown", map[string][]string{"a": {"1"}, "b": {"2"}}, false, true},
		{"one fails, one is unknown", map[string][]string{"a": {"2"}, "b": {"2"}}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			allows := evaluate(t, fmt.Sprintf(statement, Allow), Request{Context: tt.context}) == Allowed
			denies := evaluate(t, fmt.Sprintf(statement, Deny), Request{Context: tt.context}) == ExplicitDeny
			if allows != tt.allows || denies != tt.denies {
				t.Errorf("allows %t and denies %t", allows, denies)
			}
		})
	}
}

// A role's resource may name the caller.
func TestResourceVariables(t *testing.T) {
	t.Parallel()
	const own = `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/live/GET/orders/${cognito-identity.amazonaws.com:sub}"}`
	for value, want := range map[string]Decision{"7": Allowed, "8": NoMatch, "*": NoMatch} {
		if got := evaluate(t, own, Request{Context: map[string][]string{"Cognito-Identity.amazonaws.com:sub": {value}}}); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
	if got := evaluate(t, own, Request{}); got != NoMatch {
		t.Errorf("nobody's own: %v", got)
	}
}

// A trust policy names no resource.
func TestTrust(t *testing.T) {
	t.Parallel()
	statements, err := ParsePolicy(`{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "` + roleARN + `"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := Evaluate(statements, Request{Action: "sts:AssumeRole", Principals: []string{roleARN}}); got != Allowed {
		t.Errorf("the trusted role: %v", got)
	}
	if got := Evaluate(statements, Request{Action: "sts:AssumeRole", Resource: route, Principals: []string{roleARN}}); got != NoMatch {
		t.Errorf("a trust policy speaks of a route: %v", got)
	}
}

// What could be allowed is more than what is, and no more than that.
func TestPossible(t *testing.T) {
	t.Parallel()
	const every = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/*/orders/*"
	tests := []struct {
		name, statements  string
		allowed, possible bool
	}{
		{"all of it", `{"Effect": "Allow", "Action": "*", "Resource": "*"}`, true, true},
		{"one method of it", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/*/GET/*"}`, false, true},
		{"one order of it", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/*/orders/7"}`, false, true},
		{"nothing of it", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/live/*/stock/*"}`, false, false},
		{"all but one order", `{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:abc/*/orders/7"}`, true, true},
		{"all but it", `{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:execute-api:*:*:abc/*"}`, false, false},
		{"on a condition", `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"k": "v"}}}`, false, true},
		{"on a condition that fails", `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"gone": "v"}}}`, false, false},
		{"denied on a condition", allow + `, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"k": "true"}}}`, false, true},
		{"one order denied", `{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/*/orders/7"}`, true, true},
		{"denied", `{"Effect": "Allow", "Action": "*", "Resource": "*"}, ` + deny, false, false},
		{"another action", `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Request{Action: "execute-api:Invoke", Resource: every, Context: map[string][]string{"gone": {}}}
			parsed, err := ParsePolicy(`{"Statement": [` + tt.statements + `]}`)
			if err != nil {
				t.Fatal(err)
			}
			if got := Evaluate(parsed, r) == Allowed; got != tt.allowed {
				t.Errorf("allowed: %t", got)
			}
			if got := Possible(parsed, r); got != tt.possible {
				t.Errorf("possible: %t", got)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		s    Statement
		want bool
	}{
		{Statement{Actions: []string{"execute-api:*"}}, true},
		{Statement{Actions: []string{"s3:*", Unknown}}, false},
		{Statement{NotActions: []string{"iam:*"}}, true},
		{Statement{NotActions: []string{"iam:*", Unknown}}, false},
		{Statement{NotActions: []string{"*"}}, false},
	} {
		if got := tt.s.Covers("execute-api:Invoke"); got != tt.want {
			t.Errorf("%+v: %t", tt.s, got)
		}
	}
}
