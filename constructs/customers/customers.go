// Package customers declares where an API's customers and their static keys are
// kept: a DynamoDB table of which each customer is one item.
//
//	shop := customers.New(stack, "Customers", customers.Props{})
//	restapi.New(stack, "API", restapi.Props{
//		UserPools: []*userpool.UserPool{users},
//		Customers: shop,
//		Routes: restapi.Routes{
//			"GET /orders": {Access: access.AnyOf(access.Scopes("orders/read"), access.Key("orders/read")), Target: orders},
//		},
//	})
//
// The table holds no key: of each it holds a digest, by which the API's Lambda
// authorizer knows the key when it comes. Operators make customers and keys with
// the gatewright command and their own AWS identity.
package customers

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/internal/authconfig"
)

// DefaultKeyPrefix is what keys begin with where [Props] say nothing else.
const DefaultKeyPrefix = "gw"

// Props describes an API's customers.
type Props struct {
	// KeyPrefix is what every key begins with, for people and for scanners of
	// leaked secrets: 1 to 16 lower-case letters and digits, a letter first.
	// Another is an error. A prefix that changes makes all keys that were given
	// out useless. Default: "gw".
	KeyPrefix string
	// StageTag stands in every key and says for which stage it is good; one of
	// another stage is refused before anything is looked up. 1 to 16 letters and
	// digits. Another is an error. A tag that changes makes all keys that were
	// given out useless. Default: six characters made from the construct's path.
	StageTag string
	// Scopes are scopes that keys may have beside those that the resource servers
	// of the API's user pools define, "<resource server>/<name>". An API without a
	// user pool names all of them here. Default: none. A malformed one, and one
	// twice, is an error.
	Scopes []string
	// RemovalPolicy says what happens to the table, and with it to all customers,
	// when its stack is deleted: RETAIN, which comes with deletion protection, or
	// DESTROY. Another is an error. Default: RETAIN.
	RemovalPolicy awscdk.RemovalPolicy
}

// Customers is where customers are kept.
type Customers struct {
	// Table is the CDK's object.
	Table awsdynamodb.Table
	// KeyPrefix and StageTag are what keys hold.
	KeyPrefix, StageTag string

	scopes []string
}

// New declares the table: paid by request, encrypted with a key of AWS's that
// only this account uses, and with point-in-time recovery. It panics with an error
// that names the construct and holds every problem where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *Customers {
	this := constructs.NewConstruct(scope, jsii.String(id))
	p.KeyPrefix = cmp.Or(p.KeyPrefix, DefaultKeyPrefix)
	p.StageTag = cmp.Or(p.StageTag, tagOf(*this.Node().Path()))
	p.RemovalPolicy = cmp.Or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN)
	if err := p.validate(); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	table := awsdynamodb.NewTable(this, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey:       &awsdynamodb.Attribute{Name: jsii.String("id"), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:        awsdynamodb.BillingMode_PAY_PER_REQUEST,
		DeletionProtection: jsii.Bool(p.RemovalPolicy == awscdk.RemovalPolicy_RETAIN),
		Encryption:         awsdynamodb.TableEncryption_AWS_MANAGED,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: p.RemovalPolicy,
	})
	return &Customers{Table: table, KeyPrefix: p.KeyPrefix, StageTag: p.StageTag, scopes: slices.Clone(p.Scopes)}
}

// tagOf makes a tag from a construct's path, the same each time.
func tagOf(path string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	sum := sha256.Sum256([]byte(path))
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = letters[sum[i]%32]
	}
	return string(tag)
}

var (
	prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)
	tagPattern    = regexp.MustCompile(`^[a-zA-Z0-9]{1,16}$`)
)

func (p Props) validate() error {
	var problems []error
	if !prefixPattern.MatchString(p.KeyPrefix) {
		problems = append(problems, fmt.Errorf("KeyPrefix is %q; 1 to 16 lower-case letters and digits, a letter first", p.KeyPrefix))
	}
	if !tagPattern.MatchString(p.StageTag) {
		problems = append(problems, fmt.Errorf("StageTag is %q; 1 to 16 letters and digits", p.StageTag))
	}
	if len(p.Scopes) > 0 {
		if err := access.Key(p.Scopes...).Validate(); err != nil {
			problems = append(problems, fmt.Errorf("Scopes: %w", err))
		}
	}
	if p.RemovalPolicy != awscdk.RemovalPolicy_RETAIN && p.RemovalPolicy != awscdk.RemovalPolicy_DESTROY {
		problems = append(problems, fmt.Errorf("RemovalPolicy is %q; RETAIN or DESTROY", p.RemovalPolicy))
	}
	return errors.Join(problems...)
}

// Scopes returns the scopes that keys may have beside those of user pools.
func (c *Customers) Scopes() []string { return slices.Clone(c.scopes) }

// Config is what the Lambda authorizer has to know. restapi calls it; an app has
// no need to.
func (c *Customers) Config() authconfig.Customers {
	return authconfig.Customers{Table: *c.Table.TableName(), Prefix: c.KeyPrefix, Tag: c.StageTag}
}

// readActions is all that the authorizer does with the table, and operateActions
// all that the gatewright command does.
var (
	readActions    = []string{"dynamodb:GetItem"}
	operateActions = []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"}
)

// GrantRead lets a function look customers up by their ids, and do nothing else.
// restapi calls it for its authorizer.
func (c *Customers) GrantRead(to awsiam.IGrantable) awsiam.Grant {
	return c.Table.Grant(to, *jsii.Strings(readActions...)...)
}

// GrantOperate lets a role of people or programs make, list and change customers
// and their keys, as `gatewright customers` and `gatewright keys` do.
func (c *Customers) GrantOperate(to awsiam.IGrantable) awsiam.Grant {
	return c.Table.Grant(to, *jsii.Strings(operateActions...)...)
}
