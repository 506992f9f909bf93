// Passkeys: ask the server, let the browser ask its person, send back what the authenticator signed.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  const meta = () => document.querySelector("meta[name=csrf]");

  const post = (path, body, headers = {}) => fetch(path, {
    method: "POST", credentials: "same-origin", body,
    headers: { accept: "application/json", ...(meta() ? { "x-ringfence-csrf": meta().content } : {}), ...headers },
  });
  const refusal = async (answer) => {
    const found = await answer.json().catch(() => ({}));
    return Object.assign(new Error(found.detail || `the server answered ${answer.status}`), { type: found.type });
  };
  const json = async (path, document_) => {
    const answer = await post(path, document_ ? JSON.stringify(document_) : null, document_ ? { "content-type": "application/json" } : {});
    if (!answer.ok) throw await refusal(answer);
    return answer.json();
  };

  const say = (words) => {
    const place = document.getElementById("said");
    if (place) { place.textContent = words; place.hidden = !words; place.scrollIntoView({ block: "nearest" }); }
  };
  // What the browser says when its person turns away, or has nothing that fits; it does not tell which.
  const explained = (error) => error.name === "NotAllowedError"
    ? "The browser gave no passkey: it was turned away, took too long, or has none for this address."
    : error.name === "InvalidStateError" ? "This authenticator holds a passkey of yours for this console already."
    : error.name === "SecurityError" ? `Passkeys do not work at ${location.origin}: open the console at its own address.`
    : error.message;

  const get = async (options) => {
    const made = await navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
    const response = { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature) };
    return { id: made.id, response: userHandle ? { ...response, userHandle: text(userHandle) } : response };
  };

  const create = async (options, name) => {
    const publicKey = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: described(options.excludeCredentials) };
    const made = await navigator.credentials.create({ publicKey });
    const { clientDataJSON, attestationObject } = made.response;
    const response = { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject), transports: made.response.getTransports?.() ?? [] };
    return { id: made.id, name, response };
  };

  const confirm = async () => {
    const { csrf } = await json("/signin/confirm", await get(await json("/signin/confirm/ask")));
    meta().content = csrf;
    for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
  };

  const acts = {
    signin: async () => { location.assign((await json("/login/passkey", await get(await json("/login/ask")))).to); },
    confirm: async () => { await confirm(); location.reload(); },
    // Each press asks anew: the statement takes the passkey's next place, and an answer fits one question only.
    act: async (form) => {
      const path = form.getAttribute("action"), passkey = new FormData(form).get("passkey");
      location.assign((await json(path, await get(await json(`${path}/ask`, { passkey })))).to);
    },
    enrol: async (form) => {
      const ask = () => json("/signin/passkeys/ask");
      const options = await guarded(ask);
      const { to } = await json("/signin/passkeys", await create(options, new FormData(form).get("name") || "passkey"));
      location.assign(form.dataset.to || to);
    },
  };

  // A dangerous act that was refused for want of a passkey is asked for once more, after the passkey.
  const guarded = async (act) => {
    try { return await act(); }
    catch (error) {
      if (error.type !== "urn:ringfence:problem:step-up-required") throw error;
      await confirm();
      return act();
    }
  };

  const send = async (form, button) => {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.set(button.name, button.value); // it is disabled by now, so that the form leaves it out
    const answer = await post(form.action, fields, { "content-type": "application/x-www-form-urlencoded" });
    if (!answer.ok) throw await refusal(answer);
    if (answer.redirected) { location.assign(answer.url); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    window.htmx?.process(document.querySelector("main"));
    document.querySelector("main").focus();
  };

  const run = async (act, button) => {
    say("");
    if (button) button.disabled = true;
    try { await act(); } catch (error) { say(explained(error)); } finally { if (button) button.disabled = false; }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-passkey]");
    if (button && button.type === "button") run(() => acts[button.dataset.passkey](), button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target, act = form.dataset.passkey;
    if (!act && !("guarded" in form.dataset)) return;
    event.preventDefault();
    const button = event.submitter;
    run(act ? () => acts[act](form) : () => guarded(() => send(form, button)), button);
  });
})();
