package gateway

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// event is the input of a Lambda proxy integration ("Input format of a Lambda
// function for proxy integration" [doc]). What is absent is null, not left out
// [rec].
type event struct {
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
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string         `json:"resourceId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	ResourcePath      string         `json:"resourcePath"`
	OperationName     string         `json:"operationName,omitempty"`
	HTTPMethod        string         `json:"httpMethod"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	RequestTime       string         `json:"requestTime"`
	Path              string         `json:"path"`
	AccountID         string         `json:"accountId"`
	Protocol          string         `json:"protocol"`
	Stage             string         `json:"stage"`
	DomainPrefix      string         `json:"domainPrefix"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"` // milliseconds
	RequestID         string         `json:"requestId"`
	Identity          identity       `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

// identity holds null for all that only IAM fills [rec]. It has an API key only
// on routes that require one [doc].
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	APIKey                        string  `json:"apiKey,omitempty"`
	APIKeyID                      string  `json:"apiKeyId,omitempty"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

// requestTimeLayout is the time format of Apache's common log, in UTC [rec].
const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// event builds the function's input. The path, its parameters and the context's
// path stay escaped; query parameters are decoded [rec].
func (c *call) event() event {
	e := event{
		Resource:                        c.route.Path,
		Path:                            c.eventPath,
		HTTPMethod:                      c.method,
		MultiValueHeaders:               c.forwardedHeaders(),
		Headers:                         map[string]string{},
		QueryStringParameters:           c.query.last,
		MultiValueQueryStringParameters: c.query.all,
		PathParameters:                  c.parameters,
		RequestContext: requestContext{
			ResourceID:        c.route.ResourceID,
			Authorizer:        c.authorizer,
			ResourcePath:      c.route.Path,
			OperationName:     c.route.OperationName,
			HTTPMethod:        c.method,
			ExtendedRequestID: c.extendedRequestID,
			RequestTime:       c.start.UTC().Format(requestTimeLayout),
			Path:              c.contextPath,
			AccountID:         c.config.Account,
			Protocol:          c.request.Proto,
			Stage:             c.config.Stage.Name,
			DomainPrefix:      c.domainPrefix(),
			RequestTimeEpoch:  c.start.UnixMilli(),
			RequestID:         c.requestID,
			Identity:          identity{SourceIP: c.sourceIP()},
			DomainName:        c.domain,
			DeploymentID:      c.deploymentID,
			APIID:             c.config.API.ID,
		},
	}
	for name, values := range e.MultiValueHeaders {
		e.Headers[name] = values[len(values)-1]
	}
	if len(c.config.Stage.Variables) > 0 {
		e.StageVariables = c.config.Stage.Variables
	}
	if agent := c.request.UserAgent(); agent != "" {
		e.RequestContext.Identity.UserAgent = &agent
	}
	if c.key != nil {
		e.RequestContext.Identity.APIKey, e.RequestContext.Identity.APIKeyID = c.key.value, c.key.id
	}
	if len(c.body) > 0 {
		body := string(c.body) // invalid UTF-8 turns into U+FFFD
		e.IsBase64Encoded = c.binary(c.request.Header.Get("Content-Type"))
		if e.IsBase64Encoded {
			body = base64.StdEncoding.EncodeToString(c.body)
		}
		e.Body = &body
	}
	return e
}

// binary reports whether the first media type of a header is a binary one of
// this API; "*/*" in the API's list stands for all, even for none [doc].
func (c *call) binary(header string) bool {
	sent := mediaType(header)
	return slices.ContainsFunc(c.config.API.BinaryMediaTypes, func(binary string) bool {
		class, wild := strings.CutSuffix(binary, "/*")
		return binary == "*/*" || strings.EqualFold(sent, binary) || wild && strings.HasPrefix(sent, strings.ToLower(class)+"/")
	})
}

// dropped are the request headers that never reach a function [rec].
var dropped = []string{
	"Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate", "Server",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate", overrideHeader,
}

// forwardedHeaders returns the request's headers as a function gets them. What
// API Gateway says of the connection replaces what the client said, but for the
// addresses before it. Everything else is the client's word: x-amzn-remapped-*
// too [?].
func (c *call) forwardedHeaders() map[string][]string {
	headers := make(map[string][]string, len(c.request.Header)+6)
	for name, values := range c.request.Header {
		if len(values) > 0 && !slices.Contains(dropped, name) {
			headers[name] = values
		}
	}
	protocol, port := "http", "80"
	if c.request.TLS != nil {
		protocol, port = "https", "443"
	}
	if _, given, err := net.SplitHostPort(c.domain); err == nil {
		port = given
	}
	chain := append(slices.Clone(c.request.Header.Values("X-Forwarded-For")), c.sourceIP())
	headers["Host"] = []string{c.request.Host}
	headers["X-Forwarded-For"] = []string{strings.Join(chain, ", ")}
	headers["X-Forwarded-Port"] = []string{port}
	headers["X-Forwarded-Proto"] = []string{protocol}
	headers[http.CanonicalHeaderKey(traceHeader)] = []string{c.traceID}
	return headers
}

// query holds query parameters; its maps are nil where there are none.
type query struct {
	last map[string]string // the last value of each [rec]
	all  map[string][]string
}

// parseQuery splits at "&" and, as documented, at ";". What is not properly
// escaped stays as it is [?].
func parseQuery(raw string) query {
	var q query
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		if q.last == nil {
			q.last, q.all = map[string]string{}, map[string][]string{}
		}
		name, value = unescape(name), unescape(value)
		q.last[name] = value
		q.all[name] = append(q.all[name], value)
	}
	return q
}

func unescape(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

// deploymentID makes an id in the form of AWS's, always the same for a stage.
func deploymentID(api, stage string) string {
	sum := sha256.Sum256([]byte(api + "/" + stage))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:6])
}
