package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
)

// The two ways to fail. API Gateway looks at the first text letter by letter.
var (
	errUnauthorized = errors.New("Unauthorized") //nolint:revive,staticcheck // API Gateway's word for 401
	errUndecided    = errors.New("the authorizer cannot decide")
)

// handler answers events. It is safe for concurrent use.
type handler struct {
	decide func(context.Context, authn.Request) authn.Decision
	log    *slog.Logger
}

var _ lambda.Handler = (*handler)(nil)

// Invoke decides about the request that an event describes. A panic is a
// refusal, and its value, which may hold anything, shows nowhere.
func (h *handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if recover() != nil {
			h.log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
			answer, err = nil, errUndecided
		}
	}()
	request, err := readEvent(payload)
	if err != nil {
		h.log.ErrorContext(ctx, "not decided", "reason", err.Error())
		return nil, errUndecided
	}
	d := h.decide(ctx, request)
	if d.Outcome != authn.Allowed {
		h.log.LogAttrs(ctx, slog.LevelInfo, "refused", slog.String("route", request.Method+" "+request.Resource),
			slog.String("outcome", d.Outcome.String()), slog.String("reason", string(d.Reason)))
	}
	switch d.Outcome {
	case authn.Allowed:
		return policy("Allow", request.MethodARN, d.Identity), nil
	case authn.Forbidden:
		return policy("Deny", request.MethodARN, d.Identity), nil
	case authn.Unauthorized:
		return nil, errUnauthorized
	default:
		return nil, errUndecided
	}
}

// policy is the answer for one call and no other ("Output from an API Gateway
// Lambda authorizer"). It is written by hand, because it is written for every
// request.
func policy(effect, methodARN string, caller authn.Identity) []byte {
	kind := authconfig.KindUser
	if caller.Username == "" {
		kind = authconfig.KindClient
	}
	b := make([]byte, 0, 1024)
	b = append(b, `{"principalId":`...)
	b = appendString(b, caller.Subject)
	b = append(b, `,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":`...)
	b = appendString(b, effect)
	b = append(b, `,"Resource":[`...)
	b = appendString(b, methodARN)
	b = append(b, `]}]},"context":{`...)
	for i, member := range [...][2]string{
		{authconfig.ContextKind, kind},
		{authconfig.ContextSubject, caller.Subject},
		{authconfig.ContextClient, caller.Client},
		{authconfig.ContextClientID, caller.ClientID},
		{authconfig.ContextScopes, strings.Join(caller.Scopes, " ")},
		{authconfig.ContextUsername, caller.Username},
		{authconfig.ContextCustomer, ""},
		{authconfig.ContextKey, ""},
		{authconfig.ContextPlan, ""},
	} {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, member[0])
		b = append(b, ':')
		b = appendString(b, member[1])
	}
	return append(b, "}}"...)
}

// appendString appends text as a JSON string.
func appendString(b []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		quoted, _ := json.Marshal(text) // a string always encodes
		return append(b, quoted...)
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
