package functions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// runtimeAPI is the HTTP side of one execution environment. It hands one event
// at a time to the process and takes one answer for it.
type runtimeAPI struct {
	address string // "127.0.0.1:port"
	server  *http.Server

	events    chan *invocation // unbuffered: taken by a request for the next event
	idle      chan struct{}    // holds one element after a request for the next event
	initError chan []byte      // holds one element after an init error
	served    chan struct{}    // closed once the listener is gone

	mu      sync.Mutex
	started bool        // the first request for an event has come
	current *invocation // handed out; nil before and after
	claimed bool        // an answer to current has come
}

// newRuntimeAPI listens on a free loopback port.
func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime API: %w", err)
	}
	a := &runtimeAPI{
		address:   listener.Addr().String(),
		events:    make(chan *invocation),
		idle:      make(chan struct{}, 1),
		initError: make(chan []byte, 1),
		served:    make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failed)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initFailed)
	a.server = &http.Server{
		Handler:           a.guard(mux),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    2 << 20, // an X-Ray cause of up to 1 MB travels as a header
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(a.served)
		_ = a.server.Serve(listener) // it ends with close
	}()
	return a, nil
}

// close ends every request and the listener.
func (a *runtimeAPI) close() {
	_ = a.server.Close()
	<-a.served
}

// guard keeps web pages out: a rebound name has another Host, and a browser
// sends at least one of the two headers, which no runtime does.
func (a *runtimeAPI) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != a.address || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			writeError(w, http.StatusForbidden, "AccessDenied", "The runtime API serves its own function only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// next hands out the next event, which may be long in coming.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	busy := a.current != nil && !a.claimed
	if !busy {
		a.current, a.started = nil, true
	}
	a.mu.Unlock()
	if busy {
		writeError(w, http.StatusForbidden, "InvalidStateTransition", "The current event has not been answered")
		return
	}
	select {
	case a.idle <- struct{}{}:
	default:
	}
	select {
	case inv := <-a.events:
		a.mu.Lock()
		a.current, a.claimed = inv, false
		a.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.requestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.functionARN)
		h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
		_, _ = w.Write(inv.payload) // a process that is gone shows by its exit
	case <-r.Context().Done():
	}
}

// response takes the function's answer.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome {
		// A runtime that fails half-way through its answer says so in trailers.
		if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") != "" {
			document, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
			return reported(document)
		}
		return outcome{Result: Result{Payload: body}}
	})
}

// failed takes the function's own report that it failed.
func (a *runtimeAPI) failed(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, reported)
}

// answer ends the current event, once, with what read makes of the body.
func (a *runtimeAPI) answer(w http.ResponseWriter, r *http.Request, read func(body []byte) outcome) {
	a.mu.Lock()
	inv := a.current
	if inv == nil || a.claimed || r.PathValue("id") != inv.requestID {
		a.mu.Unlock()
		writeError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	a.claimed = true
	a.mu.Unlock()

	body, err := readBody(r)
	switch {
	case errors.Is(err, errTooLarge):
		inv.answered <- answerTooLarge()
		writeError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxAnswerBytes))
	case err != nil:
		inv.answered <- failure("Runtime.TruncatedResponse", fmt.Sprintf("RequestId: %s Error: the answer broke off", inv.requestID))
		writeError(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
	default:
		inv.answered <- read(body)
		accept(w)
	}
}

// initFailed takes the report of a process that cannot start. It is no longer
// taken once the process has asked for an event.
func (a *runtimeAPI) initFailed(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	started := a.started
	a.mu.Unlock()
	if started {
		writeError(w, http.StatusForbidden, "InvalidStateTransition", "The init phase is over")
		return
	}
	body, err := readBody(r)
	if err != nil {
		body = nil
	}
	select {
	case a.initError <- body:
	default: // the first one counts
	}
	accept(w)
}

var errTooLarge = errors.New("body too large")

// readBody reads what a runtime posts. Of a body that is too large it reads on
// for a while, because a runtime that is cut off never sees the answer.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswerBytes+1))
	if err == nil && len(body) > maxAnswerBytes {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20))
		return nil, errTooLarge
	}
	return body, err
}

// accept is the answer to everything that is in order.
func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func writeError(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(errorDocument{ErrorType: errorType, ErrorMessage: message})
}
