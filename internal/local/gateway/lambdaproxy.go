package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// invoke runs the route's function and makes its answer the response.
func (c *call) invoke() (answer, *failure) {
	source := c.sourceARN()
	if !c.config.MayInvoke(c.route.Integration.FunctionARN, source) {
		return answer{}, &failure{kind: apiConfigurationError, reason: "no permission lets API Gateway invoke the function for " + source}
	}
	payload, err := json.Marshal(c.event())
	if err != nil {
		return answer{}, &failure{kind: default5XX, reason: "the event does not encode"}
	}
	if len(payload) > maxPayloadBytes { // [meas]; cannot be customized [doc]
		return answer{}, &failure{kind: requestTooLarge, fixed: true, reason: "event larger than a Lambda payload"}
	}
	ctx, cancel := context.WithTimeout(c.request.Context(), c.route.Integration.Timeout)
	defer cancel()
	output, functionError, err := c.config.Functions.Invoke(ctx, c.route.Integration.FunctionARN, payload)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return answer{}, &failure{kind: integrationTimeout, reason: "integration timeout"}
	case err != nil:
		// Throttled as well: "If the Lambda API rejects the invocation request,
		// API Gateway returns a 500 error code" ("Handling Lambda errors with an
		// API Gateway API" [doc]).
		return answer{}, &failure{kind: integrationFailure, reason: "function not invoked: " + err.Error()}
	case functionError != "":
		// Its text is the function's, and may quote what it was sent.
		return answer{}, badGateway("function error")
	}
	a, err := c.proxyAnswer(output)
	if err != nil {
		return answer{}, badGateway("malformed proxy response: " + err.Error())
	}
	return a, nil
}

// badGateway is the answer to a function that failed, or that did not answer as
// a proxy integration must [rec].
func badGateway(reason string) *failure {
	return &failure{kind: default5XX, status: http.StatusBadGateway, reason: reason}
}

// sourceARN names the method on whose behalf the function is invoked.
func (c *call) sourceARN() string {
	return c.executeARN(c.config.Stage.Name, c.method+c.route.Path)
}

// proxyAnswer turns a function's output into the response. Every member may be
// absent; none but these may be there [rec].
func (c *call) proxyAnswer(output []byte) (answer, error) {
	var members map[string]json.RawMessage
	if len(output) > maxBodyBytes {
		return answer{}, errors.New("too large")
	}
	// An error of the decoder may quote the output, which is the caller's own.
	if err := json.Unmarshal(output, &members); err != nil || members == nil {
		return answer{}, errors.New("not a JSON object")
	}
	a := answer{status: http.StatusOK, header: http.Header{}}
	var single map[string]json.RawMessage
	var multi map[string][]json.RawMessage
	var body string
	var encoded bool
	for name, raw := range members {
		var err error
		switch name {
		case "statusCode":
			a.status, err = statusCode(raw)
		case "headers":
			err = json.Unmarshal(raw, &single)
		case "multiValueHeaders":
			err = json.Unmarshal(raw, &multi)
		case "body":
			err = json.Unmarshal(raw, &body)
		case "isBase64Encoded":
			err = json.Unmarshal(raw, &encoded)
		default:
			return answer{}, errors.New("unknown members")
		}
		if err != nil {
			return answer{}, fmt.Errorf("%s has the wrong type", name)
		}
	}
	if err := setHeaders(a.header, single, multi); err != nil {
		return answer{}, err
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json") // [rec]
	}
	a.header.Set(traceHeader, c.traceID) // [rec]
	a.body = []byte(body)
	// Decoded only for a client that asks for a binary type [doc].
	if encoded && c.binary(c.request.Header.Get("Accept")) {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return answer{}, errors.New("body is not base64")
		}
		a.body = decoded
	}
	return a, nil
}

// statusCode takes a whole number, or a string of one [meas]. null and "" leave
// it at 200 [?]. What is no final status is refused [?].
func statusCode(raw json.RawMessage) (int, error) {
	text := strings.Trim(string(raw), `"`)
	if text == "null" || text == "" {
		return http.StatusOK, nil
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < 200 || status > 599 {
		return 0, errors.New("not a status")
	}
	return status, nil
}

// setHeaders sets a function's headers. Where both maps name a header, the
// lists of the second count and the first's value joins them if it is another
// ("Output format of a Lambda function for proxy integration" [doc]).
func setHeaders(h http.Header, single map[string]json.RawMessage, multi map[string][]json.RawMessage) error {
	merged := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		for _, raw := range multi[name] {
			value, err := headerValue(name, raw)
			if err != nil {
				return err
			}
			name := http.CanonicalHeaderKey(name)
			merged[name] = append(merged[name], value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(single)) {
		value, err := headerValue(name, single[name])
		if err != nil {
			return err
		}
		name = http.CanonicalHeaderKey(name)
		if !slices.Contains(merged[name], value) {
			merged[name] = append(merged[name], value)
		}
	}
	for name, values := range merged {
		for _, value := range values {
			addHeader(h, name, value)
		}
	}
	return nil
}

// headerValue takes a string or a boolean [rec]. What could break out of its
// line is refused [?].
func headerValue(name string, raw json.RawMessage) (string, error) {
	var value string
	if bytes.Equal(raw, []byte("true")) || bytes.Equal(raw, []byte("false")) {
		value = string(raw)
	} else if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
		return "", errors.New("a header's value is neither a string nor a boolean")
	}
	if !validHeaderName(name) || !validHeaderValue(value) {
		return "", errors.New("a header's name or value cannot be sent")
	}
	return value, nil
}
