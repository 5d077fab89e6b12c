// Command status answers GET /v1/status: the API is up and reachable.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/caller"
)

func main() { lambda.Start(handle) }

// cors are the web origins whose pages may read the answer.
var cors = caller.CORS(strings.Fields(os.Getenv("ORIGINS")))

func handle(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	return cors.Allow(r, events.APIGatewayProxyResponse{
		StatusCode: 200,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       `{"status":"ok"}`,
	}), nil
}
