package authn

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// TestSurvive holds the rows of the request path's survival list that concern
// a token by itself.
func TestSurvive(t *testing.T) {
	for _, row := range authntest.Refused(t) {
		t.Run(row.Name, func(t *testing.T) {
			if len(row.Tokens) == 0 {
				t.Fatal("no token to refuse")
			}
			checkRefusals(t, refusals(row.Tokens))
		})
	}
	t.Run("07_embedded_or_linked_key", surviveEmbeddedKey)
	t.Run("12_ten_kilobytes_of_dots", surviveDots)
	t.Run("15_times", surviveTimes)
	t.Run("17_id_token", surviveIDToken)
	t.Run("18_client", surviveClient)
	t.Run("19_scopes", surviveScopes)
	t.Run("20_deep_json", surviveDepth)
	t.Run("23_weak_keys", surviveWeakKeys)
}

// surviveEmbeddedKey names the attacker's key in every way.
func surviveEmbeddedKey(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(func() {
		server.Close()
		if n := fetched.Load(); n != 0 {
			t.Errorf("%d requests to an address from a header", n)
		}
	})
	checkRefusals(t, refusals(authntest.EmbeddedKeys(t, server.URL)))
}

func surviveTimes(t *testing.T) {
	now := testNow().Unix()
	skew := int64(DefaultSkew / time.Second)
	tests := []struct {
		name, claim string
		at          int64
		fraction    int64
		want        Reason
	}{
		{"expired", "exp", now - 1, 0, ReasonExpired},
		{"expires this second", "exp", now, 0, ReasonExpired},
		{"expired within the skew", "exp", now - skew/2, 0, ReasonExpired},
		{"expires the next second", "exp", now + 1, 999_999_999, ""},
		{"valid from now", "nbf", now, 0, ""},
		{"valid within the skew", "nbf", now + skew, 0, ""},
		{"not yet valid", "nbf", now + skew + 1, 0, ReasonNotYetValid},
		{"issued within the skew", "iat", now + skew, 0, ""},
		{"issued in the future", "iat", now + skew + 1, 0, ReasonNotYetValid},
		{"issued next century", "iat", 4_900_000_000, 0, ReasonNotYetValid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, err := NewVerifier(Config{
				Issuer: testIssuer, Keys: KeySet{testKeyID: &testKey(t).PublicKey},
				Now: func() time.Time { return time.Unix(now, test.fraction) },
			})
			if err != nil {
				t.Fatal(err)
			}
			token := sign(t, accessHeader, with(accessPayload, test.claim, fmt.Sprint(test.at)))
			if _, err = v.Verify(t.Context(), token); ReasonOf(err) != test.want {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

// An ID token says that it is one, and carries no scope even if it claims to.
func surviveIDToken(t *testing.T) {
	t.Parallel()
	payload := with(with(idPayload, "scope", `"notes/read"`), "client_id", `"other"`)
	token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, payload))
	if err != nil {
		t.Fatal(err)
	}
	if token.Use != UseID || token.HasAnyScope([]string{"notes/read"}) || token.ClientID != "3n4b5urk1ft4fl3mg5e62d9ado" {
		t.Errorf("got %+v", token)
	}
}

// The client of an access token is its client_id; an aud beside it is no client.
func surviveClient(t *testing.T) {
	t.Parallel()
	token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, with(accessPayload, "aud", `"https://api.example.com"`)))
	if err != nil {
		t.Fatal(err)
	}
	if token.ClientID != "3n4b5urk1ft4fl3mg5e62d9ado" {
		t.Errorf("ClientID %q", token.ClientID)
	}
}

func surviveScopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		claim  string
		needed []string
		want   bool
		reason Reason
	}{
		{`"notes/read notes/write"`, []string{"notes/write"}, true, ""},
		{`"notes/read"`, []string{"notes/write", "notes/read"}, true, ""},
		{`"notes/read"`, []string{"notes/readonly"}, false, ""},
		{`"notes/readonly"`, []string{"notes/read"}, false, ""},
		{`"notes/read"`, []string{"Notes/Read"}, false, ""},
		{`"notes/read"`, []string{"notes/*", "*", "", "notes/read notes/write"}, false, ""},
		{`"notes/read"`, nil, false, ""},
		{`""`, []string{"", "notes/read"}, false, ""},
		{"", []string{"notes/read"}, false, ""},
		{`"notes/read  notes/write"`, nil, false, ReasonClaims},
		{`" notes/read"`, nil, false, ReasonClaims},
		{`"notes/read "`, nil, false, ReasonClaims},
		{`"notes/read\tnotes/write"`, nil, false, ReasonClaims},
		{`"notes/re\u0000ad"`, nil, false, ReasonClaims},
		{`"notes/read\u00a0x"`, nil, false, ReasonClaims},
		{`["notes/read"]`, nil, false, ReasonClaims},
		{`null`, nil, false, ReasonClaims},
		{`1`, nil, false, ReasonClaims},
	}
	for _, test := range tests {
		t.Run(test.claim, func(t *testing.T) {
			t.Parallel()
			token, err := testVerifier(t).Verify(t.Context(), sign(t, accessHeader, with(accessPayload, "scope", test.claim)))
			if ReasonOf(err) != test.reason {
				t.Fatalf("got %v; want %q", err, test.reason)
			}
			if got := token.HasAnyScope(test.needed); got != test.want {
				t.Errorf("HasAnyScope(%q) = %v", test.needed, got)
			}
		})
	}
}
