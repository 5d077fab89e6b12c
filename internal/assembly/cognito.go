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
	ref, err := r.ref(s, id, p.at)
	if err != nil {
		r.problem(p.at, "%v", err)
		return
	}
	poolID := text(ref)
	pool := &UserPool{
		Place:  s.place(id),
		ID:     poolID,
		ARN:    s.arn("cognito-idp", "userpool/"+poolID),
		Name:   p.text("UserPoolName"),
		Issuer: r.options.issuer(s.region, poolID),
	}
	if pool.Name == "" {
		pool.Name = s.generatedName(id, 128)
	}
	pool.PreTokenFunctionARN = r.preToken(p)
	for _, other := range r.stacks {
		r.readOfPool(other, pool)
	}
	r.model.UserPools = append(r.model.UserPools, pool)
}

// preToken returns the ARN of the function that changes users' tokens. Version
// 2 of its event, and only that, is understood: Cognito does not send it for
// client_credentials ("Pre token generation Lambda trigger"), so machines'
// tokens are what they are without. Any other trigger is a problem.
func (r *reader) preToken(p props) string {
	triggers := p.object("LambdaConfig")
	for _, name := range slices.Sorted(maps.Keys(triggers.values)) {
		if name != "PreTokenGenerationConfig" {
			r.problem(p.at, "LambdaConfig is not understood with %s: triggers change who gets which token", name)
		}
	}
	if triggers.values["PreTokenGenerationConfig"] == nil {
		return ""
	}
	config := triggers.object("PreTokenGenerationConfig")
	if version := config.text("LambdaVersion"); version != "V2_0" {
		r.problem(config.at, "LambdaVersion %q is not understood; V2_0 is", version)
	}
	return config.text("LambdaArn")
}

func (r *reader) readOfPool(s *stack, pool *UserPool) {
	for _, id := range s.ofType(typeResourceServer) {
		if p, ok := r.properties(s, id); ok && p.text("UserPoolId") == pool.ID {
			server := ResourceServer{Place: s.place(id), Identifier: p.text("Identifier")}
			scopes, _ := p.values["Scopes"].([]any)
			for _, scope := range scopes {
				values, _ := scope.(map[string]any)
				server.Scopes = append(server.Scopes, server.Identifier+"/"+text(values["ScopeName"]))
			}
			pool.ResourceServers = append(pool.ResourceServers, server)
		}
	}
	for _, id := range s.ofType(typeUserPoolDomain) {
		if p, ok := r.properties(s, id); ok && p.text("UserPoolId") == pool.ID {
			pool.DomainPrefix = p.text("Domain")
		}
	}
	for _, id := range s.ofType(typeUserPoolClient) {
		if p, ok := r.properties(s, id); ok && p.text("UserPoolId") == pool.ID {
			pool.Clients = append(pool.Clients, r.userPoolClient(s, id, p))
		}
	}
}

func (r *reader) userPoolClient(s *stack, id string, p props) UserPoolClient {
	clientID, _ := r.ref(s, id, p.at)
	units := p.object("TokenValidityUnits")
	c := UserPoolClient{
		Place:     s.place(id),
		ID:        text(clientID),
		Name:      p.text("ClientName"),
		HasSecret: p.bool("GenerateSecret"),
		OAuth:     p.bool("AllowedOAuthFlowsUserPoolClient"),
		Flows:     p.texts("AllowedOAuthFlows"),
		Scopes:    p.texts("AllowedOAuthScopes"),
		Callbacks: p.texts("CallbackURLs"),
		Logouts:   p.texts("LogoutURLs"),
		// Off by default, as "Refresh tokens", Amazon Cognito, says.
		RotatesRefreshTokens: p.object("RefreshTokenRotation").text("Feature") == "ENABLED",
		// Defaults of "Using tokens with user pools", Amazon Cognito.
		AccessTokenLifetime:  lifetime(p, units, "AccessToken", "hours", time.Hour),
		IDTokenLifetime:      lifetime(p, units, "IdToken", "hours", time.Hour),
		RefreshTokenLifetime: lifetime(p, units, "RefreshToken", "days", 30*24*time.Hour),
	}
	if c.Name == "" {
		c.Name = s.generatedName(id, 128)
	}
	return c
}

// lifetime reads a token's validity in the unit that the client states.
func lifetime(p, units props, token, unit string, otherwise time.Duration) time.Duration {
	n := p.int(token+"Validity", 0)
	if n == 0 {
		return otherwise
	}
	if stated := units.text(token); stated != "" {
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
		p.reader.problem(p.at, "TokenValidityUnits.%s is %q; seconds, minutes, hours or days", token, unit)
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
