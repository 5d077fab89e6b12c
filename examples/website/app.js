// The page: a user's notes, and buttons that show what the API decides.
import { SignIn, SignInError } from "./signin.js";

const $ = (id) => document.getElementById(id);
const settings = await (await fetch("/gatewright.json")).json();
const session = new SignIn(settings);

// Calls the API and reads the answer, whatever it is.
async function call(path, { method = "GET", body, anonymous = false } = {}) {
	const headers = {};
	const token = anonymous ? null : await session.accessToken();
	if (token) headers.Authorization = `Bearer ${token}`;
	if (body) headers["Content-Type"] = "application/json";
	const answer = await fetch(settings.api + path, { method, headers, body: body && JSON.stringify(body) });
	const text = await answer.text();
	return { status: answer.status, ok: answer.ok, text, json: () => JSON.parse(text) };
}

// What a refusal means for whoever sees it.
const meanings = {
	401: "401: the API does not know who you are. Sign in, or sign in again.",
	403: "403: the API knows who you are, and this is not for you.",
	429: "429: too many calls. Wait a moment.",
};

function say(text, bad = false) {
	$("status").textContent = text;
	$("status").classList.toggle("bad", bad);
}

function refused(answer) {
	say(meanings[answer.status] ?? `${answer.status}: something failed. Try again.`, true);
}

function show() {
	$("signed-in").hidden = !session.signedIn;
	$("signed-out").hidden = session.signedIn;
	$("sign-out").hidden = $("who").hidden = !session.signedIn;
	$("who").textContent = session.user?.email ?? "";
	$("refresh").disabled = !session.signedIn;
}

// Notes.

let next = null;

async function list(cursor) {
	const answer = await call("/v1/notes?limit=20" + (cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""));
	if (!answer.ok) return refused(answer);
	const page = answer.json();
	const items = page.items.map(item);
	if (cursor) $("notes").append(...items);
	else $("notes").replaceChildren(...items);
	next = page.next ?? null;
	$("more").hidden = next === null;
	$("no-notes").hidden = $("notes").childElementCount > 0;
}

function item(note) {
	const li = document.createElement("li"), words = document.createElement("div"), title = document.createElement("strong");
	const remove = document.createElement("button");
	title.textContent = note.title;
	words.append(title, note.text); // as text, never as markup
	remove.className = "quiet";
	remove.textContent = "Delete";
	remove.setAttribute("aria-label", `Delete ${note.title}`);
	remove.onclick = busy(remove, async () => {
		const answer = await call(`/v1/notes/${encodeURIComponent(note.id)}`, { method: "DELETE" });
		if (!answer.ok && answer.status !== 404) return refused(answer);
		say("Deleted.");
		await list();
	});
	li.append(words, remove);
	return li;
}

$("add").onsubmit = busy($("add").querySelector("button"), async (event) => {
	const form = event.target;
	const answer = await call("/v1/notes", { method: "POST", body: { title: form.title.value, text: form.text.value } });
	if (!answer.ok) return refused(answer);
	form.reset();
	say("Saved.");
	await list();
});

// What the API decides.

function display(title, text) {
	const heading = document.createElement("p"), body = document.createElement("pre");
	heading.textContent = title;
	body.textContent = text;
	$("answer").replaceChildren(heading, body);
}

for (const button of document.querySelectorAll("[data-call]")) {
	const path = button.dataset.call, anonymous = "anonymous" in button.dataset;
	button.onclick = busy(button, async () => {
		const answer = await call(path, { anonymous });
		display(meanings[answer.status] ?? `${answer.status}: the API answers.`, answer.text);
	});
}

$("refresh").onclick = busy($("refresh"), async () => {
	await session.refresh();
	display("A new access token, and a new refresh token.", "The old refresh token does not work any more.");
});

// Buttons.

// A handler that shows that it works, and what goes wrong.
function busy(button, handler) {
	return async (event) => {
		event.preventDefault();
		button.disabled = true;
		try {
			await handler(event);
		} catch (error) {
			failed(error);
		}
		button.disabled = false;
		show();
	};
}

function failed(error) {
	if (error instanceof SignInError) return say(error.message, true);
	say("The API cannot be reached, or it does not let this page read its answer (CORS).", true);
}

$("sign-in").onclick = busy($("sign-in"), () => session.begin());
$("narrow").onclick = busy($("narrow"), () => session.begin({ scopes: settings.scopes.filter((scope) => !scope.startsWith("web/")) }));
$("sign-out").onclick = busy($("sign-out"), () => session.end());
$("more").onclick = busy($("more"), () => list(next));

// Begin.

if (!settings.clientId) {
	say("Nobody can sign in here: no client of the stage returns to this address. Run the stage on its usual ports.", true);
} else {
	try {
		if (await session.resume()) {
			say("");
			show();
			if (session.signedIn) await list();
		}
	} catch (error) {
		failed(error);
		show();
	}
}
