package customers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/authn"
)

// Store is the table of customers. It is safe for concurrent use.
type Store struct {
	client *dynamodb.Client
	table  string
	flags  string // of the commands that errors name
	now    func() time.Time
}

var _ authn.CustomerSource = (*Store)(nil)

// NewStore returns the store in a table whose hash key is the text "id".
func NewStore(client *dynamodb.Client, table string) *Store {
	return &Store{client: client, table: table, now: time.Now}
}

// WithFlags returns a store in whose errors the commands that mend something speak
// of the same stage: flags are " --stack dev-Api".
func (s *Store) WithFlags(flags string) *Store {
	other := *s
	other.flags = flags
	return &other
}

// Customer implements [authn.CustomerSource] with one consistent read.
func (s *Store) Customer(ctx context.Context, id string) (*authn.Customer, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.decision(), nil
}

// Get reads a customer as it is now, with one consistent read. It fails with
// [ErrNotFound], and with [authn.ErrNoCustomer], where there is none.
func (s *Store) Get(ctx context.Context, id string) (*Customer, error) {
	if !authn.ValidCustomerID(id) {
		return nil, s.noCustomer(id)
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: item{attributeID: text(id)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("read customer %s in table %s: %w", id, s.table, err)
	}
	if len(out.Item) == 0 {
		return nil, s.noCustomer(id)
	}
	return decode(out.Item)
}

// MaxPage is how many customers a page holds at most.
const MaxPage = 100

// cursorForm stands before the id in a cursor.
const cursorForm = "1."

// Page is a part of the list of all customers.
type Page struct {
	Customers []Customer
	// Unreadable says of each item that could not be read why. It stands for a
	// customer who cannot call.
	Unreadable []error
	// Next is the cursor of the page behind this one; empty behind the last. A page
	// may hold few customers, or none, and not be the last.
	Next string
}

// List reads one page of at most limit customers, 1 to [MaxPage], behind a cursor:
// the last page's Next, or "" for the first page. The order is the table's own,
// which is that of no field, and stays the same. Who is there all the time is
// listed once; who is made meanwhile may be missed. It reads one page of the table
// and keeps nothing, however many customers there are.
//
// A cursor is opaque, may be kept, and gives nothing that the table would not give
// without it. One that is malformed is [ErrInvalid].
func (s *Store) List(ctx context.Context, cursor string, limit int) (*Page, error) {
	var p problems
	if limit < 1 || limit > MaxPage {
		p.add("limit %d; write 1 to %d", limit, MaxPage)
	}
	after, known := strings.CutPrefix(cursor, cursorForm)
	if cursor != "" && (!known || !authn.ValidCustomerID(after)) {
		p.add("cursor %s is none that a list ended with; begin without one", quote(cursor))
	}
	if err := p.invalid("list of customers"); err != nil {
		return nil, err
	}
	in := &dynamodb.ScanInput{TableName: &s.table, Limit: aws.Int32(int32(limit)), ConsistentRead: aws.Bool(true)} //nolint:gosec // at most MaxPage
	if cursor != "" {
		in.ExclusiveStartKey = item{attributeID: text(after)}
	}
	out, err := s.client.Scan(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list the customers in table %s: %w", s.table, err)
	}
	return page(out)
}

func page(out *dynamodb.ScanOutput) (*Page, error) {
	page := &Page{Customers: make([]Customer, 0, len(out.Items))}
	for _, i := range out.Items {
		c, err := decode(i)
		if err != nil {
			page.Unreadable = append(page.Unreadable, err)
			continue
		}
		page.Customers = append(page.Customers, *c)
	}
	if len(out.LastEvaluatedKey) == 0 {
		return page, nil
	}
	last, _ := out.LastEvaluatedKey[attributeID].(*types.AttributeValueMemberS)
	if last == nil || !authn.ValidCustomerID(last.Value) {
		return nil, errors.New("the list stops at an item whose id is no customer's; take what Gatewright did not write out of the table")
	}
	page.Next = cursorForm + last.Value
	return page, nil
}
