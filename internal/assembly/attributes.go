package assembly

import (
	"slices"
	"strings"
)

// attributes are forms of what Fn::GetAtt returns, by type and attribute, with
// $ for the resource's id or name and PATH for the path of an IAM resource
// ("Return values" of each type, AWS CloudFormation Template Reference).
var attributes = map[string]string{ //nolint:gosec // no credentials, only where some are
	typeRestAPI + ".RestApiId":                               "$",
	typeDeployment + ".DeploymentId":                         "$",
	"AWS::ApiGateway::ApiKey.APIKeyId":                       "$",
	"AWS::ApiGateway::Authorizer.AuthorizerId":               "$",
	"AWS::ApiGateway::ClientCertificate.ClientCertificateId": "$",
	"AWS::ApiGateway::RequestValidator.RequestValidatorId":   "$",
	"AWS::ApiGateway::Resource.ResourceId":                   "$",
	"AWS::ApiGateway::UsagePlan.Id":                          "$",
	"AWS::ApiGateway::VpcLink.VpcLinkId":                     "$",
	"AWS::ApiGatewayV2::Api.ApiEndpoint":                     "https://$.execute-api.REGION.URLSUFFIX",
	"AWS::ApiGatewayV2::Api.ApiId":                           "$",
	"AWS::ApiGatewayV2::ApiMapping.ApiMappingId":             "$",
	"AWS::ApiGatewayV2::Authorizer.AuthorizerId":             "$",
	"AWS::ApiGatewayV2::Deployment.DeploymentId":             "$",
	"AWS::ApiGatewayV2::Integration.IntegrationId":           "$",
	"AWS::ApiGatewayV2::Route.RouteId":                       "$",
	"AWS::ApiGatewayV2::VpcLink.VpcLinkId":                   "$",
	typeUserPool + ".Arn":                                    "arn:PARTITION:cognito-idp:REGION:ACCOUNT:userpool/$",
	typeUserPool + ".ProviderName":                           "cognito-idp.REGION.amazonaws.com/$",
	typeUserPool + ".UserPoolId":                             "$",
	typeUserPoolClient + ".ClientId":                         "$",
	typeTable + ".Arn":                                       "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/$",
	"AWS::DynamoDB::GlobalTable.Arn":                         "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/$",
	"AWS::Events::EventBus.Arn":                              "arn:PARTITION:events:REGION:ACCOUNT:event-bus/$",
	"AWS::Events::EventBus.Name":                             "$",
	"AWS::Events::Rule.Arn":                                  "arn:PARTITION:events:REGION:ACCOUNT:rule/$",
	typeRole + ".Arn":                                        "arn:PARTITION:iam::ACCOUNT:rolePATH$",
	"AWS::IAM::Group.Arn":                                    "arn:PARTITION:iam::ACCOUNT:groupPATH$",
	"AWS::IAM::User.Arn":                                     "arn:PARTITION:iam::ACCOUNT:userPATH$",
	typeManagedPolicy + ".PolicyArn":                         "arn:PARTITION:iam::ACCOUNT:policyPATH$",
	"AWS::KMS::Key.Arn":                                      "arn:PARTITION:kms:REGION:ACCOUNT:key/$",
	"AWS::KMS::Key.KeyId":                                    "$",
	"AWS::Kinesis::Stream.Arn":                               "arn:PARTITION:kinesis:REGION:ACCOUNT:stream/$",
	"AWS::KinesisFirehose::DeliveryStream.Arn":               "arn:PARTITION:firehose:REGION:ACCOUNT:deliverystream/$",
	typeFunction + ".Arn":                                    "arn:PARTITION:lambda:REGION:ACCOUNT:function:$",
	typeVersion + ".Version":                                 "1",
	typeLogGroup + ".Arn":                                    "arn:PARTITION:logs:REGION:ACCOUNT:log-group:$:*",
	"AWS::S3::Bucket.Arn":                                    "arn:PARTITION:s3:::$",
	"AWS::S3::Bucket.DomainName":                             "$.s3.URLSUFFIX",
	"AWS::S3::Bucket.DualStackDomainName":                    "$.s3.dualstack.REGION.URLSUFFIX",
	"AWS::S3::Bucket.RegionalDomainName":                     "$.s3.REGION.URLSUFFIX",
	"AWS::SecretsManager::Secret.Id":                         "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:$-SUFFIX",
	"AWS::SNS::Topic.TopicArn":                               "arn:PARTITION:sns:REGION:ACCOUNT:$",
	"AWS::SNS::Topic.TopicName":                              "$",
	"AWS::SQS::Queue.Arn":                                    "arn:PARTITION:sqs:REGION:ACCOUNT:$",
	"AWS::SQS::Queue.QueueName":                              "$",
	"AWS::SQS::Queue.QueueUrl":                               "https://sqs.REGION.URLSUFFIX/ACCOUNT/$",
	"AWS::StepFunctions::StateMachine.Arn":                   "arn:PARTITION:states:REGION:ACCOUNT:stateMachine:$",
	"AWS::StepFunctions::StateMachine.Name":                  "$",
}

// copied are attributes that repeat a property.
var copied = map[string]string{
	typeUserPoolClient + ".Name":         "ClientName",
	typeIdentityPool + ".Name":           "IdentityPoolName",
	"AWS::SSM::Parameter.Type":           "Type",
	"AWS::SSM::Parameter.Value":          "Value",
	"AWS::ApiGatewayV2::DomainName.Name": "DomainName",
}

// secretAttributes are credentials that AWS makes up.
var secretAttributes = []string{typeUserPoolClient + ".ClientSecret", "AWS::IAM::AccessKey.SecretAccessKey"}

// attribute is the value of Fn::GetAtt.
func (r *resolver) attribute(s *stack, id, attribute, at string) any {
	res, ok := s.template.Resources[id]
	if !ok {
		return unknown(at, "refers to %s, which the template of %s does not hold", id, s.path)
	}
	key := res.Type + "." + attribute
	if output, ok := strings.CutPrefix(attribute, "Outputs."); ok && res.Type == typeNestedStack {
		if inner := r.inner(s, id); inner != nil {
			return r.output(inner, output, at)
		}
		return unknown(at, "the template of the nested stack %s is not in the assembly", s.place(id).Path)
	}
	if form, ok := attributes[key]; ok {
		return r.form(s, id, form, r.resourceName(s, id, at), at)
	}
	if property, ok := copied[key]; ok {
		if value := r.property(s, id, property, at); value != (noValue{}) {
			return value
		}
	}
	switch name := text(r.resourceName(s, id, at)); key {
	case typeRestAPI + ".RootResourceId":
		return fake(lower, 10, name, "/")
	case typeUserPool + ".ProviderURL":
		return r.options.issuer(s.region, name)
	case typeTable + ".StreamArn":
		return s.streamARN(id, name)
	case typeAlias + ".AliasArn", typeVersion + ".FunctionArn":
		return r.ref(s, id, at)
	}
	u := unknown(at, "attribute %s of %s is not known here", attribute, res.Type)
	u.Secret = slices.Contains(secretAttributes, key)
	return u
}
