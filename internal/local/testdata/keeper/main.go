// Command keeper is a Lambda function that reads its table with GET and writes
// it with PUT, and answers what the AWS SDK told it. As a TOKEN authorizer, it
// lets the token "open" do what it was asked about, and no other token anything.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	k := keeper{dynamodb.NewFromConfig(c), os.Getenv("TABLE")}
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var token events.APIGatewayCustomAuthorizerRequest
		if err := json.Unmarshal(event, &token); err == nil && token.Type == "TOKEN" {
			return decide(token), nil
		}
		var call events.APIGatewayProxyRequest
		if err := json.Unmarshal(event, &call); err != nil {
			return nil, err
		}
		return answer(k.keep(ctx, call.HTTPMethod)), nil
	})
}

func decide(e events.APIGatewayCustomAuthorizerRequest) events.APIGatewayCustomAuthorizerResponse {
	effect := "Deny"
	if e.AuthorizationToken == "open" {
		effect = "Allow"
	}
	return events.APIGatewayCustomAuthorizerResponse{PrincipalID: "caller", PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
		Version: "2012-10-17", Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{e.MethodArn}}},
	}}
}

type keeper struct {
	client *dynamodb.Client
	table  string
}

func (k keeper) keep(ctx context.Context, method string) error {
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "one"}}
	if method == "PUT" {
		_, err := k.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(k.table), Item: item})
		return err
	}
	_, err := k.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(k.table), Key: item})
	return err
}

// answer is 200, or 500 with the code and the message of an error of the SDK.
func answer(err error) events.APIGatewayProxyResponse {
	if err == nil {
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: "done"}
	}
	var failure smithy.APIError
	if !errors.As(err, &failure) {
		return events.APIGatewayProxyResponse{StatusCode: 500, Body: "no answer of the AWS endpoint"}
	}
	return events.APIGatewayProxyResponse{StatusCode: 500, Body: failure.ErrorCode() + ": " + failure.ErrorMessage()}
}
