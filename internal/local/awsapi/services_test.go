package awsapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// newTables serves one table behind the endpoint, over HTTP.
func newTables(t *testing.T, log io.Writer) (*awsapi.Endpoint, *httptest.Server) {
	t.Helper()
	service, err := tables.New([]*assembly.Table{{
		Name: "notes", OnDemand: true, Attributes: map[string]string{"owner": "S"}, Key: assembly.TableKey{Hash: "owner"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := awsapi.New(awsapi.Config{
		Account: account, Region: region, Log: slog.New(slog.NewJSONHandler(log, nil)),
		Services: map[string]awsapi.Service{"dynamodb": service},
		Policies: policies(t, `{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(e)
	t.Cleanup(listener.Close)
	return e, listener
}

func sdk(url string, as iam.Credential) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(url), Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: as.AccessKeyID, SecretAccessKey: as.SecretAccessKey, SessionToken: as.SessionToken}, nil
		}),
	})
}

func code(err error) string {
	var failure interface{ ErrorCode() string }
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return ""
}

// The AWS SDK, unchanged but for the endpoint, with a role's credentials.
func TestDynamoDB(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e, server := newTables(t, &log)
	url := server.URL
	c := sdk(url, e.RoleCredential(roleARN))
	item := map[string]types.AttributeValue{"owner": &types.AttributeValueMemberS{Value: "planted-owner"}, "text": &types.AttributeValueMemberS{Value: "planted-text"}}
	put := &dynamodb.PutItemInput{TableName: aws.String("notes"), Item: item, ConditionExpression: aws.String("attribute_not_exists(#o)"), ExpressionAttributeNames: map[string]string{"#o": "owner"}}
	if _, err := c.PutItem(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutItem(t.Context(), put); code(err) != "ConditionalCheckFailedException" {
		t.Errorf("a second one: %v", err)
	}
	get := &dynamodb.GetItemInput{TableName: aws.String("notes"), Key: map[string]types.AttributeValue{"owner": item["owner"]}}
	got, err := c.GetItem(t.Context(), get)
	if err != nil || got.Item["text"].(*types.AttributeValueMemberS).Value != "planted-text" {
		t.Errorf("%+v: %v", got, err)
	}
	if _, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("more"), KeySchema: []types.KeySchemaElement{}, AttributeDefinitions: []types.AttributeDefinition{}}); code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), "dynamodb:CreateTable yet; it serves sts:GetCallerIdentity, dynamodb.") {
		t.Errorf("an operation that is not served: %v", err)
	}
	wrong := e.RoleCredential(roleARN)
	wrong.SecretAccessKey = "wrong"
	if _, err := sdk(url, wrong).GetItem(t.Context(), get); code(err) != "InvalidSignatureException" {
		t.Errorf("a wrong secret: %v", err)
	}
	stranger := wrong
	stranger.SessionToken = ""
	if _, err := sdk(url, stranger).GetItem(t.Context(), get); err == nil {
		t.Error("a role without its session token")
	}
	server.Close() // waits for the lines of the last requests
	for _, want := range []string{`"operation":"PutItem"`, `"reason":"ConditionalCheckFailedException"`, `"service":"dynamodb"`, `assumed-role/notes-role/gatewright`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Contains(log.String(), "planted") {
		t.Errorf("the log repeats an item: %s", log.String())
	}
}

// A request that is not signed for the service does not reach it.
func TestServiceNeedsItsSignature(t *testing.T) {
	t.Parallel()
	e, server := newTables(t, io.Discard)
	list := request{
		header: map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"},
		body:   "{}", as: e.Operator(), service: "dynamodb", at: time.Now(),
	}
	elsewhere, query, unsigned := list, list, list
	elsewhere.service = "sts"
	query.header, query.body = map[string]string{"Content-Type": form}, "Action=ListTables&Version=2012-08-10"
	unsigned.as = iam.Credential{}
	for name, test := range map[string]struct {
		request request
		status  int
	}{
		"signed":                     {list, http.StatusOK},
		"unsigned":                   {unsigned, http.StatusForbidden},
		"signed for another service": {elsewhere, http.StatusNotImplemented},
		"of another protocol":        {query, http.StatusNotImplemented},
	} {
		w := test.request.send(t, server.Config.Handler)
		if w.Code != test.status || strings.Contains(w.Body.String(), "TableNames") != (test.status == http.StatusOK) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// The AWS CLI, unchanged but for the endpoint.
func TestDynamoDBFromCLI(t *testing.T) {
	t.Parallel()
	e, server := newTables(t, io.Discard)
	run := awsCLI(t, server.URL)
	for _, step := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"list-tables"}, `"notes"`},
		{[]string{"put-item", "--table-name", "notes", "--item", `{"owner": {"S": "a"}, "title": {"S": "one"}}`}, ""},
		{[]string{"get-item", "--table-name", "notes", "--key", `{"owner": {"S": "a"}}`}, `"S": "one"`},
		{[]string{"query", "--table-name", "notes", "--key-condition-expression", "#o = :o", "--expression-attribute-names", `{"#o": "owner"}`, "--expression-attribute-values", `{":o": {"S": "a"}}`}, `"Count": 1`},
		{[]string{"scan", "--table-name", "notes"}, `"Count": 1`},
		{[]string{"describe-table", "--table-name", "notes"}, `"TableStatus": "ACTIVE"`},
	} {
		if out, err := run(e.Operator(), append([]string{"dynamodb"}, step.arguments...)...); err != nil || !strings.Contains(out, step.want) {
			t.Errorf("%v: %v: %s", step.arguments, err, out)
		}
	}
}
