package restapi

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AccessLog describes the log of requests: one line of JSON for each, with its
// ids, address, method, the route's path, status, kind of error, latencies in
// milliseconds, and the client and subject that an authorizer verified, a user
// pool's own or the Lambda authorizer; of a customer, its id and the id of the
// key that it sent, which is no secret. It holds no header, no query, no path as
// it was sent and no body, so no credential, and nothing that a caller could hide
// one in.
//
// API Gateway writes all its logs through one role for each account and
// Region. Where the account has none, the stage fails to deploy with
// "CloudWatch Logs role ARN must be set in account settings to enable
// logging"; constructs/apigatewayaccount sets it.
type AccessLog struct {
	// Off leaves the API without an access log. Default: false, so that who
	// called what can be told afterwards.
	Off bool
	// Retention is how long lines are kept, the Lambda authorizer's, too. Default:
	// one month. With Off it is an error.
	Retention awslogs.RetentionDays
}

// accessLogFormat is one line of JSON. Every value is quoted, because one that
// is absent is written as "-" ("Variables for access logging for API
// Gateway"). $context.path stays out: it is what the caller sent.
const accessLogFormat = `{` +
	`"requestId":"$context.requestId",` +
	`"extendedRequestId":"$context.extendedRequestId",` +
	`"ip":"$context.identity.sourceIp",` +
	`"method":"$context.httpMethod",` +
	`"path":"$context.resourcePath",` +
	`"status":"$context.status",` +
	`"error":"$context.error.responseType",` +
	`"latency":"$context.responseLatency",` +
	`"integrationLatency":"$context.integrationLatency",` +
	`"client":"$context.authorizer.claims.client_id",` +
	`"subject":"$context.authorizer.claims.sub",` +
	`"authorizerClient":"$context.authorizer.clientId",` +
	`"authorizerSubject":"$context.authorizer.subject",` +
	`"authorizerKey":"$context.authorizer.key"` +
	`}`

// stageOptions describes the stage that is deployed, with the access log's
// destination where there is one.
func (p Props) stageOptions(log awslogs.LogGroup) *awsapigateway.StageOptions {
	options := &awsapigateway.StageOptions{
		MethodOptions:        p.methodOptions(),
		StageName:            jsii.String(p.StageName),
		ThrottlingRateLimit:  jsii.Number(p.RateLimit),
		ThrottlingBurstLimit: jsii.Number(p.BurstLimit),
	}
	if p.Tracing {
		options.TracingEnabled = jsii.Bool(true)
	}
	if log != nil {
		options.AccessLogDestination = awsapigateway.NewLogGroupLogDestination(log)
		options.AccessLogFormat = awsapigateway.AccessLogFormat_Custom(jsii.String(accessLogFormat))
	}
	return options
}

// methodOptions holds the routes that have a throttle of their own. A method's
// settings replace the stage's whole, so each names both limits.
func (p Props) methodOptions() *map[string]*awsapigateway.MethodDeploymentOptions {
	options := map[string]*awsapigateway.MethodDeploymentOptions{}
	for pattern, route := range p.Routes {
		t := route.Throttle
		if t == (Throttle{}) {
			continue
		}
		if t.Rate == 0 {
			t.Rate = p.RateLimit
		}
		if t.Burst == 0 {
			t.Burst = p.BurstLimit
		}
		method, path, _ := strings.Cut(pattern, " ")
		options[path+"/"+method] = &awsapigateway.MethodDeploymentOptions{
			ThrottlingRateLimit:  jsii.Number(t.Rate),
			ThrottlingBurstLimit: jsii.Number(t.Burst),
		}
	}
	if len(options) == 0 {
		return nil
	}
	return &options
}

// declareAccessLog returns nil where the log is off.
func (p Props) declareAccessLog(this constructs.Construct) awslogs.LogGroup {
	if p.AccessLog.Off {
		return nil
	}
	return awslogs.NewLogGroup(this, jsii.String("AccessLog"), &awslogs.LogGroupProps{Retention: p.AccessLog.Retention})
}
