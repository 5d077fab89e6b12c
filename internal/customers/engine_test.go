package customers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/tables"
)

const tableName = "customers"

var format = authn.KeyFormat{Prefix: "gw", Tag: "dev"}

// inProcess takes an SDK's requests straight to the local runtime's tables.
type inProcess struct{ server *tables.Server }

func newInProcess(t testing.TB) inProcess {
	t.Helper()
	server, err := tables.New([]*assembly.Table{{
		Name: tableName, OnDemand: true, Attributes: map[string]string{"id": "S"}, Key: assembly.TableKey{Hash: "id"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return inProcess{server}
}

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer, served := p.server.Serve(operationOf(r), body)
	if !served {
		return nil, errors.New("not served: " + operationOf(r))
	}
	return answerWith(r, status, string(answer)), nil
}

func operationOf(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

func answerWith(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: r,
	}
}

// clientOf is a client as the SDK's defaults make it, over a transport.
func clientOf(endpoint string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(endpoint), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, nil
		}),
	})
}

func storeOver(transport http.RoundTripper) *Store {
	return NewStore(clientOf("http://table.invalid", transport), tableName)
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	testStore(t, func(t *testing.T) *Store { return storeOver(newInProcess(t)) })
}

// TestDynalite runs the same on another implementation of DynamoDB, which checks
// expressions and reserved words by itself.
func TestDynalite(t *testing.T) {
	t.Parallel()
	client := clientOf(dynalite(t), http.DefaultTransport)
	var made atomic.Int32
	testStore(t, func(t *testing.T) *Store {
		name := fmt.Sprintf("customers-%d", made.Add(1))
		_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for { // until the table is active
			if _, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name}); err == nil {
				return NewStore(client, name)
			}
			if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// dynalite starts the server, which ends when its standard input does, and returns
// its address.
func dynalite(t *testing.T) string {
	t.Helper()
	const clients = "../../test/clients"
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(clients + "/node_modules/dynalite"); err != nil || missing != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dynalite is not installed; run: make clients")
		}
		t.Skip("dynalite is not installed; run: make clients")
	}
	server := exec.Command(node, "--input-type=commonjs", "--eval", `
		const server = require("dynalite")({createTableMs: 0})
		server.listen(0, "127.0.0.1", () => console.log(server.address().port))
		process.stdin.on("end", () => process.exit()).resume()`)
	server.Dir, server.Stderr = clients, os.Stderr
	input, inErr := server.StdinPipe()
	output, outErr := server.StdoutPipe()
	if err := errors.Join(inErr, outErr, server.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(input.Close(), server.Wait()); err != nil {
			t.Error(err)
		}
	})
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}
