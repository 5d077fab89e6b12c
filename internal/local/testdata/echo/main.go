// Command echo is a Lambda function that answers with what API Gateway told it
// of the caller and the path.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	claims, _ := e.RequestContext.Authorizer["claims"].(map[string]any)
	body, err := json.Marshal(map[string]any{
		"resource": e.Resource, "path": e.PathParameters, "stage": e.RequestContext.Stage, "sub": claims["sub"],
		"apiKeyId": e.RequestContext.Identity.APIKeyID,
	})
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: string(body)}, err
}
