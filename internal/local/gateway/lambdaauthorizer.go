package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// Limits of a Lambda authorizer ("Output from an API Gateway Lambda authorizer"
// and "Quotas for configuring and running a REST API" [doc]).
const (
	maxAnswerBytes    = 8 << 10          // of its answer
	maxResourceBytes  = 512              // of a resource in its policy
	maxMethodARNBytes = 1600             // of what it is asked about
	authorizerTimeout = 10 * time.Second // of its function
)

// lambdaAuthorizer is an authorizer of type REQUEST or TOKEN, ready to be asked
// ("Use API Gateway Lambda authorizers" [doc]).
type lambdaAuthorizer struct {
	*assembly.Authorizer
	source     string         // the ARN that a permission to invoke its function names
	validation *regexp.Regexp // of a TOKEN authorizer; nil where it takes any token
	cache      *answerCache   // nil where it is asked every time
}

// lambdaAuthorizer returns the authorizer of a route, the same for all routes
// that name it, or why it is not understood.
func (g *Gateway) lambdaAuthorizer(a *assembly.Authorizer) (*lambdaAuthorizer, error) {
	switch {
	case a == nil:
		return nil, errors.New("a Lambda authorizer is named and not there")
	case g.authorizers[a] != nil:
		return g.authorizers[a], nil
	case a.FunctionARN == "":
		return nil, fmt.Errorf("authorizer %s names no function", a.Name)
	case a.Credentials != "":
		return nil, fmt.Errorf("authorizer %s: a role that invokes its function is not checked yet; a permission of the function is", a.Name)
	}
	l := &lambdaAuthorizer{Authorizer: a, source: g.executeARN("authorizers", a.ID)}
	if err := l.prepareIdentity(); err != nil {
		return nil, fmt.Errorf("authorizer %s: %w", a.Name, err)
	}
	if a.CacheTTL > 0 {
		l.cache = &answerCache{ttl: a.CacheTTL}
	}
	g.authorizers[a] = l
	return l, nil
}

// prepareIdentity says what of the place where callers identify themselves is
// not understood.
func (l *lambdaAuthorizer) prepareIdentity() error {
	switch l.Type {
	case assembly.AuthorizerToken:
		return l.prepareToken()
	case assembly.AuthorizerRequest:
		return l.prepareSources()
	}
	return fmt.Errorf("a Lambda authorizer of type %q is not understood", l.Type)
}

func (l *lambdaAuthorizer) prepareSources() error {
	if l.CacheTTL > 0 && len(l.IdentitySources) == 0 { // API Gateway refuses it [doc]
		return errors.New("its answers are cached, and no identity source says for whom")
	}
	for _, source := range l.IdentitySources {
		ours := knownVariable(source)
		for _, prefix := range []string{authorizerVariable, "context.error.", pathVariable} {
			ours = ours && !strings.HasPrefix(source, prefix)
		}
		if !ours {
			return fmt.Errorf("the identity source %q is not understood", source)
		}
	}
	return nil
}

// askAuthorizer lets a request pass as its Lambda authorizer's policy allows. A
// policy that was cached is for the caller, not for the method: it is evaluated
// for each call [meas].
func (c *call) askAuthorizer() *failure {
	identity, f := c.identity()
	if f != nil {
		return f
	}
	arn := c.methodARN()
	if len(arn) > maxMethodARNBytes { // [doc]; its body [?]
		return &failure{kind: default4XX, status: http.StatusRequestURITooLong, message: "Request URI too long", reason: "method ARN too long for an authorizer"}
	}
	began := c.config.Now()
	decided, cached := c.route.authorizer.cache.get(identity, began)
	if !cached {
		if decided, f = c.invokeAuthorizer(arn, identity); f != nil {
			return f
		}
		c.route.authorizer.cache.put(identity, decided, began)
	}
	c.authorizer = decided.requestContext(c.config.Now().Sub(began))
	switch iam.Evaluate(decided.policy, iam.Request{
		Action: "execute-api:Invoke", Resource: arn,
		Context: map[string][]string{"aws:SourceIp": {c.sourceIP()}},
	}) {
	case iam.Allowed:
		c.reason = "authorizer"
		return nil
	case iam.ExplicitDeny: // [meas]
		return &failure{kind: accessDenied, message: responseTypes[accessDenied].message + " with an explicit deny", reason: "authorizer: an explicit deny"}
	default:
		return &failure{kind: accessDenied, reason: "authorizer: no statement of its policy allows the call"}
	}
}

// identity returns what the authorizer knows the caller by, which is what its
// answers are cached for.
func (c *call) identity() ([]string, *failure) {
	if c.route.authorizer.Type == assembly.AuthorizerToken {
		return c.identityToken()
	}
	return c.identitySources()
}

// identitySources returns the values of the authorizer's identity sources, all
// of which must be there; else its function is not asked [doc]. Of a header
// sent more than once, all values count [?].
func (c *call) identitySources() ([]string, *failure) {
	var values []string
	for _, source := range c.route.authorizer.IdentitySources {
		value, _ := c.variable(source, failure{})
		if value == "" {
			return nil, &failure{kind: unauthorized, reason: "no identity source " + source}
		}
		if header, ok := strings.CutPrefix(source, headerVariable); ok {
			value = strings.Join(c.request.Header.Values(header), "\x00") + "\x00" + value
		}
		if parameter, ok := strings.CutPrefix(source, queryVariable); ok {
			value = fmt.Sprintf("%q", c.query.all[parameter]) // which may hold any character
		}
		values = append(values, value)
	}
	return values, nil
}

// invokeAuthorizer asks the authorizer's function about a caller.
func (c *call) invokeAuthorizer(arn string, identity []string) (*authorizerAnswer, *failure) {
	a := c.route.authorizer
	if !c.config.MayInvoke(a.FunctionARN, a.source) {
		return nil, &failure{kind: authorizerConfigurationError, reason: "no permission lets API Gateway invoke the authorizer for " + a.source}
	}
	payload, err := c.authorizerPayload(arn, identity)
	if err != nil {
		return nil, &failure{kind: authorizerFailure, reason: "the authorizer's event does not encode"}
	}
	ctx, cancel := context.WithTimeout(c.request.Context(), authorizerTimeout)
	defer cancel()
	output, functionError, err := c.config.Functions.Invoke(ctx, a.FunctionARN, payload)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &failure{kind: authorizerFailure, reason: "authorizer timeout"}
	case err != nil:
		return nil, &failure{kind: authorizerFailure, reason: "authorizer not invoked: " + err.Error()}
	case functionError != "" && saysUnauthorized(output):
		return nil, &failure{kind: unauthorized, reason: "authorizer: Unauthorized"}
	case functionError != "":
		// Its text is the function's, and may quote what it was sent.
		return nil, &failure{kind: authorizerFailure, reason: "authorizer error"}
	}
	answer, err := parseAuthorizerAnswer(output)
	if err != nil {
		return nil, &failure{kind: authorizerConfigurationError, reason: "malformed answer of the authorizer: " + err.Error()}
	}
	return answer, nil
}

// saysUnauthorized reports whether a function failed with the one text that
// means 401, letter by letter [doc].
func saysUnauthorized(output []byte) bool {
	var document struct {
		ErrorMessage string `json:"errorMessage"`
	}
	return json.Unmarshal(output, &document) == nil && document.ErrorMessage == "Unauthorized"
}

// authorizerPayload is the event that the authorizer's function gets.
func (c *call) authorizerPayload(arn string, identity []string) ([]byte, error) {
	if c.route.authorizer.Type == assembly.AuthorizerToken {
		return json.Marshal(tokenEvent{Type: assembly.AuthorizerToken, AuthorizationToken: identity[0], MethodARN: arn})
	}
	return json.Marshal(c.authorizerEvent(arn))
}

// authorizerEvent is what a REQUEST authorizer's function gets ("Input to an API
// Gateway Lambda authorizer"). What a request lacks is an empty object there
// ([doc] of pathParameters, [?] of the others), and there is no body.
type authorizerEvent struct {
	Type                            string              `json:"type"`
	MethodARN                       string              `json:"methodArn"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	RequestContext                  requestContext      `json:"requestContext"`
}

func (c *call) authorizerEvent(arn string) authorizerEvent {
	e := c.event()
	return authorizerEvent{
		Type: assembly.AuthorizerRequest, MethodARN: arn, Resource: e.Resource, Path: e.Path, HTTPMethod: e.HTTPMethod,
		Headers: e.Headers, MultiValueHeaders: e.MultiValueHeaders,
		QueryStringParameters:           orEmpty(e.QueryStringParameters),
		MultiValueQueryStringParameters: orEmpty(e.MultiValueQueryStringParameters),
		PathParameters:                  orEmpty(e.PathParameters),
		StageVariables:                  orEmpty(e.StageVariables),
		RequestContext:                  e.RequestContext,
	}
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// methodARN names the call that a policy decides about, with the path as it was
// sent [?].
func (c *call) methodARN() string {
	return c.executeARN(c.config.Stage.Name, c.method+c.path)
}

// executeARN names a part of the API.
func (g *Gateway) executeARN(part, rest string) string {
	return fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/%s/%s",
		assembly.Partition(g.config.Region), g.config.Region, g.config.Account, g.config.API.ID, part, rest)
}
