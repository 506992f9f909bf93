"""Statements of another form than ours, signed by a key in force: no reader takes them, whoever signed."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from ringfence.kernel.envelope import Envelope, pae
from ringfence.testing.ledger import LabLog

Change = Callable[[dict[str, Any]], object]


def _issuance(**changes: Any) -> Change:
    return lambda document: document["predicate"]["issuance"].update(changes)


def _subject(**changes: Any) -> Change:
    return lambda document: document["subject"][0].update(changes)


FORMS: dict[str, Change] = {
    "one more field": lambda document: document.update(extra=1),
    "one more field of the predicate": lambda document: document["predicate"].update(extra=1),
    "one more field of the issuance": _issuance(extra=1),
    "another type": lambda document: document.update(_type="https://in-toto.io/Statement/v2"),
    "an unknown strength": _issuance(strength="super"),
    "a short nonce": _issuance(nonce="1"),
    "a nonce in capitals": _issuance(nonce="A" * 32),
    "no idempotency key": lambda document: document["predicate"]["issuance"].pop("idempotencyKey"),
    "an empty idempotency key": _issuance(idempotencyKey=""),
    "a long idempotency key": _issuance(idempotencyKey="x" * 129),
    "no subject": lambda document: document.update(subject=[]),
    "too many subjects": lambda document: document.update(subject=document["subject"] * 1025),
    "a control character in a name": _subject(name="\x1b[31m"),
    "a name beyond ASCII": _subject(name="\u043eps"),
    "a second digest": lambda document: document["subject"][0]["digest"].update(sha512="00"),
    "one more field of a subject": _subject(uri="x"),
    "late as a number": _issuance(late=1),
    "demo that is false": _issuance(demo=False),
    "details that are no digest": lambda document: document["predicate"].update(details="x"),
    "an evidence type with two dots": lambda document: document.update(predicateType="urn:ringfence:a..b:v1"),
    "an evidence type in capitals": lambda document: document.update(predicateType="urn:ringfence:A.b:v1"),
    "a sequence of true": _issuance(sequence=True),
    "a fraction": lambda document: document["predicate"]["claims"].update(part=1.5),
    "a large number": lambda document: document["predicate"]["claims"].update(part=2**60),
}


def misformed(log: LabLog, change: Change, *, by: str = "ops") -> None:
    """Let a log take in a statement whose payload is changed before it is signed."""
    honest, _ = log.sign("dataset.opened", {"purpose": "training"}, by=by)
    document = json.loads(honest.payload)
    change(document)
    payload = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    signature = log.key(by).sign(pae(payload))
    data = json.dumps(
        {
            "payload": b64encode(payload).decode(),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"keyid": log.key_id(by), "sig": b64encode(signature).decode()}],
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    log.append(Envelope(data.encode(), payload, honest.signer, signature, honest.statement))
