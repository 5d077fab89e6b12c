package customers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/authn"
)

// Customer is somebody who calls the API with static keys. All of it is one item
// of the table, so that one read tells whether a key counts, and one conditional
// write changes everything at once.
type Customer struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"` // for people; 1 to 100 characters
	Plan    string       `json:"plan"` // word that the authorizer hands to the backend; may be empty
	Status  authn.Status `json:"status"`
	Scopes  []string     `json:"scopes"` // that its keys may have
	Created time.Time    `json:"created"`
	Updated time.Time    `json:"updated"`
	Keys    []Key        `json:"keys"` // in the order in which they were made

	// Version counts the changes. A change is written only where the version is
	// still the one that was read.
	Version int `json:"-"`

	// revisions are random texts of the last writes, newest first, with spaces
	// between: a writer that got no answer finds its own.
	revisions string
}

// Key returns one of the customer's keys.
func (c *Customer) Key(id string) (Key, bool) {
	i := c.index(id)
	if i < 0 {
		return Key{}, false
	}
	return c.Keys[i], true
}

func (c *Customer) index(id string) int {
	return slices.IndexFunc(c.Keys, func(k Key) bool { return k.ID == id })
}

// Withheld are the scopes that a key has on record and the customer no longer has.
// The key cannot use them, until the customer is given them again.
func (c *Customer) Withheld(k Key) []string {
	return slices.DeleteFunc(slices.Clone(k.Scopes), func(scope string) bool { return slices.Contains(c.Scopes, scope) })
}

// Key is one of a customer's keys, without its secret, which nobody keeps.
type Key struct {
	ID       string       `json:"id"`
	Label    string       `json:"label"` // for people; may be empty
	Digest   authn.Digest `json:"-"`
	Scopes   []string     `json:"scopes"` // some of the customer's
	Created  time.Time    `json:"created"`
	Expires  time.Time    `json:"expires,omitzero"`   // from then on it is refused; zero for never
	Revoked  time.Time    `json:"revoked,omitzero"`   // zero while it counts
	Replaces string       `json:"replaces,omitempty"` // id of the key that it was made for

	// lifetime is how long the key was made for, in whole milliseconds; zero is for
	// ever. A rotation ends a key earlier, and gives its successor the same.
	lifetime time.Duration
}

// Live reports whether a key is neither revoked nor expired.
func (k Key) Live(now time.Time) bool {
	return k.Revoked.IsZero() && (k.Expires.IsZero() || now.Before(k.Expires))
}

// String is the key's id: the digest helps nobody who reads it.
func (k Key) String() string { return "key " + k.ID }

// GoString is what String is.
func (k Key) GoString() string { return k.String() }

// ended is when a dead key ended: when it was revoked, even if it had expired
// before, so that what was done last is on record.
func (k Key) ended() time.Time {
	if k.Revoked.IsZero() {
		return k.Expires
	}
	return k.Revoked
}

// schema is the form of an item that this package writes, and the only one that
// it reads: what it does not know could be what closes an account.
const schema = 1

// Attributes of an item.
const (
	attributeID        = "id" // the table's key
	attributeSchema    = "schema"
	attributeVersion   = "version"
	attributeRevisions = "revisions"
	attributeRecord    = "record"
)

// record is what the attribute of that name holds, as JSON.
type record struct {
	Customer
	Keys []storedKey `json:"keys"`
}

type storedKey struct {
	Key
	Digest   []byte `json:"digest"`             // SHA-256 of the key
	Lifetime int64  `json:"lifetime,omitempty"` // milliseconds
}

type item = map[string]types.AttributeValue

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// encode returns the item of a customer. It fails where [decode] would.
func encode(c *Customer) (item, error) {
	r := record{Customer: *c, Keys: []storedKey{}}
	for _, k := range c.Keys {
		r.Keys = append(r.Keys, storedKey{k, k.Digest[:], k.lifetime.Milliseconds()})
	}
	data, err := json.Marshal(r)
	if err := errors.Join(err, c.check()); err != nil {
		return nil, malformed(c.ID, err)
	}
	return item{
		attributeID: text(c.ID), attributeSchema: number(schema), attributeVersion: number(c.Version),
		attributeRevisions: text(c.revisions), attributeRecord: text(string(data)),
	}, nil
}

// decode reads an item. It fails where anything in it is not known.
func decode(i item) (*Customer, error) {
	values, err := attributes(i)
	id := values[attributeID]
	if err != nil {
		return nil, malformed(id, err)
	}
	if values[attributeSchema] != strconv.Itoa(schema) {
		return nil, fmt.Errorf("the item of customer %s has the schema %s; this version of Gatewright reads %d", quote(id), quote(values[attributeSchema]), schema)
	}
	var r record
	err = strict([]byte(values[attributeRecord]), &r)
	version, numberErr := strconv.Atoi(values[attributeVersion])
	if err := errors.Join(err, numberErr); err != nil {
		return nil, malformed(id, err)
	}
	c := &r.Customer
	c.Version, c.revisions, c.Keys = version, values[attributeRevisions], make([]Key, 0, len(r.Keys))
	for _, k := range r.Keys {
		if len(k.Digest) != len(k.Key.Digest) {
			return nil, malformed(id, fmt.Errorf("key %s has no digest", quote(k.ID)))
		}
		k.Key.Digest, k.lifetime = authn.Digest(k.Digest), time.Duration(k.Lifetime)*time.Millisecond
		c.Keys = append(c.Keys, k.Key)
	}
	if c.ID != id {
		return nil, malformed(id, errors.New("it speaks of another"))
	}
	if err := c.check(); err != nil {
		return nil, malformed(id, err)
	}
	return c, nil
}

func malformed(id string, err error) error {
	return fmt.Errorf("the item of customer %s is malformed: %w; restore it from a backup", quote(id), err)
}

// attributes are the values of an item's attributes, which are those of this
// package and no others.
func attributes(i item) (map[string]string, error) {
	values := map[string]string{}
	if id, ok := i[attributeID].(*types.AttributeValueMemberS); ok {
		values[attributeID] = id.Value // for an error to name
	}
	for name, value := range i {
		s, isText := value.(*types.AttributeValueMemberS)
		n, isNumber := value.(*types.AttributeValueMemberN)
		switch {
		case isText && (name == attributeID || name == attributeRevisions || name == attributeRecord):
			values[name] = s.Value
		case isNumber && (name == attributeSchema || name == attributeVersion):
			values[name] = n.Value
		default:
			return values, fmt.Errorf("attribute %s is not known, or of another type", quote(name))
		}
	}
	if len(values) != 5 {
		return values, errors.New("an attribute is missing")
	}
	return values, nil
}

// strict reads one JSON document that holds nothing unknown.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the end")
	}
	return nil
}

// check says what no customer of the table may be, whoever wrote it. It leaves out
// what is only asked of new input, and may be asked differently one day.
func (c *Customer) check() error {
	var p problems
	p.status(c.Status)
	if !authn.ValidCustomerID(c.ID) {
		p.add("the id is no customer's")
	}
	if c.Version < 1 {
		p.add("the version is %d", c.Version)
	}
	for i, k := range c.Keys {
		if len(k.ID) != authn.KeyIDLength || c.index(k.ID) != i {
			p.add("key %s stands there twice, or has no id", quote(k.ID))
		}
	}
	return errors.Join(p...)
}

// decision is what the request path needs to know.
func (c *Customer) decision() *authn.Customer {
	out := &authn.Customer{ID: c.ID, Status: c.Status, Plan: c.Plan, Scopes: c.Scopes, Keys: make([]authn.CustomerKey, 0, len(c.Keys))}
	for _, k := range c.Keys {
		out.Keys = append(out.Keys, authn.CustomerKey{ID: k.ID, Digest: k.Digest, Scopes: k.Scopes, Expires: k.Expires, Revoked: !k.Revoked.IsZero()})
	}
	return out
}
