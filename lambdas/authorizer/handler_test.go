package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const document = `"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["` + methodARN + `"]}]}`
	tests := []struct{ name, token, want string }{
		{"user", goodToken(t), `{"principalId":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",` + document +
			`,"context":{"kind":"user","subject":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","client":"website","clientId":"` + clientID +
			`","scopes":"openid notes/read notes/write","username":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","customer":"","key":"","plan":""}}`},
		{"client", authntest.Sign(t, authntest.AccessHeader, authntest.MachinePayload), `{"principalId":"` + clientID + `",` + document +
			`,"context":{"kind":"client","subject":"` + clientID + `","client":"website","clientId":"` + clientID +
			`","scopes":"notes/read","username":"","customer":"","key":"","plan":""}}`},
		{"name with a quote", accessWith(t, "username", `"a\"b"`), `{"principalId":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",` + document +
			`,"context":{"kind":"user","subject":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","client":"website","clientId":"` + clientID +
			`","scopes":"openid notes/read notes/write","username":"a\"b","customer":"","key":"","plan":""}}`},
		{"name with quotes and line breaks", accessWith(t, "username", `"jos\u00e9 \"x\"\r\n\\<"`), `{"principalId":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",` + document +
			`,"context":{"kind":"user","subject":"6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11","client":"website","clientId":"` + clientID +
			`","scopes":"openid notes/read notes/write","username":"josé \"x\"\r\n\\\u003c","customer":"","key":"","plan":""}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, err := s.Invoke(t.Context(), marshal(t, newEvent("Bearer "+test.token)))
			if err != nil || string(answer) != test.want {
				t.Errorf("got  %s, %v\nwant %s", answer, err, test.want)
			}
			var typed events.APIGatewayCustomAuthorizerResponse
			if err := json.Unmarshal(answer, &typed); err != nil || len(typed.Context) != 9 || typed.UsageIdentifierKey != "" {
				t.Errorf("API Gateway reads %+v, %v", typed, err)
			}
		})
	}
}

// The backend's package reads every caller that the authorizer writes.
func TestCallerReadsTheContext(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const user = "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11"
	for token, want := range map[string]caller.Caller{
		s.key.Text:   {Kind: caller.KindCustomer, Subject: customerID, Customer: customerID, Key: s.key.ID, Plan: "gold"},
		goodToken(t): {Kind: caller.KindUser, Subject: user, Username: user, Client: clientID, ClientName: "website"},
		authntest.Sign(t, authntest.AccessHeader, authntest.MachinePayload): {Kind: caller.KindClient, Subject: clientID, Client: clientID, ClientName: "website"},
	} {
		answer, err := s.Invoke(t.Context(), at(t, "/v1/either", "/v1/either", token))
		if err != nil {
			t.Fatal(err)
		}
		var said events.APIGatewayCustomAuthorizerResponse
		if err := json.Unmarshal(answer, &said); err != nil {
			t.Fatal(err)
		}
		r := events.APIGatewayProxyRequest{}
		r.RequestContext.Authorizer = said.Context
		r.RequestContext.Authorizer["principalId"] = said.PrincipalID
		got := caller.From(r)
		if got.Kind != want.Kind || got.Subject != want.Subject || got.Username != want.Username || got.Client != want.Client ||
			got.ClientName != want.ClientName || got.Customer != want.Customer || got.Key != want.Key || got.Plan != want.Plan || !got.Has("notes/read") {
			t.Errorf("got %+v; want %+v", got, want)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.expect(t, goodToken(t), ok)
	if log := s.log.String(); log != "" {
		t.Errorf("an allowed call is in the log: %s", log)
	}
	s.expect(t, accessWith(t, "scope", `"x/y"`), forbidden)
	s.expect(t, "planted.planted.planted", unauthorized)
	if _, err := s.Invoke(t.Context(), []byte(`{"type":"TOKEN","authorizationToken":"planted"}`)); err == nil {
		t.Error("a TOKEN event was taken")
	}
	var got []string
	for line := range strings.Lines(s.log.String()) {
		_, rest, _ := strings.Cut(line, `"level":`)
		got = append(got, strings.TrimSpace(rest))
	}
	want := []string{
		`"INFO","msg":"refused","route":"GET /v1/session","outcome":"forbidden","reason":"scope"}`,
		`"INFO","msg":"refused","route":"GET /v1/session","outcome":"unauthorized","reason":"malformed"}`,
		`"ERROR","msg":"not decided","reason":"the event is none of a REQUEST authorizer"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A flood of refusals is counted, and logged ten times a second.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for round := range 3 {
		for range 100 {
			s.expect(t, "planted.planted.planted", unauthorized)
		}
		if got := strings.Count(s.log.String(), "\n"); got != (round+1)*linesPerSecond {
			t.Errorf("%d lines after %d seconds", got, round+1)
		}
		s.clock.forward(time.Second)
	}
}

// surviveConfiguration: whatever is missing stops the start.
func surviveConfiguration(t *testing.T) {
	rules, err := testRules.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const (
		pools = `[{"issuer":"` + authntest.Issuer + `","clients":{"website":"a","mobile":"b"}}]`
		kept  = `{"table":"Customers","prefix":"gw","tag":"dev"}`
	)
	tests := []struct{ name, rules, pools, customers, want string }{
		{"complete", string(rules), pools, kept, ""},
		{"no rules", "", pools, kept, "rules.json: EOF"},
		{"another version", strings.Replace(string(rules), `"version":2`, `"version":1`, 1), pools, kept, "rules.json: version 1 is not understood; 2 is"},
		{"no pools", string(rules), "", kept, authconfig.EnvUserPools + " is not set"},
		{"empty list of pools", string(rules), "[]", kept, "takes tokens, but there is no user pool"},
		{"no customers", string(rules), pools, "", "GET /v1/write: takes keys, but there are no customers"},
		{"customers without a table", string(rules), pools, strings.Replace(kept, "Customers", "", 1), "CUSTOMERS: the table, the keys' prefix or the stage's tag is missing"},
		{"customers with a strange prefix", string(rules), pools, strings.Replace(kept, "gw", "G W", 1), `key prefix "G W"`},
		{"customers with a strange tag", string(rules), pools, strings.Replace(kept, "dev", "d-v", 1), `stage tag "d-v"`},
		{"nothing", "", "", "", "rules.json: EOF\nUSER_POOLS is not set"},
		{"issuer over http", string(rules), strings.Replace(pools, "https:", "http:", 1), kept, "no https address"},
		{"a client that no pool has", string(rules), strings.Replace(pools, "mobile", "other", 1), kept, `GET /v1/mobile: no user pool has a client called "mobile"`},
		{"no client", string(rules), `[{"issuer":"` + authntest.Issuer + `","clients":{}}]`, kept, `GET /v1/mobile: no user pool has a client called "mobile"`},
	}
	for _, test := range tests {
		_, err := newHandler(config{
			rules: []byte(test.rules), userPools: test.pools, customers: test.customers, metrics: &metrics{},
			source: func(string) (authn.CustomerSource, error) { return &table{}, nil },
		})
		if err == nil && test.want != "" || err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v; want %q", test.name, err, test.want)
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	rules, err := testRules.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := map[string]string{
		"LAMBDA_TASK_ROOT":      dir,
		authconfig.EnvUserPools: `[{"issuer":"` + authntest.Issuer + `","clients":{"website":"a","mobile":"b"}}]`,
	}
	for name, value := range map[string]string{
		authconfig.EnvCustomers: `{"table":"Customers","prefix":"gw","tag":"dev"}`,
		"AWS_REGION":            "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "planted",
	} {
		env[name] = value
	}
	getenv := func(name string) string { return env[name] }
	if _, err := start(getenv); err == nil || !strings.Contains(err.Error(), authconfig.FileName) {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, authconfig.FileName), rules, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := start(getenv); err != nil {
		t.Error(err)
	}
	delete(env, "AWS_REGION")
	if _, err := start(getenv); err == nil || !strings.Contains(err.Error(), "AWS_REGION") || strings.Contains(err.Error(), "planted") {
		t.Errorf("without a Region: %v", err)
	}
	env["AWS_REGION"] = "eu-west-1"
	delete(env, "LAMBDA_TASK_ROOT")
	if _, err := start(getenv); err == nil || !strings.Contains(err.Error(), filepath.Join(filepath.Dir(os.Args[0]), authconfig.FileName)) {
		t.Errorf("beside the executable: %v", err)
	}
}

func TestReadEvent(t *testing.T) {
	t.Parallel()
	const rest = `"methodArn":"a","resource":"r","httpMethod":"m"`
	tests := []struct {
		text string
		want string // the Authorization values, or "error"
	}{
		{`{"type":"REQUEST",` + rest + `}`, ""},
		{" {\n\"type\" : \"REQUEST\" ,\t" + rest + " }\r\n", ""},
		{`{"\u0074ype":"R\u0045QUEST",` + rest + `}`, ""},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":null,"multiValueQueryStringParameters":null}`, ""},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{}}`, ""},
		{`{"type":"REQUEST",` + rest + `,"x":[{"multiValueHeaders":{"authorization":["x"]}},-1.5e3,true,null,"\"}\\"],"y":1}`, ""},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{"a":["}\\\"]"],"authoriZation":["b\"c\\"],"A":[]}}`, `b"c\`},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{"Authorization":["b","c"],"\u0061uthorization":["d"]}}`, "b|c|d"},
		{`{"type":"REQUEST",` + rest + `,"headers":{"Authorization":"b"}}`, ""},
		{`{"type":"TOKEN",` + rest + `}`, "error"},
		{`{"type":"REQUEST","type":"REQUEST",` + rest + `}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"resource":"other"}`, "error"},
		{`{` + rest + `}`, "error"},
		{`{"type":"REQUEST","resource":"r","httpMethod":"m"}`, "error"},
		{`{"type":"REQUEST",` + rest + `}x`, "error"},
		{`{"type":"REQUEST",` + rest, "error"},
		{`{"type":"REQUEST",` + rest + `,}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"x"}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"x":}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"x":[1}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"x":"\`, "error"},
		{`{"type":"REQUEST",` + rest + `,"x":"\"`, "error"},
		{`{"type":7,` + rest + `}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{"Authorization":"b"}}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{"Authorization":[1]}}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":["Authorization"]}`, "error"},
		{`{"type":"REQUEST",` + rest + `,"multiValueQueryStringParameters":{},"multiValueHeaders":{"authorization":["b"]},"more":{"and more`, "b"}, // enough
		{`{"type":"REQUEST",` + rest + `,"multiValueHeaders":{"authorization":["b"]},"multiValueHeaders":null}`, "error"},
		{`{"type":"REQUEST","methodArn":"","resource":"r","httpMethod":"m"}`, "error"},
		{`["type"]`, "error"}, {`null`, "error"}, {``, "error"}, {`"REQUEST"`, "error"},
	}
	for _, test := range tests {
		r, err := readEvent([]byte(test.text), keyFormat)
		got := string(bytes.Join(r.Authorization, []byte("|")))
		if err != nil {
			got = "error"
		}
		if got != test.want {
			t.Errorf("%s: got %q; want %q", test.text, got, test.want)
		}
	}
}

// FuzzReadEvent: what encoding/json reads of an event, this does.
func FuzzReadEvent(f *testing.F) {
	f.Add("Authorization", "Bearer x", "id", "arn", []byte("7"))
	f.Add("X-Api-Key", keyFormat.NewKey("000000000000").Text, "id", "arn", []byte("7"))
	f.Add("aUTHORIZATION", `"\`, "access_token", "ü\u0000", []byte(`{"a":[{"b":"}"}]}`))
	f.Fuzz(func(t *testing.T, header, value, parameter, arn string, other []byte) {
		event := map[string]any{
			"type": "REQUEST", "methodArn": arn, "resource": "/x", "httpMethod": "GET",
			"multiValueHeaders":               map[string][]string{header: {value, "second"}, "accept": {value}},
			"multiValueQueryStringParameters": map[string][]string{parameter: {value}}, "headers": map[string]string{header: value},
		}
		if json.Valid(other) {
			event["other"] = json.RawMessage(other)
		}
		text, err := json.Marshal(event)
		if err != nil {
			t.Skip()
		}
		var want events.APIGatewayCustomAuthorizerRequestTypeRequest
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		got, err := readEvent(text, keyFormat)
		if (err == nil) != (want.MethodArn != "") {
			t.Fatalf("%v: %s", err, text)
		}
		if err != nil {
			return
		}
		wanted := authn.Request{MethodARN: want.MethodArn, Method: "GET", Resource: "/x"}
		for name, values := range want.MultiValueHeaders {
			if strings.EqualFold(name, "Authorization") {
				wanted.Authorization = byteTexts(values)
			}
			if strings.EqualFold(name, "x-api-key") {
				wanted.APIKey = byteTexts(values)
			}
		}
		for name, values := range want.MultiValueQueryStringParameters {
			for _, text := range []string{name, values[0]} {
				if len(text) > 7 && strings.EqualFold(text[:7], "Bearer ") {
					text = text[7:]
				}
				jwt := strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
				wanted.CredentialInQuery = wanted.CredentialInQuery || jwt || keyFormat.Resembles([]byte(text))
			}
			for _, known := range []string{"access_token", "id_token", "authorization"} {
				wanted.CredentialInQuery = wanted.CredentialInQuery || strings.EqualFold(name, known)
			}
		}
		if g, w := marshal(t, got), marshal(t, wanted); string(g) != string(w) {
			t.Errorf("got %s; want %s", g, w)
		}
	})
}

func byteTexts(list []string) [][]byte {
	var out [][]byte
	for _, text := range list {
		out = append(out, []byte(text))
	}
	return out
}
