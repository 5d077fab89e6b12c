package assembly

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Properties of AWS::ApiGateway::Authorizer that are read, or that decide
// nothing.
var authorizerProperties = []string{
	"AuthType", "AuthorizerCredentials", "AuthorizerResultTtlInSeconds", "AuthorizerUri", "IdentitySource",
	"IdentityValidationExpression", "Name", "ProviderARNs", "RestApiId", "Type",
}

// declaredAuthorizer is an authorizer as a resource, or the extension of a
// security scheme, declares it ("x-amazon-apigateway-authorizer object").
type declaredAuthorizer struct {
	Type           string   `json:"type"`
	ProviderARNs   []string `json:"providerARNs"`
	URI            string   `json:"authorizerUri"`
	Credentials    string   `json:"authorizerCredentials"`
	IdentitySource string   `json:"identitySource"`
	Validation     string   `json:"identityValidationExpression"`
	TTL            numeral  `json:"authorizerResultTtlInSeconds"`
}

// authorizers reads the authorizers of an API that are resources, by id.
func (a *apiReader) authorizers(api *RestAPI) map[string]*Authorizer {
	out := map[string]*Authorizer{}
	for _, d := range a.of(typeAuthorizer, api.ID) {
		d.only(authorizerProperties)
		if out[d.ref] != nil {
			a.problem(d.at, "the made-up id %s is another authorizer's, too; another logical id gives another", d.ref)
		}
		authorizer := &Authorizer{Place: d.Place, ID: d.ref, Name: d.text("Name"), CacheReason: d.reason(cachedMetadataKey)}
		declaredAuthorizer{
			Type: d.text("Type"), ProviderARNs: d.texts("ProviderARNs"), URI: d.text("AuthorizerUri"),
			Credentials: d.text("AuthorizerCredentials"), IdentitySource: d.text("IdentitySource"), Validation: d.text("IdentityValidationExpression"),
			TTL: numeral(d.text("AuthorizerResultTtlInSeconds")),
		}.read(a.reader, d.at, authorizer)
		api.Authorizers = append(api.Authorizers, authorizer)
		out[d.ref] = authorizer
	}
	return out
}

// Longest and default time that answers of a Lambda authorizer of a REST API
// are cached ("AuthorizerResultTtlInSeconds", AWS::ApiGateway::Authorizer).
const (
	maxCacheTTL     = time.Hour
	defaultCacheTTL = 5 * time.Minute
)

// read fills an authorizer in. Whatever it does not understand is a problem.
func (d declaredAuthorizer) read(r *reader, at string, out *Authorizer) {
	switch out.Type = strings.ToUpper(d.Type); out.Type {
	case AuthorizerCognito:
		out.ProviderARNs = d.ProviderARNs
		out.Header = d.header(r, at)
		if len(d.ProviderARNs) == 0 {
			r.problem(at, "a Cognito authorizer names its user pools")
		}
		if d.Validation != "" {
			r.problem(at, "IdentityValidationExpression is not understood on a Cognito authorizer")
		}
		return
	case AuthorizerToken:
		out.Header = d.header(r, at)
		out.Validation = d.Validation
		if _, err := regexp.Compile(d.Validation); err != nil {
			r.problem(at, "the IdentityValidationExpression is not understood")
		}
	case AuthorizerRequest:
		out.IdentitySources = d.sources(r, at)
	default:
		r.problem(at, "an authorizer of type %q is not understood", d.Type)
		return
	}
	out.FunctionARN, out.Credentials = functionOf(d.URI), d.Credentials
	if out.FunctionARN == "" {
		r.problem(at, "AuthorizerUri %q names no Lambda function", d.URI)
	}
	out.CacheTTL = d.ttl(r, at)
}

func (d declaredAuthorizer) ttl(r *reader, at string) time.Duration {
	if d.TTL == "" {
		return defaultCacheTTL
	}
	seconds, err := strconv.Atoi(string(d.TTL))
	if err != nil || seconds < 0 || seconds > int(maxCacheTTL/time.Second) {
		r.problem(at, "AuthorizerResultTtlInSeconds %s is no number of seconds up to an hour", d.TTL)
		return defaultCacheTTL
	}
	return time.Duration(seconds) * time.Second
}

const headerSource = "method.request.header."

// header returns the header that carries the token.
func (d declaredAuthorizer) header(r *reader, at string) string {
	name, ok := strings.CutPrefix(cmp.Or(d.IdentitySource, headerSource+"Authorization"), headerSource)
	if !ok || !headerName.MatchString(name) {
		r.problem(at, "the IdentitySource %q is not understood; it is %s and a name", d.IdentitySource, headerSource)
		return ""
	}
	return name
}

// headerName is the name of a header (RFC 9110, section 5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// sourcePrefixes are the places of a request that a REQUEST authorizer may name
// ("IdentitySource", AWS::ApiGateway::Authorizer).
var sourcePrefixes = []string{headerSource, "method.request.querystring.", "context.", "stageVariables."}

// sources returns what must be there for a REQUEST authorizer to be called.
func (d declaredAuthorizer) sources(r *reader, at string) []string {
	var out []string
	for source := range strings.SplitSeq(d.IdentitySource, ",") {
		source = strings.TrimSpace(source)
		if source == "" {
			continue
		}
		if !hasAnyPrefix(source, sourcePrefixes) {
			r.problem(at, "the IdentitySource %q is not understood", source)
		}
		out = append(out, source)
	}
	return out
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) && len(text) > len(prefix) {
			return true
		}
	}
	return false
}

// authorization reads what a method asks of its caller. What is not understood
// admits nobody.
func (d declared) authorization(authorizers map[string]*Authorizer) Authorization {
	kind, id := d.text("AuthorizationType"), d.text("AuthorizerId")
	switch {
	case kind == AuthorizationNone || kind == "" && !d.has("AuthorizationType") && !d.has("AuthorizerId"):
		if d.has("AuthorizerId") || d.has("AuthorizationScopes") {
			d.reader.note(d.at, "the authorizer or the scopes of a method of type NONE do nothing")
		}
		return Authorization{Type: AuthorizationNone}
	case kind == AuthorizationIAM:
		return Authorization{Type: AuthorizationIAM}
	case kind != AuthorizationCognito && kind != AuthorizationCustom:
		d.reader.problem(d.at, "the AuthorizationType %q is not understood", kind)
		return Authorization{}
	}
	out := Authorization{Type: kind, Scopes: d.texts("AuthorizationScopes"), Authorizer: authorizers[id]}
	switch {
	case out.Authorizer == nil:
		d.reader.problem(d.at, "AuthorizerId names no authorizer of the API")
	case (kind == AuthorizationCognito) != (out.Authorizer.Type == AuthorizerCognito):
		d.reader.problem(d.at, "the AuthorizationType %s does not go with the authorizer %s of type %q", kind, out.Authorizer.Name, out.Authorizer.Type)
		out.Authorizer = nil
	}
	// Texts that are not known are left out of a list, and an empty list would
	// ask for less: ID tokens without any scope.
	if d.has("AuthorizationScopes") && len(out.Scopes) == 0 && !d.emptyList("AuthorizationScopes") {
		out.Authorizer = nil
	}
	return out
}

func (p props) emptyList(name string) bool {
	list, ok := p.values[name].([]any)
	return ok && len(list) == 0
}
