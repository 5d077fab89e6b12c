// aws-jwt-verify: AWS's own verifier takes our tokens, and refuses what was
// changed in them.
import assert from "node:assert/strict";
import { JwtRsaVerifier } from "aws-jwt-verify";
import { client, pool, refuses, stage } from "./stage.mjs";

const machine = client("machine");
const answer = await fetch(`${stage.auth}/oauth2/token`, {
	method: "POST",
	headers: { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
	body: new URLSearchParams({ grant_type: "client_credentials" }),
});
const token = (await answer.json()).access_token;

const verifier = JwtRsaVerifier.create({
	issuer: pool.issuer, audience: null, jwksUri: pool.jwksUri, scope: ["notes/read"],
	customJwtCheck: ({ payload }) => {
		assert.equal(payload.token_use, "access");
		assert.equal(payload.client_id, machine.id);
	},
});
verifier.cacheJwks(await (await fetch(pool.jwksUri)).json()); // its own fetcher speaks https only
assert.equal((await verifier.verify(token)).sub, machine.id);

const [header, payload, signature] = token.split(".");
const claims = JSON.parse(Buffer.from(payload, "base64url"));
const wider = Buffer.from(JSON.stringify({ ...claims, scope: "notes/read notes/admin" })).toString("base64url");
const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
await refuses("a wider scope", () => verifier.verify(`${header}.${wider}.${signature}`));
await refuses("no algorithm", () => verifier.verify(`${unsigned}.${payload}.`));
await refuses("another signature", () => verifier.verify(`${header}.${payload}.${signature.replace(/^./, (c) => (c === "A" ? "B" : "A"))}`));
await refuses("another issuer", () => JwtRsaVerifier.create({ issuer: `${pool.issuer}x`, audience: null, jwksUri: pool.jwksUri }).verify(token));
