package customers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	// revision is random and new with each write: a writer that got no answer
	// finds its own.
	revision string
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
}

// schema is the form of an item that this package writes, and the only one that
// it reads: what it does not know could be what closes an account.
const schema = 1

// Attributes of an item.
const (
	attributeID       = "id" // the table's key
	attributeSchema   = "schema"
	attributeVersion  = "version"
	attributeRevision = "revision"
	attributeRecord   = "record"
)

// record is what the attribute of that name holds, as JSON.
type record struct {
	Customer
	Keys []storedKey `json:"keys"`
}

type storedKey struct {
	Key
	Digest []byte `json:"digest"` // SHA-256 of the key
}

type item = map[string]types.AttributeValue

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// encode returns the item of a customer.
func encode(c *Customer) (item, error) {
	r := record{Customer: *c, Keys: []storedKey{}}
	for _, k := range c.Keys {
		r.Keys = append(r.Keys, storedKey{k, k.Digest[:]})
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return item{
		attributeID: text(c.ID), attributeSchema: number(schema), attributeVersion: number(c.Version),
		attributeRevision: text(c.revision), attributeRecord: text(string(data)),
	}, nil
}

// decode reads an item. It fails where anything in it is not known.
func decode(i item) (*Customer, error) {
	read := func(name string) string {
		switch value := i[name].(type) {
		case *types.AttributeValueMemberS:
			return value.Value
		case *types.AttributeValueMemberN:
			return value.Value
		}
		return ""
	}
	id := read(attributeID)
	if read(attributeSchema) != strconv.Itoa(schema) {
		return nil, fmt.Errorf("the item of customer %q has the schema %q; this version of Gatewright reads %d", id, read(attributeSchema), schema)
	}
	var r record
	decoder := json.NewDecoder(bytes.NewReader([]byte(read(attributeRecord))))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&r)
	if err == nil {
		if _, after := decoder.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("there is more after the end")
		}
	}
	version, numberErr := strconv.Atoi(read(attributeVersion))
	if err := errors.Join(err, numberErr); err != nil {
		return nil, fmt.Errorf("the item of customer %q is malformed: %w", id, err)
	}
	c := &r.Customer
	c.Version, c.revision, c.Keys = version, read(attributeRevision), make([]Key, 0, len(r.Keys))
	for _, k := range r.Keys {
		if len(k.Digest) != len(k.Key.Digest) {
			return nil, fmt.Errorf("the item of customer %q is malformed: key %q has no digest", id, k.ID)
		}
		k.Key.Digest = authn.Digest(k.Digest)
		c.Keys = append(c.Keys, k.Key)
	}
	if c.ID != id || id == "" {
		return nil, fmt.Errorf("the item of customer %q is malformed: it speaks of another", id)
	}
	return c, nil
}

// decision is what the request path needs to know.
func (c *Customer) decision() *authn.Customer {
	out := &authn.Customer{ID: c.ID, Status: c.Status, Plan: c.Plan, Scopes: c.Scopes, Keys: make([]authn.CustomerKey, 0, len(c.Keys))}
	for _, k := range c.Keys {
		out.Keys = append(out.Keys, authn.CustomerKey{ID: k.ID, Digest: k.Digest, Scopes: k.Scopes, Expires: k.Expires, Revoked: !k.Revoked.IsZero()})
	}
	return out
}
