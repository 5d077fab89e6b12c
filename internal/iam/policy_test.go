package iam

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// elsewhere is what a caller's decoder puts in place of a value that is known
// on AWS only.
type elsewhere struct{}

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	got, err := ParsePolicy(map[string]any{"Version": "2012-10-17", "Id": "x", "Statement": []any{
		map[string]any{
			"Sid": "Read", "Effect": "Allow", "Action": "execute-api:Invoke",
			"Resource":  []any{"arn:aws:execute-api:*:*:a/*", elsewhere{}},
			"Principal": map[string]any{"AWS": []any{json.Number("111122223333"), "arn:aws:iam::111122223333:role/x"}},
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": true}, "IpAddress": map[string]any{"aws:SourceIp": []any{"192.0.2.0/24"}}},
		},
		map[string]any{"Effect": "Deny", "NotAction": []any{}, "NotResource": "*", "NotPrincipal": "*"},
		map[string]any{"Effect": "Allow", "Action": "*", "Principal": elsewhere{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Statement{
		{
			SID: "Read", Effect: Allow, Actions: []string{"execute-api:Invoke"},
			Resources:  []string{"arn:aws:execute-api:*:*:a/*", Unknown},
			Principals: map[string][]string{"AWS": {"111122223333", "arn:aws:iam::111122223333:role/x"}},
			Conditions: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"true"}}, "IpAddress": {"aws:SourceIp": {"192.0.2.0/24"}}},
		},
		{Effect: Deny, NotActions: []string{}, NotResources: []string{"*"}, NotPrincipals: map[string][]string{"*": {"*"}}},
		{Effect: Allow, Actions: []string{"*"}, Principals: map[string][]string{"AWS": {Unknown}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParsePolicyText(t *testing.T) {
	t.Parallel()
	const open = `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"`
	tests := []struct{ name, policy, problem string }{
		{"one statement", open + `}}`, ""},
		{"old version", `{"Version": "2008-10-17", "Statement": []}`, ""},
		{"not JSON", `{`, "no JSON"},
		{"text behind it", open + `}} {}`, "no JSON"},
		{"a list", `[]`, "no object"},
		{"null", `null`, "no object"},
		{"no statement", `{}`, "Statement[0]: no object"},
		{"another version", `{"Version": "2020-01-01", "Statement": []}`, "Version"},
		{"unknown member", `{"Statements": []}`, `"Statements" is not understood`},
		{"unknown element", open + `, "Actions": "*"}}`, "Statement[0]: Actions: not understood"},
		{"a Sid that is no text", open + `, "Sid": {}}}`, "Statement[0]: Sid: a text is due"},
		{"unknown effect", `{"Statement": [{"Effect": "allow", "Action": "*"}]}`, "Effect: neither"},
		{"no effect", `{"Statement": [{"Action": "*"}]}`, "no Effect"},
		{"no action", `{"Statement": [{"Effect": "Deny", "Resource": "*"}]}`, "either Action"},
		{"two actions", open + `, "NotAction": "*"}}`, "either Action"},
		{"two resources", open + `, "NotResource": "*"}}`, "both Resource"},
		{"two principals", open + `, "Principal": "*", "NotPrincipal": "*"}}`, "both Principal"},
		{"principal of no kind", open + `, "Principal": "arn"}}`, "Principal: neither"},
		{"principal of another kind", open + `, "Principal": {"Everyone": "*"}}}`, `"Everyone" is not understood`},
		{"an object for an action", `{"Statement": [{"Effect": "Deny", "Action": {}}]}`, "Action: a text"},
		{"null in a list", `{"Statement": [{"Effect": "Deny", "Action": [null]}]}`, "Action: a text"},
		{"condition of no object", open + `, "Condition": "x"}}`, "Condition: no object"},
		{"operator of no object", open + `, "Condition": {"Bool": "x"}}}`, "Condition: Bool is no object"},
		{"condition of objects", open + `, "Condition": {"Bool": {"k": {}}}}}`, "Condition: Bool.k: a text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePolicy(tt.policy)
			if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("got %v, want %q", err, tt.problem)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/v1/notes/7"
	tests := []struct {
		pattern         string
		resource, asARN bool
	}{
		{arn, true, true},
		{"*", true, false},
		{"arn:aws:execute-api:*", true, false},
		{"arn:aws:execute-api:*:abc/*", true, false}, // a * that ends a part goes on beyond the colon
		{"arn:aws:execute-api:eu-*-1:111122223333:abc/*", true, true},
		{"arn:aws:execute-api:eu-*3:abc/*", false, false}, // one within a part does not
		{"arn:aws:execute-api:*:*:abc/*/GET/*", true, true},
		{"arn:aws:execute-api:*:*:abc/*/POST/*", false, false},
		{"arn:aws:execute-api:*:*:abc/live/GET/v1/*", true, true},
		{"arn:aws:execute-api:*:*:abc/live/GET/v1/*/7", true, true},
		{"arn:aws:execute-api:*:*:abc/live/GET/v1/notes/?", true, true},
		{"arn:aws:execute-api:eu-west-1?111122223333:abc/*", false, false},
		{"arn:aws:execute-api:*:*:abc/live/GET/v1/notes/7?", false, false},
		{"arn:aws:execute-api:*:*:abc/live/GET/V1/*", false, false},
		{"arn:aws:execute-api:*:*:ab", false, false},
		{"arn:aws:execute-api:*:*:**/7**", true, true},
		{"", false, false},
	}
	for _, tt := range tests {
		if got := MatchResource(tt.pattern, arn); got != tt.resource {
			t.Errorf("MatchResource(%s) is %t", tt.pattern, got)
		}
		if got := MatchARN(tt.pattern, arn); got != tt.asARN {
			t.Errorf("MatchARN(%s) is %t", tt.pattern, got)
		}
	}
	// What a caller writes into a path cannot stand for another API's ARN.
	const crafted = "arn:aws:execute-api:eu-west-2:111122223333:abc/live/GET/x-1:111122223333:other/y"
	if MatchResource("arn:aws:execute-api:eu-*-1:111122223333:other/*", crafted) {
		t.Error("a * within the Region reached into the path")
	}
	if MatchARN("arn:aws:lambda:*:*:*", "not an ARN") {
		t.Error("what is no ARN matched")
	}
	for pattern, want := range map[string]bool{
		"*": true, "execute-api:*": true, "EXECUTE-API:invoke": true, "execute-api:Inv*": true, "execute-api:Invok?": true,
		"execute-api:Invoke?": false, "execute-api:Manage*": false, "lambda:*": false, "execute-api": false,
	} {
		if got := MatchAction(pattern, "execute-api:Invoke"); got != want {
			t.Errorf("MatchAction(%s) is %t", pattern, got)
		}
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"a", "", false}, {"", "*", true}, {"*", "", true}, {"*", "*", true},
		{"a*", "*b", true}, {"a*", "b*", false}, {"*a", "*b", false}, {"a*c", "ab*", true}, {"a?c", "abc", true}, {"a?", "a", false}, {"?", "*", true},
		{"GET/orders/7", "GET/orders/*", true}, {"GET/*/admin", "*/orders/*", true}, {"GET/*/admin", "POST/*", false}, {"*x*", "aaa", false}, {"a*b*c", "*", true},
		{"GET/orders/7/lines", "GET/orders/*", false}, {"GET/orders/7/lines", "GET/orders/**", true}, {"*/stock/*", "live/GET/orders/*", false}, {"*/stock/*", "live/GET/orders/**", true},
	} {
		if got := overlap(literal(tt.a), tt.b); got != tt.want {
			t.Errorf("%s and %s: %t", tt.a, tt.b, got)
		}
	}
}
