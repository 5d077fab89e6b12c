package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// anyMethod is the method of a route for those of methods that have no route of
// their own at its path.
const anyMethod = "ANY"

// methods are all that a REST API knows ("Set up a method request" [doc]).
var methods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// node is a part of the path tree. At each part a fixed text comes before a
// variable, and a variable before a greedy one [doc]. A path that has no route
// for the method is no match: the search goes on with the next candidate [rec].
type node struct {
	fixed    map[string]*node
	variable *node
	greedy   *node
	methods  map[string]*route
}

// add puts r into the tree. It fails if the path is malformed, or if the route
// is there already.
func (n *node) add(r *route) error {
	if !strings.HasPrefix(r.Path, "/") {
		return errors.New("the path does not start with a slash")
	}
	if r.Method != anyMethod && !slices.Contains(methods, r.Method) {
		return errors.New("unknown method")
	}
	parts, ok := split(r.Path)
	if !ok {
		return errors.New("the path has an empty or a dot part")
	}
	for i, part := range parts {
		name, variable := strings.CutPrefix(part, "{")
		if variable {
			name, variable = strings.CutSuffix(name, "}")
		}
		greedy := variable && strings.HasSuffix(name, "+")
		name = strings.TrimSuffix(name, "+")
		switch {
		case !variable && strings.ContainsAny(part, "{}"):
			return fmt.Errorf("malformed path part %q", part)
		case !variable:
			n = child(n.fixedMap(), part)
			continue
		case name == "" || strings.ContainsAny(name, "{}+") || slices.Contains(r.variables, name):
			return fmt.Errorf("malformed path part %q", part)
		case greedy && i != len(parts)-1:
			return fmt.Errorf("the greedy variable %s is not the last part", part)
		}
		r.variables = append(r.variables, name)
		next := &n.variable
		if greedy {
			next = &n.greedy
		}
		if *next == nil {
			*next = &node{}
		}
		n = *next
	}
	if n.methods == nil {
		n.methods = map[string]*route{}
	}
	if n.methods[r.Method] != nil {
		return errors.New("a second route of this method and path")
	}
	n.methods[r.Method] = r
	return nil
}

func (n *node) fixedMap() map[string]*node {
	if n.fixed == nil {
		n.fixed = map[string]*node{}
	}
	return n.fixed
}

func child(children map[string]*node, part string) *node {
	if children[part] == nil {
		children[part] = &node{}
	}
	return children[part]
}

// find returns the route for a method and an escaped path, and its path
// parameters as the client sent them: nothing is decoded [rec].
//
// Paths are compared byte for byte, so an escaped letter or slash is never
// taken for the plain one. One slash at the end is ignored [rec]; an empty part
// elsewhere matches nothing [meas], and neither does a path with a dot part,
// escaped or not, which a backend might resolve into another route's path
// (stricter than AWS [?]).
func (n *node) find(method, path string) (*route, map[string]string) {
	parts, ok := split(path)
	if !ok || !slices.Contains(methods, method) {
		return nil, nil
	}
	values := make([]string, 0, 8)
	r, values := n.descend(method, parts, values)
	if r == nil || len(values) == 0 {
		return r, nil
	}
	parameters := make(map[string]string, len(values))
	for i, name := range r.variables {
		parameters[name] = values[i]
	}
	return r, parameters
}

// descend visits each node of the tree at most once, so its work is bounded by
// the number of routes, whatever the path.
func (n *node) descend(method string, parts, values []string) (*route, []string) {
	if len(parts) == 0 {
		return n.method(method), values
	}
	if next := n.fixed[parts[0]]; next != nil {
		if r, found := next.descend(method, parts[1:], values); r != nil {
			return r, found
		}
	}
	if n.variable != nil {
		if r, found := n.variable.descend(method, parts[1:], append(values, parts[0])); r != nil {
			return r, found
		}
	}
	if n.greedy != nil {
		return n.greedy.method(method), append(values, strings.Join(parts, "/"))
	}
	return nil, nil
}

func (n *node) method(name string) *route {
	if r := n.methods[name]; r != nil {
		return r
	}
	return n.methods[anyMethod]
}

// split returns the parts of a path, and whether a route may match it at all.
func split(path string) ([]string, bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, false
	}
	parts := strings.Split(rest, "/")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	for _, part := range parts {
		if part == "" || hidesDots(part) {
			return nil, false
		}
	}
	return parts, true
}

// hidesDots reports whether a path part is, or turns on decoding into, one that
// has a dot segment.
func hidesDots(part string) bool {
	if !strings.ContainsAny(part, ".%") {
		return false
	}
	decoded, err := url.PathUnescape(part)
	if err != nil {
		return true
	}
	for _, segment := range strings.FieldsFunc(decoded, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
