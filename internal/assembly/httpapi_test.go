package assembly_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

const httpAPI = `
	"H": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "web", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"]}, "DisableExecuteApiEndpoint": true}},
	"JWT": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "H"}, "Name": "users", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"],
		"JwtConfiguration": {"Issuer": "https://issuer", "Audience": ["client"]}}},
	"Fn": {"Type": "AWS::ApiGatewayV2::Authorizer", "Metadata": {"gatewright:cached": "why"}, "Properties": {"ApiId": {"Ref": "H"}, "Name": "callers", "AuthorizerType": "REQUEST",
		"AuthorizerResultTtlInSeconds": 60, "AuthorizerUri": "URI"}},
	"Proxy": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"ApiId": {"Ref": "H"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": "arn:aws:lambda:eu-west-1:111122223333:function:web:live", "PayloadFormatVersion": "2.0"}},
	"URL": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"ApiId": {"Ref": "H"}, "IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://example.com", "TimeoutInMillis": 1000}},
	"R1": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "H"}, "RouteKey": "GET /a", "AuthorizationType": "JWT", "AuthorizerId": {"Ref": "JWT"}, "AuthorizationScopes": ["a/read"], "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Proxy"}]]}}},
	"R2": {"Type": "AWS::ApiGatewayV2::Route", "Metadata": {"gatewright:public": "anyone may"}, "Properties": {"ApiId": {"Ref": "H"}, "RouteKey": "$default", "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "URL"}]]}}},
	"Live": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "H"}, "StageName": "live", "AccessLogSettings": {"DestinationArn": "arn:log", "Format": "f"},
		"DefaultRouteSettings": {"ThrottlingRateLimit": 9}, "RouteSettings": {"GET /a": {"ThrottlingBurstLimit": 1}}}},
	"Map": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"ApiId": {"Ref": "H"}, "DomainName": "web.example.com", "Stage": {"Ref": "Live"}}}`

func TestHTTPAPI(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Api", template(strings.Replace(httpAPI, "URI", authorizerURI, 1))})
	if len(m.HTTPAPIs) != 1 || len(m.NotUnderstood) > 0 {
		t.Fatalf("read %d HTTP APIs: %v", len(m.HTTPAPIs), m.NotUnderstood)
	}
	h := m.HTTPAPIs[0]
	if h.Name != "web" || !h.ExecuteAPIDisabled || !reflect.DeepEqual(h.CORSOrigins, []string{"*"}) || len(h.ID) != 10 ||
		!reflect.DeepEqual(h.Domains, []assembly.Domain{{Name: "web.example.com", Stage: "live"}}) {
		t.Errorf("read %+v", h)
	}
	callers, users := h.Authorizers[0], h.Authorizers[1]
	if callers.Type != "REQUEST" || callers.FunctionARN != "arn:aws:lambda:eu-west-1:111122223333:function:callers" || callers.CacheTTL != time.Minute || callers.CacheReason != "why" {
		t.Errorf("read %+v", callers)
	}
	if users.Type != "JWT" || users.Issuer != "https://issuer" || !reflect.DeepEqual(users.Audiences, []string{"client"}) || users.Header != "Authorization" || users.CacheTTL != 0 {
		t.Errorf("read %+v", users)
	}
	uncached := strings.Replace(httpAPI, `"AuthorizerResultTtlInSeconds": 60, `, ``, 1)
	if got := read(t, [2]string{"Api", template(strings.Replace(uncached, "URI", authorizerURI, 1))}).HTTPAPIs[0].Authorizers[0].CacheTTL; got != 0 {
		t.Errorf("without a time answers are cached for %s", got)
	}
	other, get := h.Routes[0], h.Routes[1]
	if other.Key != "$default" || other.AuthorizationType != "NONE" || other.PublicReason != "anyone may" || other.Integration.URI != "https://example.com" || other.Integration.Timeout != time.Second {
		t.Errorf("read %+v", other)
	}
	if get.Key != "GET /a" || get.Authorizer != users || !reflect.DeepEqual(get.Scopes, []string{"a/read"}) || get.Integration.Timeout != 30*time.Second ||
		get.Integration.FunctionARN != "arn:aws:lambda:eu-west-1:111122223333:function:web:live" {
		t.Errorf("read %+v", get)
	}
	want := map[string]assembly.MethodSettings{"GET /a": {Throttle: &assembly.Throttle{Rate: 9, Burst: 1}}}
	if s := h.Stages[0]; s.Name != "live" || s.AccessLog.Format != "f" || s.Default.Throttle.Rate != 9 || !reflect.DeepEqual(s.Methods, want) {
		t.Errorf("read %+v", s)
	}
}

func TestQuickCreate(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]assembly.Integration{
		"https://example.com":                                {Type: "HTTP_PROXY", URI: "https://example.com", Timeout: 30 * time.Second},
		"arn:aws:lambda:eu-west-1:111122223333:function:web": {Type: "AWS_PROXY", FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:web", Timeout: 30 * time.Second},
	} {
		h := read(t, [2]string{"Api", template(`"H": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "web", "ProtocolType": "HTTP", "Target": "` + target + `"}}`)}).HTTPAPIs[0]
		if len(h.Routes) != 1 || h.Routes[0].Key != "$default" || h.Routes[0].AuthorizationType != "NONE" || !reflect.DeepEqual(h.Routes[0].Integration, want) || h.Stages[0].Name != "$default" {
			t.Errorf("read %+v", h)
		}
	}
}

// HTTP APIs are not served, so what is not understood of one stops nothing.
func TestUnsupportedHTTPAPI(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ old, with, want string }{
		"WebSocket":       {`"ProtocolType": "HTTP"`, `"ProtocolType": "WEBSOCKET"`, `APIs of protocol "WEBSOCKET" are not read`},
		"body":            {`"ProtocolType": "HTTP"`, `"Body": {}`, "the Body of an HTTP API is not read"},
		"authorizer":      {`"AuthorizerType": "JWT"`, `"AuthorizerType": "OTHER"`, `an authorizer of type "OTHER" is not understood`},
		"no authorizer":   {`"AuthorizerId": {"Ref": "JWT"}`, `"AuthorizerId": "other"`, "AuthorizerId names no authorizer of the API"},
		"name on AWS":     {`"Name": "web"`, `"Name": {"Fn::ImportValue": "x"}`, "no stack of this stage exports"},
		"of no known API": {`"ApiId": {"Ref": "H"}, "RouteKey": "GET /a"`, `"ApiId": "other", "RouteKey": "GET /a"`, "the API other is not declared here"},
		"API on AWS":      {`"ApiId": {"Ref": "H"}, "RouteKey": "GET /a"`, `"ApiId": {"Fn::ImportValue": "x"}, "RouteKey": "GET /a"`, "no stack of this stage exports"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(httpAPI, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			m := read(t, [2]string{"Api", template(strings.Replace(httpAPI, test.old, test.with, 1))})
			if !lists(m, test.want, false) || m.Servable() != nil {
				t.Errorf("got %v, want %q", m.NotUnderstood, test.want)
			}
		})
	}
}
