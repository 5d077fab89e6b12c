package customers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/authn"
)

// Every operation is as many requests as it needs, and a look-up is one read.
func TestRequestCounts(t *testing.T) {
	t.Parallel()
	f := &faulty{table: newInProcess(t)}
	s := storeOver(f)
	c := acme(t, s)
	var k *IssuedKey
	for _, tt := range []struct {
		name string
		run  func() error
		want map[string]int
	}{
		{"key", func() (err error) { k, err = s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{}); return err }, map[string]int{"GetItem": 1, "PutItem": 1}},
		{"look-up", func() error { _, err := s.Customer(t.Context(), c.ID); return err }, map[string]int{"GetItem": 1}},
		{"look-up of nobody", func() error { _, _ = s.Customer(t.Context(), authn.NewCustomerID()); return nil }, map[string]int{"GetItem": 1}},
		{"look-up of a malformed id", func() error { _, _ = s.Customer(t.Context(), "x"); return nil }, map[string]int{}},
		{"list", func() error { _, err := s.List(t.Context(), "", 10); return err }, map[string]int{"Scan": 1}},
		{"revoke", func() error { _, err := s.RevokeKey(t.Context(), c.ID, k.Key.ID); return err }, map[string]int{"GetItem": 1, "PutItem": 1}},
		{"revoke again", func() error { _, err := s.RevokeKey(t.Context(), c.ID, k.Key.ID); return err }, map[string]int{"GetItem": 1}},
	} {
		f.counts = map[string]int{}
		if err := tt.run(); err != nil || fmt.Sprint(f.counts) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v: %v", tt.name, f.counts, tt.want, err)
		}
	}
}

// Whatever is read is what was last written, not what a replica has.
func TestConsistentReads(t *testing.T) {
	t.Parallel()
	table := &recorded{table: newInProcess(t)}
	s := storeOver(table)
	c := acme(t, s)
	for name, read := range map[string]func() error{
		"Customer": func() error { _, err := s.Customer(t.Context(), c.ID); return err },
		"List":     func() error { _, err := s.List(t.Context(), "", 1); return err },
	} {
		table.sent.Reset()
		if err := read(); err != nil || !strings.Contains(table.sent.String(), `"ConsistentRead":true`) {
			t.Errorf("%s sent %s: %v", name, table.sent.String(), err)
		}
	}
}

// bigTable answers Scan as a table of many customers would, without holding them.
type bigTable struct {
	size  int
	asked int
}

func (b *bigTable) RoundTrip(r *http.Request) (*http.Response, error) {
	var in struct {
		Limit             int
		ExclusiveStartKey map[string]map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || operationOf(r) != "Scan" || in.Limit < 1 || in.Limit > MaxPage {
		return nil, fmt.Errorf("%s of %d: %w", operationOf(r), in.Limit, err)
	}
	b.asked++
	first := 0
	if in.ExclusiveStartKey != nil {
		if _, err := fmt.Sscanf(in.ExclusiveStartKey["id"]["S"], "%d", &first); err != nil {
			return nil, err
		}
		first++
	}
	var items []string
	last := min(first+in.Limit, b.size)
	for n := first; n < last; n++ {
		items = append(items, fmt.Sprintf(`{"id":{"S":"%012d"},"schema":{"N":"1"},"version":{"N":"1"},"revisions":{"S":"r"},
			"record":{"S":"{\"id\":\"%012d\",\"name\":\"n\",\"status\":\"active\"}"}}`, n, n))
	}
	next := ""
	if last < b.size {
		next = fmt.Sprintf(`,"LastEvaluatedKey":{"id":{"S":"%012d"}}`, last-1)
	}
	return answerWith(r, http.StatusOK, fmt.Sprintf(`{"Items":[%s]%s}`, strings.Join(items, ","), next)), nil
}

// A hundred thousand customers are listed page by page, each once.
func TestListMany(t *testing.T) {
	t.Parallel()
	table := &bigTable{size: 100_000}
	s := storeOver(table)
	seen := 0
	for cursor := ""; ; {
		page, err := s.List(t.Context(), cursor, MaxPage)
		if err != nil || len(page.Unreadable) > 0 {
			t.Fatal(err, page)
		}
		for _, c := range page.Customers {
			if c.ID != fmt.Sprintf("%012d", seen) {
				t.Fatalf("customer %s at %d", c.ID, seen)
			}
			seen++
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if seen != table.size || table.asked != table.size/MaxPage {
		t.Errorf("%d customers in %d pages", seen, table.asked)
	}
}

func storedKeyRecord(id string) string {
	return `{"id":"` + id + `","label":"","scopes":["a/x"],"created":"2026-11-21T09:00:00Z","digest":"` + strings.Repeat("AAAA", 10) + `AAA="}`
}

// An item that is not known to the last field is no customer.
func TestMalformedItems(t *testing.T) {
	t.Parallel()
	const id = "abcdefghijkl"
	record := `{"id":"` + id + `","name":"Acme","plan":"","status":"active","scopes":["a/x"],"created":"2026-11-21T09:00:00Z","updated":"2026-11-21T09:00:00Z","keys":[` + storedKeyRecord("abcdef") + `]}`
	good := func() item {
		return item{"id": text(id), "schema": number(1), "version": number(3), "revisions": text("b a"), "record": text(record)}
	}
	if c, err := decode(good()); err != nil || c.Version != 3 || len(c.Keys) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	with := func(name string, value types.AttributeValue) item {
		i := good()
		i[name] = value
		return i
	}
	replaced := func(old, by string) item {
		if !strings.Contains(record, old) {
			t.Fatalf("the record holds no %s", old)
		}
		return with("record", text(strings.Replace(record, old, by, 1)))
	}
	without := good()
	delete(without, "revisions")
	for name, i := range map[string]item{
		"nothing":              {},
		"a missing attribute":  without,
		"an unknown attribute": with("closed", text("yes")),
		"another schema":       with("schema", number(2)),
		"schema as a text":     with("schema", text("1")),
		"version 0":            with("version", number(0)),
		"version 1.5":          with("version", &types.AttributeValueMemberN{Value: "1.5"}),
		"record as a number":   with("record", number(1)),
		"another id":           with("id", text("abcdefghijkm")),
		"a malformed id":       with("id", text("a")),
		"an unknown field":     replaced(`"plan":""`, `"plan":"","blocked":true`),
		"an unknown key field": replaced(`"label":""`, `"label":"","blocked":true`),
		"an unknown status":    replaced(`active`, `blocked`),
		"no status":            replaced(`"status":"active",`, ``),
		"a short digest":       replaced(`AAA="`, `"`),
		"no digest":            replaced(`"digest"`, `"replaces"`),
		"a key without an id":  replaced(`"abcdef"`, `""`),
		"a key twice":          replaced(storedKeyRecord("abcdef"), storedKeyRecord("abcdef")+","+storedKeyRecord("abcdef")),
		"more after the end":   with("record", text(record+"{}")),
		"half a record":        with("record", text(record[:len(record)/2])),
	} {
		if c, err := decode(i); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// An item that cannot be read stops nobody but the customer whose it is, and is not
// overwritten.
func TestUnreadableItem(t *testing.T) {
	t.Parallel()
	f := &faulty{table: newInProcess(t)}
	s := storeOver(f)
	good := acme(t, s)
	const id = "abcdefghijkl"
	name := tableName
	if _, err := s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item{"id": text(id), "schema": number(2)}}); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), "", 10)
	if err != nil || len(page.Customers) != 1 || page.Customers[0].ID != good.ID || len(page.Unreadable) != 1 || !strings.Contains(page.Unreadable[0].Error(), id) {
		t.Errorf("%+v, %v", page, err)
	}
	// Behind an item that no cursor can name, the list cannot go on, and says so.
	if _, err := s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item{"id": text("no id")}}); err != nil {
		t.Fatal(err)
	}
	for page, err = s.List(t.Context(), "", 1); err == nil && page.Next != ""; {
		page, err = s.List(t.Context(), page.Next, 1)
	}
	if err == nil || !strings.Contains(err.Error(), "take what Gatewright did not write out of the table") {
		t.Errorf("%+v, %v", page, err)
	}
	f.counts = nil
	if _, err := s.Create(t.Context(), NewCustomer{ID: id, Name: "Acme"}); err == nil || f.counts["PutItem"] > 0 || f.counts["GetItem"] != 1 {
		t.Errorf("%v: %v", f.counts, err)
	}
	if _, err := s.Customer(t.Context(), id); err == nil || errors.Is(err, authn.ErrNoCustomer) {
		t.Errorf("looked up: %v", err)
	}
}

// All problems of an input come at once, and before any request.
func TestInvalidInput(t *testing.T) {
	t.Parallel()
	s := storeOver(&faulty{next: func(operation string) fault {
		t.Errorf("%s was sent", operation)
		return faults["reset before"]
	}})
	const id = "abcdefghijkl"
	past := time.Now().Add(-time.Second)
	create := func(n NewCustomer) error { _, err := s.Create(t.Context(), n); return err }
	change := func(ch Change) error { _, err := s.Change(t.Context(), id, ch); return err }
	key := func(f authn.KeyFormat, r NewKeyRequest) error {
		_, err := s.CreateKey(t.Context(), id, f, r)
		return err
	}
	rotate := func(overlap time.Duration) error {
		_, err := s.RotateKey(t.Context(), id, "abcdef", format, overlap)
		return err
	}
	many := make([]string, MaxScopes+1)
	for n := range many {
		many[n] = fmt.Sprintf("a/%d", n)
	}
	for name, tt := range map[string]struct {
		err  error
		want []string
	}{
		"everything":       {create(NewCustomer{ID: "x", Name: "", Plan: "a b", Scopes: []string{"x", "a/x", "a/x"}}), []string{`id "x"`, "name has 0", `plan "a b"`, `"x" is malformed`, "twice"}},
		"long name":        {create(NewCustomer{Name: strings.Repeat("x", 101)}), []string{"101 characters"}},
		"control":          {create(NewCustomer{Name: "a\x1b[2J"}), []string{"does not print"}},
		"line break":       {create(NewCustomer{Name: "a\nb"}), []string{"does not print"}},
		"right to left":    {create(NewCustomer{Name: "a\u202eb"}), []string{"does not print"}},
		"no UTF-8":         {create(NewCustomer{Name: "a\xff"}), []string{"does not print"}},
		"spaces":           {create(NewCustomer{Name: " a"}), []string{"begins or ends"}},
		"long plan":        {create(NewCustomer{Name: "a", Plan: strings.Repeat("p-", 33)}), []string{"plan (of 66 bytes"}},
		"many scopes":      {create(NewCustomer{Name: "a", Scopes: many}), []string{"51 of them; at most 50"}},
		"a long scope":     {create(NewCustomer{Name: "a", Scopes: []string{"a/" + strings.Repeat("-", maxScope)}}), []string{"scopes[0]", "malformed"}},
		"no change":        {change(Change{}), []string{"nothing is to change"}},
		"changes":          {change(Change{Name: new(""), Plan: new("?"), Status: new(authn.Status("gone")), Scopes: []string{"?"}}), []string{"name", "plan", "status", "scopes[0]"}},
		"key":              {key(authn.KeyFormat{Prefix: "GW"}, NewKeyRequest{Label: "\x00", Scopes: []string{"x"}, Expires: past}), []string{"key prefix", "stage tag", "label", "scopes[0]", "expiry"}},
		"far expiry":       {key(format, NewKeyRequest{Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}), []string{"year 10000"}},
		"negative":         {rotate(-1), []string{"0 to 90 days"}},
		"a long overlap":   {rotate(MaxOverlap + 1), []string{"0 to 90 days"}},
		"a key in a scope": {create(NewCustomer{Name: "a", Scopes: []string{"a/" + format.NewKey(id).Text}}), []string{"scopes[0] looks like a key"}},
		"a key as a name":  {create(NewCustomer{Name: format.NewKey(id).Text}), []string{"looks like a key"}},
	} {
		for _, want := range tt.want {
			wantError(t, tt.err, ErrInvalid, want)
		}
		if strings.Contains(fmt.Sprint(tt.err), "\n") {
			t.Errorf("%s: more than a line: %v", name, tt.err)
		}
	}
}

// recorded keeps all that is sent.
type recorded struct {
	table http.RoundTripper
	mu    sync.Mutex
	sent  strings.Builder
}

func (r *recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.sent.Write(body)
	r.mu.Unlock()
	request.Body = io.NopCloser(strings.NewReader(string(body)))
	return r.table.RoundTrip(request)
}

// No key gets into the table, into what is printed, or into an error, wherever it
// was pasted by mistake.
func TestNoKeyAnywhere(t *testing.T) {
	t.Parallel()
	table := &recorded{table: newInProcess(t)}
	s := storeOver(table)
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{Label: "till"})
	next, err := s.RotateKey(t.Context(), c.ID, k.Key.ID, format, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	log := slog.New(slog.NewJSONHandler(&shown, nil))
	for _, value := range []any{k, *k, next, k.Key, &k.Key, next.Customer, *next.Customer, []any{k}, map[string]any{"k": *k}, struct{ k any }{*k}, s} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb, value)
		}
		data, _ := json.Marshal(value)
		shown.Write(data)
		log.Info("shown", "value", value)
	}
	for _, pasted := range []string{k.Text(), k.BasicPassword(), " " + k.Text(), k.Text() + "\n", strings.ToUpper(k.Text())} {
		_, e1 := s.Create(t.Context(), NewCustomer{ID: pasted, Name: pasted, Plan: pasted, Scopes: []string{pasted, "a/" + pasted}})
		_, e2 := s.Change(t.Context(), pasted, Change{Name: &pasted, Plan: &pasted, Scopes: []string{pasted}, Status: new(authn.Status(pasted))})
		_, e3 := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{Label: pasted, Scopes: []string{pasted}})
		_, e4 := s.RotateKey(t.Context(), pasted, pasted, format, -1)
		_, e5 := s.RotateKey(t.Context(), c.ID, pasted, format, 0)
		_, e6 := s.RevokeKey(t.Context(), c.ID, pasted)
		_, e7 := s.RevokeKey(t.Context(), pasted, pasted)
		_, e8 := s.Get(t.Context(), pasted)
		_, e9 := s.List(t.Context(), pasted, 10)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9} {
			if err == nil {
				t.Errorf("a key is taken at %d", i+1)
			}
			fmt.Fprintf(&shown, "%v %+v", err, err)
			data, _ := json.Marshal(err)
			shown.Write(data)
		}
	}
	for where, text := range map[string]string{"the table": table.sent.String(), "what is shown": shown.String()} {
		for _, secret := range []string{k.Text(), k.BasicPassword(), next.BasicPassword(), k.BasicPassword()[:20]} {
			for _, form := range []string{secret, strings.ToUpper(secret), fmt.Sprintf("%x", secret)} {
				if strings.Contains(text, form) {
					t.Errorf("%s holds %d characters of a key", where, len(secret))
				}
			}
		}
	}
	if !strings.Contains(shown.String(), "key "+k.Key.ID) {
		t.Error("a key does not show its id")
	}
}

func BenchmarkCustomer(b *testing.B) {
	s := storeOver(newInProcess(b))
	c, err := s.Create(b.Context(), NewCustomer{Name: "Acme", Scopes: []string{"a/x"}})
	if err != nil {
		b.Fatal(err)
	}
	for range 2 {
		if _, err := s.CreateKey(b.Context(), c.ID, format, NewKeyRequest{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Customer(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
	}
}
