package customers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
)

// IssuedKey is a key that was just made, with its secret, which is to be shown
// once. Neither fmt nor encoding/json shows the secret, whatever holds the value.
type IssuedKey struct {
	Key      Key
	Customer *Customer // as it is with the key

	secret func() authn.NewKey // a function, as nothing prints what it would return
}

// Text is the whole key.
func (k *IssuedKey) Text() string { return k.secret().Text }

// BasicUser and BasicPassword are the key as HTTP Basic has it.
func (k *IssuedKey) BasicUser() string { return k.secret().BasicUser() }

// BasicPassword is the secret of the key.
func (k *IssuedKey) BasicPassword() string { return k.secret().BasicPassword() }

// NewKeyRequest says what a new key is for.
type NewKeyRequest struct {
	// Label is for people: at most [MaxText] characters that print. Default: none.
	Label string
	// Scopes are some of the customer's. Default: all that it has now.
	Scopes []string
	// Expires is when the key is refused from on, kept in milliseconds. Default:
	// never.
	Expires time.Time
}

// CreateKey makes a key. It is [ErrRefused] for a customer who is closed, who has
// [MaxLiveKeys] live keys or no scope, and for a scope that is not the customer's.
func (s *Store) CreateKey(ctx context.Context, id string, format authn.KeyFormat, r NewKeyRequest) (*IssuedKey, error) {
	r.Expires = r.Expires.UTC().Truncate(time.Millisecond)
	var p problems
	p.format(format)
	p.text("label", r.Label, 0)
	p.scopes(r.Scopes)
	if now := s.clock(); !r.Expires.IsZero() && (!r.Expires.After(now) || r.Expires.Year() > 9999) {
		p.add("expiry %s; write a time in the future, before the year 10000", r.Expires.Format(time.RFC3339))
	}
	if err := p.invalid("new key of customer " + quote(id)); err != nil {
		return nil, err
	}
	return s.issue(ctx, id, format, "run this again", func(c *Customer, k *Key, now time.Time) error {
		k.Label, k.Expires, k.Scopes = r.Label, r.Expires, sorted(r.Scopes)
		if r.Scopes == nil {
			k.Scopes = slices.Clone(c.Scopes)
		}
		if !r.Expires.IsZero() {
			k.lifetime = r.Expires.Sub(now)
		}
		for _, scope := range k.Scopes {
			if !slices.Contains(c.Scopes, scope) {
				return refuse(ErrRefused, "customer %s does not have the scope %s; give the customer the scope first", c.ID, quote(scope))
			}
		}
		return nil
	})
}

// RotateKey makes the successor of a live key: of its label, its lifetime, and
// those of its scopes that the customer has. The key itself ends after the overlap,
// 0 to [MaxOverlap], or when it would have ended anyway. Both keys count among
// [MaxLiveKeys] until then. It is [ErrRefused] for a key that is dead, and for one
// that has a live successor.
func (s *Store) RotateKey(ctx context.Context, id, keyID string, format authn.KeyFormat, overlap time.Duration) (*IssuedKey, error) {
	var p problems
	p.format(format)
	if overlap < 0 || overlap > MaxOverlap {
		p.add("overlap %s; write 0 to %d days", overlap, MaxOverlap/(24*time.Hour))
	}
	if err := p.invalid("rotation of key " + quote(keyID)); err != nil {
		return nil, err
	}
	return s.issue(ctx, id, format, "run this again, or make a new key if the one to replace has ended", func(c *Customer, k *Key, now time.Time) error {
		old := c.index(keyID)
		if old < 0 {
			return s.noKey(c.ID, keyID)
		}
		replaced := &c.Keys[old]
		if err := c.rotatable(*replaced, now); err != nil {
			return err
		}
		k.Label, k.Replaces, k.lifetime = replaced.Label, replaced.ID, replaced.lifetime
		k.Scopes = within(replaced.Scopes, c.Scopes)
		if k.lifetime > 0 {
			k.Expires = now.Add(k.lifetime)
		}
		if end := now.Add(overlap.Truncate(time.Millisecond)); replaced.Expires.IsZero() || end.Before(replaced.Expires) {
			replaced.Expires = end
		}
		return nil
	})
}

// rotatable says why a key may not be replaced.
func (c *Customer) rotatable(k Key, now time.Time) error {
	if !k.Live(now) {
		return refuse(ErrRefused, "key %s of customer %s is revoked or expired; make a new key", k.ID, c.ID)
	}
	for _, other := range c.Keys {
		if other.Replaces == k.ID && other.Live(now) {
			return refuse(ErrRefused, "key %s of customer %s was replaced by key %s already; rotate that one, or revoke it first if nobody has its secret", k.ID, c.ID, other.ID)
		}
	}
	return nil
}

// issue makes a key, once for all attempts, and adds it to a customer. fill
// completes it and may change the customer's other keys. again is what to do where
// nobody learnt the key.
func (s *Store) issue(ctx context.Context, id string, format authn.KeyFormat, again string, fill func(c *Customer, k *Key, now time.Time) error) (*IssuedKey, error) {
	if !authn.ValidCustomerID(id) {
		return nil, s.noCustomer(id)
	}
	made := format.NewKey(id)
	finish := fmt.Sprintf("if gatewright keys list %[1]s%[3]s shows the key %[2]s, nobody has its secret: gatewright keys revoke %[1]s %[2]s%[3]s; then %[4]s", id, made.ID, s.flags, again)
	c, err := s.write(ctx, id, finish, s.existing(id, func(c *Customer, now time.Time) (*Customer, error) {
		k := Key{ID: made.ID, Digest: made.Digest, Created: now}
		if there, _ := c.Key(k.ID); there.Digest == k.Digest {
			return nil, nil // written by an attempt that was not answered
		}
		if c.Status == authn.StatusClosed {
			return nil, closed(c)
		}
		if err := fill(c, &k, now); err != nil {
			return nil, err
		}
		return c, c.add(k, now)
	}))
	if err != nil {
		return nil, err
	}
	k, ok := c.Key(made.ID)
	if !ok {
		return nil, refuse(ErrConflict, "key %s of customer %s was made, and others dropped it at once; make a new key", made.ID, id)
	}
	return &IssuedKey{Key: k, Customer: c, secret: func() authn.NewKey { return made }}, nil
}

// add takes a key in, unless the customer has too many.
func (c *Customer) add(k Key, now time.Time) error {
	if len(k.Scopes) == 0 {
		return refuse(ErrRefused, "a key of customer %s would have no scope and open nothing; give the customer scopes first", c.ID)
	}
	if c.index(k.ID) >= 0 {
		return refuse(ErrConflict, "customer %s has a key of the new id %s already; run it again", c.ID, k.ID)
	}
	c.Keys = append(c.Keys, k)
	live := 0
	for _, k := range c.Keys {
		if k.Live(now) {
			live++
		}
	}
	if live > MaxLiveKeys {
		return refuse(ErrRefused, "customer %s has %d live keys already; revoke one first, or rotate without an overlap", c.ID, MaxLiveKeys)
	}
	return c.fits()
}

// RevokeKey ends a key now. One that is revoked already stays as it is. A function
// may know the key as good for [authn.FreshFor] more.
func (s *Store) RevokeKey(ctx context.Context, id, keyID string) (*Customer, error) {
	return s.write(ctx, id, "revoke it again, which does no harm", s.existing(id, func(c *Customer, now time.Time) (*Customer, error) {
		i := c.index(keyID)
		if i < 0 {
			return nil, s.noKey(c.ID, keyID)
		}
		if !c.Keys[i].Revoked.IsZero() {
			return nil, nil
		}
		c.Keys[i].Revoked = now
		return c, nil
	}))
}
