package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// demoUser is who can sign in at every pool where people do.
const demoUser = "demo@example.com"

// seed makes whoever is there for trying things.
func (s *stage) seed() {
	if s.config.NoSeed {
		return
	}
	s.seedUser()
	if err := s.seedCustomer(context.Background()); err != nil {
		_, _ = fmt.Fprintf(s.config.Stderr, "no demo customer: %v\n", err)
	}
}

// seedUser makes a user for each pool with a client that signs people in, with a
// password of this run. One that the pool does not take, because it asks for
// more of its users, is left out.
func (s *stage) seedUser() {
	user := User{Username: demoUser, Password: "Aa1-" + rand.Text()}
	for _, pool := range s.model.UserPools {
		if !slices.ContainsFunc(pool.Clients, signsPeopleIn) {
			continue
		}
		attributes := map[string]string{"email": demoUser, "email_verified": "true"}
		if _, err := s.cognito.Directories()[pool.ID].Add(user.Username, user.Password, attributes); err != nil {
			_, _ = fmt.Fprintf(s.config.Stderr, "no demo user in %s: %v\n", pool.Path, err)
			continue
		}
		s.users = []User{user} // the same in every pool
	}
}

func signsPeopleIn(c assembly.UserPoolClient) bool {
	return c.OAuth && slices.Contains(c.Flows, "code") || slices.Contains(c.AuthFlows, "ALLOW_USER_SRP_AUTH")
}

// customerTable describes where the API's customers are kept; nil where it has
// none.
func (s *stage) customerTable() *CustomerTable {
	kept := s.api.Customers
	if kept == nil {
		return nil
	}
	var scopes []string
	for _, r := range s.api.Routes {
		if r.Authorization.Rules != nil {
			scopes = append(scopes, r.Authorization.Rules.Key...)
		}
	}
	slices.Sort(scopes)
	return &CustomerTable{Name: kept.Table, Prefix: kept.Prefix, Tag: kept.Tag, Scopes: notNil(slices.Compact(scopes)), KeyHeader: kept.KeyHeader}
}

// seedCustomer makes a customer with a key for every scope that a route takes of
// one.
func (s *stage) seedCustomer(ctx context.Context) error {
	table := s.customerTable()
	if table == nil {
		return nil
	}
	if !slices.Contains(s.tables.Names(), table.Name) {
		return errors.New("the table " + table.Name + " is not in the stage")
	}
	store := customers.NewStore(dynamodb.New(dynamodb.Options{
		Region: s.api.Region, HTTPClient: direct{s.tables},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil // nobody checks it
		}),
	}), table.Name)
	customer, err := store.Create(ctx, customers.NewCustomer{Name: "Demo", Plan: "demo", Scopes: table.Scopes})
	if err != nil {
		return err
	}
	key, err := store.CreateKey(ctx, customer.ID, authn.KeyFormat{Prefix: table.Prefix, Tag: table.Tag}, customers.NewKeyRequest{Label: "made by gatewright up"})
	if err != nil {
		return err
	}
	s.customers = []Customer{{ID: customer.ID, Key: key.Text(), BasicUser: key.BasicUser(), BasicPassword: key.BasicPassword()}}
	return nil
}

// direct is a client's way to the tables without a listener.
type direct struct{ tables *tables.Server }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	status, answer, served := d.tables.Serve(operation, body)
	if !served {
		return nil, errors.New("the tables do not serve " + cmp.Or(operation, "that"))
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: r,
	}, nil
}
