package gateway

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Behaviours for a content type that no request template names.
const (
	passthroughNoMatch     = "WHEN_NO_MATCH"
	passthroughNoTemplates = "WHEN_NO_TEMPLATES"
	passthroughNever       = "NEVER"
)

// mock answers a route without a backend: its request template says a status,
// and the status chooses the response ("Set up a mock integration").
type mock struct {
	passthrough string
	requests    map[string]script // by content type
	responses   []mockResponse
}

type mockResponse struct {
	pattern *regexp.Regexp // nil for the default
	status  int
	headers []mapping
	bodies  map[string]script // by content type
}

// compileMock understands templates that are a [script]. Any other leaves the
// route unserved.
func compileMock(r assembly.Route) (*mock, error) {
	i := r.Integration
	m := &mock{passthrough: i.PassthroughBehavior, requests: map[string]script{}}
	switch m.passthrough {
	case "":
		m.passthrough = passthroughNoMatch
	case passthroughNoMatch, passthroughNoTemplates, passthroughNever:
	default:
		return nil, fmt.Errorf("the passthrough behavior %q is not understood", m.passthrough)
	}
	for _, contentType := range slices.Sorted(maps.Keys(i.RequestTemplates)) {
		template := i.RequestTemplates[contentType]
		request, err := parseScript(template, false)
		if err != nil {
			return nil, fmt.Errorf("the %s request %w", contentType, err)
		}
		if _, ok := templateStatus(template); request.fixed && !ok {
			return nil, fmt.Errorf("the %s request template names no statusCode", contentType)
		}
		m.requests[strings.ToLower(contentType)] = request
	}
	for _, declared := range i.Responses {
		response, err := compileMockResponse(declared)
		if err == nil {
			err = response.declared(r.ResponseHeaders)
		}
		if err != nil {
			return nil, err
		}
		m.responses = append(m.responses, response)
	}
	return m, nil
}

func compileMockResponse(declared assembly.IntegrationResponse) (mockResponse, error) {
	r := mockResponse{status: declared.StatusCode, bodies: map[string]script{}}
	if r.status < 200 || r.status > 599 {
		return r, fmt.Errorf("%d is no final status", r.status)
	}
	if declared.SelectionPattern != "" {
		pattern, err := regexp.Compile(`^(?:` + declared.SelectionPattern + `)$`)
		if err != nil {
			return r, fmt.Errorf("the selection pattern %q is not understood", declared.SelectionPattern)
		}
		r.pattern = pattern
	}
	for _, target := range slices.Sorted(maps.Keys(declared.Parameters)) {
		m, err := parseMapping("method.response.header.", target, declared.Parameters[target])
		if err != nil {
			return r, err
		}
		if m.variable != "" {
			return r, fmt.Errorf("parameter %s is not a fixed text", target)
		}
		r.headers = append(r.headers, m)
	}
	for _, contentType := range slices.Sorted(maps.Keys(declared.Templates)) {
		body, err := parseScript(declared.Templates[contentType], true)
		if err != nil {
			return r, fmt.Errorf("the %s response %w", contentType, err)
		}
		r.bodies[contentType] = body
	}
	return r, nil
}

// declared fails where a mapped header is none that the method declares for the
// status: "Invalid mapping expression parameter specified", says AWS, and does
// not deploy [meas]. A nil map says that nothing is known of it.
func (r *mockResponse) declared(headers map[int][]string) error {
	for _, m := range r.headers {
		same := func(name string) bool { return strings.EqualFold(name, m.header) }
		if headers != nil && !slices.ContainsFunc(headers[r.status], same) {
			return fmt.Errorf("no method response for %d declares the header %s; AWS does not deploy this", r.status, m.header)
		}
	}
	return nil
}

// looseStatus is a template as CDK writes it for preflights: { statusCode: 200 }.
var looseStatus = regexp.MustCompile(`^\s*\{\s*["']?statusCode["']?\s*:\s*["']?([0-9]{3})["']?\s*,?\s*\}\s*$`)

// templateStatus reads the statusCode of what a request template makes. AWS's
// reader is looser than JSON [meas].
func templateStatus(template string) (int, bool) {
	if loose := looseStatus.FindStringSubmatch(template); loose != nil {
		status, err := strconv.Atoi(loose[1])
		return status, err == nil
	}
	var strict map[string]json.RawMessage
	if json.Unmarshal([]byte(template), &strict) != nil {
		return 0, false
	}
	status, err := strconv.Atoi(strings.Trim(string(strict["statusCode"]), `"`))
	return status, err == nil
}

func (m *mock) answer(c *call) (answer, *failure) {
	status, err := m.status(c)
	switch {
	case errors.Is(err, errMediaType):
		return answer{}, &failure{kind: unsupportedMediaType, reason: err.Error()}
	case err != nil:
		return answer{}, &failure{kind: default5XX, reason: err.Error()}
	}
	r := m.choose(status)
	if r == nil {
		return answer{}, &failure{kind: apiConfigurationError, reason: fmt.Sprintf("no response of the MOCK integration for status %d", status)}
	}
	return r.answer(c)
}

// answer fills a response in. What its template sets replaces the status and
// the header that is mapped ("Override your API's request and response parameters and
// status codes for REST APIs" [doc]).
func (r *mockResponse) answer(c *call) (answer, *failure) {
	a := answer{status: r.status, header: http.Header{}}
	contentType := "application/json"
	var own rendered
	if len(r.bodies) > 0 {
		contentType = choose(r.bodies, c.request.Header.Get("Accept"))
		var err error
		if own, err = r.bodies[contentType].run(c); err != nil {
			return answer{}, &failure{kind: default5XX, reason: err.Error()}
		}
		a.status, a.body = cmp.Or(own.status, r.status), []byte(own.text)
	}
	for _, h := range r.headers {
		if _, overridden := own.headers[http.CanonicalHeaderKey(h.header)]; !overridden {
			addHeader(a.header, h.header, h.static)
		}
	}
	for name, value := range own.headers {
		addHeader(a.header, name, value)
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", contentType)
	}
	a.header.Set(traceHeader, c.traceID)
	return a, nil
}

var errMediaType = errors.New("no request template for the content type")

// status runs the request template for the request's content type,
// application/json where there is none [doc].
func (m *mock) status(c *call) (int, error) {
	sent := mediaType(c.request.Header.Get("Content-Type"))
	if sent == "" {
		sent = "application/json"
	}
	if request, ok := m.requests[sent]; ok {
		made, err := request.run(c)
		if err != nil {
			return 0, err
		}
		status, ok := templateStatus(made.text)
		if !ok {
			return 0, errors.New("the request template of the MOCK integration makes no statusCode")
		}
		return status, nil
	}
	if m.passthrough == passthroughNever || m.passthrough == passthroughNoTemplates && len(m.requests) > 0 {
		return 0, errMediaType
	}
	// The body passes through, and names no status: 500 [meas].
	return 0, errors.New("the MOCK integration got a request that no template turns into a status")
}

// choose returns the response whose pattern is the whole status, else the
// default. Of several, the one that answers with that very status wins [meas].
func (m *mock) choose(status int) *mockResponse {
	var fallback, matched *mockResponse
	for i := range m.responses {
		r := &m.responses[i]
		switch {
		case r.pattern == nil && fallback == nil:
			fallback = r
		case r.pattern == nil || !r.pattern.MatchString(strconv.Itoa(status)):
		case matched == nil || matched.status != status && r.status == status:
			matched = r
		}
	}
	if matched != nil {
		return matched
	}
	return fallback
}
