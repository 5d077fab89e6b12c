package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
)

// The two ways to fail. API Gateway looks at the first text letter by letter.
var (
	errUnauthorized = errors.New("Unauthorized") //nolint:revive,staticcheck // API Gateway's word for 401
	errUndecided    = errors.New("the authorizer cannot decide")
)

// maxAnswerBytes bounds an answer ("Output from an API Gateway Lambda authorizer").
const maxAnswerBytes = 8 << 10

// Reasons for refusals that are not a decision's.
const (
	reasonEvent  authn.Reason = "event"  // it is none of a REQUEST authorizer
	reasonAnswer authn.Reason = "answer" // what a token says does not fit into it
	reasonPanic  authn.Reason = "panic"
)

// handler answers events. It is safe for concurrent use.
type handler struct {
	decide  func(context.Context, authn.Request) authn.Decision
	keys    authn.KeyFormat // zero where none are taken
	metrics *metrics
	log     *slog.Logger
	lines   limit
}

// limit bounds how many refusals are logged, ten a second: a flood of them must
// not cost more than as many calls that are allowed. The metrics count all.
type limit struct {
	mu     sync.Mutex
	since  time.Time
	logged int
}

const linesPerSecond = 10

func (l *limit) next(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := now.Sub(l.since); age < 0 || age >= time.Second {
		l.since, l.logged = now, 0
	}
	l.logged++
	return l.logged <= linesPerSecond
}

var _ lambda.Handler = (*handler)(nil)

// Invoke decides about the request that an event describes. A panic is a
// refusal, and its value, which may hold anything, shows nowhere.
func (h *handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if recover() != nil {
			h.metrics.refused(reasonPanic, h.metrics.now())
			h.log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
			answer, err = nil, errUndecided
		}
	}()
	began := h.metrics.now()
	request, err := readEvent(payload, h.keys)
	if err != nil {
		h.metrics.refused(reasonEvent, began)
		h.log.ErrorContext(ctx, "not decided", "reason", err.Error())
		return nil, errUndecided
	}
	d := h.decide(ctx, request)
	if d.Outcome == authn.Allowed {
		if answer = policy("Allow", request.MethodARN, d.Identity); len(answer) <= maxAnswerBytes {
			h.metrics.allowed(began)
			return answer, nil
		}
		d.Outcome, d.Reason = authn.Forbidden, reasonAnswer
	}
	h.metrics.refused(d.Reason, began)
	if h.lines.next(began) {
		h.log.LogAttrs(ctx, slog.LevelInfo, "refused", slog.String("route", request.Method+" "+request.Resource),
			slog.String("outcome", d.Outcome.String()), slog.String("reason", string(d.Reason)))
	}
	switch d.Outcome {
	case authn.Forbidden:
		if answer = policy("Deny", request.MethodARN, d.Identity); len(answer) > maxAnswerBytes {
			answer = policy("Deny", request.MethodARN, authn.Identity{Subject: "unnamed"})
		}
		return answer, nil
	case authn.Unauthorized:
		return nil, errUnauthorized
	default:
		return nil, errUndecided
	}
}

// answerBytes is what an answer has beside what differs, and a little more.
const answerBytes = 400

// policy is the answer for one call and no other ("Output from an API Gateway
// Lambda authorizer"). It is written by hand, because it is written for every
// request.
func policy(effect, methodARN string, caller authn.Identity) []byte {
	b := make([]byte, 0, answerBytes+len(methodARN)+2*len(caller.Subject)+len(caller.Username)+10*len(caller.Scopes)+len(caller.ClientID))
	b = append(b, `{"principalId":`...)
	b = appendString(b, caller.Subject)
	b = append(b, `,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"`...)
	b = append(b, effect...)
	b = append(b, `","Resource":[`...)
	b = appendString(b, methodARN)
	b = append(b, `]}]},"context":{"`+authconfig.ContextKind+`":`...)
	b = appendString(b, string(caller.Kind))
	b = append(b, `,"`+authconfig.ContextSubject+`":`...)
	b = appendString(b, caller.Subject)
	b = append(b, `,"`+authconfig.ContextClient+`":`...)
	b = appendString(b, caller.Client)
	b = append(b, `,"`+authconfig.ContextClientID+`":`...)
	b = appendString(b, caller.ClientID)
	b = append(b, `,"`+authconfig.ContextScopes+`":`...)
	b = appendScopes(b, caller.Scopes)
	b = append(b, `,"`+authconfig.ContextUsername+`":`...)
	b = appendString(b, caller.Username)
	b = append(b, `,"`+authconfig.ContextCustomer+`":`...)
	b = appendString(b, caller.Customer)
	b = append(b, `,"`+authconfig.ContextKey+`":`...)
	b = appendString(b, caller.Key)
	b = append(b, `,"`+authconfig.ContextPlan+`":`...)
	b = appendString(b, caller.Plan)
	return append(b, "}}"...)
}

// appendScopes appends scopes as one JSON string with a space between.
func appendScopes(b []byte, scopes []string) []byte {
	start := len(b)
	b = append(b, '"')
	for i, scope := range scopes {
		if !plain(scope) {
			return appendString(b[:start], strings.Join(scopes, " "))
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, scope...)
	}
	return append(b, '"')
}

// appendString appends text as a JSON string.
func appendString(b []byte, text string) []byte {
	if !plain(text) {
		quoted, _ := json.Marshal(text) // a string always encodes
		return append(b, quoted...)
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// quotes are the bytes that JSON writes otherwise, or might.
var quotes = func() (table [256]bool) {
	for c := range table {
		table[c] = c < ' ' || c > '~' || c == '"' || c == '\\'
	}
	return table
}()

// plain reports whether text stands in JSON as it is.
func plain(text string) bool {
	for i := range len(text) {
		if quotes[text[i]] {
			return false
		}
	}
	return true
}
