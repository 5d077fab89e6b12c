package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestIfMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		lines  func(etag string) []string
		status int // of PUT; DELETE has 204 for 200, and GET the same
	}{
		{"none", func(string) []string { return nil }, 200},
		{"current", func(e string) []string { return []string{e} }, 200},
		{"any", func(string) []string { return []string{"*"} }, 200},
		{"any, spaced", func(string) []string { return []string{" * "} }, 200},
		{"list", func(e string) []string { return []string{`"x", ` + e + ` , "y"`} }, 200},
		{"list with empty members", func(e string) []string { return []string{`, "x",, ` + e + ` ,`} }, 200},
		{"two lines", func(e string) []string { return []string{`"x"`, e} }, 200},
		{"a comma within a tag", func(e string) []string { return []string{`"a,b",` + e} }, 200},
		{"stale", func(string) []string { return []string{`"AAAAAAAAAAAAAAAAAAAAAAAAAA"`} }, 412},
		{"stale list", func(string) []string { return []string{`"x", "y"`} }, 412},
		{"weak", func(e string) []string { return []string{"W/" + e} }, 412},
		{"empty tag", func(string) []string { return []string{`""`} }, 412},
		{"dash", func(string) []string { return []string{`"-"`} }, 412},
		{"empty", func(string) []string { return []string{""} }, 400},
		{"commas", func(string) []string { return []string{" , "} }, 400},
		{"no quotes", func(e string) []string { return []string{strings.Trim(e, `"`)} }, 400},
		{"half a quote", func(e string) []string { return []string{strings.TrimSuffix(e, `"`)} }, 400},
		{"lower-case weak", func(e string) []string { return []string{"w/" + e} }, 400},
		{"no comma", func(e string) []string { return []string{e + e} }, 400},
		{"star in a list", func(e string) []string { return []string{"*, " + e} }, 400},
		{"star beside a list", func(e string) []string { return []string{e, "*"} }, 400},
		{"space within", func(string) []string { return []string{`"a b"`} }, 400},
		{"fifty-one", func(e string) []string { return []string{strings.Repeat(`"x",`, 50) + e} }, 400},
		{"fifty", func(e string) []string { return []string{strings.Repeat(`"x",`, 49) + e} }, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			path, etag := f.create(t, "a", "one")
			var headers []string
			for _, line := range tt.lines(etag) {
				headers = append(headers, "If-Match", line)
			}
			check(t, f.ask(t, "a", "GET", path, "", headers...), tt.status, "If-Match")
			check(t, f.ask(t, "a", "PUT", path, `{"title":"two"}`, headers...), tt.status, "If-Match")
			now := f.ask(t, "a", "GET", path, "")
			if changed := now.Headers["ETag"] != etag; changed != (tt.status == 200) {
				t.Errorf("changed: %v", changed)
			}
			headers = nil
			for _, line := range tt.lines(now.Headers["ETag"]) {
				headers = append(headers, "if-match", line)
			}
			want := tt.status
			if want == 200 {
				want = 204
			}
			check(t, f.ask(t, "a", "DELETE", path, "", headers...), want, "If-Match")
			if left := f.ask(t, "a", "GET", path, "").StatusCode == 200; left == (want == 204) {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path, etag := f.create(t, "a", "one")
	for value, status := range map[string]int{etag: 304, "W/" + etag: 304, "*": 304, `"x", ` + etag: 304, `"x"`: 200, "x": 400} {
		answer := f.ask(t, "a", "GET", path, "", "If-None-Match", value)
		check(t, answer, status, "If-None-Match")
		if status == 304 && (answer.Body != "" || answer.Headers["ETag"] != etag) {
			t.Errorf("%s: %s %v", value, answer.Body, answer.Headers)
		}
	}
	// A caller that asks for a new note only must not change an old one.
	for _, method := range []string{"PUT", "DELETE"} {
		check(t, f.ask(t, "a", method, path, `{"title":"two"}`, "If-None-Match", "*"), http.StatusBadRequest, "a change takes If-Match")
	}
	if f.ask(t, "a", "GET", path, "").Headers["ETag"] != etag {
		t.Error("changed")
	}
}

// Of many who change the same revision, one does.
func TestOneWriterWins(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path, etag := f.create(t, "a", "one")
	clock := f.clock
	f.now = func() time.Time { return clock }
	var group sync.WaitGroup
	won := make(chan int, 20)
	for n := range 20 {
		group.Go(func() {
			if answer := f.ask(t, "a", "PUT", path, fmt.Sprintf(`{"title":"%d"}`, n), "If-Match", etag); answer.StatusCode == 200 {
				won <- n
			} else if answer.StatusCode != 412 {
				t.Errorf("%d %s", answer.StatusCode, answer.Body)
			}
		})
	}
	group.Wait()
	if len(won) != 1 {
		t.Errorf("%d writers won", len(won))
	}
}

// An answer that is lost on its way is asked for again by the SDK; the change
// is made once and is no conflict with itself.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.lose = true
	path, etag := f.create(t, "a", "one")
	f.lose = true
	put := f.ask(t, "a", "PUT", path, `{"title":"two"}`, "If-Match", etag)
	check(t, put, 200, "")
	if !strings.Contains(put.Body, `"title":"two"`) {
		t.Errorf("%s", put.Body)
	}
	if got := strings.Join(f.sent, " "); got != "PutItem PutItem UpdateItem UpdateItem" {
		t.Errorf("sent %s", got)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var want []string
	for n := range 25 {
		path, _ := f.create(t, "a", fmt.Sprint(n))
		want = append([]string{strings.TrimPrefix(path, "/v1/notes/")}, want...) // newest first
	}
	f.create(t, "b", "b's")
	type list struct {
		Items []note
		Next  *string
	}
	read := func(as, target string) list {
		t.Helper()
		answer := f.ask(t, as, "GET", target, "")
		check(t, answer, 200, "")
		var l list
		if err := json.Unmarshal([]byte(answer.Body), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	for query, sizes := range map[string]string{"": "20 5", "limit=25": "25", "limit=24": "24 1", "limit=10": "10 10 5", "limit=5": "5 5 5 5 5", "limit=100": "25"} {
		var got, pages []string
		for cursor := ""; ; {
			l := read("a", "/v1/notes?"+query+cursor)
			pages = append(pages, fmt.Sprint(len(l.Items)))
			for _, n := range l.Items {
				got = append(got, n.ID)
			}
			if l.Next == nil {
				break
			}
			cursor = "&cursor=" + *l.Next
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || strings.Join(pages, " ") != sizes {
			t.Errorf("%q: pages of %v", query, pages)
		}
	}
	// A note that goes does not end the list.
	first := read("a", "/v1/notes?limit=2")
	check(t, f.ask(t, "a", "DELETE", "/v1/notes/"+first.Items[1].ID, ""), 204, "")
	if second := read("a", "/v1/notes?limit=2&cursor="+*first.Next); second.Items[0].ID != want[2] {
		t.Errorf("the second page begins with %+v", second.Items)
	}
	cursor := *first.Next
	check(t, f.ask(t, "b", "GET", "/v1/notes?cursor="+cursor, ""), 400, "cursor")
	for n := range cursor {
		other := byte('A')
		if cursor[n] == 'A' {
			other = 'B'
		}
		check(t, f.ask(t, "a", "GET", "/v1/notes?cursor="+cursor[:n]+string(other)+cursor[n+1:], ""), 400, "cursor")
	}
	for _, query := range []string{
		"cursor=", "cursor=x", "cursor=" + cursor + "A", "cursor=" + cursor + "=", "cursor=" + cursor[1:], "cursor=" + cursor + "&cursor=" + cursor,
		"limit=", "limit=0", "limit=101", "limit=-1", "limit=+1", "limit=1.5", "limit=x", "limit=0x10", "limit=1&limit=1", "limit=00000000000000001",
	} {
		check(t, f.ask(t, "a", "GET", "/v1/notes?"+query, ""), 400, "")
	}
}

// An id that is taken already is nobody's to write again, not even its owner's.
func TestNewNotesReplaceNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.store.create(t.Context(), "a", "1", draft{Title: "one"}, f.now()); err != nil {
		t.Fatal(err)
	}
	var taken *types.ConditionalCheckFailedException
	if _, err := f.store.create(t.Context(), "a", "1", draft{Title: "two"}, f.now()); !errors.As(err, &taken) {
		t.Errorf("a second note of one id: %v", err)
	}
	if n, err := f.store.get(t.Context(), "a", "1"); err != nil || n.Title != "one" {
		t.Errorf("%+v, %v", n, err)
	}
}

// A list holds what was written a moment ago. The server here cannot show it,
// so what is asked for counts.
func TestListsAreConsistent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask(t, "a", "GET", "/v1/notes", "")
	if last := f.bodies[len(f.bodies)-1]; f.sent[len(f.sent)-1] != "Query" || !strings.Contains(last, `"ConsistentRead":true`) {
		t.Errorf("asked for %s", last)
	}
}

// A hundred of the longest notes are more than a function may answer.
func TestPageFitsAnAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range maxLimit {
		check(t, f.ask(t, "a", "POST", "/v1/notes", `{"title":"long","text":"`+strings.Repeat("<", maxText)+`"}`), 201, "")
	}
	seen := 0
	for cursor := ""; ; {
		answer := f.ask(t, "a", "GET", "/v1/notes?limit=100"+cursor, "")
		check(t, answer, 200, "")
		if sent, _ := json.Marshal(answer); len(sent) > 6<<20 {
			t.Fatalf("an answer of %d bytes", len(sent))
		}
		var page struct {
			Items []note
			Next  string
		}
		if err := json.Unmarshal([]byte(answer.Body), &page); err != nil || len(page.Items) == 0 {
			t.Fatal(len(page.Items), err)
		}
		if seen += len(page.Items); page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if seen != maxLimit {
		t.Errorf("%d notes on all pages", seen)
	}
}

// code is an error of the table's.
type code string

func (c code) Error() string        { return string(c) }
func (c code) ErrorCode() string    { return string(c) }
func (c code) ErrorMessage() string { return "planted" }

// What the table does wrong is in the log and not in the answer.
func TestTableFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err    error
		status int
	}{
		{errors.New("planted"), 500},
		{code("ValidationException"), 500},
		{code("ProvisionedThroughputExceededException"), 503},
		{context.DeadlineExceeded, 503},
	}
	for _, tt := range tests {
		f := newFixture(t)
		path, _ := f.create(t, "a", "one")
		f.fail = func(string) error { return tt.err }
		for method, target := range map[string]string{"GET": path, "PUT": path, "DELETE": path, "POST": "/v1/notes"} {
			answer := f.ask(t, "a", method, target, `{"title":"planted title"}`)
			check(t, answer, tt.status, "")
			if strings.Contains(answer.Body, "planted") || strings.Contains(f.logged.String(), "planted title") {
				t.Errorf("%s: %s; log %s", method, answer.Body, f.logged.String())
			}
			if retry := answer.Headers["Retry-After"]; (retry == "1") != (tt.status == 503) {
				t.Errorf("Retry-After %q", retry)
			}
		}
		check(t, f.ask(t, "a", "GET", "/v1/notes", ""), tt.status, "")
		if strings.Count(f.logged.String(), "\n") != 5 {
			t.Errorf("%v: logged %s", tt.err, f.logged.String())
		}
	}
}

// Without its table the function does not start.
func TestNewServiceNeedsItsTable(t *testing.T) {
	t.Setenv("TABLE", "")
	if _, err := newService(t.Context()); err == nil || !strings.Contains(err.Error(), "TABLE") {
		t.Errorf("got %v", err)
	}
	t.Setenv("TABLE", "notes")
	t.Setenv("AWS_REGION", "eu-west-1")
	if s, err := newService(t.Context()); err != nil || s.store.table != "notes" {
		t.Errorf("got %+v, %v", s, err)
	}
}
