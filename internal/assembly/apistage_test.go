package assembly_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

const anyPool = `"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_other"`

// withStage gives the API's stage more properties.
func withStage(properties string) string {
	return strings.Replace(withPool(anyPool), `"StageName": "live"`, `"StageName": "live", `+properties, 1)
}

func onlyAPI(t *testing.T, template string) *assembly.RestAPI {
	t.Helper()
	m, err := model(t, write(t, [2]string{"Api", template}), "")
	if err != nil {
		t.Fatal(err)
	}
	return m.RestAPIs[0]
}

func TestThrottles(t *testing.T) {
	t.Parallel()
	api := onlyAPI(t, template(withStage(`"TracingEnabled": true, "AccessLogSetting": {"DestinationArn": "arn:log", "Format": "$context.requestId"},
		"MethodSettings": [
			{"HttpMethod": "*", "ResourcePath": "/*", "DataTraceEnabled": false, "ThrottlingRateLimit": 0.5, "ThrottlingBurstLimit": 7},
			{"HttpMethod": "GET", "ResourcePath": "/~1orders~1{id}", "ThrottlingBurstLimit": 0},
			{"HttpMethod": "GET", "ResourcePath": "/~1open", "LoggingLevel": "ERROR"}]`)))
	stage := api.Stages[0]
	if !reflect.DeepEqual(stage.Default.Throttle, &assembly.Throttle{Rate: 0.5, Burst: 7}) || !stage.Tracing ||
		!reflect.DeepEqual(stage.AccessLog, &assembly.AccessLog{DestinationARN: "arn:log", Format: "$context.requestId"}) {
		t.Errorf("the stage is %+v", stage)
	}
	want := map[string]assembly.MethodSettings{"GET /orders/{id}": {Throttle: &assembly.Throttle{Rate: 0.5, Burst: 0}}, "GET /open": {Throttle: &assembly.Throttle{Rate: 0.5, Burst: 7}, LoggingLevel: "ERROR"}}
	if !reflect.DeepEqual(stage.Methods, want) {
		t.Errorf("the methods' settings are %+v, want %+v", stage.Methods, want)
	}
	if none := onlyAPI(t, template(withPool(anyPool))).Stages[0]; none.Default.Throttle != nil || none.AccessLog != nil || none.Tracing {
		t.Errorf("a stage without settings is %+v", none)
	}
	rateOnly := onlyAPI(t, template(withStage(`"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 3}]`)))
	if got := rateOnly.Stages[0].Default.Throttle; !reflect.DeepEqual(got, &assembly.Throttle{Rate: 3, Burst: 5_000}) {
		t.Errorf("half a throttle is %+v", got)
	}
}

// CDK writes two settings for every method where an app sets both kinds.
func TestSettingsTwice(t *testing.T) {
	t.Parallel()
	stage := onlyAPI(t, template(withStage(`"MethodSettings": [
		{"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 5, "LoggingLevel": "INFO"},
		{"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 9}]`))).Stages[0]
	if want := (assembly.MethodSettings{Throttle: &assembly.Throttle{Rate: 9, Burst: 5}, LoggingLevel: "INFO"}); !reflect.DeepEqual(stage.Default, want) {
		t.Errorf("got %+v, throttle %+v", stage.Default, stage.Default.Throttle)
	}
}

const domain = `
	"Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "api.example.com", "RegionalCertificateArn": "arn:c",
		"SecurityPolicy": "TLS_1_2", "EndpointConfiguration": {"Types": ["REGIONAL"]}}},
	"Mapping": {"Type": "AWS::ApiGateway::BasePathMapping", "Properties": {"DomainName": {"Ref": "Domain"}, "RestApiId": {"Ref": "API"},
		"BasePath": "v1", "Stage": {"Ref": "Stage"}}}`

func TestDomains(t *testing.T) {
	t.Parallel()
	const second = `"Root": {"Type": "AWS::ApiGateway::BasePathMapping", "Properties": {"DomainName": "a.example.com", "RestApiId": {"Ref": "API"}, "Stage": "live"}},
		"Other": {"Type": "AWS::ApiGateway::BasePathMapping", "Properties": {"DomainName": "b.example.com", "RestApiId": "other"}}`
	api := onlyAPI(t, template(withPool(anyPool), domain, second))
	want := []assembly.Domain{{Name: "a.example.com", Stage: "live"}, {Name: "api.example.com", BasePath: "v1", Stage: "live"}}
	if !reflect.DeepEqual(api.Domains, want) {
		t.Errorf("got %+v", api.Domains)
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	if onlyAPI(t, template(withPool(anyPool))).Compression != nil {
		t.Error("answers are compressed without MinimumCompressionSize")
	}
	compressed := strings.Replace(withPool(anyPool), `"Name": "shop"`, `"Name": "shop", "MinimumCompressionSize": 0`, 1)
	if got := onlyAPI(t, template(compressed)).Compression; got == nil || got.MinimumBytes != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestUnsupportedStage(t *testing.T) {
	t.Parallel()
	change := func(old, with string) string {
		if !strings.Contains(domain, old) {
			t.Fatalf("%q is not there", old)
		}
		return template(withPool(anyPool), strings.Replace(domain, old, with, 1))
	}
	setting := func(s string) string {
		return template(withStage(`"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", ` + s + `}]`))
	}
	tests := map[string]struct{ template, want string }{
		"canary":              {template(withStage(`"CanarySetting": {}`)), "property CanarySetting is not understood"},
		"cache cluster":       {template(withStage(`"CacheClusterEnabled": true`)), "a cache of answers"},
		"caching":             {setting(`"CachingEnabled": true`), "a cache of answers"},
		"unknown setting":     {setting(`"RequireAuthorization": false`), "MethodSettings[0]: property RequireAuthorization"},
		"rate is no number":   {setting(`"ThrottlingRateLimit": "many"`), `ThrottlingRateLimit is "many"`},
		"rate is not finite":  {setting(`"ThrottlingRateLimit": "NaN"`), `ThrottlingRateLimit is "NaN", not a number`},
		"negative rate":       {setting(`"ThrottlingRateLimit": -1`), "a throttle of -1"},
		"negative burst":      {setting(`"ThrottlingBurstLimit": -1`), "and -1 at once"},
		"settings, no list":   {template(withStage(`"MethodSettings": {}`)), "MethodSettings is not a list"},
		"setting, no object":  {template(withStage(`"MethodSettings": ["x"]`)), "MethodSettings holds what is no object"},
		"no route":            {template(withStage(`"MethodSettings": [{"HttpMethod": "PUT", "ResourcePath": "/~1open"}]`)), "PUT /open is no route"},
		"every method":        {template(withStage(`"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/~1open"}]`)), "* /open is no route"},
		"mutual TLS":          {change(`"SecurityPolicy": "TLS_1_2"`, `"MutualTlsAuthentication": {"TruststoreUri": "s3://b/t"}`), "mutual TLS is not served"},
		"domain's policy":     {change(`"SecurityPolicy": "TLS_1_2"`, `"Policy": {}`), "property Policy is not understood"},
		"routing rules":       {change(`"SecurityPolicy": "TLS_1_2"`, `"RoutingMode": "ROUTING_RULE_ONLY"`), "RoutingMode ROUTING_RULE_ONLY"},
		"mapping, no stage":   {change(`, "Stage": {"Ref": "Stage"}`, ``), "a mapping without a Stage"},
		"mapping, two parts":  {change(`"BasePath": "v1"`, `"BasePath": "v1/x"`), "more than one part"},
		"mapping, other":      {change(`"BasePath": "v1"`, `"Rewrite": "v1"`), "property Rewrite"},
		"minimum compression": {strings.Replace(template(withPool(anyPool)), `"Name": "shop"`, `"Name": "shop", "MinimumCompressionSize": "x"`, 1), "not a whole number"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := model(t, write(t, [2]string{"Api", test.template}), "")
			var unsupported *assembly.UnsupportedError
			if !errors.As(err, &unsupported) || len(unsupported.Problems) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want one problem with %q", err, test.want)
			}
		})
	}
}

// A preflight's template names the origins that it compares with.
func TestCORSOriginsOfTemplates(t *testing.T) {
	t.Parallel()
	api := &assembly.RestAPI{Routes: []assembly.Route{{Method: "OPTIONS", Integration: assembly.Integration{
		Type: assembly.IntegrationMock,
		Responses: []assembly.IntegrationResponse{{
			Parameters: map[string]string{"method.response.header.Access-Control-Allow-Origin": "'https://a.example'"},
			Templates:  map[string]string{"application/json": `#if($origin == "")#end #if($origin == "https://c.example" || $origin =="http://localhost:4013")x#end`},
		}},
	}}}}
	if got := api.CORSOrigins(); !reflect.DeepEqual(got, []string{"http://localhost:4013", "https://a.example", "https://c.example"}) {
		t.Errorf("got %v", got)
	}
}

// What a setting leaves out is that of every method, whichever stands first; a
// stage that is closed stays closed.
func TestThrottlesOfPartsInherit(t *testing.T) {
	t.Parallel()
	api := onlyAPI(t, template(withStage(`"MethodSettings": [
		{"HttpMethod": "GET", "ResourcePath": "/~1open", "ThrottlingRateLimit": 1},
		{"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 0}]`)))
	if got := api.Stages[0].Settings("GET", "/open").Throttle; !reflect.DeepEqual(got, &assembly.Throttle{Rate: 1, Burst: 0}) {
		t.Errorf("GET /open has %+v", got)
	}
	described := strings.Replace(template(withPool(anyPool)), `"Properties": {"RestApiId": {"Ref": "API"}}}`,
		`"Properties": {"RestApiId": {"Ref": "API"}, "StageName": "made", "StageDescription": {"ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0,
			"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "LoggingLevel": "ERROR"}]}}}`, 1)
	for _, stage := range onlyAPI(t, described).Stages {
		if stage.Name == "made" && !reflect.DeepEqual(stage.Default, assembly.MethodSettings{Throttle: &assembly.Throttle{}, LoggingLevel: "ERROR"}) {
			t.Errorf("the stage that the deployment makes has %+v", stage.Default)
		}
	}
}

// Of two stages of one name nobody knows which is meant.
func TestStagesOfOneName(t *testing.T) {
	t.Parallel()
	twice := strings.Replace(template(withPool(anyPool)), `"Properties": {"RestApiId": {"Ref": "API"}}}`, `"Properties": {"RestApiId": {"Ref": "API"}, "StageName": "live"}}`, 1)
	if _, err := model(t, write(t, [2]string{"Api", twice}), ""); err == nil || !strings.Contains(err.Error(), "the API has another stage live") {
		t.Errorf("got %v", err)
	}
}
