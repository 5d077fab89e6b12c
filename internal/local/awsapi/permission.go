package awsapi

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
)

// forbid says why a caller may not do an operation on all of its resources, in
// AWS's words ("Troubleshoot access denied error messages", IAM user guide
// [doc]), or returns "" if it may. What is not known of the caller's policies
// follows in brackets, which AWS has no need of.
func (e *Endpoint) forbid(r *http.Request, c *call, who identity, resources []string) string {
	if who.AccessKeyID == e.operator.AccessKeyID {
		return ""
	}
	statements, unknown := e.config.Policies(who.roleARN)
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	action := c.service + ":" + c.operation
	for _, resource := range resources {
		arn := e.resourceARN(c.service, resource)
		decision := iam.Evaluate(statements, iam.Request{Action: action, Resource: arn, Context: e.context(r, who)})
		if decision == iam.Allowed && unknown == "" {
			continue
		}
		denied := "User: " + who.Principal + " is not authorized to perform: " + action + " on resource: " + arn
		if decision == iam.ExplicitDeny {
			denied += " with an explicit deny in an identity-based policy"
		} else {
			denied += " because no identity-based policy allows the " + action + " action"
		}
		if unknown != "" {
			denied += " (locally " + who.roleARN + " may do nothing: " + unknown + ")"
		}
		return denied
	}
	return ""
}

// resourceARN completes a resource of a service.
func (e *Endpoint) resourceARN(service, resource string) string {
	if resource == "*" {
		return resource
	}
	return strings.Join([]string{"arn", assembly.Partition(e.config.Region), service, e.config.Region, e.config.Account, resource}, ":")
}

// context holds the condition keys whose values are known of a role's session
// ("AWS global condition context keys", IAM user guide [doc]). An allow that
// asks for another, such as dynamodb:LeadingKeys, does not count; a deny that
// does so counts.
func (e *Endpoint) context(r *http.Request, who identity) map[string][]string {
	known := map[string][]string{
		"aws:PrincipalArn":     {who.roleARN},
		"aws:PrincipalAccount": {strings.Split(who.Principal, ":")[4]},
		"aws:PrincipalType":    {"AssumedRole"},
		"aws:username":         {},
		"aws:RequestedRegion":  {e.config.Region},
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		known["aws:SourceIp"] = []string{from.Addr().Unmap().WithZone("").String()}
	}
	return known
}
