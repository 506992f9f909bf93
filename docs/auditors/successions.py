"""Follow the keys of a log through their replacements: called by verify_pack.py beside it, where there are any.

Steps: docs/specs/succession.md, section 4. Needs Python 3.11 and `cryptography`, nothing else. Take this file from
where you took verify_pack.py. Shown: the root that you trust named each pair of log keys, and from which head on it
signs. Not shown: that the root did so in time, or told you of every replacement.
"""

import base64
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

REPLACED, MOST = "ledger.keys_replaced", 64
CLAIMS = {"fromRoot", "fromSize", "newKeys", "oldKeys", "origin", "reason"}
REASONS, SIZES = {"compromised", "lost", "superseded"}, {1: 33, 6: 1313}
PAE = b"DSSEv1 28 application/vnd.in-toto+json %d %s"
# The same few lines as in verify_pack.py and, frozen, verify_pack_v1.py: each file is read, and trusted, by itself.
DAMAGE = (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def ensure(holds, reason, value=None):
    if not holds:
        raise ValueError(reason)
    return value


def dump(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    return ensure(base64.b64encode(data).decode() == text, "bad base64", data)


def digest_of(pair):
    return "sha256:" + hashlib.sha256("".join(f"{vkey}\n" for vkey in pair).encode()).hexdigest()


def material(pair, origin):
    """Return the two public keys of a pair of log keys, which carry the name of the log."""
    found = []
    for vkey, kind in zip(pair, SIZES, strict=True):
        name, key_id, text = vkey.split("+", 2)
        key = unbase64(text)
        named = key_id == hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] and name == origin
        ensure(named and key[0] == kind and len(key) == SIZES[kind], "bad log key")
        found.append(key[1:])
    return set(found)


def parse(envelope, trust):
    """Return the claims of a succession, once the trusted root is shown to have signed it."""
    root, (signed,), payload = unbase64(trust["root"]), envelope["signatures"], unbase64(envelope["payload"])
    ours = signed["keyid"] == hashlib.sha256(root).hexdigest() and envelope["payloadType"].encode() in PAE
    ensure(ours and len(envelope) == 3 and len(signed) == 2, "a succession is not signed by the root that you trust")
    Ed25519PublicKey.from_public_bytes(root).verify(unbase64(signed["sig"]), PAE % (len(payload), payload))
    statement = json.loads(payload)
    claims, issuance = statement["predicate"]["claims"], statement["predicate"]["issuance"]
    ensure(dump(statement) == payload and statement["predicateType"] == f"urn:ringfence:{REPLACED}:v1", "no succession")
    ensure(claims.keys() == CLAIMS and issuance["issuer"] == signed["keyid"], "no succession")
    ensure(claims["origin"] == issuance["log"] == trust["log"], "a succession is of another log")
    about = [subject["digest"]["sha256"] for subject in statement["subject"]]
    ensure(material(claims["newKeys"], trust["log"]) and about == [digest_of(claims["newKeys"])[7:]], "no succession")
    whole = type(claims["fromSize"]) is int and 0 < claims["fromSize"] <= 2**53
    ensure(whole and re.fullmatch("[0-9a-f]{64}", claims["fromRoot"]), "a succession is from no head on")
    return ensure(claims["reason"] in REASONS, "a succession has no reason", claims)


def chain(first, following, origin):
    """Return a row (above which size, pair) for each pair from the first on, with all that follow on one another."""
    rows, seen = [(0, tuple(first))], material(first, origin)
    while claims := following.get(digest_of(rows[-1][1])):
        fresh = material(claims["newKeys"], origin)
        ensure(claims["fromSize"] >= rows[-1][0] and not fresh & seen, "a succession goes back to older heads or keys")
        rows.append((claims["fromSize"], tuple(claims["newKeys"])))
        seen |= fresh
    return rows


def joined(successions):
    """Return the successions by the pair that they end; there is one for each."""
    following = {}
    for claims in successions:
        ensure(following.setdefault(claims["oldKeys"], claims) == claims, "two successions of one pair of log keys")
    return following


def signer(rows):
    """Return which pair signs a head of a size."""
    return lambda size: [pair for above, pair in rows if above < max(size, 1)][-1]


def listed(envelopes):
    return ensure(type(envelopes) is list and 0 < len(envelopes) <= MOST, "successions are no list", envelopes)


def known(trust):
    """Return which pair signs a head of a size, by the trust file alone."""
    own = [parse(envelope, trust) for envelope in listed(trust["successions"])]
    rows = chain(trust["logKeys"], joined(own), trust["log"])
    ensure([claims["fromSize"] for claims in own] == [above for above, _ in rows[1:]], "they do not follow one another")
    return signer(rows)


def follow(trust, header, records, heads, expect):
    """Return which pair signs a head of a size, by the trust file and the pack; say what does not hold.

    `heads` are the head lines of the pack and its checkpoint line, whose notes the caller verifies.
    """
    told = listed(header["successions"]) if "successions" in header else []
    own = [parse(envelope, trust) for envelope in trust.get("successions", ())]
    rows, offered = chain(trust["logKeys"], joined(own), trust["log"]), []
    try:
        following = joined(own + (offered := [parse(envelope, trust) for envelope in told]))
        rows = chain(start(trust, header, following), following, trust["log"])
        ensure(len(rows) == len(following) + 1, "a succession leads neither to the log keys that you trust nor on")
    except DAMAGE as error:
        expect(None, f"the log's keys: {str(error) or 'a signature does not match'}")
        offered = []
    shown = [tuple(line.get("note", line.get("checkpoint")).split("\n")[1:3]) for line in heads]
    for claims in offered:
        head = str(claims["fromSize"]), base64.b64encode(bytes.fromhex(claims["fromRoot"])).decode()
        expect(head in shown, f"the log does not contain the head of size {head[0]} at which its keys were replaced")
    for record in records:
        expect(record.name != REPLACED or record.claims in offered, "the header does not say so", record)
    return signer(rows)


def start(trust, header, following):
    """Return the older of the reader's first pair and the pack's: one leads to the other."""
    ours, theirs = trust["logKeys"], header["logKeys"]
    if tuple(theirs) in [pair for _, pair in chain(ours, following, trust["log"])]:
        return ours
    reached = [pair for _, pair in chain(theirs, following, trust["log"])]
    return ensure(tuple(ours) in reached, "other log keys than those you trust: rebuilt, or another log", theirs)
