package gateway

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// compress replaces the body of an integration's answer by its gzip form where
// the API compresses answers, the client names gzip in Accept-Encoding, the
// body is large enough, and it has no encoding yet ("Receive an API response
// with a compressed payload in API Gateway" [doc]). AWS also knows deflate; a
// client that takes nothing else gets the plain body. An empty body stays
// empty, or a preflight's 204 would break [?].
func (c *call) compress(a answer) answer {
	settings := c.config.API.Compression
	if settings == nil || len(a.body) == 0 || len(a.body) < settings.MinimumBytes || a.header.Get("Content-Encoding") != "" ||
		a.status == http.StatusNoContent || a.status == http.StatusNotModified || !acceptsGzip(c.request.Header.Values("Accept-Encoding")) {
		return a
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	// A buffer takes everything.
	_, _ = w.Write(a.body)
	_ = w.Close()
	a.header.Set("Content-Encoding", "gzip")
	a.body = out.Bytes()
	return a
}

// acceptsGzip reports whether gzip is named with a weight above 0. "*" names
// nothing [doc].
func acceptsGzip(values []string) bool {
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !weighted || err == nil && q > 0
	}
	return false
}
