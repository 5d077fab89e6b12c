package authn

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"
)

// keyring is a source of keys that counts look-ups and can be changed.
type keyring struct {
	keys  KeySet
	asked int
}

func (k *keyring) Key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	k.asked++
	return k.keys.Key(ctx, kid)
}

// remembering is an authorizer whose clock and keys are the test's.
type remembering struct {
	*Authorizer
	ring *keyring
	now  time.Time
}

func newRemembering(t *testing.T) *remembering {
	t.Helper()
	r := &remembering{ring: &keyring{keys: KeySet{testKeyID: &testKey(t).PublicKey}}, now: testNow()}
	verifier, err := NewVerifier(Config{Issuer: testIssuer, Keys: r.ring, Now: func() time.Time { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	r.Authorizer, err = NewAuthorizer(AuthorizerConfig{
		Routes: []Route{route("/v1/session", TokenRule{Scopes: []string{"notes/read"}, AnyClient: true})},
		Pools:  []Pool{{Verifier: verifier}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *remembering) expect(t *testing.T, token string, outcome Outcome, reason Reason) {
	t.Helper()
	if d := r.Decide(t.Context(), sessionRequest("Bearer "+token)); d.Outcome != outcome || d.Reason != reason {
		t.Errorf("%v, %q; want %v, %q", d.Outcome, d.Reason, outcome, reason)
	}
}

// A token that was seen before counts for no longer than one that was not.
func TestSeenTokens(t *testing.T) {
	t.Parallel()
	t.Run("is not verified again", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		key := testKey(t).PublicKey
		r.ring.keys[testKeyID] = &key
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		good := sign(t, accessHeader, accessPayload)
		r.expect(t, good, Allowed, ReasonAllowed)
		r.ring.keys[testKeyID].N = other.N // in the same place: seen only by whoever verifies
		r.expect(t, good, Allowed, ReasonAllowed)
		r.expect(t, sign(t, accessHeader, with(accessPayload, "jti", `"x"`)), Unauthorized, ReasonSignature)
	})
	t.Run("until it expires", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		good := sign(t, accessHeader, accessPayload)
		r.expect(t, good, Allowed, ReasonAllowed)
		r.now = time.Unix(1700003600, 0).Add(-1)
		r.expect(t, good, Allowed, ReasonAllowed)
		r.now = r.now.Add(1)
		r.expect(t, good, Unauthorized, ReasonExpired)
		if len(r.seen.young)+len(r.seen.old) != 0 {
			t.Error("an expired token is remembered")
		}
	})
	t.Run("until its key is removed", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		good := sign(t, accessHeader, accessPayload)
		r.expect(t, good, Allowed, ReasonAllowed)
		r.ring.keys = KeySet{}
		r.expect(t, good, Unauthorized, ReasonUnknownKey)
	})
	t.Run("until its key is another's", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		good := sign(t, accessHeader, accessPayload)
		r.expect(t, good, Allowed, ReasonAllowed)
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		r.ring.keys = KeySet{testKeyID: &other.PublicKey}
		r.expect(t, good, Unauthorized, ReasonSignature)
	})
	t.Run("not for another spelling", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		good := sign(t, accessHeader, accessPayload)
		r.expect(t, good, Allowed, ReasonAllowed)
		for _, text := range []string{good + "=", good[:len(good)-1], " " + good, good[:len(good)-4] + "AAAA"} {
			if d := r.Decide(t.Context(), sessionRequest("Bearer "+text)); d.Outcome != Unauthorized {
				t.Errorf("%v, %q", d.Outcome, d.Reason)
			}
		}
	})
	t.Run("nor what was refused", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		bad := sign(t, accessHeader, accessPayload)
		bad = bad[:len(bad)-4] + "AAAA"
		for range 2 {
			r.expect(t, bad, Unauthorized, ReasonSignature)
		}
		if len(r.seen.young) != 0 || r.ring.asked != 2 {
			t.Error("a refused token is remembered")
		}
	})
	t.Run("in bounded memory", func(t *testing.T) {
		t.Parallel()
		r := newRemembering(t)
		for i := range maxTokens + 5 {
			r.seen.put(Digest{byte(i), byte(i >> 8)}, &verifiedToken{Token: &Token{Issuer: testIssuer}})
		}
		r.expect(t, sign(t, accessHeader, accessPayload), Allowed, ReasonAllowed)
		if n := len(r.seen.young) + len(r.seen.old); n > 2*maxTokens {
			t.Errorf("%d tokens are remembered", n)
		}
	})
}
