package assembly

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// securityScheme is what a requirement that names it asks for: an
// authorization, or an API key.
type securityScheme struct {
	authorization Authorization
	key           bool
}

// apiKeyHeader is the name of the scheme that asks for an API key ("Configure a
// method to use API keys with an OpenAPI definition").
const apiKeyHeader = "x-api-key"

// readSchemes reads the security schemes by name.
func (b *bodyReader) readSchemes() {
	b.schemes = map[string]securityScheme{}
	if b.doc.Components == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(b.doc.Components.SecuritySchemes)) {
		at := b.at + "." + b.names.schemes + "." + name
		scheme := b.doc.Components.SecuritySchemes[name].Value
		authType, _ := scheme.Extensions[extensionAuthType].(string)
		_, lambda := scheme.Extensions[extensionAuthorizer]
		header := scheme.Type == "apiKey" && scheme.In == "header" && scheme.Name != ""
		switch {
		case strings.EqualFold(authType, "awsSigv4") && !lambda:
			b.schemes[name] = securityScheme{authorization: Authorization{Type: AuthorizationIAM}}
		case header && lambda:
			b.readAuthorizer(at, name, authType, scheme)
		case header && scheme.Name == apiKeyHeader && authType == "":
			b.schemes[name] = securityScheme{key: true}
		default:
			b.problem(at, "authorizers of type %q are not understood", cmp.Or(authType, scheme.Type))
		}
	}
}

// readAuthorizer reads the authorizer of a security scheme, whose name is the
// header with the token where no identity source says another.
func (b *bodyReader) readAuthorizer(at, name, authType string, scheme *openapi3.SecurityScheme) {
	authorizer := &Authorizer{Place: b.api.Place, ID: fake(lower, 6, b.api.ID, "authorizer", name), Name: name}
	decodeExtension(b, at, scheme.Extensions, extensionAuthorizer, func(d declaredAuthorizer) {
		if d.IdentitySource == "" && !strings.EqualFold(d.Type, AuthorizerRequest) {
			d.IdentitySource = headerSource + scheme.Name
		}
		d.read(b.reader, at, authorizer)
	})
	kind := AuthorizationCustom
	if authorizer.Type == AuthorizerCognito {
		kind = AuthorizationCognito
	}
	cognito := strings.EqualFold(authType, AuthorizerCognito)
	if cognito != (kind == AuthorizationCognito) || strings.HasPrefix(strings.ToLower(authType), "aws") {
		b.problem(at, "an authorizer of type %q is not understood in a scheme of type %q", authorizer.Type, authType)
	}
	b.api.Authorizers = append(b.api.Authorizers, authorizer)
	b.schemes[name] = securityScheme{authorization: Authorization{Type: kind, Authorizer: authorizer}}
}

// authorize reads what an operation asks of its caller. Anything but one
// requirement of known schemes, or none, admits nobody; beside it an API key may
// be asked for in the same requirement or, as API Gateway exports it, in one of its
// own, which is no alternative to it. API Gateway does not use
// the security of the whole document ("Amazon API Gateway important notes"), so
// an operation that has none of its own is open.
func (b *bodyReader) authorize(at string, op *openapi3.Operation, route *Route) {
	route.Authorization = Authorization{Type: AuthorizationNone}
	if op.Security == nil && len(b.doc.Security) > 0 {
		b.problem(at, "it has no security of its own, and API Gateway ignores that of the whole document: the operation is open")
	}
	if _, own := op.Extensions[extensionAuth]; own {
		b.authenticate(at, op, route)
	}
	if op.Security == nil || len(*op.Security) == 0 {
		return
	}
	at += ".security"
	requirements := slices.DeleteFunc(slices.Clone(*op.Security), b.keyAlone)
	route.APIKeyRequired = len(requirements) < len(*op.Security)
	if len(requirements) == 0 {
		return
	}
	if len(requirements) > 1 || len(requirements[0]) == 0 {
		b.problem(at, "exactly one requirement is understood, and one for an API key beside it")
		route.Authorization = Authorization{}
		return
	}
	authorized := false
	for _, name := range slices.Sorted(maps.Keys(requirements[0])) {
		scheme, known := b.schemes[name]
		switch {
		case !known:
			b.problem(at, "no understood security scheme is named %q", name)
		case scheme.key:
			route.APIKeyRequired = true
			continue
		case authorized:
			b.problem(at, "one authorizer and an API key are understood together, no more")
			scheme = securityScheme{}
		}
		authorized = true
		route.Authorization = scheme.authorization
		route.Authorization.Scopes = slices.Clone(requirements[0][name])
	}
}

// keyAlone reports whether a requirement is for an API key and nothing else.
func (b *bodyReader) keyAlone(requirement openapi3.SecurityRequirement) bool {
	for name := range requirement {
		if !b.schemes[name].key {
			return false
		}
	}
	return len(requirement) > 0
}

// authenticate reads an operation's own type of authorization, in any case,
// which is understood where nothing else is asked ("x-amazon-apigateway-auth
// object").
func (b *bodyReader) authenticate(at string, op *openapi3.Operation, route *Route) {
	route.Authorization = Authorization{}
	decodeExtension(b, at, op.Extensions, extensionAuth, func(auth struct {
		Type string `json:"type"`
	}) {
		switch kind := strings.ToUpper(auth.Type); {
		case op.Security != nil && len(*op.Security) > 0:
			b.problem(at+"."+extensionAuth, "the type %q is not understood beside security", kind)
		case kind == AuthorizationNone, kind == AuthorizationIAM:
			route.Authorization.Type = kind
		default:
			b.problem(at+"."+extensionAuth, "the type %q is not understood; NONE and AWS_IAM are", kind)
		}
	})
}
