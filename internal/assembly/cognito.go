package assembly

import (
	"maps"
	"slices"
	"time"
)

// readUserPool reads a pool and everything that hangs on it, in whichever
// stack of the stage it stands.
func (r *reader) readUserPool(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	poolID, listed := r.physicalID(s, id), p.noted()
	pool := &UserPool{
		Place:  s.place(id),
		ID:     poolID,
		ARN:    s.arn("cognito-idp", "userpool/"+poolID),
		Name:   listed.text("UserPoolName"),
		Issuer: r.options.issuer(s.region, poolID),
		// Defaults of AWS::Cognito::UserPool.
		SelfSignUp:         !listed.object("AdminCreateUserConfig").bool("AllowAdminCreateUserOnly"),
		MFA:                orText(listed.text("MfaConfiguration"), "OFF"),
		DeletionProtection: listed.text("DeletionProtection") == "ACTIVE",
		SoftwareTokenMFA:   slices.Contains(listed.texts("EnabledMfas"), "SOFTWARE_TOKEN_MFA"),
		PasswordPolicy:     listed.object("Policies").passwordPolicy(),
		UsernameAttributes: listed.texts("UsernameAttributes"),
		AliasAttributes:    listed.texts("AliasAttributes"),
		AutoVerified:       listed.texts("AutoVerifiedAttributes"),
		Recovery:           listed.object("AccountRecoverySetting").recovery(),
		// "User pool case sensitivity", Amazon Cognito: the API's default.
		CaseSensitive: !listed.has("UsernameConfiguration") || listed.object("UsernameConfiguration").bool("CaseSensitive"),
		Attributes:    listed.userAttributes(),
		Triggers:      r.triggers(p),
	}
	if pool.Name == "" {
		pool.Name = s.generatedName(id, 128)
	}
	if pool.MFA == "ON" && !pool.SoftwareTokenMFA {
		r.unservedFactors(p)
	}
	pool.PreTokenFunctionARN, pool.PreTokenVersion = p.object("LambdaConfig").ignored().preToken()
	for _, other := range r.stacks {
		r.readOfPool(other, pool)
	}
	r.model.UserPools = append(r.model.UserPools, pool)
}

// unservedFactors keeps a pool from being served in which everybody needs a
// second factor, and none is known to be one that can be set up here.
func (r *reader) unservedFactors(p props) {
	if _, unknown := p.unknown("EnabledMfas"); unknown {
		p.texts("EnabledMfas") // listed already; now it decides
		return
	}
	r.problem(p.at+".EnabledMfas", "MFA is required and no second factor that is served (SOFTWARE_TOKEN_MFA) is enabled; add it")
}

const preTokenConfig = "PreTokenGenerationConfig"

// deciding are the triggers that say which users may sign in and are not run
// here. The others of "Customizing user pool workflows with Lambda triggers",
// Amazon Cognito, are run, or decide about no token.
var deciding = []string{
	"CreateAuthChallenge", "DefineAuthChallenge", "InboundFederation", "UserMigration", "VerifyAuthChallengeResponse",
}

// triggers reads the functions of a pool's LambdaConfig.
func (r *reader) triggers(p props) map[string]string {
	config := p.object("LambdaConfig")
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(config.values)) {
		switch name {
		case "KMSKeyID":
			continue
		case preTokenConfig, "CustomEmailSender", "CustomSMSSender":
			out[name] = config.object(name).noted().text("LambdaArn")
		default:
			out[name] = config.noted().text(name)
		}
		if slices.Contains(deciding, name) {
			r.note(p.at, "LambdaConfig.%s is not run here, and could change who gets which token", name)
		}
	}
	if preToken := config.object(preTokenConfig); config.has(preTokenConfig) {
		if version := preToken.text("LambdaVersion"); !slices.Contains(preTokenVersions, version) {
			r.problem(preToken.at, "LambdaVersion %q is not understood; V1_0, V2_0 and V3_0 are", version)
		}
	}
	return out
}

var preTokenVersions = []string{"V1_0", "V2_0", "V3_0"}

// preToken returns the function of a LambdaConfig that changes tokens, and the
// version of its event. The newer property wins; both name the same function
// ("LambdaConfigType", Amazon Cognito API reference).
func (p props) preToken() (functionARN, version string) {
	switch {
	case p.has(preTokenConfig):
		config := p.object(preTokenConfig)
		return config.text("LambdaArn"), config.text("LambdaVersion")
	case p.has("PreTokenGeneration"):
		return p.text("PreTokenGeneration"), "V1_0"
	default:
		return "", ""
	}
}

func (r *reader) readOfPool(s *stack, pool *UserPool) {
	for _, id := range s.ofType(typeResourceServer) {
		if p, ok := r.properties(s, id); ok && p.ofPool(pool) {
			p = p.noted()
			server := ResourceServer{Place: s.place(id), Identifier: p.text("Identifier")}
			for _, scope := range p.objects("Scopes") {
				server.Scopes = append(server.Scopes, server.Identifier+"/"+scope.text("ScopeName"))
			}
			pool.ResourceServers = append(pool.ResourceServers, server)
		}
	}
	for _, id := range s.ofType(typeUserPoolGroup) {
		if p, ok := r.properties(s, id); ok && p.ofPool(pool) {
			p = p.noted()
			pool.Groups = append(pool.Groups, UserPoolGroup{
				Place: s.place(id), Name: r.physicalID(s, id), Description: p.text("Description"),
				RoleARN: p.text("RoleArn"), Precedence: p.int("Precedence", -1),
			})
		}
	}
	for _, id := range s.ofType(typeUserPoolDomain) {
		if p, ok := r.properties(s, id); ok && p.ofPool(pool) {
			if p.has("CustomDomainConfig") {
				pool.CustomDomain = p.noted().text("Domain")
			} else {
				pool.DomainPrefix = p.noted().text("Domain")
			}
		}
	}
	for _, id := range s.ofType(typeUserPoolClient) {
		if p, ok := r.properties(s, id); ok && p.ofPool(pool) {
			pool.Clients = append(pool.Clients, r.userPoolClient(s, id, p))
		}
	}
}

func (p props) ofPool(pool *UserPool) bool { return p.ignored().text("UserPoolId") == pool.ID }

// noteForeignClient lists a client of a pool that the stage does not declare:
// nobody here knows its tokens.
func (r *reader) noteForeignClient(s *stack, id string) {
	p, ok := r.properties(s, id)
	if ok && !slices.ContainsFunc(r.model.UserPools, p.ofPool) {
		r.note(p.at, "its user pool is not declared here, so this client is not read")
	}
}

// authFlowNames are what Cognito calls an old name today.
var authFlowNames = map[string]string{
	"ADMIN_NO_SRP_AUTH":     "ALLOW_ADMIN_USER_PASSWORD_AUTH",
	"CUSTOM_AUTH_FLOW_ONLY": "ALLOW_CUSTOM_AUTH",
	"USER_PASSWORD_AUTH":    "ALLOW_USER_PASSWORD_AUTH",
}

func (r *reader) userPoolClient(s *stack, id string, p props) UserPoolClient {
	listed := p.noted()
	c := UserPoolClient{
		Place: s.place(id),
		ID:    r.physicalID(s, id),
		Name:  listed.text("ClientName"),
		// Whether it has a secret decides who may use it.
		HasSecret: p.bool("GenerateSecret"),
		OAuth:     listed.bool("AllowedOAuthFlowsUserPoolClient"),
		Flows:     listed.texts("AllowedOAuthFlows"),
		Scopes:    listed.texts("AllowedOAuthScopes"),
		Callbacks: listed.texts("CallbackURLs"),
		Logouts:   listed.texts("LogoutURLs"),
		AuthFlows: listed.texts("ExplicitAuthFlows"),
		// Defaults of "CreateUserPoolClient", Amazon Cognito.
		HidesUsers: listed.text("PreventUserExistenceErrors") == "ENABLED",
		Revokes:    !p.has("EnableTokenRevocation") || listed.bool("EnableTokenRevocation"),
		// Off by default, as "Refresh tokens", Amazon Cognito, says.
		RotatesRefreshTokens: listed.object("RefreshTokenRotation").text("Feature") == "ENABLED",
		RetryGracePeriod:     listed.object("RefreshTokenRotation").seconds("RetryGracePeriodSeconds", 0),
		ReadAttributes:       listed.texts("ReadAttributes"),
		WriteAttributes:      listed.texts("WriteAttributes"),
		SessionLifetime:      time.Duration(listed.int("AuthSessionValidity", 3)) * time.Minute,
		// Defaults of "Using tokens with user pools", Amazon Cognito.
		AccessTokenLifetime:  lifetime(p, "AccessToken", "hours", time.Hour),
		IDTokenLifetime:      lifetime(listed, "IdToken", "hours", time.Hour),
		RefreshTokenLifetime: lifetime(listed, "RefreshToken", "days", 30*24*time.Hour),
	}
	if c.Name == "" {
		c.Name = s.generatedName(id, 128)
	}
	for i, flow := range c.AuthFlows {
		c.AuthFlows[i] = orText(authFlowNames[flow], flow)
	}
	if _, unknown := p.unknown("ExplicitAuthFlows"); len(c.AuthFlows) == 0 && !unknown {
		c.AuthFlows = []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
	}
	return c
}

func orText(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// lifetime reads a token's validity in the unit that the client states.
func lifetime(p props, token, unit string, otherwise time.Duration) time.Duration {
	n := p.int(token+"Validity", 0)
	if n == 0 {
		return otherwise
	}
	if stated := p.object("TokenValidityUnits").text(token); stated != "" {
		unit = stated
	}
	switch unit {
	case "seconds":
		return time.Duration(n) * time.Second
	case "minutes":
		return time.Duration(n) * time.Minute
	case "hours":
		return time.Duration(n) * time.Hour
	case "days":
		return time.Duration(n) * 24 * time.Hour
	default:
		p.report(p.at, "TokenValidityUnits.%s is %q; seconds, minutes, hours or days", token, unit)
		return otherwise
	}
}

// UserPool returns the pool with an ARN, or nil.
func (m *Model) UserPool(arn string) *UserPool {
	i := slices.IndexFunc(m.UserPools, func(p *UserPool) bool { return p.ARN == arn })
	if i < 0 {
		return nil
	}
	return m.UserPools[i]
}

// HasDomain reports whether there is a host that serves the pool's tokens.
func (p *UserPool) HasDomain() bool { return p.DomainPrefix != "" || p.CustomDomain != "" }
