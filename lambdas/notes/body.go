package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a note, in characters (Unicode code points).
const (
	maxTitle = 200
	maxText  = 10_000
)

// maxBodyBytes is more than the longest note takes with every character
// escaped, twelve bytes each.
const maxBodyBytes = 256 << 10

// maxErrors bounds how many mistakes of one body are listed.
const maxErrors = 10

// draft is what a caller says of a note. Everything else is the function's.
type draft struct {
	Title string
	Text  string
}

// readDraft reads and validates a body. API Gateway validates by the API's
// model, too, but only bodies of a declared content type ("Request validation
// for REST APIs in API Gateway"); a caller chooses the content type.
func readDraft(r request) (draft, error) {
	if !isJSON(headerValues(r, "Content-Type")) {
		p := newProblem(http.StatusUnsupportedMediaType, "a note is sent as application/json, in UTF-8")
		p.header = map[string]string{"Accept": "application/json"} // RFC 9110 section 15.5.16
		return draft{}, p
	}
	body := r.Body
	if r.IsBase64Encoded {
		data, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			return draft{}, newProblem(http.StatusBadRequest, "the body cannot be decoded")
		}
		body = string(data)
	}
	switch {
	case len(body) > maxBodyBytes:
		return draft{}, newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", maxBodyBytes))
	case !utf8.ValidString(body):
		return draft{}, newProblem(http.StatusBadRequest, "the body is not UTF-8")
	}
	return parseDraft(body)
}

// isJSON reports whether the values of Content-Type are exactly one that names
// JSON, in UTF-8 if it names a charset. No content type is none that was declared.
func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(values[0])
	charset, named := parameters["charset"]
	return err == nil && kind == "application/json" && (!named || strings.EqualFold(charset, "utf-8"))
}

// parseDraft reads an object member by member, because a decoder for structs
// would take any spelling of a name, and the last of two.
func parseDraft(body string) (draft, error) {
	malformed := newProblem(http.StatusBadRequest, "the body is no JSON object")
	decoder := json.NewDecoder(strings.NewReader(body))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return draft{}, malformed
	}
	values := map[string]string{}
	var mistakes []fieldError
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return draft{}, malformed
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return draft{}, malformed
		}
		if mistake := take(values, name.(string), value); mistake != "" {
			mistakes = append(mistakes, fieldError{pointer(name.(string)), mistake})
		}
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return draft{}, malformed
	}
	if _, err := decoder.Token(); err != io.EOF { //nolint:errorlint // the decoder returns it bare
		return draft{}, malformed
	}
	title, titled := values["title"]
	if !titled && !slices.ContainsFunc(mistakes, func(m fieldError) bool { return m.Pointer == "#/title" }) {
		mistakes = append(mistakes, fieldError{"#/title", "is required"})
	}
	if len(mistakes) > 0 {
		p := newProblem(http.StatusBadRequest, "the body is no note")
		p.Errors = mistakes[:min(len(mistakes), maxErrors)]
		return draft{}, p
	}
	return draft{Title: title, Text: values["text"]}, nil
}

// take keeps one member of the body, or says what is wrong with it.
func take(values map[string]string, name string, value any) string {
	text, isText := value.(string)
	_, again := values[name]
	length := utf8.RuneCountInString(text)
	switch {
	case name != "title" && name != "text":
		return "is not known; a note is sent as title and text"
	case again:
		return "stands twice"
	case !isText:
		return "is no text"
	case name == "title" && (length < 1 || length > maxTitle):
		return fmt.Sprintf("has %d characters; 1 to %d", length, maxTitle)
	case length > maxText:
		return fmt.Sprintf("has %d characters; at most %d", length, maxText)
	}
	values[name] = text
	return ""
}

// pointer is the JSON pointer to a member, shortened where its name is long.
func pointer(name string) string {
	const limit = 64
	if runes := []rune(name); len(runes) > limit {
		name = string(runes[:limit]) + "…"
	}
	return "#/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
}

// headerValues returns every value of a request header, in any spelling.
func headerValues(r request, name string) []string {
	var values []string
	for key, list := range r.MultiValueHeaders {
		if strings.EqualFold(key, name) {
			values = append(values, list...)
		}
	}
	return values
}
