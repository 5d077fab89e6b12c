// Package customers keeps an API's customers and their static keys in a DynamoDB
// table: one item for each customer, one read to decide about a key.
//
//	store := customers.NewStore(client, table)
//	customer, err := store.Get(ctx, id)
package customers

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/authn"
)

// Store is the table of customers. It is safe for concurrent use.
type Store struct {
	client *dynamodb.Client
	table  string
	now    func() time.Time
}

var _ authn.CustomerSource = (*Store)(nil)

// NewStore returns the store in a table whose hash key is the text "id".
func NewStore(client *dynamodb.Client, table string) *Store {
	return &Store{client: client, table: table, now: time.Now}
}

// Customer implements [authn.CustomerSource] with one consistent read.
func (s *Store) Customer(ctx context.Context, id string) (*authn.Customer, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.decision(), nil
}

// Get reads a customer as it is now. It fails with [authn.ErrNoCustomer] where
// there is none.
func (s *Store) Get(ctx context.Context, id string) (*Customer, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: item{attributeID: text(id)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, authn.ErrNoCustomer
	}
	return decode(out.Item)
}
