package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gatewright/gatewright/internal/authn"
)

// This file reads the few members of an event that count ("Input to a Lambda
// authorizer", type REQUEST), skips over others, and stops once it has all: to
// decode the whole takes longer than to verify a signature. API Gateway writes
// events, so this is no validator of JSON; yet a text that it cannot follow as far
// as it reads is an error, and never a request with less in it.

var (
	errEvent  = errors.New("the event is none of a REQUEST authorizer")
	errEnough = errors.New("all that counts has been read")
)

// Members of an event that count.
const (
	memberType = 1 << iota
	memberMethodARN
	memberResource
	memberMethod
	memberHeaders
	memberQuery
	allMembers = 1<<iota - 1
)

// readEvent returns what of an event a decision rests on. keys is what keys look
// like; zero where none are taken.
func readEvent(payload []byte, keys authn.KeyFormat) (authn.Request, error) {
	s := scanner{text: payload}
	var r authn.Request
	seen := 0
	text := func(into *string) error {
		value, ok := s.string()
		if !ok || len(value) == 0 {
			return errEvent
		}
		*into = string(value)
		return nil
	}
	err := s.object(func(name []byte) (err error) {
		member := memberOf(name)
		if seen&member != 0 {
			return errEvent
		}
		switch seen |= member; member {
		case memberType:
			if kind, ok := s.string(); !ok || string(kind) != "REQUEST" {
				return errEvent
			}
		case memberMethodARN:
			err = text(&r.MethodARN)
		case memberResource:
			err = text(&r.Resource)
		case memberMethod:
			r.Method, err = s.method()
		case memberHeaders:
			err = s.object(func(header []byte) error { return s.header(header, &r) })
		case memberQuery:
			err = s.object(func(parameter []byte) error { return s.parameter(parameter, keys, &r) })
		default:
			return s.skip()
		}
		if err == nil && seen == allMembers {
			return errEnough
		}
		return err
	})
	if err == nil {
		s.space()
	}
	const required = memberType | memberMethodARN | memberResource | memberMethod
	if err != nil && !errors.Is(err, errEnough) || err == nil && (s.pos != len(s.text) || seen&required != required) {
		return authn.Request{}, errEvent
	}
	return r, nil
}

func memberOf(name []byte) int {
	switch string(name) {
	case "type":
		return memberType
	case "methodArn":
		return memberMethodARN
	case "resource":
		return memberResource
	case "httpMethod":
		return memberMethod
	case "multiValueHeaders":
		return memberHeaders
	case "multiValueQueryStringParameters":
		return memberQuery
	}
	return 0
}

// method passes an HTTP method, of which the common ones need no copy.
func (s *scanner) method() (string, error) {
	value, ok := s.string()
	if !ok || len(value) == 0 {
		return "", errEvent
	}
	for _, known := range [...]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if string(value) == known {
			return known, nil
		}
	}
	return string(value), nil
}

// parameter looks for a credential in the query string, where it shows in logs and
// histories (RFC 6750 section 2.3): by the name of a parameter that is for one, or
// as a key or a token, be it a value, behind a scheme, or a name.
func (s *scanner) parameter(name []byte, keys authn.KeyFormat, r *authn.Request) error {
	for _, known := range queryNames {
		r.CredentialInQuery = r.CredentialInQuery || bytes.EqualFold(name, known)
	}
	look := func(text []byte) {
		if len(text) > len(bearer) && bytes.EqualFold(text[:len(bearer)], bearer) {
			text = text[len(bearer):]
		}
		r.CredentialInQuery = r.CredentialInQuery || keys.Resembles(text) || resemblesToken(text)
	}
	look(name)
	return s.strings(look)
}

var (
	queryNames = [][]byte{[]byte("access_token"), []byte("id_token"), []byte("authorization")}
	bearer     = []byte("Bearer ")
)

// resemblesToken reports whether a text looks like a JSON Web Token: three parts,
// of which the first is a JSON object in base64url.
func resemblesToken(text []byte) bool {
	return bytes.HasPrefix(text, []byte("eyJ")) && bytes.Count(text, []byte(".")) == 2
}

// header collects the values of all headers that hold credentials, however spelt.
func (s *scanner) header(name []byte, r *authn.Request) error {
	var into *[][]byte
	switch {
	case len(name) == len("Authorization") && bytes.EqualFold(name, []byte("Authorization")):
		into = &r.Authorization
	case len(name) == len("x-api-key") && bytes.EqualFold(name, []byte("x-api-key")):
		into = &r.APIKey
	default:
		return s.skip()
	}
	return s.strings(func(value []byte) { *into = append(*into, value) })
}

// scanner is a place in a JSON text.
type scanner struct {
	text []byte
	pos  int
}

func (s *scanner) space() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\n' || s.text[s.pos] == '\t' || s.text[s.pos] == '\r') {
		s.pos++
	}
}

// next passes c if it comes next.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.pos == len(s.text) || s.text[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// object passes an object, or null; member passes the value that comes next.
func (s *scanner) object(member func(name []byte) error) error {
	if s.space(); bytes.HasPrefix(s.text[s.pos:], []byte("null")) {
		s.pos += len("null")
		return nil
	}
	return s.list('{', '}', func() error {
		name, ok := s.string()
		if !ok || !s.next(':') {
			return errEvent
		}
		return member(name)
	})
}

// list passes what stands between two brackets, with commas between elements.
func (s *scanner) list(opening, closing byte, element func() error) error {
	if !s.next(opening) {
		return errEvent
	}
	if s.next(closing) {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.next(closing) {
			return nil
		}
		if !s.next(',') {
			return errEvent
		}
	}
}

// strings passes a list of strings.
func (s *scanner) strings(each func(value []byte)) error {
	return s.list('[', ']', func() error {
		value, ok := s.string()
		if !ok {
			return errEvent
		}
		each(value)
		return nil
	})
}

// string passes a string and returns its content, which is the scanner's.
func (s *scanner) string() ([]byte, bool) {
	s.space()
	start := s.pos
	if !s.skipString() {
		return nil, false
	}
	raw := s.text[start:s.pos]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var content string
	err := json.Unmarshal(raw, &content)
	return []byte(content), err == nil
}

// skipString passes a string. A quote ends it unless an odd number of backslashes
// stands before.
func (s *scanner) skipString() bool {
	if s.pos == len(s.text) || s.text[s.pos] != '"' {
		return false
	}
	for i := s.pos + 1; ; i++ {
		quote := bytes.IndexByte(s.text[i:], '"')
		if quote < 0 {
			return false
		}
		if i += quote; s.text[i-1] == '\\' && s.backslashes(i)%2 == 1 {
			continue
		}
		s.pos = i + 1
		return true
	}
}

// backslashes counts those before a place. The opening quote stands before them.
func (s *scanner) backslashes(at int) int {
	n := 0
	for s.text[at-1-n] == '\\' {
		n++
	}
	return n
}

// skip passes any value, without looking into it.
func (s *scanner) skip() error {
	s.space()
	text, start, depth := s.text, s.pos, 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '"':
			if s.pos = i; !s.skipString() {
				return errEvent
			}
			if i = s.pos - 1; depth == 0 {
				return nil
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.pos = i + 1
				return nil
			}
			if depth < 0 {
				return s.end(start, i)
			}
		case ',':
			if depth == 0 {
				return s.end(start, i)
			}
		}
	}
	return errEvent
}

// end ends a number, a boolean or null, which cannot be empty.
func (s *scanner) end(start, end int) error {
	if s.pos = end; start == end {
		return errEvent
	}
	return nil
}
