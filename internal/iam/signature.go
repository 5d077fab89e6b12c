package iam

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm       = "AWS4-HMAC-SHA256"
	scopeTerminator = "aws4_request"
	stampLayout     = "20060102T150405Z"

	// maxLifetime bounds X-Amz-Expires ("Query string authentication", IAM user
	// guide).
	maxLifetime = 7 * 24 * time.Hour
)

// signature is what a request says of its own signature: syntax only, nothing
// of it is verified.
type signature struct {
	presigned bool          // the query form
	lifetime  time.Duration // of the query form
	query     parameters    // as sent, without X-Amz-Signature

	accessKeyID, date, region, service string // Credential

	signedHeaders []string // lower case, sorted
	value         string   // 64 lower-case hexadecimal digits
	token         string   // session token; empty for none
	stamp         string   // X-Amz-Date as sent
	time          time.Time
}

// readSignature finds and parses r's signature in either form.
func readSignature(r *http.Request) (*signature, error) {
	_, rawQuery := target(r)
	query, wellFormed := parseQuery(rawQuery)
	authorization := r.Header.Values("Authorization")
	presigned := slices.ContainsFunc([]string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"},
		func(name string) bool { return query.values(name) != nil })
	switch {
	case len(authorization) == 0 && !presigned:
		return nil, refuse(MissingAuthenticationToken, "Missing Authentication Token")
	case len(authorization) > 1, len(authorization) == 1 && presigned:
		return nil, refuse(IncompleteSignature, "The request is signed more than once.")
	case !wellFormed:
		return nil, refuse(SignatureDoesNotMatch, "The query string is malformed.")
	}
	s := &signature{presigned: presigned, query: query}
	if presigned {
		return s, s.readQuery(r)
	}
	return s, s.readHeader(r, authorization[0])
}

// readHeader parses the header form:
// AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
func (s *signature) readHeader(r *http.Request, authorization string) error {
	scheme, list, _ := strings.Cut(authorization, " ")
	if scheme != algorithm {
		return refuse(IncompleteSignature, "Not a valid key=value pair (missing equal-sign) in Authorization header, which must begin with "+algorithm+".")
	}
	fields := make(map[string]string, 3)
	for field := range strings.SplitSeq(list, ",") {
		name, value, ok := strings.Cut(strings.Trim(field, " "), "=")
		if _, twice := fields[name]; !ok || twice {
			return refuse(IncompleteSignature, "Not a valid key=value pair (missing equal-sign) in Authorization header.")
		}
		fields[name] = value
	}
	if len(fields) != 3 {
		return refuse(IncompleteSignature, "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' and nothing else.")
	}
	date, token := r.Header.Values("X-Amz-Date"), r.Header.Values("X-Amz-Security-Token")
	if len(date) != 1 || len(token) > 1 {
		return refuse(IncompleteSignature, "Authorization header requires one 'X-Amz-Date' header and at most one 'X-Amz-Security-Token'.")
	}
	return s.read(fields["Credential"], date[0], fields["SignedHeaders"], fields["Signature"], token)
}

// readQuery parses the query form.
func (s *signature) readQuery(r *http.Request) error {
	value := make(map[string]string, 6)
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		values := s.query.values(name)
		if len(values) != 1 {
			return refuse(IncompleteSignature, "A signed query string requires '"+name+"' once.")
		}
		value[name] = values[0]
	}
	token := s.query.values("X-Amz-Security-Token")
	if value["X-Amz-Algorithm"] != algorithm || len(token) > 1 || r.Header.Values("X-Amz-Security-Token") != nil {
		return refuse(IncompleteSignature, "A signed query string requires X-Amz-Algorithm="+algorithm+" and at most one X-Amz-Security-Token.")
	}
	seconds, err := strconv.ParseUint(value["X-Amz-Expires"], 10, 32)
	s.lifetime = time.Duration(seconds) * time.Second
	if err != nil || s.lifetime == 0 || s.lifetime > maxLifetime {
		return refuse(IncompleteSignature, "X-Amz-Expires must be 1 to 604800 seconds.")
	}
	s.query = slices.DeleteFunc(s.query, func(p parameter) bool { return p.name == "X-Amz-Signature" })
	return s.read(value["X-Amz-Credential"], value["X-Amz-Date"], value["X-Amz-SignedHeaders"], value["X-Amz-Signature"], token)
}

// read parses what both forms have in common.
func (s *signature) read(credential, stamp, signedHeaders, value string, token []string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || slices.Contains(scope, "") || scope[4] != scopeTerminator {
		return refuse(IncompleteSignature, "Credential must be an access key id, date, region, service and "+scopeTerminator+", separated by slashes.")
	}
	s.accessKeyID, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]

	var err error
	if s.time, err = time.Parse(stampLayout, stamp); err != nil || len(stamp) != len(stampLayout) || len(s.date) != len("20060102") {
		return refuse(IncompleteSignature, "X-Amz-Date must be in ISO-8601 'basic format', as 20060102T150405Z.")
	}
	s.stamp = stamp

	s.signedHeaders = strings.Split(signedHeaders, ";")
	for i, name := range s.signedHeaders {
		if name == "" || strings.ContainsFunc(name, notInHeaderName) || i > 0 && name <= s.signedHeaders[i-1] {
			return refuse(IncompleteSignature, "SignedHeaders must be lower-case header names in order, each once, separated by semicolons.")
		}
	}
	if len(value) != 64 || strings.Trim(value, "0123456789abcdef") != "" {
		return refuse(IncompleteSignature, "Signature must be 64 lower-case hexadecimal digits.")
	}
	s.value = value
	if len(token) == 1 {
		s.token = token[0]
	}
	return nil
}

// notInHeaderName reports whether c may not stand in a lower-case field name
// (RFC 9110 section 5.6.2).
func notInHeaderName(c rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", c)
}
