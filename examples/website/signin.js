// Signs a user in by the authorization code grant with PKCE (RFC 7636), as a
// public client does that runs in a browser (OAuth 2.0 for Browser-Based
// Applications). Tokens stay in this module's memory: what a script of somebody
// else cannot find in a storage it cannot carry away. A reload forgets them, and
// the sign-in page's own cookie brings them back without a question.

const pending = "gatewright.pending"; // what a sign-in under way has to remember across the redirect
const returning = "gatewright.returning"; // this tab was signed in before

export class SignInError extends Error {}

export class SignIn {
	#settings;
	#tokens = null; // {access, id, refresh, expires}
	#refreshing = null;

	constructor(settings) {
		this.#settings = settings;
	}

	get signedIn() {
		return this.#tokens !== null;
	}

	// What the ID token says of the user. It came straight from the token
	// endpoint, so that nobody else can have written it (OpenID Connect Core
	// 1.0, section 3.1.3.7).
	get user() {
		return this.#tokens ? claims(this.#tokens.id) : null;
	}

	// Leaves for the sign-in page. With quiet, nobody is asked: who has no
	// session there comes back signed out.
	async begin({ scopes = this.#settings.scopes, quiet = false } = {}) {
		const verifier = random(), state = random(), nonce = random();
		sessionStorage.setItem(pending, JSON.stringify({ verifier, state, nonce, quiet }));
		const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
		const query = new URLSearchParams({
			response_type: "code",
			client_id: this.#settings.clientId,
			redirect_uri: this.#settings.redirectUri,
			scope: scopes.join(" "),
			state,
			nonce,
			code_challenge: base64url(new Uint8Array(challenge)),
			code_challenge_method: "S256",
		});
		if (quiet) query.set("prompt", "none");
		location.assign(`${this.#settings.auth}/oauth2/authorize?${query}`);
	}

	// Goes on where the last page left off: with a code, or quietly where this
	// tab was signed in before. Resolves to false while the browser leaves.
	async resume() {
		const answer = new URLSearchParams(location.search);
		if (!answer.has("code") && !answer.has("error")) {
			if (sessionStorage.getItem(returning) === null) return true;
			await this.begin({ quiet: true });
			return false;
		}
		// The address holds a code, which should not stay in the history.
		history.replaceState(null, "", "/");
		const begun = JSON.parse(sessionStorage.getItem(pending) ?? "null");
		sessionStorage.removeItem(pending);
		if (begun === null || answer.get("state") !== begun.state) {
			throw new SignInError("This sign-in was not begun here. Please sign in again.");
		}
		if (answer.has("error")) {
			sessionStorage.removeItem(returning);
			if (begun.quiet) return true;
			throw new SignInError(answer.get("error_description") ?? `The sign-in failed: ${answer.get("error")}.`);
		}
		await this.#request({
			grant_type: "authorization_code",
			code: answer.get("code"),
			redirect_uri: this.#settings.redirectUri,
			code_verifier: begun.verifier,
		});
		if (claims(this.#tokens.id).nonce !== begun.nonce) {
			this.#tokens = null;
			throw new SignInError("The answer belongs to another sign-in. Please sign in again.");
		}
		sessionStorage.setItem(returning, "yes");
		return true;
	}

	// An access token that is good for half a minute at least.
	async accessToken() {
		if (this.#tokens === null) return null;
		if (this.#tokens.expires - Date.now() < 30_000) await this.refresh();
		return this.#tokens?.access ?? null;
	}

	// Refresh tokens work once, so two refreshes at a time would end the session.
	refresh() {
		this.#refreshing ??= this.#request({ grant_type: "refresh_token", refresh_token: this.#tokens.refresh })
			.finally(() => { this.#refreshing = null; });
		return this.#refreshing;
	}

	// Ends the session: here, at the token endpoint, and at the sign-in page.
	async end() {
		const token = this.#tokens?.refresh;
		this.#tokens = null;
		sessionStorage.clear();
		if (token) {
			await fetch(`${this.#settings.auth}/oauth2/revoke`, {
				method: "POST",
				body: new URLSearchParams({ token, client_id: this.#settings.clientId }),
			}).catch(() => {}); // offline: the session ends with its lifetime
		}
		const { auth, clientId, logoutUri } = this.#settings;
		location.assign(logoutUri ? `${auth}/logout?${new URLSearchParams({ client_id: clientId, logout_uri: logoutUri })}` : "/");
	}

	async #request(form) {
		const answer = await fetch(`${this.#settings.auth}/oauth2/token`, {
			method: "POST",
			body: new URLSearchParams({ ...form, client_id: this.#settings.clientId }),
		});
		const body = await answer.json();
		if (!answer.ok) {
			this.#tokens = null;
			throw new SignInError(body.error === "invalid_grant" ? "Your session has ended. Please sign in again." : `The sign-in failed: ${body.error}.`);
		}
		this.#tokens = {
			access: body.access_token,
			id: body.id_token ?? this.#tokens?.id,
			refresh: body.refresh_token ?? this.#tokens?.refresh, // the old one where rotation is off
			expires: Date.now() + body.expires_in * 1000,
		};
	}
}

function random() {
	return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
	return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function claims(token) {
	const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
	return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
}
