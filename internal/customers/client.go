package customers

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Bounds of one request to the table from a function. A look-up that takes
// longer is tried again, on a connection of its own.
const (
	requestTimeout = time.Second
	connectTimeout = 500 * time.Millisecond
)

// NewFunctionClient returns a client from a function's environment, as Lambda
// sets it ("Defined runtime environment variables"), and, where it is set,
// AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL ("Service-specific endpoints", AWS
// SDKs and tools). It does without package config, whose packages take longer to
// start than all others of a function. It sends no request, and fails where the
// Region or the credentials are missing.
func NewFunctionClient(getenv func(string) string) (*dynamodb.Client, error) {
	credentials := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Source: "environment",
	}
	region := getenv("AWS_REGION")
	if region == "" || !credentials.HasKeys() {
		return nil, errors.New("AWS_REGION, AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set; Lambda sets them")
	}
	o := dynamodb.Options{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		HTTPClient: &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			ForceAttemptHTTP2:   false,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     50 * time.Second,
		}},
		RetryMaxAttempts: 3,
	}
	if endpoint := cmp.Or(getenv("AWS_ENDPOINT_URL_DYNAMODB"), getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		o.BaseEndpoint = aws.String(endpoint)
	}
	return dynamodb.New(o), nil
}
