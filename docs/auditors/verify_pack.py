"""Check a Ringfence pack without Ringfence: `python verify_pack.py PACK TRUST`. Steps: docs/specs/pack.md, section 4.

Needs Python 3.11 and `cryptography` 50 or newer. Take this file, and statements.py beside it, from documentation that
you trust, never from whoever gave you the pack. TRUST reached you earlier by another way: root key, log keys, heads.
Also beside it: witnesses.py (TRUST names some), verify_acts.py (people signed), successions.py (new log keys).
Exit code: 0 if everything holds, 1 if not (a line for each reason), 2 if a file cannot be read. Not shown: that what
was stated is true; that the status follows from it (`verify --recompute` does); what was never recorded.
"""

import base64
import hashlib
import json
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

PAE, TAG = b"DSSEv1 28 application/vnd.in-toto+json %d %s", b"urn:ringfence:tenant:v1\n"
HEADER = {"asOf", "demo", "format", "log", "logKeys", "openings", "records", "root", "scope", "size", "tenant"}
DIGEST = {"envelopeDigest"} | (PLACE := {"entry", "proof", "recordedAt", "tenantSequence"})
FULL, HEAD = PLACE | {"envelope", "opening", "statement"}, {"checkpoint", "cosignatures", "timestamps"}
KINDS = [FULL, {"status"}, {"head"}, HEAD, DIGEST]
ENROLLED = {"ledger", "gateway", *(SPEAKERS := {"control-plane", "operator", "emergency"})}
REVOKERS, SEGMENT, PEOPLE = {"root", "control-plane", "emergency"}, "inference.segment", {"operator"}
ROLES = {"key.enrolled": {"root"} | PEOPLE, "key.revoked": REVOKERS, "report.exported": PEOPLE, SEGMENT: {"gateway"}}
ROLES[REPLACED := "ledger.keys_replaced"] = {"root"}
EPOCH, NEVER, DAY = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), timedelta(hours=24)
DAMAGE = (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def ensure(holds, reason, value=None):
    if not holds:
        raise ValueError(reason)
    return value


def dump(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def unbase64(text, size=None):
    data = base64.b64decode(text, validate=True)
    return ensure(base64.b64encode(data).decode() == text and size in (None, len(data)), "bad base64 or length", data)


def instant(text):
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    return ensure(re.fullmatch(form, text, re.ASCII), f"bad time {text}", datetime.fromisoformat(text))


def count(value):
    return ensure(type(value) is int and 0 <= value <= 2**53, "not a count", value)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def climb(node, last, proof):  # every hash of a proof with its side, leaf to root: RFC 9162, 2.1.3.2 and 2.1.4.2
    for item in proof:
        ensure(last > 0, "the proof is too long")
        left = bool(node & 1) or node == last
        yield item, left
        while left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    ensure(last == 0, "the proof is too short")


def check_consistency(old_size, old_root, size, root, proof):
    ensure(0 < old_size <= size, "it is outside the log")
    if old_size == size:
        return ensure(not proof and old_root == root, "the log has another head of that size")
    first, *rest = proof if old_size & (old_size - 1) else [old_root, *proof]
    node, last, begun, grown = old_size - 1, size - 1, first, first
    while node & 1:
        node, last = node >> 1, last >> 1
    for item, left in climb(node, last, rest):
        begun = sha256(b"\x01", item, begun) if left else begun
        grown = sha256(b"\x01", item, grown) if left else sha256(b"\x01", grown, item)
    return ensure(begun == old_root and grown == root, "the log does not continue it: rebuilt or forked")


def open_head(note, origin, log_keys):  # step 2: size and root of a checkpoint that both keys of the log signed
    body, _, rest = note.partition("\n\n")
    (named, size, root), (*lines, end), opened = body.split("\n"), rest.split("\n"), []
    ensure(named == origin and end == "" and re.fullmatch(r"0|[1-9][0-9]{0,15}", size), "not a signed head of this log")
    log_keys = log_keys(int(size)) if callable(log_keys) else log_keys  # by the size, where they were replaced
    signed = [(*by, unbase64(blob)) for *by, blob in (line.split(" ") for line in lines)]  # others may have signed too
    ensure(all(dash == "\u2014" and len(blob) > 4 for dash, _, blob in signed), "a line is no signature")
    for vkey, kind, length in zip(log_keys, (1, 6), (33, 1313), strict=True):
        name, key_id, material = vkey.split("+", 2)
        key = unbase64(material, length)
        ensure(key[0] == kind and key_id == sha256(name.encode(), b"\n", key)[:4].hex() and name == origin, "bad key")
        found = [blob[4:] for _, signer, blob in signed if signer == name and blob[:4].hex() == key_id]
        ensure(len(found) == 1, "signed by other keys than those you trust: rebuilt, or replaced")
        opened += [key[1:], *found]
    key, signature, pq_key, stamped = opened
    Ed25519PublicKey.from_public_bytes(key).verify(signature, f"{body}\n".encode())
    name, tree = bytes([len(origin)]) + origin.encode(), bytes(8) + int(size).to_bytes(8, "big") + unbase64(root, 32)
    MLDSA44PublicKey.from_public_bytes(pq_key).verify(stamped[8:], b"subtree/v1\n\0" + name + stamped[:8] + name + tree)
    return int(size), unbase64(root, 32)


class Record:
    name = key = ""  # of one of which only the digest is here

    def __init__(self, number, document, header, expect):
        self.number, self.entry, self.at = number, count(document["entry"]), instant(document["recordedAt"])
        self.proof, self.turn = [unbase64(item, 32) for item in document["proof"]], document["tenantSequence"]
        digest = document["envelopeDigest"] if "envelopeDigest" in document else self.read(document, header, expect)
        ensure(re.fullmatch("sha256:[0-9a-f]{64}", digest) and (self.name or self.turn is not None), "not bound")
        millis = ((self.at - EPOCH) // timedelta(milliseconds=1)).to_bytes(8, "big")
        place = b"" if self.turn is None else header["tag"] + count(self.turn).to_bytes(8, "big")
        self.leaf = sha256(b"\x00\x02" if place else b"\x00\x01", millis, place, bytes.fromhex(digest[7:]))

    def read(self, document, header, expect):
        envelope, opening, (signed,) = document["envelope"], document["opening"], document["envelope"]["signatures"]
        self.key, self.signature, self.payload = signed["keyid"], unbase64(signed["sig"]), unbase64(envelope["payload"])
        predicate = (statement := __import__("statements").parse(self.payload))["predicate"]
        self.subjects = [subject["digest"]["sha256"] for subject in statement["subject"]]
        self.claims, issuance = predicate["claims"], predicate["issuance"]
        self.sequence, issued = count(issuance["sequence"]), instant(issuance["issuedAt"])
        place = [issuance["tenant"], issuance["log"], issuance.get("demo", False)]
        ensure(envelope["payloadType"].encode() in PAE and issuance["issuer"] == self.key, "it names another issuer")
        self.name = re.fullmatch(r"urn:ringfence:([a-z0-9_.]+):v1", statement["predicateType"])[1]
        opened = opening is None or predicate.get("details") == "sha256:" + sha256(unbase64(opening)).hex()
        expect(opened and dump(document["statement"]) == dump(statement), "its copy or details were not signed", self)
        expect(opening is None or header["openings"] != "none", "its details are in a pack that is to hold none", self)
        expect(__import__("statements").is_pinned(statement, header["tag"]), "of a second book of the tenant", self)
        expect(place == [header[n] for n in ("tenant", "log", "demo")], "it is of another tenant or log, or demo", self)
        expect(self.at - issued >= timedelta(minutes=-5), "it is dated after its own recording", self)
        expect(self.at - issued <= DAY or issuance.get("late") is True or self.name == SEGMENT, "back-dated", self)
        return "sha256:" + sha256(dump(envelope)).hex()

    def check_origin(self, keys):
        known = (key := keys.get(self.key)) and key["known"] <= self.at and key["entry"] < self.entry
        ensure(known, f"signed by the unknown key {self.key[:16]}")
        ensure(self.at < key["revoked"], "its key had been revoked")
        ensure(key["from"] <= self.at < key["until"], "its key was not yet valid, or had expired")
        ensure(key["role"] in ROLES.get(self.name, SPEAKERS), f"a {key['role']} key may not state this")
        signed, how = PAE % (len(self.payload), self.payload), (key["role"], self.claims.get("algorithm"))
        if key.get("algorithm") == "webauthn-es256" or (self.name == "key.enrolled" and how != ("root", "ed25519")):
            return __import__("verify_acts").check(self, key, signed)  # the file beside this one
        return Ed25519PublicKey.from_public_bytes(key["public"]).verify(self.signature, signed)

    def check_inclusion(self, size, root):
        found = ensure(self.entry < size, "it is outside the log", self.leaf)
        for item, left in climb(self.entry, size - 1, self.proof):
            found = sha256(b"\x01", item, found) if left else sha256(b"\x01", found, item)
        ensure(found == root, "it is not in the log: its proof does not lead to the head")


def fold_keys(records, root):  # step 4: every key that the root enrolled for this tenant: role, life and revocation
    always = {"entry": -1, "known": EPOCH, "from": EPOCH, "until": NEVER, "revoked": NEVER}
    keys = {sha256(root).hex(): {"public": root, "role": "root", **always}}
    for record in records:
        with suppress(*DAMAGE):  # what does not hold changes nothing
            _ = record.name.startswith("key.") and record.check_origin(keys)
            if record.name == "key.enrolled":
                public = unbase64((claims := record.claims)["publicKey"], {"ed25519": 32}.get(claims["algorithm"]))
                start, end, key = instant(claims["validFrom"]), instant(claims["validUntil"]), sha256(public).hex()
                ensure(key not in keys and record.subjects == [key] and claims["role"] in ENROLLED and start < end, "")
                place = {"entry": record.entry, "known": record.at, "from": start, "until": end}
                keys[key] = claims | always | {"public": public} | place
            elif record.name == "key.revoked":
                key = keys[record.claims["keyId"]]
                since = max(key["known"], min(instant(record.claims["at"]), record.at))
                key["revoked"] = min(key["revoked"], since) if key["role"] != "root" else NEVER
    return keys


def check_records(records, header, head, proven, keys, expect):  # steps 5 to 7
    entry, at, turn, begun, digests, numbers = -1, EPOCH, 1, False, 0, {}
    for record in records:
        expect(record.entry > entry, "it stands after a later entry: moved or repeated", record)
        expect(record.at >= at, "it is back-dated: recorded before the record above it", record)
        expect(not begun if record.turn is None else record.turn >= turn, "it repeats, or lacks, its number", record)
        expect((record.turn or turn) <= turn, f"number {turn} of the tenant is missing; the next is {record.turn}")
        if record.name:
            said, (expected, past) = [record.claims.get(n) for n in ("size", "root")], numbers.get(record.key, (1, 0))
            expect(record.name != "ledger.head_exported" or said in proven, "no head of this log", record)
            expect(record.name != REPLACED or "successions" in header, "the header does not say so", record)
            expect(record.sequence >= expected, "it repeats a number of its issuer", record)
            expected += digests - past if record.key != next(iter(keys)) else 0  # never one of the root
            expect(record.sequence <= expected, f"issuer {record.key[:16]}: one before {record.sequence} is missing")
            numbers[record.key] = record.sequence + 1, digests
        expect(record.name or header["scope"], "only its digest is here, in a pack of everything", record)
        try:
            _ = record.name and record.check_origin(keys), head and record.check_inclusion(*head)
        except DAMAGE as error:
            expect(None, str(error) or "its signature does not match", record)
        begun, digests = begun or record.turn is not None, digests + (not record.name)
        entry, at, turn = record.entry, record.at, (turn if record.turn is None else record.turn) + 1


def check_report(records, header, status, expect):  # step 8: the last record covers the status line and the records
    if not records or records[-1].name != "report.exported":
        return expect(None, "the last record is no report.exported: nobody signed the status line")
    last, size = records[-1], records[-1].claims.get("size")
    counted = header["records"] - sum(record.entry >= size for record in records) if type(size) is int else -1
    expect(last.subjects == [sha256(dump(line) + b"\n").hex() for line in status], "it is over another status", last)
    said = {"asOf": header["asOf"], "records": counted, "size": size, "openings": header["openings"]}
    holds = last.claims == said | (header["scope"] or {}) and counted >= 0 and size <= last.entry
    holds = holds and instant(header["asOf"]) <= last.at
    return expect(holds, "it states another time, extent or number of records than the pack holds before it", last)


def check_heads(lines, head, trust, log_keys, expect):  # step 3: earlier heads, and those that the reader holds
    proven = []
    for document in lines:
        try:
            size, root, proof, note = (document["head"][name] for name in ("size", "root", "proof", "note"))
            known, hashes = unbase64(root, 32), [unbase64(item, 32) for item in proof]
            ensure(open_head(note, trust["log"], log_keys) == (size, known) and note.count("\n") == 6, "another head")
            ensure(len(document["head"]) == 6 and count(size) > max(proven, default=[0])[0], "out of order")
            proven.append([size, known.hex()])
            ensure(head is None or check_consistency(size, known, *head, hashes) is None, "")
        except DAMAGE as error:
            expect(None, f"an earlier head: {error}")
    for size, root in trust["heads"] if head else ():
        expect(size <= head[0], f"the log is shorter than the head of size {size} that was exported: its tail was cut")
        held = not size or size > head[0] or [size, root.hex()] in [*proven, [head[0], head[1].hex()]]
        expect(held, f"the log does not contain the head of size {size} that was exported: it was rebuilt or forked")
    return proven


def read_lines(lines, header, expect):
    found, ranks, expected = [[], [], [], []], [], header["records"]
    for number, line in enumerate(lines, start=1):
        try:
            rank = 0 if number <= expected else 5
            rank = KINDS.index((document := json.loads(line)).keys()) % 4
            ensure(dump(document) == line, "not in its one byte form")
            found[rank].append(Record(number, document, header, expect) if rank == 0 else document)
        except DAMAGE as error:
            expect(None, f"line {number + 1} cannot be read: {error}", number if number <= expected else None)
        ranks.append(rank)
    expect([ranks.count(0), ranks.count(1), ranks] == [expected, 1, sorted(ranks)], "lines are missing, added or moved")
    return found


def verify(pack, trust, expect):  # calls expect(holds, reason, record)
    (first, *lines), told = pack.removesuffix(b"\n").split(b"\n"), "successions"
    header = json.loads(first)  # a file without a header of ours cannot be judged: exit code 2
    ensure(header["format"] == "urn:ringfence:pack:v2" and {*header} - {told} == HEADER | {"tenantSalt"}, "no pack v2")
    ensure(dump(header) == first and type(header["demo"]) is bool and instant(header["asOf"]), "bad header")
    ensure(unbase64(header["root"], 32) and count(header["size"]) >= 0 <= count(header["records"]), "bad header")
    __import__("statements").check_header(header)
    header["tag"] = (salt := header["tenantSalt"]) and sha256(TAG, unbase64(salt, 32), header["tenant"].encode())
    alike = [header[name] == trust[name] for name in ("log", "root", "logKeys")]  # step 1
    expect(all(alike[: 2 if told in header else 3]), "it is from another log, root or log keys than those you trust")
    expect(pack.endswith(b"\n"), "the last line does not end")
    (records, status, earlier, notes), log_keys = read_lines(lines, header, expect), trust["logKeys"]
    if told in {*header, *trust}:  # by the file beside this one
        log_keys = __import__(told).follow(trust, header, records, [line["head"] for line in earlier] + notes, expect)
    try:
        head, (note,) = None, notes
        head = open_head(note["checkpoint"], trust["log"], log_keys)
        ensure(head[0] == header["size"] and note["checkpoint"].count("\n") == 6, "of another size or more signers")
    except DAMAGE as error:
        expect(None, f"the head of the log: {str(error) or 'a signature does not match'}")
    keys, proven = fold_keys(records, unbase64(trust["root"], 32)), check_heads(earlier, head, trust, log_keys, expect)
    check_records(records, header, head, proven, keys, expect)
    check_report(records, header, status, expect)
    if len(trust) > 5:  # it names witnesses: by the file beside this one
        __import__("witnesses").check_witnesses([line["head"] for line in earlier] + notes, trust, expect, records)
    return __import__("statements").told(records, trust, [line["head"] for line in earlier] + notes)


def main(arguments):
    failures = []

    def expect(holds, reason, record=None):
        place = f" ({record.name}, entry {record.entry})" if isinstance(record, Record) else ""
        number = getattr(record, "number", record)
        if not holds:
            failures.append(f"FAILED: record {number}{place}: {reason}" if number else f"FAILED: {reason}")

    try:
        pack, trust = (Path(path).read_bytes() for path in arguments)
        trust = __import__("statements").read_trust(trust)
        log_keys = __import__("successions").known(trust) if "successions" in trust else trust["logKeys"]
        trust["heads"] = [open_head(note, trust["log"], log_keys) for note in trust["heads"]]
        checked = verify(pack, trust, expect)
    except (*DAMAGE, OSError, ImportError) as error:
        print(f"cannot be checked: {error}\nusage: verify_pack.py PACK TRUST", file=sys.stderr)
        return 2
    print(*failures, f"{'FAILED' if failures else 'VERIFIED'}: {checked}, {len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # where the other files are
    sys.exit(main(sys.argv[1:]))
