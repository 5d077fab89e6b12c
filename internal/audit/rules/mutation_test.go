package rules_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/audit"
	"github.com/gatewright/gatewright/internal/audit/rules"
)

// object is a piece of a template.
type object = map[string]any

// deployed is our production stage as its golden templates have it.
type deployed struct {
	t             *testing.T
	api, identity object // templates
}

func readDeployed(t *testing.T) deployed {
	t.Helper()
	data, err := os.ReadFile("../../../test/testdata/prod.templates.json")
	if err != nil {
		t.Fatal(err)
	}
	var templates map[string]object
	if err := json.Unmarshal(data, &templates); err != nil {
		t.Fatal(err)
	}
	d := deployed{t: t}
	for name, template := range templates {
		if strings.Contains(name, "Identity") {
			d.identity = template
		} else {
			d.api = template
		}
	}
	return d
}

// audit writes the stage as an assembly and returns what is found.
func (d deployed) audit() []audit.Finding {
	d.t.Helper()
	dir := d.t.TempDir()
	write := func(name string, value any) {
		data, err := json.Marshal(value)
		if err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	stack := func(name string, dependencies ...string) object {
		return object{
			"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-central-1", "displayName": "prod/" + name,
			"properties": object{"templateFile": name + ".json", "stackName": "prod-" + name}, "dependencies": dependencies,
		}
	}
	write("manifest.json", object{"version": "54.0.0", "artifacts": object{"prod-Identity": stack("Identity"), "prod-Api": stack("Api", "prod-Identity")}})
	write("Identity.json", d.identity)
	write("Api.json", d.api)
	result, err := rules.Audit(rules.Target{Path: dir, Now: time.Now()})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, part := range result.NotUnderstood {
		if !strings.Contains(part.Text, "mutual TLS") {
			d.t.Errorf("not understood: %s: %s", part.Path, part.Text)
		}
	}
	return result.Findings
}

// one returns the properties of the resource of a type whose logical id holds a
// text.
func (d deployed) one(template object, kind, id string) object {
	d.t.Helper()
	for logicalID, value := range template["Resources"].(object) {
		if resource := value.(object); resource["Type"] == kind && strings.Contains(logicalID, id) {
			return resource["Properties"].(object)
		}
	}
	d.t.Fatalf("no %s %s", kind, id)
	return nil
}

func (d deployed) resource(template object, kind string) object {
	for _, value := range template["Resources"].(object) {
		if resource := value.(object); resource["Type"] == kind {
			return resource
		}
	}
	d.t.Fatalf("no %s", kind)
	return nil
}

// add declares one more resource of the API's stack.
func (d deployed) add(id, kind string, properties object) {
	d.api["Resources"].(object)[id] = object{"Type": kind, "Properties": properties}
}

func (d deployed) client() object {
	return d.one(d.identity, "AWS::Cognito::UserPoolClient", "website")
}
func (d deployed) pool() object  { return d.one(d.identity, "AWS::Cognito::UserPool", "") }
func (d deployed) body() object  { return d.rest()["Body"].(object) }
func (d deployed) rest() object  { return d.one(d.api, "AWS::ApiGateway::RestApi", "") }
func (d deployed) stage() object { return d.one(d.api, "AWS::ApiGateway::Stage", "") }

func (d deployed) operation(path, method string) object {
	d.t.Helper()
	operation, ok := d.body()["paths"].(object)[path].(object)[method].(object)
	if !ok {
		d.t.Fatalf("no %s %s", method, path)
	}
	return operation
}

func (d deployed) id(template object, kind string) string {
	for id, value := range template["Resources"].(object) {
		if value.(object)["Type"] == kind {
			return id
		}
	}
	d.t.Fatalf("no %s", kind)
	return ""
}

func (d deployed) ref(kind string) object { return object{"Ref": d.id(d.api, kind)} }

// scheme is the security scheme of the user pool's own authorizer.
func (d deployed) scheme() string {
	for name, scheme := range d.schemes() {
		if scheme.(object)["x-amazon-apigateway-authtype"] == "cognito_user_pools" {
			return name
		}
	}
	d.t.Fatal("no security scheme of a user pool")
	return ""
}

func (d deployed) schemes() object {
	return d.body()["components"].(object)["securitySchemes"].(object)
}

// withoutLambdaAuthorizer lets the user pool's own authorizer decide about every
// route, so that nothing is left that could ask for any scope.
func (d deployed) withoutLambdaAuthorizer() {
	d.operation("/v1/session", "get")["security"] = d.scoped("web/use")
	for _, path := range []string{notes, oneNote} {
		for method := range d.body()["paths"].(object)[path].(object) {
			if method != "options" {
				d.operation(path, method)["security"] = d.scoped("notes/read", "notes/write")
			}
		}
	}
	delete(d.schemes(), "gatewright")
}

// scoped asks for an access token with any of the scopes.
func (d deployed) scoped(scopes ...any) []any { return []any{object{d.scheme(): scopes}} }

// byKey makes a route ask for an API key as well, or for that alone.
func (d deployed) byKey(operation object, alone bool) {
	d.body()["components"].(object)["securitySchemes"].(object)["api_key"] = object{"type": "apiKey", "name": "x-api-key", "in": "header"}
	if alone {
		operation["security"] = []any{object{"api_key": []any{}}}
		return
	}
	operation["security"].([]any)[0].(object)["api_key"] = []any{}
}

// plan adds a usage plan of the stage.
func (d deployed) plan(limits object) {
	limits["ApiStages"] = []any{object{"ApiId": d.ref("AWS::ApiGateway::RestApi"), "Stage": d.ref("AWS::ApiGateway::Stage")}}
	d.add("Plan", "AWS::ApiGateway::UsagePlan", limits)
}

// domain puts the API behind a domain of its own.
func (d deployed) domain(policy string) {
	d.add("Domain", "AWS::ApiGateway::DomainName", object{
		"DomainName": "api.example.com", "EndpointConfiguration": object{"Types": []any{"REGIONAL"}}, "SecurityPolicy": policy,
		"RegionalCertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/x",
	})
	d.add("Mapping", "AWS::ApiGateway::BasePathMapping", object{
		"DomainName": object{"Ref": "Domain"}, "RestApiId": d.ref("AWS::ApiGateway::RestApi"), "Stage": d.ref("AWS::ApiGateway::Stage"),
	})
}

// preflight returns what a path's OPTIONS answers as headers.
func (d deployed) preflight(path string) object {
	return d.preflightResponse(path)["responseParameters"].(object)
}

// preflightTemplates return what else it answers, by content type.
func (d deployed) preflightTemplates(path string) object {
	return d.preflightResponse(path)["responseTemplates"].(object)
}

func (d deployed) preflightResponse(path string) object {
	responses := d.operation(path, "options")["x-amazon-apigateway-integration"].(object)["responses"].(object)
	return responses["default"].(object)
}

// answers makes an integration that is no proxy answer with an origin.
func (d deployed) answers(path, method, origin string) {
	d.operation(path, method)["x-amazon-apigateway-integration"] = object{
		"type": "http", "httpMethod": "GET", "uri": "https://backend.example.com",
		"responses": object{"default": object{"statusCode": "200", "responseParameters": object{"method.response.header.Access-Control-Allow-Origin": origin}}},
	}
}

// variable sets an environment variable of the function that keeps notes.
func (d deployed) variable(name, value string) {
	d.one(d.api, "AWS::Lambda::Function", "Notes")["Environment"].(object)["Variables"].(object)[name] = value
}

// signed makes a route take signatures.
func (d deployed) signed(path, method string) {
	d.body()["components"].(object)["securitySchemes"].(object)["sigv4"] = object{
		"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
	}
	d.operation(path, method)["security"] = []any{object{"sigv4": []any{}}}
}

// caller adds a role that may call a resource.
func (d deployed) caller(resource any) {
	d.add("Caller", "AWS::IAM::Role", object{
		"AssumeRolePolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole",
		}}},
		"Policies": []any{object{"PolicyName": "calls", "PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource,
		}}}}},
	})
}

const (
	notes   = "/v1/notes"
	oneNote = "/v1/notes/{id}"
)

// mutation breaks our stage. What else is found because of it stands beside, and
// how bad it is where that is not what the rule says.
type mutation struct {
	change   func(deployed)
	also     []string
	severity audit.Severity
}

// mutations break our stage in the way that each rule is about.
var mutations = map[string]mutation{
	"authorizer-unattached": {change: func(d deployed) {
		d.add("Unused", "AWS::ApiGateway::Authorizer", object{
			"RestApiId": d.ref("AWS::ApiGateway::RestApi"), "Name": "unused", "Type": "COGNITO_USER_POOLS",
			"IdentitySource": "method.request.header.Authorization", "ProviderARNs": []any{"arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_Other"},
		})
	}},
	"method-open":           {change: func(d deployed) { delete(d.operation(notes, "get"), "security") }},
	"method-without-scopes": {change: func(d deployed) { d.operation(notes, "get")["security"] = []any{object{d.scheme(): []any{}}} }},
	"scope-ungranted": {change: func(d deployed) {
		server := d.one(d.identity, "AWS::Cognito::UserPoolResourceServer", "notes")
		server["Scopes"] = append(server["Scopes"].([]any), object{"ScopeName": "erase", "ScopeDescription": "Erase notes"})
		d.operation(oneNote, "delete")["security"] = []any{object{d.scheme(): []any{"notes/erase"}}}
	}},
	"scope-undefined": {change: func(d deployed) {
		d.client()["AllowedOAuthScopes"] = append(d.client()["AllowedOAuthScopes"].([]any), "notes/erase")
	}},
	"scope-unused": {change: func(d deployed) {
		d.withoutLambdaAuthorizer()
		server := d.one(d.identity, "AWS::Cognito::UserPoolResourceServer", "notes")
		server["Scopes"] = append(server["Scopes"].([]any), object{"ScopeName": "export", "ScopeDescription": "Export notes"})
		d.client()["AllowedOAuthScopes"] = append(d.client()["AllowedOAuthScopes"].([]any), "notes/export")
	}},
	"implicit-grant":    {change: func(d deployed) { d.client()["AllowedOAuthFlows"] = []any{"code", "implicit"} }},
	"callback-insecure": {change: func(d deployed) { d.client()["CallbackURLs"] = []any{"http://shop.example.com/callback"} }},
	"public-client-secret": {change: func(d deployed) {
		d.client()["GenerateSecret"], d.client()["CallbackURLs"] = true, []any{"com.example.shop:/callback"}
	}},
	"public-client-password": {change: func(d deployed) { d.client()["ExplicitAuthFlows"] = []any{"ALLOW_USER_PASSWORD_AUTH"} }},
	"admin-scope": {change: func(d deployed) {
		d.client()["AllowedOAuthScopes"] = append(d.client()["AllowedOAuthScopes"].([]any), "aws.cognito.signin.user.admin")
	}},
	"admin-scope-signup": {change: func(d deployed) {
		d.pool()["AdminCreateUserConfig"] = object{"AllowAdminCreateUserOnly": false}
		server := d.one(d.identity, "AWS::Cognito::UserPoolResourceServer", "notes")
		server["Scopes"] = append(server["Scopes"].([]any), object{"ScopeName": "admin", "ScopeDescription": "Administer notes"})
		d.client()["AllowedOAuthScopes"] = append(d.client()["AllowedOAuthScopes"].([]any), "notes/admin")
		d.operation(oneNote, "delete")["security"] = []any{object{d.scheme(): []any{"notes/admin"}}}
	}},
	"token-lifetime":   {change: func(d deployed) { d.client()["AccessTokenValidity"] = 1440 }},
	"user-existence":   {change: func(d deployed) { d.client()["PreventUserExistenceErrors"] = "LEGACY" }},
	"token-revocation": {change: func(d deployed) { d.client()["EnableTokenRevocation"] = false }},
	"stateful-unretained": {change: func(d deployed) {
		table := d.resource(d.api, "AWS::DynamoDB::Table")
		table["DeletionPolicy"], table["UpdateReplacePolicy"] = "Delete", "Delete"
		delete(table["Properties"].(object), "DeletionProtectionEnabled")
	}},
	"env-secret": {change: func(d deployed) {
		d.one(d.api, "AWS::Lambda::Function", "Notes")["Environment"].(object)["Variables"].(object)["DATABASE_PASSWORD"] = "{{resolve:secretsmanager:notes}}"
	}},
	"cors-methods": {change: func(d deployed) {
		d.preflight(notes)["method.response.header.Access-Control-Allow-Methods"] = "'Content-Type,Authorization'"
	}},
	"cors-wildcard": {change: func(d deployed) {
		d.preflight(notes)["method.response.header.Access-Control-Allow-Origin"] = "'*'"
	}},
	"cors-errors": {change: func(d deployed) {
		delete(d.body()["x-amazon-apigateway-gateway-responses"].(object), "DEFAULT_4XX")
	}},
	"preflight-authorized": {change: func(d deployed) {
		d.operation(notes, "options")["security"] = d.operation(notes, "get")["security"]
	}},
	"key-only": {change: func(d deployed) {
		d.byKey(d.operation(notes, "get"), true)
		d.plan(object{"Throttle": object{"RateLimit": 1, "BurstLimit": 1}})
	}},
	"key-without-plan": {change: func(d deployed) { d.byKey(d.operation(notes, "get"), false) }},
	"plan-unlimited":   {change: func(d deployed) { d.plan(object{}) }},
	"execute-api-open": {change: func(d deployed) { d.domain("TLS_1_2") }},
	"tls-old": {change: func(d deployed) {
		d.domain("TLS_1_0")
		d.rest()["DisableExecuteApiEndpoint"] = true
	}},
	"authorizer-cached": {change: func(d deployed) {
		d.body()["components"].(object)["securitySchemes"].(object)["keys"] = object{
			"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": object{
				"type": "token", "authorizerUri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:111122223333:function:keys/invocations",
			},
		}
		d.operation(notes, "get")["security"] = []any{object{"keys": []any{}}}
	}},
	"grant-wildcard": {change: func(d deployed) { d.caller("*") }},
	"grant-covers-stricter": {change: func(d deployed) {
		d.body()["paths"].(object)["/v1/notes/{id}/owner"] = object{"get": object{
			"responses": object{}, "x-amazon-apigateway-integration": object{"type": "http_proxy", "httpMethod": "GET", "uri": "https://backend.example.com"},
		}}
		d.signed("/v1/notes/{id}/owner", "get")
		d.signed(oneNote, "get")
		d.caller(object{"Fn::Sub": "arn:aws:execute-api:eu-central-1:111122223333:${" + d.id(d.api, "AWS::ApiGateway::RestApi") + "}/live/GET/v1/notes/*"})
	}},
	"permission-wide": {change: func(d deployed) { delete(d.one(d.api, "AWS::Lambda::Permission", "Notes"), "SourceArn") }},
	"log-credentials": {change: func(d deployed) {
		d.stage()["AccessLogSetting"].(object)["Format"] = `{"key":"$context.identity.apiKey"}`
	}},
	"no-access-log": {change: func(d deployed) { delete(d.stage(), "AccessLogSetting") }},
	"no-throttling": {change: func(d deployed) { delete(d.stage(), "MethodSettings") }},
	"proxy-widens": {change: func(d deployed) {
		d.body()["paths"].(object)["/v1/{proxy+}"] = object{"x-amazon-apigateway-any-method": object{
			"responses": object{}, "x-amazon-apigateway-integration": object{"type": "http_proxy", "httpMethod": "ANY", "uri": "https://backend.example.com"},
		}}
	}, also: []string{"method-open"}},
}

// Our stage is clean, and broken in each way that a rule is about, the rule says
// so.
func TestMutations(t *testing.T) {
	t.Parallel()
	if found := ids(readDeployed(t).audit()); len(found) > 0 {
		t.Fatalf("the stage as it is: %v", found)
	}
	for _, rule := range rules.All {
		first, ok := mutations[rule.ID]
		if !ok {
			t.Errorf("nothing breaks the stage in the way of %s", rule.ID)
		}
		t.Run(rule.ID, func(t *testing.T) { t.Parallel(); mutate(t, rule.ID, first) })
		for name, further := range furtherMutations[rule.ID] {
			t.Run(rule.ID+", "+name, func(t *testing.T) { t.Parallel(); mutate(t, rule.ID, further) })
		}
	}
	for id := range furtherMutations {
		if _, ok := rules.Find(id); !ok {
			t.Errorf("no rule %s", id)
		}
	}
}

func mutate(t *testing.T, rule string, m mutation) {
	t.Helper()
	d := readDeployed(t)
	m.change(d)
	want := append([]string{rule}, m.also...)
	slices.Sort(want)
	findings := d.audit()
	if found := ids(findings); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	for _, f := range findings {
		if f.Rule == rule && m.severity != "" && f.Severity != m.severity {
			t.Errorf("it is a %s, want %s", f.Severity, m.severity)
		}
	}
}

// ids are the rules that find something, each once.
func ids(findings []audit.Finding) []string {
	found := []string{}
	for _, f := range findings {
		found = append(found, f.Rule)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
