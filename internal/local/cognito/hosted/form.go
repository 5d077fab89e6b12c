package hosted

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// maxFormBytes bounds a form. A client's longest token request, with 50 scopes
// of 500 characters, is half as large.
const maxFormBytes = 64 << 10

// readForm reads the parameters from the body, and from nowhere else
// (RFC 6749 sections 2.3.1 and 3.2): a query string ends up in logs.
func readForm(r *http.Request) (url.Values, *refusal) {
	types := r.Header.Values("Content-Type")
	if len(types) != 1 {
		return nil, refuse(invalidRequest, "not one Content-Type")
	}
	if kind, _, err := mime.ParseMediaType(types[0]); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse(invalidRequest, "Content-Type is not application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxFormBytes+1))
	if err != nil {
		return nil, refuse(invalidRequest, "the body breaks off")
	}
	if len(body) > maxFormBytes {
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, code: invalidRequest, reason: "the body is larger than 64 KiB"}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(invalidRequest, "the body is not form-encoded")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, refuse(invalidRequest, "a parameter stands twice")
		}
		if !utf8.ValidString(values[0]) {
			return nil, refuse(invalidRequest, "a parameter is not UTF-8")
		}
	}
	return form, nil
}
