package test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/restapi"
)

// order is a schema with every keyword whose value a template could lose.
func order() restapi.Body {
	return restapi.Body{Name: "Order", Schema: map[string]any{
		"type": "object",
		"properties": map[string]any{
			"article":  map[string]any{"type": "string", "minLength": 0, "maxLength": 200, "pattern": `^[^"\\<&]*$`},
			"quantity": map[string]any{"type": "integer", "minimum": 0, "maximum": 1e6},
			"gift":     map[string]any{"enum": []any{false, 0, "", []string{}, map[string]any{}}},
			"notes":    map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "uniqueItems": false},
		},
		"required":             []string{"article"},
		"additionalProperties": false,
	}}
}

func changeRoute(pattern string, change func(*restapi.Route)) func(*shop) {
	return func(s *shop) {
		route := s.props.Routes[pattern]
		change(&route)
		s.props.Routes[pattern] = route
	}
}

func orderBody(r *restapi.Route) { r.Body = order() }

func document(t *testing.T, template object) object {
	t.Helper()
	return only(t, template, "AWS::ApiGateway::RestApi")["Body"].(object)
}

// A model reaches the template as it was written: what is lost on the way
// would go unchecked.
func TestRestAPIModel(t *testing.T) {
	doc := document(t, declare(t, declareShop(changeRoute("POST /orders", orderBody))))
	data, err := json.Marshal(order().Schema)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	got := doc["components"].(object)["schemas"].(object)["Order"]
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
	}
	post := doc["paths"].(object)["/orders"].(object)["post"].(object)
	if got, want := text(t, post["requestBody"]), `{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Order"}}},"required":true}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
	if post["x-amazon-apigateway-request-validator"] != "All" {
		t.Errorf("the validator is %v", post["x-amazon-apigateway-request-validator"])
	}
	if got, want := text(t, doc["x-amazon-apigateway-request-validators"]), `{"All":{"validateRequestBody":true,"validateRequestParameters":true}}`; got != want {
		t.Errorf("the validators are %s, want %s", got, want)
	}
}

func TestRestAPIQuery(t *testing.T) {
	doc := document(t, declare(t, declareShop(changeRoute("GET /orders", func(r *restapi.Route) {
		r.Query = restapi.Query{"status": {Required: true}, "limit": {Description: "At most"}}
	}))))
	get := doc["paths"].(object)["/orders"].(object)["get"].(object)
	want := `[{"description":"At most","in":"query","name":"limit","required":false,"schema":{"type":"string"}},` +
		`{"in":"query","name":"status","required":true,"schema":{"type":"string"}}]`
	if got := text(t, get["parameters"]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if get["x-amazon-apigateway-request-validator"] != "All" {
		t.Errorf("the validator is %v", get["x-amazon-apigateway-request-validator"])
	}
}

func TestRestAPIThrottles(t *testing.T) {
	template := declare(t, declareShop(func(s *shop) {
		s.props.RateLimit, s.props.BurstLimit = 50, 60
		changeRoute("GET /orders/{id}", func(r *restapi.Route) { r.Throttle = restapi.Throttle{Rate: 0.5, Burst: 2} })(s)
		changeRoute("POST /orders", func(r *restapi.Route) { r.Throttle.Rate = 5 })(s)
		s.props.Routes["GET /"] = restapi.Route{Access: access.Public("test"), Target: s.orders, Throttle: restapi.Throttle{Burst: 3}}
	}))
	got := map[string]string{}
	for _, setting := range only(t, template, "AWS::ApiGateway::Stage")["MethodSettings"].([]any) {
		s := setting.(object)
		got[s["HttpMethod"].(string)+" "+s["ResourcePath"].(string)] = text(t, []any{s["ThrottlingRateLimit"], s["ThrottlingBurstLimit"]})
	}
	want := map[string]string{
		"* /*": "[50,60]", "GET /~1orders~1{id}": "[0.5,2]", "POST /~1orders": "[5,60]", "GET /": "[50,3]",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// The log is one line of JSON that holds nothing a caller sends as it came.
func TestRestAPIAccessLog(t *testing.T) {
	template := declare(t, declareShop(unchanged))
	setting := only(t, template, "AWS::ApiGateway::Stage")["AccessLogSetting"].(object)
	var line map[string]string
	format := setting["Format"].(string)
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	for name, want := range map[string]string{
		"requestId": "$context.requestId",
		"ip":        "$context.identity.sourceIp",
		"method":    "$context.httpMethod",
		"path":      "$context.resourcePath",
		"status":    "$context.status",
		"error":     "$context.error.responseType",
		"latency":   "$context.responseLatency",
		"client":    "$context.authorizer.claims.client_id",
		"subject":   "$context.authorizer.claims.sub",
	} {
		if line[name] != want {
			t.Errorf("%s is %q, want %q", name, line[name], want)
		}
	}
	if leak := regexp.MustCompile(`(?i)\$(input|context\.path|context\.identity\.(apiKey|user)|context\.(request|response)Override|[^"]*(header|querystring|authorization|token|body))`).FindString(format); leak != "" {
		t.Errorf("the log holds %s", leak)
	}
	logs := ofType(template, "AWS::Logs::LogGroup")
	destination := setting["DestinationArn"].(object)["Fn::GetAtt"].([]any)[0].(string)
	log, ok := logs[destination]
	if !ok {
		t.Fatalf("the log goes to %s", destination)
	}
	if got := text(t, log["Properties"]); got != `{"RetentionInDays":30}` {
		t.Errorf("the log is %s", got)
	}

	off := declare(t, declareShop(func(s *shop) { s.props.AccessLog.Off = true }))
	if setting, on := only(t, off, "AWS::ApiGateway::Stage")["AccessLogSetting"]; on || len(ofType(off, "AWS::Logs::LogGroup")) != len(logs)-1 {
		t.Errorf("switched off, the log is %v", setting)
	}
}

func TestRestAPIDescribed(t *testing.T) {
	template := declare(t, declareShop(func(s *shop) {
		s.props.Name, s.props.Description = "orders", "What may be ordered"
		s.props.Tags = map[string]string{"team": "shop"}
		s.props.Tracing, s.props.MinCompressionBytes = true, 1000
	}))
	api, stage := only(t, template, "AWS::ApiGateway::RestApi"), only(t, template, "AWS::ApiGateway::Stage")
	for name, want := range map[string]string{
		"Name": `"orders"`, "Description": `"What may be ordered"`, "Tags": `[{"Key":"team","Value":"shop"}]`,
		"MinimumCompressionSize": `1000`,
		"BinaryMediaTypes":       `null`, // */* would break the preflights
	} {
		if got := text(t, api[name]); got != want {
			t.Errorf("the API's %s is %s, want %s", name, got, want)
		}
	}
	// An import takes its name and description from here.
	if got, want := text(t, document(t, template)["info"]), `{"description":"What may be ordered","title":"orders","version":"1"}`; got != want {
		t.Errorf("info is %s, want %s", got, want)
	}
	for name, want := range map[string]string{"TracingEnabled": `true`, "Tags": `[{"Key":"team","Value":"shop"}]`} {
		if got := text(t, stage[name]); got != want {
			t.Errorf("the stage's %s is %s, want %s", name, got, want)
		}
	}
	plain := declare(t, declareShop(unchanged))
	if got := text(t, only(t, plain, "AWS::ApiGateway::RestApi")["Name"]); got != `"Shop-API"` {
		t.Errorf("by default the name is %s", got)
	}
}

// Several origins: preflights choose, errors say "*", nothing allows
// credentials.
func TestRestAPISeveralOrigins(t *testing.T) {
	template := declare(t, declareShop(func(s *shop) {
		s.props.Origins = append(s.props.Origins, "https://www.example.com")
	}))
	doc := document(t, template)
	preflight := doc["paths"].(object)["/orders"].(object)["options"].(object)["x-amazon-apigateway-integration"].(object)
	answer := preflight["responses"].(object)["default"].(object)
	if got := answer["responseTemplates"].(object)["application/json"].(string); !strings.Contains(got,
		`#if($origin == "https://shop.example.com" || $origin == "https://www.example.com")`) {
		t.Errorf("the preflight's template is %s", got)
	}
	if got := text(t, answer["responseParameters"]); strings.Contains(got, "Allow-Origin") {
		t.Errorf("a static origin stands beside the template: %s", got)
	}
	for name, response := range doc["x-amazon-apigateway-gateway-responses"].(object) {
		if got := response.(object)["responseParameters"].(object)["gatewayresponse.header.Access-Control-Allow-Origin"]; got != "'*'" {
			t.Errorf("%s allows %v", name, got)
		}
	}
	if strings.Contains(text(t, template), "Allow-Credentials") {
		t.Error("credentials are allowed")
	}
}

func TestRestAPIFeatureProblems(t *testing.T) {
	tests := []struct {
		name   string
		change func(*shop)
		want   string
	}{
		{"too large a threshold", func(s *shop) { s.props.MinCompressionBytes = 1 << 24 }, "Shop/API: MinCompressionBytes is 16777216; API Gateway takes 1 to 10485760"},
		{"negative threshold", func(s *shop) { s.props.MinCompressionBytes = -1 }, "MinCompressionBytes is -1"},
		{"retention of no log", func(s *shop) {
			s.props.AccessLog = restapi.AccessLog{Off: true, Retention: awslogs.RetentionDays_ONE_DAY}
		}, "AccessLog.Retention is set, but the log is Off"},
		{"AWS's own tag", func(s *shop) { s.props.Tags = map[string]string{"AWS:x": "y"} }, `Tags: key "AWS:x"; 1 to 128 characters that do not begin with aws:`},
		{"tag key with a question", func(s *shop) { s.props.Tags = map[string]string{"a?b": "y"} }, `Tags: key "a?b"; letters, numbers, spaces and _.:/=+-@`},
		{"tag value in two lines", func(s *shop) { s.props.Tags = map[string]string{"x": "y\nz"} }, `Tags: the value of "x"; letters`},
		{"no tag key", func(s *shop) { s.props.Tags = map[string]string{"": "y"} }, `Tags: key ""`},
		{"long tag value", func(s *shop) { s.props.Tags = map[string]string{"x": strings.Repeat("y", 257)} }, `Tags: the value of "x" has more than 256 characters`},
		{"negative throttle", changeRoute("GET /orders", func(r *restapi.Route) { r.Throttle.Rate = -1 }), "GET /orders: Throttle is -1 requests a second and 0 at once; neither can be negative"},
		{"headers for nobody", func(s *shop) { s.props.Origins, s.props.AllowHeaders = nil, []string{"X-A"} }, "headers for pages to send, but no origin"},
		{"an origin twice", func(s *shop) { s.props.Origins = append(s.props.Origins, s.props.Origins...) }, `origin "https://shop.example.com" twice`},
		{"a body without a name", changeRoute("POST /orders", func(r *restapi.Route) {
			r.Body = order()
			r.Body.Name = ""
		}), `POST /orders: Body.Name is ""; a model's name has letters and digits only`},
		{"every problem at once", func(s *shop) {
			s.props.MinCompressionBytes = -1
			changeRoute("POST /orders", func(r *restapi.Route) { r.Body.Name = "Order" })(s)
		}, "MinCompressionBytes is -1; API Gateway takes 1 to 10485760\nPOST /orders: Body.Schema is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problem(t, declareShop(tt.change)); !strings.Contains(got, tt.want) {
				t.Errorf("got  %q\nwant %q in it", got, tt.want)
			}
		})
	}
}

// A changed model, validator or preflight is deployed; a throttle needs no
// new deployment.
func TestRestAPIDeploysFeatures(t *testing.T) {
	before := deployment(t, declare(t, declareShop(unchanged)))
	if deployment(t, declare(t, declareShop(changeRoute("POST /orders", orderBody)))) == before {
		t.Error("a model is not deployed")
	}
	if deployment(t, declare(t, declareShop(func(s *shop) { s.props.RateLimit = 7 }))) != before {
		t.Error("a throttle deploys the API anew")
	}
	var api *restapi.RestAPI
	declare(t, func(stack awscdk.Stack) { api = restapi.New(stack, "API", newShop(stack).props) })
	if api.AccessLog == nil {
		t.Error("the access log is not handed out")
	}
}
