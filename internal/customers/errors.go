package customers

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/gatewright/gatewright/internal/authn"
)

// Kinds of an [Error], for errors.Is.
var (
	ErrInvalid  = errors.New("invalid input")                    // of itself, whatever the table holds
	ErrNotFound = errors.New("not found")                        // no such customer, or no such key
	ErrRefused  = errors.New("refused")                          // what the table holds does not allow it
	ErrConflict = errors.New("changed by others meanwhile")      // again and again; nothing was written
	ErrUnknown  = errors.New("not known whether it was written") // the table does not answer
)

// Error says why something was not done. Its text holds the place and the mend,
// and no value that could be a key.
type Error struct {
	Kind  error // one of the Err… values
	Cause error // may be nil
	text  string
}

func (e *Error) Error() string { return e.text }

// Unwrap makes both the kind and the cause known to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

func refuse(kind error, format string, arguments ...any) error {
	return &Error{Kind: kind, text: fmt.Sprintf(format, arguments...)}
}

func (s *Store) noCustomer(id string) error {
	return &Error{Kind: ErrNotFound, Cause: authn.ErrNoCustomer, text: fmt.Sprintf("there is no customer %s; gatewright customers list%s shows them", quote(id), s.flags)}
}

func (s *Store) noKey(customerID, keyID string) error {
	return refuse(ErrNotFound, "customer %s has no key %s; gatewright keys list %s%s shows them", quote(customerID), quote(keyID), customerID, s.flags)
}

// maxQuoted is how much of an input an error repeats, in bytes. A key's secret is
// longer, so none gets into an error, wherever it was pasted.
const maxQuoted = 32

// quote is an input as an error shows it.
func quote(value string) string {
	if len(value) > maxQuoted {
		return fmt.Sprintf("(of %d bytes, not repeated here)", len(value))
	}
	return fmt.Sprintf("%q", value)
}

// fate is what became of a request to the table.
type fate int

const (
	fateFinal    fate = iota // refused, and so it would be again
	fateConflict             // refused: the item is another
	fateRejected             // refused for now: throttled
	fateUnclear              // no answer, or half of one: it may have been done
)

// fateOf reads an error of the SDK's. What it does not know is unclear.
func fateOf(err error) fate {
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return fateConflict
	}
	if operation := (*smithy.OperationError)(nil); !errors.As(err, &operation) {
		return fateFinal // ours: the item is malformed
	}
	var response *smithyhttp.ResponseError
	var answer smithy.APIError
	if !errors.As(err, &response) || !errors.As(err, &answer) || response.HTTPStatusCode()/100 != 4 {
		return fateUnclear
	}
	switch {
	case retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return fateRejected
	case answer.ErrorCode() == "UnknownError": // not DynamoDB's, or cut off
		return fateUnclear
	}
	return fateFinal
}
