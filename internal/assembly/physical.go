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
	typeResourceServer  = "AWS::Cognito::UserPoolResourceServer"
	typeFunction        = "AWS::Lambda::Function"
	typePermission      = "AWS::Lambda::Permission"
	typeRole            = "AWS::IAM::Role"
	typeLogGroup        = "AWS::Logs::LogGroup"
	typeTable           = "AWS::DynamoDB::Table"
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
	h := hex.EncodeToString(sum[:16])
	uuid := strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
	return s.arn("cloudformation", "stack/"+s.name+"/"+uuid)
}

// ref is the value of Ref: a pseudo parameter, a parameter's default, or the
// physical id of a resource.
func (r *resolver) ref(s *stack, id, at string) (any, error) {
	switch id {
	case "AWS::AccountId":
		return s.account, nil
	case "AWS::NoValue":
		return noValue{}, nil
	case "AWS::Partition":
		return Partition(s.region), nil
	case "AWS::Region":
		return s.region, nil
	case "AWS::StackId":
		return s.stackID(), nil
	case "AWS::StackName":
		return s.name, nil
	case "AWS::URLSuffix":
		if Partition(s.region) == "aws-cn" {
			return "amazonaws.com.cn", nil
		}
		return "amazonaws.com", nil
	}
	if parameter, ok := s.template.Parameters[id]; ok {
		if kind := text(parameter["Type"]); strings.HasPrefix(kind, "AWS::SSM::") {
			return nil, fmt.Errorf("%s: parameter %s stands for a stored value, which is not known here", at, id)
		}
		if value, ok := parameter["Default"]; ok {
			return value, nil
		}
		return nil, fmt.Errorf("%s: parameter %s has no default", at, id)
	}
	res, ok := s.template.Resources[id]
	if !ok {
		return nil, fmt.Errorf("%s: refers to %s, which the template of %s does not hold", at, id, s.path)
	}
	switch res.Type {
	case typeRestAPI:
		return s.fake(lower, 10, id), nil
	case typeDeployment:
		return s.fake(lower, 6, id), nil
	case typeAPIStage:
		return r.property(s, id, "StageName", at)
	case typeUserPool:
		return s.region + "_" + s.fake(mixed, 9, id), nil
	case typeUserPoolClient:
		return s.fake(lower, 26, id), nil
	case typeUserPoolDomain:
		return r.property(s, id, "Domain", at)
	case typeDomainName:
		return r.property(s, id, "DomainName", at)
	case typeResourceServer:
		return r.property(s, id, "Identifier", at)
	case typeFunction:
		return r.name(s, id, "FunctionName", 64, at)
	case typeRole:
		return r.name(s, id, "RoleName", 64, at)
	case typeLogGroup:
		return r.name(s, id, "LogGroupName", 512, at)
	case typeTable:
		return r.name(s, id, "TableName", 255, at)
	default:
		return s.generatedName(id, 255), nil
	}
}

// property resolves a property that is a resource's physical id.
func (r *resolver) property(s *stack, id, name, at string) (any, error) {
	value, ok := s.template.Resources[id].Properties[name]
	if !ok {
		return nil, fmt.Errorf("%s: %s has no %s", at, s.place(id).Path, name)
	}
	return r.resolve(s, value, at)
}

// name is a resource's own name, or one as CloudFormation makes it up.
func (r *resolver) name(s *stack, id, property string, limit int, at string) (any, error) {
	if _, named := s.template.Resources[id].Properties[property]; named {
		return r.property(s, id, property, at)
	}
	return s.generatedName(id, limit), nil
}

func (s *stack) generatedName(id string, limit int) string {
	suffix := "-" + s.fake(upper, 12, id)
	name := s.name + "-" + id
	return name[:min(len(name), limit-len(suffix))] + suffix
}

// attribute is the value of Fn::GetAtt.
func (r *resolver) attribute(s *stack, id, attribute, at string) (any, error) {
	res, ok := s.template.Resources[id]
	if !ok {
		return nil, fmt.Errorf("%s: refers to %s, which the template of %s does not hold", at, id, s.path)
	}
	value, err := r.ref(s, id, at)
	if err != nil {
		return nil, err
	}
	ref := text(value)
	switch res.Type + "." + attribute {
	case typeRestAPI + ".RestApiId", typeUserPool + ".UserPoolId", typeUserPoolClient + ".ClientId", typeDeployment + ".DeploymentId":
		return ref, nil
	case typeRestAPI + ".RootResourceId":
		return fake(lower, 10, ref, "/"), nil
	case typeUserPool + ".Arn":
		return s.arn("cognito-idp", "userpool/"+ref), nil
	case typeUserPool + ".ProviderName":
		return "cognito-idp." + s.region + ".amazonaws.com/" + ref, nil
	case typeUserPool + ".ProviderURL":
		return r.options.issuer(s.region, ref), nil
	case typeFunction + ".Arn":
		return s.arn("lambda", "function:"+ref), nil
	case typeRole + ".Arn":
		return fmt.Sprintf("arn:%s:iam::%s:role/%s", Partition(s.region), s.account, ref), nil
	case typeTable + ".Arn":
		return s.tableARN(ref), nil
	case typeTable + ".StreamArn":
		return s.streamARN(id, ref), nil
	case typeLogGroup + ".Arn":
		return s.arn("logs", "log-group:"+ref+":*"), nil
	default:
		return nil, fmt.Errorf("%s: attribute %s of %s is not understood", at, attribute, res.Type)
	}
}
