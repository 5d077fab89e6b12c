// oidc-client-ts: what most single-page applications sign in with. Its core runs
// without a browser; the window is what visits the page.
import assert from "node:assert/strict";
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from "oidc-client-ts";
import { client, demo, pool, refuses, visit } from "./stage.mjs";

const website = client("website");

const oidc = new OidcClient({
	authority: pool.issuer, client_id: website.id, redirect_uri: website.callbacks[0], response_type: "code",
	scope: "openid email notes/read", loadUserInfo: true, stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
});
const request = await oidc.createSigninRequest({ state: { from: "/notes" }, nonce: "the-nonce" });
const callback = await visit(request.url);
const answer = await oidc.processSigninResponse(callback.href);
assert.equal(answer.profile.email, demo.username);
assert.equal(JSON.parse(Buffer.from(answer.id_token.split(".")[1], "base64url")).nonce, "the-nonce"); // left out of the profile
assert.deepEqual(answer.userState, { from: "/notes" });
assert.equal(answer.isOpenId, true);

const refreshed = await oidc.useRefreshToken({ state: { refresh_token: answer.refresh_token, session_state: null, scope: answer.scope, profile: answer.profile } });
assert.ok(refreshed.access_token);
await oidc.revokeToken(refreshed.refresh_token ?? answer.refresh_token, "refresh_token");
await refuses("a revoked refresh token", () =>
	oidc.useRefreshToken({ state: { refresh_token: refreshed.refresh_token ?? answer.refresh_token, session_state: null, scope: answer.scope, profile: answer.profile } }));
await refuses("an answer to nobody's question", () => oidc.processSigninResponse(callback.href));
