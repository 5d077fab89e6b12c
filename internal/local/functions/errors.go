package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Limits of a synchronous invocation. The request's is "Lambda quotas" in the
// Lambda Developer Guide, 6 MB; the answer's is what Lambda names in its own
// error message.
const (
	maxRequestBytes = 6 << 20
	maxAnswerBytes  = 6<<20 + 100
)

// ErrClosed is the answer to events that come after Close, or that Close ended.
var ErrClosed = errors.New("functions: closed")

// UnavailableError says why a function cannot run on this machine.
type UnavailableError struct {
	Function string
	Reason   string
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("function %s cannot run here: %s", e.Function, e.Reason)
}

// BuildError is a function whose source does not build.
type BuildError struct {
	Function string
	Err      error // what the compiler printed
}

func (e *BuildError) Error() string { return fmt.Sprintf("function %s: %v", e.Function, e.Err) }
func (e *BuildError) Unwrap() error { return e.Err }

// ThrottledError is Lambda's TooManyRequestsException, status 429.
type ThrottledError struct {
	Function string
	Reason   string // as the Invoke API names it
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("function %s: TooManyRequestsException: Rate Exceeded. (%s)", e.Function, e.Reason)
}

// TooLargeError is Lambda's RequestTooLargeException, status 413.
type TooLargeError struct {
	Function string
	Bytes    int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("function %s: RequestTooLargeException: the event has %d bytes, more than %d",
		e.Function, e.Bytes, maxRequestBytes)
}

// outcome is a Result, or why there is none.
type outcome struct {
	Result
	err       error
	errorType string // for the log: the document's errorType
	refuses   bool   // it is "Unauthorized", by which an authorizer answers 401
}

// failure is the outcome that Lambda itself reports for a function.
func failure(errorType, message string) outcome {
	document, err := json.Marshal(errorDocument{ErrorType: errorType, ErrorMessage: message})
	if err != nil {
		return outcome{err: err}
	}
	return outcome{Result: Result{Payload: document, FunctionError: unhandled}, errorType: errorType}
}

// reported is the outcome that a function reports for itself.
func reported(document []byte) outcome {
	var read errorDocument
	_ = json.Unmarshal(document, &read) // a document of another form has no type to log
	return outcome{
		Result: Result{Payload: document, FunctionError: unhandled}, errorType: read.ErrorType,
		// "Output from an API Gateway Lambda authorizer"
		refuses: read.ErrorMessage == "Unauthorized",
	}
}

// unhandled is the only FunctionError of current runtimes.
const unhandled = "Unhandled"

// errorDocument is the form of errors on both sides of the Runtime API.
type errorDocument struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

func timedOut(requestID string, limit time.Duration) outcome {
	return failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds",
		requestID, limit.Seconds()))
}

// exited is the failure of a process that ended by itself; state is what its
// exit was, empty for exit code 0.
func exited(requestID, state string) outcome {
	if state == "" {
		return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited without providing a reason", requestID))
	}
	return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", requestID, state))
}

func answerTooLarge() outcome {
	return failure("Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswerBytes))
}
