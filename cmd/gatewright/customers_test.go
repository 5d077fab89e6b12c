package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gatewright/gatewright/internal/customers"
)

// goEnvironment lets a script build functions: with this module's sources, and
// with the caches of whoever runs the test.
func goEnvironment(env *testscript.Env) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return err
	}
	caches := strings.Fields(string(out))
	env.Setenv("ROOT", root)
	env.Setenv("GOCACHE", caches[0])
	env.Setenv("GOMODCACHE", caches[1])
	return nil
}

// capture keeps what the first group of an expression finds in a file: "capture
// KEY stdout '^  key +(.*)$'".
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture variable file expression")
	}
	expression, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	found := expression.FindStringSubmatch(ts.ReadFile(args[1]))
	if found == nil {
		ts.Fatalf("%s: nothing is %s", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

// fields wants a JSON document to have exactly these members, in this order,
// where a path leads: "fields stdout customers.0 id name".
func fields(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fields file path name…")
	}
	data := json.RawMessage(ts.ReadFile(args[0]))
	for _, step := range strings.Split(args[1], ".") {
		if i, err := strconv.Atoi(step); err == nil {
			var list []json.RawMessage
			ts.Check(json.Unmarshal(data, &list))
			if i >= len(list) {
				ts.Fatalf("%s: %d elements", args[1], len(list))
			}
			data = list[i]
		} else if step != "" {
			var object map[string]json.RawMessage
			ts.Check(json.Unmarshal(data, &object))
			data = object[step]
		}
	}
	if got := members(ts, data); !slices.Equal(got, args[2:]) {
		ts.Fatalf("%s has %q, want %q", args[1], got, args[2:])
	}
}

// members are the names of an object's members, as they stand there.
func members(ts *testscript.TestScript, object json.RawMessage) []string {
	var all map[string]json.RawMessage
	ts.Check(json.Unmarshal(object, &all))
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	_, err := decoder.Token() // {
	ts.Check(err)
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		ts.Check(err)
		names = append(names, name.(string))
		var value json.RawMessage
		ts.Check(decoder.Decode(&value))
	}
	return names
}

// sends calls the API with a credential in one of the ways to send it, and waits
// until the status is the wanted one, as long as a change may take: "sends
// ready.json /notes 200 bearer $KEY".
func sends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: sends ready-file path status bearer|basic|x-api-key credential…")
	}
	var ready struct{ API string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &ready))
	request, err := http.NewRequest(http.MethodGet, ready.API+args[1], nil)
	ts.Check(err)
	switch args[3] {
	case "basic":
		request.SetBasicAuth(args[4], args[5])
	case "x-api-key":
		request.Header.Set("X-Api-Key", args[4])
	default:
		request.Header.Set("Authorization", "Bearer "+args[4])
	}
	for began := time.Now(); ; time.Sleep(time.Second) {
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		ts.Check(err)
		body, _ := io.ReadAll(response.Body)
		ts.Check(response.Body.Close())
		if strconv.Itoa(response.StatusCode) == args[2] {
			return
		}
		if time.Since(began) > 11*time.Second {
			ts.Fatalf("GET %s: got %d %s, want %s", args[1], response.StatusCode, body, args[2])
		}
	}
}

// answering starts a table that answers every call with a status and a code, or
// not at all, and describes its stage in .gatewright: "answering 400
// AccessDeniedException", "answering nothing", "answering reads", "answering pages".
func answering(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: answering status code | nothing | reads | pages")
	}
	calls := ts.MkAbs("calls")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		read := strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem")
		switch {
		case args[0] == "reads" && read:
			_, _ = io.WriteString(w, "{}")
		case args[0] == "pages" && !strings.Contains(string(body), "ExclusiveStartKey"):
			_, _ = io.WriteString(w, firstPage)
		case args[0] == "pages":
			_, _ = io.WriteString(w, lastPage)
		case len(args) == 2:
			status, _ := strconv.Atoi(args[0])
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"__type": "com.amazonaws.dynamodb.v20120810#%s", "message": "the\nreason"}`, args[1])
		default: // until the caller gives up
			_ = os.WriteFile(calls, []byte(r.Header.Get("X-Amz-Target")), 0o600)
			<-r.Context().Done()
		}
	}))
	ts.Defer(server.Close)
	stage := `{"stage": "Fake", "region": "eu-west-1", "auth": "x", "aws": "` + server.URL + `",
		"awsCredentials": {"accessKeyId": "id", "secretAccessKey": "a-secret"},
		"customerTable": {"name": "Kept", "prefix": "gw", "tag": "dev", "scopes": ["notes/read"]}}`
	ts.Check(os.MkdirAll(ts.MkAbs(".gatewright"), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs(".gatewright/Fake.json"), []byte(stage), 0o600))
	ts.Setenv("TABLE_URL", server.URL)
}

// Two pages of a table, to which others wrote: a customer each, one with a name
// that would steer a terminal, and an item that is no customer.
const (
	firstPage = `{"Items": [{"id": {"S": "000000000001"}, "other": {"S": "x"}},
		{"id": {"S": "000000000002"}, "schema": {"N": "1"}, "version": {"N": "1"}, "revisions": {"S": "x"}, "record": {"S":
			"{\"id\":\"000000000002\",\"name\":\"One\\u001b[2J\",\"plan\":\"\",\"status\":\"active\",\"scopes\":[],\"created\":\"2026-11-21T09:00:00Z\",\"updated\":\"2026-11-21T09:00:00Z\",\"keys\":[]}"}}],
		"LastEvaluatedKey": {"id": {"S": "000000000002"}}}`
	lastPage = `{"Items": [{"id": {"S": "000000000003"}, "schema": {"N": "1"}, "version": {"N": "1"}, "revisions": {"S": "x"}, "record": {"S":
			"{\"id\":\"000000000003\",\"name\":\"Two\",\"plan\":\"pro\",\"status\":\"suspended\",\"scopes\":[],\"created\":\"2026-11-21T09:00:00Z\",\"updated\":\"2026-11-21T09:00:00Z\",\"keys\":[]}"}}]}`
)

func TestParseEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90d":                       now.Add(90 * 24 * time.Hour),
		"24h":                       now.Add(24 * time.Hour),
		"1h30m":                     now.Add(90 * time.Minute),
		"2027-01-31T00:00:00Z":      time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		"2027-01-31T00:00:00+01:00": time.Date(2027, 1, 30, 23, 0, 0, 0, time.UTC),
	} {
		if got, err := parseEnd(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "36601d", "99999999999999999999d", "soon", "2027-01-31"} {
		if got, err := parseEnd(text, now); err == nil || exitCode(err) != exitUsage {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

// What others wrote into the table does not steer a terminal.
func TestShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Acme Ltd": "Acme Ltd", "Größe 4": "Größe 4", "a\x1b[2Jb": `"a\x1b[2Jb"`, "a\tb\n": `"a\tb\n"`, "a\u202eb": `"a\u202eb"`} {
		if got := shown(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// Each key stands with its state, and the time that this is about.
func TestWriteKeys(t *testing.T) {
	t.Parallel()
	at := func(day int) time.Time { return time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC) }
	c := &customers.Customer{Scopes: []string{"a/x"}, Keys: []customers.Key{
		{ID: "live00", Created: at(1), Scopes: []string{"a/x"}, Label: "till"},
		{ID: "ending", Created: at(2), Expires: at(25), Scopes: []string{"a/x", "a/y"}},
		{ID: "ended0", Created: at(3), Expires: at(20), Scopes: []string{"a/x"}, Replaces: "live00"},
		{ID: "gone00", Created: at(4), Expires: at(20), Revoked: at(10), Scopes: []string{"a/x"}},
	}}
	var out strings.Builder
	if err := writeKeys(&out, c, at(21)); err != nil {
		t.Fatal(err)
	}
	const want = `KEY     STATE    UNTIL                    CREATED                  SCOPES      LABEL
live00  live                              2026-11-01 09:00:00 UTC  a/x         till
ending  expires  2026-11-25 09:00:00 UTC  2026-11-02 09:00:00 UTC  a/x, (a/y)  
ended0  expired  2026-11-20 09:00:00 UTC  2026-11-03 09:00:00 UTC  a/x         (replaces live00)
gone00  revoked  2026-11-10 09:00:00 UTC  2026-11-04 09:00:00 UTC  a/x         
(SCOPE): without effect, as the customer does not have it now
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
