package awsapi

import (
	"net/http"
	"strings"
)

// PublicService is a Service that takes some operations without a signature:
// from anybody, or with a token in the body that it checks itself.
type PublicService interface {
	Service
	// Target is what X-Amz-Target names the service by:
	// "AWSCognitoIdentityProviderService". An unsigned request has nothing else to
	// tell which service it is for.
	Target() string
	// Public reports whether an operation takes unsigned requests.
	Public(operation string) bool
}

// public returns the service that takes a request as it is, without a
// signature, and its name; nil if the request has to be signed. One that carries
// anything of a signature has to carry a good one.
func (e *Endpoint) public(r *http.Request, c *call) (PublicService, string) {
	query := r.URL.Query()
	signed := len(r.Header.Values("Authorization")) > 0 || query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential") || query.Has("X-Amz-Algorithm")
	targets := r.Header.Values("X-Amz-Target")
	if signed || r.Method != http.MethodPost || c.protocol != protocolJSON || len(targets) != 1 {
		return nil, ""
	}
	for name, service := range e.config.Services {
		if p, ok := service.(PublicService); ok && targets[0] == p.Target()+"."+c.operation && p.Public(c.operation) {
			return p, name
		}
	}
	return nil, ""
}

// allowScripts lets the scripts of an origin that the guard has let in read the
// answer, as AWS lets those of any origin. It reports whether the request was
// the browser's question whether it may ask (Fetch standard, CORS-preflight).
func allowScripts(w http.ResponseWriter, r *http.Request) (preflight bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Vary", "Origin")
	h.Set("Access-Control-Expose-Headers", "x-amzn-errortype, x-amzn-errormessage, x-amzn-requestid, date")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", strings.Join([]string{
		"amz-sdk-invocation-id", "amz-sdk-request", "authorization", "cache-control", "content-type",
		"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target", "x-amz-user-agent",
	}, ", "))
	h.Set("Access-Control-Max-Age", "3600") // seconds
	return true
}
