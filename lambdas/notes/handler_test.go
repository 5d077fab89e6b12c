package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/caller"
	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// fixture is a service over an in-process DynamoDB server.
type fixture struct {
	*service
	mu     sync.Mutex
	fail   func(operation string) error // before an operation runs
	lose   bool                         // the answer of the next write, after it ran
	sent   []string                     // operations, in order
	bodies []string                     // of them
	clock  time.Time
	logged bytes.Buffer
	server *tables.Server
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	server, err := tables.New([]*assembly.Table{{
		Name: "notes", OnDemand: true, Attributes: map[string]string{"owner": "S", "id": "S"}, Key: assembly.TableKey{Hash: "owner", Range: "id"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{server: server, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	f.service = &service{
		store: &store{table: "notes", client: dynamodb.New(dynamodb.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: f,
			Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Microsecond }),
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, nil
			}),
		})},
		cors: caller.CORS{"https://shop.example.com"},
		now: func() time.Time {
			f.clock = f.clock.Add(time.Second)
			return f.clock
		},
		log: slog.New(slog.NewJSONHandler(&f.logged, nil)),
	}
	return f
}

// Do takes the SDK's requests straight to the server.
func (f *fixture) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	target := r.Header.Get("X-Amz-Target")
	operation := target[strings.LastIndexByte(target, '.')+1:]
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent, f.bodies = append(f.sent, operation), append(f.bodies, string(body))
	if f.fail != nil {
		if err := f.fail(operation); err != nil {
			return nil, err
		}
	}
	status, answer, served := f.server.Serve(operation, body)
	if !served {
		return nil, errors.New("not served: " + operation)
	}
	if f.lose {
		f.lose = false
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
}

// ask sends a request of a client on its own account. The target's path is the
// route's; headers are pairs.
func (f *fixture) ask(t *testing.T, as, method, target, body string, headers ...string) response {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	r := request{HTTPMethod: method, Resource: path, Path: path, Body: body, MultiValueHeaders: map[string][]string{}, MultiValueQueryStringParameters: map[string][]string{}}
	if id, ok := strings.CutPrefix(path, "/v1/notes/"); ok {
		r.Resource, r.PathParameters = "/v1/notes/{id}", map[string]string{"id": id}
	}
	r.RequestContext.Path = path
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			r.MultiValueQueryStringParameters[name] = append(r.MultiValueQueryStringParameters[name], value)
		}
	}
	if body != "" {
		r.MultiValueHeaders["content-type"] = []string{"application/json"}
	}
	for i := 0; i < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "Content-Type") && headers[i+1] == "" {
			delete(r.MultiValueHeaders, "content-type")
			continue
		}
		if headers[i] == "content-type" {
			r.MultiValueHeaders["content-type"] = nil
		}
		r.MultiValueHeaders[headers[i]] = append(r.MultiValueHeaders[headers[i]], headers[i+1])
	}
	if as != "" {
		r.RequestContext.Authorizer = map[string]any{"claims": map[string]any{"sub": as, "client_id": as, "token_use": "access", "scope": "notes/read notes/write"}}
	}
	answer, err := f.handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// create makes a note and returns its path and ETag.
func (f *fixture) create(t *testing.T, as, title string) (path, etag string) {
	t.Helper()
	answer := f.ask(t, as, "POST", "/v1/notes", fmt.Sprintf(`{"title":%q,"text":"x"}`, title))
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", answer.StatusCode, answer.Body)
	}
	return answer.Headers["Location"], answer.Headers["ETag"]
}

// check compares a status and, for a refusal, the problem document's shape.
func check(t *testing.T, answer response, status int, detail string) {
	t.Helper()
	if answer.StatusCode != status {
		t.Fatalf("got %d %s, want %d", answer.StatusCode, answer.Body, status)
	}
	if status < 400 {
		return
	}
	var p problem
	if err := json.Unmarshal([]byte(answer.Body), &p); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	if answer.Headers["Content-Type"] != "application/problem+json" || p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Status != status || !strings.Contains(answer.Body, detail) {
		t.Errorf("got %s, %s; want %q in it", answer.Headers["Content-Type"], answer.Body, detail)
	}
}

var created = regexp.MustCompile(`^\{"id":"[0-9a-v]{26}","title":"one","text":"x","createdAt":"2026-03-01T12:00:0[0-9].000Z","updatedAt":"2026-03-01T12:00:0[0-9].000Z"\}$`)

func TestLifeOfANote(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	answer := f.ask(t, "a", "POST", "/v1/notes", `{"title":"one","text":"x"}`, "Origin", "https://shop.example.com")
	check(t, answer, http.StatusCreated, "")
	if !created.MatchString(answer.Body) || !regexp.MustCompile(`^"[A-Z2-7]{26}"$`).MatchString(answer.Headers["ETag"]) {
		t.Errorf("created %s, ETag %s", answer.Body, answer.Headers["ETag"])
	}
	if h := answer.Headers; h["Access-Control-Allow-Origin"] != "https://shop.example.com" || !strings.Contains(h["Access-Control-Expose-Headers"], "Location") || !strings.Contains(h["Access-Control-Expose-Headers"], "ETag") {
		t.Errorf("a page may not read it: %v", h)
	}
	path := answer.Headers["Location"]
	got := f.ask(t, "a", "GET", path, "")
	check(t, got, http.StatusOK, "")
	if got.Body != answer.Body || got.Headers["ETag"] != answer.Headers["ETag"] || got.Headers["Cache-Control"] != "private, no-cache" {
		t.Errorf("read %s %v", got.Body, got.Headers)
	}
	put := f.ask(t, "a", "PUT", path, `{"title":"two"}`)
	check(t, put, http.StatusOK, "")
	var before, after note
	if err := errors.Join(json.Unmarshal([]byte(answer.Body), &before), json.Unmarshal([]byte(put.Body), &after)); err != nil {
		t.Fatal(err)
	}
	if after.ID != before.ID || after.Title != "two" || after.Text != "" || after.CreatedAt != before.CreatedAt || after.UpdatedAt <= before.UpdatedAt || put.Headers["ETag"] == answer.Headers["ETag"] {
		t.Errorf("%s became %s", answer.Body, put.Body)
	}
	gone := f.ask(t, "a", "DELETE", path, "")
	check(t, gone, http.StatusNoContent, "")
	if gone.Body != "" {
		t.Errorf("an answer without content: %s", gone.Body)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		check(t, f.ask(t, "a", method, path, `{"title":"x"}`), http.StatusNotFound, "you have no note with this id")
	}
	check(t, f.ask(t, "a", "PATCH", "/v1/notes", ""), http.StatusNotFound, "")
	check(t, f.ask(t, "a", "PATCH", path, ""), http.StatusNotFound, "")
}

// Whose note it is decides, and nothing that the caller sends.
func TestIsolation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path, etag := f.create(t, "a", "mine")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		for _, match := range []string{"*", etag, `"x"`} {
			check(t, f.ask(t, "b", method, path, `{"title":"x"}`, "If-Match", match, "X-User-Id", "a"), http.StatusNotFound, "")
		}
		check(t, f.ask(t, "", method, path, `{"title":"x"}`), http.StatusUnauthorized, "")
	}
	if list := f.ask(t, "b", "GET", "/v1/notes", ""); list.Body != `{"items":[]}` {
		t.Errorf("b's list: %s", list.Body)
	}
	check(t, f.ask(t, "", "GET", "/v1/notes", ""), http.StatusUnauthorized, "")
	check(t, f.ask(t, "", "POST", "/v1/notes", `{"title":"x"}`), http.StatusUnauthorized, "")
	if got := f.ask(t, "a", "GET", path, ""); got.Headers["ETag"] != etag || !strings.Contains(got.Body, "mine") {
		t.Errorf("a's note became %s", got.Body)
	}
	// A user and a client of one name are two.
	user := request{HTTPMethod: "GET", Resource: "/v1/notes"}
	user.RequestContext.Authorizer = map[string]any{"claims": map[string]any{"sub": "a", "client_id": "c", "username": "a", "token_use": "access"}}
	if list, err := f.handle(t.Context(), user); err != nil || list.Body != `{"items":[]}` {
		t.Errorf("%s: %v", list.Body, err)
	}
	for _, id := range []string{"", "x", "..", "%2e%2e", strings.Repeat("0", 25), strings.Repeat("0", 27), strings.Repeat("A", 26), strings.Repeat("*", 26)} {
		f.sent = nil
		check(t, f.ask(t, "a", "GET", "/v1/notes/"+id, ""), http.StatusNotFound, "")
		if len(f.sent) > 0 {
			t.Errorf("id %q: the table was asked", id)
		}
	}
}

func TestSurvive(t *testing.T) {
	t.Parallel()
	t.Run("57_undeclared_content_type", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		path, _ := f.create(t, "a", "one")
		for _, kind := range []string{
			"text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json5", "application/problem+json", "application/vnd.api+json",
			"text/json", "application/json; charset=utf-16", "application/json; charset=iso-8859-1", "application/json, text/plain", "application/*", "*/*", "json", "", " ", ";", "application/json;charset",
		} {
			for method, target := range map[string]string{"POST": "/v1/notes", "PUT": path} {
				f.sent = nil
				answer := f.ask(t, "a", method, target, `{"title":"one"}`, "content-type", kind)
				check(t, answer, http.StatusUnsupportedMediaType, "application/json")
				if answer.Headers["Accept"] != "application/json" || len(f.sent) > 0 {
					t.Errorf("%s as %q: %v, asked %v", method, kind, answer.Headers, f.sent)
				}
			}
		}
		check(t, f.ask(t, "a", "POST", "/v1/notes", `{"title":"one"}`, "Content-Type", "application/json"), http.StatusUnsupportedMediaType, "") // twice
		for _, kind := range []string{"application/json", "Application/JSON", "application/json; charset=utf-8", `application/json;charset="UTF-8"`} {
			check(t, f.ask(t, "a", "POST", "/v1/notes", `{"title":"one"}`, "content-type", kind), http.StatusCreated, "")
		}
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"shortest", `{"title":"a"}`, 201, ""},
		{"longest, in characters", `{"title":"` + strings.Repeat("é", 200) + `","text":"` + strings.Repeat("😀", 10_000) + `"}`, 201, ""},
		{"longest, escaped", `{"title":"a","text":"` + strings.Repeat(`\ud83d\ude00`, 10_000) + `"}`, 201, ""},
		{"empty text", `{"title":"a","text":""}`, 201, ""},
		{"empty title", `{"title":""}`, 400, `{"pointer":"#/title","detail":"has 0 characters; 1 to 200"}`},
		{"long title", `{"title":"` + strings.Repeat("é", 201) + `"}`, 400, `has 201 characters; 1 to 200`},
		{"long text", `{"title":"a","text":"` + strings.Repeat("é", 10_001) + `"}`, 400, `{"pointer":"#/text","detail":"has 10001 characters; at most 10000"}`},
		{"no title", `{"text":"a"}`, 400, `{"pointer":"#/title","detail":"is required"}`},
		{"no title and more", `{"text":1}`, 400, `{"pointer":"#/text","detail":"is no text"},{"pointer":"#/title","detail":"is required"}`},
		{"null", `{"title":null}`, 400, `{"pointer":"#/title","detail":"is no text"}`},
		{"number", `{"title":1}`, 400, "is no text"},
		{"object", `{"title":{"a":"b"}}`, 400, "is no text"},
		{"unknown", `{"title":"a","colour":"red"}`, 400, `{"pointer":"#/colour","detail":"is not known`},
		{"the server's own", `{"title":"a","id":"x","createdAt":"y"}`, 400, `#/createdAt`},
		{"another spelling", `{"Title":"a"}`, 400, `{"pointer":"#/Title","detail":"is not known`},
		{"two", `{"title":"a","title":"b"}`, 400, "stands twice"},
		{"odd name", `{"title":"a","a/b~ ":1}`, 400, `"#/a~1b~0%20"`},
		{"list", `[{"title":"a"}]`, 400, "no JSON object"},
		{"text", `"title"`, 400, "no JSON object"},
		{"cut off", `{"title":"a"`, 400, "no JSON object"},
		{"trailing", `{"title":"a"} {}`, 400, "no JSON object"},
		{"trailing comma", `{"title":"a",}`, 400, "no JSON object"},
		{"no JSON", `title=a`, 400, "no JSON object"},
		{"BOM", "\ufeff" + `{"title":"a"}`, 400, "no JSON object"},
		{"no UTF-8", "{\"title\":\"\xff\"}", 400, "not UTF-8"},
		{"deep", `{"title":` + strings.Repeat("[", 100_000), 400, "no JSON object"},
		{"large", `{"title":"a","text":"` + strings.Repeat("a", 256<<10) + `"}`, 413, "longer than 262144 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, f.ask(t, "a", "POST", "/v1/notes", tt.body), tt.status, tt.want)
		})
	}
	t.Run("empty", func(t *testing.T) {
		check(t, f.ask(t, "a", "POST", "/v1/notes", "", "content-type", "application/json"), 400, "no JSON object")
	})
	t.Run("many mistakes", func(t *testing.T) {
		answer := f.ask(t, "a", "POST", "/v1/notes", `{"`+strings.Repeat("x", 1000)+`":1`+strings.Repeat(`,"y":1`, 1000)+`}`)
		check(t, answer, 400, strings.Repeat("x", 64)+`%E2%80%A6"`)
		if strings.Count(answer.Body, "pointer") != maxErrors {
			t.Errorf("%d bytes", len(answer.Body))
		}
	})
	t.Run("base64", func(t *testing.T) {
		r := request{HTTPMethod: "POST", Resource: "/v1/notes", IsBase64Encoded: true, Body: "eyJ0aXRsZSI6ImEifQ==", MultiValueHeaders: map[string][]string{"Content-Type": {"application/json"}}}
		r.RequestContext.Authorizer = map[string]any{"claims": map[string]any{"sub": "a", "client_id": "a", "token_use": "access"}}
		answer, err := f.handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		check(t, answer, 201, "")
		r.Body = "%"
		if answer, err = f.handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		check(t, answer, 400, "cannot be decoded")
	})
}
