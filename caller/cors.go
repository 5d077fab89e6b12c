package caller

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// CORS holds the web origins whose pages may read a function's answers, as
// browsers send them: "https://shop.example.com". They are the Origins of the
// API that the function stands behind (constructs/restapi), which answers
// preflights itself and puts the headers on its own errors. A function learns
// them the way it learns any setting, such as an environment variable:
//
//	var cors = caller.CORS(strings.Fields(os.Getenv("ORIGINS")))
//
// "*", "null" and empty entries allow nobody. The zero CORS allows nobody and
// leaves answers alone.
type CORS []string

// exposed are the headers that a page may read beside the few that the Fetch
// standard lets it read anyway ("CORS-safelisted response-header name").
var exposed = []string{"WWW-Authenticate", "Retry-After", "ETag"}

// Allow returns the answer with the CORS headers for a request, whatever its
// status. With one origin they are the same for every request. With several,
// an answer names the request's own where it is among them, and always carries
// "Vary: Origin", so that no cache hands one page the answer of another (Fetch
// standard, "CORS protocol and HTTP caches"). A foreign origin gets an answer
// that its page cannot read.
//
// An Access-Control-Allow-Origin that the answer has already is replaced;
// headers that it exposes itself, or varies by, are kept. The maps of the
// answer that came in are not changed.
func (c CORS) Allow(r events.APIGatewayProxyRequest, answer events.APIGatewayProxyResponse) events.APIGatewayProxyResponse {
	origins := c.origins()
	if len(origins) == 0 {
		return answer
	}
	headers := newHeaders(answer)
	headers.take("Access-Control-Allow-Origin")
	if len(origins) > 1 {
		vary := headers.take("Vary")
		if !slices.Contains(vary, "*") {
			vary = appendNew(vary, "Origin")
		}
		headers.set("Vary", vary)
	}
	if origin := allowed(origins, r); origin != "" {
		headers.set("Access-Control-Allow-Origin", []string{origin})
		headers.set("Access-Control-Expose-Headers", appendNew(headers.take("Access-Control-Expose-Headers"), exposed...))
	}
	answer.Headers, answer.MultiValueHeaders = headers.single, headers.multi
	return answer
}

// origins returns the entries that name one web origin each. "null" is what a
// sandboxed frame of anybody's page sends.
func (c CORS) origins() []string {
	var origins []string
	for _, origin := range c {
		if origin != "" && origin != "*" && origin != "null" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// allowed returns the origin that the answer names, or "".
func allowed(origins []string, r events.APIGatewayProxyRequest) string {
	if len(origins) == 1 {
		return origins[0]
	}
	var sent []string
	for name, values := range r.MultiValueHeaders {
		if strings.EqualFold(name, "Origin") {
			sent = append(sent, values...)
		}
	}
	if len(sent) == 0 {
		for name, value := range r.Headers {
			if strings.EqualFold(name, "Origin") {
				sent = append(sent, value)
			}
		}
	}
	// A browser sends one; who sends two is none.
	if len(sent) != 1 || !slices.Contains(origins, sent[0]) {
		return ""
	}
	return sent[0]
}

// answerHeaders are an answer's two maps of headers, copied. API Gateway
// merges them ("Output format of a Lambda function for proxy integration"), and
// does not fold names, so a header may stand in both and in any case.
type answerHeaders struct {
	single map[string]string
	multi  map[string][]string
}

func newHeaders(answer events.APIGatewayProxyResponse) answerHeaders {
	h := answerHeaders{single: map[string]string{}}
	for name, value := range answer.Headers {
		h.single[name] = value
	}
	if answer.MultiValueHeaders != nil {
		h.multi = http.Header(answer.MultiValueHeaders).Clone()
	}
	return h
}

// take removes a header in all its spellings and returns the members of its
// comma-separated list.
func (h answerHeaders) take(header string) []string {
	var lines []string
	for name, value := range h.single {
		if strings.EqualFold(name, header) {
			lines = append(lines, value)
			delete(h.single, name)
		}
	}
	for name, values := range h.multi {
		if strings.EqualFold(name, header) {
			lines = append(lines, values...)
			delete(h.multi, name)
		}
	}
	slices.Sort(lines) // maps have no order, answers should
	var members []string
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			if member = textproto.TrimString(member); member != "" {
				members = appendNew(members, member)
			}
		}
	}
	return members
}

func (h answerHeaders) set(name string, members []string) {
	h.single[name] = strings.Join(members, ", ")
}

// appendNew appends the names that are not there yet in any case.
func appendNew(names []string, more ...string) []string {
	for _, name := range more {
		if !slices.ContainsFunc(names, func(have string) bool { return strings.EqualFold(have, name) }) {
			names = append(names, name)
		}
	}
	return names
}
