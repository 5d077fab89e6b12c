package assembly

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// integration is what answers a route, as a method or a body declares it
// ("x-amazon-apigateway-integration object"). Of the cache of answers, which is
// understood only where it is off, nothing is read.
type integration struct {
	Type                 string            `json:"type"`
	HTTPMethod           string            `json:"httpMethod"`
	URI                  string            `json:"uri"`
	ConnectionID         string            `json:"connectionId"`
	ConnectionType       string            `json:"connectionType"`
	Target               string            `json:"integrationTarget"`
	Credentials          string            `json:"credentials"`
	CacheNamespace       string            `json:"cacheNamespace"`
	CacheKeyParameters   []string          `json:"cacheKeyParameters"`
	ContentHandling      string            `json:"contentHandling"`
	PassthroughBehavior  string            `json:"passthroughBehavior"`
	ResponseTransferMode string            `json:"responseTransferMode"`
	TimeoutInMillis      numeral           `json:"timeoutInMillis"`
	TLSConfig            map[string]any    `json:"tlsConfig"`
	RequestParameters    map[string]string `json:"requestParameters"`
	RequestTemplates     map[string]string `json:"requestTemplates"`

	responses []integrationResponse
}

type integrationResponse struct {
	SelectionPattern   string            `json:"selectionPattern"`
	StatusCode         numeral           `json:"statusCode"`
	ContentHandling    string            `json:"contentHandling"`
	ResponseParameters map[string]string `json:"responseParameters"`
	ResponseTemplates  map[string]string `json:"responseTemplates"`
}

// numeral is a number that may be written as a text.
type numeral string

// UnmarshalJSON takes a number or a text.
func (n *numeral) UnmarshalJSON(data []byte) error {
	*n = numeral(strings.Trim(string(data), `"`))
	return nil
}

// readIntegration reads the extension of an operation. What is not understood
// of it leaves the route unserved, and no other.
func readIntegration(raw any, at string) Integration {
	var i struct {
		integration
		Responses map[string]integrationResponse `json:"responses"`
	}
	reason := decodeKnown(raw, &i)
	for pattern, response := range i.Responses {
		if response.SelectionPattern = pattern; pattern == "default" {
			response.SelectionPattern = ""
		}
		i.responses = append(i.responses, response)
	}
	return i.model(at, reason)
}

// readMethodIntegration reads the Integration of an AWS::ApiGateway::Method. Its
// members have the extension's names but for two, and Go's JSON decoder takes
// either case.
func readMethodIntegration(raw any, at string) Integration {
	var i struct {
		integration
		Method    string                `json:"integrationHttpMethod"`
		Responses []integrationResponse `json:"integrationResponses"`
	}
	reason := decodeKnown(raw, &i)
	i.HTTPMethod, i.responses = i.Method, i.Responses
	return i.model(at, reason)
}

// decodeKnown decodes what is known of a resolved value, and says what is not.
func decodeKnown(raw, into any) (reason string) {
	if u, ok := firstUnknown(raw); ok {
		reason = u.At + ": " + u.Reason
	}
	if err := reencode(withoutUnknown(raw), into); err != nil {
		return cmp.Or(reason, err.Error())
	}
	return reason
}

// withoutUnknown returns a resolved value without what is unknown in it.
func withoutUnknown(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			if _, missing := member.(Unknown); !missing {
				out[name] = withoutUnknown(member)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, member := range v {
			if _, missing := member.(Unknown); !missing {
				out = append(out, withoutUnknown(member))
			}
		}
		return out
	default:
		return value
	}
}

// defaultTimeout of an integration ("Amazon API Gateway quotas").
const defaultTimeout = 29 * time.Second

func (i integration) model(at, reason string) Integration {
	out := Integration{
		Type:                strings.ToUpper(i.Type),
		Timeout:             defaultTimeout,
		PassthroughBehavior: cmp.Or(strings.ToUpper(i.PassthroughBehavior), "WHEN_NO_MATCH"),
		RequestTemplates:    i.RequestTemplates,
		FunctionARN:         functionOf(i.URI),
	}
	if out.FunctionARN == "" {
		out.URI = i.URI
	}
	if n, err := strconv.Atoi(string(i.TimeoutInMillis)); err == nil && n > 0 {
		out.Timeout = time.Duration(n) * time.Millisecond
	} else if i.TimeoutInMillis != "" {
		reason = cmp.Or(reason, fmt.Sprintf("TimeoutInMillis %q is not understood", i.TimeoutInMillis))
	}
	slices.SortStableFunc(i.responses, func(a, b integrationResponse) int {
		return strings.Compare(a.SelectionPattern, b.SelectionPattern)
	})
	for _, response := range i.responses {
		status, err := strconv.Atoi(string(response.StatusCode))
		if err != nil {
			reason = cmp.Or(reason, fmt.Sprintf("the response for %q has a malformed statusCode", response.SelectionPattern))
		}
		if response.ContentHandling != "" && out.Type == IntegrationMock {
			reason = cmp.Or(reason, "ContentHandling of a response is not understood")
		}
		out.Responses = append(out.Responses, IntegrationResponse{
			SelectionPattern: response.SelectionPattern,
			StatusCode:       status,
			Parameters:       response.ResponseParameters,
			Templates:        response.ResponseTemplates,
		})
	}
	if reason = cmp.Or(reason, i.unsupported(out)); reason != "" {
		out.Unsupported = at + ": " + reason
	}
	return out
}

// unsupported says why an integration that was read is not served.
func (i integration) unsupported(out Integration) string {
	switch {
	case strings.EqualFold(i.ConnectionType, "VPC_LINK"):
		return "a backend behind a VPC link is out of reach here"
	case out.Type == IntegrationMock && i.ContentHandling != "":
		return "ContentHandling is not understood"
	case out.Type == IntegrationMock:
		return "" // there is no backend that could get RequestParameters
	case out.Type != IntegrationLambdaProxy:
		return fmt.Sprintf("integrations of type %q are not served", i.Type)
	case out.FunctionARN == "":
		return fmt.Sprintf("the uri %q names no Lambda function", i.URI)
	case i.HTTPMethod != "" && !strings.EqualFold(i.HTTPMethod, "POST"):
		return fmt.Sprintf("a function is called by POST, not %s", i.HTTPMethod)
	case i.Credentials != "":
		return "calling a function with a role's or the caller's credentials is not understood"
	case strings.EqualFold(i.ResponseTransferMode, "STREAM"):
		return "streamed answers are not understood"
	case len(i.RequestParameters) > 0:
		return fmt.Sprintf("the mapping of %s is not understood", slices.Min(slices.Collect(maps.Keys(i.RequestParameters))))
	default:
		return ""
	}
}

var lambdaURI = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:[^:]+:lambda:[^:]+:[^:]*:function:[^/$]+|arn:[^:]+:lambda:[^:]+:[^:]*:function:[^/:$]+:\$LATEST)/invocations$`)

// functionOf returns the ARN of the function that a URI calls, with its version
// or alias, or nothing where it names none or leaves it to a stage variable.
func functionOf(uri string) string {
	if found := lambdaURI.FindStringSubmatch(uri); found != nil {
		return found[1]
	}
	return ""
}
