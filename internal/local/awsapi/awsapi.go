// Package awsapi serves the one endpoint that AWS SDKs and the AWS CLI are
// pointed at (AWS_ENDPOINT_URL, --endpoint-url). A request must carry Signature
// Version 4 with a credential of this run, so nothing else on the machine, a web
// page least of all, can call it. Only what AWS itself takes from anybody needs
// none, such as signing in to a user pool.
//
// It answers sts:GetCallerIdentity and hands the requests of JSON services to
// whoever serves them. Every other operation is refused in its own protocol with
// a message that names it. A role may do what its policies allow, and gets
// AccessDeniedException for the rest; the operator may do all that is served.
//
//	endpoint, err := awsapi.New(awsapi.Config{
//		Account: "000000000000", Region: "eu-west-1",
//		Services: map[string]awsapi.Service{"dynamodb": tables},
//		Policies: func(roleARN string) (statements []iam.Statement, unknown string) { ... },
//	})
//	...
//	http.Serve(listener, guard.Wrap(endpoint, policy, nil))
package awsapi

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/iam"
	"github.com/gatewright/gatewright/internal/local/requestlog"
)

// maxBodyBytes bounds a request: it has to be read whole before its signature
// can be checked.
const maxBodyBytes = 1 << 20

// sessionName ends the ARN of an assumed role. On AWS it is the function's
// name, but functions may share a role.
const sessionName = "gatewright"

// Config says whose endpoint it is.
type Config struct {
	Account string // twelve digits
	Region  string
	// Services answer the requests that are signed for a service, by its name
	// in the credential scope: "dynamodb". Default: none.
	Services map[string]Service
	// Policies returns the statements of a role's identity policies, and in words
	// what is not known of them: while something is, the role may do nothing.
	// Default: nothing is known of any role.
	Policies func(roleARN string) (statements []iam.Statement, unknown string)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Log gets one line per request, without credentials. Default: none.
	Log *slog.Logger
}

// Service answers the operations of one AWS service of the protocols AWS JSON
// 1.0 and 1.1. It must be safe for concurrent use.
type Service interface {
	// Resources names what an operation acts on, for which a role needs the
	// permission: each as an ARN ends, "table/notes", or "*" where the operation
	// knows no resources or the body names none. served is false where there is no
	// such operation.
	Resources(operation string, body []byte) (resources []string, served bool)
	// Serve answers an operation on behalf of a caller who may do it with a status
	// and a JSON document; an error's has the member __type. served is false
	// where there is no such operation.
	Serve(operation string, body []byte) (status int, answer []byte, served bool)
}

// Endpoint is the AWS endpoint. It is safe for concurrent use.
type Endpoint struct {
	config   Config
	verifier *iam.Verifier
	operator identity

	mu    sync.Mutex
	roles map[string]identity // by role ARN
	known map[string]identity // by access key id
}

var (
	_ http.Handler        = (*Endpoint)(nil)
	_ iam.CredentialStore = (*Endpoint)(nil)
)

// identity is a credential, the unique id that STS shows beside its ARN, and the
// ARN of the role; the operator has none.
type identity struct {
	iam.Credential
	userID  string
	roleARN string
}

// New returns an Endpoint with an operator's credential, or an error if account
// or Region is missing.
func New(c Config) (*Endpoint, error) {
	if c.Account == "" || c.Region == "" {
		return nil, errors.New("awsapi: Config needs Account and Region")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Policies == nil {
		c.Policies = func(string) ([]iam.Statement, string) { return nil, "no policies are known" }
	}
	c.Services = maps.Clone(c.Services)
	e := &Endpoint{config: c, roles: map[string]identity{}, known: map[string]identity{}}
	e.operator = identity{newCredential("AKIA", "arn:"+assembly.Partition(c.Region)+":iam::"+c.Account+":user/gatewright-operator"), newID("AIDA"), ""}
	e.known[e.operator.AccessKeyID] = e.operator
	var err error
	e.verifier, err = iam.NewVerifier(iam.Config{
		Credentials: e,
		Region:      c.Region,
		Service:     isServiceName,
		Now:         c.Now,
	})
	return e, err
}

// Operator returns the long-term credential of whoever runs the stage.
func (e *Endpoint) Operator() iam.Credential { return e.operator.Credential }

// RoleCredential returns session credentials of a role, the same for a role
// throughout a run. They are the zero Credential, which signs nothing, if
// roleARN is no role's ARN.
func (e *Endpoint) RoleCredential(roleARN string) iam.Credential {
	account, name, ok := parseRoleARN(roleARN)
	if !ok {
		return iam.Credential{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if role, ok := e.roles[roleARN]; ok {
		return role.Credential
	}
	role := identity{
		newCredential("ASIA", "arn:"+assembly.Partition(e.config.Region)+":sts::"+account+":assumed-role/"+name+"/"+sessionName),
		newID("AROA") + ":" + sessionName,
		roleARN,
	}
	role.SessionToken = base64.StdEncoding.EncodeToString(random(192))
	e.roles[roleARN], e.known[role.AccessKeyID] = role, role
	return role.Credential
}

// Credential implements [iam.CredentialStore].
func (e *Endpoint) Credential(accessKeyID string) (iam.Credential, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, ok := e.known[accessKeyID]
	return found.Credential, ok
}

// identity returns all that is known of a verified caller.
func (e *Endpoint) identity(caller iam.Credential) identity {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known[caller.AccessKeyID]
}

// parseRoleARN returns the account and the name in arn:aws:iam::…:role/path/name,
// in any partition.
// The path does not show in the ARN of an assumed role.
func parseRoleARN(arn string) (account, name string, ok bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") {
		return "", "", false
	}
	name = parts[5][strings.LastIndexByte(parts[5], '/')+1:]
	return parts[4], name, parts[4] != "" && name != ""
}

func newCredential(prefix, principal string) iam.Credential {
	return iam.Credential{
		AccessKeyID:     newID(prefix),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random(30)), // 40 characters
		Principal:       principal,
	}
}

// newID returns a unique identifier of IAM's form: prefix and 16 characters
// ("IAM identifiers", IAM user guide).
func newID(prefix string) string { return prefix + base32.StdEncoding.EncodeToString(random(10)) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// isServiceName reports whether a credential scope's service may be shown and
// logged: what AWS's look like.
func isServiceName(service string) bool {
	return len(service) <= 64 && strings.Trim(service, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// ServeHTTP verifies and answers a request, and writes one line to the log.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := e.config.Now()
	c := readCall(r)
	var principal string
	var a answer
	if allowScripts(w, r) {
		a = answer{status: http.StatusNoContent}
	} else {
		principal, a = e.answer(r, &c)
	}
	h := w.Header()
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	h.Set("X-Amzn-Requestid", c.requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.errorType != "" {
		h.Set("X-Amzn-Errortype", a.errorType)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the caller may have gone

	requestlog.Write(e.config.Log, r, requestlog.Line{
		Status: a.status, Allowed: a.reason == "", Reason: a.reason, Latency: e.config.Now().Sub(start),
		More: []slog.Attr{
			slog.String("service", c.service), slog.String("operation", c.operation), slog.String("principal", principal),
		},
	})
}

// answer returns who calls, if that is certain, and the response.
func (e *Endpoint) answer(r *http.Request, c *call) (principal string, a answer) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1))
	switch {
	case err != nil:
		return "", c.refuse(http.StatusBadRequest, "IncompleteBody", "The body breaks off.")
	case len(body) > maxBodyBytes:
		return "", c.refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The body is larger than 1 MiB.")
	}
	c.readAction(r, body)
	if service, name := e.public(r, c); service != nil {
		c.service = name
		if status, document, served := service.Serve(c.operation, body); served {
			return "", c.fromService(status, document)
		}
	}
	caller, err := e.verifier.Verify(r, body)
	if err != nil {
		return "", c.refuseSignature(err)
	}
	if c.service == "sts" && c.protocol == protocolQuery && c.operation == "GetCallerIdentity" && c.version == stsVersion {
		return caller.Principal, e.callerIdentity(c, caller)
	}
	if service := e.config.Services[c.service]; service != nil && c.protocol == protocolJSON {
		if a, served := e.serve(r, c, e.identity(caller), service, body); served {
			return caller.Principal, a
		}
	}
	return caller.Principal, c.refuseOperation(slices.Sorted(maps.Keys(e.config.Services)))
}

// serve has a service answer an operation that the caller may do.
func (e *Endpoint) serve(r *http.Request, c *call, who identity, service Service, body []byte) (a answer, served bool) {
	resources, served := service.Resources(c.operation, body)
	if !served {
		return answer{}, false
	}
	if p, ok := service.(PublicService); !ok || !p.Public(c.operation) {
		if denied := e.forbid(r, c, who, resources); denied != "" {
			return c.refuse(http.StatusBadRequest, "AccessDeniedException", denied), true
		}
	}
	status, document, served := service.Serve(c.operation, body)
	return c.fromService(status, document), served
}

// callerIdentity answers sts:GetCallerIdentity, which needs no permission.
func (e *Endpoint) callerIdentity(c *call, caller iam.Credential) answer {
	who := e.identity(caller)
	return answer{
		status: http.StatusOK, contentType: xmlType,
		body: fmt.Sprintf(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/%s/"><GetCallerIdentityResult>`+
			`<Arn>%s</Arn><UserId>%s</UserId><Account>%s</Account></GetCallerIdentityResult>`+
			`<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
			stsVersion, escape(who.Principal), escape(who.userID), escape(strings.Split(who.Principal, ":")[4]), c.requestID),
	}
}
