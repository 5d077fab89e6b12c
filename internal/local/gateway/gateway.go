// Package gateway serves one stage of an Amazon API Gateway REST API from its
// model: routes, Cognito and Lambda authorizers, API keys with their usage plans,
// throttles, request validators, Lambda proxy and MOCK integrations, and gateway
// responses.
//
// A request passes, in this order, limits, route, authorizer, API key,
// throttles, quota, validator and integration; whatever stops it becomes a
// gateway response.
// Nothing reaches an integration before the route's authorizer has let it pass,
// and what the package does not understand of an API stops [New] instead of
// being served open.
//
// Names in brackets say where a rule about AWS comes from: [doc] its
// documentation, [rec] recorded on AWS, [meas] measured by a third party,
// [?] assumed.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/requestlog"
)

// Limits of a REST API ("Quotas for configuring and running a REST API").
const (
	maxHeaderBytes  = 10240            // request line and header values together [doc]
	maxBodyBytes    = 10 << 20         // of a request, and of an integration's answer [doc]
	maxPayloadBytes = 6 << 20          // of a Lambda invocation [doc]
	defaultTimeout  = 29 * time.Second // of an integration [doc]
)

// Invoker runs a Lambda function once.
type Invoker interface {
	// Invoke returns the function's answer, or functionError where it failed.
	// err says that it did not run at all: unknown, throttled, not built. It
	// returns when ctx ends; the function may go on.
	Invoke(ctx context.Context, functionARN string, payload []byte) (answer []byte, functionError string, err error)
}

// TokenVerifier verifies the tokens of one user pool. An error refuses.
type TokenVerifier interface {
	Verify(ctx context.Context, token string) (*authn.Token, error)
}

// Config is what a [Gateway] serves, and with what.
type Config struct {
	API     *assembly.RestAPI // required
	Stage   assembly.APIStage // the stage to serve; its name is required
	Region  string
	Account string

	// Functions runs Lambda integrations. Required.
	Functions Invoker
	// MayInvoke reports whether API Gateway, calling for sourceARN, is
	// permitted to invoke the function (AWS::Lambda::Permission). Required.
	MayInvoke func(functionARN, sourceARN string) bool
	// Verifiers holds a verifier for each user pool, by the pool's ARN.
	Verifiers map[string]TokenVerifier

	// Usage knows the API keys. Default: none, so no key is let pass.
	Usage *Usage

	// Domain is the host and port that events show as domainName. Default:
	// the request's own Host.
	Domain string
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log gets one line for each request. Default: none.
	Log *slog.Logger
}

// UnsupportedError says what of an API is not understood. Such an API is not
// served at all.
type UnsupportedError struct {
	Problems []string // each with its route or gateway response
}

func (e *UnsupportedError) Error() string {
	return "the API cannot be served:\n  " + strings.Join(e.Problems, "\n  ")
}

// ExitCode is 4: unsupported template.
func (e *UnsupportedError) ExitCode() int { return 4 }

// Gateway serves one stage of a REST API. It is safe for concurrent use.
type Gateway struct {
	config       Config
	routes       node
	authorizers  map[*assembly.Authorizer]*lambdaAuthorizer
	responses    map[string]gatewayResponse
	keys         keyring
	basePaths    []string // of custom domains, the longest first; none without a domain
	deploymentID string
}

var _ http.Handler = (*Gateway)(nil)

// New returns a Gateway, an error if c is incomplete, or an
// [*UnsupportedError] with everything that is not understood. An integration
// that is not served stops nothing: its routes answer 500.
func New(c Config) (*Gateway, error) {
	if c.API == nil || c.Stage.Name == "" {
		return nil, errors.New("gateway: Config.API and Config.Stage.Name are required")
	}
	if c.Functions == nil || c.MayInvoke == nil {
		return nil, errors.New("gateway: Config.Functions and Config.MayInvoke are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{config: c, deploymentID: deploymentID(c.API.ID, c.Stage.Name), basePaths: basePaths(c), authorizers: map[*assembly.Authorizer]*lambdaAuthorizer{}}
	problems := unsupported(c.API)
	for _, declared := range c.API.Routes {
		r, err := g.newRoute(declared)
		if err == nil {
			err = g.routes.add(r)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s %s (%s): %v", declared.Method, declared.Path, c.API.Path, err))
		}
	}
	responses, responseProblems := compileGatewayResponses(c.API)
	keys, keyProblems := c.Usage.keyring(c.API, c.Stage.Name)
	g.responses, g.keys = responses, keys
	if problems = slices.Concat(problems, responseProblems, keyProblems); len(problems) > 0 {
		return nil, &UnsupportedError{problems}
	}
	return g, nil
}

// unsupported says what of the API as a whole decides about requests and is not
// applied here.
func unsupported(api *assembly.RestAPI) []string {
	var problems []string
	if api.Policy != nil {
		problems = append(problems, api.Path+".Policy: a resource policy is not evaluated yet")
	}
	for _, kind := range api.EndpointTypes {
		if kind != "EDGE" && kind != "REGIONAL" {
			problems = append(problems, fmt.Sprintf("%s: endpoints of type %q are not served", api.Path, kind))
		}
	}
	keyed := slices.ContainsFunc(api.Routes, func(r assembly.Route) bool { return r.APIKeyRequired })
	if source := api.APIKeySource; keyed && source != "" && source != keySourceHeader {
		problems = append(problems, fmt.Sprintf("%s: API keys from %q are not understood; from %s they are", api.Path, source, keySourceHeader))
	}
	return problems
}

// route is one method of one path, ready to serve.
type route struct {
	assembly.Route
	variables   []string // names of path variables, in order
	verifiers   []TokenVerifier
	authorizer  *lambdaAuthorizer             // of a route of type CUSTOM
	bucket      *bucket                       // nil without a throttle
	models      map[string]*jsonschema.Schema // by content type
	mock        *mock
	unsupported string // why the integration is not served
}

func (g *Gateway) newRoute(declared assembly.Route) (*route, error) {
	r := &route{Route: declared, unsupported: declared.Integration.Unsupported}
	if err := r.prepareAuthorization(g); err != nil {
		return nil, err
	}
	r.bucket = newBucket(g.config.Stage.Settings(declared.Method, declared.Path).Throttle)
	if r.Integration.Timeout <= 0 {
		r.Integration.Timeout = defaultTimeout
	}
	if r.unsupported != "" {
		return r, nil
	}
	if r.unsupported = r.prepareValidation(); r.unsupported != "" {
		return r, nil
	}
	switch r.Integration.Type {
	case assembly.IntegrationLambdaProxy:
		if r.Integration.FunctionARN == "" {
			r.unsupported = "the integration names no function"
		}
	case assembly.IntegrationMock:
		var err error
		if r.mock, err = compileMock(r.Route); err != nil {
			r.unsupported = err.Error()
		}
	default:
		r.unsupported = fmt.Sprintf("integrations of type %q are not served", r.Integration.Type)
	}
	return r, nil
}

// ServeHTTP answers one request. Through the host
// <api id>.execute-api.localhost its path starts with the stage, as on AWS;
// through any other it starts with the base path that a custom domain maps to
// the stage, or with neither.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.newCall(r)
	a := c.serve()
	discard(w, r)
	a.write(w, c)
	c.log(a.status)
}

// What of a refused request's body is read away, at most, and for how long.
const (
	maxDiscard     = 4 * maxBodyBytes
	discardTimeout = 5 * time.Second
)

// discard reads what is left of a request's body: a client that is still
// sending would find its connection reset instead of the answer.
func discard(w http.ResponseWriter, r *http.Request) {
	if r.Body == http.NoBody || r.Header.Get("Expect") != "" {
		return // a client that asks first sends nothing
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(discardTimeout)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxDiscard)
	_ = control.SetReadDeadline(time.Time{})
}

// answer is a response, before the headers that every response carries.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) write(w http.ResponseWriter, c *call) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("x-amzn-RequestId", c.requestID)
	h.Set("x-amz-apigw-id", c.extendedRequestID)
	w.WriteHeader(a.status)
	// The client may be gone, and a 204 takes no body; neither is ours to mend.
	_, _ = w.Write(a.body)
}

// serve takes the request through all steps. A panic is a refusal, and shows
// nowhere what it was about: that may hold a credential.
func (c *call) serve() (a answer) {
	defer func() {
		if recover() != nil {
			a = c.refuse(failure{kind: default5XX, reason: "panic"})
		}
	}()
	for _, step := range []func() *failure{c.checkLength, c.locate, c.match, c.authorize, c.identify, c.limit, c.checkHeaders, c.readBody, c.validate} {
		if f := step(); f != nil {
			return c.refuse(*f)
		}
	}
	c.allowed = true
	a, f := c.integrate()
	if f != nil {
		return c.refuse(*f)
	}
	return c.compress(a)
}

// integrate answers an admitted request.
func (c *call) integrate() (answer, *failure) {
	if c.route.unsupported != "" {
		return answer{}, &failure{kind: apiConfigurationError, reason: c.route.unsupported}
	}
	if c.route.mock != nil {
		return c.route.mock.answer(c)
	}
	return c.invoke()
}

func (c *call) log(status int) {
	line := requestlog.Line{
		Method: c.method, Path: c.contextPath, Status: status, Allowed: c.allowed,
		Reason: c.reason, Latency: c.config.Now().Sub(c.start),
	}
	if c.route != nil {
		line.More = []slog.Attr{slog.String("route", c.route.Method+" "+c.route.Path)}
	}
	requestlog.Write(c.config.Log, c.request, line)
}
