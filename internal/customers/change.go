package customers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
)

// NewCustomer says who a new customer is.
type NewCustomer struct {
	// ID is one of [authn.NewCustomerID]'s. Who chooses it before can create again
	// where the first answer was lost. Default: a new one.
	ID string
	// Name is for people: 1 to [MaxText] characters that print.
	Name string
	// Plan is a word that the authorizer hands to the backend: at most [MaxPlan]
	// letters, digits and ".", "_", "-". Default: none.
	Plan string
	// Scopes are those that keys may have, "<resource server>/<name>", at most
	// [MaxScopes]. Default: none, so that no key can be made yet.
	Scopes []string
}

// Create makes a customer, active and without keys. Where there is one of the id
// and of the same name, plan and scopes, that one is returned as it is; one that
// differs is [ErrRefused].
func (s *Store) Create(ctx context.Context, n NewCustomer) (*Customer, error) {
	n.ID, n.Scopes = cmp.Or(n.ID, authn.NewCustomerID()), sorted(n.Scopes)
	var p problems
	if !authn.ValidCustomerID(n.ID) {
		p.add("id %s; leave it out, or write %d letters and digits", quote(n.ID), authn.CustomerIDLength)
	}
	p.text("name", n.Name, 1)
	p.plan(n.Plan)
	p.scopes(n.Scopes)
	if err := p.invalid("new customer"); err != nil {
		return nil, err
	}
	finish := fmt.Sprintf("create it again with the id %s, which makes it once", n.ID)
	return s.write(ctx, n.ID, finish, func(old *Customer, now time.Time) (*Customer, error) {
		switch {
		case old == nil:
			return &Customer{ID: n.ID, Name: n.Name, Plan: n.Plan, Status: authn.StatusActive, Scopes: n.Scopes, Created: now}, nil
		case old.Name != n.Name || old.Plan != n.Plan || !slices.Equal(old.Scopes, n.Scopes):
			return nil, refuse(ErrRefused, "there is a customer %s already, with another name, plan or scopes; leave the id out, or change that customer", n.ID)
		}
		return nil, nil
	})
}

// Change says what of a customer is to be different. What is nil stays.
type Change struct {
	Name, Plan *string // as in [NewCustomer]
	// Scopes replace all that the customer has. An empty list that is not nil takes
	// every scope. What is taken from the customer counts at once for all of its
	// keys, which keep it on record: a key may do what both have. What the customer
	// is given reaches the keys that had it before, and otherwise new keys only.
	Scopes []string
	// Status may not leave closed.
	Status *authn.Status
}

func (ch Change) validate(id string) error {
	var p problems
	if ch.Name != nil {
		p.text("name", *ch.Name, 1)
	}
	if ch.Plan != nil {
		p.plan(*ch.Plan)
	}
	if ch.Status != nil {
		p.status(*ch.Status)
	}
	p.scopes(ch.Scopes)
	if ch.Name == nil && ch.Plan == nil && ch.Scopes == nil && ch.Status == nil {
		p.add("nothing is to change; name what is")
	}
	return p.invalid("change of customer " + quote(id))
}

// Change changes a customer. Closed is final: a change that would reopen a customer
// is [ErrRefused]; its name, plan and scopes may still change.
func (s *Store) Change(ctx context.Context, id string, ch Change) (*Customer, error) {
	if err := ch.validate(id); err != nil {
		return nil, err
	}
	return s.write(ctx, id, "make the change again, which does no harm", s.existing(id, func(c *Customer, _ time.Time) (*Customer, error) {
		if ch.Status != nil && *ch.Status != authn.StatusClosed && c.Status == authn.StatusClosed {
			return nil, closed(c)
		}
		before := *c
		set(&c.Name, ch.Name)
		set(&c.Plan, ch.Plan)
		set(&c.Status, ch.Status)
		if ch.Scopes != nil {
			c.Scopes = sorted(ch.Scopes)
		}
		if c.Name == before.Name && c.Plan == before.Plan && c.Status == before.Status && slices.Equal(c.Scopes, before.Scopes) {
			return nil, nil
		}
		if len(within(c.Scopes, before.Scopes)) == len(c.Scopes) {
			return c, nil // narrower, however full the item is
		}
		return c, c.fits()
	}))
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// existing refuses a change of a customer that is not there.
func (s *Store) existing(id string, make change) change {
	return func(old *Customer, now time.Time) (*Customer, error) {
		if old == nil {
			return nil, s.noCustomer(id)
		}
		return make(old, now)
	}
}

func closed(c *Customer) error {
	return refuse(ErrRefused, "customer %s is closed, which is final; create another customer", c.ID)
}

// fits refuses a customer that outgrows its item.
func (c *Customer) fits() error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if len(data) > maxRecord {
		return refuse(ErrRefused, "customer %s would take %d bytes of the %d that it may; give it and its keys fewer scopes, or revoke keys", c.ID, len(data), maxRecord)
	}
	return nil
}
