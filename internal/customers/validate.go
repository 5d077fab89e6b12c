package customers

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatewright/gatewright/internal/authn"
)

// Bounds of a customer.
const (
	MaxText     = 100 // characters of a name or a label
	MaxPlan     = 64  // characters of a plan
	MaxScopes   = 50  // of a customer, and of a key
	MaxLiveKeys = 20  // that are neither revoked nor expired
	MaxOverlap  = 90 * 24 * time.Hour

	maxDeadKeys = 20 // that are kept for the record

	// maxScope is the longest scope of a Cognito resource server, in bytes
	// (CreateResourceServer, ResourceServerScopeType: 256 each, and the slash).
	maxScope = 513
	// maxRecord bounds a record that grows, in bytes. An item has 400 KB ("Quotas
	// in Amazon DynamoDB"); the rest is kept free, so that there is always room to
	// revoke every key.
	maxRecord = 350 << 10
)

var (
	planPattern = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
	// scopePattern is package access's.
	scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+/[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+$`)
	// keyPattern finds a whole key of any stage, or its secret alone.
	keyPattern = regexp.MustCompile(`[0-9A-Za-z]{49}`)
)

// problems collects what is wrong with an input.
type problems []error

func (p *problems) add(format string, arguments ...any) {
	*p = append(*p, fmt.Errorf(format, arguments...))
}

// invalid joins all problems to one error about what, or returns nil.
func (p problems) invalid(what string) error {
	if len(p) == 0 {
		return nil
	}
	err := errors.Join(p...)
	return &Error{Kind: ErrInvalid, text: what + ": " + strings.ReplaceAll(err.Error(), "\n", "; ")}
}

// text checks a name or a label.
func (p *problems) text(what, value string, least int) {
	length := utf8.RuneCountInString(value)
	switch {
	case length < least || length > MaxText:
		p.add("%s has %d characters; write %d to %d", what, length, least, MaxText)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		p.add("%s holds a character that does not print; write letters, digits, signs and spaces", what)
	case strings.TrimSpace(value) != value:
		p.add("%s %s begins or ends with a space; take it off", what, quote(value))
	case keyPattern.MatchString(value):
		p.add("%s looks like a key; write a word for people, as everybody who lists customers reads it", what)
	}
}

func (p *problems) plan(value string) {
	switch {
	case len(value) > MaxPlan || !planPattern.MatchString(value):
		p.add(`plan %s; write at most %d letters, digits and ".", "_", "-"`, quote(value), MaxPlan)
	case keyPattern.MatchString(value):
		p.add("plan looks like a key; write the plan's name")
	}
}

func (p *problems) scopes(scopes []string) {
	if len(scopes) > MaxScopes {
		p.add("scopes: %d of them; at most %d", len(scopes), MaxScopes)
		return
	}
	for i, scope := range scopes {
		switch {
		case len(scope) > maxScope || !scopePattern.MatchString(scope):
			p.add(`scopes[%d] %s is malformed; write "<resource server>/<name>"`, i, quote(scope))
		case keyPattern.MatchString(scope):
			p.add("scopes[%d] looks like a key; write \"<resource server>/<name>\"", i)
		case slices.Contains(scopes[:i], scope):
			p.add("scopes[%d] %s stands there twice; once is enough", i, quote(scope))
		}
	}
}

func (p *problems) status(s authn.Status) {
	if s != authn.StatusActive && s != authn.StatusSuspended && s != authn.StatusClosed {
		p.add("status %s; write active, suspended or closed", quote(string(s)))
	}
}

func (p *problems) format(f authn.KeyFormat) {
	if err := f.Validate(); err != nil {
		*p = append(*p, err)
	}
}

// sorted is a copy of scopes in the order in which they are kept. It is never nil.
func sorted(scopes []string) []string {
	out := append([]string{}, scopes...)
	slices.Sort(out)
	return out
}

// within returns what both lists hold, in the order of the first.
func within(scopes, allowed []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return !slices.Contains(allowed, scope) })
}
