package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/iam"
)

// authorizerAnswer is what a Lambda authorizer says of a caller.
type authorizerAnswer struct {
	principal string
	policy    []iam.Statement
	context   map[string]string
}

// parseAuthorizerAnswer reads the output of an authorizer's function ("Output
// from an API Gateway Lambda authorizer" [doc]). It needs a principal and a
// policy. Context values are strings, numbers and booleans, and all become
// strings [meas]; anything else in it is an error [meas], and so are members
// that are not known [?]. Errors quote nothing of the output.
func parseAuthorizerAnswer(output []byte) (*authorizerAnswer, error) {
	var members map[string]json.RawMessage
	if len(output) > maxAnswerBytes {
		return nil, errors.New("larger than 8 KB")
	}
	if err := json.Unmarshal(output, &members); err != nil || members == nil {
		return nil, errors.New("not a JSON object")
	}
	a := &authorizerAnswer{context: map[string]string{}}
	for name, raw := range members {
		var err error
		switch name {
		case "principalId":
			err = json.Unmarshal(raw, &a.principal)
		case "policyDocument":
			a.policy, err = parseAuthorizerPolicy(raw)
		case "context":
			err = a.parseContext(raw)
		case "usageIdentifierKey": // counts only where API keys come from the authorizer
			err = json.Unmarshal(raw, new(*string))
		default:
			err = errors.New("unknown members")
		}
		if err != nil {
			return nil, fmt.Errorf("%s is malformed", name)
		}
	}
	switch {
	case a.principal == "":
		return nil, errors.New("no principalId")
	case a.policy == nil:
		return nil, errors.New("no policyDocument")
	}
	return a, nil
}

func parseAuthorizerPolicy(raw json.RawMessage) ([]iam.Statement, error) {
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, err
	}
	statements, err := iam.ParsePolicy(document)
	if err != nil {
		return nil, err
	}
	if iam.NamesPrincipal(statements) { // [?], as in a role's policy
		return nil, errors.New("a statement names a principal")
	}
	for _, s := range statements {
		for _, resource := range append(s.Resources, s.NotResources...) {
			if len(resource) > maxResourceBytes { // [doc]
				return nil, errors.New("a resource is too long")
			}
		}
	}
	return statements, nil
}

func (a *authorizerAnswer) parseContext(raw json.RawMessage) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	for name, value := range values {
		text := string(value)
		switch value[0] {
		case '"':
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
		case '{', '[', 'n':
			return errors.New("neither a string nor a number nor a boolean")
		}
		a.context[name] = text
	}
	return nil
}

// requestContext is what the backend gets to know.
func (a *authorizerAnswer) requestContext(latency time.Duration) map[string]any {
	out := make(map[string]any, len(a.context)+2)
	for name, value := range a.context {
		out[name] = value
	}
	out["principalId"] = a.principal
	out["integrationLatency"] = latency.Milliseconds()
	return out
}

// maxCached bounds the answers that an authorizer's cache holds.
const maxCached = 1000

// answerCache remembers answers by the values of the identity sources, which it
// does not hold themselves: they are credentials. A nil cache remembers nothing.
type answerCache struct {
	ttl     time.Duration
	mu      sync.Mutex
	answers map[[sha256.Size]byte]cachedAnswer
}

type cachedAnswer struct {
	*authorizerAnswer
	until time.Time
}

func cacheKey(identity []string) [sha256.Size]byte {
	var b bytes.Buffer
	for _, value := range identity {
		fmt.Fprintf(&b, "%d:%s", len(value), value)
	}
	return sha256.Sum256(b.Bytes())
}

func (c *answerCache) get(identity []string, now time.Time) (*authorizerAnswer, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.answers[cacheKey(identity)]
	if !ok || !now.Before(found.until) {
		return nil, false
	}
	return found.authorizerAnswer, true
}

func (c *answerCache) put(identity []string, a *authorizerAnswer, now time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil || len(c.answers) >= maxCached {
		c.answers = map[[sha256.Size]byte]cachedAnswer{}
	}
	c.answers[cacheKey(identity)] = cachedAnswer{a, now.Add(c.ttl)}
}
