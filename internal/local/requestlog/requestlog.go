// Package requestlog writes the line that every listener leaves for each
// request: what was asked, what was decided and why. It takes no header, no
// query and no body, so none of them can show in a log. What looks like a key's
// secret or a token in a path, where somebody pasted it, is left out.
package requestlog

import (
	"log/slog"
	"net/http"
	"regexp"
	"time"
)

// Line is one request and what became of it.
type Line struct {
	Method  string // where it differs from the request's own
	Path    string // where it differs from the request's own; escaped
	Status  int
	Allowed bool
	Reason  string
	Latency time.Duration
	More    []slog.Attr // what only this listener knows
}

// credential finds a customer's key by its secret, and a JSON Web Token.
var credential = regexp.MustCompile(`[0-9A-Za-z]{49,}|eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){1,2}`)

// hidden stands for a credential.
const hidden = "(credential)"

// Write writes the line. The listener is told apart by an attribute that log
// carries already.
func Write(log *slog.Logger, r *http.Request, l Line) {
	decision := "deny"
	if l.Allowed {
		decision = "allow"
	}
	if l.Method == "" {
		l.Method = r.Method
	}
	if l.Path == "" {
		l.Path = r.URL.EscapedPath()
	}
	attributes := []slog.Attr{
		slog.String("method", l.Method),
		slog.String("path", credential.ReplaceAllString(l.Path, hidden)),
		slog.Int("status", l.Status),
		slog.String("decision", decision),
		slog.String("reason", l.Reason),
		slog.Float64("latency_ms", float64(l.Latency.Microseconds())/1000),
	}
	log.LogAttrs(r.Context(), slog.LevelInfo, "request", append(attributes, l.More...)...)
}
