#!/usr/bin/env python3
"""Check who else vouches for the heads of a Ringfence pack: `python witnesses.py PACK TRUST [DIR]`.

Cosignatures (c2sp.org/tlog-cosignature, Ed25519 and ML-DSA-44) by the witnesses that TRUST names; those of others are
nobody's word and are left out. Whether the pack itself holds is asked of verify_pack.py, which calls this file where
TRUST names witnesses. DIR gets each head as it was published and its RFC 3161 time stamps; OpenSSL checks them:

    openssl ts -verify -data DIR/head-SIZE -in DIR/head-SIZE.0.tst -token_in -CAfile AUTHORITY.pem

Exit code: 0 if every cosignature by a known key holds and the quorum is met, 1 if not, 2 if a file cannot be read.
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

EPOCH, OPERATOR, CLOCKS = datetime(1970, 1, 1, tzinfo=UTC), "operator", timedelta(minutes=10)
TRUST, OTHERS = {"format", "heads", "log", "logKeys", "root"}, {"quorum", "timestampAuthorities", "witnesses"}
PARTY, MOST = r"[A-Za-z0-9](?:[A-Za-z0-9 .-]{0,62}[A-Za-z0-9.])?", 64  # of one kind of anchor, on one head
SIZES = {4: (33, 76), 6: (1313, 2432)}  # of the key with its type, and of a signature with key id and time
DAMAGE = (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def ensure(holds, reason, value=None):
    if not holds:
        raise ValueError(reason)
    return value


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    return ensure(base64.b64encode(data).decode() == text, "bad base64", data)


def parse_witness(vkey):
    name, key_id, material = vkey.split("+", 2)
    key = unbase64(material)
    known = key[0] in SIZES and len(key) == SIZES[key[0]][0]
    ensure(known and key_id == hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8], "bad key of a witness")
    return name, bytes.fromhex(key_id), key


def parse_trust(trust):
    """Return each witness as (name, key id, key) with its party, and the quorum; one key stands for one party."""
    if trust["format"].endswith(":v1"):
        return ensure(trust.keys() == TRUST, "a trust file of version 1 names no witnesses", ([], 0))
    ensure(
        trust.keys() - {"successions"} == TRUST | OTHERS and type(trust["quorum"]) is int,
        "it is no trust file of version 2",
    )
    witnesses = [(parse_witness(each["vkey"]), each["party"]) for each in trust["witnesses"]]
    spoken = {party: " ".join(party.casefold().split()) for _, party in witnesses}
    named = all(
        re.fullmatch(PARTY, party) and (name != OPERATOR or party == OPERATOR) for party, name in spoken.items()
    )
    ensure(named and len({*spoken.values()}) == len(spoken), "a party has no name, or two")
    ensure(all(each.keys() == {"vkey", "party"} for each in trust["witnesses"]), "a witness has a vkey and a party")
    keys = [key[1:] for (_, _, key), _ in witnesses] + [
        unbase64(vkey.split("+", 2)[2])[1:] for vkey in trust["logKeys"]
    ]
    ensure(len({*keys}) == len(keys), "a key of a witness is named twice, or is the log's own")
    ensure(0 <= trust["quorum"] <= len({*spoken} - {OPERATOR}), "the quorum asks for more parties than are named")
    return witnesses, trust["quorum"]


def check_cosignature(key, name, data, head):
    """Return when a witness cosigned a head; `data` is a signature with its key id in front."""
    origin, size, root = head
    ensure(len(data) == SIZES[key[0]][1], "it has another length")
    seconds, signature = int.from_bytes(data[4:12], "big"), data[12:]
    if key[0] == 4:
        message = f"cosignature/v1\ntime {seconds}\n{origin}\n{size}\n{root}\n".encode()
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message)
    else:
        named = [bytes([len(text.encode())]) + text.encode() for text in (name, origin)]
        tree = bytes(8) + int(size).to_bytes(8, "big") + unbase64(root)
        message = b"subtree/v1\n\0" + named[0] + data[4:12] + named[1] + tree
        MLDSA44PublicKey.from_public_bytes(key[1:]).verify(signature, message)
    return EPOCH + timedelta(seconds=ensure(seconds > 0, "it does not say when", seconds))


def check_lines(lines, head, witnesses, expect):
    """Return each party that cosigned a head, with the time by its own clock."""
    parties = {}
    expect(type(lines) is list and len(lines) <= MOST, f"the head of size {head[1]}: its cosignatures are no list")
    for line in lines:
        try:
            dash, signer, blob = line.split(" ")
            data = ensure(dash == "\u2014" and len(unbase64(blob)) > 4, "no signature line", unbase64(blob))
            for (name, key_id, key), party in witnesses:
                if (name, key_id) == (signer, data[:4]):
                    when = check_cosignature(key, name, data, head)
                    parties[party] = min(when, parties.get(party, when))
        except DAMAGE as error:
            expect(None, f"the head of size {head[1]}: a cosignature does not hold: {error}")
    return parties


def check_stamps(tokens, expect):
    """Check the form of time stamps only: what they say is asked of OpenSSL."""
    try:
        ensure(type(tokens) is list and len(tokens) <= MOST and all(map(unbase64, tokens)), "they are no list")
    except DAMAGE as error:
        expect(None, f"time stamps of a head cannot be read: {error}")


def tell_of_stolen_keys(records, seen):
    """Say which records of a compromised key nobody but the operator saw before that: they count for nothing."""
    ends = {}
    for record in records:
        if record.name == "key.revoked" and record.claims.get("reason") == "compromised":
            key, since = record.claims["keyId"], min(datetime.fromisoformat(record.claims["at"]), record.at)
            ends[key] = min(since, ends.get(key, since))
    for key, end in ends.items():
        proven = max((size for size, party, when in seen if party != OPERATOR and when < end), default=0)
        alone = [
            record.number for record in records if record.key == key and record.at < end and record.entry >= proven
        ]
        if alone:
            print(
                f"NOTE: key {key[:16]} is compromised since {end:%Y-%m-%dT%H:%M:%SZ}; that records {alone} are older "
                "is the operator's word only, unless a time stamp shows it: they count for nothing"
            )


def check_witnesses(said, trust, expect, records=()):
    """Check what `said` (a head or a checkpoint line) holds; `expect(holds, reason)` hears of what is wrong.

    `records` are those of the pack as verify_pack.py read them: none is dated after who saw a head above it.
    """
    (witnesses, wanted), most, seen = parse_trust(trust), 0, []
    for line in said:
        check_stamps(line.get("timestamps", []), expect)
        head = line.get("note", line.get("checkpoint")).partition("\n\n")[0].split("\n")
        if len(head) != 3:
            continue  # no head at all: verify_pack.py says so
        parties = check_lines(line.get("cosignatures", ()), head, witnesses, expect)
        newest = max(
            (record.at for record in records if head[1].isdecimal() and record.entry < int(head[1])), default=EPOCH
        )
        for party, when in parties.items():
            seen.append((int(head[1]), party, when))
            expect(newest - when <= CLOCKS, f"{party} saw the head of size {head[1]} before its records: a false clock")
            worth = "counts as the operator" if party == OPERATOR else "what lies below it is anchored outside"
            print(f"NOTE: head of size {head[1]} cosigned by {party} at {when:%Y-%m-%dT%H:%M:%SZ}: {worth}")
        most = max(most, len(parties.keys() - {OPERATOR}))
    try:
        tell_of_stolen_keys(records, seen)
    except DAMAGE as error:
        expect(None, f"a revocation cannot be read: {error}")
    expect(most >= wanted, f"no head is cosigned by {wanted} other parties, as you ask: at most by {most}")


def extract(said, folder):
    """Write out each head with its time stamps, for OpenSSL."""
    for line in said:
        note = line.get("note", line.get("checkpoint"))
        size = int(note.split("\n")[1])
        (folder / f"head-{size}").write_bytes(note.encode())
        for number, token in enumerate(line.get("timestamps", ())):
            (folder / f"head-{size}.{number}.tst").write_bytes(unbase64(token))


def main(arguments):
    failures = []

    def expect(holds, reason):
        if not holds:
            failures.append(f"FAILED: {reason}")

    try:
        first, second, *folder = map(Path, arguments)
        lines = [json.loads(line) for line in first.read_bytes().splitlines()]
        said = [line["head"] for line in lines if "head" in line] + [line for line in lines if "checkpoint" in line]
        check_witnesses(said, json.loads(second.read_bytes()), expect)
        for place in folder:
            place.mkdir(exist_ok=True)
            extract(said, place)
    except (*DAMAGE, OSError) as error:
        print(f"cannot be checked: {error}\nusage: witnesses.py PACK TRUST [DIR]", file=sys.stderr)
        return 2
    print(*failures, f"{'FAILED' if failures else 'HOLDS'}: {len(said)} heads, {len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
