package assembly_test

import (
	"regexp"
	"strings"
	"testing"
)

// Made-up ids look like AWS's and follow from the template alone.
func TestPhysicalIDs(t *testing.T) {
	t.Parallel()
	const more = `"Resources": {
		"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {}},
		"Node": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "x"}},
		"HTTP": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "h", "ProtocolType": "HTTP"}},
		"Guests": {"Type": "AWS::Cognito::IdentityPool", "Properties": {}},
		"Bucket": {"Type": "AWS::S3::Bucket"}, "Named": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}},
		"Key": {"Type": "AWS::KMS::Key"}, "Topic": {"Type": "AWS::SNS::Topic"}, "Queue": {"Type": "AWS::SQS::Queue"},
		"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "shop"}},
		"Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
		"Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]}, "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]}, "Name": "live"}},
		"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "read", "PolicyDocument": {"Statement": []}}},
		"Far": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "read", "Path": "/a/b/", "PolicyDocument": {"Statement": []}}},
		"Lost": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Open"}}},
		"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/api"}},
		"Param": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}},
		"Maybe": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": {"Fn::If": ["No", "n", {"Ref": "AWS::NoValue"}]}, "Role": "r"}},
		"Other": {"Type": "Custom::Other"},
`
	template := strings.Replace(around, `"Resources": {`, more, 1)
	const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	tests := []struct{ value, want string }{
		{`{"Ref": "AWS::StackId"}`, `arn:aws:cloudformation:eu-west-1:111122223333:stack/S/` + uuid},
		{`{"Ref": "Pool"}`, `eu-west-1_[A-Za-z0-9]{9}`},
		{`{"Fn::GetAtt": ["Pool", "ProviderURL"]}`, `https://cognito-idp\.eu-west-1\.amazonaws\.com/eu-west-1_[A-Za-z0-9]{9}`},
		{`{"Fn::GetAtt": ["Pool", "ProviderName"]}`, `cognito-idp\.eu-west-1\.amazonaws\.com/eu-west-1_[A-Za-z0-9]{9}`},
		{`{"Ref": "Guests"}`, `eu-west-1:` + uuid},
		{`{"Ref": "Node"}`, `[a-z0-9]{6}`},
		{`{"Fn::GetAtt": ["Node", "ResourceId"]}`, `[a-z0-9]{6}`},
		{`{"Fn::GetAtt": ["HTTP", "ApiEndpoint"]}`, `https://[a-z0-9]{10}\.execute-api\.eu-west-1\.amazonaws\.com`},
		{`{"Fn::GetAtt": ["Bucket", "Arn"]}`, `arn:aws:s3:::s-bucket-[a-z0-9]{12}`},
		{`{"Fn::GetAtt": ["Named", "RegionalDomainName"]}`, `files\.s3\.eu-west-1\.amazonaws\.com`},
		{`{"Fn::GetAtt": ["Key", "Arn"]}`, `arn:aws:kms:eu-west-1:111122223333:key/` + uuid},
		{`{"Ref": "Topic"}`, `arn:aws:sns:eu-west-1:111122223333:S-Topic-[A-Z0-9]{12}`},
		{`{"Ref": "Queue"}`, `https://sqs\.eu-west-1\.amazonaws\.com/111122223333/S-Queue-[A-Z0-9]{12}`},
		{`{"Ref": "Secret"}`, `arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-[A-Za-z0-9]{6}`},
		{`{"Ref": "Version"}`, `arn:aws:lambda:eu-west-1:111122223333:function:orders:1`},
		{`{"Ref": "Alias"}`, `arn:aws:lambda:eu-west-1:111122223333:function:orders:live`},
		{`{"Ref": "Policy"}`, `arn:aws:iam::111122223333:policy/read`},
		{`{"Ref": "Far"}`, `arn:aws:iam::111122223333:policy/a/b/read`},
		{`{"Fn::GetAtt": ["Log", "Arn"]}`, `arn:aws:logs:eu-west-1:111122223333:log-group:/aws/api:\*`},
		{`{"Fn::GetAtt": ["Param", "Value"]}`, `v`},
		{`{"Ref": "Maybe"}`, `S-Maybe-[A-Z0-9]{12}`},
		{`{"Ref": "Other"}`, `S-Other-[A-Z0-9]{12}`},
		{`{"Fn::GetAtt": ["Other", "Token"]}`, ``},
		{`{"Ref": "Lost"}`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			first, _ := resolvedIn(t, template, tt.value)
			if again, _ := resolvedIn(t, template, tt.value); again != first {
				t.Errorf("the same template gave %v and %v", first, again)
			}
			text, known := first.(string)
			if known != (tt.want != "") || !regexp.MustCompile("^"+tt.want+"$").MatchString(text) {
				t.Errorf("resolved to %v, want %s", first, tt.want)
			}
		})
	}
}
