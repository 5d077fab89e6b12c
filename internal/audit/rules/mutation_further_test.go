package rules_test

import "github.com/gatewright/gatewright/internal/audit"

// furtherMutations break our stage in the other ways that a rule is about, each
// with a name.
var furtherMutations = map[string]map[string]mutation{
	"method-open": {
		"without a reason": {change: func(d deployed) {
			delete(d.resource(d.api, "AWS::ApiGateway::RestApi")["Metadata"].(object), "gatewright:public")
		}},
	},
	"scope-undefined": {
		"of a route": {change: func(d deployed) {
			d.operation(oneNote, "delete")["security"] = []any{object{d.scheme(): []any{"notes/erase"}}}
		}, also: []string{"scope-ungranted"}},
	},
	"scope-ungranted": {
		"one that clients had": {change: func(d deployed) {
			d.operation(notes, "post")["security"] = d.scoped("notes/write")
			for _, name := range []string{"website", "mobile", "machine", "batch"} {
				d.one(d.identity, "AWS::Cognito::UserPoolClient", name)["AllowedOAuthScopes"] = []any{"notes/read"}
			}
		}},
	},
	"callback-insecure": {
		"the CDK's default": {change: func(d deployed) { d.client()["CallbackURLs"] = []any{"https://example.com"} }},
		"beside another": {change: func(d deployed) {
			d.client()["CallbackURLs"] = []any{"https://shop.example.com/callback", "http://192.0.2.1/callback"}
		}},
	},
	"public-client-secret": {
		"with passwords": {change: func(d deployed) {
			d.client()["GenerateSecret"], d.client()["ExplicitAuthFlows"] = true, []any{"ALLOW_USER_PASSWORD_AUTH"}
		}, also: []string{"public-client-password"}},
		"with implicit tokens": {change: func(d deployed) {
			d.client()["GenerateSecret"], d.client()["AllowedOAuthFlows"] = true, []any{"implicit"}
		}, also: []string{"implicit-grant"}},
	},
	"token-lifetime": {
		"of ID tokens":      {change: func(d deployed) { d.client()["IdTokenValidity"] = 1440 }},
		"of refresh tokens": {change: func(d deployed) { d.client()["RefreshTokenValidity"] = 100 * 24 * 60 }},
		"of machines": {change: func(d deployed) {
			d.one(d.identity, "AWS::Cognito::UserPoolClient", "machine")["AccessTokenValidity"] = 1440
		}},
	},
	"user-existence": {
		"by default": {change: func(d deployed) { delete(d.client(), "PreventUserExistenceErrors") }},
	},
	"stateful-unretained": {
		"users": {change: func(d deployed) {
			pool := d.resource(d.identity, "AWS::Cognito::UserPool")
			pool["DeletionPolicy"], pool["UpdateReplacePolicy"] = "Delete", "Delete"
			delete(pool["Properties"].(object), "DeletionProtection")
		}},
		"when replaced": {change: func(d deployed) {
			table := d.resource(d.api, "AWS::DynamoDB::Table")
			delete(table, "UpdateReplacePolicy")
			delete(table["Properties"].(object), "DeletionProtectionEnabled")
		}},
	},
	"env-secret": {
		"a literal":  {change: func(d deployed) { d.variable("DATABASE_PWD", "planted-0") }},
		"by a value": {change: func(d deployed) { d.variable("DATABASE", "postgres://notes:planted@db/notes") }},
	},
	"cors-wildcard": {
		"of an integration": {change: func(d deployed) {
			d.answers(notes, "get", "'*'")
		}},
		"by a template": {change: func(d deployed) {
			d.preflightTemplates(notes)["application/json"] = "#set($context.responseOverride.header.Access-Control-Allow-Origin = $input.params('Origin'))"
		}},
	},
	"cors-errors": {
		"5XX": {change: func(d deployed) {
			delete(d.body()["x-amazon-apigateway-gateway-responses"].(object), "DEFAULT_5XX")
		}},
		"of a type of its own": {change: func(d deployed) {
			unauthorized := d.body()["x-amazon-apigateway-gateway-responses"].(object)["UNAUTHORIZED"].(object)
			delete(unauthorized["responseParameters"].(object), "gatewayresponse.header.Access-Control-Allow-Origin")
		}},
	},
	"preflight-authorized": {
		"by a key": {change: func(d deployed) {
			d.byKey(d.operation(notes, "options"), true)
			d.plan(object{"Throttle": object{"RateLimit": 1, "BurstLimit": 1}})
		}},
	},
	"execute-api-open": {
		"with mutual TLS": {change: func(d deployed) {
			d.domain("TLS_1_2")
			d.one(d.api, "AWS::ApiGateway::DomainName", "")["MutualTlsAuthentication"] = object{"TruststoreUri": "s3://trust/store.pem"}
		}, severity: audit.Error},
	},
	"tls-old": {
		"by default": {change: func(d deployed) {
			d.domain("TLS_1_2")
			domain := d.one(d.api, "AWS::ApiGateway::DomainName", "")
			delete(domain, "SecurityPolicy")
			domain["EndpointConfiguration"] = object{"Types": []any{"EDGE"}}
			d.rest()["DisableExecuteApiEndpoint"] = true
		}},
	},
	"grant-wildcard": {
		"early in an ARN": {change: func(d deployed) { d.caller("arn:aws:execute-api:*") }},
		"of the API":      {change: func(d deployed) { d.caller("arn:aws:execute-api:eu-central-1:111122223333:*/live/GET/v1/notes") }},
	},
	"permission-wide": {
		"of any API": {change: func(d deployed) {
			d.one(d.api, "AWS::Lambda::Permission", "Notes")["SourceArn"] = "arn:aws:execute-api:eu-central-1:111122223333:*"
		}},
		"of anyone": {change: func(d deployed) {
			permission := d.one(d.api, "AWS::Lambda::Permission", "Notes")
			delete(permission, "SourceArn")
			permission["Principal"] = "*"
		}},
	},
	"log-credentials": {
		"data trace": {change: func(d deployed) {
			d.stage()["MethodSettings"].([]any)[0].(object)["DataTraceEnabled"] = true
		}},
		"data trace of one method": {change: func(d deployed) {
			d.stage()["MethodSettings"] = append(d.stage()["MethodSettings"].([]any), object{"HttpMethod": "GET", "ResourcePath": "/~1v1~1notes", "DataTraceEnabled": true})
		}},
		"a token of the authorizer": {change: func(d deployed) {
			d.stage()["AccessLogSetting"].(object)["Format"] = `{"token":"$context.authorizer.accessToken"}`
		}},
	},
	"no-throttling": {
		"of one setting's half": {change: func(d deployed) {
			d.stage()["MethodSettings"] = []any{object{"HttpMethod": "GET", "ResourcePath": "/~1v1~1notes", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}}
		}},
	},
}
