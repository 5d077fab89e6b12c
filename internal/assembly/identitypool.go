package assembly

import "slices"

const (
	typeIdentityPool      = "AWS::Cognito::IdentityPool"
	typeIdentityPoolRoles = "AWS::Cognito::IdentityPoolRoleAttachment"
	typeIdentityPoolTags  = "AWS::Cognito::IdentityPoolPrincipalTag"
)

// readIdentityPool reads a pool and its roles, in whichever stack of the stage
// they are attached. Routes that want signed calls are not decided by it, so
// what it cannot read is listed only.
func (r *reader) readIdentityPool(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	p = p.noted()
	pool := &IdentityPool{
		Place:   s.place(id),
		ID:      text(r.ref(s, id, p.at)),
		Name:    p.text("IdentityPoolName"),
		Guests:  p.bool("AllowUnauthenticatedIdentities"),
		Classic: p.bool("AllowClassicFlow"),
	}
	if pool.Name == "" {
		pool.Name = s.generatedName(id, 128)
	}
	for _, provider := range p.objects("CognitoIdentityProviders") {
		if client := provider.text("ClientId"); client != "" {
			pool.ClientIDs = append(pool.ClientIDs, client)
		}
	}
	for _, name := range []string{"OpenIdConnectProviderARNs", "SamlProviderARNs"} {
		pool.Providers = append(pool.Providers, p.texts(name)...)
	}
	for provider := range p.object("SupportedLoginProviders").values {
		pool.Providers = append(pool.Providers, provider)
	}
	if developer := p.text("DeveloperProviderName"); developer != "" {
		pool.Providers = append(pool.Providers, developer)
	}
	slices.Sort(pool.Providers)
	for _, other := range r.stacks {
		r.readOfIdentityPool(other, pool)
	}
	r.model.IdentityPools = append(r.model.IdentityPools, pool)
}

func (r *reader) readOfIdentityPool(s *stack, pool *IdentityPool) {
	for _, id := range s.ofType(typeIdentityPoolRoles) {
		p, ok := r.properties(s, id)
		if !ok || p.ignored().text("IdentityPoolId") != pool.ID {
			continue
		}
		roles := p.noted().object("Roles")
		if role := roles.text("unauthenticated"); role != "" {
			pool.GuestRoleARN = role
		}
		if role := roles.text("authenticated"); role != "" {
			pool.UserRoleARN = role
		}
		if p.has("RoleMappings") {
			r.note(p.at, "RoleMappings are not read: users who sign in may get other roles than %s", orText(pool.UserRoleARN, "none"))
		}
	}
	for _, id := range s.ofType(typeIdentityPoolTags) {
		if p, ok := r.properties(s, id); ok && p.ignored().text("IdentityPoolId") == pool.ID {
			r.note(p.at, "principal tags are not read: a condition that asks for one is not known to hold")
		}
	}
}
