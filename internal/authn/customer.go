package authn

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"
)

// Status says whether a customer may call. Its zero value may not.
type Status string

// The states of a customer.
const (
	StatusActive    Status = "active"
	StatusSuspended Status = "suspended" // may call again one day
	StatusClosed    Status = "closed"    // never again
)

// Customer is what a decision needs to know of a customer.
type Customer struct {
	ID     string
	Status Status
	Plan   string
	Scopes []string // that its keys may have
	Keys   []CustomerKey
}

// CustomerKey is one of a customer's keys.
type CustomerKey struct {
	ID      string
	Digest  Digest
	Scopes  []string
	Expires time.Time // from then on it is refused; zero for never
	Revoked bool
}

// CustomerSource finds a customer by an id that anyone may have made up. It
// fails with [ErrNoCustomer] where there is none, and with another error where
// that cannot be told.
type CustomerSource interface {
	Customer(ctx context.Context, id string) (*Customer, error)
}

// ErrNoCustomer says that there is no such customer.
var ErrNoCustomer = errors.New("authn: no such customer")

// decideKey identifies the holder of a key. Nothing about a customer shows
// before the secret has matched, and an unknown id costs what a wrong secret
// does: one look-up, one comparison.
func (a *Authorizer) decideKey(ctx context.Context, text []byte) (Identity, Outcome, Reason) {
	if a.customers == nil {
		return Identity{}, Unauthorized, ReasonCredential
	}
	if len(text) > maxKeyLength {
		return Identity{}, Unauthorized, ReasonKeyForm
	}
	sent, reason := a.keys.parse(string(text))
	if reason != "" {
		return Identity{}, Unauthorized, reason
	}
	customer, err := a.customers.Customer(ctx, sent.customerID)
	switch {
	case errors.Is(err, ErrNoCustomer):
		customer = &Customer{}
	case err != nil || customer == nil:
		return Identity{}, Undecided, ReasonNoStore
	}
	key := customer.key(sent.keyID)
	matches := subtle.ConstantTimeCompare(key.Digest[:], sent.digest[:]) == 1
	switch {
	case !matches || key.ID == "":
		return Identity{}, Unauthorized, ReasonKey
	case key.Revoked:
		return Identity{}, Unauthorized, ReasonRevoked
	case !key.Expires.IsZero() && !a.now().Before(key.Expires):
		return Identity{}, Unauthorized, ReasonExpired
	}
	identity := Identity{
		Kind: KindCustomer, Subject: customer.ID, Customer: customer.ID, Key: key.ID, Plan: customer.Plan,
		Scopes: common(key.Scopes, customer.Scopes),
	}
	if customer.Status != StatusActive {
		return identity, Forbidden, ReasonStatus
	}
	return identity, Allowed, ""
}

// key returns the key with an id, or one that matches nothing.
func (c *Customer) key(id string) CustomerKey {
	for _, key := range c.Keys {
		if key.ID == id {
			return key
		}
	}
	return CustomerKey{}
}

// common returns what both lists hold, in the order of the first. It is the
// first itself where that loses nothing.
func common(scopes, allowed []string) []string {
	missing := func(scope string) bool { return !slices.Contains(allowed, scope) }
	if !slices.ContainsFunc(scopes, missing) {
		return scopes
	}
	return slices.DeleteFunc(slices.Clone(scopes), missing)
}

func holdsAny(scopes, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(scope string) bool { return slices.Contains(scopes, scope) })
}
