package awsapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/local/awsapi"
)

const (
	account  = "000000000000"
	region   = "eu-west-1"
	roleARN  = "arn:aws:iam::" + account + ":role/service/notes-role"
	identity = "Action=GetCallerIdentity&Version=2011-06-15"
	form     = "application/x-www-form-urlencoded; charset=utf-8"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newEndpoint(t *testing.T, log io.Writer) *awsapi.Endpoint {
	t.Helper()
	e, err := awsapi.New(awsapi.Config{
		Account: account, Region: region, Now: func() time.Time { return now }, Log: slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// request is one to sign and send; its zero value signs nothing.
type request struct {
	method, target string // default: POST /
	header         map[string]string
	body           string
	as             iam.Credential
	service        string
	region         string
	at             time.Time
	presign        bool
}

func (q request) send(t *testing.T, e http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	if q.method == "" {
		q.method = "POST"
	}
	r := httptest.NewRequest(q.method, "http://127.0.0.1:4012/"+q.target, strings.NewReader(q.body))
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if q.as.AccessKeyID != "" {
		q.sign(t, r)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func (q request) sign(t *testing.T, r *http.Request) {
	t.Helper()
	sum := sha256.Sum256([]byte(q.body))
	hash := hex.EncodeToString(sum[:])
	key := aws.Credentials{AccessKeyID: q.as.AccessKeyID, SecretAccessKey: q.as.SecretAccessKey, SessionToken: q.as.SessionToken}
	if q.region == "" {
		q.region = region
	}
	if q.at.IsZero() {
		q.at = now
	}
	if !q.presign {
		if err := v4.NewSigner().SignHTTP(t.Context(), key, r, hash, q.service, q.region, q.at); err != nil {
			t.Fatal(err)
		}
	} else {
		r.URL.RawQuery += "&X-Amz-Expires=60"
		uri, _, err := v4.NewSigner().PresignHTTP(t.Context(), key, r, hash, q.service, q.region, q.at)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = uri[strings.IndexByte(uri, '?')+1:]
	}
	r.RequestURI = r.URL.RequestURI()
}

func who(as iam.Credential) request {
	return request{header: map[string]string{"Content-Type": form}, body: identity, as: as, service: "sts"}
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, io.Discard)
	presigned := who(e.Operator())
	presigned.method, presigned.target, presigned.body, presigned.header, presigned.presign = "GET", "?"+identity, "", nil, true
	for name, test := range map[string]struct {
		request     request
		arn, userID string
	}{
		"operator":  {who(e.Operator()), "arn:aws:iam::000000000000:user/gatewright-operator", `AIDA[A-Z2-7]{16}`},
		"presigned": {presigned, "arn:aws:iam::000000000000:user/gatewright-operator", `AIDA[A-Z2-7]{16}`},
		"role":      {who(e.RoleCredential(roleARN)), "arn:aws:sts::000000000000:assumed-role/notes-role/gatewright", `AROA[A-Z2-7]{16}:gatewright`},
	} {
		w := test.request.send(t, e)
		var answer struct {
			XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
			Arn     string   `xml:"GetCallerIdentityResult>Arn"`
			UserID  string   `xml:"GetCallerIdentityResult>UserId"`
			Account string   `xml:"GetCallerIdentityResult>Account"`
			ID      string   `xml:"ResponseMetadata>RequestId"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %s: %v", name, w.Code, w.Body, err)
			continue
		}
		if answer.Arn != test.arn || answer.Account != account || !regexp.MustCompile("^"+test.userID+"$").MatchString(answer.UserID) {
			t.Errorf("%s: %+v", name, answer)
		}
		if answer.ID == "" || answer.ID != w.Header().Get("X-Amzn-Requestid") || w.Header().Get("Content-Type") != "text/xml" {
			t.Errorf("%s: request id %q, headers %v", name, answer.ID, w.Header())
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	e, other := newEndpoint(t, io.Discard), newEndpoint(t, io.Discard)
	operator, role := e.Operator(), e.RoleCredential(roleARN)
	for text, pattern := range map[string]string{
		operator.AccessKeyID:     `^AKIA[A-Z2-7]{16}$`,
		operator.SecretAccessKey: `^[A-Za-z0-9+/]{40}$`,
		role.AccessKeyID:         `^ASIA[A-Z2-7]{16}$`,
		role.SecretAccessKey:     `^[A-Za-z0-9+/]{40}$`,
		role.SessionToken:        `^[A-Za-z0-9+/]{256}$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("a value of %d characters does not match %s", len(text), pattern)
		}
	}
	if operator.SessionToken != "" {
		t.Error("the operator's credential has a session token")
	}
	if operator == other.Operator() || role == other.RoleCredential(roleARN) || role == e.RoleCredential(roleARN+"2") {
		t.Error("two runs or two roles share a credential")
	}
	if role != e.RoleCredential(roleARN) {
		t.Error("a role's credential changes")
	}
	for _, arn := range []string{"", "notes-role", "arn:aws:iam::1:user/x", "arn:aws:iam::1:role/", "arn:aws:iam:::role/x", "arn:aws:sts::1:role/x"} {
		if c := e.RoleCredential(arn); c != (iam.Credential{}) {
			t.Errorf("%q: %v", arn, c)
		}
	}
	if _, err := awsapi.New(awsapi.Config{Account: account}); err == nil {
		t.Error("no error without a Region")
	}
}

// problem is an error in any of the protocols.
type problem struct {
	XMLName xml.Name
	Code    string `xml:"Code"`
	Message string `xml:"Message"`
	Nested  struct {
		Type    string
		Code    string
		Message string
	} `xml:"Error"`
}

// readProblem returns how an SDK would see w: protocol, code and message.
func readProblem(t *testing.T, w *httptest.ResponseRecorder) (protocol, code, message string) {
	t.Helper()
	body := w.Body.Bytes()
	switch kind := w.Header().Get("Content-Type"); kind {
	case "text/xml", "application/xml":
		var p problem
		if err := xml.Unmarshal(body, &p); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if p.XMLName.Local == "ErrorResponse" && p.Nested.Type == "Sender" {
			return "query", p.Nested.Code, p.Nested.Message
		}
		return "s3", p.Code, p.Message
	default:
		var fields map[string]string
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		code := w.Header().Get("X-Amzn-Errortype")
		if kind == "application/json" {
			return "rest", code, fields["message"]
		}
		if fields["__type"] != code {
			t.Errorf("__type %q is not %q", fields["__type"], code)
		}
		return strings.TrimPrefix(kind, "application/x-amz-"), code, fields["message"]
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, io.Discard)
	operator := e.Operator()
	as := func(change func(*iam.Credential)) iam.Credential {
		c := operator
		change(&c)
		return c
	}
	table := map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.GetItem"}
	pools := map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSCognitoIdentityProviderService.ListUsers"}
	role := e.RoleCredential(roleARN)
	role.SessionToken = ""
	change := func(q request, f func(*request)) request { f(&q); return q }
	for name, test := range map[string]struct {
		request        request
		status         int
		protocol, code string
		message        string // a part of it
	}{
		"unsigned query": {request{header: map[string]string{"Content-Type": form}, body: identity}, 403, "query", "MissingAuthenticationToken", "Missing"},
		"unsigned GET":   {request{method: "GET", target: "?" + identity}, 403, "query", "MissingAuthenticationToken", "Missing"},
		"unsigned JSON":  {request{header: table, body: "{}"}, 403, "json-1.0", "MissingAuthenticationTokenException", "Missing"},
		"unsigned REST":  {request{method: "GET", target: "2015-03-31/functions"}, 403, "rest", "MissingAuthenticationTokenException", "Missing"},
		"bearer":         {request{header: map[string]string{"Authorization": "Bearer x"}}, 400, "rest", "IncompleteSignatureException", "Authorization"},
		"wrong key":      {who(as(func(c *iam.Credential) { c.AccessKeyID = "AKIANOBODY" })), 403, "query", "InvalidClientTokenId", "invalid"},
		"wrong key, JSON": {request{header: pools, body: "{}", service: "cognito-idp", as: as(func(c *iam.Credential) { c.AccessKeyID = "AKIANOBODY" })},
			403, "json-1.1", "UnrecognizedClientException", "invalid"},
		"wrong secret":  {who(as(func(c *iam.Credential) { c.SecretAccessKey = "x" })), 403, "query", "SignatureDoesNotMatch", "does not match"},
		"no token":      {who(role), 403, "query", "InvalidClientTokenId", "invalid"},
		"wrong region":  {change(who(operator), func(q *request) { q.region = "us-east-1" }), 403, "query", "SignatureDoesNotMatch", region},
		"wrong service": {change(who(operator), func(q *request) { q.service = "Bad_Service" }), 403, "query", "SignatureDoesNotMatch", "service"},
		"expired":       {change(who(operator), func(q *request) { q.at = now.Add(-6 * time.Minute) }), 400, "query", "RequestExpired", "expired"},
		"expired, JSON": {request{header: table, body: "{}", service: "dynamodb", as: operator, at: now.Add(-6 * time.Minute)}, 400, "json-1.0", "InvalidSignatureException", "expired"},
		"presigned too long ago": {request{method: "GET", target: "?" + identity, service: "sts", as: operator, presign: true, at: now.Add(-61 * time.Second)},
			400, "query", "RequestExpired", "expired"},
		"too large": {change(who(operator), func(q *request) { q.body += strings.Repeat("&x=1", 1<<18) }), 413, "query", "RequestEntityTooLarge", "1 MiB"},

		"query operation": {change(who(operator), func(q *request) { q.body = "Action=AssumeRole&Version=2011-06-15" }), 501, "query", "InvalidAction", "sts:AssumeRole"},
		"other version":   {change(who(operator), func(q *request) { q.body = "Action=GetCallerIdentity&Version=2010-05-08" }), 501, "query", "InvalidAction", "sts:GetCallerIdentity"},
		"other service":   {change(who(operator), func(q *request) { q.service = "iam" }), 501, "query", "InvalidAction", "iam:GetCallerIdentity"},
		"action twice":    {change(who(operator), func(q *request) { q.body = "Action=GetCallerIdentity&" + identity }), 501, "query", "InvalidAction", "serve sts yet"},
		"action in query string, another in the form": {change(who(operator), func(q *request) { q.target, q.body = "?"+identity, "Action=AssumeRole&Version=2011-06-15" }),
			501, "query", "InvalidAction", "sts:AssumeRole"},
		"JSON operation": {request{header: table, body: "{}", service: "dynamodb", as: operator}, 501, "json-1.0", "UnknownOperationException", "dynamodb:GetItem"},
		"JSON 1.1":       {request{header: pools, body: "{}", service: "cognito-idp", as: operator}, 501, "json-1.1", "UnknownOperationException", "cognito-idp:ListUsers"},
		"markup in the operation": {request{header: map[string]string{"X-Amz-Target": "A.<script>", "Content-Type": "application/x-amz-json-1.1"}, body: "{}", service: "kms", as: operator},
			501, "json-1.1", "UnknownOperationException", "serve kms yet"},
		"REST operation": {request{method: "GET", target: "2015-03-31/functions", service: "lambda", as: operator}, 501, "rest", "UnknownOperationException", "serve lambda yet"},
		"S3 operation": {request{method: "GET", target: "bucket", service: "s3", as: operator, header: map[string]string{"X-Amz-Content-Sha256": hashOfNothing}},
			501, "s3", "NotImplemented", "serve s3 yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := test.request.send(t, e)
			protocol, code, message := readProblem(t, w)
			if w.Code != test.status || protocol != test.protocol || code != test.code || !strings.Contains(message, test.message) {
				t.Errorf("%d %s %s %q, want %d %s %s with %q", w.Code, protocol, code, message, test.status, test.protocol, test.code, test.message)
			}
		})
	}
}

const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestSurvive(t *testing.T) {
	t.Parallel()
	t.Run("56_unsigned_aws_call", func(t *testing.T) {
		t.Parallel()
		e := newEndpoint(t, io.Discard)
		// What a page can send without a preflight.
		for _, q := range []request{
			{method: "GET", target: "?" + identity},
			{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: identity},
			{header: map[string]string{"Content-Type": "text/plain"}, body: identity},
			{method: "OPTIONS"},
			{method: "GET", target: "?" + identity + "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + e.Operator().AccessKeyID},
		} {
			if w := q.send(t, e); w.Code < 400 || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %d", q.method, q.target, w.Code)
			}
		}
	})
	t.Run("59_no_secret_in_the_log", func(t *testing.T) {
		t.Parallel()
		var log bytes.Buffer
		e := newEndpoint(t, &log)
		operator, role := e.Operator(), e.RoleCredential(roleARN)
		wrong := operator
		wrong.SecretAccessKey = "planted"
		for _, test := range []struct {
			request request
			want    map[string]any
		}{
			{who(operator), map[string]any{"decision": "allow", "reason": "", "status": 200.0, "service": "sts", "operation": "GetCallerIdentity", "principal": operator.Principal}},
			{who(role), map[string]any{"decision": "allow", "principal": role.Principal}},
			{who(wrong), map[string]any{"decision": "deny", "principal": "", "status": 403.0}},
			{request{target: "planted?planted=planted", header: map[string]string{"Authorization": "Bearer planted", "X-Amz-Target": "planted.<planted>"}, body: "planted"},
				map[string]any{"decision": "deny", "operation": "", "path": "/planted"}},
		} {
			log.Reset()
			w := test.request.send(t, e)
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil || strings.Count(log.String(), "\n") != 1 {
				t.Fatalf("not one line: %v", err)
			}
			for key := range maps.Keys(test.want) {
				if line[key] != test.want[key] {
					t.Errorf("%s is %v, want %v", key, line[key], test.want[key])
				}
			}
			shown := strings.Replace(log.String(), `"path":"/planted"`, "", 1) + w.Body.String()
			for _, secret := range []string{"planted", operator.SecretAccessKey, role.SecretAccessKey, role.SessionToken} {
				if strings.Contains(shown, secret) {
					t.Error("log or answer shows a secret")
				}
			}
		}
	})
}

// awsCLI returns the real command line tool, pointed at a server. It skips the
// test where there is none.
func awsCLI(t *testing.T, url string) func(c iam.Credential, arguments ...string) (string, error) {
	t.Helper()
	cli, err := exec.LookPath("aws")
	if err == nil {
		err = exec.Command(cli, "--version").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the AWS CLI does not run: %v", err)
		}
		t.Skip("no AWS CLI here")
	}
	return func(c iam.Credential, arguments ...string) (string, error) {
		command := exec.CommandContext(t.Context(), cli, append(arguments, "--endpoint-url", url, "--region", region, "--output", "json")...)
		command.Env = append(os.Environ(),
			"AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken,
			"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1")
		output, err := command.CombinedOutput()
		return string(output), err
	}
}

// TestAWSCLI asks with the real command line tool.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e, err := awsapi.New(awsapi.Config{Account: account, Region: region, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	run := awsCLI(t, server.URL)
	for _, c := range []iam.Credential{e.Operator(), e.RoleCredential(roleARN)} {
		output, err := run(c, "sts", "get-caller-identity")
		var answer struct{ Arn, Account string }
		if err != nil || json.Unmarshal([]byte(output), &answer) != nil || answer.Arn != c.Principal || answer.Account != account {
			t.Errorf("%v: %v\n%s", c, err, output)
		}
	}
	for want, arguments := range map[string][]string{
		"dynamodb:ListTables":       {"dynamodb", "list-tables"},
		"iam:ListRoles":             {"iam", "list-roles"},
		"cognito-idp:ListUserPools": {"cognito-idp", "list-user-pools", "--max-results", "1"},
		"lambda":                    {"lambda", "list-functions"},
		"s3":                        {"s3api", "list-buckets"},
	} {
		output, err := run(e.Operator(), arguments...)
		if err == nil || !strings.Contains(output, "does not serve "+want+" yet") {
			t.Errorf("%v: %v\n%s", arguments, err, output)
		}
	}
	stranger := e.Operator()
	stranger.SecretAccessKey = "x"
	if output, err := run(stranger, "sts", "get-caller-identity"); err == nil || !strings.Contains(output, "SignatureDoesNotMatch") {
		t.Errorf("wrong secret: %v\n%s", err, output)
	}
	server.Close()
	for _, c := range []iam.Credential{e.Operator(), e.RoleCredential(roleARN)} {
		if strings.Contains(log.String(), c.SecretAccessKey) {
			t.Error("the log shows a secret")
		}
	}
}
