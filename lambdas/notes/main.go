// Command notes answers /v1/notes and /v1/notes/{id}: notes in a DynamoDB
// table, of which each caller sees only its own.
//
// A note is {"id","title","text","createdAt","updatedAt"}. Lists are newest
// first. Errors are problem documents (RFC 9457).
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/caller"
)

func main() {
	s, err := newService(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lambda.Start(s.handle)
}

// newService reads the function's environment: TABLE names the table and is
// required, ORIGINS are the web origins that may read answers.
func newService(ctx context.Context) (*service, error) {
	table := os.Getenv("TABLE")
	if table == "" {
		return nil, errors.New("the environment variable TABLE names no table")
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("configure the AWS SDK: %w", err)
	}
	return &service{
		store: &store{client: dynamodb.NewFromConfig(c), table: table},
		cors:  caller.CORS(strings.Fields(os.Getenv("ORIGINS"))),
		now:   time.Now,
		log:   slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	}, nil
}
