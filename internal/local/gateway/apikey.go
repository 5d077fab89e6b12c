package gateway

import "crypto/sha256"

// keyHeader carries API keys where an API's key source is HEADER.
const (
	keyHeader       = "X-Api-Key"
	keySourceHeader = "HEADER" // the default
)

// identify finds the API key of a request on a route that requires one. None,
// one that is unknown or disabled, and one on no plan of the stage get the same
// answer [doc].
func (c *call) identify() *failure {
	if !c.route.APIKeyRequired {
		return nil
	}
	sent := c.request.Header.Values(keyHeader)
	switch {
	case len(sent) == 0 || sent[0] == "":
		return &failure{kind: invalidAPIKey, reason: "no API key"}
	case len(sent) > 1: // which one counts is not known; so none does
		return &failure{kind: invalidAPIKey, reason: "more than one API key"}
	}
	c.key = c.keys[sha256.Sum256([]byte(sent[0]))]
	if c.key == nil {
		return &failure{kind: invalidAPIKey, reason: "API key refused"}
	}
	return nil
}

// limit applies the key's throttle, then the route's, as documented ("Throttle
// requests to your REST APIs" [doc]), and then the key's quota, so that only
// what is let pass counts [?]. It comes after the authorizer and before the
// validator, so a caller without a credential spends nobody's tokens.
func (c *call) limit() *failure {
	if c.key != nil && !c.key.bucket(c.route.Method, c.route.Path).take(c.start) {
		return &failure{kind: throttled, reason: "the API key is throttled"}
	}
	if !c.route.bucket.take(c.start) {
		return &failure{kind: throttled, reason: "throttled"}
	}
	if c.key != nil && !c.key.quota.take(c.start) {
		return &failure{kind: quotaExceeded, reason: "the API key's quota is used up"}
	}
	return nil
}
