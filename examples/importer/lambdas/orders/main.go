// Command orders answers the shop's routes below /orders.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/caller"
)

// cors are the API's origins, whose pages may read the answers.
var cors = caller.CORS{"https://shop.example.com"}

func main() { lambda.Start(handle) }

func handle(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	who := caller.From(r)
	body, err := json.Marshal(map[string]any{"order": r.PathParameters["id"], "client": who.Client})
	if err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("encode the answer: %w", err)
	}
	return cors.Allow(r, events.APIGatewayProxyResponse{
		StatusCode: 200,
		Headers:    map[string]string{"Content-Type": "application/json"},
		Body:       string(body),
	}), nil
}
