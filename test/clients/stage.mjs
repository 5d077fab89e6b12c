// What the clients' tests share: the running stage, and a person at the sign-in
// page who has no browser.
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export const stage = JSON.parse(readFileSync(process.env.GATEWRIGHT_STAGE, "utf8"));
export const pool = stage.userPools[0];
export const client = (name) => pool.clients.find((c) => c.name === name);
export const demo = stage.users[0]; // who can sign in from the start

// The code that was printed for an address since the last time.
const seen = new Map();
export async function codeFor(address) {
	for (let tries = 0; tries < 200; tries++) {
		const codes = [...readFileSync(process.env.GATEWRIGHT_OUTPUT, "utf8").matchAll(/^code for (\S+): (\S+) /gm)].filter((m) => m[1] === address);
		if (codes.length > (seen.get(address) ?? 0)) {
			seen.set(address, codes.length);
			return codes.at(-1)[2];
		}
		await wait(25);
	}
	throw new Error("no code was printed");
}

const unescape = (text) => text.replaceAll("&amp;", "&").replaceAll("&#43;", "+").replaceAll("&#34;", '"').replaceAll("&#39;", "'");

// Signs the demo user in at the page, as a browser does that keeps cookies, and
// returns the address that it ends at.
export async function visit(url) {
	const cookies = new Map();
	const go = async (url, init = {}) => {
		const answer = await fetch(url, {
			...init,
			redirect: "manual",
			headers: { ...init.headers, Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
		});
		for (const line of answer.headers.getSetCookie()) {
			const [name, value] = line.split(";")[0].split(/=(.*)/s);
			cookies.set(name, value);
		}
		const location = answer.headers.get("location");
		if (location === null) return { url, text: await answer.text() };
		const next = new URL(location, url);
		return next.origin === new URL(stage.auth).origin ? go(next) : { url: next };
	};
	const page = await go(url);
	if (page.text === undefined) return page.url;
	const form = page.text.match(/<form method="post" action="([^"]*)".*?name="_csrf" value="([^"]*)"/s);
	if (form === null) throw new Error("the page has no form");
	const done = await go(new URL(unescape(form[1]), stage.auth), {
		method: "POST",
		body: new URLSearchParams({ _csrf: unescape(form[2]), username: demo.username, password: demo.password }),
	});
	if (done.text !== undefined) throw new Error(`the sign-in failed: ${done.text.match(/role="alert">([^<]*)/)?.[1]}`);
	return done.url;
}

// Fails unless work does.
export async function refuses(what, work) {
	try {
		await work();
	} catch {
		return;
	}
	throw new Error(`${what} is not refused`);
}
