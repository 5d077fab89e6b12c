package hosted

import (
	"errors"
	"strings"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// codeOf returns the directory's name for an error, "" for any other error.
func codeOf(err error) string {
	var known *directory.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

// messageOf returns what the directory says of an error.
func messageOf(err error) string {
	var known *directory.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return ""
}

// sessionOf returns what answers the challenge once more, "" for nothing.
func sessionOf(err error) string {
	var known *directory.Error
	if errors.As(err, &known) {
		return known.Session
	}
	return ""
}

// asParameterError says what the directory's error is at the callback. Cognito
// sends invalid_request with what a trigger said.
func asParameterError(err error) *parameterError {
	_, reason := problem(err)
	if codeOf(err) == "" {
		return &parameterError{code: serverError, reason: reason}
	}
	return &parameterError{code: invalidRequest, reason: reason, description: messageOf(err)}
}

// Words that people read. Those of a wrong password are also those of an unknown
// user, and those of a wrong code of anybody who has none, so that no page tells
// who has an account.
const (
	wrongPassword   = "The user name or the password is not right."
	disabled        = "This account is disabled."
	lapsed          = "Your temporary password has expired. Ask whoever made your account for another one."
	tooManyAttempts = "There were too many attempts. Wait a while, then try again."
	wrongCode       = "The code is not right, it has expired, or there were too many tries. Check it, or ask for a new one."
	wrongDigits     = "The code is not right. Wait for the next one, then try again."
	startOver       = "This took too long, or there were too many tries. Sign in again."
	somethingFailed = "Something failed on our side. Try again."
)

// problem is what a person reads about an error, and the reason for the log,
// which holds nothing that a trigger or a person wrote. Anything else but what is
// known here is said as the directory says it, such as what a password lacks or
// what a trigger answers: Cognito's pages do that, too.
func problem(err error) (text, reason string) {
	var known *directory.Error
	if !errors.As(err, &known) {
		return somethingFailed, "the directory failed"
	}
	text, ok := words[known.Code]
	if known.Code == directory.NotAuthorized {
		text, ok = wrongPassword, true
		for message, told := range notAuthorized { // after a right password only
			if strings.HasPrefix(known.Message, message) {
				text = told
			}
		}
	}
	if !ok {
		text = known.Message
	}
	return text, known.Code
}

var notAuthorized = map[string]string{
	directory.AttemptsExceeded:       tooManyAttempts,
	"User is disabled.":              disabled,
	"Temporary password has expired": lapsed,
	"Invalid session for the user":   startOver,
}

var words = map[string]string{
	directory.UserNotFound:            wrongPassword,
	"LimitExceededException":          tooManyAttempts,
	"TooManyRequestsException":        tooManyAttempts,
	"PasswordResetRequiredException":  "Your password has to be reset: choose \u201cForgot your password?\u201d.",
	"CodeMismatchException":           wrongDigits,
	"EnableSoftwareTokenMFAException": wrongDigits,
	"UsernameExistsException":         "There is an account of this name already. Sign in, or choose another name.",
	"AliasExistsException":            "There is an account with this address already. Sign in with that one.",
}

// codeProblem is [problem] where a code was asked for of whoever it may be.
func codeProblem(err error) (text, reason string) {
	text, reason = problem(err)
	switch reason {
	case "CodeMismatchException", "ExpiredCodeException", "LimitExceededException", directory.NotAuthorized, directory.UserNotFound, directory.InvalidParameter:
		text = wrongCode
	}
	return text, reason
}
