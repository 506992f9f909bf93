#!/usr/bin/env python3
"""Check a Ringfence pack without Ringfence: `python verify_pack.py PACK TRUST`.

Needs Python 3.11 and `cryptography` 50 or newer, nothing else, and no network. Take this file from documentation that
you trust, never from whoever gave you the pack. TRUST is the file that reached you earlier by another way: the root
key, the log's two keys, and the heads of the log that were exported to you. Exit code: 0 if everything holds, 1 if
anything does not (one line each), 2 if a file cannot be read. Formats and steps: docs/specs/pack.md, section 4.

Shown: who signed each record; that nobody changed, removed, added, reordered or back-dated one since; and that the
log is the one whose heads you hold. Not shown: that what a signer stated is true; that the status follows from the
records (`ringfence verify --recompute` does that); RFC 3161 time stamps (`openssl ts` does that).
"""

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

PAE = b"DSSEv1 28 application/vnd.in-toto+json %d %s"  # what a DSSE signature covers
HEADER = {"asOf", "demo", "format", "log", "logKeys", "records", "root", "size", "tenant"}
KINDS = [{"entry", "envelope", "opening", "proof", "recordedAt", "statement"}, {"status"}, {"head"}, {"checkpoint"}]
ENROLLED = {"ledger", "gateway", *(SPEAKERS := {"control-plane", "operator", "emergency"})}
REVOKERS, SEGMENT = {"root", "control-plane", "emergency"}, "inference.segment"
ROLES = {"key.enrolled": {"root"}, "key.revoked": REVOKERS, "report.exported": {"operator"}, SEGMENT: {"gateway"}}
EPOCH, NEVER, DAY = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), timedelta(hours=24)
DAMAGE = (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def ensure(holds, reason, value=None):
    if not holds:
        raise ValueError(reason)
    return value


def dump(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def canonical(line):
    return ensure(dump(value := json.loads(line)) == line, "not in its one byte form", value)


def unbase64(text, size=None):
    data = base64.b64decode(text, validate=True)
    return ensure(base64.b64encode(data).decode() == text and size in (None, len(data)), "bad base64 or length", data)


def instant(text):
    ensure(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text, re.ASCII), f"bad time {text}")
    return datetime.fromisoformat(text)


def count(value):
    return ensure(type(value) is int and 0 <= value <= 2**53, "not a count", value)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def climb(node, last, proof):
    """Yield every hash of a proof with its side, leaf to root: RFC 9162, sections 2.1.3.2 and 2.1.4.2."""
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


def open_head(note, origin, log_keys):
    """Step 2: return size and root of a checkpoint that both keys of the log signed."""
    body, _, rest = note.partition("\n\n")
    named, size, root = body.split("\n")
    *signatures, end = rest.split("\n")
    ensure(named == origin and end == "" and re.fullmatch(r"0|[1-9][0-9]{0,15}", size), "not a signed head of this log")
    opened = []
    for vkey, line, kind, length in zip(log_keys, signatures, (1, 6), (33, 1313), strict=True):
        name, key_id, material = vkey.split("+", 2)
        key = unbase64(material, length)
        ensure(key[0] == kind and key_id == sha256(name.encode(), b"\n", key)[:4].hex(), "bad log key")
        dash, signer, blob = line.split(" ")
        ensure(dash == "\u2014" and signer == name == origin, "it is signed under another name")
        ensure(unbase64(blob)[:4].hex() == key_id, "it is signed by other keys than those you trust: a rebuilt log")
        opened.append((key[1:], unbase64(blob)[4:]))
    (key, signature), (pq_key, stamped) = opened
    name, tree = bytes([len(origin)]) + origin.encode(), int(size).to_bytes(8, "big") + unbase64(root, 32)
    message = b"subtree/v1\n\0" + name + stamped[:8] + name + bytes(8) + tree
    Ed25519PublicKey.from_public_bytes(key).verify(signature, f"{body}\n".encode())
    MLDSA44PublicKey.from_public_bytes(pq_key).verify(stamped[8:], message)
    return int(size), unbase64(root, 32)


class Record:
    def __init__(self, number, document):
        envelope, opening, (signed,) = document["envelope"], document["opening"], document["envelope"]["signatures"]
        self.number, self.entry, self.at = number, count(document["entry"]), instant(document["recordedAt"])
        self.proof = [unbase64(item, 32) for item in document["proof"]]
        self.key, self.signature, self.payload = signed["keyid"], unbase64(signed["sig"]), unbase64(envelope["payload"])
        predicate = (statement := json.loads(self.payload))["predicate"]
        self.readable = dump(document["statement"]) == dump(statement)
        self.name = re.fullmatch(r"urn:ringfence:([a-z0-9_.]+):v1", statement["predicateType"])[1]
        self.subjects = [subject["digest"]["sha256"] for subject in statement["subject"]]
        self.claims, self.issuance = predicate["claims"], predicate["issuance"]
        self.sequence, self.issued = count(self.issuance["sequence"]), instant(self.issuance["issuedAt"])
        self.place = [self.issuance["tenant"], self.issuance["log"], self.issuance.get("demo", False)]
        ensure(self.issuance["issuer"] == self.key and self.claims.keys() >= set(), "it names another issuer")
        ensure(envelope["payloadType"].encode() in PAE, "it is no in-toto statement")
        self.opened = opening is None or predicate.get("details") == "sha256:" + sha256(unbase64(opening)).hex()
        millis = (self.at - EPOCH) // timedelta(milliseconds=1)
        self.leaf = sha256(b"\x00\x01", millis.to_bytes(8, "big"), sha256(dump(envelope)))

    def check_origin(self, keys):
        key = keys.get(self.key)
        ensure(key and key["known"] <= self.at, f"it is signed by the unknown key {self.key[:16]}")
        ensure(self.at < key["revoked"], "its key had been revoked")
        ensure(key["from"] <= self.at < key["until"], "its key was not yet valid, or had expired")
        message = PAE % (len(self.payload), self.payload)
        Ed25519PublicKey.from_public_bytes(key["public"]).verify(self.signature, message)
        ensure(key["role"] in ROLES.get(self.name, SPEAKERS), f"a {key['role']} key may not state this")

    def check_inclusion(self, size, root):
        ensure(self.entry < size, "it is outside the log")
        found = self.leaf
        for item, left in climb(self.entry, size - 1, self.proof):
            found = sha256(b"\x01", item, found) if left else sha256(b"\x01", found, item)
        ensure(found == root, "it is not in the log: its proof does not lead to the head")


def fold_keys(records, root):
    """Step 4: return every key that the root enrolled for this tenant, with its role, life and revocation."""
    always = {"known": EPOCH, "from": EPOCH, "until": NEVER, "revoked": NEVER}
    keys = {sha256(root).hex(): {"public": root, "role": "root", **always}}
    for record in records:
        try:
            if record.name == "key.enrolled":
                record.check_origin(keys)
                claims, public = record.claims, unbase64(record.claims["publicKey"], 32)
                start, end = instant(claims["validFrom"]), instant(claims["validUntil"])
                key, role = sha256(public).hex(), claims["role"]
                ensure(key not in keys and record.subjects == [key] and role in ENROLLED and start < end, "not so")
                keys[key] = {**always, "public": public, "role": role, "known": record.at, "from": start, "until": end}
            elif record.name == "key.revoked":
                record.check_origin(keys)
                key = keys[record.claims["keyId"]]
                since = max(key["known"], min(instant(record.claims["at"]), record.at))
                key["revoked"] = min(key["revoked"], since) if key["role"] != "root" else NEVER
        except DAMAGE:
            continue  # it changes nothing
    return keys


def check_records(records, header, head, proven, keys, fail):
    """Steps 5 to 7: every record by itself, their order, each issuer's numbering, and the heads that they export."""
    entry, at, numbers, place = -1, EPOCH, {}, [header["tenant"], header["log"], header["demo"]]
    for record in records:
        age, expected = record.at - record.issued, numbers.get(record.key, 1)
        late, exported = record.issuance.get("late") is True, [record.claims.get(name) for name in ("size", "root")]
        for holds, reason in (
            (record.readable and record.opened, "the readable statement, or the details, are not what was signed"),
            (record.place == place, "it is of another tenant, of another log, or demo data among real data"),
            (age >= timedelta(minutes=-5), "it is dated after its own recording"),
            (age <= DAY or late or record.name == SEGMENT, "it is back-dated: issued a day ago, and not late"),
            (record.entry > entry, "it stands after a later entry: moved or repeated"),
            (record.at >= at, "it is back-dated: recorded before the record above it"),
            (record.sequence >= expected, "it repeats a number of its issuer"),
            (record.name != "ledger.head_exported" or exported in proven, "the log does not contain the head it names"),
        ):
            if not holds:
                fail(reason, record)
        if record.sequence > expected:
            fail(f"issuer {record.key[:16]}: statement {expected} is missing; the next is {record.sequence}")
        try:
            record.check_origin(keys)
            if head:
                record.check_inclusion(*head)
        except DAMAGE as error:
            fail(str(error) or "its signature does not match", record)
        entry, at, numbers[record.key] = record.entry, record.at, record.sequence + 1


def check_report(records, header, status, fail):
    """Step 8: the last record covers the status line and the records."""
    if not records or records[-1].name != "report.exported":
        return fail("the last record is no report.exported: nobody signed the status line")
    last, size = records[-1], records[-1].claims.get("size")
    counted = header["records"] - sum(record.entry >= size for record in records) if type(size) is int else -1
    if last.subjects != [sha256(dump(line) + b"\n").hex() for line in status]:
        fail("it was signed over another status line", last)
    if last.claims != {"asOf": header["asOf"], "records": counted, "size": size} or counted < 0:
        return fail("it states another time, or another number of records, than the pack holds", last)
    return (size > last.entry or instant(header["asOf"]) > last.at) and fail("it speaks of what came after it", last)


def check_heads(lines, head, kept_heads, fail):
    """Step 3: return the earlier heads, which the pack's head must continue; the heads that the reader holds too."""
    proven = []
    for document in lines:
        try:
            size, root, proof = (document["head"][name] for name in ("size", "root", "proof"))
            ensure(len(document["head"]) == 3 and count(size) > max(proven, default=[0])[0], "out of order")
            known, hashes = unbase64(root, 32), [unbase64(item, 32) for item in proof]
            proven.append([size, known.hex()])
            ensure(head is None or check_consistency(size, known, *head, hashes) is None, "")
        except DAMAGE as error:
            fail(f"an earlier head: {error}")
    for size, root in kept_heads if head else ():
        if size > head[0]:
            fail(f"the log is shorter than the head of size {size} that was exported: its tail was cut")
        elif size and [size, root.hex()] not in [*proven, [head[0], head[1].hex()]]:
            fail(f"the log does not contain the head of size {size} that was exported: it was rebuilt or forked")
    return proven


def read_lines(lines, expected, fail):
    found, ranks = [[], [], [], []], []
    for number, line in enumerate(lines, start=1):
        try:
            rank = 0 if number <= expected else 4
            rank = KINDS.index((document := canonical(line)).keys())
            found[rank].append(Record(number, document) if rank == 0 else document)
        except DAMAGE as error:
            fail(f"line {number + 1} cannot be read: {error}", number if number <= expected else None)
        ranks.append(rank)
    if ranks.count(0) != expected or ranks != sorted(ranks) or ranks.count(1) != 1:
        fail("lines are missing, added or out of order")
    return found


def verify(pack, trust, fail):  # calls fail(reason, record) for everything that does not hold
    first, *lines = pack.removesuffix(b"\n").split(b"\n")
    header = canonical(first)  # a file without a header of ours cannot be judged: exit code 2
    ensure(header["format"] == "urn:ringfence:pack:v1" and header.keys() == HEADER, "this is no pack of version 1")
    ensure(type(header["demo"]) is bool and unbase64(header["root"], 32) and instant(header["asOf"]), "bad header")
    size, expected = count(header["size"]), count(header["records"])
    if any(header[name] != trust[name] for name in ("log", "root", "logKeys")):  # step 1
        fail("it is from another log, root or log keys than those you trust: another log, or a rebuilt one")
    if not pack.endswith(b"\n"):
        fail("the last line does not end")
    records, status, earlier, notes = read_lines(lines, expected, fail)
    try:
        head, (note,) = None, notes
        head = open_head(note["checkpoint"], trust["log"], trust["logKeys"])
        ensure(head[0] == size, "the header states another size")
    except DAMAGE as error:
        fail(f"the head of the log: {str(error) or 'a signature does not match'}")
    keys, proven = fold_keys(records, unbase64(trust["root"], 32)), check_heads(earlier, head, trust["heads"], fail)
    check_records(records, header, head, proven, keys, fail)
    check_report(records, header, status, fail)
    return len(records)


def main(arguments):
    failures = []

    def fail(reason, record=None):
        place = f" ({record.name}, entry {record.entry})" if isinstance(record, Record) else ""
        number = getattr(record, "number", record)
        failures.append(f"FAILED: record {number}{place}: {reason}" if number else f"FAILED: {reason}")

    try:
        pack, trust = (Path(path).read_bytes() for path in arguments)
        trust = json.loads(trust)
        ensure(trust["format"] == "urn:ringfence:trust:v1", "this is no trust file")
        trust["heads"] = [open_head(note, trust["log"], trust["logKeys"]) for note in trust["heads"]]
        checked = verify(pack, trust, fail)
    except (*DAMAGE, OSError) as error:
        print(f"cannot be checked: {error}\nusage: verify_pack.py PACK TRUST", file=sys.stderr)
        return 2
    if not trust["heads"]:
        print("NOTE: rebuild or rollback not excluded: the trust file holds no head that was kept outside")
    print(*failures, f"{'FAILED' if failures else 'VERIFIED'}: {checked} records, {len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
