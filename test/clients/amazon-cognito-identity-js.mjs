// amazon-cognito-identity-js: SRP from sign-up to sign-out, as apps on the
// Cognito SDKs do.
import assert from "node:assert/strict";
import { promisify } from "node:util";
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from "amazon-cognito-identity-js";
import { client, codeFor, pool, refuses, stage } from "./stage.mjs";

class Memory extends Map {
	setItem(key, value) { this.set(key, value); return value; }
	getItem(key) { return this.get(key) ?? null; }
	removeItem(key) { return this.delete(key); }
}

const address = "srp@example.com", password = "Correct-Horse-1", changed = "Correct-Horse-2", reset = "Correct-Horse-3";
const storage = new Memory();
const users = new CognitoUserPool({ UserPoolId: pool.id, ClientId: client("android").id, endpoint: stage.aws, Storage: storage });
const of = (name) => new CognitoUser({ Username: name, Pool: users, Storage: storage });
const ask = (user, method, ...values) => promisify(user[method].bind(user))(...values);
const signIn = (user, secret) => new Promise((resolve, reject) =>
	user.authenticateUser(new AuthenticationDetails({ Username: user.getUsername(), Password: secret }), { onSuccess: resolve, onFailure: reject }));

await promisify(users.signUp.bind(users))(address, password, [new CognitoUserAttribute({ Name: "email", Value: address })], null);
await refuses("who has not confirmed", () => signIn(of(address), password));
await ask(of(address), "confirmRegistration", await codeFor(address), true);
await refuses("a wrong password", () => signIn(of(address), changed));
await refuses("an unknown user", () => signIn(of("nobody@example.com"), password));

const user = of(address);
const session = await signIn(user, password);
assert.equal(session.getIdToken().payload.email, address);
// The pool's pre-token trigger has written the scope and the claim, so that the
// API takes the token, which an SDK's sign-in has no scope for.
assert.equal(session.getAccessToken().payload.scope, "aws.cognito.signin.user.admin notes/read");
assert.equal(session.getAccessToken().payload.email, address);
const whoami = (token) => fetch(`${stage.api}/v1/whoami`, { headers: { Authorization: `Bearer ${token}` } });
assert.equal((await whoami(session.getAccessToken().getJwtToken())).status, 200);
assert.equal((await whoami(session.getIdToken().getJwtToken())).status, 401);
assert.ok(session.isValid());
assert.equal((await ask(user, "getUserAttributes")).find((a) => a.getName() === "email").getValue(), address);

await ask(user, "changePassword", password, changed);
await refuses("the old password", () => signIn(of(address), password));
const refreshed = await ask(user, "refreshSession", session.getRefreshToken());
assert.notEqual(refreshed.getAccessToken().getJwtToken(), session.getAccessToken().getJwtToken());
assert.equal((await whoami(refreshed.getAccessToken().getJwtToken())).status, 200);

const forgetful = of(address);
await new Promise((resolve, reject) => forgetful.forgotPassword({ onSuccess: resolve, onFailure: reject }));
const code = await codeFor(address);
await new Promise((resolve, reject) => forgetful.confirmPassword(code, reset, { onSuccess: resolve, onFailure: reject }));
const last = of(address);
await signIn(last, reset);
await new Promise((resolve, reject) => last.globalSignOut({ onSuccess: resolve, onFailure: reject }));
const after = of(address);
const kept = await signIn(after, reset);
await new Promise((resolve) => after.signOut(resolve)); // revokes the refresh token
await refuses("a session that was signed out", () => ask(of(address), "refreshSession", kept.getRefreshToken()));
