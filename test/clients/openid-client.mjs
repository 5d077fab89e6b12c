// openid-client: discovery, the code grant with PKCE, user info, refresh,
// revocation, and a client of its own account.
import assert from "node:assert/strict";
import * as oidc from "openid-client";
import { client, demo, pool, refuses, visit } from "./stage.mjs";

const insecure = { execute: [oidc.allowInsecureRequests] }; // http on this machine
const website = client("website");

const config = await oidc.discovery(new URL(pool.issuer), website.id, undefined, oidc.None(), insecure);
const verifier = oidc.randomPKCECodeVerifier(), state = oidc.randomState(), nonce = oidc.randomNonce();
const url = oidc.buildAuthorizationUrl(config, {
	redirect_uri: website.callbacks[0], scope: "openid email notes/read", state, nonce,
	code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
});
const callback = await visit(url);
const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
assert.equal(tokens.claims().email, demo.username);
assert.equal(tokens.token_type, "bearer");

const user = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
assert.equal(user.email, demo.username);
await refuses("a code that was used", () => oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }));

// The replay ended that session, so another one is needed.
const again = await visit(oidc.buildAuthorizationUrl(config, {
	redirect_uri: website.callbacks[0], scope: "openid", state, nonce,
	code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
}));
await refuses("another verifier", () => oidc.authorizationCodeGrant(config, again, { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: state, expectedNonce: nonce }));
const third = await visit(oidc.buildAuthorizationUrl(config, {
	redirect_uri: website.callbacks[0], scope: "openid", state, nonce,
	code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
}));
const fresh = await oidc.authorizationCodeGrant(config, third, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
const refreshed = await oidc.refreshTokenGrant(config, fresh.refresh_token);
assert.notEqual(refreshed.access_token, fresh.access_token);
await oidc.tokenRevocation(config, refreshed.refresh_token ?? fresh.refresh_token);
await refuses("a revoked refresh token", () => oidc.refreshTokenGrant(config, refreshed.refresh_token ?? fresh.refresh_token));

const machine = client("machine");
const own = await oidc.discovery(new URL(pool.issuer), machine.id, machine.secret, oidc.ClientSecretBasic(machine.secret), insecure);
assert.ok((await oidc.clientCredentialsGrant(own, { scope: "notes/read" })).access_token);
const wrong = await oidc.discovery(new URL(pool.issuer), machine.id, "x", oidc.ClientSecretPost("x"), insecure);
await refuses("a wrong secret", () => oidc.clientCredentialsGrant(wrong));
