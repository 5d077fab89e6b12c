package userpool

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ImportProps describes a pool that exists already. What it says is believed:
// nothing is asked of AWS. ARN, ID, Domain and the ids of clients may be known
// only when the stack is deployed, such as a parameter's; they are then not
// checked.
type ImportProps struct {
	// ARN is the pool's ARN, in whichever account and Region. ARN or ID is
	// needed, and not both. What is no user pool's ARN is an error.
	ARN string
	// ID is the id of a pool in the stack's own account and Region:
	// "eu-west-1_AbCdEfGhI". Another Region's, or what is no pool's id, is an
	// error.
	ID string
	// Domain is the host at which the pool signs users in and serves tokens:
	// "auth.example.com", "shop.auth.eu-west-1.amazoncognito.com". What is no
	// host name in lower case, such as a URL, is an error. Default: none; then
	// BaseURL is empty. An API needs none.
	Domain string
	// Scopes are those that the pool's resource servers define and routes may
	// take: "orders/read". At least one: without, no route could let anyone in.
	// A malformed one, or one twice, is an error.
	Scopes []string
	// Clients holds the ids of the pool's clients by name, which has 1 to 128
	// letters, digits, spaces and + = , . @ - _. Another name, or what is no
	// client's id, is an error. Default: none.
	Clients map[string]string
}

var (
	hostPattern     = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$`)
	poolARNPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:cognito-idp:([a-z0-9-]+):\d{12}:userpool/([\w-]+)_[0-9a-zA-Z]+$`)
	poolIDPattern   = regexp.MustCompile(`^([a-z0-9-]+)_[0-9a-zA-Z]{1,44}$`)
	clientIDPattern = regexp.MustCompile(`^[\w+]{1,128}$`)
)

// Import gives a pool that exists the type that restapi takes. It declares
// nothing that would be deployed. It panics with an error that names the
// construct and holds every problem where the props are unusable.
func Import(scope constructs.Construct, id string, p ImportProps) *UserPool {
	this := constructs.NewConstruct(scope, jsii.String(id))
	if err := p.validate(*awscdk.Stack_Of(this).Region()); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	pool := p.pool(this)
	u := &UserPool{
		Pool:            pool,
		ResourceServers: map[string]awscognito.UserPoolResourceServer{},
		Clients:         map[string]awscognito.IUserPoolClient{},
		scopes:          slices.Clone(p.Scopes),
		issuer:          "https://" + *pool.UserPoolProviderName(),
	}
	slices.Sort(u.scopes)
	if p.Domain != "" {
		u.Domain = awscognito.UserPoolDomain_FromDomainName(this, jsii.String("Domain"), jsii.String(p.Domain))
		u.baseURL = "https://" + p.Domain
	}
	for _, name := range slices.Sorted(maps.Keys(p.Clients)) {
		u.Clients[name] = awscognito.UserPoolClient_FromUserPoolClientId(this, jsii.String(childID("Client", name)), jsii.String(p.Clients[name]))
	}
	return u
}

func (p ImportProps) pool(this constructs.Construct) awscognito.IUserPool {
	if p.ARN != "" {
		return awscognito.UserPool_FromUserPoolArn(this, jsii.String("Pool"), jsii.String(p.ARN))
	}
	return awscognito.UserPool_FromUserPoolId(this, jsii.String("Pool"), jsii.String(p.ID))
}

func (p ImportProps) validate(region string) error {
	problems := p.idProblems(region)
	if p.Domain != "" && !isToken(p.Domain) && !hostPattern.MatchString(p.Domain) {
		problems = append(problems, fmt.Errorf("Domain is %q; write a host in lower case, such as auth.example.com", p.Domain))
	}
	if len(p.Scopes) == 0 {
		problems = append(problems, errors.New(`no Scopes; write those that the pool's resource servers define, such as "orders/read"`))
	}
	for i, scope := range p.Scopes {
		slash := strings.LastIndex(scope, "/")
		if slash < 0 || !serverIDPattern.MatchString(scope[:slash]) || !scopeNamePattern.MatchString(scope[slash+1:]) {
			problems = append(problems, fmt.Errorf("Scopes[%d] %q: malformed; write resource server and name, such as orders/read", i, scope))
		}
		if slices.Contains(p.Scopes[:i], scope) {
			problems = append(problems, fmt.Errorf("Scopes[%d] %q: twice", i, scope))
		}
	}
	return errors.Join(append(problems, p.clientProblems()...)...)
}

func (p ImportProps) idProblems(region string) []error {
	switch {
	case p.ARN == "" && p.ID == "":
		return []error{errors.New("neither ARN nor ID; write one")}
	case p.ARN != "" && p.ID != "":
		return []error{errors.New("both ARN and ID; write one")}
	case p.ARN != "" && !isToken(p.ARN):
		// A pool's id begins with its Region.
		if parts := poolARNPattern.FindStringSubmatch(p.ARN); parts == nil || parts[1] != parts[2] {
			return []error{fmt.Errorf("ARN is %q, no user pool's", p.ARN)}
		}
	case p.ID != "" && !isToken(p.ID):
		parts := poolIDPattern.FindStringSubmatch(p.ID)
		if parts == nil {
			return []error{fmt.Errorf("ID is %q, no user pool's", p.ID)}
		}
		if parts[1] != region && !isToken(region) {
			return []error{fmt.Errorf("ID is %q, of another Region than the stack's %s; write the pool's ARN", p.ID, region)}
		}
	}
	return nil
}

func (p ImportProps) clientProblems() []error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(p.Clients)) {
		if !clientPattern.MatchString(name) {
			problems = append(problems, fmt.Errorf("Clients %q: malformed name; 1 to 128 letters, digits, spaces and + = , . @ - _", name))
		}
		if id := p.Clients[name]; !isToken(id) && !clientIDPattern.MatchString(id) {
			problems = append(problems, fmt.Errorf("Clients %q: what follows is no client's id", name))
		}
	}
	return problems
}
