// A document that is attached to a form stays here: a random salt and the digest of salt and bytes are all that is sent.
"use strict";
(() => {
  const MOST = 256 * 2 ** 20;
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  const attach = async (picked) => {
    const name = picked.dataset.digest, kept = document.getElementById(name);
    const say = (words) => { document.querySelector(`[data-said="${CSS.escape(name)}"]`).textContent = words; };
    const [file] = picked.files;
    kept.value = "";
    if (!file) { say(""); return; }
    if (file.size > MOST) { say("This is too large for a browser; use the terminal."); return; }
    say("reading …");
    const salt = crypto.getRandomValues(new Uint8Array(32));
    const salted = new Uint8Array(32 + file.size);
    salted.set(salt);
    salted.set(new Uint8Array(await file.arrayBuffer()), 32);
    const digest = hex(await crypto.subtle.digest("SHA-256", salted));
    kept.value = `${hex(salt)} sha256:${digest} ${file.name}`;
    say(`attached: ${file.name}`);
  };

  document.addEventListener("change", (event) => {
    const picked = event.target.closest?.("input[type=file][data-digest]");
    if (picked) attach(picked);
  });
})();
