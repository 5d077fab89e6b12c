package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Gateway response types that this package answers with itself.
const (
	default4XX                   = "DEFAULT_4XX"
	default5XX                   = "DEFAULT_5XX"
	accessDenied                 = "ACCESS_DENIED"
	apiConfigurationError        = "API_CONFIGURATION_ERROR"
	authorizerConfigurationError = "AUTHORIZER_CONFIGURATION_ERROR"
	authorizerFailure            = "AUTHORIZER_FAILURE"
	badRequestBody               = "BAD_REQUEST_BODY"
	badRequestParameters         = "BAD_REQUEST_PARAMETERS"
	integrationFailure           = "INTEGRATION_FAILURE"
	integrationTimeout           = "INTEGRATION_TIMEOUT"
	invalidAPIKey                = "INVALID_API_KEY" //nolint:gosec // a response type, no credential
	missingToken                 = "MISSING_AUTHENTICATION_TOKEN"
	quotaExceeded                = "QUOTA_EXCEEDED"
	requestTooLarge              = "REQUEST_TOO_LARGE"
	throttled                    = "THROTTLED"
	unauthorized                 = "UNAUTHORIZED"
	unsupportedMediaType         = "UNSUPPORTED_MEDIA_TYPE"
)

// builtIn is what a type answers where the API does not say otherwise.
type builtIn struct {
	status    int
	message   string // null where empty
	errorType string // x-amzn-ErrorType; none where empty
}

const internalError, internalErrorType = "Internal server error", "InternalServerErrorException"

// responseTypes are all types that an API may customize ("Gateway response
// types for API Gateway" [doc]; messages and error types [rec] and [meas]).
var responseTypes = map[string]builtIn{
	default4XX:                   {400, "Bad Request", "BadRequestException"},
	default5XX:                   {500, internalError, internalErrorType},
	accessDenied:                 {403, "User is not authorized to access this resource", "AccessDeniedException"},
	apiConfigurationError:        {500, internalError, internalErrorType},
	authorizerConfigurationError: {500, "", "AuthorizerConfigurationException"},
	authorizerFailure:            {500, internalError, ""},
	badRequestBody:               {400, "Invalid request body", "BadRequestException"},
	badRequestParameters:         {400, "Missing required request parameters", "BadRequestException"},
	"EXPIRED_TOKEN":              {403, "The security token included in the request is expired", "ExpiredTokenException"},
	// The documentation says 504; recorded of a Lambda that could not be called is 500.
	integrationFailure:   {500, internalError, internalErrorType},
	integrationTimeout:   {504, "Endpoint request timed out", internalErrorType},
	invalidAPIKey:        {403, "Forbidden", "ForbiddenException"},
	"INVALID_SIGNATURE":  {403, "The request signature we calculated does not match the signature you provided.", "InvalidSignatureException"},
	missingToken:         {403, "Missing Authentication Token", "MissingAuthenticationTokenException"},
	quotaExceeded:        {429, "Limit Exceeded", "LimitExceededException"},
	requestTooLarge:      {413, "Request Too Long", "RequestTooLargeException"},
	"RESOURCE_NOT_FOUND": {404, "Not Found", "NotFoundException"},
	throttled:            {429, "Too Many Requests", "TooManyRequestsException"},
	unauthorized:         {401, "Unauthorized", "UnauthorizedException"},
	unsupportedMediaType: {415, "Unsupported Media Type", "BadRequestException"},
	"WAF_FILTERED":       {403, "Forbidden", "ForbiddenException"},
}

// failure is why a request gets a gateway response. Its zero fields take the
// built-in values of its kind.
type failure struct {
	kind      string
	status    int
	message   string
	details   string // of a validator
	errorType string
	plain     string // a whole text/plain body, which cannot be customized
	fixed     bool   // cannot be customized
	reason    string // for the log only; names no credential
}

// gatewayResponse is an API's own answer for one type.
type gatewayResponse struct {
	status    int // 0 keeps the failure's
	headers   []mapping
	templates map[string]template // by content type; nil keeps the built-in body
}

// compileGatewayResponses reads the API's gateway responses, and says what of
// them is not understood.
func compileGatewayResponses(api *assembly.RestAPI) (map[string]gatewayResponse, []string) {
	compiled := map[string]gatewayResponse{}
	var problems []string
	for _, kind := range slices.Sorted(maps.Keys(api.GatewayResponses)) {
		declared := api.GatewayResponses[kind]
		at := fmt.Sprintf("gateway response %s (%s)", kind, api.Path)
		if _, known := responseTypes[kind]; !known {
			problems = append(problems, at+": unknown type")
		}
		if declared.StatusCode != 0 && (declared.StatusCode < 200 || declared.StatusCode > 599) {
			problems = append(problems, fmt.Sprintf("%s: %d is no final status", at, declared.StatusCode))
		}
		g := gatewayResponse{status: declared.StatusCode}
		for _, target := range slices.Sorted(maps.Keys(declared.Parameters)) {
			m, err := parseMapping("gatewayresponse.header.", target, declared.Parameters[target])
			if err == nil && framing[strings.ToLower(m.header)] {
				err = fmt.Errorf("parameter %s would break the response", target)
			}
			if err != nil {
				problems = append(problems, at+": "+err.Error())
			}
			g.headers = append(g.headers, m)
		}
		for contentType, text := range declared.Templates {
			t, err := parseTemplate(text)
			if err != nil {
				problems = append(problems, at+": "+err.Error())
			}
			if g.templates == nil {
				g.templates = map[string]template{}
			}
			g.templates[contentType] = t
		}
		compiled[kind] = g
	}
	return compiled, problems
}

// framing are the headers by which HTTP delimits messages.
var framing = map[string]bool{"connection": true, "content-length": true, "trailer": true, "transfer-encoding": true, "upgrade": true}

// customization returns the API's answer for f: that of its type, else that of
// its class [doc].
func (g *Gateway) customization(f failure) gatewayResponse {
	if f.fixed || f.plain != "" {
		return gatewayResponse{}
	}
	if own, ok := g.responses[f.kind]; ok {
		return own
	}
	if f.status >= 500 {
		return g.responses[default5XX]
	}
	return g.responses[default4XX]
}

// refuse makes the gateway response of f.
func (c *call) refuse(f failure) answer {
	c.reason = f.reason
	standard := responseTypes[f.kind]
	f.status = cmp.Or(f.status, standard.status)
	f.message = cmp.Or(f.message, standard.message)
	f.errorType = cmp.Or(f.errorType, standard.errorType)
	custom := c.customization(f)
	a := answer{status: cmp.Or(custom.status, f.status), header: http.Header{}}
	if f.plain != "" {
		a.header.Set("Content-Type", "text/plain")
		a.body = []byte(f.plain)
		return a
	}
	contentType, body := "application/json", f.body()
	if custom.templates != nil {
		// Which one AWS takes for a client that accepts none is not known [?].
		contentType = choose(custom.templates, c.request.Header.Get("Accept"))
		body = custom.templates[contentType].render(c, f)
	}
	a.header.Set("Content-Type", contentType)
	if f.errorType != "" {
		a.header.Set("x-amzn-ErrorType", f.errorType)
	}
	for _, m := range custom.headers {
		if value, ok := m.value(c, f); ok {
			a.header.Set(m.header, value)
		}
	}
	a.body = []byte(body)
	return a
}

// body is the built-in body: denied access spells its member with a capital
// letter [meas].
func (f failure) body() string {
	if f.kind == accessDenied {
		return `{"Message":` + f.messageString() + `}`
	}
	return `{"message":` + f.messageString() + `}`
}

// messageString is the message as a JSON value.
func (f failure) messageString() string {
	if f.message == "" {
		return "null"
	}
	quoted, _ := json.Marshal(f.message) // a string always encodes
	return string(quoted)
}

// choose returns the key of byType for an Accept header: what it names first,
// else application/json, else the first in order [meas].
func choose[T any](byType map[string]T, accept string) string {
	for _, contentType := range []string{mediaType(accept), "application/json"} {
		if _, ok := byType[contentType]; ok {
			return contentType
		}
	}
	return slices.Min(slices.Collect(maps.Keys(byType)))
}

// mediaType returns the first media type of an Accept or Content-Type header in
// lower case, without parameters: API Gateway looks at the first only [doc].
func mediaType(header string) string {
	first, _, _ := strings.Cut(header, ",")
	first, _, _ = strings.Cut(first, ";")
	return strings.ToLower(strings.TrimSpace(first))
}
