package assembly

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/iam"
)

const (
	typeManagedPolicy = "AWS::IAM::ManagedPolicy"
	typePolicy        = "AWS::IAM::Policy"
	typeRolePolicy    = "AWS::IAM::RolePolicy"
	typeUser          = "AWS::IAM::User"
	typeUserPolicy    = "AWS::IAM::UserPolicy"
	typeGroup         = "AWS::IAM::Group"
	typeGroupPolicy   = "AWS::IAM::GroupPolicy"
)

// awsManaged are the policies of AWS that speak of APIs without naming one, and
// those that functions commonly have, with all that they say of the services
// that are served or reported (AWS managed policy reference guide).
var awsManaged = map[string]iam.Statement{
	"AdministratorAccess": {Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}},
	"PowerUserAccess":     {Effect: iam.Allow, NotActions: []string{"iam:*", "organizations:*", "account:*"}, Resources: []string{"*"}},
	"AmazonAPIGatewayInvokeFullAccess": {
		Effect: iam.Allow, Actions: []string{"execute-api:Invoke", "execute-api:ManageConnections"}, Resources: []string{"arn:aws:execute-api:*:*:*"},
	},
	"service-role/AWSLambdaBasicExecutionRole":     allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
	"service-role/AWSLambdaVPCAccessExecutionRole": allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
	"AWSXRayDaemonWriteAccess":                     allow("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*"),
	"AmazonDynamoDBFullAccess":                     allow("dynamodb:*"),
	"AmazonDynamoDBFullAccess_v2":                  allow("dynamodb:*"),
	"AmazonDynamoDBReadOnlyAccess": allow("dynamodb:BatchGetItem", "dynamodb:Describe*", "dynamodb:List*", "dynamodb:GetAbacStatus",
		"dynamodb:GetItem", "dynamodb:GetResourcePolicy", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect"),
	"AmazonCognitoPowerUser": allow("cognito-idp:*", "cognito-identity:*"),
	"AmazonCognitoReadOnly": allow("cognito-idp:Describe*", "cognito-idp:AdminGet*", "cognito-idp:AdminList*", "cognito-idp:List*", "cognito-idp:Get*",
		"cognito-identity:Describe*", "cognito-identity:Get*", "cognito-identity:List*"),
}

// allow is the statement of a policy for every resource.
func allow(actions ...string) iam.Statement {
	return iam.Statement{Effect: iam.Allow, Actions: actions, Resources: []string{"*"}}
}

// attachment is a policy of its own with those it is attached to.
type attachment struct {
	Policy
	arn    string   // of a managed policy
	roles  []string // names
	others []string // names of users and groups
}

// readRoles reads every role with the policies that stand in it, that name it
// and that it names, in whichever stack of the stage. Nothing that is served
// depends on them, so what is not understood is listed only.
func (r *reader) readRoles() {
	var attachments []*attachment
	for _, s := range r.stacks {
		for _, kind := range []string{typePolicy, typeRolePolicy, typeManagedPolicy, typeUserPolicy, typeGroupPolicy} {
			for _, id := range s.ofType(kind) {
				if p, ok := r.properties(s, id); ok {
					attachments = append(attachments, r.attachment(s, id, p.noted()))
				}
			}
		}
	}
	each(typeRole, func(r *reader, s *stack, id string) { r.readRole(s, id, attachments) })(r)
	for _, kind := range []string{typeUser, typeGroup} {
		each(kind, func(r *reader, s *stack, id string) { r.noteGrants(s, id) })(r)
	}
	for _, a := range attachments {
		others := a.others
		for _, name := range a.roles {
			if !slices.ContainsFunc(r.model.Roles, func(role *Role) bool { return role.Name == name }) {
				others = append(others, name)
			}
		}
		if len(others) > 0 && grantsInvoke(a.Statements) {
			r.note(a.Path, "it lets %s call APIs; only roles of this stage are read", strings.Join(others, ", "))
		}
	}
}

func (r *reader) attachment(s *stack, id string, p props) *attachment {
	a := &attachment{Policy: r.policy(s, id, p, "PolicyName"), roles: append(p.texts("Roles"), p.texts("RoleName")...)}
	for _, name := range []string{"Users", "UserName", "Groups", "GroupName"} {
		a.others = append(a.others, p.texts(name)...)
	}
	if s.template.Resources[id].Type == typeManagedPolicy {
		a.arn = text(r.ref(s, id, p.at))
		a.Name = a.arn[strings.LastIndex(a.arn, "/")+1:]
	}
	return a
}

// policy reads one policy document. One that is not understood could deny
// anything.
func (r *reader) policy(s *stack, id string, p props, name string) Policy {
	out := Policy{Place: s.place(id), Name: p.text(name)}
	statements, err := iam.ParsePolicy(p.values["PolicyDocument"])
	if err == nil && iam.NamesPrincipal(statements) {
		err = errors.New("a statement names a principal, and a role's own policy must not")
	}
	if err != nil {
		r.note(p.at+".PolicyDocument", "%v; it counts as one that denies everything", err)
		statements = []iam.Statement{{Effect: iam.Deny, Actions: []string{iam.Unknown}, Resources: []string{iam.Unknown}}}
	}
	out.Statements = statements
	return out
}

func (r *reader) readRole(s *stack, id string, attachments []*attachment) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p = p.noted()
	role := &Role{Place: s.place(id), Name: text(r.ref(s, id, p.at)), ARN: text(r.attribute(s, id, "Arn", p.at))}
	if p.has("AssumeRolePolicyDocument") {
		trust, err := iam.ParsePolicy(p.values["AssumeRolePolicyDocument"])
		if err != nil {
			r.note(p.at+".AssumeRolePolicyDocument", "%v", err)
		}
		role.Trust = trust
	}
	for _, inline := range p.objects("Policies") {
		role.Policies = append(role.Policies, r.policy(s, id, inline, "PolicyName"))
	}
	arns := p.texts("ManagedPolicyArns")
	for _, a := range attachments {
		if slices.Contains(a.roles, role.Name) || a.arn != "" && slices.Contains(arns, a.arn) {
			role.Policies = append(role.Policies, a.Policy)
		}
	}
	for _, arn := range arns {
		_, name, ofAWS := strings.Cut(arn, ":iam::aws:policy/")
		statement, known := awsManaged[name]
		switch {
		case slices.ContainsFunc(attachments, func(a *attachment) bool { return a.arn == arn }):
		case ofAWS && known:
			role.Policies = append(role.Policies, Policy{Place: role.Place, Name: name, Statements: []iam.Statement{statement}})
		default:
			role.Managed = append(role.Managed, arn)
		}
	}
	if role.Bounded = p.has("PermissionsBoundary"); role.Bounded {
		r.note(p.at, "PermissionsBoundary is not read: the role may do less than its policies say")
	}
	r.model.Roles = append(r.model.Roles, role)
}

// noteGrants lists a user or a group whose own policies let it call APIs.
func (r *reader) noteGrants(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	for _, inline := range p.noted().objects("Policies") {
		if grantsInvoke(r.policy(s, id, inline, "PolicyName").Statements) {
			r.note(inline.at, "it lets a user or a group call APIs; only roles are read")
		}
	}
}

// grantsInvoke reports whether statements allow calls of some API.
func grantsInvoke(statements []iam.Statement) bool {
	return slices.ContainsFunc(statements, func(s iam.Statement) bool {
		some := s.NotResources != nil || slices.ContainsFunc(s.Resources, func(arn string) bool {
			parts := strings.SplitN(arn, ":", 4)
			service := parts[min(2, len(parts)-1)] // a * that ends an ARN early covers whatever follows
			covers, err := path.Match(service, "execute-api")
			return err == nil && covers || strings.HasPrefix(arn, "*")
		})
		return s.Effect == iam.Allow && some && s.Covers("execute-api:Invoke")
	})
}
