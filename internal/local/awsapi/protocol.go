package awsapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatewright/gatewright/internal/iam"
)

// protocol is how a service's requests and errors are written ("AWS Protocols",
// Smithy documentation).
type protocol int

const (
	protocolREST  protocol = iota // REST-JSON, and whatever is not recognized
	protocolJSON                  // JSON 1.0 and 1.1, by X-Amz-Target
	protocolQuery                 // form or query string with an Action, XML answers
	protocolXML                   // REST-XML: Amazon S3
)

const (
	stsVersion = "2011-06-15"
	xmlType    = "text/xml"
)

// call is what a request asks for. None of it is verified by itself, but the
// verified signature covers all of it.
type call struct {
	protocol    protocol
	contentType string // of a JSON answer
	service     string // as signed for; "" if unknown
	operation   string // "" if unknown
	version     string // of the query protocol
	requestID   string // ours, for the answer
}

// readCall reads what the headers say.
func readCall(r *http.Request) call {
	c := call{contentType: "application/json", service: iam.ClaimedService(r), requestID: newID("")}
	if !isServiceName(c.service) {
		c.service = ""
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // "" if malformed
	switch target := r.Header.Get("X-Amz-Target"); {
	case target != "":
		c.protocol, c.contentType = protocolJSON, "application/x-amz-json-1.1"
		if kind == "application/x-amz-json-1.0" {
			c.contentType = kind
		}
		c.operation = operationName(target[strings.LastIndexByte(target, '.')+1:])
	case kind == "application/x-www-form-urlencoded", r.URL.Query().Has("Action"):
		c.protocol = protocolQuery
	case c.service == "s3":
		c.protocol = protocolXML
	}
	return c
}

// readAction reads the query protocol's operation from a form, or from the
// query string of a request without one. One that stands twice is none.
func (c *call) readAction(r *http.Request, body []byte) {
	if c.protocol != protocolQuery {
		return
	}
	raw := string(body)
	if len(body) == 0 {
		raw = r.URL.RawQuery
	}
	form, err := url.ParseQuery(raw)
	if action, version := form["Action"], form["Version"]; err == nil && len(action) == 1 && len(version) == 1 {
		c.operation, c.version = operationName(action[0]), version[0]
	}
}

// operationName returns name if it can be an operation's, else "": it is shown
// and logged.
func operationName(name string) string {
	if len(name) > 128 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return ""
	}
	return name
}

// answer is a response, and what the log says of it.
type answer struct {
	status      int
	contentType string
	errorType   string // the x-amzn-ErrorType of a JSON protocol
	body        string
	reason      string // why not; empty where the request succeeded
}

// refuseSignature answers a request that is not, or not well, signed.
func (c *call) refuseSignature(err error) answer {
	e := &iam.Error{Code: iam.InvalidClientTokenID, Message: "The signature cannot be verified."}
	_ = errors.As(err, &e) // package iam returns nothing else
	code := string(e.Code)
	if c.protocol == protocolREST || c.protocol == protocolJSON {
		code = e.Code.Exception()
	}
	return c.refuse(e.Code.Status(), code, e.Message)
}

// fromService passes on what a service answers. The log gets the code of an
// error and not its message, which may repeat what was sent.
func (c *call) fromService(status int, document []byte) answer {
	a := answer{status: status, contentType: c.contentType, body: string(document)}
	if status < http.StatusBadRequest {
		return a
	}
	var failure struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(document, &failure) // "" if malformed
	a.reason = operationName(failure.Type[strings.LastIndexByte(failure.Type, '#')+1:])
	if a.reason == "" {
		a.reason = http.StatusText(status)
	}
	a.errorType = a.reason
	return a
}

// refuseOperation answers a well-signed request for what is not served. SDKs do
// not retry status 501.
func (c *call) refuseOperation(services []string) answer {
	what := c.service
	if c.operation != "" {
		what += ":" + c.operation
	}
	code := "UnknownOperationException"
	switch c.protocol {
	case protocolQuery:
		code = "InvalidAction"
	case protocolXML:
		code = "NotImplemented"
	}
	return c.refuse(http.StatusNotImplemented, code,
		"Gatewright's local AWS endpoint does not serve "+what+" yet; it serves "+strings.Join(append([]string{"sts:GetCallerIdentity"}, services...), ", ")+".")
}

// refuse writes an error in the call's protocol. code and message hold nothing
// of the request but names that were checked.
func (c *call) refuse(status int, code, message string) answer {
	a := answer{status: status, contentType: xmlType, reason: code + ": " + message}
	switch c.protocol {
	case protocolQuery:
		a.body = `<ErrorResponse><Error><Type>Sender</Type><Code>` + escape(code) + `</Code><Message>` + escape(message) +
			`</Message></Error><RequestId>` + c.requestID + `</RequestId></ErrorResponse>`
	case protocolXML:
		a.contentType = "application/xml"
		a.body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + escape(code) + `</Code><Message>` + escape(message) +
			`</Message><RequestId>` + c.requestID + `</RequestId></Error>`
	default:
		fields := map[string]string{"message": message}
		if c.protocol == protocolJSON {
			fields["__type"] = code
		}
		body, _ := json.Marshal(fields) // strings always marshal
		a.contentType, a.errorType, a.body = c.contentType, code, string(body)
	}
	return a
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
