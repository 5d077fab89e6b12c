package gateway

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// kind says what a value is. Velocity's rules for comparing a number with a
// text are not followed here, so the two are never compared.
type kind int

const (
	textKind kind = iota
	numberKind
)

// operand is a value that a request gives.
type operand struct {
	kind kind
	get  func(*runner) string
}

// expression is a value, or a test.
type expression struct {
	operand
	holds func(*runner) bool // nil for a value
}

// test reads tests joined by ||, of which && binds more tightly.
func (p *parser) test(known kinds) (func(*runner) bool, error) {
	return p.joined("||", func() (func(*runner) bool, error) {
		return p.joined("&&", func() (func(*runner) bool, error) { return p.comparison(known) })
	})
}

// joined reads one test or several with an operator between them.
func (p *parser) joined(operator string, read func() (func(*runner) bool, error)) (func(*runner) bool, error) {
	var tests []func(*runner) bool
	for {
		one, err := read()
		if err != nil {
			return nil, err
		}
		tests = append(tests, one)
		if p.spaces(); !p.skip(operator) {
			break
		}
	}
	decisive := operator == "||" // what one test has to be to decide
	return func(r *runner) bool {
		for _, holds := range tests {
			if holds(r) == decisive {
				return decisive
			}
		}
		return !decisive
	}, nil
}

// comparison reads a test, or two values with == or != between them.
func (p *parser) comparison(known kinds) (func(*runner) bool, error) {
	left, err := p.unary(known)
	if err != nil || left.holds != nil {
		return left.holds, err
	}
	p.spaces()
	same := p.skip("==")
	if !same && !p.skip("!=") {
		return nil, p.unknown()
	}
	right, err := p.unary(known)
	switch {
	case err != nil:
		return nil, err
	case right.holds != nil:
		return nil, errors.New("a test is compared with a value")
	case left.kind != right.kind:
		return nil, errors.New("a number is compared with a text")
	}
	return func(r *runner) bool { return (left.get(r) == right.get(r)) == same }, nil
}

// unary reads a value, a test in parentheses, or what ! turns round.
func (p *parser) unary(known kinds) (expression, error) {
	if err := p.deeper(); err != nil {
		return expression{}, err
	}
	defer func() { p.depth-- }()
	p.spaces()
	switch {
	case p.skip("!"):
		one, err := p.unary(known)
		if err == nil && one.holds == nil {
			err = errors.New("! stands before a value")
		}
		return expression{holds: func(r *runner) bool { return !one.holds(r) }}, err
	case p.skip("("):
		holds, err := p.test(known)
		if err == nil {
			err = p.expect(")")
		}
		return expression{holds: holds}, err
	}
	value, err := p.operand(known)
	if err != nil || value.kind != textKind {
		return expression{operand: value}, err
	}
	holds, err := p.method(known, value)
	return expression{value, holds}, err
}

// method reads what a text is asked, nil where it is nothing.
func (p *parser) method(known kinds, text operand) (func(*runner) bool, error) {
	if p.skip(".equals(") {
		other, err := p.operand(known)
		if err == nil {
			err = p.expect(")")
		}
		// A text equals no number.
		return func(r *runner) bool { return other.kind == textKind && text.get(r) == other.get(r) }, err
	}
	source := p.take(sharedExpression)
	if source == "" {
		return nil, nil
	}
	matches, err := regexp.Compile(`\A(?:` + source + `)\z`) // String.matches takes the whole text
	if err != nil || strings.Contains(source, "(?") {
		return nil, fmt.Errorf("the expression %q is not understood", source)
	}
	return func(r *runner) bool {
		value := text.get(r)
		return isASCII(value) && matches.MatchString(value) // Java's dot and Go's differ on line ends beyond ASCII
	}, nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

var (
	// Escapes and interpolation leave no text as it stands.
	plainText = regexp.MustCompile(`^(?:"([^"$#\\]*)"|'([^'$#\\]*)')`)
	number    = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})`)
	// Expressions that Java and Go read alike: no classes within classes, no
	// repetition of repetitions, no groups that look around.
	sharedExpression = regexp.MustCompile(`^\.matches\(["']((?:[a-zA-Z0-9_:/.,@%~!=;^*+?()|-]|\\[.dw/-]|\[\^?[a-zA-Z0-9_.-]+\])+)["']\)`)

	parameterOf      = regexp.MustCompile(`^\$input\.params\(\)\.(header|path|querystring)\.get\(["']([a-zA-Z][a-zA-Z0-9_-]*)["']\)`)
	parameter        = regexp.MustCompile(`^\$input\.params\(["']([a-zA-Z][a-zA-Z0-9_-]*)["']\)`)
	contextReference = regexp.MustCompile(`^\$context\.([a-zA-Z]+(?:\.[a-zA-Z]+)*)`)
)

// operand reads a value.
func (p *parser) operand(known kinds) (operand, error) {
	p.spaces()
	if found := plainText.FindStringSubmatch(p.rest); found != nil {
		p.rest = p.rest[len(found[0]):]
		text := found[1] + found[2] // one of them is empty
		return operand{textKind, func(*runner) string { return text }}, nil
	}
	if digits := p.take(number); digits != "" {
		return operand{numberKind, func(*runner) string { return digits }}, nil
	}
	if found := parameterOf.FindStringSubmatch(p.rest); found != nil {
		p.rest = p.rest[len(found[0]):]
		return parameters("method.request." + found[1] + "." + found[2]), nil
	}
	if name := p.take(parameter); name != "" {
		return parameters(pathVariable+name, queryVariable+name, headerVariable+name), nil // in this order [doc]
	}
	if found := contextReference.FindStringSubmatch(p.rest); found != nil {
		return p.context(found[1])
	}
	if found := variableName.FindStringSubmatch(p.rest); found != nil {
		if kind, set := known[found[1]]; set {
			p.rest = p.rest[len(found[0]):]
			return operand{kind, func(r *runner) string { return r.variables[found[1]] }}, nil
		}
	}
	return operand{}, p.unknown()
}

// parameters is the first of several request parameters that is there. An
// absent one is an empty text, as the templates that the CDK writes take it; a
// header's name is found in any case, because how the client wrote it is not
// known here [?].
func parameters(names ...string) operand {
	return operand{textKind, func(r *runner) string {
		for _, name := range names {
			if value, ok := r.call.variable(name, failure{}); ok {
				return value
			}
		}
		return ""
	}}
}

// context reads a $context variable, behind which a method may stand.
func (p *parser) context(name string) (operand, error) {
	for ; name != ""; name = name[:max(strings.LastIndex(name, "."), 0)] {
		if get := contextVariables[name]; get != nil && !strings.HasPrefix(name, "error.") {
			p.rest = p.rest[len("$context.")+len(name):]
			return operand{textKind, func(r *runner) string { return get(r.call, failure{}) }}, nil
		}
	}
	return operand{}, p.unknown()
}

var (
	// braced is a variable whose end the braces say.
	braced = regexp.MustCompile(`^\$!?\{([a-zA-Z][a-zA-Z0-9_]*)\}`)
	// continued is what would make a reference another one.
	continued = regexp.MustCompile(`^(?:[-_a-zA-Z0-9([]|\.[a-zA-Z])`)
)

// reference reads a value that stands within a text.
func (p *parser) reference(known kinds) (func(*runner) string, error) {
	if found := braced.FindStringSubmatch(p.rest); found != nil {
		if _, set := known[found[1]]; !set {
			return nil, p.unknown()
		}
		p.rest = p.rest[len(found[0]):]
		return func(r *runner) string { return r.variables[found[1]] }, nil
	}
	if rest, quiet := strings.CutPrefix(p.rest, "$!"); quiet {
		p.rest = "$" + rest
	}
	value, err := p.operand(known)
	if err == nil && continued.MatchString(p.rest) {
		err = p.unknown()
	}
	return value.get, err
}
