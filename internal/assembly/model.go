// Package assembly reads a CDK cloud assembly (cdk.out), or a CloudFormation
// template from anywhere, and resolves it into a model of what a stage deploys:
// its APIs with every route and authorizer, its keys and usage plans, its user
// and identity pools, its functions and roles, and who may invoke what.
//
// Everything that Gatewright serves, reports or audits comes from this model
// and from nothing else, so none of it can agree with a declaration that the
// template does not carry.
package assembly

import "slices"

// Model is what one stage deploys, with every reference resolved.
type Model struct {
	Stage   string // CDK Stage id, the stack's id where there is no Stage, or the template's file name without extension
	Region  string // "us-east-1" where the app leaves it open
	Account string // "000000000000" where the app leaves it open

	RestAPIs      []*RestAPI
	HTTPAPIs      []*HTTPAPI
	DomainNames   []*DomainName
	APIKeys       []*APIKey
	UsagePlans    []*UsagePlan
	UserPools     []*UserPool
	IdentityPools []*IdentityPool
	Functions     []*Function
	Permissions   []Permission
	Roles         []*Role
	Tables        []*Table // by stack and logical id

	// Resources are all resources of the stage that are deployed, by stack and
	// logical id. What has a type of its own above stands here, too.
	Resources []*Resource

	// Outputs holds the resolved stack outputs, by stack id and output name.
	Outputs map[string]map[string]string

	// Metadata holds each template's own Metadata, by stack id.
	Metadata map[string]map[string]any

	// Unknown names the properties, and the deletion policies, of resources that
	// are not known, or not in full: what is read of them may be less than what
	// holds. See [Model.Known].
	Unknown map[Place][]string

	// NotUnderstood lists what was not, in the order found.
	NotUnderstood []Problem
}

// Place says where in the app a thing is declared.
type Place struct {
	Stack     string // stack id, unique within the model
	LogicalID string // CloudFormation logical id
	Path      string // construct path ("dev/Api/API/Resource"), or stack and logical id
}

// Problem is something in a template that was not understood.
type Problem struct {
	Path string // construct path of the resource and what follows within it
	Text string

	// Decides is set where ignoring it could serve what AWS would refuse.
	// Nothing is served from a model that has such a problem.
	Decides bool
	// Hides is set where resources, or routes, stand behind it that nobody has
	// read: the model may hold less than what is deployed.
	Hides bool
}

// Known reports whether some of a resource's properties are known in full, as
// those that it does not have are.
func (m *Model) Known(at Place, properties ...string) bool {
	return !slices.ContainsFunc(m.Unknown[at], func(name string) bool { return slices.Contains(properties, name) })
}

func (p Problem) String() string { return p.Path + ": " + p.Text }

// Resource is any resource of a template.
type Resource struct {
	Place
	Type string // "AWS::DynamoDB::Table"

	// Properties are resolved as far as they could be; a value that could not
	// is an [Unknown].
	Properties map[string]any
	Metadata   map[string]any // as the template has it

	DeletionPolicy      string // "Retain", "Delete", "Snapshot", …; empty where the template has none
	UpdateReplacePolicy string // the same
}

// Unknown stands in place of a value that is known on AWS only, or that was
// not understood.
type Unknown struct {
	At     string // construct path of the resource and what follows within it
	Reason string

	// Secret is set where the value is one: a NoEcho parameter, a dynamic
	// reference to a secret, or a secret attribute of a resource.
	Secret bool
	// Text is the text around a dynamic reference ("{{resolve:ssm:name}}") as the
	// template has it; empty where there is none.
	Text string
}
