// Package apigatewayaccount sets the role with which Amazon API Gateway writes
// logs.
//
//	apigatewayaccount.New(stack, "Account", apigatewayaccount.Props{})
//
// There is one such setting for each account and Region, shared by every REST
// API in it; a stage with an access log cannot be deployed where it was never
// made. That is why it belongs in a stack of its own, deployed once, and why
// no other construct declares it as a side effect. It stays when its stack is
// deleted: taking it away would stop the logs of APIs that know nothing of the
// stack.
package apigatewayaccount

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Props describes the setting. It has no fields: the role and its policy are
// the ones that AWS documents, and both are always retained.
type Props struct{}

// Account is the setting and its role.
type Account struct {
	// CfnAccount and Role are the CDK's objects.
	CfnAccount awsapigateway.CfnAccount
	Role       awsiam.Role
}

// New declares the setting for the account and Region of the scope's stack. A
// role that was set there before is replaced ("Set up CloudWatch logging for
// REST APIs in API Gateway").
func New(scope constructs.Construct, id string, _ Props) *Account {
	this := constructs.NewConstruct(scope, jsii.String(id))
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		Description: jsii.String("API Gateway writes the logs of all APIs of this account and Region"),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AmazonAPIGatewayPushToCloudWatchLogs")),
		},
	})
	role.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	account := awsapigateway.NewCfnAccount(this, jsii.String("Account"), &awsapigateway.CfnAccountProps{
		CloudWatchRoleArn: role.RoleArn(),
	})
	account.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return &Account{CfnAccount: account, Role: role}
}
