package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	unauthorized = `{"message":"Unauthorized"}`
	challenge    = `Bearer, Basic realm="dev-Api-API", charset="UTF-8"` // what comes with it
	missingToken = `{"message":"Missing Authentication Token"}`
	origin       = "http://localhost:4013"
)

// TestEndToEnd starts the built command once and walks everything a caller can
// do to the stage.
func TestEndToEnd(t *testing.T) {
	r := startRuntime(t)
	t.Run("Routes", func(t *testing.T) { testRoutes(t, r) })
	t.Run("Whoami", func(t *testing.T) { testWhoami(t, r) })
	t.Run("Preflight", func(t *testing.T) { testPreflight(t, r) })
	t.Run("Bodies", func(t *testing.T) { testBodies(t, r) })
	t.Run("Notes", func(t *testing.T) { testNotes(t, r) })
	t.Run("Customers", func(t *testing.T) { testCustomers(t, r) })
	t.Run("ExecuteAPIHost", func(t *testing.T) { testExecuteAPIHost(t, r) })
	t.Run("Banner", func(t *testing.T) { testBanner(t, r) })
	t.Run("AWSCLI", func(t *testing.T) { testAWSCLI(t, r) })
	t.Run("Stop", func(t *testing.T) { testStop(t, r) })
}

func testRoutes(t *testing.T, r *runtime) {
	status, whoami := r.API+"/v1/status", r.API+"/v1/whoami"
	expired := r.claims()
	expired["exp"] = time.Now().Add(-time.Hour).Unix()
	wrongScope := r.claims()
	wrongScope["scope"] = "notes/erase"
	good := r.token(t)
	tests := []struct {
		name    string
		method  string
		url     string
		options []option
		status  int
		body    string // the whole body; "*" for any
		errors  string // x-amzn-ErrorType
	}{
		{"public", "GET", status, nil, 200, `{"status":"ok"}`, ""},
		{"public, with a query", "GET", status + "?a=b", nil, 200, `{"status":"ok"}`, ""},
		{"public, garbage token", "GET", status, []option{bearer("garbage")}, 200, `{"status":"ok"}`, ""},
		{"no token", "GET", whoami, nil, 401, unauthorized, "UnauthorizedException"},
		{"garbage", "GET", whoami, []option{bearer("garbage")}, 401, unauthorized, "UnauthorizedException"},
		{"wrong scope", "GET", whoami, []option{bearer(r.forge(t, r.header(), wrongScope))}, 401, unauthorized, "UnauthorizedException"},
		{"expired", "GET", whoami, []option{bearer(r.forge(t, r.header(), expired))}, 401, unauthorized, "UnauthorizedException"},
		{"signed by the stage's key", "GET", whoami, []option{bearer(r.forge(t, r.header(), r.claims()))}, 200, "*", ""},
		{"from the token endpoint", "GET", whoami, []option{bearer(good)}, 200, "*", ""},
		{"one scope of two", "GET", whoami, []option{bearer(r.token(t, "notes/write"))}, 200, "*", ""},
		{"wrong method", "POST", whoami, nil, 403, missingToken, "MissingAuthenticationTokenException"},
		{"wrong method, with a token", "POST", whoami, []option{bearer(good)}, 403, "*", "IncompleteSignatureException"},
		{"unknown path", "GET", r.API + "/v2", nil, 403, missingToken, "MissingAuthenticationTokenException"},
		{"unknown path, with a token", "GET", r.API + "/v2", []option{bearer(good)}, 403, "*", "IncompleteSignatureException"},
		{"root", "GET", r.API + "/", nil, 403, missingToken, "MissingAuthenticationTokenException"},
		{"token in the query string", "GET", whoami + "?Authorization=" + good, nil, 401, unauthorized, "UnauthorizedException"},
		{"token as Basic", "GET", whoami, []option{header("Authorization", "Basic "+good)}, 401, unauthorized, "UnauthorizedException"},
		{"two tokens", "GET", whoami, []option{bearer(good), bearer(good)}, 401, unauthorized, "UnauthorizedException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, tt.method, tt.url, tt.options...)
			if got.status != tt.status || tt.body != "*" && got.body != tt.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
			if e := got.header.Get("X-Amzn-ErrorType"); e != tt.errors {
				t.Errorf("error type %q, want %q", e, tt.errors)
			}
			if strings.Contains(got.body, good) {
				t.Error("the answer repeats the token")
			}
			if got.status < 400 {
				return
			}
			// A page must be able to read the refusal, and what would help.
			if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != origin {
				t.Errorf("pages of %q may read the refusal", allowed)
			}
			if schemes := got.header.Get("WWW-Authenticate"); got.status == 401 && schemes != challenge {
				t.Errorf("challenge %q", schemes)
			}
		})
	}
}

func testWhoami(t *testing.T, r *runtime) {
	got := call(t, "GET", r.API+"/v1/whoami", bearer(r.token(t)), header("X-User-Id", "root"))
	var who struct {
		Kind, Subject, Client string
		Scopes                []string
	}
	if err := json.Unmarshal([]byte(got.body), &who); err != nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	if who.Kind != "client" || who.Subject != r.client().ID || who.Client != r.client().ID || strings.Join(who.Scopes, " ") != "notes/read notes/write" {
		t.Errorf("the caller is %+v, want client %s", who, r.client().ID)
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", got.header.Get("Content-Type"))
	}
}

func testPreflight(t *testing.T, r *runtime) {
	got := call(t, "OPTIONS", r.API+"/v1/whoami", header("Origin", origin),
		header("Access-Control-Request-Method", "GET"), header("Access-Control-Request-Headers", "authorization"))
	if got.status != 204 || got.body != "" {
		t.Errorf("got %d %q, want 204 and nothing", got.status, got.body)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "GET",
		"Access-Control-Allow-Headers": "Authorization,Content-Type,If-Match,If-None-Match", "Access-Control-Max-Age": "600",
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

func testBodies(t *testing.T, r *runtime) {
	status := r.API + "/v1/status"
	if got := call(t, "GET", status, body(strings.Repeat("x", 10<<20+1))); got.status != 413 {
		t.Errorf("10 MB and a byte: got %d %s", got.status, got.body)
	}
	if got := call(t, "GET", status, body(`{"unfinished":`), header("Content-Type", "application/json")); got.status != 200 {
		t.Errorf("a body that nobody reads: got %d %s", got.status, got.body)
	}
	if got := call(t, "GET", r.API+"/v1/whoami", body("\xff\xfe\x00"), bearer(r.token(t))); got.status != 200 {
		t.Errorf("a body that is no text: got %d %s", got.status, got.body)
	}
	for name, raw := range map[string]string{
		"a chunk that is none":  "GET /v1/status HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"two lengths":           "GET /v1/status HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a length that is none": "GET /v1/status HTTP/1.1\r\nHost: HOST\r\nContent-Length: x\r\n\r\n",
		"no host":               "GET /v1/status HTTP/1.1\r\n\r\n",
		"no HTTP":               "HELLO\r\n\r\n",
	} {
		if got := callRaw(t, r.API, raw); !strings.HasPrefix(got, "HTTP/1.1 4") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// callRaw sends bytes that no HTTP client would and returns the status line.
func callRaw(t *testing.T, url, raw string) string {
	t.Helper()
	address := strings.TrimPrefix(url, "http://")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Write([]byte(strings.ReplaceAll(raw, "HOST", address))); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 64)
	n, _ := connection.Read(buffer)
	line, _, _ := strings.Cut(string(buffer[:n]), "\r\n")
	return line
}

func testExecuteAPIHost(t *testing.T, r *runtime) {
	_, port, _ := strings.Cut(strings.TrimPrefix(r.API, "http://"), ":")
	name := host(r.APIID + ".execute-api.localhost:" + port)
	if got := call(t, "GET", r.API+"/"+r.APIStage+"/v1/status", name); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := call(t, "GET", r.API+"/other/v1/status", name); got.status != 403 || got.body != `{"message":"Forbidden"}` {
		t.Errorf("unknown stage: got %d %s", got.status, got.body)
	}
	if got := call(t, "GET", r.API+"/"+r.APIStage+"/v1/whoami", name); got.status != 401 {
		t.Errorf("no token: got %d %s", got.status, got.body)
	}
}

// Every line of the banner works as it stands.
func testBanner(t *testing.T, r *runtime) {
	needs(t, "bash", "curl")
	var script []string
	curls := 0
	for line := range strings.Lines(r.banner.String()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "TOKEN=") || strings.HasPrefix(line, "CUSTOMER_KEY=") {
			script = append(script, line)
		}
		if strings.HasPrefix(line, "ID=$(curl ") {
			curls++
			script = append(script, line)
		}
		if strings.HasPrefix(line, "curl ") {
			curls++
			script = append(script, strings.Replace(line, "curl ", "curl --silent --show-error --fail ", 1)+" || exit "+strconv.Itoa(curls))
		}
	}
	if curls != 9 || len(r.Routes) != 8 { // two of them send a customer's key
		t.Errorf("%d curl lines for %d routes", curls, len(r.Routes))
	}
	if !strings.Contains(r.banner.String(), "# for users of website or mobile only; sign in: gatewright token --client NAME") {
		t.Error("nothing says how to call GET /v1/session")
	}
	out, err := exec.Command("bash", "-c", strings.Join(script, "\n")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `{"status":"ok"}`) || !strings.Contains(string(out), `"kind":"client"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// The AWS CLI, unchanged but for the endpoint.
func testAWSCLI(t *testing.T, r *runtime) {
	needs(t, "aws")
	aws := func(secret string, arguments ...string) (string, error) {
		cmd := exec.Command("aws", append(arguments, "--endpoint-url", r.AWS, "--region", r.Region, "--output", "json")...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=" + r.AWSCredentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_MAX_ATTEMPTS=1"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := aws(r.AWSCredentials.SecretAccessKey, "sts", "get-caller-identity"); err != nil || !strings.Contains(out, `"Account": "`+r.Account+`"`) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := aws(r.AWSCredentials.SecretAccessKey, "dynamodb", "scan", "--table-name", r.Tables[0]); err != nil || !strings.Contains(out, `"owner"`) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := aws("wrong", "sts", "get-caller-identity"); err == nil || !strings.Contains(out, "SignatureDoesNotMatch") {
		t.Errorf("a wrong secret: %v: %s", err, out)
	}
	if out, err := aws(r.AWSCredentials.SecretAccessKey, "s3", "ls"); err == nil {
		t.Errorf("a service that is not served: %s", out)
	}
}

// A stop leaves nothing behind: no listener, no function, no ready file.
func testStop(t *testing.T, r *runtime) {
	secrets := []string{r.client().Secret, r.AWSCredentials.SecretAccessKey, r.token(t)}
	call(t, "GET", r.API+"/v1/whoami", bearer(secrets[2]))
	call(t, "GET", r.API+"/v1/status?secret="+secrets[2])
	functions := children(t, r.cmd.Process.Pid)
	lines := r.logLines()
	if len(lines) < 10 {
		t.Errorf("the log has %d lines", len(lines))
	}
	if err := r.stop(t); err != nil {
		t.Errorf("ended with %v\n%s", err, r.log)
	}
	for _, pid := range functions {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("function %d is left behind", pid)
		}
	}
	for _, url := range []string{r.API, r.Auth, r.AWS} {
		if connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			_ = connection.Close()
			t.Errorf("%s is still served", url)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "ready.json")); err == nil {
		t.Error("the ready file is still there")
	}
	for i, secret := range secrets {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds secret %d", i)
		}
	}
}

// children are a process's own, the functions that run.
func children(t *testing.T, pid int) []int {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for line := range strings.Lines(string(out)) {
		var child, parent int
		if n, err := fmt.Sscan(line, &child, &parent); n == 2 && err == nil && parent == pid {
			found = append(found, child)
		}
	}
	if len(found) == 0 {
		t.Error("no function runs")
	}
	return found
}

// needs skips a test that a fresh machine cannot run. CI always can.
func needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		if _, err := exec.LookPath(command); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", command)
		}
		t.Skipf("%s is missing", command)
	}
}
