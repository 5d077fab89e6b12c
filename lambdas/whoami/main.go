// Command whoami answers GET /v1/whoami: who API Gateway says is calling.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/caller"
)

func main() { lambda.Start(handle) }

// cors are the web origins whose pages may read the answer.
var cors = caller.CORS(strings.Fields(os.Getenv("ORIGINS")))

type answer struct {
	Kind    caller.Kind `json:"kind"`
	Subject string      `json:"subject"`
	Client  string      `json:"client"`
	Scopes  []string    `json:"scopes"`
}

func handle(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	c := caller.From(r)
	body, err := json.Marshal(answer{Kind: c.Kind, Subject: c.Subject, Client: c.Client, Scopes: c.Scopes})
	if err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("encode the answer: %w", err)
	}
	return cors.Allow(r, events.APIGatewayProxyResponse{
		StatusCode: 200,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       string(body),
	}), nil
}
