package iam

import (
	"slices"
	"strings"
)

// MatchARN is ArnLike: six parts between colons, each with * and ? of its own
// ("IAM JSON policy elements: Condition operators", IAM user guide). In the
// last part, which for an API holds stage, method and path, * spans slashes.
func MatchARN(pattern, arn string) bool { return matchARN(literal(pattern), arn) }

// MatchResource matches an ARN as the Resource element does: * and ? stand for
// characters between two colons, and a * that ends such a part goes on beyond
// the colon ("IAM JSON policy elements: Resource", IAM user guide).
func MatchResource(pattern, arn string) bool { return matchResource(literal(pattern), arn) == yes }

// MatchAction matches an action such as "execute-api:Invoke" in any case ("IAM
// JSON policy elements: Action", IAM user guide).
func MatchAction(pattern, action string) bool {
	return wildcard(literal(strings.ToLower(pattern)), []rune(strings.ToLower(action)))
}

// What * and ? become in a pattern, apart from the characters themselves, which
// a policy variable may hold.
const (
	anyRun  rune = -1 - iota // any characters
	partRun                  // any characters but colons
	anyOne                   // any one character
	partOne                  // any one character but a colon
)

// literal reads a pattern as it stands, without policy variables.
func literal(pattern string) []rune {
	out := []rune(pattern)
	for i, c := range out {
		switch c {
		case '*':
			out[i] = anyRun
		case '?':
			out[i] = anyOne
		}
	}
	return out
}

func matchARN(pattern []rune, arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return false
	}
	for i, part := range parts {
		own := pattern
		if i < 5 {
			end := slices.Index(pattern, ':')
			if end < 0 {
				return false
			}
			own, pattern = pattern[:end], pattern[end+1:]
		}
		if !wildcard(own, []rune(part)) {
			return false
		}
	}
	return true
}

// matchResource is maybe where the two match only if a colon of the ARN's last part,
// as a path may hold, bounds nothing: it is not said whether it does.
func matchResource(pattern []rune, arn string) truth {
	switch {
	case wildcard(boundAtColons(pattern, len(pattern)), []rune(arn)):
		return yes
	case wildcard(boundAtColons(pattern, 5), []rune(arn)):
		return maybe
	default:
		return no
	}
}

// boundAtColons keeps * and ? of a pattern's first parts from reaching beyond a
// colon, but for a * that ends a part.
func boundAtColons(pattern []rune, parts int) []rune {
	bounded := slices.Clone(pattern)
	for i, c := range bounded {
		last := i+1 == len(bounded) || bounded[i+1] == ':'
		switch {
		case parts == 0:
			return bounded
		case c == ':':
			parts--
		case c == anyRun && !last:
			bounded[i] = partRun
		case c == anyOne:
			bounded[i] = partOne
		}
	}
	return bounded
}

// wildcard goes back no further than to the last run of each kind: a run that
// may take anything needs no earlier one, and one that ends at a colon starts
// within the only part where it can.
func wildcard(pattern, s []rune) bool {
	type mark struct{ pattern, s int } // the run, and what it has taken so far
	none := mark{-1, 0}
	p, i, whole, part := 0, 0, none, none
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			whole, part = mark{p, i}, none
			p++
		case p < len(pattern) && pattern[p] == partRun:
			part = mark{p, i}
			p++
		case p < len(pattern) && (pattern[p] == s[i] || pattern[p] == anyOne || pattern[p] == partOne && s[i] != ':'):
			p++
			i++
		case part != none && s[part.s] != ':':
			part.s++
			p, i = part.pattern+1, part.s
		case whole != none:
			whole.s++
			p, i, part = whole.pattern+1, whole.s, none
		default:
			return false
		}
	}
	for p < len(pattern) && (pattern[p] == anyRun || pattern[p] == partRun) {
		p++
	}
	return p == len(pattern)
}

// overlap reports whether a pattern matches some ARN of a request's, in which *
// stands for characters without slashes and ** for any. It goes from the ends
// of both to their beginnings.
func overlap(pattern []rune, arn string) bool {
	a, b := pattern, []rune(nil)
	for _, c := range arn {
		switch {
		case c != '*':
			b = append(b, c)
		case len(b) > 0 && b[len(b)-1] == partRun:
			b[len(b)-1] = anyRun
		default:
			b = append(b, partRun)
		}
	}
	for len(a) > 0 && len(b) > 0 && a[0] >= 0 && b[0] >= 0 {
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
	row := make([]bool, len(b)+1) // whether the rest of a and b[j:] overlap
	row[len(b)] = true
	for j := len(b) - 1; j >= 0 && b[j] < 0; j-- {
		row[j] = true
	}
	for i := len(a) - 1; i >= 0; i-- {
		next := row
		row = make([]bool, len(b)+1)
		for j := len(b); j >= 0; j-- {
			switch {
			case a[i] == anyRun:
				row[j] = next[j] || j < len(b) && row[j+1]
			case j == len(b):
			case b[j] < 0:
				row[j] = row[j+1] || next[j] && (b[j] == anyRun || a[i] != '/')
			default:
				row[j] = (a[i] == b[j] || a[i] == anyOne) && next[j+1]
			}
		}
	}
	return row[0]
}

// differ reports whether a pattern and an ARN are sure to differ, because they
// do before the first wildcard or variable of either.
func differ(pattern, arn string) bool {
	for i := range min(len(pattern), len(arn)) {
		switch {
		case strings.IndexByte("*?$", pattern[i]) >= 0 || arn[i] == '*':
			return false
		case pattern[i] != arn[i]:
			return true
		}
	}
	return false
}
