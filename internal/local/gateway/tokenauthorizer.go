package gateway

import (
	"errors"
	"fmt"
	"regexp"
)

// tokenEvent is what a TOKEN authorizer's function gets, and nothing else of the
// request ("Input to an API Gateway Lambda authorizer" [doc]).
type tokenEvent struct {
	Type               string `json:"type"`
	AuthorizationToken string `json:"authorizationToken"` // the header's whole value
	MethodARN          string `json:"methodArn"`
}

// prepareToken says what of a TOKEN authorizer's header or expression is not
// understood.
func (l *lambdaAuthorizer) prepareToken() error {
	if !validHeaderName(l.Header) {
		return fmt.Errorf("%q is no header name", l.Header)
	}
	if l.Validation == "" {
		return nil
	}
	expression, err := regexp.Compile(l.Validation)
	if err != nil {
		return errors.New("the IdentityValidationExpression is not understood")
	}
	expression.Longest() // so that a match of the whole token is found where there is one
	l.validation = expression
	return nil
}

// identityToken returns the token that a TOKEN authorizer decides about: the
// header's whole value. One that is missing, empty or not what the
// IdentityValidationExpression describes is a 401, and the function is not
// called ("Authorizer", API Gateway API reference [doc]). The expression has to
// describe all of the token; where a part would do on AWS, this is stricter [?].
// Of two headers it is not known which one counts, so none does [?].
func (c *call) identityToken() ([]string, *failure) {
	a := c.route.authorizer
	sent := c.request.Header.Values(a.Header)
	switch {
	case len(sent) > 1:
		return nil, &failure{kind: unauthorized, reason: "more than one token"}
	case len(sent) == 0 || sent[0] == "":
		return nil, &failure{kind: unauthorized, reason: "no identity source " + headerVariable + a.Header}
	case !a.validToken(sent[0]):
		return nil, &failure{kind: unauthorized, reason: "the token does not match the authorizer's IdentityValidationExpression"}
	}
	return sent, nil
}

func (l *lambdaAuthorizer) validToken(token string) bool {
	if l.validation == nil {
		return true
	}
	found := l.validation.FindStringIndex(token)
	return found != nil && found[0] == 0 && found[1] == len(token)
}
