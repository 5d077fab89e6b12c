package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// parser reads a template from its front.
type parser struct {
	rest      string
	depth     int
	overrides bool // of the response may be set
}

// maxNesting bounds how deep blocks and parentheses stand in each other.
const maxNesting = 50

// deeper notes one more level; the caller takes it off again.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxNesting {
		return fmt.Errorf("nested more than %d deep", maxNesting)
	}
	return nil
}

// kinds are the variables that are set, and what each holds.
type kinds map[string]kind

// block reads steps up to the directive that ends the block, which it leaves,
// or up to the template's end. Variables that are set within stay within.
func (p *parser) block(known kinds, nested bool) ([]step, error) {
	known = maps.Clone(known)
	if known == nil {
		known = kinds{}
	}
	var steps []step
	for {
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		if text != "" {
			steps = append(steps, write(func(*runner) string { return text }))
		}
		switch {
		case p.rest == "" && nested:
			return nil, errors.New("an #if without its #end")
		case p.rest == "":
			return steps, nil
		case nested && blockEnd.MatchString(p.rest):
			return steps, nil
		}
		one, err := p.directive(known)
		if err != nil {
			return nil, err
		}
		steps = append(steps, one)
	}
}

// text reads up to the next $ or #.
func (p *parser) text() (string, error) {
	at := strings.IndexAny(p.rest, "#$")
	if at < 0 {
		at = len(p.rest)
	}
	text := p.rest[:at]
	p.rest = p.rest[at:]
	if p.rest != "" && strings.HasSuffix(text, `\`) {
		return "", errors.New("an escaped directive is not understood")
	}
	// Velocity takes a directive's indentation with it [?].
	if line := strings.TrimRight(text, " \t"); strings.HasPrefix(p.rest, "#") && (line == "" || strings.HasSuffix(line, "\n")) {
		text = line
	}
	return text, nil
}

// directive reads a #set, an #if with all that belongs to it, or a reference.
func (p *parser) directive(known kinds) (step, error) {
	switch {
	case p.take(setDirective) != "":
		one, err := p.assignment(known)
		if err == nil {
			err = p.expect(")")
		}
		p.endLine()
		return one, err
	case p.take(ifDirective) != "":
		return p.choice(known)
	case strings.HasPrefix(p.rest, "$"):
		value, err := p.reference(known)
		return write(value), err
	default:
		return nil, p.unknown()
	}
}

// choice reads an #if behind its opening parenthesis.
func (p *parser) choice(known kinds) (step, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var branches []branch
	for otherwise := false; ; {
		holds := func(*runner) bool { return true }
		if !otherwise {
			var err error
			if holds, err = p.test(known); err == nil {
				err = p.expect(")")
			}
			if err != nil {
				return nil, err
			}
		}
		p.endLine()
		steps, err := p.block(known, true)
		if err != nil {
			return nil, err
		}
		branches = append(branches, branch{holds, steps})
		switch {
		case p.skip("#end"):
			p.endLine()
			return choice(branches), nil
		case otherwise:
			return nil, errors.New("an #if goes on behind its #else")
		case p.take(elseIfDirective) == "" && p.skip("#else"):
			otherwise = true
		}
	}
}

var (
	setDirective    = regexp.MustCompile(`^(#set[ \t]*\()`)
	ifDirective     = regexp.MustCompile(`^(#if[ \t]*\()`)
	elseIfDirective = regexp.MustCompile(`^(#elseif[ \t]*\()`)
	blockEnd        = regexp.MustCompile(`^(?:#elseif[ \t]*\(|(?:#else|#end)(?:[^a-zA-Z0-9_{]|$))`)
	variableName    = regexp.MustCompile(`^\$([a-zA-Z][a-zA-Z0-9_]*)`)
	overriddenName  = regexp.MustCompile(`^\$context\.responseOverride\.header\.([a-zA-Z][a-zA-Z0-9_-]*)`)
)

// reserved are the objects of API Gateway, which no variable may hide.
var reserved = []string{"context", "input", "stageVariables", "util", "method"}

// assignment reads a #set behind its opening parenthesis.
func (p *parser) assignment(known kinds) (step, error) {
	p.spaces()
	if p.overrides {
		if header := p.take(overriddenName); header != "" {
			if framing[strings.ToLower(header)] {
				return nil, fmt.Errorf("the header %s would break the response", header)
			}
			value, err := p.assigned(known)
			return setHeader(http.CanonicalHeaderKey(header), value.get), err
		}
		if p.skip("$context.responseOverride.status") {
			value, err := p.assigned(known)
			return setStatus(value.get), err
		}
	}
	name := p.take(variableName)
	if name == "" || slices.Contains(reserved, name) {
		return nil, errors.New("a #set of something other than a variable or what of a response can be overridden")
	}
	value, err := p.assigned(known)
	if err != nil {
		return nil, err
	}
	if before, again := known[name]; again && before != value.kind {
		return nil, fmt.Errorf("the variable %s holds a number and a text", name)
	}
	known[name] = value.kind
	return set(name, value.get), nil
}

func (p *parser) assigned(known kinds) (operand, error) {
	if err := p.expect("="); err != nil {
		return operand{}, err
	}
	return p.operand(known)
}

// take reads what expression matches at the front, and returns its group.
func (p *parser) take(expression *regexp.Regexp) string {
	found := expression.FindStringSubmatch(p.rest)
	if found == nil {
		return ""
	}
	p.rest = p.rest[len(found[0]):]
	return found[1]
}

func (p *parser) skip(text string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, text)
	return ok
}

func (p *parser) spaces() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *parser) expect(text string) error {
	if p.spaces(); !p.skip(text) {
		return p.unknown()
	}
	return nil
}

// endLine takes the rest of a line that holds nothing after a directive, as
// Velocity does [?].
func (p *parser) endLine() {
	rest := strings.TrimLeft(p.rest, " \t")
	rest = strings.TrimPrefix(rest, "\r")
	if rest, ok := strings.CutPrefix(rest, "\n"); ok {
		p.rest = rest
	}
}

// unknown quotes the start of what is not understood.
func (p *parser) unknown() error {
	if p.rest == "" {
		return errors.New("ends too early")
	}
	return fmt.Errorf("%.40q is not understood", p.rest)
}
