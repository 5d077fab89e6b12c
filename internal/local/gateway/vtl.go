package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// script is a mapping template: the part of the Velocity Template Language that
// preflights for several origins need, and nothing else ("Mapping template
// transformations for REST APIs in API Gateway" [doc]).
//
//	#set($name = VALUE)
//	#set($context.responseOverride.header.Name = VALUE)
//	#if(TEST || TEST …) … #end
//
// VALUE is "text", $name or $input.params().header.get("Name"). TEST is
// VALUE == VALUE or VALUE.matches("expression"). Every other byte but $ and #
// is text. What else a template holds is an error, so a variable always has a
// value: it is set, whatever the request, before it is used.
type script []statement

// statement is a text, an assignment or a block.
type statement struct {
	text     string
	variable string // of an assignment
	header   string // of an override
	value    *operand
	tests    []test // of a block; any one admits to it
	block    script
}

// operand is a text, a variable or a request header, whichever is set.
type operand struct {
	text, variable, header string
}

// test compares two operands, or one with an expression.
type test struct {
	left, right *operand
	matches     *regexp.Regexp
}

// overrides are the response headers that a script sets.
type overrides map[string]string

// run returns the text of the script and the headers that it sets.
func (s script) run(c *call) (string, overrides, error) {
	r := runner{call: c, variables: map[string]string{}, headers: overrides{}}
	err := r.run(s)
	return r.out.String(), r.headers, err
}

type runner struct {
	call      *call
	variables map[string]string
	headers   overrides
	out       strings.Builder
}

func (r *runner) run(s script) error {
	for _, one := range s {
		switch {
		case one.variable != "":
			r.variables[one.variable] = r.eval(one.value)
		case one.header != "":
			value := r.eval(one.value)
			if !validHeaderValue(value) {
				return errors.New("the template puts control characters into a header")
			}
			r.headers[one.header] = value
		case one.tests == nil:
			r.out.WriteString(one.text)
		case slices.ContainsFunc(one.tests, r.holds):
			if err := r.run(one.block); err != nil {
				return err
			}
		}
	}
	return nil
}

// eval returns an operand's value. An absent header is an empty text, as the
// templates that the CDK writes take it; its name is found in any case, because
// how the client wrote it is not known here [?].
func (r *runner) eval(o *operand) string {
	switch {
	case o.variable != "":
		return r.variables[o.variable]
	case o.header != "":
		value, _ := r.call.variable(headerVariable+o.header, failure{})
		return value
	default:
		return o.text
	}
}

func (r *runner) holds(t test) bool {
	left := r.eval(t.left)
	if t.matches == nil {
		return left == r.eval(t.right)
	}
	// Java's dot and Go's differ on line ends beyond ASCII.
	return isASCII(left) && t.matches.MatchString(left)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// parseScript reads a template, or says what of it is not understood.
func parseScript(template string) (script, error) {
	p := &parser{rest: template}
	s, err := p.block(nil, false)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return s, nil
}

// parser reads a template from its front.
type parser struct{ rest string }

// block reads statements up to #end, or up to the template's end. known are the
// variables that are set; those set within stay within.
func (p *parser) block(known []string, nested bool) (script, error) {
	known = slices.Clone(known)
	var s script
	for {
		at := strings.IndexAny(p.rest, "#$")
		if at < 0 {
			at = len(p.rest)
		}
		text := p.rest[:at]
		p.rest = p.rest[at:]
		if p.rest != "" && strings.HasSuffix(text, `\`) {
			return nil, errors.New("an escaped directive is not understood")
		}
		// Velocity takes a directive's indentation with it [?].
		if line := strings.TrimRight(text, " \t"); p.rest != "" && (line == "" || strings.HasSuffix(line, "\n")) {
			text = line
		}
		if text != "" {
			s = append(s, statement{text: text})
		}
		switch {
		case p.rest == "" && nested:
			return nil, errors.New("an #if without its #end")
		case p.rest == "":
			return s, nil
		case nested && blockEnd.MatchString(p.rest):
			p.skip("#end")
			p.endLine()
			return s, nil
		}
		one, err := p.directive(known)
		if err != nil {
			return nil, err
		}
		if one.variable != "" {
			known = append(known, one.variable)
		}
		s = append(s, one)
	}
}

// directive reads a #set or an #if with its block.
func (p *parser) directive(known []string) (statement, error) {
	switch {
	case p.skip("#set("):
		one, err := p.assignment(known)
		if err == nil {
			err = p.expect(")")
		}
		p.endLine()
		return one, err
	case p.skip("#if("):
		var one statement
		for {
			t, err := p.test(known)
			if err != nil {
				return one, err
			}
			one.tests = append(one.tests, t)
			if p.spaces(); !p.skip("||") {
				break
			}
		}
		err := p.expect(")")
		if err != nil {
			return one, err
		}
		p.endLine()
		one.block, err = p.block(known, true)
		return one, err
	default:
		return statement{}, p.unknown()
	}
}

var (
	blockEnd       = regexp.MustCompile(`^#end(?:[^a-zA-Z0-9_{]|$)`)
	variableName   = regexp.MustCompile(`^\$([a-zA-Z][a-zA-Z0-9_]*)`)
	overrideTarget = regexp.MustCompile(`^\$context\.responseOverride\.header\.([a-zA-Z][a-zA-Z0-9_-]*)`)
	headerSource   = regexp.MustCompile(`^\$input\.params\(\)\.header\.get\("([a-zA-Z][a-zA-Z0-9_-]*)"\)`)
	// Escapes and interpolation leave no text as it stands.
	plainText = regexp.MustCompile(`^"([^"$#\\]*)"`)
	// Expressions that Java and Go read alike: no classes within classes, no
	// repetition of repetitions, no groups that look around.
	sharedExpression = regexp.MustCompile(`^\.matches\("((?:[a-zA-Z0-9_:/.,@%~!=;^*+?()|-]|\\[.dw/-]|\[\^?[a-zA-Z0-9_.-]+\])+)"\)`)
)

// reserved are the objects of API Gateway, which no variable may hide.
var reserved = []string{"context", "input", "stageVariables", "util", "method"}

func (p *parser) assignment(known []string) (statement, error) {
	var one statement
	p.spaces()
	if header := p.take(overrideTarget); header != "" {
		if framing[strings.ToLower(header)] {
			return one, fmt.Errorf("the header %s would break the response", header)
		}
		one.header = http.CanonicalHeaderKey(header)
	} else if one.variable = p.take(variableName); one.variable == "" || slices.Contains(reserved, one.variable) {
		return one, errors.New("a #set of something other than a variable or $context.responseOverride.header")
	}
	if err := p.expect("="); err != nil {
		return one, err
	}
	var err error
	one.value, err = p.operand(known)
	return one, err
}

func (p *parser) test(known []string) (test, error) {
	left, err := p.operand(known)
	if err != nil {
		return test{}, err
	}
	if expression := p.take(sharedExpression); expression != "" {
		if strings.Contains(expression, "(?") {
			return test{}, fmt.Errorf("the expression %q is not understood", expression)
		}
		matches, err := regexp.Compile(`\A(?:` + expression + `)\z`) // String.matches takes the whole text
		if err != nil {
			return test{}, fmt.Errorf("the expression %q is not understood", expression)
		}
		return test{left: left, matches: matches}, nil
	}
	if err := p.expect("=="); err != nil {
		return test{}, err
	}
	right, err := p.operand(known)
	return test{left: left, right: right}, err
}

func (p *parser) operand(known []string) (*operand, error) {
	p.spaces()
	if strings.HasPrefix(p.rest, `""`) {
		p.rest = p.rest[2:]
		return &operand{}, nil
	}
	if text := p.take(plainText); text != "" {
		return &operand{text: text}, nil
	}
	if header := p.take(headerSource); header != "" {
		return &operand{header: header}, nil
	}
	if name := variableName.FindStringSubmatch(p.rest); name != nil && slices.Contains(known, name[1]) {
		p.rest = p.rest[len(name[0]):]
		return &operand{variable: name[1]}, nil
	}
	return nil, p.unknown()
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
