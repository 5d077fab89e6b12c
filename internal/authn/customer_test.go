package authn

import (
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// customerTable is a source of one customer that counts how often it is asked.
type customerTable struct {
	customer *Customer
	err      error
	asked    atomic.Int32
}

func (s *customerTable) Customer(_ context.Context, id string) (*Customer, error) {
	s.asked.Add(1)
	if s.err != nil {
		return nil, s.err
	}
	if s.customer == nil || s.customer.ID != id {
		return nil, ErrNoCustomer
	}
	return s.customer, nil
}

// shop is an API with one customer that holds a key, and what it is asked.
type shop struct {
	*Authorizer
	table *customerTable
	key   NewKey
}

func newShop(t *testing.T, change func(*Customer, *CustomerKey)) *shop {
	t.Helper()
	s := &shop{table: &customerTable{}, key: testFormat.NewKey("Q7pk2mXtWc0a")}
	key := CustomerKey{ID: s.key.ID, Digest: s.key.Digest, Scopes: []string{"notes/read", "notes/write"}}
	s.table.customer = &Customer{ID: "Q7pk2mXtWc0a", Status: StatusActive, Plan: "gold", Scopes: []string{"notes/read", "notes/write", "x/y"}}
	if change != nil {
		change(s.table.customer, &key)
	}
	s.table.customer.Keys = append(s.table.customer.Keys, key)
	var err error
	s.Authorizer, err = NewAuthorizer(AuthorizerConfig{
		Routes: []Route{
			{Method: "GET", Resource: "/v1/session", Key: []string{"notes/read", "a/b"}},
			{Method: "GET", Resource: "/v1/other", Key: []string{"x/y"}},
			route("/v1/tokens", TokenRule{Scopes: []string{"notes/read"}, AnyClient: true}),
		},
		Pools:     []Pool{{Verifier: testVerifier(t)}},
		Customers: s.table, Keys: testFormat, Now: testNow,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// basicHeader is an Authorization header of HTTP Basic.
func basicHeader(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

func (s *shop) decide(t *testing.T, authorization string, want Outcome, reason Reason, asked int32) Decision {
	t.Helper()
	before := s.table.asked.Load()
	d := s.Decide(t.Context(), sessionRequest(authorization))
	if d.Outcome != want || d.Reason != reason {
		t.Errorf("%v, %q; want %v, %q", d.Outcome, d.Reason, want, reason)
	}
	if got := s.table.asked.Load() - before; got != asked {
		t.Errorf("the table was asked %d times; want %d", got, asked)
	}
	if known := d.Outcome == Allowed || d.Outcome == Forbidden; known != (d.Identity.Subject != "") {
		t.Errorf("%v with %+v", d.Outcome, d.Identity)
	}
	return d
}

func TestDecideKey(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	want := Identity{Kind: KindCustomer, Subject: "Q7pk2mXtWc0a", Customer: "Q7pk2mXtWc0a", Key: s.key.ID, Plan: "gold", Scopes: []string{"notes/read", "notes/write"}}
	for _, sent := range []string{
		"Bearer " + s.key.Text, "bearer " + s.key.Text,
		basicHeader(s.key.BasicUser() + ":" + s.key.BasicPassword()), "bASIC" + basicHeader(s.key.BasicUser() + ":" + s.key.BasicPassword())[5:],
	} {
		if d := s.decide(t, sent, Allowed, ReasonAllowed, 1); !reflect.DeepEqual(d.Identity, want) {
			t.Errorf("got %+v", d.Identity)
		}
	}
	s.decide(t, "Bearer "+sign(t, accessHeader, accessPayload), Forbidden, ReasonRoute, 0)
}

// The order of the checks: what fails first is the reason, and only what has
// proven to be a key of this stage is looked up.
func TestDecideKeyRefuses(t *testing.T) {
	t.Parallel()
	now := testNow()
	for name, test := range map[string]struct {
		change  func(*Customer, *CustomerKey)
		outcome Outcome
		reason  Reason
	}{
		"unknown customer":          {func(c *Customer, _ *CustomerKey) { c.ID = "another" }, Unauthorized, ReasonKey},
		"unknown key":               {func(_ *Customer, k *CustomerKey) { k.ID = "another" }, Unauthorized, ReasonKey},
		"another secret":            {func(_ *Customer, k *CustomerKey) { k.Digest[31]++ }, Unauthorized, ReasonKey},
		"another secret, revoked":   {func(_ *Customer, k *CustomerKey) { k.Digest[0]++; k.Revoked = true }, Unauthorized, ReasonKey},
		"another secret, suspended": {func(c *Customer, k *CustomerKey) { k.Digest[0]++; c.Status = StatusSuspended }, Unauthorized, ReasonKey},
		"revoked":                   {func(_ *Customer, k *CustomerKey) { k.Revoked = true }, Unauthorized, ReasonRevoked},
		"revoked and suspended":     {func(c *Customer, k *CustomerKey) { k.Revoked = true; c.Status = StatusSuspended }, Unauthorized, ReasonRevoked},
		"expires now":               {func(_ *Customer, k *CustomerKey) { k.Expires = now }, Unauthorized, ReasonExpired},
		"expires in a moment":       {func(_ *Customer, k *CustomerKey) { k.Expires = now.Add(1) }, Allowed, ReasonAllowed},
		"suspended":                 {func(c *Customer, _ *CustomerKey) { c.Status = StatusSuspended }, Forbidden, ReasonStatus},
		"closed":                    {func(c *Customer, _ *CustomerKey) { c.Status = StatusClosed }, Forbidden, ReasonStatus},
		"status of another version": {func(c *Customer, _ *CustomerKey) { c.Status = "trial" }, Forbidden, ReasonStatus},
		"no status":                 {func(c *Customer, _ *CustomerKey) { c.Status = "" }, Forbidden, ReasonStatus},
		"key without the scope":     {func(_ *Customer, k *CustomerKey) { k.Scopes = []string{"notes/write", "notes/readonly"} }, Forbidden, ReasonScope},
		"customer without it":       {func(c *Customer, _ *CustomerKey) { c.Scopes = []string{"notes/write"} }, Forbidden, ReasonScope},
		"neither has scopes":        {func(c *Customer, k *CustomerKey) { c.Scopes, k.Scopes = nil, nil }, Forbidden, ReasonScope},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, test.change)
			s.decide(t, "Bearer "+s.key.Text, test.outcome, test.reason, 1)
		})
	}
	t.Run("another route", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, nil)
		for resource, want := range map[string]Reason{"/v1/other": ReasonScope, "/v1/tokens": ReasonRoute, "/v1/none": ReasonRoute} {
			r := sessionRequest("Bearer " + s.key.Text)
			r.Resource, r.MethodARN = resource, strings.Replace(sessionARN, "/v1/session", resource, 1)
			if d := s.Decide(t.Context(), r); d.Outcome != Forbidden || d.Reason != want || d.Identity.Customer != "Q7pk2mXtWc0a" {
				t.Errorf("%s: %+v", resource, d)
			}
		}
	})
}

// A scope that the customer has lost is lost to its keys.
func TestKeyScopesAreTheCustomersToo(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Customer, k *CustomerKey) {
		k.Scopes, c.Scopes = []string{"a/b", "notes/read", "notes/write"}, []string{"notes/write", "notes/read"}
	})
	if d := s.decide(t, "Bearer "+s.key.Text, Allowed, ReasonAllowed, 1); !reflect.DeepEqual(d.Identity.Scopes, []string{"notes/read", "notes/write"}) {
		t.Errorf("got %q", d.Identity.Scopes)
	}
	if got := s.table.customer.Keys[0].Scopes; len(got) != 3 {
		t.Errorf("the customer was changed: %q", got)
	}
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.table.err = errors.New("throttled")
	s.decide(t, "Bearer "+s.key.Text, Undecided, ReasonNoStore, 1)
	s.table.err = context.DeadlineExceeded
	s.decide(t, "Bearer "+s.key.Text, Undecided, ReasonNoStore, 1)
}

// TestSurviveKeys holds the rows of the request path's survival list about
// keys and Basic, as decisions. "No I/O" is that the table is not asked.
func TestSurviveKeys(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	key, user, password := s.key.Text, s.key.BasicUser(), s.key.BasicPassword()
	rows := []struct {
		name, authorization string
		reason              Reason
		asked               int32
	}{
		{"24_bad_prefix", "Bearer sk" + key[2:], ReasonMalformed, 0},
		{"24_bad_prefix_as_basic", basicHeader("sk" + user[2:] + ":" + password), ReasonKeyForm, 0},
		{"24_bad_checksum", "Bearer " + key[:len(key)-6] + checksum(key), ReasonKeyForm, 0},
		{"24_cut_short", "Bearer " + key[:40], ReasonKeyForm, 0},
		{"25_unknown_id", "Bearer " + testFormat.NewKey(NewCustomerID()).Text, ReasonKey, 1},
		{"26_wrong_secret", "Bearer " + withSecret(user), ReasonKey, 1},
		{"30_another_stage", "Bearer " + KeyFormat{"gw", "prod"}.NewKey("Q7pk2mXtWc0a").Text, ReasonStage, 0},
		{"31_no_colon", basicHeader(user + password), ReasonCredential, 0},
		{"31_NUL", basicHeader(user + "\x00:" + password), ReasonKeyForm, 0},
		{"31_bad_base64", "Basic " + base64.StdEncoding.EncodeToString([]byte(user + ":" + password))[1:], ReasonCredential, 0},
		{"31_no_padding", strings.TrimRight(basicHeader("a:b1"), "="), ReasonCredential, 0},
		{"31_spare_bits", strings.Replace(basicHeader("a:b1"), "Q==", "R==", 1), ReasonCredential, 0},
		{"31_other_alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(basicHeader("a:???>>>")), ReasonCredential, 0},
		{"31_line_break_in_base64", basicHeader(user + ":" + password)[:30] + "\n" + basicHeader(user + ":" + password)[30:], ReasonCredential, 0},
		{"31_empty_user", basicHeader(":" + password), ReasonCredential, 0},
		{"31_empty_password", basicHeader(user + ":"), ReasonCredential, 0},
		{"31_empty", "Basic ", ReasonCredential, 0},
		{"31_huge", basicHeader(user + ":" + strings.Repeat("a", 10<<10)), ReasonCredential, 0},
		{"31_whole_key_as_password", basicHeader("x:" + key), ReasonCredential, 0},
		{"31_whole_key_as_user", basicHeader(key + ":" + password), ReasonKeyForm, 0},
		{"32_password_with_colons", basicHeader(user + ":" + password + ":x"), ReasonKeyForm, 0},
		{"35_a_refresh_token", "Bearer eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ.a.b.c.d", ReasonMalformed, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { s.decide(t, row.authorization, Unauthorized, row.reason, row.asked) })
	}
	t.Run("33_headers_that_disagree", func(t *testing.T) {
		s := newShop(t, nil)
		s.keyHeader = true
		other, second := testFormat.NewKey(s.table.customer.ID).Text, testFormat.NewKey(s.table.customer.ID)
		s.table.customer.Keys = append(s.table.customer.Keys, CustomerKey{ID: second.ID, Digest: second.Digest, Scopes: []string{"notes/read"}})
		for name, test := range map[string]struct {
			authorization, header []string
			want                  Outcome
		}{
			// What would count alone must not count beside another, whichever is good.
			"good beside an unknown Bearer":    {[]string{"Bearer " + other}, []string{s.key.Text}, Unauthorized},
			"good beside unknown Basic":        {[]string{basicHeader(strings.Replace(other, "_"+other[len(other)-49:], ":"+other[len(other)-49:], 1))}, []string{s.key.Text}, Unauthorized},
			"good beside another good one":     {[]string{"Bearer " + second.Text}, []string{s.key.Text}, Unauthorized},
			"good Bearer beside two others":    {[]string{"Bearer " + s.key.Text}, []string{other, other}, Unauthorized},
			"good Bearer beside itself, twice": {[]string{"Bearer " + s.key.Text}, []string{s.key.Text, s.key.Text}, Unauthorized},

			"two of one":               {[]string{"Bearer " + key, "Bearer " + key}, nil, Unauthorized},
			"another key":              {[]string{"Bearer " + s.key.Text}, []string{other}, Unauthorized},
			"a token":                  {[]string{"Bearer " + sign(t, accessHeader, accessPayload)}, []string{s.key.Text}, Unauthorized},
			"two x-api-key":            {nil, []string{s.key.Text, s.key.Text}, Unauthorized},
			"empty x-api-key":          {[]string{"Bearer " + s.key.Text}, []string{""}, Unauthorized},
			"a token and an empty one": {[]string{"Bearer " + sign(t, accessHeader, accessPayload)}, []string{""}, Unauthorized},
			"empty Authorization":      {[]string{""}, []string{s.key.Text}, Unauthorized},
			"empty x-api-key alone":    {nil, []string{""}, Unauthorized},
			"the same key":             {[]string{"Bearer " + s.key.Text}, []string{s.key.Text}, Allowed},
			"the same as Basic":        {[]string{basicHeader(s.key.BasicUser() + ":" + s.key.BasicPassword())}, []string{s.key.Text}, Allowed},
			"x-api-key alone":          {nil, []string{s.key.Text}, Allowed},
			"a scheme in x-api-key":    {nil, []string{"Bearer " + s.key.Text}, Unauthorized},
			"a token in x-api-key":     {nil, []string{sign(t, accessHeader, accessPayload)}, Unauthorized},
			"another scheme beside it": {[]string{"Digest x"}, []string{s.key.Text}, Unauthorized},
		} {
			r := sessionRequest(test.authorization...)
			r.APIKey = texts(test.header)
			d := s.Decide(t.Context(), r)
			if d.Outcome != test.want {
				t.Errorf("%s: %v, %q", name, d.Outcome, d.Reason)
			}
			if both := len(test.authorization) > 0 && len(test.header) > 0; both && test.want == Unauthorized && d.Reason != ReasonCredential {
				t.Errorf("%s: for the reason %q", name, d.Reason)
			}
		}
		s.keyHeader = false
		r := sessionRequest()
		r.APIKey = texts([]string{s.key.Text})
		if d := s.Decide(t.Context(), r); d.Reason != ReasonNoCredential {
			t.Errorf("x-api-key counts where it is off: %v, %q", d.Outcome, d.Reason)
		}
	})
	t.Run("34_credential_in_the_query", func(t *testing.T) {
		r := sessionRequest("Bearer " + key)
		r.CredentialInQuery = true
		if d := s.Decide(t.Context(), r); d.Outcome != Unauthorized {
			t.Errorf("%v, %q", d.Outcome, d.Reason)
		}
	})
	t.Run("00_good", func(t *testing.T) { s.decide(t, "Bearer "+key, Allowed, ReasonAllowed, 1) })
}

// withSecret is a key of the right form with a secret of its own.
func withSecret(user string) string {
	text := user + "_" + randomBase62(secretLength)
	return text + checksum(text)
}

// The first colon ends the user.
func TestBasic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a:b": "a_b", "a:b:c": "a_b:c", "a_b:c": "a_b_c", "a::": "a_:", "a:b_c": "", "a": "", ":a": "", "a:": "", "": ""} {
		if got, ok := basic([]byte(base64.StdEncoding.EncodeToString([]byte(text)))); ok != (want != "") || ok && string(got) != want {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

// Without customers an API knows no keys at all.
func TestNoCustomers(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.customers = nil
	s.decide(t, "Bearer "+s.key.Text, Unauthorized, ReasonMalformed, 0)
	s.decide(t, basicHeader(s.key.BasicUser()+":"+s.key.BasicPassword()), Unauthorized, ReasonCredential, 0)
	s.keyHeader = true
	r := sessionRequest()
	r.APIKey = texts([]string{s.key.Text})
	if d := s.Decide(t.Context(), r); d.Outcome != Unauthorized {
		t.Errorf("%v, %q", d.Outcome, d.Reason)
	}
}

// What tells that a key exists: nothing. An unknown id and a wrong secret get
// the same answer for the same work.
func TestSurviveExistence(t *testing.T) {
	t.Parallel()
	t.Run("55_existence", func(t *testing.T) {
		t.Parallel()
		table := &customerTable{}
		s := newShop(t, nil)
		table.customer = s.table.customer
		now := testNow()
		cache := NewCustomerCache(table, func() time.Time { return now })
		s.customers = cache
		known, unknown := "Bearer "+withSecret(s.key.BasicUser()), "Bearer "+testFormat.NewKey("000000000000").Text
		for round := range 3 {
			var asked [2]int32
			var decided [2]Decision
			for i, sent := range []string{known, unknown} {
				before := table.asked.Load()
				for range 10 {
					decided[i] = s.Decide(t.Context(), sessionRequest(sent))
				}
				asked[i] = table.asked.Load() - before
			}
			if !reflect.DeepEqual(decided[0], decided[1]) || asked[0] != asked[1] || asked[0] > 1 {
				t.Errorf("round %d: %+v after %d reads, %+v after %d", round, decided[0], asked[0], decided[1], asked[1])
			}
			now = now.Add(FreshFor)
		}
	})
}
