package assembly

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
)

// Resource types that have ids or attributes of their own here.
const (
	typeRestAPI         = "AWS::ApiGateway::RestApi"
	typeAPIStage        = "AWS::ApiGateway::Stage"
	typeDeployment      = "AWS::ApiGateway::Deployment"
	typeDomainName      = "AWS::ApiGateway::DomainName"
	typeBasePathMapping = "AWS::ApiGateway::BasePathMapping"
	typeUserPool        = "AWS::Cognito::UserPool"
	typeUserPoolDomain  = "AWS::Cognito::UserPoolDomain"
	typeUserPoolClient  = "AWS::Cognito::UserPoolClient"
	typeUserPoolGroup   = "AWS::Cognito::UserPoolGroup"
	typeResourceServer  = "AWS::Cognito::UserPoolResourceServer"
	typeFunction        = "AWS::Lambda::Function"
	typePermission      = "AWS::Lambda::Permission"
	typeRole            = "AWS::IAM::Role"
	typeLogGroup        = "AWS::Logs::LogGroup"
	typeTable           = "AWS::DynamoDB::Table"
	typeVersion         = "AWS::Lambda::Version"
	typeAlias           = "AWS::Lambda::Alias"
	typeNestedStack     = "AWS::CloudFormation::Stack"
)

const (
	lower = "abcdefghijklmnopqrstuvwxyz0123456789"
	mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// fake makes an id of n characters that follows from its seed alone.
func fake(alphabet string, n int, seed ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(seed, "\x00")))
	number := new(big.Int).SetBytes(sum[:])
	base, digit := big.NewInt(int64(len(alphabet))), new(big.Int)
	out := make([]byte, n)
	for i := range out {
		number.DivMod(number, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}

func (s *stack) fake(alphabet string, n int, logicalID string) string {
	return fake(alphabet, n, s.account, s.region, s.name, logicalID)
}

// arn writes the ARN of something in the stack's account and Region.
func (s *stack) arn(service, rest string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", Partition(s.region), service, s.region, s.account, rest)
}

// Partition returns the partition of a Region: "aws", "aws-cn" or "aws-us-gov"
// ("Amazon Resource Names (ARNs)", AWS).
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// stackID is an ARN that ends with a UUID, as CloudFormation's do.
func (s *stack) stackID() string {
	sum := sha256.Sum256([]byte(s.account + "\x00" + s.region + "\x00" + s.name))
	return s.arn("cloudformation", "stack/"+s.name+"/"+formatUUID(sum[:16]))
}

func formatUUID(b []byte) string {
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// ref is the value of Ref: a pseudo parameter, a parameter's value, or the
// physical id of a resource.
func (r *resolver) ref(s *stack, id, at string) any {
	if value, ok := s.pseudo(id); ok {
		return value
	}
	if _, ok := s.template.Parameters[id]; ok {
		return r.parameter(s, id, at)
	}
	if res, ok := s.template.Resources[id]; ok {
		return r.resourceID(s, id, res.Type, at)
	}
	return unknown(at, "refers to %s, which the template of %s does not hold", id, s.path)
}

// pseudo is the value of a pseudo parameter ("Get AWS values using pseudo
// parameters", AWS CloudFormation).
func (s *stack) pseudo(name string) (any, bool) {
	switch name {
	case "AWS::AccountId":
		return s.account, true
	case "AWS::NotificationARNs":
		return []any{}, true
	case "AWS::NoValue":
		return noValue{}, true
	case "AWS::Partition":
		return Partition(s.region), true
	case "AWS::Region":
		return s.region, true
	case "AWS::StackId":
		return s.stackID(), true
	case "AWS::StackName":
		return s.name, true
	case "AWS::URLSuffix":
		return s.urlSuffix(), true
	default:
		return nil, false
	}
}

func (s *stack) urlSuffix() string {
	if Partition(s.region) == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// naming says how a type's physical id comes about: AWS makes it up, or a
// property holds it and AWS completes what is left out. Its form is what Ref
// returns, with $ for the id; empty for the id alone.
type naming struct {
	property string
	limit    int // length of a name that CloudFormation makes up
	made     func(s *stack, id string) string
	form     string
}

func random(n int) naming {
	return naming{made: func(s *stack, id string) string { return s.fake(lower, n, id) }}
}

func named(property string, limit int) naming { return naming{property: property, limit: limit} }

func uuid(s *stack, id string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{s.account, s.region, s.name, id}, "\x00")))
	return formatUUID(sum[:16])
}

// namings of the types whose id is not just a name that CloudFormation makes
// up ("Return values" of each type, AWS CloudFormation Template Reference).
var namings = map[string]naming{
	typeRestAPI:                            random(10),
	typeDeployment:                         random(6),
	typeAPIStage:                           named("StageName", 0),
	typeDomainName:                         named("DomainName", 0),
	"AWS::ApiGateway::ApiKey":              random(10),
	"AWS::ApiGateway::Authorizer":          random(6),
	"AWS::ApiGateway::ClientCertificate":   random(6),
	"AWS::ApiGateway::Model":               named("Name", 128),
	"AWS::ApiGateway::RequestValidator":    random(6),
	"AWS::ApiGateway::Resource":            random(6),
	"AWS::ApiGateway::UsagePlan":           random(6),
	"AWS::ApiGateway::VpcLink":             random(6),
	"AWS::ApiGatewayV2::Api":               random(10),
	"AWS::ApiGatewayV2::ApiMapping":        random(6),
	"AWS::ApiGatewayV2::Authorizer":        random(6),
	"AWS::ApiGatewayV2::Deployment":        random(6),
	"AWS::ApiGatewayV2::DomainName":        named("DomainName", 0),
	"AWS::ApiGatewayV2::Integration":       random(7),
	"AWS::ApiGatewayV2::Route":             random(7),
	"AWS::ApiGatewayV2::Stage":             named("StageName", 0),
	"AWS::ApiGatewayV2::VpcLink":           random(6),
	"AWS::CertificateManager::Certificate": {made: uuid, form: "arn:PARTITION:acm:REGION:ACCOUNT:certificate/$"},
	typeIdentityPool:                       {made: func(s *stack, id string) string { return s.region + ":" + uuid(s, id) }},
	typeUserPool:                           {made: func(s *stack, id string) string { return s.region + "_" + s.fake(mixed, 9, id) }},
	typeUserPoolClient:                     random(26),
	typeUserPoolDomain:                     named("Domain", 0),
	typeUserPoolGroup:                      named("GroupName", 128),
	typeResourceServer:                     named("Identifier", 0),
	typeTable:                              named("TableName", 255),
	"AWS::DynamoDB::GlobalTable":           named("TableName", 255),
	"AWS::Events::EventBus":                named("Name", 256),
	"AWS::Events::Rule":                    named("Name", 64),
	typeRole:                               named("RoleName", 64),
	"AWS::IAM::Group":                      named("GroupName", 128),
	typeManagedPolicy:                      {property: "ManagedPolicyName", limit: 128, form: "arn:PARTITION:iam::ACCOUNT:policyPATH$"},
	"AWS::IAM::Policy":                     named("PolicyName", 128),
	"AWS::IAM::User":                       named("UserName", 64),
	"AWS::Kinesis::Stream":                 named("Name", 128),
	"AWS::KinesisFirehose::DeliveryStream": named("DeliveryStreamName", 64),
	"AWS::KMS::Alias":                      named("AliasName", 0),
	"AWS::KMS::Key":                        {made: uuid},
	typeFunction:                           named("FunctionName", 64),
	"AWS::Lambda::LayerVersion":            {property: "LayerName", limit: 140, form: "arn:PARTITION:lambda:REGION:ACCOUNT:layer:$:1"},
	typeLogGroup:                           named("LogGroupName", 512),
	"AWS::S3::Bucket":                      named("BucketName", 63),
	"AWS::SecretsManager::Secret":          {property: "Name", limit: 64, form: "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:$-SUFFIX"},
	"AWS::SNS::Topic":                      {property: "TopicName", limit: 256, form: "arn:PARTITION:sns:REGION:ACCOUNT:$"},
	"AWS::SQS::Queue":                      {property: "QueueName", limit: 80, form: "https://sqs.REGION.URLSUFFIX/ACCOUNT/$"},
	"AWS::SSM::Parameter":                  named("Name", 1000),
	"AWS::StepFunctions::StateMachine":     {property: "StateMachineName", limit: 80, form: "arn:PARTITION:states:REGION:ACCOUNT:stateMachine:$"},
}

// resourceID is what Ref returns for a resource.
func (r *resolver) resourceID(s *stack, id, kind, at string) any {
	switch kind {
	case typeNestedStack:
		if inner := r.inner(s, id); inner != nil {
			return inner.stackID()
		}
		return unknown(at, "the template of the nested stack %s is not in the assembly", s.place(id).Path)
	case typeVersion:
		return r.qualified(s, id, "1", at)
	case typeAlias:
		return r.qualified(s, id, r.property(s, id, "Name", at), at)
	}
	name := r.resourceName(s, id, at)
	if form := namings[kind].form; form != "" {
		return r.form(s, id, form, name, at)
	}
	return name
}

// qualified is the ARN of a version or an alias of a function.
func (r *resolver) qualified(s *stack, id string, qualifier any, at string) any {
	function := r.property(s, id, "FunctionName", at)
	if name := text(function); name != "" && !strings.HasPrefix(name, "arn:") {
		function = s.arn("lambda", "function:"+name)
	}
	return r.joined([]any{function, qualifier}, ":", at)
}

// resourceName is the id or the name by which an ARN knows a resource.
func (r *resolver) resourceName(s *stack, id, at string) any {
	kind := s.template.Resources[id].Type
	naming, known := namings[kind]
	switch {
	case !known:
		return s.generatedName(id, 255)
	case naming.made != nil:
		return naming.made(s, id)
	}
	value := r.property(s, id, naming.property, at)
	switch {
	case value != (noValue{}):
		return value
	case naming.limit == 0:
		return unknown(at, "%s has no %s", s.place(id).Path, naming.property)
	case kind == "AWS::S3::Bucket":
		return strings.ToLower(s.generatedName(id, naming.limit))
	default:
		return s.generatedName(id, naming.limit)
	}
}

// form writes what a form stands for. The path of an IAM resource is "/" where
// it has none.
func (r *resolver) form(s *stack, id, form string, name any, at string) any {
	before, after, _ := strings.Cut(form, "$")
	parts := []any{s.fill(before, id), name, s.fill(after, id)}
	if head, tail, ok := strings.Cut(before, "PATH"); ok {
		path := r.property(s, id, "Path", at)
		if path == (noValue{}) {
			path = "/"
		}
		parts = []any{s.fill(head, id), path, tail, name}
	}
	return r.joined(parts, "", at)
}

func (s *stack) fill(form, id string) string {
	return strings.NewReplacer("PARTITION", Partition(s.region), "REGION", s.region, "ACCOUNT", s.account,
		"URLSUFFIX", s.urlSuffix(), "SUFFIX", s.fake(mixed, 6, id)).Replace(form)
}

// property resolves a property of a resource. It is noValue where there is
// none.
func (r *resolver) property(s *stack, id, name, at string) any {
	properties := s.template.Resources[id].Properties
	value, ok := properties[name]
	place := s.place(id).Path + "." + name
	if _, _, function := intrinsic(properties); function {
		return unknown(place, "properties that a function makes are not understood")
	}
	if !ok {
		return noValue{}
	}
	return r.once(s, id+"."+name, at, func() any { return r.resolve(s, value, place) })
}

// generatedName is a name as CloudFormation makes it up.
func (s *stack) generatedName(id string, limit int) string {
	suffix := "-" + s.fake(upper, 12, id)
	name := s.name + "-" + id
	return name[:min(len(name), limit-len(suffix))] + suffix
}
