package main

import (
	"net/http"
	"slices"
	"strings"
)

// maxTags bounds a list of entity tags.
const maxTags = 50

// tags are the value of If-Match or If-None-Match (RFC 9110 section 13.1).
type tags struct {
	given  bool
	any    bool     // "*"
	strong []string // opaque parts, in order
	weak   []string
}

// matchStrong is If-Match's comparison: a weak tag never matches (RFC 9110
// section 8.8.3.2).
func (t tags) matchStrong(revision string) bool {
	return t.any || slices.Contains(t.strong, revision)
}

// matchWeak is If-None-Match's comparison.
func (t tags) matchWeak(revision string) bool {
	return t.matchStrong(revision) || slices.Contains(t.weak, revision)
}

// readTags reads a precondition. One that cannot be read must not be ignored:
// its sender would overwrite what it wanted to keep.
func readTags(r request, header string) (tags, error) {
	values := headerValues(r, header)
	if len(values) == 0 {
		return tags{}, nil
	}
	t, ok := parseTags(strings.Join(values, ","))
	if !ok {
		return tags{}, newProblem(http.StatusBadRequest, header+` is neither * nor a list of up to 50 entity tags such as "x"`)
	}
	return t, nil
}

// readWriteTags reads the precondition of a change.
func readWriteTags(r request) (tags, error) {
	if len(headerValues(r, "If-None-Match")) > 0 {
		return tags{}, newProblem(http.StatusBadRequest, "If-None-Match is for GET; a change takes If-Match")
	}
	return readTags(r, "If-Match")
}

func parseTags(list string) (tags, bool) {
	const space = " \t"
	t := tags{given: true}
	if strings.Trim(list, space) == "*" {
		t.any = true
		return t, true
	}
	for list = strings.Trim(list, space+","); list != ""; {
		weak := strings.HasPrefix(list, "W/")
		list = strings.TrimPrefix(list, "W/")
		opaque, rest, closed := strings.Cut(strings.TrimPrefix(list, `"`), `"`)
		if !strings.HasPrefix(list, `"`) || !closed || strings.ContainsFunc(opaque, isNoTagCharacter) {
			return tags{}, false
		}
		if weak {
			t.weak = append(t.weak, opaque)
		} else {
			t.strong = append(t.strong, opaque)
		}
		rest = strings.TrimLeft(rest, space)
		if rest != "" && rest[0] != ',' {
			return tags{}, false
		}
		list = strings.TrimLeft(rest, space+",") // empty members are allowed (RFC 9110 section 5.6.1)
	}
	n := len(t.strong) + len(t.weak)
	return t, n > 0 && n <= maxTags
}

// isNoTagCharacter is the complement of etagc (RFC 9110 section 8.8.3).
func isNoTagCharacter(r rune) bool { return r < 0x21 || r == 0x7f }
