package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxTriggerError bounds what a failing trigger may say, in bytes.
const maxTriggerError = 1024

// header is what every trigger's event begins with ("Customizing user pool
// workflows with Lambda triggers", Amazon Cognito developer guide).
func (d *Directory) header(version, source, clientID, username string) events.CognitoEventUserPoolsHeader {
	return events.CognitoEventUserPoolsHeader{
		Version: version, TriggerSource: source, Region: d.config.Region, UserPoolID: d.pool.ID, UserName: username,
		CallerContext: events.CognitoEventUserPoolsCallerContext{AWSSDKVersion: "aws-sdk-unknown-unknown", ClientID: clientID},
	}
}

// trigger runs a function with an event, and reads the response of what comes
// back. One that cannot be run refuses.
func (d *Directory) trigger(ctx context.Context, name, functionARN string, event, response any) error {
	if functionARN == "" || d.config.Invoke == nil {
		return fail("UnexpectedLambdaException", name+" names a function that cannot be run here")
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return fail("InternalErrorException", "The event of "+name+" cannot be written")
	}
	answer, functionError, err := d.config.Invoke(ctx, functionARN, payload)
	switch {
	case err != nil:
		return fail("UnexpectedLambdaException", name+" invocation failed due to configuration or runtime.")
	case functionError != "":
		return fail("UserLambdaValidationException", name+" failed with error "+errorText(answer)+".")
	}
	var returned struct {
		Response json.RawMessage `json:"response"`
	}
	if json.Unmarshal(answer, &returned) != nil || !bytes.HasPrefix(bytes.TrimSpace(returned.Response), []byte("{")) ||
		json.Unmarshal(returned.Response, response) != nil {
		return fail("InvalidLambdaResponseException", "Unrecognizable lambda output")
	}
	return nil
}

// errorText is what a failing function says.
func errorText(answer []byte) string {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(answer, &failure) // "" if malformed
	text := failure.Message
	if len(text) > maxTriggerError {
		text = text[:maxTriggerError]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}

// attributesFor is what triggers see of a user.
func attributesFor(u *User) map[string]string {
	out := maps.Clone(u.Attributes)
	out["cognito:user_status"] = u.Status
	return out
}

func (d *Directory) preSignUp(ctx context.Context, clientID, source string, in SignUpInput, attributes map[string]string) (events.CognitoEventUserPoolsPreSignupResponse, error) {
	var response events.CognitoEventUserPoolsPreSignupResponse
	functionARN, ok := d.pool.Triggers["PreSignUp"]
	if !ok {
		return response, nil
	}
	err := d.trigger(ctx, "PreSignUp", functionARN, events.CognitoEventUserPoolsPreSignup{
		CognitoEventUserPoolsHeader: d.header("1", source, clientID, in.Username),
		Request: events.CognitoEventUserPoolsPreSignupRequest{
			UserAttributes: attributes, ValidationData: in.Validation, ClientMetadata: in.Metadata,
		},
	}, &response)
	return response, err
}

func (d *Directory) postConfirmation(ctx context.Context, c *Client, source string, u *User, metadata map[string]string) error {
	functionARN, ok := d.pool.Triggers["PostConfirmation"]
	if !ok {
		return nil
	}
	return d.trigger(ctx, "PostConfirmation", functionARN, events.CognitoEventUserPoolsPostConfirmation{
		CognitoEventUserPoolsHeader: d.header("1", source, c.ID, u.Username),
		Request:                     events.CognitoEventUserPoolsPostConfirmationRequest{UserAttributes: attributesFor(u), ClientMetadata: metadata},
	}, &events.CognitoEventUserPoolsPostConfirmationResponse{})
}

// preAuthentication runs for a name that nobody has as well, where the client
// hides that ("Pre authentication Lambda trigger", Amazon Cognito developer
// guide).
func (d *Directory) preAuthentication(ctx context.Context, c *Client, a attempt, metadata map[string]string) error {
	functionARN, ok := d.pool.Triggers["PreAuthentication"]
	if !ok {
		return nil
	}
	request := events.CognitoEventUserPoolsPreAuthenticationRequest{ValidationData: metadata, UserNotFound: a.user == nil}
	if a.user != nil {
		request.UserAttributes = attributesFor(a.user)
	}
	return d.trigger(ctx, "PreAuthentication", functionARN, events.CognitoEventUserPoolsPreAuthentication{
		CognitoEventUserPoolsHeader: d.header("1", "PreAuthentication_Authentication", c.ID, a.username), Request: request,
	}, &events.CognitoEventUserPoolsPreAuthenticationResponse{})
}

func (d *Directory) postAuthentication(ctx context.Context, c *Client, u *User, metadata map[string]string) error {
	functionARN, ok := d.pool.Triggers["PostAuthentication"]
	if !ok {
		return nil
	}
	return d.trigger(ctx, "PostAuthentication", functionARN, events.CognitoEventUserPoolsPostAuthentication{
		CognitoEventUserPoolsHeader: d.header("1", "PostAuthentication_Authentication", c.ID, u.Username),
		Request:                     events.CognitoEventUserPoolsPostAuthenticationRequest{UserAttributes: attributesFor(u), ClientMetadata: metadata},
	}, &events.CognitoEventUserPoolsPostAuthenticationResponse{})
}
