// Command panics is a Lambda function that panics at every event.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type handler struct{}

func (handler) Invoke(context.Context, []byte) ([]byte, error) { panic("boom") }

func main() { lambda.Start(handler{}) }
