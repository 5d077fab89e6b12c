package customdomain

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/internal/apispec"
)

// zoneIDPattern is a hosted zone's id without "/hostedzone/" ("HostedZone",
// Amazon Route 53 API reference: at most 32 characters).
var zoneIDPattern = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)

// A base path as AWS::ApiGateway::BasePathMapping takes it: one part of a path,
// of these characters ("CreateBasePathMapping", Amazon API Gateway V1).
var basePathPattern = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()-]{1,300}$`)

func (p Props) validate(stack awscdk.Stack) error {
	problems := []error{apispec.CheckDomain("Name", p.Name, "Zone", p.Zone)}
	switch {
	case p.ZoneID == "":
		if *awscdk.Token_IsUnresolved(stack.Account()) || *awscdk.Token_IsUnresolved(stack.Region()) {
			problems = append(problems, fmt.Errorf("no ZoneID, and the stack's account or Region is open, so that nobody can look the zone up; write the ZoneID, or set both in the stack's Env"))
		}
	case *awscdk.Token_IsUnresolved(p.ZoneID): // of a zone that the app itself declares
	case strings.HasPrefix(p.ZoneID, "/hostedzone/"):
		problems = append(problems, fmt.Errorf("ZoneID is %q; write it without /hostedzone/", p.ZoneID))
	case !zoneIDPattern.MatchString(p.ZoneID):
		problems = append(problems, fmt.Errorf("ZoneID is %q; Route 53's start with Z and go on in upper case and digits", p.ZoneID))
	}
	return errors.Join(problems...)
}

func checkBasePath(basePath string) error {
	switch {
	case basePath == "":
		return nil
	case strings.Contains(basePath, "/"):
		return fmt.Errorf("BasePath is %q; write one part of a path, without a slash", basePath)
	case !basePathPattern.MatchString(basePath):
		return fmt.Errorf("BasePath is %q; at most 300 letters, digits and $ - _ . + ! * ' ( )", basePath)
	}
	return nil
}
