package test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// declarePlain declares an API with the CDK's own constructs alone.
func declarePlain(stack awscdk.Stack, code string) {
	architecture := awslambda.Architecture_X86_64()
	if goruntime.GOARCH == "arm64" {
		architecture = awslambda.Architecture_ARM_64()
	}
	function := awslambda.NewFunction(stack, jsii.String("Status"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Handler: jsii.String("bootstrap"), Architecture: architecture,
		Code: awslambda.Code_FromAsset(jsii.String(code), nil),
	})
	users := awscognito.NewUserPool(stack, jsii.String("Users"), nil)
	users.AddClient(jsii.String("Website"), &awscognito.UserPoolClientOptions{OAuth: &awscognito.OAuthSettings{
		Flows:        &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
		Scopes:       &[]awscognito.OAuthScope{awscognito.OAuthScope_OPENID()},
		CallbackUrls: jsii.Strings("https://shop.example.com/callback"),
	}})
	api := awsapigateway.NewRestApi(stack, jsii.String("API"), &awsapigateway.RestApiProps{
		DefaultCorsPreflightOptions: &awsapigateway.CorsOptions{AllowOrigins: jsii.Strings("https://shop.example.com", "https://www.example.com")},
		DeployOptions:               &awsapigateway.StageOptions{ThrottlingRateLimit: jsii.Number(1000), ThrottlingBurstLimit: jsii.Number(1000)},
	})
	authorizer := awsapigateway.NewCognitoUserPoolsAuthorizer(stack, jsii.String("Authorizer"), &awsapigateway.CognitoUserPoolsAuthorizerProps{
		CognitoUserPools: &[]awscognito.IUserPool{users},
	})
	integration := awsapigateway.NewLambdaIntegration(function, nil)
	add := func(path, method string, options *awsapigateway.MethodOptions) {
		api.Root().ResourceForPath(jsii.String(path)).AddMethod(jsii.String(method), integration, options)
	}
	add("/status", "GET", nil)
	add("/me", "GET", &awsapigateway.MethodOptions{Authorizer: authorizer, AuthorizationType: awsapigateway.AuthorizationType_COGNITO})
	add("/notes/{id}", "GET", &awsapigateway.MethodOptions{
		Authorizer: authorizer, AuthorizationType: awsapigateway.AuthorizationType_COGNITO, AuthorizationScopes: jsii.Strings("notes/read"),
	})
	add("/keyed", "GET", &awsapigateway.MethodOptions{ApiKeyRequired: jsii.Bool(true)})
	add("/signed", "GET", &awsapigateway.MethodOptions{AuthorizationType: awsapigateway.AuthorizationType_IAM})
	add("/files/{proxy+}", "ANY", nil)
	add("/search", "GET", &awsapigateway.MethodOptions{
		RequestParameters: &map[string]*bool{"method.request.querystring.q": jsii.Bool(true)},
		RequestValidatorOptions: &awsapigateway.RequestValidatorOptions{
			RequestValidatorName: jsii.String("parameters"), ValidateRequestParameters: jsii.Bool(true),
		},
	})
	plan := api.AddUsagePlan(jsii.String("Plan"), &awsapigateway.UsagePlanProps{
		ApiStages: &[]*awsapigateway.UsagePlanPerApiStage{{Stage: api.DeploymentStage()}},
		Quota:     &awsapigateway.QuotaSettings{Limit: jsii.Number(2), Period: awsapigateway.Period_MONTH},
	})
	plan.AddApiKey(api.AddApiKey(jsii.String("Key"), nil), nil)
}

// An app that uses none of our constructs is served with everything that its
// template asks of callers.
func TestPlainCDKApp(t *testing.T) {
	code := t.TempDir()
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(code, "bootstrap"), "./lambdas/status")
	build.Dir, build.Env = "..", append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	app := newApp(t)
	declarePlain(newStack(app, "Plain"), code)
	app.Synth(nil)
	r := startRuntime(t, "--assembly", *app.Outdir())

	id := with(with(r.claims(), "token_use", "id"), "aud", r.client().ID)
	key := header("x-api-key", r.APIKeys[0].Value)
	tests := []struct {
		name, method, path string
		options            []option
		status             int
		body               string // in the answer
	}{
		{"open", "GET", "/status", nil, 200, "ok"},
		{"no token", "GET", "/me", nil, 401, "Unauthorized"},
		{"ID token", "GET", "/me", []option{bearer(r.forge(t, r.header(), id))}, 200, "ok"},
		{"access token where an ID token is due", "GET", "/me", []option{bearer(r.forge(t, r.header(), r.claims()))}, 401, "Unauthorized"},
		{"access token", "GET", "/notes/7", []option{bearer(r.forge(t, r.header(), r.claims()))}, 200, "ok"},
		{"ID token where a scope is due", "GET", "/notes/7", []option{bearer(r.forge(t, r.header(), id))}, 401, "Unauthorized"},
		{"another scope", "GET", "/notes/7", []option{bearer(r.forge(t, r.header(), with(r.claims(), "scope", "notes/write")))}, 401, "Unauthorized"},
		{"no key", "GET", "/keyed", nil, 403, "Forbidden"},
		{"unknown key", "GET", "/keyed", []option{header("x-api-key", "x")}, 403, "Forbidden"},
		{"key", "GET", "/keyed", []option{key}, 200, "ok"},
		{"key again", "GET", "/keyed", []option{key}, 200, "ok"},
		{"over the quota", "GET", "/keyed", []option{key}, 429, "Limit Exceeded"},
		{"unsigned", "GET", "/signed", nil, 403, "Missing Authentication Token"},
		{"a token where a signature is due", "GET", "/signed", []option{bearer("x")}, 403, "key=value pair"},
		{"greedy", "PATCH", "/files/a/b/c", nil, 200, "ok"},
		{"no parameter", "GET", "/search", nil, 400, "Missing required request parameters: [q]"},
		{"parameter", "GET", "/search?q=a", nil, 200, "ok"},
		{"no such method", "DELETE", "/status", nil, 403, "Missing Authentication Token"},
	}
	for _, tt := range tests {
		if got := call(t, tt.method, r.API+tt.path, tt.options...); got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.body)
		}
	}
	for origin, allowed := range map[string]string{
		"https://shop.example.com": "https://shop.example.com", "https://www.example.com": "https://www.example.com",
	} {
		got := call(t, http.MethodOptions, r.API+"/notes/7", header("Origin", origin), header("Access-Control-Request-Method", "GET"))
		if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != allowed || !strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "GET") {
			t.Errorf("preflight of %s: %d %v", origin, got.status, got.header)
		}
	}
	if strings.Contains(r.log.String(), r.APIKeys[0].Value) {
		t.Error("the log holds the key")
	}
}
