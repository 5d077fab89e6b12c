package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
)

type (
	request  = events.APIGatewayProxyRequest
	response = events.APIGatewayProxyResponse
)

// tableTimeout is how long all calls to the table for one request may take: a
// caller gets an answer before the function's own time is up.
const tableTimeout = 5 * time.Second

// service answers requests. What a caller may do was decided before it: it
// decides whose notes they are about.
type service struct {
	store *store
	cors  caller.CORS
	now   func() time.Time
	log   *slog.Logger
}

// handle never returns an error: a caller gets a problem document instead.
func (s *service) handle(ctx context.Context, r request) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	answer, err := s.route(ctx, r)
	if err != nil {
		answer = s.explain(r, err).response()
	}
	return s.cors.Allow(r, answer), nil
}

// explain turns an error into what the caller is told. What it is not told
// stands in the log.
func (s *service) explain(r request, err error) *problem {
	var told *problem
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, errNotFound):
		return newProblem(http.StatusNotFound, "you have no note with this id")
	case errors.Is(err, errStale):
		return newProblem(http.StatusPreconditionFailed, "the note has changed: its ETag is not in If-Match")
	}
	s.log.Error("failed", "method", r.HTTPMethod, "route", r.Resource, "error", err.Error())
	if errors.Is(err, context.DeadlineExceeded) || isThrottled(err) {
		p := newProblem(http.StatusServiceUnavailable, "the table is busy; try again")
		p.header = map[string]string{"Retry-After": "1"}
		return p
	}
	return newProblem(http.StatusInternalServerError, "")
}

// idPattern is what newID makes. No other id is looked up.
var idPattern = regexp.MustCompile(`^[0-9a-v]{26}$`)

func (s *service) route(ctx context.Context, r request) (response, error) {
	c := caller.From(r)
	if c.Kind == caller.KindAnyone {
		// The routes ask for tokens, so this is a stage that is wired wrongly.
		return response{}, newProblem(http.StatusUnauthorized, "nobody is signed in")
	}
	owner := string(c.Kind) + "#" + c.Subject
	switch r.HTTPMethod + " " + r.Resource {
	case "GET /v1/notes":
		return s.list(ctx, r, owner)
	case "POST /v1/notes":
		return s.create(ctx, r, owner)
	}
	id := r.PathParameters["id"]
	if !idPattern.MatchString(id) {
		return response{}, errNotFound
	}
	switch r.HTTPMethod + " " + r.Resource {
	case "GET /v1/notes/{id}":
		return s.get(ctx, r, owner, id)
	case "PUT /v1/notes/{id}":
		return s.replace(ctx, r, owner, id)
	case "DELETE /v1/notes/{id}":
		return s.remove(ctx, r, owner, id)
	default:
		return response{}, errNotFound
	}
}

func (s *service) list(ctx context.Context, r request, owner string) (response, error) {
	page, err := readPage(r, owner)
	if err != nil {
		return response{}, err
	}
	notes, more, err := s.store.list(ctx, owner, page.before, page.limit)
	if err != nil {
		return response{}, err
	}
	if fitting := fit(notes); fitting < len(notes) {
		notes, more = notes[:fitting], true
	}
	answer := struct {
		Items []note `json:"items"`
		Next  string `json:"next,omitempty"`
	}{Items: notes}
	if more {
		answer.Next = newCursor(owner, notes[len(notes)-1].ID)
	}
	return encode(http.StatusOK, answer, nil)
}

func (s *service) create(ctx context.Context, r request, owner string) (response, error) {
	d, err := readDraft(r)
	if err != nil {
		return response{}, err
	}
	now := s.now()
	n, err := s.store.create(ctx, owner, newID(now), d, now)
	if err != nil {
		return response{}, err
	}
	return n.response(http.StatusCreated, map[string]string{
		// The path as it was called, with the stage or base path before it.
		"Location":                      strings.TrimSuffix(r.RequestContext.Path, "/") + "/" + n.ID,
		"Access-Control-Expose-Headers": "Location",
	})
}

func (s *service) get(ctx context.Context, r request, owner, id string) (response, error) {
	wanted, err := readTags(r, "If-Match")
	if err != nil {
		return response{}, err
	}
	known, err := readTags(r, "If-None-Match")
	if err != nil {
		return response{}, err
	}
	n, err := s.store.get(ctx, owner, id)
	if err != nil {
		return response{}, err
	}
	if wanted.given && !wanted.matchStrong(n.revision) {
		return response{}, errStale
	}
	if known.given && known.matchWeak(n.revision) {
		return response{StatusCode: http.StatusNotModified, Headers: n.headers()}, nil
	}
	return n.response(http.StatusOK, nil)
}

func (s *service) replace(ctx context.Context, r request, owner, id string) (response, error) {
	wanted, err := readWriteTags(r)
	if err != nil {
		return response{}, err
	}
	d, err := readDraft(r)
	if err != nil {
		return response{}, err
	}
	n, err := s.store.replace(ctx, owner, id, d, wanted, s.now())
	if err != nil {
		return response{}, err
	}
	return n.response(http.StatusOK, nil)
}

func (s *service) remove(ctx context.Context, r request, owner, id string) (response, error) {
	wanted, err := readWriteTags(r)
	if err != nil {
		return response{}, err
	}
	if err := s.store.remove(ctx, owner, id, wanted); err != nil {
		return response{}, err
	}
	return response{StatusCode: http.StatusNoContent, Headers: map[string]string{"Cache-Control": "no-store"}}, nil
}

// headers say how a note may be kept: by its caller alone, who asks each time
// whether it is still the same.
func (n note) headers() map[string]string {
	return map[string]string{"ETag": `"` + n.revision + `"`, "Cache-Control": "private, no-cache"}
}

func (n note) response(status int, more map[string]string) (response, error) {
	headers := n.headers()
	maps.Copy(headers, more)
	return encode(status, n, headers)
}

func encode(status int, value any, more map[string]string) (response, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return response{}, err
	}
	headers := map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
	maps.Copy(headers, more)
	return response{StatusCode: status, Headers: headers, Body: string(body)}, nil
}
