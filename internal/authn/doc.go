// Package authn decides whether a JSON Web Token of an Amazon Cognito user
// pool is genuine and current ([Verifier]), whether a customer's static key is
// ([KeyFormat], [CustomerSource]), and whether its holder may call a route
// ([Authorizer]).
//
// # Tokens
//
// It takes exactly one form: a compact JWS (RFC 7515) signed with RS256 by a
// key that the caller already trusts, whose payload is a Cognito access or ID
// token. Everything else is refused, and the token never chooses: not the
// algorithm, not the key's place, not the rules. Nothing is fetched but an
// issuer's JWK Set, by [RemoteKeys], from the address that it is configured with.
//
// # Keys
//
// A key is checked in this order, and each step is refused before the next costs
// anything: its form and checksum; the stage; the customer, of whom a
// [CustomerCache] remembers for ten seconds what it read, or that there is none;
// the secret, in constant time, against one digest, be it there or not; revoked or
// expired; the customer's status; the route. Nothing about a customer shows before
// the secret has matched.
//
// # Order of checks of a token
//
//  1. Length ([MaxTokenBytes]), and exactly three segments.
//  2. Canonical base64url in each (RFC 4648 section 3.5): no padding, no line
//     breaks, no spare bits, so that a token has one spelling.
//  3. Header: strict JSON that holds alg, kid and perhaps typ and nothing else.
//     So crit, b64, jwk, jku, x5u, x5c and whatever is invented next are
//     refused. alg is "RS256", typ is absent or "JWT", kid is at most
//     [MaxKeyIDBytes] of the two base64 alphabets. That includes "/", which
//     Cognito's key ids hold: a [KeySource] uses a kid as a map key only.
//  4. Claims: strict JSON; iss, exp, nbf, iat, token_use, sub; client_id of an
//     access token, aud of an ID token.
//  5. Key look-up, then one RSA verification.
//
// Cheap checks come first, so junk costs neither a key look-up nor RSA work.
// Therefore a [Reason] may rest on claims that nobody signed: log it, and
// answer every refusal alike. No claim leaves this package before the
// signature has matched.
//
// # What remains to the caller
//
// [Authorizer.Decide] is the whole decision. Verify alone says who signed and
// for whom, not what may be done: its caller still checks Token.Use (a route
// with scopes takes access tokens, never ID tokens), the scopes
// ([Token.HasAnyScope]) and, where a route is bound to clients, Token.ClientID.
// A token that was revoked stays valid until it expires.
//
//	verifier, err := authn.NewVerifier(authn.Config{Issuer: issuer, Keys: keys})
//	...
//	token, err := verifier.Verify(ctx, bearer)
//	if err != nil || token.Use != authn.UseAccess || !token.HasAnyScope(scopes) {
//		return unauthorized
//	}
package authn
