// Times aws-jwt-verify on one token beside a raw verification of its signature, in
// turn, and prints the median ratio and the median time in microseconds. It runs in
// test/clients, where the package is installed.
import { createRequire } from "node:module";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { performance } from "node:perf_hooks";

const require = createRequire(`${process.cwd()}/`);
const { CognitoJwtVerifier } = require("aws-jwt-verify");

const pool = "eu-west-1_AbCdEfGhI";
const issuer = `https://cognito-idp.eu-west-1.amazonaws.com/${pool}`;
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const now = Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = `${encode({ kid: "k", alg: "RS256" })}.${encode({
	sub: "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11", iss: issuer, version: 2, client_id: "c", token_use: "access",
	scope: "openid notes/read notes/write", auth_time: now, exp: now + 3600, iat: now, jti: "b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f1a2b",
	origin_jti: "0d3a8b1c-2b2f-4c3f-8a55-1f1f0c0f6b11", username: "6d3c1f0a-7d2e-4c55-9f0e-2a6d0b7c9e11",
})}`;
const signature = sign("sha256", Buffer.from(signed), privateKey);
const token = `${signed}.${signature.toString("base64url")}`;

const verifier = CognitoJwtVerifier.create({ userPoolId: pool, tokenUse: "access", clientId: "c", scope: ["notes/read"] });
verifier.cacheJwks({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "RS256" }] });

const rounds = 200;
const ratios = [];
const times = [];
for (let i = 0; i < 25; i++) {
	const start = performance.now();
	for (let n = 0; n < rounds; n++) {
		if (!verify("sha256", Buffer.from(signed), publicKey, signature)) throw new Error("the raw verification fails");
	}
	const middle = performance.now();
	for (let n = 0; n < rounds; n++) verifier.verifySync(token);
	const end = performance.now();
	ratios.push((end - middle) / (middle - start));
	times.push(((end - middle) / rounds) * 1000);
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
console.log(median(ratios), median(times));
