// Command session answers GET /v1/session: who is signed in, through which of
// our own apps. Its route takes the tokens of those apps only, so it may rest
// on that and need not look at the client itself.
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
	Subject  string   `json:"subject"`
	Username string   `json:"username"`
	Client   string   `json:"client"` // its name
	Scopes   []string `json:"scopes"`
}

func handle(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	c := caller.From(r)
	if c.Kind != caller.KindUser {
		// Only a route that lets others in gets here.
		return respond(r, 403, map[string]string{"message": "nobody is signed in"})
	}
	return respond(r, 200, answer{Subject: c.Subject, Username: c.Username, Client: c.ClientName, Scopes: c.Scopes})
}

func respond(r events.APIGatewayProxyRequest, status int, content any) (events.APIGatewayProxyResponse, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("encode the answer: %w", err)
	}
	return cors.Allow(r, events.APIGatewayProxyResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       string(body),
	}), nil
}
