package directory

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const invalidLambda = "InvalidLambdaResponseException"

// tokenChange is what a pre-token trigger wants of a token.
type tokenChange struct {
	add      map[string]any
	suppress []string
}

// change is what a pre-token trigger wants of the tokens of one grant.
type change struct {
	id, access                  tokenChange
	scopesToAdd, scopesToRemove []string
	groups, roles               []string // nil leaves them
	preferredRole               *string
}

// preToken runs the pool's pre-token trigger for a user, or for a machine, whose
// user is nil, if it is there for it: version 1 changes ID tokens, version 2
// access tokens too, version 3 those of machines too ("Pre token generation
// Lambda trigger", Amazon Cognito developer guide).
func (d *Directory) preToken(ctx context.Context, c *Client, u *User, source string, scopes []string, metadata map[string]string) (change, error) {
	version := d.pool.PreTokenVersion
	if version == "" || u == nil && version != "V3_0" {
		return change{}, nil
	}
	username, attributes, groups := "ClientCredentials", map[string]string(nil), []string{}
	if u != nil {
		username, attributes, groups = u.Username, attributesFor(u), append(groups, u.Groups...)
	}
	roles, preferred := d.rolesOf(groups)
	if version == "V1_0" {
		return d.preTokenV1(ctx, d.header("1", source, c.ID, username), events.CognitoEventUserPoolsPreTokenGenRequest{
			UserAttributes: attributes, ClientMetadata: metadata,
			GroupConfiguration: events.GroupConfiguration{GroupsToOverride: groups, IAMRolesToOverride: roles, PreferredRole: preferred},
		})
	}
	event := events.CognitoEventUserPoolsPreTokenGenV2_0{
		CognitoEventUserPoolsHeader: d.header(version[1:2], source, c.ID, username),
		Request: events.CognitoEventUserPoolsPreTokenGenRequestV2_0{
			UserAttributes: attributes, ClientMetadata: metadata, Scopes: scopes,
			GroupConfiguration: events.GroupConfigurationV2_0{GroupsToOverride: groups, IAMRolesToOverride: roles, PreferredRole: preferred},
		},
	}
	var response events.CognitoEventUserPoolsPreTokenGenResponseV2_0
	if err := d.runPreToken(ctx, event, &response); err != nil {
		return change{}, err
	}
	details := response.ClaimsAndScopeOverrideDetails
	if slices.ContainsFunc(details.AccessTokenGeneration.ScopesToAdd, badScope) {
		return change{}, fail(invalidLambda, "Unrecognizable lambda output")
	}
	return change{
		id:          tokenChange{details.IDTokenGeneration.ClaimsToAddOrOverride, details.IDTokenGeneration.ClaimsToSuppress},
		access:      tokenChange{details.AccessTokenGeneration.ClaimsToAddOrOverride, details.AccessTokenGeneration.ClaimsToSuppress},
		scopesToAdd: details.AccessTokenGeneration.ScopesToAdd, scopesToRemove: details.AccessTokenGeneration.ScopesToSuppress,
		groups: details.GroupOverrideDetails.GroupsToOverride, roles: details.GroupOverrideDetails.IAMRolesToOverride,
		preferredRole: details.GroupOverrideDetails.PreferredRole,
	}, nil
}

func (d *Directory) preTokenV1(ctx context.Context, header events.CognitoEventUserPoolsHeader, request events.CognitoEventUserPoolsPreTokenGenRequest) (change, error) {
	var response events.CognitoEventUserPoolsPreTokenGenResponse
	if err := d.runPreToken(ctx, events.CognitoEventUserPoolsPreTokenGen{CognitoEventUserPoolsHeader: header, Request: request}, &response); err != nil {
		return change{}, err
	}
	details := response.ClaimsOverrideDetails
	add := map[string]any{}
	for name, value := range details.ClaimsToAddOrOverride {
		add[name] = value
	}
	return change{
		id:     tokenChange{add, details.ClaimsToSuppress},
		groups: details.GroupOverrideDetails.GroupsToOverride, roles: details.GroupOverrideDetails.IAMRolesToOverride,
		preferredRole: details.GroupOverrideDetails.PreferredRole,
	}, nil
}

func (d *Directory) runPreToken(ctx context.Context, event, response any) error {
	return d.trigger(ctx, "PreTokenGeneration", d.pool.PreTokenFunctionARN, event, response)
}

// badScope reports whether a scope cannot stand in a token (RFC 6749 section
// 3.3), or is one of Cognito's that no trigger may add.
func badScope(scope string) bool {
	return scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) ||
		strings.HasPrefix(scope, "aws.cognito") && scope != adminScope
}

// fixed are the claims that no trigger changes ("Pre token generation Lambda
// trigger", "Excluded claims and scopes"), and those beginning with cognito: or
// aws:.
var fixed = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "iss", "jti",
	"nbf", "nonce", "origin_jti", "scope", "sub", "token_use", "username", "version",
}

func isFixed(claim string) bool {
	return slices.Contains(fixed, claim) || strings.HasPrefix(claim, "cognito:") || strings.HasPrefix(claim, "aws:")
}

// apply changes claims but those that are fixed.
func (t tokenChange) apply(claims map[string]any) {
	for _, name := range t.suppress {
		if !isFixed(name) {
			delete(claims, name)
		}
	}
	for name, value := range t.add {
		if !isFixed(name) {
			claims[name] = value
		}
	}
}

// scopes returns a grant's scopes after the change.
func (c change) scopes(granted []string) []string {
	out := slices.DeleteFunc(slices.Clone(granted), func(scope string) bool { return slices.Contains(c.scopesToRemove, scope) })
	for _, scope := range c.scopesToAdd {
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// rolesOf returns the roles of groups, and that of the most important one.
func (d *Directory) rolesOf(groups []string) (roles []string, preferred *string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	roles = []string{}
	for _, name := range groups {
		g := d.groups[name]
		if g == nil || g.RoleARN == "" {
			continue
		}
		if preferred == nil && g.Precedence != nil {
			preferred = &g.RoleARN
		}
		roles = append(roles, g.RoleARN)
	}
	return roles, preferred
}

// addGroups writes a user's groups into claims, as the trigger left them.
func (d *Directory) addGroups(claims map[string]any, u *User, c change, roles bool) {
	groups := u.Groups
	if c.groups != nil {
		groups = c.groups
	}
	if len(groups) > 0 {
		claims["cognito:groups"] = groups
	}
	if !roles {
		return
	}
	arns, preferred := d.rolesOf(groups)
	if c.roles != nil {
		arns = c.roles
	}
	if c.preferredRole != nil {
		preferred = c.preferredRole
	}
	if len(arns) > 0 {
		claims["cognito:roles"] = arns
	}
	if preferred != nil && *preferred != "" {
		claims["cognito:preferred_role"] = *preferred
	}
}

// profile returns attributes as claims of a token or of the UserInfo endpoint:
// booleans and the address are what OpenID Connect Core 1.0 section 5.1 says.
func profile(attributes map[string]string, text bool) map[string]any {
	claims := map[string]any{}
	for name, value := range attributes {
		switch {
		case text:
			claims[name] = value
		case strings.HasSuffix(name, "_verified"):
			claims[name] = value == "true"
		case name == "address":
			claims[name] = map[string]string{"formatted": value}
		case name == "updated_at":
			claims[name] = json.Number(value)
		default:
			claims[name] = value
		}
	}
	return claims
}

// visible returns the attributes that scopes show: all that the client reads for
// openid alone or profile, as "Scopes, M2M, and resource servers", Amazon Cognito
// developer guide, has it.
func visible(attributes map[string]string, scopes []string) map[string]string {
	email, phone := slices.Contains(scopes, "email"), slices.Contains(scopes, "phone")
	if slices.Contains(scopes, "profile") || !email && !phone {
		return attributes
	}
	out := maps.Clone(attributes)
	maps.DeleteFunc(out, func(name, _ string) bool {
		return name != "sub" && (!email || !strings.HasPrefix(name, "email")) && (!phone || !strings.HasPrefix(name, "phone_number"))
	})
	return out
}
