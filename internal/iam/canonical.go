package iam

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest returns the text whose hash is signed ("Create a signed AWS
// API request", IAM user guide, step 1).
func (s *signature) canonicalRequest(r *http.Request, payloadHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r, s.service) + "\n" + s.query.canonical() + "\n")
	for _, name := range s.signedHeaders {
		b.WriteString(name + ":")
		for i, value := range headerValues(r, name) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(foldSpaces(value))
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n" + strings.Join(s.signedHeaders, ";") + "\n" + payloadHash)
	return b.String()
}

// target returns path and query as they were sent. Only a client's own request,
// as in tests, has no RequestURI; one in absolute form (RFC 9112 section 3.2.2)
// has its host removed.
func target(r *http.Request) (path, query string) {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, query, _ = strings.Cut(r.RequestURI, "?")
		return path, query
	}
	return r.URL.EscapedPath(), r.URL.RawQuery
}

// canonicalPath encodes the path as sent, so what is encoded already is encoded
// twice. Amazon S3 alone takes it as it is.
func canonicalPath(r *http.Request, service string) string {
	path, _ := target(r)
	if path == "" {
		return "/"
	}
	if service == serviceS3 {
		return path
	}
	return encode(path, "/")
}

// headerValues returns the values of a header by its lower-case name, nil if r
// has none. Go's server keeps Host apart, and a request built in Go has its
// length apart.
func headerValues(r *http.Request, name string) []string {
	switch {
	case name == "host":
		return []string{r.Host}
	case name == "content-length" && r.Header.Values(name) == nil && r.ContentLength > 0:
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return r.Header.Values(name)
}

// foldSpaces trims a value and turns runs of spaces into one.
func foldSpaces(value string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(value, " "), func(part string) bool { return part == "" }), " ")
}

type parameter struct{ name, value string }

type parameters []parameter

// parseQuery decodes a query string. It is not url.ParseQuery, which drops what
// holds a semicolon: nothing that is sent may escape the signature.
func parseQuery(raw string) (query parameters, ok bool) {
	ok = true
	if raw == "" {
		return nil, true
	}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil {
			ok = false
			continue
		}
		query = append(query, parameter{name, value})
	}
	return query, ok
}

func (q parameters) values(name string) (values []string) {
	for _, p := range q {
		if p.name == name {
			values = append(values, p.value)
		}
	}
	return values
}

// canonical returns the encoded parameters, sorted by name and value. Sorting
// comes after encoding.
func (q parameters) canonical() string {
	encoded := make(parameters, len(q))
	for i, p := range q {
		encoded[i] = parameter{encode(p.name, ""), encode(p.value, "")}
	}
	slices.SortFunc(encoded, func(a, b parameter) int {
		if order := strings.Compare(a.name, b.name); order != 0 {
			return order
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}

// encode percent-encodes every byte of s but RFC 3986's unreserved ones and
// those in keep.
func encode(s, keep string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~", c) >= 0, strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
