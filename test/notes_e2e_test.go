package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/local"
)

// tokenOf gets an access token for a client by its name.
func (r *runtime) tokenOf(t *testing.T, name string, scopes ...string) string {
	t.Helper()
	i := slices.IndexFunc(r.UserPools[0].Clients, func(c local.Client) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no client %s", name)
	}
	c := r.UserPools[0].Clients[i]
	config := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: r.Auth + "/oauth2/token", Scopes: scopes}
	token, err := config.Token(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// sent is a JSON body.
func sent(text string) option {
	return func(r *http.Request) {
		body(text)(r)
		header("Content-Type", "application/json")(r)
	}
}

// testNotes walks the reference API with two clients, each with its own notes.
func testNotes(t *testing.T, r *runtime) {
	machine, batch := bearer(r.tokenOf(t, "machine")), bearer(r.tokenOf(t, "batch"))
	t.Run("Life", func(t *testing.T) { testNoteLife(t, r, machine) })
	t.Run("Isolation", func(t *testing.T) { testNoteIsolation(t, r, machine, batch) })
	t.Run("Scopes", func(t *testing.T) { testNoteScopes(t, r) })
	t.Run("Bodies", func(t *testing.T) { testNoteBodies(t, r, machine) })
	t.Run("Pages", func(t *testing.T) { testNotePages(t, r, batch) })
}

// createNote makes a note and returns its URL and ETag.
func createNote(t *testing.T, r *runtime, as option, title string) (url, etag string) {
	t.Helper()
	got := call(t, "POST", r.API+"/v1/notes", as, sent(fmt.Sprintf(`{"title":%q,"text":"x"}`, title)))
	if got.status != 201 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return r.API + got.header.Get("Location"), got.header.Get("ETag")
}

func testNoteLife(t *testing.T, r *runtime, machine option) {
	url, first := createNote(t, r, machine, "one")
	got := call(t, "GET", url, machine, header("Origin", origin))
	var note object
	if err := json.Unmarshal([]byte(got.body), &note); err != nil || len(note) != 5 || note["title"] != "one" || note["text"] != "x" || !strings.HasSuffix(url, "/"+note["id"].(string)) {
		t.Fatalf("got %d %s: %v", got.status, got.body, err)
	}
	if got.header.Get("ETag") != first || got.header.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("headers %v", got.header)
	}
	if got := call(t, "GET", url, machine, header("If-None-Match", first)); got.status != 304 || got.body != "" {
		t.Errorf("known already: got %d %s", got.status, got.body)
	}
	changed := call(t, "PUT", url, machine, sent(`{"title":"two"}`), header("If-Match", first))
	second := changed.header.Get("ETag")
	if changed.status != 200 || !strings.Contains(changed.body, `"title":"two","text":""`) || second == first {
		t.Errorf("got %d %s, ETag %s", changed.status, changed.body, second)
	}
	for _, method := range []string{"PUT", "DELETE"} {
		got := call(t, method, url, machine, sent(`{"title":"three"}`), header("If-Match", first))
		if got.status != 412 || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"title":"Precondition Failed","status":412`) {
			t.Errorf("stale %s: got %d %s", method, got.status, got.body)
		}
	}
	if got := call(t, "DELETE", url, machine, header("If-Match", `"x", `+second)); got.status != 204 || got.body != "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := call(t, "GET", url, machine); got.status != 404 || !strings.Contains(got.body, `"status":404`) {
		t.Errorf("deleted: got %d %s", got.status, got.body)
	}
}

// Another caller's note is no note.
func testNoteIsolation(t *testing.T, r *runtime, machine, batch option) {
	url, etag := createNote(t, r, machine, "machine's")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if got := call(t, method, url, batch, sent(`{"title":"batch's"}`), header("If-Match", "*")); got.status != 404 || strings.Contains(got.body, "machine's") {
			t.Errorf("%s: got %d %s", method, got.status, got.body)
		}
		if got := call(t, method, url, sent(`{"title":"nobody's"}`)); got.status != 401 || got.body != unauthorized {
			t.Errorf("%s without a token: got %d %s", method, got.status, got.body)
		}
	}
	if got := call(t, "GET", r.API+"/v1/notes", batch); got.status != 200 || got.body != `{"items":[]}` {
		t.Errorf("batch's list: %d %s", got.status, got.body)
	}
	if got := call(t, "GET", url, machine); got.status != 200 || got.header.Get("ETag") != etag {
		t.Errorf("machine's note: %d %s", got.status, got.body)
	}
}

func testNoteScopes(t *testing.T, r *runtime) {
	reader, writer := bearer(r.tokenOf(t, "machine", "notes/read")), bearer(r.tokenOf(t, "machine", "notes/write"))
	url, _ := createNote(t, r, writer, "one")
	for method, target := range map[string]string{"POST": r.API + "/v1/notes", "PUT": url, "DELETE": url} {
		if got := call(t, method, target, reader, sent(`{"title":"x"}`)); got.status != 403 || got.body != explicitDeny {
			t.Errorf("%s with notes/read: got %d %s", method, got.status, got.body)
		}
	}
	for _, as := range []option{reader, writer} {
		for _, target := range []string{url, r.API + "/v1/notes"} {
			if got := call(t, "GET", target, as); got.status != 200 {
				t.Errorf("%s: got %d %s", target, got.status, got.body)
			}
		}
	}
}

// What a model does not see, the function refuses.
func testNoteBodies(t *testing.T, r *runtime, machine option) {
	url, etag := createNote(t, r, machine, "one")
	for _, text := range []string{
		`{"title":""}`, `{}`, `{"title":1}`, `{"title":"a","colour":"red"}`, `[]`, `{"title":"a"`, `{"title":"` + strings.Repeat("é", 201) + `"}`,
		`{"title":"a","text":"` + strings.Repeat("é", 10_001) + `"}`, ``,
	} {
		if got := call(t, "POST", r.API+"/v1/notes", machine, sent(text)); got.status != 400 {
			t.Errorf("%.40s: got %d %s", text, got.status, got.body)
		}
	}
	if got := call(t, "PUT", url, machine, sent(`{"title":"`+strings.Repeat("é", 200)+`","text":"`+strings.Repeat("é", 10_000)+`"}`)); got.status != 200 {
		t.Errorf("the longest note: got %d %s", got.status, got.body)
	} else {
		etag = got.header.Get("ETag")
	}
	t.Run("Survive/57_undeclared_content_type", func(t *testing.T) {
		for _, kind := range []string{"text/plain", "application/xml", "application/problem+json", "application/x-www-form-urlencoded"} {
			for method, target := range map[string]string{"POST": r.API + "/v1/notes", "PUT": url} {
				got := call(t, method, target, machine, body(`{"title":"a","colour":"red"}`), header("Content-Type", kind))
				if got.status != 415 || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"status":415`) {
					t.Errorf("%s as %s: got %d %s", method, kind, got.status, got.body)
				}
			}
		}
	})
	if got := call(t, "GET", url, machine); got.header.Get("ETag") != etag {
		t.Errorf("changed: %s", got.body)
	}
}

func testNotePages(t *testing.T, r *runtime, batch option) {
	for n := range 5 {
		createNote(t, r, batch, fmt.Sprint(n))
	}
	var sizes, titles []string
	for cursor := ""; ; {
		got := call(t, "GET", r.API+"/v1/notes?limit=2"+cursor, batch)
		var list struct {
			Items []struct{ Title string }
			Next  *string
		}
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 {
			t.Fatalf("got %d %s: %v", got.status, got.body, err)
		}
		sizes = append(sizes, fmt.Sprint(len(list.Items)))
		for _, n := range list.Items {
			titles = append(titles, n.Title)
		}
		if list.Next == nil {
			break
		}
		cursor = "&cursor=" + *list.Next
		if got := call(t, "GET", r.API+"/v1/notes?cursor="+*list.Next, bearer(r.tokenOf(t, "machine"))); got.status != 400 {
			t.Errorf("another's cursor: got %d %s", got.status, got.body)
		}
	}
	if slices.Sort(titles); strings.Join(sizes, " ") != "2 2 1" || strings.Join(titles, " ") != "0 1 2 3 4" {
		t.Errorf("pages of %v with %v", sizes, titles)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "cursor=x", "cursor="} {
		if got := call(t, "GET", r.API+"/v1/notes?"+query, batch); got.status != 400 {
			t.Errorf("%s: got %d %s", query, got.status, got.body)
		}
	}
}
