package awsapi_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local/awsapi"
)

// signIn serves two operations, one of them for anybody.
type signIn struct{}

func (signIn) Serve(operation string, _ []byte) (int, []byte, bool) {
	return http.StatusOK, []byte(`{"served":"` + operation + `"}`), operation == "InitiateAuth" || operation == "AdminGetUser"
}
func (signIn) Resources(operation string, _ []byte) ([]string, bool) {
	return []string{"userpool/one"}, operation == "InitiateAuth" || operation == "AdminGetUser"
}
func (signIn) Target() string { return "AWSCognitoIdentityProviderService" }
func (signIn) Public(operation string) bool {
	return operation == "InitiateAuth" || operation == "SignUp"
}

func TestPublicOperations(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e, err := awsapi.New(awsapi.Config{
		Account: account, Region: region, Log: slog.New(slog.NewJSONHandler(&log, nil)),
		Services: map[string]awsapi.Service{"cognito-idp": signIn{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const target = "AWSCognitoIdentityProviderService."
	for name, test := range map[string]struct {
		method, target, query string
		header                [2]string
		want                  int
	}{
		"for anybody":              {"POST", target + "InitiateAuth", "", [2]string{}, 200},
		"for operators":            {"POST", target + "AdminGetUser", "", [2]string{}, 403},
		"not served":               {"POST", target + "SignUp", "", [2]string{}, 403},
		"another service":          {"POST", "DynamoDB_20120810.InitiateAuth", "", [2]string{}, 403},
		"more of a target":         {"POST", "x." + target + "InitiateAuth", "", [2]string{}, 403},
		"no service":               {"POST", "InitiateAuth", "", [2]string{}, 403},
		"by GET":                   {"GET", target + "InitiateAuth", "", [2]string{}, 403},
		"a bad signature":          {"POST", target + "InitiateAuth", "", [2]string{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}, 403},
		"an empty signature":       {"POST", target + "InitiateAuth", "", [2]string{"Authorization", ""}, 403},
		"a bad presigned one":      {"POST", target + "InitiateAuth", "X-Amz-Signature=x", [2]string{}, 403},
		"two targets":              {"POST", target + "InitiateAuth", "", [2]string{"X-Amz-Target", target + "AdminGetUser"}, 403},
		"a script's":               {"POST", target + "InitiateAuth", "", [2]string{"Origin", "http://localhost:4013"}, 200},
		"a script's for operators": {"POST", target + "AdminGetUser", "", [2]string{"Origin", "http://localhost:4013"}, 403},
	} {
		log.Reset()
		r := httptest.NewRequest(test.method, "/?"+test.query, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", test.target)
		if test.header[0] != "" {
			r.Header.Add(test.header[0], test.header[1])
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if served := strings.Contains(w.Body.String(), "served"); served != (test.want == 200) || served && w.Code != 200 || !served && (w.Code < 400 || w.Code >= 500) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got, want := w.Header().Get("Access-Control-Allow-Origin"), r.Header.Get("Origin"); got != want || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: allowed origin %q, want %q", name, got, want)
		}
		if test.want == 200 && !strings.Contains(log.String(), `"service":"cognito-idp","operation":"InitiateAuth","principal":""`) {
			t.Errorf("%s: %s", name, &log)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	e, err := awsapi.New(awsapi.Config{Account: account, Region: region})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		origin, method string
		want           int
	}{
		"preflight":        {"http://localhost:4013", "POST", 204},
		"options":          {"http://localhost:4013", "", 403},
		"without a script": {"", "POST", 403},
	} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		for header, value := range map[string]string{"Origin": test.origin, "Access-Control-Request-Method": test.method} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != test.want || (test.want == 204) != strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "x-amz-target") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}
