package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// decompress reads a request's body in the coding that it names, where the API
// compresses answers: "if the specified coding isn't supported or the supplied
// payload isn't compressed with specified coding", 415 ("Call an API method with
// a compressed payload in API Gateway" [doc]). What the function gets has no
// coding any more [?].
func (c *call) decompress() *failure {
	codings := c.request.Header.Values("Content-Encoding")
	if c.config.API.Compression == nil || len(codings) == 0 || len(c.body) == 0 {
		return nil
	}
	var plain io.Reader
	var err error
	switch coding := strings.ToLower(strings.Join(codings, ",")); coding {
	case "identity":
		return nil
	case "gzip":
		plain, err = gzip.NewReader(bytes.NewReader(c.body))
	case "deflate":
		plain, err = zlib.NewReader(bytes.NewReader(c.body))
	default:
		return &failure{kind: unsupportedMediaType, reason: "body in an unknown coding"}
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(plain, maxBodyBytes+1))
	}
	switch {
	case err != nil:
		return &failure{kind: unsupportedMediaType, reason: "body not in its coding"}
	case len(body) > maxBodyBytes:
		return tooLarge()
	}
	c.request.Header.Del("Content-Encoding")
	c.body = body
	return nil
}

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
