// Command probe is a Lambda function that does what its event says.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
	Size int
	URL  string // to be fetched before anything else is done
}

type answer struct {
	Text     string
	PID      int
	Count    int // events that this process has had
	Request  string
	ARN      string
	Trace    string
	Deadline int64 // Unix milliseconds
	Dir      string
	Env      []string
}

var count int

func main() { lambda.Start(handle) }

func handle(ctx context.Context, e event) (any, error) {
	count++
	if e.URL != "" {
		if err := fetch(e.URL); err != nil {
			return nil, err
		}
	}
	switch e.Do {
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.Size)
	case "big":
		return strings.Repeat("x", e.Size), nil
	case "length":
		return len(e.Text), nil
	case "print":
		fmt.Println(e.Text)
		fmt.Fprint(os.Stderr, "to stderr\r\n")
	case "spawn":
		child := exec.Command("sleep", "600")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return nil, err
		}
		return answer{PID: child.Process.Pid}, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{
		Text: e.Text, PID: os.Getpid(), Count: count, Request: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Trace: os.Getenv("_X_AMZN_TRACE_ID"), Deadline: deadline.UnixMilli(), Dir: dir, Env: os.Environ(),
	}, nil
}

func fetch(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
