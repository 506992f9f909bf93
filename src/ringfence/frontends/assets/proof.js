// Check a statement again, in this browser, with WebCrypto. Nothing here believes a verdict of the server: it recomputes
// the issuer's signature, the entry's hash, the path to the root and the log's signature from the bytes themselves.

const utf8 = new TextEncoder();
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const FORMAT = "urn:ringfence:console-proof:v1";
const MAX_PATH = 64; // a tree of 2^64 leaves is no deeper

class Wrong extends Error {} // a check ran, and its verdict is negative
class Unable extends Error {} // a check could not run here

function demand(holds, words) {
  if (!holds) throw new Wrong(words);
}

function bytes(text) {
  demand(typeof text === "string", "the proof lacks a field");
  let binary;
  try { binary = atob(text); } catch { throw new Wrong("the proof holds bad base64"); }
  const result = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  demand(btoa(binary) === text, "the proof holds base64 that is not canonical");
  return result;
}

function join(...parts) {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { result.set(part, at); at += part.length; }
  return result;
}

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
const hex = (data) => Array.from(data, (value) => value.toString(16).padStart(2, "0")).join("");
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

async function ed25519(publicKey, signature, message) {
  let key;
  try { key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]); }
  catch (error) {
    if (error.name === "NotSupportedError") throw new Unable("not checked in this browser: it has no Ed25519");
    throw new Wrong("a public key is malformed");
  }
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

// A passkey signs its own data and a hash of what the browser says: the page, and as challenge the hash of the message.
async function byPasskey(publicKey, blob, message, { rpId, origin }) {
  const data = blob.slice(0, 37), signature = blob.slice(37, 101), client = blob.slice(101);
  let said;
  try { said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(client)); }
  catch { throw new Wrong("the browser's part of the signature is not JSON"); }
  const challenge = btoa(String.fromCharCode(...await sha256(message))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  demand(same(data.slice(0, 32), await sha256(utf8.encode(rpId))), "the passkey signed for another site");
  demand((data[32] & 5) === 5, "the passkey does not say that its holder was present and verified");
  demand(said.type === "webauthn.get" && said.challenge === challenge, "the passkey signed another statement");
  demand(said.origin === origin && !said.crossOrigin && !("topOrigin" in said), "the passkey signed on another page");
  let key;
  try { key = await crypto.subtle.importKey("raw", publicKey, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]); }
  catch { throw new Wrong("a public key is malformed"); }
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, join(data, await sha256(client)));
}

// DSSE: the signature covers the pre-authentication encoding of type and payload.
async function checkSignature(proof) {
  const data = bytes(proof.envelope);
  let envelope;
  try { envelope = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)); }
  catch { throw new Wrong("the envelope is not JSON"); }
  demand(envelope.payloadType === PAYLOAD_TYPE && envelope.signatures?.length === 1, "not a DSSE envelope of ours");
  demand(proof.issuerKey !== null, "the root never enrolled the key that signed this");
  const key = bytes(proof.issuerKey);
  demand(hex(await sha256(key)) === envelope.signatures[0].keyid, "the issuer's key is not the one that signed this");
  const payload = bytes(envelope.payload);
  const head = utf8.encode(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `);
  const blob = bytes(envelope.signatures[0].sig), message = join(head, payload);
  const good = proof.passkey ? await byPasskey(key, blob, message, proof.passkey) : await ed25519(key, blob, message);
  demand(good, "the issuer's signature does not match the statement");
  return sha256(data);
}

// The leaf binds the digest of the envelope to the time at which the log took it in and, since version 2 of the entry, to
// its number among the statements of its tenant.
async function leafHash(proof, digest) {
  demand(Number.isSafeInteger(proof.recordedAt) && proof.recordedAt >= 0, "the time of the entry is malformed");
  if (proof.place === null) return sha256(Uint8Array.of(0), Uint8Array.of(1), eight(proof.recordedAt), digest);
  const { tag, sequence } = proof.place ?? {};
  demand(Number.isSafeInteger(sequence) && sequence > 0, "the number of the entry is malformed");
  demand(bytes(tag).length === 32, "the tag of the tenant is malformed");
  return sha256(Uint8Array.of(0), Uint8Array.of(2), eight(proof.recordedAt), bytes(tag), eight(sequence), digest);
}

function eight(number) {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(number));
  return data;
}

// RFC 9162 2.1.3.2: the path from a leaf to the root of a tree of `size` leaves.
async function rootOf(entry, size, leaf, path) {
  demand(Number.isSafeInteger(entry) && Number.isSafeInteger(size) && entry >= 0 && entry < size, "the entry is not in a tree of this size");
  demand(Array.isArray(path) && path.length <= MAX_PATH, "the path is malformed");
  let fn = BigInt(entry), sn = BigInt(size - 1), hash = leaf;
  for (const text of path) {
    const sibling = bytes(text);
    demand(sn !== 0n && sibling.length === 32, "the path is too long");
    if (fn & 1n || fn === sn) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    fn >>= 1n; sn >>= 1n;
  }
  demand(sn === 0n, "the path is too short");
  return hash;
}

// C2SP signed-note: the text up to the empty line is signed; a line per signature follows.
function parseNote(note) {
  demand(typeof note === "string" && note.includes("\n\n— "), "the checkpoint is not a signed note");
  const end = note.lastIndexOf("\n\n— ");
  const text = note.slice(0, end + 1);
  const [origin, size, root] = text.split("\n");
  demand(/^(0|[1-9][0-9]{0,15})$/.test(size ?? ""), "the checkpoint's size is malformed");
  const signatures = note.slice(end + 2).split("\n").filter(Boolean).map((line) => line.match(/^— (\S+) (\S+)$/) ?? []);
  return { text, origin, size: Number(size), root: bytes(root), signatures };
}

async function checkCheckpoint(note, vkey) {
  const [name, id, ...material] = String(vkey).split("+");
  const key = bytes(material.join("+"));
  demand(name === note.origin && key.length === 33 && key[0] === 1, "the log's key is not an Ed25519 key of this log");
  const keyId = (await sha256(utf8.encode(`${name}\n`), key)).slice(0, 4);
  demand(hex(keyId) === id, "the log's key does not match its own id");
  for (const [, signer, encoded] of note.signatures) {
    if (signer !== name) continue;
    const blob = bytes(encoded);
    if (!same(blob.slice(0, 4), keyId)) continue;
    if (await ed25519(key.slice(1), blob.slice(4), utf8.encode(note.text))) return;
    throw new Wrong("the log's signature does not match the checkpoint");
  }
  throw new Wrong("the checkpoint lacks the log's Ed25519 signature");
}

// Run every check in order; `report` hears of each as it ends. Returns the digest of the envelope that was checked.
export async function verify(proof, expected, report = () => {}) {
  demand(proof?.format === FORMAT, "not a proof of ours");
  demand(proof.entry === expected.entry, "this is the proof of another entry");
  const run = async (name, words, work) => {
    try { const value = await work(); report(name, "verified", words(value)); return value; }
    catch (error) { report(name, error instanceof Unable ? "unavailable" : "failed", error.message); throw error; }
  };
  const digest = await run("signature", () => proof.passkey ? `A person's passkey signed this very statement at ${proof.passkey.origin}` : "Issuer's Ed25519 signature matches the statement", () => checkSignature(proof));
  demand(hex(digest) === expected.digest, "the served statement is not the one this page shows");
  const note = parseNote(proof.checkpoint);
  const leaf = await run("leaf", () => `Entry ${proof.entry} binds these bytes to ${new Date(proof.recordedAt).toISOString()}`, () => leafHash(proof, digest));
  await run("inclusion", () => `RFC 6962 path of ${proof.path.length} hashes leads to the root of ${note.size} entries`, async () => {
    demand(proof.size === note.size, "the proof is for another size than the checkpoint");
    const root = await rootOf(proof.entry, note.size, leaf, proof.path);
    demand(same(root, note.root), "the path does not lead to the root of the checkpoint");
  });
  await run("checkpoint", () => `Log's Ed25519 signature over that root matches (key ${String(proof.logKeys[0]).split("+")[1]})`, () => checkCheckpoint(note, proof.logKeys?.[0]));
  if (proof.cosignatures?.length) await run("cosigned", (words) => words, () => checkCosignatures(note, proof.cosignatures));
  return digest;
}

// C2SP tlog-cosignature of Ed25519: a witness signs the head with the time at which it saw it.
async function checkCosignatures(note, cosignatures) {
  const words = [];
  for (const { line, vkey, party } of cosignatures) {
    const [name, id, ...material] = String(vkey).split("+");
    const key = bytes(material.join("+"));
    const keyId = (await sha256(utf8.encode(`${name}\n`), key)).slice(0, 4);
    const [, signer, encoded] = String(line).match(/^— (\S+) (\S+)$/) ?? [];
    const blob = bytes(encoded);
    demand(key.length === 33 && key[0] === 4 && hex(keyId) === id, "the key of a witness is malformed");
    demand(signer === name && blob.length === 76 && same(blob.slice(0, 4), keyId), "a cosignature is malformed");
    const seconds = new DataView(blob.buffer).getBigUint64(4);
    const message = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
    demand(await ed25519(key.slice(1), blob.slice(12), message), `the cosignature by ${name} does not match the head`);
    const who = party === "operator" ? "run by the operator: counts as the operator" : party;
    words.push(`${name} (${who}) cosigned this head at ${new Date(Number(seconds) * 1000).toISOString()}`);
  }
  return words.join("; ");
}

const ICONS = { verified: "tick", failed: "cross", unavailable: "pending", unchecked: "unchecked" };
const WORDS = { verified: "checked in this browser", unavailable: "not checked in this browser" };

function paint(element, verdict, words) {
  element.dataset.verdict = verdict;
  const use = element.querySelector("use");
  use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${ICONS[verdict]}`);
  element.querySelector("[data-words]").textContent = words;
}

async function material(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Unable(`no proof to check: ${(await answer.json().catch(() => ({}))).detail ?? answer.statusText}`);
  try { return await answer.json(); } catch { throw new Wrong("the proof is not JSON"); }
}

export async function check(chip) {
  const steps = chip.hasAttribute("data-auto") ? document.getElementById("steps") : null;
  const report = (name, verdict, words) => {
    const line = steps?.querySelector(`[data-step="${name}"]`);
    if (line) paint(line, verdict, words);
  };
  chip.querySelector("[data-check]")?.remove();
  try {
    if (!globalThis.crypto?.subtle) throw new Unable("not checked in this browser: WebCrypto needs HTTPS or this machine");
    const expected = { entry: Number(chip.dataset.entry), digest: chip.dataset.digest };
    await verify(await material(chip.dataset.proof), expected, report);
    paint(chip, "verified", WORDS.verified);
  } catch (error) {
    const unable = error instanceof Unable || error instanceof TypeError && /fetch/i.test(error.message);
    paint(chip, unable ? "unavailable" : "failed", unable ? error.message : `check failed: ${error.message}`);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-check]");
  if (button) check(button.closest("[data-proof]"));
});
for (const chip of document.querySelectorAll("[data-proof][data-auto]")) check(chip);

// RFC 9162 2.1.4.2: the tree of the second root continues that of the first.
async function demandContinuation(first, second, path) {
  demand(Array.isArray(path) && path.length <= MAX_PATH, "the proof is malformed");
  demand(first.size > 0 && first.size <= second.size, "a log only grows: the first head is the larger one");
  const hashes = path.map(bytes);
  demand(hashes.every((hash) => hash.length === 32), "the proof is malformed");
  if (first.size === second.size) {
    demand(hashes.length === 0 && same(first.root, second.root), "two heads of one size have two roots");
    return;
  }
  let fn = BigInt(first.size - 1), sn = BigInt(second.size - 1);
  while (fn & 1n) { fn >>= 1n; sn >>= 1n; }
  if (fn === 0n) hashes.unshift(first.root);
  demand(hashes.length > 0, "the proof is too short");
  let [old, fresh] = [hashes[0], hashes[0]];
  for (const hash of hashes.slice(1)) {
    demand(sn !== 0n, "the proof is too long");
    if (fn & 1n || fn === sn) {
      old = await sha256(Uint8Array.of(1), hash, old);
      fresh = await sha256(Uint8Array.of(1), hash, fresh);
      while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      fresh = await sha256(Uint8Array.of(1), fresh, hash);
    }
    fn >>= 1n; sn >>= 1n;
  }
  demand(sn === 0n, "the proof is too short");
  demand(same(old, first.root), "the proof does not lead to the first root: the log was changed");
  demand(same(fresh, second.root), "the proof does not lead to the second root: the log was changed");
}

// Compare two heads; `kept` is one that the reader holds, and takes the place of what the server calls the first.
export async function verifyConsistency(material, asked, kept = "") {
  demand(material?.format === "urn:ringfence:console-consistency:v1", "not a proof of ours");
  const [first, second] = [parseNote(kept || material.old), parseNote(material.new)];
  demand(first.size === asked.old && second.size === asked.new, "the proof is for other heads");
  demand(first.origin === second.origin, "these are heads of two logs");
  await checkCheckpoint(first, material.logKeys?.[0]);
  await checkCheckpoint(second, (material.newLogKeys ?? material.logKeys)?.[0]);
  await demandContinuation(first, second, material.proof);
  return material.proof.length;
}

async function compare(form) {
  const verdict = document.getElementById("grown");
  const kept = form.elements.kept.value.trim() ? `${form.elements.kept.value.trim()}\n` : "";
  try {
    const asked = { old: kept ? parseNote(kept).size : Number(form.elements.old.value), new: Number(form.elements.new.value) };
    const query = new URLSearchParams(asked);
    const hashes = await verifyConsistency(await material(`${form.dataset.consistency}?${query}`), asked, kept);
    paint(verdict, "verified", `Checked in this browser: head ${asked.new} continues ${kept ? "your" : ""} head ${asked.old} (${hashes} hashes)`.replace("  ", " "));
  } catch (error) {
    const unable = error instanceof Unable;
    paint(verdict, unable ? "unavailable" : "failed", unable ? error.message : `check failed: ${error.message}`);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches?.("form[data-consistency]")) return;
  event.preventDefault();
  compare(event.target);
});
