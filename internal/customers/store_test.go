package customers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/authn"
)

// testStore is what the store does on every implementation of DynamoDB. open makes
// a store on an empty table.
func testStore(t *testing.T, open func(t *testing.T) *Store) {
	for name, test := range map[string]func(t *testing.T, s *Store){
		"create":              testCreate,
		"change":              testChange,
		"list":                testList,
		"keys":                testKeys,
		"rotate":              testRotate,
		"rotate a lifetime":   testLifetime,
		"revoke":              testRevoke,
		"dead keys":           testDeadKeys,
		"closed":              testClosed,
		"full":                testFull,
		"many writers":        testManyWriters,
		"two rotations":       testTwoRotations,
		"one key too many":    testOneKeyTooMany,
		"two creations":       testTwoCreations,
		"decisions":           testDecisions,
		"a writer's own item": testOwnRevision,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// wantError checks an error's kind and a word of its text.
func wantError(t *testing.T, err, kind error, text string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("got %v; want %v that holds %q", err, kind, text)
	}
}

// setClock gives a store a clock that stands, and returns what moves it.
func setClock(s *Store) (move func(time.Duration)) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return now }
	return func(by time.Duration) { now = now.Add(by) }
}

func acme(t *testing.T, s *Store) *Customer {
	t.Helper()
	c, err := s.Create(t.Context(), NewCustomer{Name: "Acme", Plan: "pro", Scopes: []string{"notes/read", "notes/write"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func issue(t *testing.T, s *Store, id string, r NewKeyRequest) *IssuedKey {
	t.Helper()
	k, err := s.CreateKey(t.Context(), id, format, r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testCreate(t *testing.T, s *Store) {
	setClock(s)
	n := NewCustomer{ID: authn.NewCustomerID(), Name: "Acme & Söhne", Plan: "pro", Scopes: []string{"b/y", "a/x"}}
	c, err := s.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != n.ID || c.Version != 1 || c.Status != authn.StatusActive || !slices.Equal(c.Scopes, []string{"a/x", "b/y"}) || !c.Created.Equal(s.now()) || !c.Updated.Equal(s.now()) {
		t.Errorf("%+v", c)
	}
	n.Scopes = []string{"a/x", "b/y"}
	again, err := s.Create(t.Context(), n)
	if err != nil || again.Version != 1 || again.Name != n.Name {
		t.Errorf("again: %+v, %v", again, err)
	}
	n.Plan = "free"
	_, err = s.Create(t.Context(), n)
	wantError(t, err, ErrRefused, "already")
	_, err = s.Get(t.Context(), authn.NewCustomerID())
	wantError(t, err, ErrNotFound, "gatewright customers list")
	wantError(t, err, authn.ErrNoCustomer, "")
	got, err := s.Get(t.Context(), n.ID)
	if err != nil || got.Plan != "pro" || len(got.Keys) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if a, b := acme(t, s), acme(t, s); a.ID == b.ID || !authn.ValidCustomerID(a.ID) {
		t.Errorf("ids %s, %s", a.ID, b.ID)
	}
}

func testChange(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	move(time.Hour)
	c, err := s.Change(t.Context(), c.ID, Change{Name: new("Acme Ltd")})
	if err != nil || c.Name != "Acme Ltd" || c.Plan != "pro" || c.Version != 2 || !c.Updated.Equal(s.now()) || c.Created.Equal(s.now()) {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = s.Change(t.Context(), c.ID, Change{Plan: new(""), Scopes: []string{}, Status: new(authn.StatusSuspended)})
	if err != nil || c.Plan != "" || len(c.Scopes) != 0 || c.Status != authn.StatusSuspended || c.Name != "Acme Ltd" {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = s.Change(t.Context(), c.ID, Change{Status: new(authn.StatusSuspended)})
	if err != nil || c.Version != 3 {
		t.Errorf("a change that changes nothing: %+v, %v", c, err)
	}
	c, err = s.Change(t.Context(), c.ID, Change{Status: new(authn.StatusActive)})
	if err != nil || c.Status != authn.StatusActive {
		t.Errorf("%+v, %v", c, err)
	}
	got, err := s.Get(t.Context(), c.ID)
	if err != nil || got.Version != 4 || got.Name != "Acme Ltd" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = s.Change(t.Context(), authn.NewCustomerID(), Change{Name: new("x")})
	wantError(t, err, ErrNotFound, "there is no customer")
}

func testClosed(t *testing.T, s *Store) {
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{})
	if _, err := s.Change(t.Context(), c.ID, Change{Status: new(authn.StatusClosed)}); err != nil {
		t.Fatal(err)
	}
	for _, status := range []authn.Status{authn.StatusActive, authn.StatusSuspended} {
		_, err := s.Change(t.Context(), c.ID, Change{Status: &status})
		wantError(t, err, ErrRefused, "final")
	}
	_, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{})
	wantError(t, err, ErrRefused, "final")
	_, err = s.RotateKey(t.Context(), c.ID, k.Key.ID, format, 0)
	wantError(t, err, ErrRefused, "final")
	if c, err = s.Change(t.Context(), c.ID, Change{Name: new("removed"), Status: new(authn.StatusClosed)}); err != nil || c.Name != "removed" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err = s.RevokeKey(t.Context(), c.ID, k.Key.ID); err != nil {
		t.Error(err)
	}
}

func testList(t *testing.T, s *Store) {
	empty, err := s.List(t.Context(), "", 10)
	if err != nil || len(empty.Customers) != 0 || empty.Next != "" {
		t.Errorf("%+v, %v", empty, err)
	}
	want := map[string]int{}
	for range 23 {
		want[acme(t, s).ID] = 1
	}
	got := map[string]int{}
	pages := 0
	for cursor := ""; ; {
		page, err := s.List(t.Context(), cursor, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Customers {
			got[c.ID]++
		}
		if pages++; pages > 10 || len(page.Customers) > 5 {
			t.Fatalf("page %d of %d customers", pages, len(page.Customers))
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v; want %v", got, want)
	}
	if page, err := s.List(t.Context(), "1."+authn.NewCustomerID(), 5); err != nil || len(page.Customers) > 5 {
		t.Errorf("a cursor of an item that is not there: %+v, %v", page, err)
	}
	for _, cursor := range []string{"x", "1.", "1.short", authn.NewCustomerID(), "2." + authn.NewCustomerID(), "1.Q7pk2mXtWc0!", strings.Repeat("a", 1e4)} {
		_, err := s.List(t.Context(), cursor, 5)
		wantError(t, err, ErrInvalid, "cursor")
	}
	for _, limit := range []int{-1, 0, MaxPage + 1} {
		_, err := s.List(t.Context(), "", limit)
		wantError(t, err, ErrInvalid, "1 to 100")
	}
}

func testKeys(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	all := issue(t, s, c.ID, NewKeyRequest{Label: "till"})
	one := issue(t, s, c.ID, NewKeyRequest{Scopes: []string{"notes/read"}, Expires: s.now().Add(time.Hour)})
	if !slices.Equal(all.Key.Scopes, c.Scopes) || all.Key.Label != "till" || !all.Key.Expires.IsZero() || len(one.Customer.Keys) != 2 {
		t.Errorf("%+v", all)
	}
	if all.Text() != all.BasicUser()+"_"+all.BasicPassword() || !strings.HasPrefix(all.Text(), "gw_dev_"+c.ID+all.Key.ID+"_") {
		t.Error("the key's text does not hold its ids")
	}
	if !one.Key.Live(s.now()) {
		t.Error("a new key is dead")
	}
	move(time.Hour)
	got, err := s.Get(t.Context(), c.ID)
	if err != nil || len(got.Keys) != 2 || got.Keys[1].Live(s.now()) || !got.Keys[0].Live(s.now()) || got.Keys[0].Digest != all.Key.Digest {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{Scopes: []string{"notes/admin"}})
	wantError(t, err, ErrRefused, "does not have the scope")
	_, err = s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{Scopes: []string{}})
	wantError(t, err, ErrRefused, "no scope")
	_, err = s.CreateKey(t.Context(), authn.NewCustomerID(), format, NewKeyRequest{})
	wantError(t, err, ErrNotFound, "no customer")
}

func testRotate(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	first := issue(t, s, c.ID, NewKeyRequest{Label: "till"})
	second, err := s.RotateKey(t.Context(), c.ID, first.Key.ID, format, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := second.Customer.Key(first.Key.ID)
	if second.Key.Replaces != first.Key.ID || second.Key.Label != "till" || !slices.Equal(second.Key.Scopes, first.Key.Scopes) ||
		!old.Expires.Equal(s.now().Add(time.Hour)) || !second.Key.Expires.IsZero() || second.Text() == first.Text() {
		t.Errorf("%+v", second)
	}
	_, err = s.RotateKey(t.Context(), c.ID, first.Key.ID, format, time.Hour)
	wantError(t, err, ErrRefused, "replaced by key "+second.Key.ID)

	// A successor that nobody has is revoked, and the key rotated again. It ends no
	// later than the first rotation said.
	if _, err := s.RevokeKey(t.Context(), c.ID, second.Key.ID); err != nil {
		t.Fatal(err)
	}
	third, err := s.RotateKey(t.Context(), c.ID, first.Key.ID, format, 2*time.Hour)
	if err != nil || !third.Key.Expires.IsZero() {
		t.Fatalf("%+v, %v", third, err)
	}
	if old, _ := third.Customer.Key(first.Key.ID); !old.Expires.Equal(s.now().Add(time.Hour)) {
		t.Errorf("the old key expires %s", old.Expires)
	}
	move(time.Hour)
	_, err = s.RotateKey(t.Context(), c.ID, first.Key.ID, format, 0)
	wantError(t, err, ErrRefused, "revoked or expired")
	_, err = s.RotateKey(t.Context(), c.ID, "abcdef", format, 0)
	wantError(t, err, ErrNotFound, "no key")

	// Without an overlap the old key ends at once. Scopes that the customer lost do
	// not come back with a new key.
	if _, err := s.Change(t.Context(), c.ID, Change{Scopes: []string{"notes/read"}}); err != nil {
		t.Fatal(err)
	}
	fourth, err := s.RotateKey(t.Context(), c.ID, third.Key.ID, format, 0)
	if err != nil || !slices.Equal(fourth.Key.Scopes, []string{"notes/read"}) {
		t.Fatalf("%+v, %v", fourth, err)
	}
	if old, _ := fourth.Customer.Key(third.Key.ID); old.Live(s.now()) {
		t.Error("the old key is live")
	}
}

func testLifetime(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{Expires: s.now().Add(10 * time.Hour)})
	move(9 * time.Hour)
	next, err := s.RotateKey(t.Context(), c.ID, k.Key.ID, format, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := next.Customer.Key(k.Key.ID)
	if !old.Expires.Equal(k.Key.Expires) || !next.Key.Expires.Equal(s.now().Add(10*time.Hour)) {
		t.Errorf("%+v, %+v", old, next.Key)
	}
	last, err := s.RotateKey(t.Context(), c.ID, next.Key.ID, format, 0)
	if err != nil || !last.Key.Expires.Equal(s.now().Add(10*time.Hour)) {
		t.Fatalf("%+v, %v", last, err)
	}
	if old, _ = last.Customer.Key(next.Key.ID); !old.Expires.Equal(s.now()) {
		t.Errorf("the old key expires %s", old.Expires)
	}
}

func testRevoke(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{})
	revoked, err := s.RevokeKey(t.Context(), c.ID, k.Key.ID)
	if err != nil || !revoked.Keys[0].Revoked.Equal(s.now()) {
		t.Fatalf("%+v, %v", revoked, err)
	}
	move(time.Hour)
	again, err := s.RevokeKey(t.Context(), c.ID, k.Key.ID)
	if err != nil || again.Version != revoked.Version || !again.Keys[0].Revoked.Equal(revoked.Keys[0].Revoked) {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = s.RevokeKey(t.Context(), c.ID, "abcdef")
	wantError(t, err, ErrNotFound, "gatewright keys list "+c.ID)
	_, err = s.RevokeKey(t.Context(), authn.NewCustomerID(), "abcdef")
	wantError(t, err, ErrNotFound, "no customer")
}

// Dead keys are kept for the record, as many as are worth it. A live key's
// predecessor stays, however old.
func testDeadKeys(t *testing.T, s *Store) {
	move := setClock(s)
	c := acme(t, s)
	first := issue(t, s, c.ID, NewKeyRequest{})
	second, err := s.RotateKey(t.Context(), c.ID, first.Key.ID, format, 0)
	if err != nil {
		t.Fatal(err)
	}
	var dead []string
	for range maxDeadKeys + 5 {
		move(time.Second)
		k := issue(t, s, c.ID, NewKeyRequest{})
		dead = append(dead, k.Key.ID)
		if c, err = s.RevokeKey(t.Context(), c.ID, k.Key.ID); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for _, k := range c.Keys {
		kept = append(kept, k.ID)
	}
	want := append([]string{first.Key.ID, second.Key.ID}, dead[5:]...)
	if !slices.Equal(kept, want) {
		t.Errorf("kept %v; want %v", kept, want)
	}
	if c, err = s.RevokeKey(t.Context(), c.ID, second.Key.ID); err != nil || c.index(first.Key.ID) >= 0 || c.index(second.Key.ID) < 0 || len(c.Keys) != maxDeadKeys {
		t.Errorf("%+v, %v", c, err)
	}
}

// A customer with the longest of everything fits into its item, or is refused; and
// every key of a full one can be revoked.
func testFull(t *testing.T, s *Store) {
	var scopes []string
	for n := range MaxScopes {
		scopes = append(scopes, strings.Repeat("https://x.", 25)+fmt.Sprintf("/%03d/", n)+strings.Repeat("<.>", 80))
	}
	c, err := s.Create(t.Context(), NewCustomer{Name: strings.Repeat("ü", MaxText), Plan: strings.Repeat("p-", MaxPlan/2), Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for range MaxLiveKeys {
		var k *IssuedKey
		if k, err = s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{Label: strings.Repeat("<", MaxText)}); err != nil {
			break
		}
		c = k.Customer
		made++
	}
	wantError(t, err, ErrRefused, "fewer scopes")
	wide := make([]string, MaxScopes)
	for n := range wide {
		wide[n] = strings.Repeat("<", 500) + fmt.Sprintf("/%d", n)
	}
	_, err = s.Change(t.Context(), c.ID, Change{Scopes: wide})
	wantError(t, err, ErrRefused, "fewer scopes")
	for _, k := range c.Keys {
		if c, err = s.RevokeKey(t.Context(), c.ID, k.ID); err != nil {
			t.Error(err)
		}
	}
	if made < 2 {
		t.Errorf("only %d keys", made)
	}
	if _, err = s.Change(t.Context(), c.ID, Change{Scopes: scopes[1:]}); err != nil {
		t.Errorf("narrower: %v", err)
	}
}

// What the store writes is what the request path decides by.
func testDecisions(t *testing.T, s *Store) {
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{})
	k, err := s.RotateKey(t.Context(), c.ID, k.Key.ID, format, 0)
	if err != nil {
		t.Fatal(err)
	}
	c = must(s.RevokeKey(t.Context(), c.ID, k.Key.ID))
	d, err := s.Customer(t.Context(), c.ID)
	if err != nil || d.ID != c.ID || d.Status != authn.StatusActive || d.Plan != "pro" || len(d.Keys) != 2 || !d.Keys[1].Revoked || d.Keys[0].Revoked ||
		d.Keys[0].Expires.IsZero() || d.Keys[1].Digest != k.Key.Digest || !slices.Equal(d.Keys[1].Scopes, c.Scopes) {
		t.Errorf("%+v, %v", d, err)
	}
}

// A writer finds its own write behind those that followed, and nobody else's.
func testOwnRevision(t *testing.T, s *Store) {
	c := acme(t, s)
	w := &writing{own: strings.Fields(c.revisions)}
	for n := range maxRevisions {
		if !w.wrote(c) {
			t.Fatalf("not found behind %d writes", n)
		}
		c = must(s.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprint(n))}))
	}
	if w.wrote(c) || len(strings.Fields(c.revisions)) != maxRevisions {
		t.Errorf("revisions %s", c.revisions)
	}
}

// A key that had expired is on record as revoked when it is: its end is now, and not
// when it expired.
func TestRevokedAfterItsExpiry(t *testing.T) {
	t.Parallel()
	s := storeOver(newInProcess(t))
	move := setClock(s)
	c := acme(t, s)
	soon := func(in time.Duration) NewKeyRequest { return NewKeyRequest{Expires: s.now().Add(in)} }
	first := issue(t, s, c.ID, soon(time.Second))
	for range maxDeadKeys - 1 {
		issue(t, s, c.ID, soon(2*time.Second))
	}
	move(3 * time.Second)
	issue(t, s, c.ID, soon(time.Second))
	move(2 * time.Second)
	c = must(s.RevokeKey(t.Context(), c.ID, first.Key.ID))
	if k, ok := c.Key(first.Key.ID); !ok || !k.Revoked.Equal(s.now()) || len(c.Keys) != maxDeadKeys {
		t.Errorf("%v of %d keys", k, len(c.Keys))
	}
}

// Who outgrew the item may still become narrower, and only that.
func TestNarrower(t *testing.T) {
	t.Parallel()
	s := storeOver(newInProcess(t))
	var scopes []string
	for n := range MaxScopes {
		scopes = append(scopes, fmt.Sprintf("%s/%02d", strings.Repeat("x.", 245), n))
	}
	c := must(s.Create(t.Context(), NewCustomer{Name: "Acme", Scopes: scopes}))
	for n := 0; c.fits() == nil; n++ {
		c.Keys = append(c.Keys, Key{ID: fmt.Sprintf("key%03d", n), Scopes: scopes, Created: c.Created, Revoked: c.Created})
	}
	must(s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: must(encode(c))}))
	_, err := s.Change(t.Context(), c.ID, Change{Scopes: append([]string{"notes/read"}, scopes[1:]...)})
	wantError(t, err, ErrRefused, "fewer scopes")
	c = must(s.Change(t.Context(), c.ID, Change{Scopes: scopes[1:]}))
	if c.fits() == nil || len(c.Scopes) != MaxScopes-1 {
		t.Errorf("%d scopes, and it fits", len(c.Scopes))
	}
}

// What a customer lost, its keys do not have, and have again where it is given back.
func TestWithheld(t *testing.T) {
	t.Parallel()
	s := storeOver(newInProcess(t))
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{})
	for _, tt := range []struct{ scopes, withheld []string }{
		{[]string{"notes/read"}, []string{"notes/write"}},
		{[]string{}, []string{"notes/read", "notes/write"}},
		{[]string{"notes/write", "notes/read", "notes/erase"}, nil},
	} {
		c = must(s.Change(t.Context(), c.ID, Change{Scopes: tt.scopes}))
		if got := c.Withheld(c.Keys[c.index(k.Key.ID)]); !slices.Equal(got, tt.withheld) {
			t.Errorf("with %v: %v are withheld", tt.scopes, got)
		}
	}
}

// What an error advises speaks of the same stage.
func TestWithFlags(t *testing.T) {
	t.Parallel()
	plain := storeOver(newInProcess(t))
	s := plain.WithFlags(" --stack dev-Api")
	c := acme(t, s)
	_, err := s.Get(t.Context(), "000000000000")
	wantError(t, err, ErrNotFound, "gatewright customers list --stack dev-Api shows them")
	_, err = s.RevokeKey(t.Context(), c.ID, "nobody")
	wantError(t, err, ErrNotFound, "gatewright keys list "+c.ID+" --stack dev-Api shows them")
	_, err = plain.RevokeKey(t.Context(), c.ID, "nobody")
	wantError(t, err, ErrNotFound, "gatewright keys list "+c.ID+" shows them")
}
