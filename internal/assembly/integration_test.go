package assembly_test

import (
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// integrationOf reads the Integration of a method.
func integrationOf(t *testing.T, integration string) assembly.Integration {
	t.Helper()
	const function = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	m := read(t, [2]string{"Api", template(
		`"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}}`,
		`"Stage": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}`,
		`"Get": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "HttpMethod": "GET",
			"Integration": `+strings.ReplaceAll(integration, "FUNCTION", "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"+function)+`}}`)})
	// What is not understood of an integration closes its own route only.
	if err := m.Servable(); err != nil {
		t.Error(err)
	}
	return m.RestAPIs[0].Routes[0].Integration
}

func TestIntegrations(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	const queue = "arn:aws:apigateway:eu-west-1:sqs:path/111122223333/orders"
	tests := map[string]struct {
		integration string
		want        assembly.Integration // of which these members count
		unsupported string
	}{
		"function":             {`{"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": "FUNCTION/invocations"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, ""},
		"version":              {`{"Type": "AWS_PROXY", "Uri": "FUNCTION:7/invocations"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function + ":7"}, ""},
		"newest":               {`{"Type": "AWS_PROXY", "Uri": "FUNCTION:$LATEST/invocations"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function + ":$LATEST"}, ""},
		"cache keys":           {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "CacheKeyParameters": ["method.request.path.id"], "CacheNamespace": "n", "ContentHandling": "CONVERT_TO_TEXT"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, ""},
		"mock with parameters": {`{"Type": "MOCK", "RequestParameters": {"integration.request.header.x": "'y'"}}`, assembly.Integration{Type: "MOCK"}, ""},
		"function by a stage":  {`{"Type": "AWS_PROXY", "Uri": "FUNCTION:${stageVariables.alias}/invocations"}`, assembly.Integration{Type: "AWS_PROXY", URI: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + function + ":${stageVariables.alias}/invocations"}, "names no Lambda function"},
		"stream":               {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "ResponseTransferMode": "STREAM"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, "streamed answers"},
		"wrong method":         {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "IntegrationHttpMethod": "GET"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, "called by POST, not GET"},
		"caller's credentials": {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "Credentials": "arn:aws:iam::*:user/*"}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, "credentials is not understood"},
		"mapped parameters":    {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "RequestParameters": {"integration.request.path.b": "x", "integration.request.path.a": "x"}}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, "the mapping of integration.request.path.a"},
		"function, own event":  {`{"Type": "AWS", "Uri": "FUNCTION/invocations"}`, assembly.Integration{Type: "AWS", FunctionARN: function}, `type "AWS" are not served`},
		"action":               {`{"Type": "AWS", "Uri": "` + queue + `", "Credentials": "arn:role"}`, assembly.Integration{Type: "AWS", URI: queue}, `type "AWS" are not served`},
		"URL":                  {`{"Type": "HTTP_PROXY", "Uri": "https://example.com/{p}", "TlsConfig": {"InsecureSkipVerification": true}}`, assembly.Integration{Type: "HTTP_PROXY", URI: "https://example.com/{p}"}, `type "HTTP_PROXY" are not served`},
		"VPC link":             {`{"Type": "HTTP_PROXY", "ConnectionType": "VPC_LINK", "ConnectionId": "l", "Uri": "http://inside"}`, assembly.Integration{Type: "HTTP_PROXY", URI: "http://inside"}, "behind a VPC link"},
		"URI on AWS only":      {`{"Type": "AWS_PROXY", "Uri": {"Fn::ImportValue": "x"}}`, assembly.Integration{Type: "AWS_PROXY"}, "no stack of this stage exports"},
		"wrong timeout":        {`{"Type": "AWS_PROXY", "Uri": "FUNCTION/invocations", "TimeoutInMillis": -1}`, assembly.Integration{Type: "AWS_PROXY", FunctionARN: function}, `TimeoutInMillis "-1"`},
		"wrong status":         {`{"Type": "MOCK", "IntegrationResponses": [{"StatusCode": "2xx"}]}`, assembly.Integration{Type: "MOCK"}, "malformed statusCode"},
		"converted answer":     {`{"Type": "MOCK", "IntegrationResponses": [{"StatusCode": 200, "ContentHandling": "CONVERT_TO_BINARY"}]}`, assembly.Integration{Type: "MOCK"}, "ContentHandling of a response"},
		"converted request":    {`{"Type": "MOCK", "ContentHandling": "CONVERT_TO_BINARY"}`, assembly.Integration{Type: "MOCK"}, "ContentHandling is not understood"},
		"unknown member":       {`{"Type": "MOCK", "Open": true}`, assembly.Integration{Type: "MOCK"}, `unknown field "Open"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := integrationOf(t, test.integration)
			if got.Type != test.want.Type || got.FunctionARN != test.want.FunctionARN || got.URI != test.want.URI {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (got.Unsupported == "") != (test.unsupported == "") || !strings.Contains(got.Unsupported, test.unsupported) {
				t.Errorf("unsupported is %q, want %q", got.Unsupported, test.unsupported)
			}
			if got.Unsupported != "" && !strings.HasPrefix(got.Unsupported, "Api/Get.Integration: ") {
				t.Errorf("no place in %q", got.Unsupported)
			}
		})
	}
}
