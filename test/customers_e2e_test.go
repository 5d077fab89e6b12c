package test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/customers"
)

const explicitDeny = `{"Message":"User is not authorized to access this resource with an explicit deny"}`

// store is the stage's customers as an operator reaches them: by the AWS endpoint
// and with a signature.
func (r *runtime) store(secret string) *customers.Store {
	client := dynamodb.New(dynamodb.Options{
		Region: r.Region, BaseEndpoint: aws.String(r.AWS), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(r.AWSCredentials.AccessKeyID, secret, ""),
	})
	return customers.NewStore(client, r.CustomerTable.Name)
}

func basicAuth(user, password string) option {
	return func(request *http.Request) { request.SetBasicAuth(user, password) }
}

// A customer's key opens the routes that take keys, as a bearer token and as
// Basic, and none but those.
func testCustomers(t *testing.T, r *runtime) {
	if len(r.Customers) != 1 || r.CustomerTable == nil || strings.Join(r.CustomerTable.Scopes, " ") != "notes/read notes/write" {
		t.Fatalf("customers %d, table %+v", len(r.Customers), r.CustomerTable)
	}
	demo := r.Customers[0]
	asBearer, asBasic := bearer(demo.Key), basicAuth(demo.BasicUser, demo.BasicPassword)
	url, _ := createNote(t, r, asBearer, "demo's")
	for _, as := range []option{asBearer, asBasic} {
		if got := call(t, "GET", url, as); got.status != 200 || !strings.Contains(got.body, "demo's") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if got := call(t, "GET", url, bearer(r.token(t))); got.status != 404 {
		t.Errorf("a machine reads the customer's note: %d %s", got.status, got.body)
	}
	for name, test := range map[string]struct {
		path   string
		as     option
		status int
		body   string
	}{
		"a route for the website":       {"/v1/session", asBearer, 403, explicitDeny},
		"a route of the user pools'":    {"/v1/whoami", asBearer, 401, unauthorized},
		"cut short":                     {"/v1/notes", bearer(demo.Key[:len(demo.Key)-1]), 401, unauthorized},
		"unknown":                       {"/v1/notes", bearer(authn.KeyFormat{Prefix: r.CustomerTable.Prefix, Tag: r.CustomerTable.Tag}.NewKey(demo.ID).Text), 401, unauthorized},
		"of another stage":              {"/v1/notes", bearer(authn.KeyFormat{Prefix: "gw", Tag: "prod"}.NewKey(demo.ID).Text), 401, unauthorized},
		"in x-api-key, which is off":    {"/v1/notes", header("x-api-key", demo.Key), 401, unauthorized},
		"in the query string, as well":  {"/v1/notes?key=" + demo.Key, asBearer, 401, unauthorized},
		"in the query string alone":     {"/v1/notes?key=" + demo.Key, func(*http.Request) {}, 401, unauthorized},
		"its password for another user": {"/v1/notes", basicAuth(demo.BasicUser[:len(demo.BasicUser)-1]+"-", demo.BasicPassword), 401, unauthorized},
	} {
		if got := call(t, "GET", r.API+test.path, test.as); got.status != test.status || got.body != test.body {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
	t.Run("Operator", func(t *testing.T) { testOperator(t, r) })
	for what, text := range map[string]string{"a key": demo.BasicPassword, "a user": demo.BasicUser} {
		if strings.Contains(r.log.String(), text) {
			t.Errorf("%s is in the log", what)
		}
	}
}

// testOperator makes a customer and a key, rotates, revokes and suspends. What
// closes a door closes it within ten seconds.
func testOperator(t *testing.T, r *runtime) {
	ctx := context.Background()
	store := r.store(r.AWSCredentials.SecretAccessKey)
	format := authn.KeyFormat{Prefix: r.CustomerTable.Prefix, Tag: r.CustomerTable.Tag}
	acme, err := store.Create(ctx, customers.NewCustomer{Name: "Acme", Plan: "gold", Scopes: []string{"notes/read"}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := store.CreateKey(ctx, acme.ID, format, customers.NewKeyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := store.RotateKey(ctx, acme.ID, first.Key.ID, format, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	status := func(key string) int { return call(t, "GET", r.API+"/v1/notes", bearer(key)).status }
	for _, key := range []string{first.Text(), second.Text()} { // the overlap
		if got := status(key); got != 200 {
			t.Fatalf("a key: %d", got)
		}
		if got := call(t, "POST", r.API+"/v1/notes", bearer(key), sent(`{"title":"x"}`)); got.status != 403 || got.body != explicitDeny {
			t.Errorf("a scope that the key lacks: %d %s", got.status, got.body)
		}
	}
	within := func(key string, want int) {
		t.Helper()
		began := time.Now()
		for status(key) != want {
			if time.Since(began) > authn.FreshFor+time.Second {
				t.Fatalf("it takes more than %s", authn.FreshFor)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	if _, err := store.RevokeKey(ctx, acme.ID, first.Key.ID); err != nil {
		t.Fatal(err)
	}
	suspended := authn.StatusSuspended
	within(first.Text(), 401)
	if got := status(second.Text()); got != 200 {
		t.Errorf("the other key: %d", got)
	}
	if _, err := store.Change(ctx, acme.ID, customers.Change{Status: &suspended}); err != nil {
		t.Fatal(err)
	}
	within(second.Text(), 403)
	if _, err := r.store("wrong").Get(ctx, acme.ID); err == nil || !strings.Contains(err.Error(), "InvalidSignatureException") {
		t.Errorf("an operator with a wrong secret: %v", err)
	}
	data, err := json.Marshal(acme)
	if err != nil || strings.Contains(string(data), first.BasicPassword()) {
		t.Errorf("%s, %v", data, err)
	}
}
