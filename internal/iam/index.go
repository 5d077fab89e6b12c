package iam

import (
	"cmp"
	"slices"
	"strings"
)

// Index finds what many statements of several owners, such as roles, say of one
// resource, without a look at each of them. The zero value holds none.
type Index struct {
	owners  [][]Statement
	entries []entry

	ready     bool
	always    []entry
	bySegment map[string][]entry
	byShape   map[shape][]entry
}

// entry is one pattern of a statement.
type entry struct {
	owner, statement, resource int // resource is -1 for a whole statement
	shape
}

// shape says how many slashes stand before and behind the segment by which a
// pattern is found. A resource that it matches has as many there, or more.
type shape struct{ before, behind int }

// Add adds the statements of one more owner, who is known by a number: the first
// one's is 0.
func (x *Index) Add(statements []Statement) {
	owner := len(x.owners)
	x.owners, x.ready = append(x.owners, statements), false
	for i := range statements {
		if statements[i].Resources == nil {
			x.entries = append(x.entries, entry{owner: owner, statement: i, resource: -1})
		}
		for j := range statements[i].Resources {
			x.entries = append(x.entries, entry{owner: owner, statement: i, resource: j})
		}
	}
}

// About returns, by owner, the statements that may speak of a resource, of each
// only the Resources that may match it. To [Evaluate] and [Possible] they say of
// it what all do. In the resource, * and ** stand for what they do in Possible's.
func (x *Index) About(resource string) map[int][]Statement {
	found := x.find(resource)
	slices.SortFunc(found, func(a, b entry) int {
		return cmp.Or(a.owner-b.owner, a.statement-b.statement, a.resource-b.resource)
	})
	about := map[int][]Statement{}
	last := entry{owner: -1}
	for _, e := range found {
		s := x.owners[e.owner][e.statement]
		list := about[e.owner]
		switch {
		case e.resource < 0:
			list = append(list, s)
		case e.owner == last.owner && e.statement == last.statement:
			own := &list[len(list)-1]
			own.Resources = append(own.Resources, s.Resources[e.resource])
		default:
			s.Resources = []string{s.Resources[e.resource]}
			list = append(list, s)
		}
		about[e.owner], last = list, e
	}
	return about
}

// find returns the patterns that have a segment of the resource, and those whose
// own could be where something of the resource is open.
func (x *Index) find(resource string) []entry {
	x.sort()
	found := slices.Clone(x.always)
	if strings.Contains(resource, "**") {
		for _, all := range x.byShape {
			found = append(found, all...)
		}
		return found
	}
	segments := strings.Split(resource, "/")
	whole := map[shape]bool{}
	for at, segment := range segments {
		if !strings.Contains(segment, "*") {
			continue
		}
		for s, all := range x.byShape {
			if s.before <= at && s.behind < len(segments)-at && !whole[s] {
				whole[s] = true
				found = append(found, all...)
			}
		}
	}
	slices.Sort(segments)
	for _, segment := range slices.Compact(segments) {
		for _, e := range x.bySegment[segment] {
			if !whole[e.shape] {
				found = append(found, e)
			}
		}
	}
	return found
}

// sort files every pattern under the one of its segments without a wildcard that
// the fewest patterns have. One with a variable may speak of any resource: what
// it says where the variable is not known depends on nothing else.
func (x *Index) sort() {
	if x.ready {
		return
	}
	count := map[string]int{}
	for _, e := range x.entries {
		for _, segment := range x.segments(e) {
			count[segment]++
		}
	}
	x.ready, x.always, x.bySegment, x.byShape = true, nil, map[string][]entry{}, map[shape][]entry{}
	for _, e := range x.entries {
		segments := x.segments(e)
		best := -1
		for i, segment := range segments {
			if !strings.ContainsAny(segment, "*?") && (best < 0 || count[segment] <= count[segments[best]]) {
				best = i
			}
		}
		if best < 0 {
			x.always = append(x.always, e)
			continue
		}
		e.shape = shape{best, len(segments) - 1 - best}
		x.bySegment[segments[best]] = append(x.bySegment[segments[best]], e)
		x.byShape[e.shape] = append(x.byShape[e.shape], e)
	}
}

// segments are what stands between the slashes of a pattern without variables.
func (x *Index) segments(e entry) []string {
	if e.resource < 0 {
		return nil
	}
	pattern := x.owners[e.owner][e.statement].Resources[e.resource]
	if strings.Contains(pattern, "$") {
		return nil
	}
	return strings.Split(pattern, "/")
}
