package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/gatewright/gatewright/internal/authn"
)

// This file reads the few members of an event that count ("Input to a Lambda
// authorizer", type REQUEST) and skips over the rest: to decode all of it takes
// longer than to verify a signature. API Gateway writes events, so this is no
// validator of JSON; yet a text that it cannot follow is an error, and never a
// request with less in it.

var errEvent = errors.New("the event is none of a REQUEST authorizer")

// readEvent returns what of an event a decision rests on. keyPrefix is what keys
// begin with; empty where none are taken.
func readEvent(payload []byte, keyPrefix string) (authn.Request, error) {
	s := scanner{text: payload}
	var r authn.Request
	var kind string
	once := func(into *string) error {
		text, ok := s.string()
		if !ok || *into != "" {
			return errEvent
		}
		*into = string(text)
		return nil
	}
	err := s.object(func(name []byte) error {
		switch string(name) {
		case "type":
			return once(&kind)
		case "methodArn":
			return once(&r.MethodARN)
		case "resource":
			return once(&r.Resource)
		case "httpMethod":
			return once(&r.Method)
		case "multiValueHeaders":
			return s.object(func(header []byte) error { return s.header(header, &r) })
		case "multiValueQueryStringParameters":
			return s.object(func(parameter []byte) error {
				// RFC 6750 section 2.3; a URL shows in logs and histories.
				r.CredentialInQuery = r.CredentialInQuery || bytes.EqualFold(parameter, []byte("access_token"))
				return s.strings(func(value []byte) {
					rest, ok := bytes.CutPrefix(value, []byte(keyPrefix))
					r.CredentialInQuery = r.CredentialInQuery || ok && keyPrefix != "" && bytes.HasPrefix(rest, []byte("_"))
				})
			})
		default:
			return s.skip()
		}
	})
	s.space()
	if err != nil || s.pos != len(s.text) || kind != "REQUEST" || r.MethodARN == "" || r.Resource == "" || r.Method == "" {
		return authn.Request{}, errEvent
	}
	return r, nil
}

// header collects the values of all headers that hold credentials, however spelt.
func (s *scanner) header(name []byte, r *authn.Request) error {
	var into *[]string
	switch {
	case bytes.EqualFold(name, []byte("Authorization")):
		into = &r.Authorization
	case bytes.EqualFold(name, []byte("x-api-key")):
		into = &r.APIKey
	default:
		return s.skip()
	}
	return s.strings(func(value []byte) { *into = append(*into, string(value)) })
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

func (s *scanner) skipString() bool {
	if s.pos == len(s.text) || s.text[s.pos] != '"' {
		return false
	}
	for i := s.pos + 1; ; i++ {
		quote := bytes.IndexByte(s.text[i:], '"')
		if quote < 0 {
			return false
		}
		backslash := bytes.IndexByte(s.text[i:i+quote], '\\')
		if backslash < 0 {
			s.pos = i + quote + 1
			return true
		}
		i += backslash + 1 // over what it escapes
		if i == len(s.text) {
			return false
		}
	}
}

// skip passes any value, without looking into it.
func (s *scanner) skip() error {
	s.space()
	start, depth := s.pos, 0
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '"':
			if !s.skipString() {
				return errEvent
			}
			if depth == 0 {
				return nil
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.pos++
				return nil
			}
			fallthrough
		case ',':
			if depth <= 0 { // the end of a number, a boolean or null
				if s.pos == start {
					return errEvent
				}
				return nil
			}
		}
		s.pos++
	}
	return errEvent
}
