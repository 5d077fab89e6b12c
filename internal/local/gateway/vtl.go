package gateway

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// script is a mapping template: the part of the Velocity Template Language by
// which MOCK integrations choose a status and allow several origins, and
// nothing else ("Mapping template transformations for REST APIs in API
// Gateway" [doc]).
//
//	#set($name = VALUE)
//	#set($context.responseOverride.header.Name = VALUE)
//	#set($context.responseOverride.status = VALUE)
//	#if(TEST) … #elseif(TEST) … #else … #end
//	$name $!name ${name} $input.params("Name") $context.requestId
//
// VALUE is "text", 'text', a number, $name, $input.params("Name"),
// $input.params().header.get("Name") or a $context variable. TEST compares two
// values of one kind by == or !=, or a text by .equals(VALUE) or
// .matches("expression"); !, &&, || and parentheses join tests. Every other
// byte but $ and # is text. What else a template holds is an error, so a
// variable always has a value: it is set, whatever the request, before it is
// used. Nothing repeats, so a script takes each of its steps at most once.
type script struct {
	steps []step
	fixed bool // it is a text, whatever the request
}

// step is a part of a script at work.
type step func(*runner) error

// maxTemplateBytes bounds a template ("Quotas for configuring and running a
// REST API" [doc]).
const maxTemplateBytes = 300 << 10

// rendered is what a script makes of a request.
type rendered struct {
	text    string
	status  int               // it sets; 0 for none
	headers map[string]string // it sets
}

// runner is a script at work.
type runner struct {
	call      *call
	variables map[string]string
	out       strings.Builder
	rendered
}

// run fails where the script makes what cannot be sent.
func (s script) run(c *call) (rendered, error) {
	r := runner{call: c, variables: map[string]string{}, rendered: rendered{headers: map[string]string{}}}
	err := r.run(s.steps)
	r.text = r.out.String()
	return r.rendered, err
}

func (r *runner) run(steps []step) error {
	for _, one := range steps {
		if err := one(r); err != nil {
			return err
		}
	}
	return nil
}

// write is the step that puts a value out.
func write(value func(*runner) string) step {
	return func(r *runner) error {
		text := value(r)
		if r.out.Len()+len(text) > maxBodyBytes {
			return errors.New("the template makes more than a response may hold")
		}
		r.out.WriteString(text)
		return nil
	}
}

// set is the step that gives a variable its value.
func set(variable string, value func(*runner) string) step {
	return func(r *runner) error {
		r.variables[variable] = value(r)
		return nil
	}
}

// setHeader is the step that replaces a response header.
func setHeader(header string, value func(*runner) string) step {
	return func(r *runner) error {
		text := value(r)
		if !validHeaderValue(text) {
			return errors.New("the template puts control characters into a header")
		}
		r.headers[header] = text
		return nil
	}
}

// setStatus is the step that replaces the response's status.
func setStatus(value func(*runner) string) step {
	return func(r *runner) error {
		status, err := strconv.Atoi(value(r))
		if err != nil || status < 200 || status > 599 {
			return errors.New("the template sets what is no final status")
		}
		r.status = status
		return nil
	}
}

// branch is a part of an #if and the test that admits to it.
type branch struct {
	holds func(*runner) bool
	steps []step
}

// choice is the step that takes the first branch whose test holds.
func choice(branches []branch) step {
	return func(r *runner) error {
		for _, b := range branches {
			if b.holds(r) {
				return r.run(b.steps)
			}
		}
		return nil
	}
}

// parseScript reads a template, or says what of it is not understood. One that
// shapes a request overrides nothing of the response.
func parseScript(template string, overrides bool) (script, error) {
	if len(template) > maxTemplateBytes {
		return script{}, fmt.Errorf("template: longer than %d bytes", maxTemplateBytes)
	}
	p := &parser{rest: template, overrides: overrides}
	steps, err := p.block(nil, false)
	if err != nil {
		return script{}, fmt.Errorf("template: %w", err)
	}
	return script{steps, !strings.ContainsAny(template, "#$")}, nil
}
