// Package guard keeps web pages away from a listener on a developer's machine.
//
// A page that a developer happens to visit can send requests to loopback
// addresses. Three checks stop it, before anything else sees the request:
//
//  1. Host names the listener (RFC 9110 section 7.2). A page that reaches it by
//     DNS rebinding has its own name in Host: 421 Misdirected Request, because
//     nothing here speaks for that name (RFC 9110 section 15.5.20).
//  2. Origin, where there is one, is the listener's own or an allowed one:
//     else 403. That covers every fetch that could read an answer or send a
//     body, "null" origins and CORS preflights included.
//  3. Without Origin, a browser that calls the request cross-site (W3C Fetch
//     Metadata) gets 403, unless somebody follows a link: images, frames and
//     other fire-and-forget requests carry no Origin.
//
// Programs send neither Origin nor Sec-Fetch-Site, so curl, SDKs and functions
// are not affected. X-Forwarded-Host and its like are never read.
//
//	handler = guard.Wrap(handler, guard.Policy{
//		Hosts:   []string{"127.0.0.1:4010", "localhost:4010", "[::1]:4010"},
//		Origins: []string{"http://localhost:4013"},
//	}, logRefusal)
package guard

import (
	"net/http"
	"slices"
	"strings"
)

// Policy says who may speak to a listener. Its zero value admits nobody.
type Policy struct {
	// Hosts are the listener's names with port, in lower case:
	// "127.0.0.1:4010", "[::1]:4010". One label may be open:
	// "*.execute-api.localhost:4010". They are its own origins, too, by HTTP.
	Hosts []string
	// Origins are the other web origins that may call, as a browser sends them:
	// "http://localhost:4013". "*" allows any, and cross-site requests without
	// an Origin with it. Default: none.
	Origins []string
}

// Reasons of a refusal, as Wrap's log function gets them.
const (
	ReasonHost      = "foreign host"
	ReasonOrigin    = "foreign origin"
	ReasonCrossSite = "cross-site request"
)

// Wrap returns next behind the checks of the package comment. A refusal is one
// line of text that repeats nothing of the request; log, unless nil, hears of
// it.
func Wrap(next http.Handler, p Policy, log func(status int, reason string, r *http.Request)) http.Handler {
	p.Hosts = slices.Clone(p.Hosts)
	for i, name := range p.Hosts {
		p.Hosts[i] = hostName(name)
	}
	p.Origins = slices.Clone(p.Origins)
	names := strings.Join(p.Hosts, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, reason, text := p.check(r)
		if reason == "" {
			next.ServeHTTP(w, r)
			return
		}
		if log != nil {
			log(status, reason, r)
		}
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Refused by gatewright's local listener " + names + ": " + text + "\n"))
	})
}

// check returns an empty reason for a request that may pass.
func (p *Policy) check(r *http.Request) (status int, reason, text string) {
	// Go's server has refused a request with two Host headers or, in HTTP/1.1,
	// none, and has taken the host of a target in absolute form over the header
	// (RFC 9112 section 3.2.2). An empty one is nobody's name.
	if !p.isOwn(r.Host) {
		return http.StatusMisdirectedRequest, ReasonHost,
			"the Host header is not one of its names; this keeps web pages from reaching it by DNS rebinding."
	}
	anyOrigin := slices.Contains(p.Origins, "*")
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		if len(origins) == 1 && (anyOrigin || p.allows(origins[0])) {
			return 0, "", ""
		}
		return http.StatusForbidden, ReasonOrigin,
			"the Origin header is neither its own nor allowed by the template's CORS or website; this keeps foreign web pages out."
	}
	if !anyOrigin && isCrossSite(r) {
		return http.StatusForbidden, ReasonCrossSite,
			"a browser marked the request as sent by another site (Sec-Fetch-Site); this keeps foreign web pages out."
	}
	return 0, "", ""
}

// isOwn reports whether host is one of the listener's names.
func (p *Policy) isOwn(host string) bool {
	host = hostName(host)
	label, parent, _ := strings.Cut(host, ".")
	return host != "" && !strings.Contains(host, "*") &&
		(slices.Contains(p.Hosts, host) || label != "" && slices.Contains(p.Hosts, "*."+parent))
}

// allows reports whether a web origin may call. The listener serves plain HTTP,
// so an https origin of the same name is another party.
func (p *Policy) allows(origin string) bool {
	own, plain := strings.CutPrefix(origin, "http://")
	return plain && p.isOwn(own) || slices.Contains(p.Origins, origin)
}

// isCrossSite reports whether a browser says that another site made the
// request, other than by a link that a person followed. Another port of this
// machine is same-site and still somebody else. A value that is not known
// counts as cross-site.
func isCrossSite(r *http.Request) bool {
	one := func(name string, allowed ...string) bool {
		values := r.Header.Values(name)
		return len(values) == 1 && slices.Contains(allowed, values[0])
	}
	if len(r.Header.Values("Sec-Fetch-Site")) == 0 || one("Sec-Fetch-Site", "same-origin", "none") {
		return false
	}
	followed := (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		one("Sec-Fetch-Mode", "navigate") && one("Sec-Fetch-Dest", "document")
	return !followed
}

// hostName returns a host in lower case, without the port that HTTP implies.
func hostName(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":80") }
