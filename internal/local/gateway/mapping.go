package gateway

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// mapping sets a response header to a fixed text or to a variable's value
// ("Set up a gateway response", Amazon API Gateway).
type mapping struct {
	header   string
	static   string
	variable string // empty for a fixed text
}

// parseMapping understands one response parameter, whose target starts with
// prefix.
func parseMapping(prefix, target, source string) (mapping, error) {
	name, ok := strings.CutPrefix(target, prefix)
	if !ok || !validHeaderName(name) {
		return mapping{}, fmt.Errorf("parameter %q names no response header", target)
	}
	if len(source) >= 2 && source[0] == '\'' && source[len(source)-1] == '\'' {
		static := source[1 : len(source)-1]
		if !validHeaderValue(static) {
			return mapping{}, fmt.Errorf("parameter %s: control characters", target)
		}
		return mapping{header: name, static: static}, nil
	}
	if !knownVariable(source) {
		return mapping{}, fmt.Errorf("parameter %s: the expression %q is not understood", target, source)
	}
	return mapping{header: name, variable: source}, nil
}

// value returns the header's value; ok is false where its source is absent.
func (m mapping) value(c *call, f failure) (string, bool) {
	if m.variable == "" {
		return m.static, true
	}
	value, ok := c.variable(m.variable, f)
	return value, ok && validHeaderValue(value)
}

// template is a body in which variables stand. It is not VTL [doc].
type template []part

type part struct {
	text     string
	variable bool
}

var templateVariable = regexp.MustCompile(`\$(?:context|stageVariables|method)(?:\.[a-zA-Z0-9_:-]+)+`)

func parseTemplate(text string) (template, error) {
	var t template
	rest := 0
	for _, at := range templateVariable.FindAllStringIndex(text, -1) {
		name := text[at[0]+1 : at[1]]
		if !knownVariable(name) {
			return nil, fmt.Errorf("template: the variable $%s is not understood", name)
		}
		t = append(t, part{text: text[rest:at[0]]}, part{text: name, variable: true})
		rest = at[1]
	}
	return append(t, part{text: text[rest:]}), nil
}

// render fills the template in; an absent variable leaves nothing [?].
func (t template) render(c *call, f failure) string {
	var out strings.Builder
	for _, p := range t {
		text := p.text
		if p.variable {
			text, _ = c.variable(p.text, f)
		}
		out.WriteString(text)
	}
	return out.String()
}

// contextVariables are the $context variables that a gateway response may use.
var contextVariables = map[string]func(*call, failure) string{
	"accountId":                   func(c *call, _ failure) string { return c.config.Account },
	"apiId":                       func(c *call, _ failure) string { return c.config.API.ID },
	"domainName":                  func(c *call, _ failure) string { return c.domain },
	"domainPrefix":                func(c *call, _ failure) string { return c.domainPrefix() },
	"error.message":               func(_ *call, f failure) string { return f.message },
	"error.messageString":         func(_ *call, f failure) string { return f.messageString() },
	"error.responseType":          func(_ *call, f failure) string { return f.kind },
	"error.validationErrorString": func(_ *call, f failure) string { return f.details },
	"extendedRequestId":           func(c *call, _ failure) string { return c.extendedRequestID },
	"httpMethod":                  func(c *call, _ failure) string { return c.method },
	"identity.sourceIp":           func(c *call, _ failure) string { return c.sourceIP() },
	"identity.userAgent":          func(c *call, _ failure) string { return c.request.UserAgent() },
	"path":                        func(c *call, _ failure) string { return c.contextPath },
	"protocol":                    func(c *call, _ failure) string { return c.request.Proto },
	"requestId":                   func(c *call, _ failure) string { return c.requestID },
	"requestTime":                 func(c *call, _ failure) string { return c.start.UTC().Format(requestTimeLayout) },
	"requestTimeEpoch":            func(c *call, _ failure) string { return strconv.FormatInt(c.start.UnixMilli(), 10) },
	"resourceId":                  func(c *call, _ failure) string { return c.resource().ResourceID },
	"resourcePath":                func(c *call, _ failure) string { return c.resource().Path },
	"stage":                       func(c *call, _ failure) string { return c.config.Stage.Name },
}

// resource is the matched route, or an empty one.
func (c *call) resource() *route {
	if c.route == nil {
		return &route{}
	}
	return c.route
}

// Variables whose last part is any name.
const (
	authorizerVariable = "context.authorizer."
	claimVariable      = authorizerVariable + "claims."
	stageVariable      = "stageVariables."
	headerVariable     = "method.request.header."
	queryVariable      = "method.request.querystring."
	pathVariable       = "method.request.path."
)

func knownVariable(name string) bool {
	for _, prefix := range []string{authorizerVariable, stageVariable, headerVariable, queryVariable, pathVariable} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest != ""
		}
	}
	context, ok := strings.CutPrefix(name, "context.")
	return ok && contextVariables[context] != nil
}

// variable returns the value of a known variable, and whether it is there.
func (c *call) variable(name string, f failure) (value string, ok bool) {
	if get := contextVariables[strings.TrimPrefix(name, "context.")]; get != nil {
		return get(c, f), true
	}
	if claim, found := strings.CutPrefix(name, claimVariable); found {
		claims, _ := c.authorizer["claims"].(map[string]string)
		value, ok = claims[claim]
	} else if name, found := strings.CutPrefix(name, authorizerVariable); found {
		// Of a Lambda authorizer, as public configurations use it [?].
		if said := c.authorizer[name]; said != nil {
			value, ok = fmt.Sprint(said), name != "claims"
		}
	} else if variable, found := strings.CutPrefix(name, stageVariable); found {
		value, ok = c.config.Stage.Variables[variable]
	} else if header, found := strings.CutPrefix(name, headerVariable); found {
		values := c.request.Header.Values(header)
		if strings.EqualFold(header, "Host") {
			values = []string{c.request.Host}
		}
		if ok = len(values) > 0; ok {
			value = values[len(values)-1]
		}
	} else if parameter, found := strings.CutPrefix(name, queryVariable); found {
		value, ok = c.query.last[parameter]
	} else if parameter, found := strings.CutPrefix(name, pathVariable); found {
		value, ok = c.parameters[parameter]
	}
	return value, ok
}

// validHeaderName reports whether name is a token (RFC 9110 section 5.6.2).
func validHeaderName(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

// validHeaderValue reports whether value can stand in a header: it cannot break
// out of its line.
func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// remapped are the headers that an integration's answer cannot set; they reach
// the client as x-amzn-Remapped-<name> ([rec] of AWS integrations, [meas] of
// WWW-Authenticate in proxy integrations).
var remapped = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Length": true, "Content-Md5": true,
	"Date": true, "Expect": true, "Host": true, "Max-Forwards": true, "Proxy-Authenticate": true,
	"Server": true, "Trailer": true, "Upgrade": true, "User-Agent": true, "Www-Authenticate": true,
}

// addHeader adds a header of an integration's answer.
func addHeader(h http.Header, name, value string) {
	name = http.CanonicalHeaderKey(name)
	switch {
	case name == "Transfer-Encoding": // dropped [rec]
		return
	case remapped[name]:
		name = "X-Amzn-Remapped-" + name
	}
	h.Add(name, value)
}
