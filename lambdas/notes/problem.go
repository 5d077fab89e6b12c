package main

import (
	"encoding/json"
	"maps"
	"net/http"
)

// problem is a problem document (RFC 9457). Its type is about:blank, so its
// title is the status' own. It is an error that a caller may see.
type problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Errors []fieldError `json:"errors,omitempty"`

	header map[string]string
}

// fieldError says what is wrong with one place of the request's body. Pointer
// is a JSON pointer as a URI fragment (RFC 6901 section 6).
type fieldError struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func (p *problem) response() response {
	body, _ := json.Marshal(p) // texts and numbers always marshal
	headers := map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
	maps.Copy(headers, p.header)
	return response{StatusCode: p.Status, Headers: headers, Body: string(body)}
}
