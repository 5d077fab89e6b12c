package gateway

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// call is one request on its way through the gateway.
type call struct {
	*Gateway
	request *http.Request
	start   time.Time

	requestID         string
	extendedRequestID string
	traceID           string

	method      string // GET, or what X-HTTP-Method-Override says
	domain      string // domainName
	contextPath string // escaped, with the stage or the base path where the client sent one
	eventPath   string // escaped, with the base path, without the stage
	path        string // escaped, without either

	route      *route            // nil until matched
	parameters map[string]string // of the path, as sent
	query      query
	authorizer map[string]any // what it says of the caller
	key        *apiKey        // of a route that requires one
	body       []byte

	allowed bool   // it may reach the integration
	reason  string // for the log only
}

func (g *Gateway) newCall(r *http.Request) *call {
	path := r.URL.EscapedPath()
	c := &call{
		Gateway:           g,
		request:           r,
		start:             g.config.Now(),
		requestID:         uuid.NewString(),
		extendedRequestID: base64.StdEncoding.EncodeToString(randomBytes(11)),
		method:            method(r),
		domain:            g.config.Domain,
		contextPath:       path,
		eventPath:         path,
		path:              path,
		query:             parseQuery(r.URL.RawQuery),
	}
	c.traceID = traceID(r.Header.Get(traceHeader), c.start)
	if c.domain == "" {
		c.domain = r.Host
	}
	return c
}

const overrideHeader = "X-Http-Method-Override"

// method is the request's method, which X-HTTP-Method-Override replaces
// ("Amazon API Gateway important notes" [doc]). The request then takes the
// route, and so the authorizer, of that method.
func method(r *http.Request) string {
	if override := r.Header.Values(overrideHeader); len(override) == 1 && slices.Contains(methods, override[0]) {
		return override[0]
	}
	return r.Method
}

// checkLength refuses a body that says itself that it is too large, before
// anything is known of the API. The answer cannot be customized.
func (c *call) checkLength() *failure {
	if c.request.ContentLength > maxBodyBytes {
		return tooLarge()
	}
	return nil
}

// checkHeaders bounds the request's head. It comes after the authorizer, so
// that a token too long for any head is refused as what it is, with 401; the
// order on AWS is unknown [?].
func (c *call) checkHeaders() *failure {
	size := len(c.request.Method) + len(c.request.RequestURI) + len(c.request.Proto)
	for _, values := range c.request.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	if size <= maxHeaderBytes {
		return nil
	}
	return &failure{
		kind: default4XX, status: http.StatusRequestHeaderFieldsTooLarge, // text [meas], status [?]
		plain: fmt.Sprintf("HTTP header is larger than %d bytes.", maxHeaderBytes), reason: "headers too large",
	}
}

func tooLarge() *failure {
	return &failure{ // [meas]
		kind: requestTooLarge, reason: "body too large",
		plain: fmt.Sprintf("HTTP content length exceeded %d bytes.", maxBodyBytes),
	}
}

// readBody reads the body of a request that the authorizer has let pass.
func (c *call) readBody() *failure {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.request.Body, maxBodyBytes))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return tooLarge()
	case err != nil:
		return &failure{kind: default4XX, status: http.StatusBadRequest, message: "Bad Request", reason: "body not readable"}
	}
	c.body = body
	return c.decompress()
}

// locate finds out which stage the request is for.
func (c *call) locate() *failure {
	id, execute := executeAPI(c.request.Host)
	if !execute {
		if c.config.API.ExecuteAPIDisabled && len(c.config.API.Domains) == 0 {
			return forbidden("the execute-api host is disabled, and no domain leads to the API")
		}
		return c.stripBasePath()
	}
	c.domain = c.request.Host
	stage, rest, deeper := strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	switch {
	case id != strings.ToLower(c.config.API.ID):
		return forbidden("not the host of this API")
	case c.config.API.ExecuteAPIDisabled: // [doc]
		return forbidden("the execute-api host is disabled")
	case stage != c.config.Stage.Name:
		return forbidden("unknown stage")
	}
	c.path = "/"
	if deeper {
		c.path += rest
	}
	c.eventPath = c.path
	return nil
}

// basePaths returns the base paths under which custom domains serve the stage.
func basePaths(c Config) []string {
	var paths []string
	for _, domain := range c.API.Domains {
		if domain.Stage == c.Stage.Name {
			paths = append(paths, domain.BasePath)
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(paths)
}

// stripBasePath takes a custom domain's base path off the path: the longest
// that is whole parts of it, byte for byte [doc]. The event's path keeps it, as
// its context's does [meas]; a path under none is nobody's [?].
func (c *call) stripBasePath() *failure {
	for _, base := range c.basePaths {
		if base == "" {
			return nil
		}
		rest, ok := strings.CutPrefix(c.path, "/"+base)
		switch {
		case ok && rest == "":
			c.path = "/"
			return nil
		case ok && rest[0] == '/':
			c.path = rest
			return nil
		}
	}
	if len(c.basePaths) == 0 {
		return nil
	}
	return forbidden("under no base path of the domain")
}

// forbidden is what a host says of an API or a stage that it does not serve; no
// API's gateway responses apply.
func forbidden(reason string) *failure {
	return &failure{
		kind: default4XX, status: http.StatusForbidden, message: "Forbidden",
		errorType: "ForbiddenException", fixed: true, reason: reason,
	}
}

// match finds the route.
func (c *call) match() *failure {
	r, parameters := c.routes.find(c.method, c.path)
	if r == nil {
		return c.notFound()
	}
	c.route, c.parameters = r, parameters
	return nil
}

func (c *call) sourceIP() string {
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		return c.request.RemoteAddr
	}
	return host
}

func (c *call) domainPrefix() string {
	prefix, _, _ := strings.Cut(c.domain, ".")
	return prefix
}

const traceHeader = "X-Amzn-Trace-Id"

var traceRoot = regexp.MustCompile(`(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)`)

// traceID is a tracing header that keeps a client's well-formed root [meas].
func traceID(sent string, now time.Time) string {
	root := fmt.Sprintf("1-%08x-%s", now.Unix(), hex.EncodeToString(randomBytes(12)))
	if found := traceRoot.FindStringSubmatch(sent); found != nil {
		root = found[1]
	}
	return fmt.Sprintf("Root=%s;Parent=%s;Sampled=0", root, hex.EncodeToString(randomBytes(8)))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
