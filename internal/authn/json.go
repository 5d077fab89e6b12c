package authn

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// This file reads JSON (RFC 8259) more strictly than encoding/json, which takes
// a name twice, in any case, and broken UTF-8: two readers of one token must
// never see two different claims.

const (
	maxDepth = 16 // objects and arrays inside each other

	// maxMembers bounds the members of all objects of one text. An ID token with
	// every attribute that Cognito allows has about 100.
	maxMembers = 128

	// maxSeconds is the last second of the year 9999.
	maxSeconds = 253402300799
)

// value is one JSON value. Its zero value stands for an absent one.
type value struct {
	kind byte   // '"', '{', '[', 't', 'f', 'n', '0' for any number; see also miscased
	text string // a string's content with escapes resolved; else JSON as written
}

// miscased is the kind of a member whose name is not in lower case, as those
// are that we read. "EXP" is no exp for us but may be one for another reader,
// so it counts as an exp of the wrong type.
const miscased = '?'

type member struct {
	name string // in lower case
	value
}

// object is a JSON object whose members can be read with their expected type.
type object struct {
	members   []member
	wrongType bool // a member was read that had another type
}

func (o *object) get(name string) value {
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].value
		}
	}
	return value{}
}

// str returns the string called name, "" for none.
func (o *object) str(name string) string {
	v := o.get(name)
	if v != (value{}) && v.kind != '"' {
		o.wrongType = true
		return ""
	}
	return v.text
}

// strings returns the list of strings called name, nil for none.
func (o *object) strings(name string) []string {
	v := o.get(name)
	if v == (value{}) {
		return nil
	}
	elements, ok := parseArray(v)
	list := make([]string, len(elements))
	for i, element := range elements {
		list[i] = element.text
		ok = ok && element.kind == '"'
	}
	o.wrongType = o.wrongType || !ok
	return list
}

// seconds returns the NumericDate called name (RFC 7519 section 2), the zero
// time for none. It must be a plain positive whole number, as Cognito writes it.
func (o *object) seconds(name string) time.Time {
	v := o.get(name)
	if v == (value{}) {
		return time.Time{}
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if v.kind != '0' || err != nil || n <= 0 || n > maxSeconds {
		o.wrongType = true
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// parseObject reads the one object that text holds into buffer or, where that
// is too small, beyond. It refuses invalid UTF-8, a byte order mark, lone
// surrogates, names that differ in nothing or in case only, numbers beyond a
// float64, too much depth or breadth, and trailing data.
func parseObject(text string, buffer []member) (object, bool) {
	p := parser{text: text}
	if !utf8.ValidString(text) || !p.next('{') {
		return object{}, false
	}
	members, ok := p.object(buffer, 1)
	p.space()
	return object{members: members}, ok && p.pos == len(text)
}

// parseArray returns the elements of an array that parseObject has let pass.
func parseArray(v value) ([]value, bool) {
	if v.kind != '[' {
		return nil, false
	}
	p := parser{text: v.text, pos: 1}
	var elements []value
	ok := p.list(']', 1, func() bool {
		element, ok := p.value(1)
		elements = append(elements, element)
		return ok
	})
	return elements, ok
}

type parser struct {
	text    string
	pos     int
	members int  // read so far, of all objects
	lower   bool // the string that was read last is in lower case
}

func (p *parser) space() {
	for p.pos < len(p.text) && p.text[p.pos] <= ' ' && p.skip(" \t\n\r") {
	}
}

// next skips white space, and c if it comes then.
func (p *parser) next(c byte) bool {
	p.space()
	if p.pos == len(p.text) || p.text[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

// skip skips the next byte if it is one of set.
func (p *parser) skip(set string) bool {
	if p.pos == len(p.text) {
		return false
	}
	for i := range len(set) {
		if set[i] == p.text[p.pos] {
			p.pos++
			return true
		}
	}
	return false
}

// object reads what follows the opening brace.
func (p *parser) object(members []member, depth int) ([]member, bool) {
	var names *nameSet // of an object with many members
	ok := p.list('}', depth, func() bool {
		if p.members++; p.members > maxMembers || !p.next('"') {
			return false
		}
		written, ok := p.str()
		name := written
		if !p.lower {
			name = lower(written)
		}
		if len(members) < fewMembers {
			for i := range members {
				ok = ok && members[i].name != name
			}
		} else {
			if names == nil {
				names = newNameSet(members)
				members = slices.Grow(members, maxMembers-len(members)) // once
			}
			ok = ok && names.add(members, name)
		}
		if !ok || !p.next(':') {
			return false
		}
		v, ok := p.value(depth)
		if name != written {
			v.kind = miscased
		}
		members = append(members, member{name, v})
		return ok
	})
	return members, ok
}

// fewMembers are compared with each other faster than looked up.
const fewMembers = 24

// nameSet finds a name among those of an object's members: hashed with a seed of
// its own, so that nobody can choose names that share their place.
type nameSet struct {
	seed  maphash.Seed
	slots [4 * maxMembers]uint16 // place among the members, from 1 on; 0 for none
}

func newNameSet(members []member) *nameSet {
	s := &nameSet{seed: maphash.MakeSeed()}
	for i := range members {
		s.add(members[:i], members[i].name)
	}
	return s
}

// add reports whether a name, which is to be the next member's, is new.
func (s *nameSet) add(members []member, name string) bool {
	at := maphash.String(s.seed, name) % uint64(len(s.slots))
	for s.slots[at] != 0 {
		if members[s.slots[at]-1].name == name {
			return false
		}
		at = (at + 1) % uint64(len(s.slots))
	}
	s.slots[at] = uint16(len(members) + 1) //nolint:gosec // at most maxMembers
	return true
}

// list reads elements with commas between them, and the closing byte.
func (p *parser) list(closing byte, depth int, element func() bool) bool {
	if depth > maxDepth {
		return false
	}
	if p.next(closing) {
		return true
	}
	for element() {
		if p.next(closing) {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
	return false
}

func (p *parser) value(depth int) (v value, ok bool) {
	if p.next('"') {
		v.text, ok = p.str()
		v.kind = '"'
		return v, ok
	}
	start := p.pos
	switch {
	case p.skip("{"):
		_, ok = p.object(nil, depth+1)
	case p.skip("["):
		ok = p.list(']', depth+1, func() bool {
			_, ok := p.value(depth + 1)
			return ok
		})
	case p.skip("t"):
		ok = p.skip("r") && p.skip("u") && p.skip("e")
	case p.skip("f"):
		ok = p.skip("a") && p.skip("l") && p.skip("s") && p.skip("e")
	case p.skip("n"):
		ok = p.skip("u") && p.skip("l") && p.skip("l")
	default:
		ok = p.number()
		return value{'0', p.text[start:p.pos]}, ok
	}
	return value{p.text[start], p.text[start:p.pos]}, ok
}

func (p *parser) number() bool {
	start := p.pos
	p.skip("-")
	if !p.skip("0") && !p.digits() {
		return false
	}
	if p.skip(".") && !p.digits() {
		return false
	}
	if p.skip("eE") {
		p.skip("+-")
		if !p.digits() {
			return false
		}
	} else if p.pos-start <= 300 { // no greater than 1e300
		return true
	}
	_, err := strconv.ParseFloat(p.text[start:p.pos], 64)
	return err == nil
}

func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}

// Classes of a byte of a string.
const (
	ends    = 1 << iota // a quote, a backslash, or one that a string may not hold
	changes             // a letter or a part of one that lower may change
)

var classes = func() (table [256]byte) {
	for c := range table {
		switch {
		case c < ' ' || c == '"' || c == '\\':
			table[c] = ends
		case c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf:
			table[c] = changes
		}
	}
	return table
}()

// str reads what follows the opening quote and returns the string's content. It
// sets p.lower where lower would not change that.
func (p *parser) str() (string, bool) {
	text, start := p.text, p.pos
	var before []byte // what stands before start, once there was an escape
	var seen byte
	for i := start; i < len(text); i++ {
		class := classes[text[i]]
		seen |= class
		if class != ends {
			continue
		}
		switch text[i] {
		case '"':
			p.pos, p.lower = i+1, seen&changes == 0 && before == nil
			if before == nil {
				return text[start:i], true
			}
			return string(append(before, text[start:i]...)), true
		case '\\':
			before = append(before, text[start:i]...)
			p.pos = i + 1
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			before = utf8.AppendRune(before, r)
			start, i = p.pos, p.pos-1
		default:
			return "", false
		}
	}
	return "", false
}

// escape reads what follows a backslash.
func (p *parser) escape() (rune, bool) {
	for i, c := range []byte(`"\/bfnrt`) {
		if p.pos < len(p.text) && p.text[p.pos] == c {
			p.pos++
			return rune("\"\\/\b\f\n\r\t"[i]), true
		}
	}
	r, ok := p.unit()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !p.skip(`\`) {
		return 0, false
	}
	low, ok := p.unit()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

// unit reads the u and four hexadecimal digits of an escaped UTF-16 code unit.
func (p *parser) unit() (rune, bool) {
	if !p.skip("u") || len(p.text)-p.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[p.pos:p.pos+4], 16, 16)
	p.pos += 4
	return rune(n), err == nil
}

// lower maps names that differ in case only to one, by Unicode's rules, because
// a reader may take "ſub" (U+017F) for "sub", as encoding/json does.
func lower(name string) string {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return strings.ToLower(strings.ToUpper(name))
		}
	}
	return name
}
